"""Descriptors, limits and environments of a process."""

import itertools
import json
import os
import resource
import shutil
import subprocess

from lab import OK, OUT_OF_MEMORY, RUNTIME, STOPPED, USAGE, attack, training

KIB, MIB = 1024, 1 << 20


def contents(lab, files):
    return {name: (lab.folder / name).read_bytes() for name in files}


@attack("docs/tools.md, Outputs: a file is whole, whatever else the process has open; docs/formats.md, The run folder")
def descriptors_closed(lab):
    usual = {}
    for name, (_, _, files) in lab.commands().items():
        lab.fair(lab.run_command(name))
        usual[name] = contents(lab, files)
        sets = [set(one) for count in (1, 2, 3) for one in itertools.combinations((0, 1, 2), count)]
        for closed in sets if name == "train" else lab.some(sets, 3):

            def trial(name=name, closed=closed, files=files):
                # Python's own pipes stand on other numbers in the parent; these are the child's.
                result = lab.run_command(name, closed=closed)
                result.closed = closed
                codes = {OK, RUNTIME} if 1 in closed and name in ("info", "evaluate") else {OK}
                lab.fair(result, codes)
                if result.code == OK:
                    for file, content in contents(lab, files).items():
                        if name != "report":
                            lab.expect(
                                content == usual[name][file], f"{file} is another without descriptors {closed}: {result}"
                            )
                if name == "train":
                    for line in (lab.folder / "new/metrics.jsonl").read_text().splitlines():
                        json.loads(line)

            yield f"{name} without {sorted(closed)}", trial


@attack("docs/tools.md, exit codes: 1 runtime (unwritable output)")
def output_that_is_full(lab):
    for name in ("info", "evaluate", "score"):

        def trial(name=name):
            program, words, _ = lab.commands()[name]
            words = words[:4] if name == "score" else words
            with open("/dev/full", "wb") as full:
                result = lab.run(program, words, stdout=full)
            lab.fair(result, {RUNTIME})

        yield name, trial
    for words in (["--help"], ["--version"], ["score", "--help"]):

        def told(words=words):
            with open("/dev/full", "wb") as full:
                lab.fair(lab.run("vae_cuda", words, stdout=full), {RUNTIME})

        yield " ".join(words), told


@attack("docs/reliability.md, Files; docs/tools.md: what cannot be finished leaves nothing behind, an old file stays")
def file_size_limit(lab):
    for name, (_, _, files) in lab.commands().items():
        if not files:
            continue
        for limit in lab.some((0, 100, 512, 4 * KIB), 2):

            def trial(name=name, files=files, limit=limit):
                for file in files:
                    if name not in ("report", "train"):
                        (lab.folder / file).write_bytes(b"old")
                result = lab.run_command(name, limits={resource.RLIMIT_FSIZE: limit})
                lab.fair(result, {OK, RUNTIME})
                lab.no_temporary_files(result)
                if result.code == RUNTIME and name not in ("report", "train"):
                    lab.expect(
                        any((lab.folder / file).read_bytes() == b"old" for file in files),
                        f"the old files are lost: {result}",
                    )

            yield f"{name} within {limit} bytes", trial

    def overwriting():
        lab.new_run("kept")
        result = lab.train(
            "--data", "x.csv", *training(6), "--out", "kept", "--overwrite", limits={resource.RLIMIT_FSIZE: 256}
        )
        lab.fair(result, {OK, RUNTIME})
        for file in ("model", "last", "state"):
            lab.whole(lab.folder / f"kept/{file}.safetensors", result)

    yield "--overwrite within 256 bytes", overwriting


@attack("docs/tools.md, exit codes: 1 runtime (full disk); Outputs: what cannot be finished leaves nothing behind")
def failing_writes(lab):
    library = lab.base / "faulty_io.so"
    build_library(lab, library, "../faulty_io.cpp")

    def run(name, settings):
        program, words, files = lab.commands()[name]
        if name == "report":
            lab.new_run("run")
            words = ["report", lab.folder / "run"]
        words = [str(lab.folder / word) if word in files else word for word in words]
        environment = {"LD_PRELOAD": str(library), "FAULTY_IO_UNDER": str(lab.folder), **settings}
        return lab.run(program, words, environment=environment)

    for name, (_, _, files) in lab.commands().items():
        if not files or name == "train":
            continue
        lab.fair(run(name, {"FAULTY_IO_COUNT": str(lab.base / "count")}), {OK})
        calls, usual = range(int((lab.base / "count").read_text())), contents(lab, files)
        for call, kind, ever in lab.some(itertools.product(calls, ("enospc", "eio", "short"), (False, True)), 31):

            def trial(name=name, files=files, call=call, kind=kind, ever=ever, usual=usual):
                for file in files:
                    if name != "report":
                        (lab.folder / file).write_bytes(b"old")
                settings = {"FAULTY_IO": kind, "FAULTY_IO_CALL": str(call), **({"FAULTY_IO_FOR_GOOD": "1"} if ever else {})}
                result = lab.fair(run(name, settings), {OK, RUNTIME})
                if not ever:  # where every call fails, so does the one that would remove it
                    lab.no_temporary_files(result)
                else:
                    for one in lab.folder.rglob("*.tmp"):
                        one.unlink()
                if name == "report":
                    return
                # A folder that cannot be brought to disk is an error after the file has its name.
                for file, content in contents(lab, files).items():
                    if result.code == OK:
                        lab.expect(content == usual[file], f"exit 0, and {file} is not what was to be written: {result}")
                    lab.expect(content in (b"old", usual[file]), f"{file} is neither the old nor the new one: {result}")

            yield f"{name}, call {call}: {kind}{' for good' if ever else ''}", trial


