"""FIFOs, /dev/stdin and other things that are no regular file, in the place of every file that a program is told."""

import itertools
import os
import resource
import shutil
import stat
import threading

from lab import BAD_FILE, OK, RUNTIME, USAGE, attack, training

# {name: (program, words with {} where the file stands, the file, outputs, what reads it)}. ONCE: a pipe gives what a file
# gives; TWICE: it is refused with exit code 2.
ONCE, TWICE = "once", "twice"


def places(lab):
    train = ["--data", "x.csv", *training(4), "--out", "new"]
    model = "new/model.safetensors"
    tables = ["--data", "x.csv"]
    found = {
        "train --data": ("vae_cuda_train", ["--data", "{}", *training(4), "--out", "new"], "x.csv", [model], ONCE),
        "train --test": ("vae_cuda_train", [*train, "--test", "{}"], "x.csv", [model], ONCE),
        "train --valid": ("vae_cuda_train", [*train, "--valid", "{}"], "x.csv", [model], ONCE),
        "train --labels": ("vae_cuda_train", [*train, "--labels", "{}", "--conditional"], "labels.csv", [model], ONCE),
        "train --config": (
            "vae_cuda_train",
            ["--data", "x.csv", "--config", "{}", "--out", "new"],
            "c.toml",
            [model],
            ONCE,
        ),
        "train --init-from": ("vae_cuda_train", [*train, "--init-from", "{}"], "m.safetensors", [model], None),
        "score --reference": (
            "vae_cuda",
            ["score", "m.safetensors", *tables, "--threshold-quantile", "0.9", "--reference", "{}", "--out", "o.csv"],
            "x.csv",
            ["o.csv"],
            ONCE,
        ),
        "score --reference-labels": (
            "vae_cuda",
            [
                "score",
                "c.safetensors",
                *tables,
                "--labels",
                "labels.csv",
                "--reference",
                "x.csv",
                "--reference-labels",
                "{}",
                "--threshold-quantile",
                "0.9",
                "--out",
                "o.csv",
            ],
            "labels.csv",
            ["o.csv"],
            ONCE,
        ),
        "score --threshold-quantile --data": (
            "vae_cuda",
            ["score", "m.safetensors", "--data", "{}", "--threshold-quantile", "0.9", "--out", "o.csv"],
            "x.csv",
            ["o.csv"],
            TWICE,
        ),
        "score --threshold-quantile --labels": (
            "vae_cuda",
            ["score", "c.safetensors", *tables, "--labels", "{}", "--threshold-quantile", "0.9", "--out", "o.csv"],
            "labels.csv",
            ["o.csv"],
            TWICE,
        ),
        "evaluate --data": (
            "vae_cuda",
            ["evaluate", "m.safetensors", "--data", "{}", "--samples", "2", "--rows", "o.csv"],
            "x.csv",
            ["o.csv"],
            TWICE,
        ),
        "evaluate --labels": (
            "vae_cuda",
            ["evaluate", "m.safetensors", *tables, "--labels", "{}", "--samples", "2", "--rows", "o.csv"],
            "labels.csv",
            ["o.csv"],
            TWICE,
        ),
        "generate --latents": (
            "vae_cuda",
            ["generate", "m.safetensors", "--latents", "{}", "--out", "o.csv"],
            "z.npy",
            ["o.csv"],
            ONCE,
        ),
    }
    for name, (program, words, files) in lab.commands().items():
        if program == "vae_cuda" and "m.safetensors" in words:
            at = words.index("m.safetensors")
            found[f"{name} MODEL"] = (program, [*words[:at], "{}", *words[at + 1 :]], "m.safetensors", files, None)
        if "--data" in words and name not in ("train", "evaluate"):
            at = words.index("x.csv")
            found[f"{name} --data"] = (program, [*words[:at], "{}", *words[at + 1 :]], "x.csv", files, ONCE)
            conditional = ["c.safetensors" if word == "m.safetensors" else word for word in words]
            more = ["--label", "1"] if name in ("interpolate", "neighbors", "traverse") else []
            found[f"{name} --labels"] = (program, [*conditional, *more, "--labels", "{}"], "labels.csv", files, ONCE)
    return found


def filled(words, path):
    return [path if word == "{}" else word for word in words]


def clear(lab, files):
    shutil.rmtree(lab.folder / "new", ignore_errors=True)
    for file in files:
        (lab.folder / file).unlink(missing_ok=True)


def outcome(lab, files):
    return {file: (lab.folder / file).read_bytes() for file in files}


class Feeder:
    """Writes once to a FIFO, as `cat` would, and goes away with the attack, read or not."""

    def __init__(self, lab, content, name="in.fifo"):
        self.path = lab.folder / name
        self.path.unlink(missing_ok=True)
        os.mkfifo(self.path)
        self.content = content
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def _write(self):
        try:
            with open(self.path, "wb") as pipe:
                pipe.write(self.content)
        except BrokenPipeError:
            pass

    def end(self):
        try:  # lets a writer that waits for a reader go
            os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
        except OSError:
            pass
        self.thread.join(5)


