#!/usr/bin/env python3
"""Kills or signals training at random moments and resumes it, until it has been hit so many times.

usage: kill_and_resume.py PROGRAM [--hits N] [--signal KILL|INT|TERM|USR1|HUP|PIPE|XCPU|any] [--seed N] [--jobs N] [--folder DIR] [--overwrite]

Every run must load after every hit and end with the bytes of the uninterrupted run. With a signal other than KILL
the program must end with exit code 75 within 10 seconds (or with 0, if it was done already). Prints the counts and the
longest answer; exit code 1 at the first failure. With --overwrite every run begins in a folder with an older one, of which no file
may change before the new one has taken its place.
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


class Campaign:
    """One series of runs, each hit again and again until it is done."""

    def __init__(self, program, signals, base, length, older):
        self.program, self.signals, self.base, self.length, self.older = program, signals, base, length, older

    def begin(self, out):
        """The folder as it is before the run, and the words that start it."""
        shutil.rmtree(out, ignore_errors=True)
        if not self.older:
            return runs.words(out)
        shutil.copytree(self.older, out)
        return [*runs.words(out), "--overwrite"]

    def is_begun(self, out):
        return not runs.holds_older(out, self.older) if self.older else (out / "config.toml").exists()

    def __call__(self, task):
        seed, wanted = task
        choose = random.Random(seed)
        out = self.base / f"run-{seed}"
        counts = {"hits": 0, "before": 0, "runs": 0, "longest": 0.0}
        while counts["hits"] < wanted:
            command = self.begin(out)
            while not self.ends(command, out, choose, counts):
                if self.is_begun(out):
                    counts["before"] += not (out / "state.safetensors").exists()
                    command = ["--resume", str(out)]
                else:
                    counts["before"] += self.older is not None
                    command = self.begin(out)
            wrong = runs.difference(out, self.base / "whole")
            if wrong:
                raise runs.Failed(f"after {counts['hits']} hits: {wrong} differs in {out}")
            counts["runs"] += 1
        return counts

    def ends(self, command, out, choose, counts):
        """Starts the program once and hits it. True if it was done before."""
        name = choose.choice(self.signals)
        number = getattr(signal, "SIG" + name)
        state = out / "state.safetensors"
        before = state.read_bytes() if state.exists() else None
        code, seconds, errors = hit_once(self.program, command, choose.uniform(0.0, 1.2 * self.length), number)
        if code == 0:
            return True
        if seconds is None:
            raise runs.Failed(f"exit code {code} without a signal: {errors}")
        counts["hits"] += 1
        if number == signal.SIGKILL:
            if code != -number:
                raise runs.Failed(f"exit code {code} after a kill: {errors}")
            return False
        counts["longest"] = max(counts["longest"], seconds)
        # Before the run listens, a signal ends it as any program; nothing was saved by then.
        early = code == -number and (state.read_bytes() if state.exists() else None) == before
        if (code != 75 and not early) or seconds > 10:
            raise runs.Failed(f"signal {name}: exit code {code} after {seconds:.1f} s: {errors}")
        return False


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("--hits", type=int, default=300)
    parser.add_argument("--signal", default="KILL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder")
    parser.add_argument("--overwrite", action="store_true")
    arguments = parser.parse_args()
    signals = ["INT", "TERM", "USR1", "HUP", "PIPE", "XCPU"] if arguments.signal == "any" else [arguments.signal]
    base = pathlib.Path(tempfile.mkdtemp(prefix="vaecuda-kill-", dir=arguments.folder))
    began = time.monotonic()
    whole = runs.run(arguments.program, runs.words(base / "whole"))
    if whole.returncode != 0:
        sys.exit(f"the uninterrupted run failed: {whole.stderr}")
    length = time.monotonic() - began
    older = runs.older_run(arguments.program, base / "older") if arguments.overwrite else None
    campaign = Campaign(arguments.program, signals, base, length, older)
    share = -(-arguments.hits // arguments.jobs)
    results = runs.side_by_side(campaign, [(arguments.seed + i, share) for i in range(arguments.jobs)], arguments.jobs)
    shutil.rmtree(base)

    def total(key):
        return sum(result[key] for result in results)

    longest = max(result["longest"] for result in results)
    answer = f", longest answer {longest:.2f} s" if longest > 0 else ""
    print(f"{total('hits')} hits ({arguments.signal}), {total('before')} of them before the first checkpoint; "
          f"{total('runs')} runs ended, all with the bytes of the uninterrupted run{answer}")


if __name__ == "__main__":
    main()