@attack("docs/reliability.md, Faults of the machine: too little memory ends with exit 4; README: no hang")
def memory_limits(lab):
    kinds = (("AS", resource.RLIMIT_AS), ("DATA", resource.RLIMIT_DATA))
    names = ["version", "help", *lab.commands()]
    for (kind, limit), size, name in itertools.product(kinds, (48, 64, 96, 160, 240, 400), names):

        def trial(limit=limit, size=size, name=name):
            how = {"limits": {limit: size * MIB}, "timeout": 10}
            if name in ("version", "help"):
                result = lab.run("vae_cuda_train", [f"--{name}"], **how)
            else:
                result = lab.run_command(name, **how)
            if result.code == 127 and b"shared libraries" in result.err:
                return  # the loader's own word: the program has not begun
            lab.fair(result, {OK, RUNTIME, OUT_OF_MEMORY})
            lab.no_temporary_files(result)

        if not lab.quick or (size, name) in ((48, "version"), (96, "train"), (160, "score"), (240, "evaluate")):
            yield f"{name}, {kind} {size} MiB", trial


@attack("docs/reliability.md, Faults of the machine: a clear error, no signal")
def stack_and_descriptor_limits(lab):
    trials = [("STACK", resource.RLIMIT_STACK, value) for value in (128 * KIB, 256 * KIB, 512 * KIB, 2 * MIB)]
    trials += [("NOFILE", resource.RLIMIT_NOFILE, value) for value in (4, 5, 6, 7, 8, 10, 16)]
    for (kind, limit, value), name in lab.some(itertools.product(trials, lab.commands()), 12):

        def trial(limit=limit, value=value, name=name):
            result = lab.run_command(name, limits={limit: value})
            if result.code == 127 and b"shared libraries" in result.err:
                return
            lab.fair(result, {OK, RUNTIME, OUT_OF_MEMORY, 3})
            lab.no_temporary_files(result)

        yield f"{name}, {kind} {value}", trial


@attack("docs/library.md and SECURITY.md: no thread to be had is an error of the program's own, or fewer threads")
def no_threads(lab):
    library = lab.base / "stop_at.so"
    build_library(lab, library)
    # Wide enough that several threads take part.
    wide = ["--data", "shapes:16x16,n=600", "--device", "cpu", "--threads", "4"]
    lab.fair(lab.train(*wide, "--hidden", "200", "--latent-dim", "2", "--steps", "3", "--no-report", "--out", "wide"))
    for name, left in itertools.product(("train", "encode", "score", "evaluate"), (0, 1, 2)):

        def trial(name=name, left=left):
            shutil.rmtree(lab.folder / "new", ignore_errors=True)
            words = {
                "train": ["--hidden", "200", "--latent-dim", "2", "--steps", "3", "--no-report", "--out", "new"],
                "encode": ["encode", "wide/model.safetensors", "--out", "o.npy"],
                "score": ["score", "wide/model.safetensors", "--out", "o.npy"],
                "evaluate": ["evaluate", "wide/model.safetensors", "--samples", "2"],
            }[name]
            result = lab.run(
                "vae_cuda_train" if name == "train" else "vae_cuda",
                [*words, *wide],
                environment={"LD_PRELOAD": str(library), "THREADS_LEFT": str(left)},
            )
            lab.fair(result, {OK, RUNTIME, OUT_OF_MEMORY})
            for other in (b"terminate called", b"libgomp:", b"OpenBLAS"):
                lab.expect(other not in result.err, f"another library's last words: {result}")

        yield f"{name} with {left} more threads", trial

    def as_nobody():
        if os.geteuid() != 0:
            return
        lab.folder.chmod(0o777)
        open_to_all = lab.folder
        while (
            open_to_all != open_to_all.parent
            and open_to_all.owner() == "root"
            and str(open_to_all).startswith(str(lab.base))
        ):
            open_to_all.chmod(0o777)
            open_to_all = open_to_all.parent

        def lower():
            os.setgid(65534)
            os.setuid(65534)

        how = {"limits": {resource.RLIMIT_NPROC: 1}, "before": lower}
        try:
            result = lab.run(
                "vae_cuda",
                ["encode", "m.safetensors", "--data", "x.csv", "--out", "nobody.npy", "--device", "cpu", "--threads", "4"],
                **how,
            )
        except (subprocess.SubprocessError, PermissionError):
            return  # the programs lie where nobody may not go
        lab.fair(result, {OK, RUNTIME, OUT_OF_MEMORY})

    yield "RLIMIT_NPROC 1", as_nobody


