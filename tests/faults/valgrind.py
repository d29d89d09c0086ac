#!/usr/bin/env python3
"""Runs the tests under valgrind's memcheck, each case in a process of its own, and the programs that a case starts.

Usage: valgrind.py TESTS_FOLDER [--rooms math,ops,...] [--only TEXT] [--jobs N] [--logs FOLDER]

TESTS_FOLDER has the executables of a build, test_math and so on (BUILD/tests). A memory error or a block that is
definitely or indirectly lost is a finding; so is a case that fails, but for those in LEFT_OUT. All rooms take two and a
half hours of one processor. Exit code 1 with findings, which the logs (by default in valgrind-logs) describe.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

import runs

# Not test_cuda and test_executor: kernels run on fibers, behind page faults that the executor raises on purpose. Not
# test_faults: it replaces the operators new and delete, as valgrind does.
ROOMS = ("math", "ops", "data", "report", "fuzz", "model", "train", "cli")
LEFT_OUT = {
    "reading holds the data set once, plus a small buffer": "bounds the process's memory, and valgrind's is in it",
    "bench machine measures the ceilings": "its measurements have a limit of time, which valgrind exceeds",
}
# The shells and interpreters that tests start are not ours.
OPTIONS = ("--leak-check=full", "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect",
           "--num-callers=25", "--trace-children=yes", "--trace-children-skip=/bin/*,/usr/*")
CASE_LIMIT = 7200


def cases(program):
    listed = subprocess.run([program, "--list-test-names-only"], capture_output=True, text=True)
    names = [name for name in listed.stdout.splitlines() if name.strip()]
    if not names:
        sys.exit(f"{program} lists no case")
    return names


def examine(program, name, logs):
    """One case; how many processes it took, and what was found."""
    stem = re.sub(r"\W+", "-", f"{program.name} {name}")[:120]
    for old in logs.glob(f"{stem}.*"):
        old.unlink()
    # As Catch2 wants it; a name that began with a dash would be an option.
    wanted = re.sub(r'([\\,\[\]*"~])', r"\\\1", name)
    if wanted.startswith("-"):
        wanted = "*" + wanted
    # Executed kernels (the SIMT executor) are left out here as well.
    done = subprocess.run(["valgrind", *OPTIONS, f"--log-file={logs}/{stem}.%p.log", program, wanted],
                          capture_output=True, text=True, timeout=CASE_LIMIT,
                          env=dict(os.environ, VAECUDA_EXECUTORS="cpu"))
    found = []
    reports = sorted(logs.glob(f"{stem}.*.log"))
    for report in reports:
        counts = re.findall(r"ERROR SUMMARY: (\d+) errors", report.read_text(errors="replace"))
        if any(int(count) for count in counts):
            found.append(f"{counts[-1]} errors, see {report}")
    if "No tests ran" in done.stdout or not reports:
        found.append("did not run")
    elif done.returncode != 0 and name not in LEFT_OUT:
        found.append(f"failed with exit code {done.returncode}:\n{done.stdout}")
    return len(reports), found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", type=pathlib.Path)
    parser.add_argument("--rooms", default=",".join(ROOMS))
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--logs", type=pathlib.Path, default=pathlib.Path("valgrind-logs"))
    options = parser.parse_args()
    options.logs.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    todo = [(program, name) for program in (options.tests.resolve() / f"test_{room}" for room in options.rooms.split(","))
            for name in cases(program) if options.only in name]
    if not todo:
        sys.exit(f"no case has '{options.only}' in its name")

    def trial(one):
        processes, found = examine(*one, options.logs)
        for what in found:
            print(f"{one[0].name}, {one[1]}: {what}", flush=True)
        return processes, len(found)

    results = runs.side_by_side(trial, todo, options.jobs)
    findings = sum(found for _, found in results)
    print(f"{len(todo)} cases, {sum(count for count, _ in results)} processes, {findings} findings, "
          f"{time.monotonic() - begun:.0f} s")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
