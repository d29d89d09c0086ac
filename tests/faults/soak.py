#!/usr/bin/env python3
"""Trains a small model for a long time and looks for memory that grows and speed that fades.

usage: soak.py PROGRAM [--steps N] [--memory-only]

Between the first fifth and the last third of the training the resident memory may grow by 1 MiB, and the median speed of
the last fifth of the lines of metrics.jsonl may be 10 per cent below that of the first fifth (other programs on the machine
disturb: --memory-only leaves the speed out).
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20


def resident(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--memory-only", action="store_true")
    arguments = parser.parse_args()
    base = pathlib.Path(tempfile.mkdtemp(prefix="vaecuda-soak-"))
    out = base / "run"
    rows = "\n".join(",".join(f"0.{(i * j) % 97:02d}" for j in range(1, 9)) for i in range(200))
    (base / "rows.csv").write_text(rows + "\n")
    process = subprocess.Popen([arguments.program, "--data", str(base / "rows.csv"), "--valid-fraction", "0.2", "--hidden", "16",
                                "--latent-dim", "2", "--batch-size", "16", "--steps", str(arguments.steps), "--device", "cpu",
                                "--threads", "1", "--log-every", str(arguments.steps // 100), "--checkpoint-every",
                                str(arguments.steps // 20), "--quiet", "--out", str(out)])
    memory = []  # (lines of metrics.jsonl so far, resident bytes)
    while process.poll() is None:
        lines = (out / "metrics.jsonl").read_bytes().count(b"\n") if (out / "metrics.jsonl").exists() else 0
        if size := resident(process.pid):
            memory.append((lines, size))
        time.sleep(0.01)
    if process.returncode != 0:
        sys.exit(f"exit code {process.returncode}")
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    lines = [line for line in lines if line["step"] % (arguments.steps // 100) == 0]
    speeds = [(b["step"] - a["step"]) / (b["seconds"] - a["seconds"]) for a, b in zip(lines, lines[1:])]
    fifth = max(1, len(speeds) // 5)
    first, last = statistics.median(speeds[:fifth]), statistics.median(speeds[-fifth:])
    # Before the last line, behind which come pictures and the report, with memory of their own.
    total = memory[-1][0]
    early = max(size for at, size in memory if total // 20 <= at <= total // 5)
    late = max(size for at, size in memory if total * 7 // 10 <= at < total)
    print(f"{arguments.steps} steps in {lines[-1]['seconds']:.0f} s: resident {early / MIB:.2f} MiB early, {late / MIB:.2f} MiB "
          f"late; {first:.0f} steps/s in the first fifth, {last:.0f} in the last ({100 * (last / first - 1):+.1f} %)")
    shutil.rmtree(base)
    sys.exit(0 if late - early <= MIB and (arguments.memory_only or last >= 0.9 * first) else 1)


if __name__ == "__main__":
    main()
