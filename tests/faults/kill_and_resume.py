#!/usr/bin/env python3
"""Kills or signals training at random moments and resumes it, until it has been hit so many times.

usage: kill_and_resume.py PROGRAM [--hits N] [--signal KILL|INT|TERM|USR1|any] [--seed N] [--folder DIR]

Every run must load after every hit and end with the bytes of the uninterrupted run. With a signal other than KILL
the program must end with exit code 75 within 10 seconds (or with 0, if it was done already). Prints the counts and the
longest answer; exit code 1 at the first failure.
"""
import argparse
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import runs  # noqa: E402


def hit_once(program, arguments, delay, number):
    """Starts the program and sends the signal after the delay. Gives exit code, seconds to the end, stderr."""
    process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(delay)
    alive = process.poll() is None
    began = time.monotonic()
    if alive:
        process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    return process.returncode, (time.monotonic() - began) if alive else None, errors


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("--hits", type=int, default=300)
    parser.add_argument("--signal", default="KILL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    choose = random.Random(arguments.seed)
    names = ["INT", "TERM", "USR1"] if arguments.signal == "any" else [arguments.signal]
    base = pathlib.Path(tempfile.mkdtemp(prefix="vaecuda-kill-", dir=arguments.folder))
    began = time.monotonic()
    whole = runs.run(arguments.program, runs.words(base / "whole"))
    if whole.returncode != 0:
        sys.exit(f"the uninterrupted run failed: {whole.stderr}")
    length = time.monotonic() - began
    hits = finished = before_checkpoint = 0
    longest = 0.0
    while hits < arguments.hits:
        out = base / "run"
        shutil.rmtree(out, ignore_errors=True)
        command = runs.words(out)
        while True:
            name = choose.choice(names)
            number = getattr(signal, "SIG" + name)
            code, seconds, errors = hit_once(arguments.program, command, choose.uniform(0.0, 1.2 * length), number)
            if seconds is not None and code != 0:
                hits += 1
                if number != signal.SIGKILL:
                    longest = max(longest, seconds)
                    # Before the run listens, a signal ends it as any program; nothing was written by then.
                    early = code == -number and not (out / "state.safetensors").exists()
                    if (code != 75 and not early) or seconds > 10:
                        sys.exit(f"signal {name}: exit code {code} after {seconds:.1f} s: {errors}")
            elif code != 0:
                sys.exit(f"exit code {code} without a signal: {errors}")
            if code == 0:
                break
            if (out / "config.toml").exists():
                before_checkpoint += not (out / "state.safetensors").exists()
                command = ["--resume", str(out)]
            else:
                shutil.rmtree(out, ignore_errors=True)
        wrong = runs.difference(out, base / "whole")
        if wrong:
            sys.exit(f"after {hits} hits: {wrong} differs in {out}")
        finished += 1
    shutil.rmtree(base)
    answer = f", longest answer {longest:.2f} s" if longest > 0 else ""
    print(f"{hits} hits ({arguments.signal}), {before_checkpoint} of them before the first checkpoint; "
          f"{finished} runs ended, all with the bytes of the uninterrupted run{answer}")


if __name__ == "__main__":
    main()