def build_library(lab, path, name="stop_at.cpp"):
    if not path.exists():
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
        subprocess.run(
            [lab.compiler, "-std=c++20", "-O1", "-shared", "-fPIC", source, "-o", str(path), "-ldl", "-pthread"], check=True
        )


@attack("docs/reliability.md, Signals: a run that is stopped by a limit on its time saves (exit 75)")
def processor_time_limit(lab):
    def trial():
        result = lab.train(
            "--data",
            "x.csv",
            *training(10**9),
            "--out",
            "long",
            timeout=60,
            before=lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 10)),
        )
        lab.fair(result, {STOPPED})
        lab.whole(lab.folder / "long/state.safetensors", result)
        lab.whole(lab.folder / "long/model.safetensors", result)

    yield "SIGXCPU after a second", trial


HOSTILE_ENVIRONMENTS = [
    {},
    {"HOME": ""},
    {"HOME": "/nonexistent", "TMPDIR": "/nonexistent"},
    {"LANG": "xx_YY.nothing", "LC_ALL": "xx"},
    {"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8"},
    {"LC_NUMERIC": "de_DE"},
    {"TERM": ""},
    {"TERM": "dumb", "COLUMNS": "0"},
    {"COLUMNS": "-1", "LINES": "99999999999"},
    {"TZ": "\x1b[31m/../../etc/passwd"},
    {"PATH": ""},
    {"BIG": "x" * 100000},
    *(
        {"OMP_NUM_THREADS": value}
        for value in ("", "0", "-1", "abc", "1e9", "2,3", "99999999999999999999999", " 4 ", "0x10", "1.5")
    ),
    *({"OPENBLAS_NUM_THREADS": value} for value in ("0", "-5", "1000000", "abc")),
    {"OMP_THREAD_LIMIT": "0"},
    {"OPENBLAS_CORETYPE": "nonsense"},
    {"OMP_PLACES": "{", "OMP_PROC_BIND": "maybe"},
    {"CUDA_VISIBLE_DEVICES": "-1"},
    {"CUDA_VISIBLE_DEVICES": "\x1b[2J"},
    {"VAECUDA_MODULE": "/nonexistent"},
    {"LD_BIND_NOW": "1"},
    {"MALLOC_PERTURB_": "170"},
    {"GOMP_CPU_AFFINITY": "900"},
    {"VAECUDA_CPU": "none", "VAECUDA_TABLE": "x"},
]


@attack("docs/numerics.md, Determinism: the same bytes; nothing is read from the environment but the number of threads")
def environments(lab):
    usual = {}
    for name in ("encode", "generate", "train"):
        files = lab.commands()[name][2]
        lab.fair(lab.run_command(name))
        usual[name] = contents(lab, files)
        for added, alone in lab.some(itertools.product(HOSTILE_ENVIRONMENTS, (False, True)), 8):

            def trial(name=name, added=added, alone=alone, files=files):
                result = lab.run_command(name, **({"only": added} if alone else {"environment": added}))
                lab.fair(result, {OK})
                lab.expect(contents(lab, files) == usual[name], f"other bytes under {str(added)[:80]}: {result}")

            yield f"{name}, {'only' if alone else 'with'} {ascii(added)[:60]}", trial


@attack("docs/tools.md: paths are the caller's; a folder that is gone or closed is an error")
def folders_that_are_gone(lab):
    def gone():
        folder = lab.folder / "gone"
        folder.mkdir()
        result = lab.run(
            "vae_cuda",
            ["encode", lab.folder / "m.safetensors", "--data", lab.folder / "x.csv", "--out", "z.npy"],
            cwd=folder,
            before=lambda: os.rmdir(folder),
        )
        lab.fair(result, {RUNTIME, USAGE})

    def gone_but_absolute():
        folder = lab.folder / "gone2"
        folder.mkdir()
        result = lab.run(
            "vae_cuda_train",
            ["--data", lab.folder / "x.csv", *training(6), "--out", lab.folder / "from-gone"],
            cwd=folder,
            before=lambda: os.rmdir(folder),
        )
        lab.fair(result, {OK})

    yield "the working folder, relative outputs", gone
    yield "the working folder, absolute paths", gone_but_absolute
    for target in (
        "missing/o.npy",
        "x.csv/o.npy",
        ".",
        "",
        "/",
        "o" * 300 + ".npy",
        "/proc/1/o.npy",
        "/dev/null",
        "/dev/full",
        "m.safetensors/",
    ):
        for name in ("encode", "generate", "score", "export", "reconstruct"):

            def trial(target=target, name=name):
                program, words, _ = lab.commands()[name]
                words = words[: words.index("--out") + 1] + [target]
                result = lab.run(program, words)
                lab.fair(result, {RUNTIME, USAGE})
                lab.no_temporary_files(result)

            yield f"{name} --out {target[:30]!r}", trial
