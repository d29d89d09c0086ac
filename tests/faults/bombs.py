#!/usr/bin/env python3
"""Gives the program small files that promise much, and measures processor time and memory until they are refused.

usage: bombs.py PROGRAM

Every bomb must be refused (exit code 2 or 3) in under one second and with at most the file's size + 64 MiB more memory than
the program takes to say its version. Prints one line each; exit code 1 if one is not.
"""
import gzip
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

MIB = 1 << 20


def measure(command):
    """Exit code, seconds of processor time and peak resident bytes."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def bombs():
    zeros = gzip.compress(bytes(100 * MIB), 9, mtime=0)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 1), }\n"
    yield "gzip 1000:1, no format", "--data", "zeros.gz", zeros
    yield "gzip 1000:1, IDX of more", "--data", "more.idx.gz", gzip.compress(
        b"\0\0\x08\x02" + struct.pack(">II", 1 << 31, 1 << 20) + bytes(60 * MIB), 9, mtime=0)
    yield "gzip 1000:1, one CSV line", "--data", "line.csv.gz", gzip.compress(b"1," * (50 * MIB), 9, mtime=0)
    yield "IDX of 2^56 elements", "--data", "huge.idx", b"\0\0\x08\x02" + struct.pack(">II", 1 << 28, 1 << 28)
    yield "npy of 2^62 elements", "--data", "huge.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header
    yield "npy header of 4 GiB", "--data", "header.npy", b"\x93NUMPY\2\0" + struct.pack("<I", 0xffffffff) + b"{"
    yield "100 MB safetensors header, blanks", "--init-from", "blank.safetensors", struct.pack("<Q", 100_000_000) + \
        b"{" + b" " * 99_999_998 + b"}"
    entry = b'"%07d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},'
    yield "100 MB safetensors header, tensors", "--init-from", "many.safetensors", struct.pack("<Q", 100_000_000) + \
        (b"{" + b"".join(entry % i for i in range(1_800_000)))[:99_999_999] + b"}"
    yield "100 MB safetensors header, nested", "--init-from", "deep.safetensors", struct.pack("<Q", 100_000_000) + \
        b'{"a":' + b"[" * 99_999_994 + b"}"
    yield "safetensors header of 2^63", "--init-from", "wrong.safetensors", struct.pack("<Q", 1 << 63) + b"{}"
    yield "TOML, 500,000 brackets", "--config", "deep.toml", b"[data]\nx = " + b"[" * 500_000
    yield "TOML, key of 500,000 parts", "--config", "dots.toml", b".".join([b"a"] * 500_000) + b" = 1\n"
    yield "TOML, inline tables", "--config", "tables.toml", b"x = " + b"{a=" * 250_000
    yield "TOML of 100 MB", "--config", "long.toml", b"#" * 100_000_000


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--write":
        for name, option, file, content in bombs():
            pathlib.Path(sys.argv[2], file).write_bytes(content)
            print(name, option, file, sep="\t")
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    base = pathlib.Path(tempfile.mkdtemp(prefix="vaecuda-bombs-"))
    broken = 0
    idle = min(measure([program, "--version"])[2] for _ in range(3))
    # By another process: a child's peak begins with what its parent holds.
    listing = subprocess.run([sys.executable, __file__, "--write", str(base)], check=True, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        name, option, file = line.split("\t")
        path = base / file
        size = path.stat().st_size
        command = [program, option, str(path), "--device", "cpu", "--out", str(base / "run")]
        if option != "--data":
            command += ["--data", "shapes:16x16,n=50", "--steps", "1"]
        code, seconds, peak = min((measure(command) for _ in range(3)), key=lambda result: result[1])
        more = peak - idle
        print(f"{name:36} file {size / MIB:7.1f} MiB  exit {code}  {seconds:5.2f} s  {more / MIB:7.1f} MiB")
        if code not in (2, 3) or seconds > 1.0 or more > size + 64 * MIB or (base / "run").exists():
            broken += 1
            print("  this is more than was promised")
    shutil.rmtree(base)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
