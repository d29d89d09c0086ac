#!/usr/bin/env python3
"""Trains with too little memory and checks what the message advises.

usage: oom.py PROGRAM [--trials N] [--seed N]

Every trial limits the address space to a random size, asks for a batch of all rows of a file, which is too large, and expects exit code 4, no file in
the output folder, and a message with asked, free, total and the largest batch size that fits. That size must then train, and one
that is 15 per cent larger must not. Prints how often the advice held; exit code 1 below 95 per cent.
"""
import argparse
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

MIB = 1 << 20


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    choose = random.Random(arguments.seed)
    base = pathlib.Path(tempfile.mkdtemp(prefix="vaecuda-oom-"))

    # A batch is at most all rows: so many that their activations do not fit where they themselves do.
    files = {}
    for columns, rows in ((16, 500_000), (28, 200_000)):
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({rows}, {columns * columns}), }}"
        header += " " * (-(len(header) + 11) % 64) + "\n"
        files[columns] = base / f"rows{columns}.npy"
        with open(files[columns], "wb") as file:
            file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
            file.write(bytes(range(256)) * (rows * columns * columns // 256))

    def train(batch, limit, hidden, columns):
        out = base / "run"
        shutil.rmtree(out, ignore_errors=True)
        command = [arguments.program, "--data", str(files[columns]), "--hidden", str(hidden), "--latent-dim", "8",
                   "--batch-size", str(batch), "--steps", "1", "--device", "cpu", "--threads", "2", "--out", str(out)]
        result = subprocess.run(["bash", "-c", f'ulimit -v {limit // 1024}; exec "$@"', "_", *command], capture_output=True,
                                text=True, timeout=300)
        return result, out

    # What the program's libraries take before it begins: with CUDA's, some hundred MiB.
    listed = subprocess.run(["ldd", arguments.program], capture_output=True, text=True, check=True).stdout
    libraries = sum(pathlib.Path(path).stat().st_size for path in re.findall(r"=> (/\S+)", listed))

    fits = tight = advised = 0
    for trial in range(arguments.trials):
        limit = libraries + choose.randrange(600, 1500) * MIB
        hidden = choose.choice([64, 200, 700])
        columns = choose.choice([16, 28])
        result, out = train(1 << 22, limit, hidden, columns)
        where = f"trial {trial}: {limit // MIB} MiB, hidden {hidden}, {columns}x{columns}"
        if result.returncode != 4 or out.exists():
            sys.exit(f"{where}: exit code {result.returncode}, folder {out.exists()}: {result.stderr}")
        if not re.search(r"MiB asked, .* MiB available of .* MiB", result.stderr):
            sys.exit(f"{where}: no figures in: {result.stderr}")
        found = re.search(r"largest batch size that fits here is (\d+)", result.stderr)
        if not found:
            sys.exit(f"{where}: no advice in: {result.stderr}")
        batch = int(found.group(1))
        advised += 1
        fits += train(batch, limit, hidden, columns)[0].returncode == 0
        tight += train(batch + batch * 15 // 100 + 1, limit, hidden, columns)[0].returncode == 4
    shutil.rmtree(base)
    print(f"{advised} trials: the advised batch size fitted in {fits}, one 15 per cent larger did not in {tight}")
    sys.exit(0 if fits >= 0.95 * advised else 1)


if __name__ == "__main__":
    main()
