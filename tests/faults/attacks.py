#!/usr/bin/env python3
"""Attacks on the programs that start from what the documents promise, not from the code.

usage: attacks.py BIN [--list] [--quick] [--sanitizers] [--compiler CXX] [NAME...]

BIN is the folder of the programs. An attack is a promise with its place and many trials to break it; a trial breaks it by an
exit code that is not documented, a signal, no end, text that a terminal acts on, NaN as a result, lost or half work, or by
what the attack says of itself. --quick takes a part of each. Exit code 1 if a promise was broken.
--sanitizers: the programs were built with sanitizers. Any report of theirs breaks a trial, programs may take ten times as
long, and what limits memory, stack, threads or files is left out, since their runtimes need them for themselves.
"""

import argparse
import pathlib
import resource
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "attacks"))
import lab  # noqa: E402
import against_figures  # noqa: E402,F401
import against_files  # noqa: E402,F401
import against_limits  # noqa: E402,F401
import against_numbers  # noqa: E402,F401
import against_pipes  # noqa: E402,F401
import against_races  # noqa: E402,F401
import against_signals  # noqa: E402,F401
import against_terminals  # noqa: E402,F401


# The last because clang's OpenMP runtime keeps a file of its own.
TAKES_FROM_SANITIZERS = {"memory_limits", "stack_and_descriptor_limits", "no_threads", "file_size_limit"}


def run_attack(place, name, show):
    """(trials, broken ones) of an attack."""
    promise, function = lab.ATTACKS[name]
    place.enter(name)
    trials, broken = 0, []
    for what, trial in function(place):
        trials += 1
        try:
            trial()
        except (lab.Broken, OSError, ValueError, KeyError) as failure:
            broken.append(what)
            if len(broken) <= show:
                print(
                    (
                        f"BROKEN {name}: {what}\n  {failure!r}"
                        if not isinstance(failure, lab.Broken)
                        else f"BROKEN {name}: {what}\n  {failure}"
                    ),
                    flush=True,
                )
    if len(broken) > show:
        print(f"BROKEN {name}: and {len(broken) - show} more: {', '.join(broken[show:])[:2000]}", flush=True)
    return trials, broken


def processor_time():
    """Seconds of this process and of all that it has started."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("programs", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sanitizers", action="store_true")
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--show", type=int, default=3, help="broken trials of an attack that are told in full")
    parser.add_argument("names", nargs="*")
    given = parser.parse_intermixed_args()
    names = given.names or list(lab.ATTACKS)
    unknown = [name for name in names if name not in lab.ATTACKS]
    if unknown:
        sys.exit(f"no such attack: {', '.join(unknown)}")
    if given.sanitizers:
        left_out = [name for name in names if name in TAKES_FROM_SANITIZERS]
        names = [name for name in names if name not in TAKES_FROM_SANITIZERS]
        print(f"left out: {', '.join(left_out) or 'nothing'}")
    if given.list:
        for name in names:
            print(f"{name:<34} {lab.ATTACKS[name][0]}")
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vaecuda-attacks-"))
    all_trials, all_broken, failed = 0, 0, []
    try:
        place = lab.Lab(given.programs, folder, given.compiler, given.quick, 10 if given.sanitizers else 1)
        for name in names:
            began, used = time.monotonic(), processor_time()
            trials, broken = run_attack(place, name, given.show)
            all_trials, all_broken = all_trials + trials, all_broken + len(broken)
            failed += [name] if broken else []
            print(
                f"{'FAILED' if broken else 'held':<7}{name:<34}{trials:>6} trials{len(broken):>5} broken"
                f"{time.monotonic() - began:>8.1f} s, {processor_time() - used:.1f} of the processor",
                flush=True,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{len(names)} attacks, {all_trials} trials, {all_broken} broken"
        f"{' (' + ', '.join(failed) + ')' if failed else ''}; {processor_time():.0f} s of processor time"
    )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
