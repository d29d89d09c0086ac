#!/usr/bin/env python3
"""Lets every output call of a training run fail, one after the other, once and for good.

usage: io_faults.py PROGRAM [--compiler CXX] [--stride N] [--kinds enospc,eio,short,kill] [--jobs N] [--folder DIR] [--overwrite]

The library tests/faults/faulty_io.cpp is preloaded. A run that was hit must report the error (exit code 1; for the report's
page, which is no part of the run, a warning), make it good (a short write), or end (kill). Every model and state that had its
name by then must still be there and whole, and the resumed run, without faults, must end with the bytes of the run that
was never hit. With --overwrite the folder holds an older run: until the new one has taken its place, all of its files are
there as they were. Exit code 1 at the first trial where that is not so.
"""
import argparse
import collections
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import runs  # noqa: E402

# Few steps: two checkpoints, their end, the pictures and the report.
RUN = {"epochs": 3, "extra": ["--checkpoint-seconds", "0"]}


class Trials:
    def __init__(self, program, compiler, base, overwrite):
        self.older = runs.older_run(program, base / "older") if overwrite else None
        self.program, self.base, self.whole = program, base, base / "whole"
        self.library = base / "faulty_io.so"
        source = pathlib.Path(__file__).parent / "faulty_io.cpp"
        subprocess.run([compiler, "-std=c++20", "-O1", "-shared", "-fPIC", str(source), "-o", str(self.library), "-ldl"],
                       check=True)
        self.begin_with(self.whole)
        clean = self.train(self.whole, {"FAULTY_IO_COUNT": str(base / "count")})
        if clean.returncode != 0:
            sys.exit(f"the run without a fault failed: {clean.stderr}")
        if overwrite:  # the bytes of a run in a folder of its own
            shutil.rmtree(self.whole)
            runs.run(program, runs.words(self.whole, **RUN))
        self.calls = int((base / "count").read_text())

    def begin_with(self, out):
        """What is in the folder before the run."""
        if self.older:
            shutil.copytree(self.older, out)

    def words(self, out):
        return runs.words(out, **RUN) + (["--overwrite"] if self.older else [])

    def train(self, out, settings):
        environment = {"LD_PRELOAD": str(self.library), "FAULTY_IO_UNDER": str(out), **settings}
        return runs.run(self.program, self.words(out), environment)

    def is_begun(self, out):
        """Whether the run that was hit can be resumed."""
        return not runs.holds_older(out, self.older) if self.older else (out / "config.toml").exists()

    def outcome(self, kind, result, out):
        """What became of the run that was hit; None where that is not allowed."""
        if kind == "kill":
            return "killed" if result.returncode == -9 else None
        if result.returncode == 0:
            if "warning: no report.html: " in result.stderr and str(out) in result.stderr:
                return "reported"
            return "made good" if kind == "short" else None
        named = "error: " in result.stderr and str(out) in result.stderr
        return "reported" if result.returncode == 1 and named else None

    def trial(self, what):
        kind, for_good, call = what
        where = f"{kind}{' for good' if for_good else ''}, call {call} of {self.calls}"
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.base))
        out, names = folder / "run", folder / "names"
        self.begin_with(out)
        settings = {"FAULTY_IO": kind, "FAULTY_IO_CALL": str(call), "FAULTY_IO_NAMED": str(names)}
        if for_good:
            settings["FAULTY_IO_FOR_GOOD"] = "1"
        result = self.train(out, settings)
        outcome = self.outcome(kind, result, out)
        if outcome is None:
            raise runs.Failed(f"{where}: exit code {result.returncode}: {result.stderr or 'nothing reported'}")
        # The files of a run that grows beside an older one change their names together.
        for name in names.read_text().split() if names.exists() and not self.older else []:
            if name.endswith("state.safetensors.first.tmp"):
                continue  # the mark of a first checkpoint, which goes when the checkpoint is whole
            there = runs.is_whole(name) if name.endswith(".safetensors") else pathlib.Path(name).exists()
            if not there:
                raise runs.Failed(f"{where}: {name} was written before and is lost or not whole")
        started = self.is_begun(out)
        again = runs.run(self.program, ["--resume", str(out)] if started else self.words(out))
        if again.returncode != 0:
            raise runs.Failed(f"{where}: what it left cannot be resumed: {again.stderr}")
        wrong = runs.difference(out, self.whole)
        if wrong:
            raise runs.Failed(f"{where}: after resuming, {wrong} differs")
        shutil.rmtree(folder)
        return outcome, started


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--kinds", default="enospc,eio,short,kill")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder")
    parser.add_argument("--overwrite", action="store_true")
    arguments = parser.parse_args()
    base = pathlib.Path(tempfile.mkdtemp(prefix="vaecuda-io-", dir=arguments.folder)).resolve()  # as descriptors show it
    trials = Trials(arguments.program, arguments.compiler, base, arguments.overwrite)
    # Every output call of the run is reached by the numbers 0 … calls − 1.
    what = [(kind, for_good, call) for kind in arguments.kinds.split(",") for for_good in (False, True)
            if not (kind == "kill" and for_good) for call in range(0, trials.calls, arguments.stride)]
    results = runs.side_by_side(trials.trial, what, arguments.jobs)
    shutil.rmtree(base)
    counts = collections.Counter(outcome for outcome, _ in results)
    fresh = sum(not started for _, started in results)
    print(f"{trials.calls} output calls in a run; {len(results)} trials: " +
          ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("reported", "killed", "made good")) +
          f"; all ended with the bytes of the run without faults ({fresh} " +
          ("had not taken the older run's place" if arguments.overwrite else "had not written config.toml") + " yet)")


if __name__ == "__main__":
    main()
