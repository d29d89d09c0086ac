#!/usr/bin/env python3
"""Lets every output call of a training run fail, one after the other, once and for good.

usage: io_faults.py PROGRAM [--compiler CXX] [--stride N] [--kinds enospc,eio,short,kill] [--folder DIR]

The library tests/faults/faulty_io.cpp is preloaded. A run that was hit must report the error (exit code 1; a short write that is
made good is none) or end (kill); every file that is there must be whole: the resumed run, without faults, must end
with the bytes of the run that was never hit.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import runs  # noqa: E402


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--kinds", default="enospc,eio,short,kill")
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    base = pathlib.Path(tempfile.mkdtemp(prefix="vaecuda-io-", dir=arguments.folder))
    library = base / "faulty_io.so"
    source = pathlib.Path(__file__).parent / "faulty_io.cpp"
    subprocess.run([arguments.compiler, "-std=c++20", "-O1", "-shared", "-fPIC", str(source), "-o", str(library), "-ldl"],
                   check=True)

    out, whole = base / "run", base / "whole"
    count = base / "count"

    def train(target, settings):
        # Few steps: two checkpoints, their end and the pictures.
        extra = ["--checkpoint-seconds", "0"]
        environment = {"LD_PRELOAD": str(library), "FAULTY_IO_UNDER": str(target), "FAULTY_IO_COUNT": str(count), **settings}
        return runs.run(arguments.program, runs.words(target, epochs=3, extra=extra), environment)

    clean = train(whole, {})
    if clean.returncode != 0:
        sys.exit(f"the run without a fault failed: {clean.stderr}")
    calls = int(count.read_text())
    # Every call of the run is reached by the numbers 0 … calls − 1.
    trials = reported = unaffected = killed = fresh = 0
    for kind in arguments.kinds.split(","):
        for for_good in ([""] if kind == "kill" else ["", "1"]):
            for call in range(0, calls, arguments.stride):
                shutil.rmtree(out, ignore_errors=True)
                settings = {"FAULTY_IO": kind, "FAULTY_IO_CALL": str(call)}
                if for_good:
                    settings["FAULTY_IO_FOR_GOOD"] = "1"
                result = train(out, settings)
                trials += 1
                where = f"{kind}{' for good' if for_good else ''}, call {call} of {calls}"
                if kind == "kill":
                    if result.returncode != -9:
                        sys.exit(f"{where}: exit code {result.returncode}, expected the kill")
                    killed += 1
                elif result.returncode == 0:
                    # A short write is made good by the next; a temporary file that stays is no loss.
                    unaffected += 1
                elif result.returncode == 1 and "error: " in result.stderr and str(out) in result.stderr:
                    reported += 1
                else:
                    sys.exit(f"{where}: exit code {result.returncode}: {result.stderr}")
                if result.returncode == 0 and kind != "short":
                    sys.exit(f"{where}: the fault was not reported: {result.stderr}")
                if (out / "config.toml").exists():
                    again = runs.run(arguments.program, ["--resume", str(out)])
                else:
                    fresh += 1
                    again = runs.run(arguments.program, runs.words(out, epochs=3, extra=["--checkpoint-seconds", "0"]))
                if again.returncode != 0:
                    sys.exit(f"{where}: what it left cannot be resumed: {again.stderr}")
                wrong = runs.difference(out, whole)
                if wrong:
                    sys.exit(f"{where}: after resuming, {wrong} differs")
    shutil.rmtree(base)
    print(f"{calls} output calls in a run; {trials} trials: {reported} reported, {killed} killed, {unaffected} made good; "
          f"all ended with the bytes of the run without faults ({fresh} had not written config.toml yet)")


if __name__ == "__main__":
    main()