@attack("docs/formats.md, Pipes: read once as a file is, or refused with exit code 2 before anything is computed")
def pipes_in_every_place(lab):
    for name, (program, words, file, files, kind) in lab.some(places(lab).items(), 3):

        def trial(program=program, words=words, file=file, files=files, kind=kind, way="fifo"):
            clear(lab, files)
            lab.fair(lab.run(program, filled(words, file)), {OK})
            usual = outcome(lab, files)
            clear(lab, files)
            content = (lab.folder / file).read_bytes()
            if way == "fifo":
                feeder = Feeder(lab, content)
                try:
                    result = lab.run(program, filled(words, "in.fifo"), timeout=10)
                finally:
                    feeder.end()
            else:
                result = lab.run(program, filled(words, way), feed=content, timeout=10)
            lab.fair(result, {OK: {OK}, ONCE: {OK}, TWICE: {USAGE}, None: {OK, USAGE, BAD_FILE}}[kind])
            if result.code == OK:
                lab.expect(outcome(lab, files) == usual, f"another result than from the file: {result}")
            else:
                lab.expect(not any((lab.folder / one).exists() for one in files), f"refused, and yet it wrote: {result}")

        for way in ("fifo", "/dev/stdin", "/proc/self/fd/0"):
            yield f"{name}: {way}", lambda trial=trial, way=way: trial(way=way)


@attack(
    "docs/formats.md, Pipes: what reads again refuses a pipe that nobody writes to; an empty one is a file without rows"
)
def pipes_without_content(lab):
    for name, (program, words, file, files, kind) in lab.some(places(lab).items(), 4):

        def unwritten(program=program, words=words):
            path = lab.folder / "silent.fifo"
            path.unlink(missing_ok=True)
            os.mkfifo(path)
            lab.refused(lab.run(program, filled(words, "silent.fifo"), timeout=5), USAGE)

        if kind == TWICE:
            yield f"{name}: nobody writes", unwritten

        def empty(program=program, words=words, files=files, name=name):
            clear(lab, files)
            result = lab.run(program, filled(words, "/dev/stdin"), feed=b"", timeout=10)
            lab.fair(result, {USAGE, BAD_FILE})  # without its options the configuration's rows are refused

        yield f"{name}: empty", empty
        for device in ("/dev/zero", "/dev/urandom", "/dev/null", "/dev/full", ".", "/", "/proc/self/mem", "/dev/tty"):

            def odd(program=program, words=words, device=device):
                result = lab.run(program, filled(words, device), timeout=10, limits={resource.RLIMIT_AS: 3 << 30})
                lab.fair(result, {USAGE, BAD_FILE, RUNTIME})

            yield f"{name}: {device}", odd


@attack("docs/formats.md, The run folder: a run folder's files are regular files, or are refused")
def pipes_in_a_run_folder(lab):
    names = (
        "config.toml",
        "metrics.jsonl",
        "state.safetensors",
        "last.safetensors",
        "model.safetensors",
        "events",
        "report.html",
    )
    kinds = ("fifo", "directory", "dangling link", "device")
    for name, kind, command in lab.some(itertools.product(names, kinds, ("resume", "report", "overwrite")), 5):

        def trial(name=name, kind=kind, command=command):
            folder = lab.new_run("odd")
            path = next(folder.glob("events.*")) if name == "events" else folder / name
            path.unlink(missing_ok=True)
            if kind == "fifo":
                os.mkfifo(path)
            elif kind == "directory":
                path.mkdir()
            elif kind == "device":
                path.symlink_to("/dev/zero")
            else:
                path.symlink_to("nowhere-at-all")
            words = {
                "resume": ["--resume", "odd", "--steps", "9"],
                "overwrite": ["--data", "x.csv", *training(6), "--out", "odd", "--overwrite"],
            }
            if command == "report":
                result = lab.tool("report", "odd", timeout=8)
            else:
                result = lab.train(*words[command], timeout=8)
            lab.fair(result, {OK, RUNTIME, USAGE, BAD_FILE})
            shutil.rmtree(folder)

        yield f"{command}, {name} is a {kind}", trial


@attack("docs/tools.md, Outputs: a target that is no regular file is refused")
def outputs_that_are_no_files(lab):
    for name, (program, words, files) in lab.commands().items():
        if not files or name in ("train", "report"):
            continue
        flags = [at for at, word in enumerate(words) if word in files]
        for at in flags:
            for kind in ("fifo", "directory", "link to a fifo", "socket"):

                def trial(program=program, words=words, at=at, kind=kind):
                    path = lab.folder / ("odd." + words[at].split(".")[1])
                    if path.is_symlink() or path.exists():
                        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
                    if kind == "directory":
                        path.mkdir()
                    elif kind == "socket":
                        os.mknod(path, 0o600 | stat.S_IFSOCK)
                    elif kind == "fifo":
                        os.mkfifo(path)
                    else:
                        target = lab.folder / "target.fifo"
                        if not target.exists():
                            os.mkfifo(target)
                        path.symlink_to(target)
                    result = lab.run(program, [*words[:at], path.name, *words[at + 1 :]], timeout=8)
                    lab.fair(result, {RUNTIME, USAGE})
                    lab.no_temporary_files(result)

                yield f"{name} {words[at - 1]}: {kind}", trial
