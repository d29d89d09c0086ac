"""What the attacks stand on: the programs, models and rows that are made once, and what must hold of every run.

The promises are those of README.md, SECURITY.md, docs/reliability.md, docs/tools.md and docs/formats.md. Nothing here looks
at how the programs are made.
"""

import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time

OK, RUNTIME, USAGE, BAD_FILE, OUT_OF_MEMORY, NO_DEVICE, DIVERGED, STOPPED = 0, 1, 2, 3, 4, 5, 6, 75
TOOL_CODES = {OK, RUNTIME, USAGE, BAD_FILE, OUT_OF_MEMORY, NO_DEVICE}
TRAIN_CODES = TOOL_CODES | {DIVERGED, STOPPED}

# What a terminal would act on: C0 without the line feed, DEL, C1, and what reorders or hides text.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
NOT_A_NUMBER = re.compile(r"(?<![A-Za-z_\"'])-?nan(?![A-Za-z_(])", re.IGNORECASE)

COMPUTING = {"encode", "reconstruct", "generate", "interpolate", "neighbors", "manifold", "traverse", "score", "evaluate"}
SMALL = ["--hidden", "6", "--latent-dim", "2", "--device", "cpu", "--threads", "1"]
NAMES = ["temp", "flow", "load", "speed"]


# What a program that was built with a sanitizer says when it finds something.
SANITIZER = re.compile(rb"(ERROR|WARNING): (Address|Thread|Leak|Memory)Sanitizer|: runtime error: ")


class Broken(Exception):
    """A promise that does not hold; its text says what happened."""


class Result:
    def __init__(self, command, code, out, err, seconds):
        self.command, self.code, self.out, self.err, self.seconds = command, code, out, err, seconds

    @property
    def text(self):
        return (self.err + self.out).decode("utf-8", "surrogateescape")

    def __str__(self):
        words = " ".join(repr(str(word)) if " " in str(word) else str(word) for word in self.command)
        return f"$ {words[:600]}\n  exit {self.code} after {self.seconds:.1f} s\n  {ascii(self.text[:500])}"


class Lab:
    """A folder with rows and models, and the programs. Every attack works in a folder of its own inside."""

    def __init__(self, programs, folder, compiler, quick, patience=1):
        """patience: how many times as long as others these programs may take."""
        self.programs, self.base, self.compiler, self.quick, self.patience = programs, folder, compiler, quick, patience
        self.folder = folder
        self.trials = 0
        self.draw = random.Random(7)
        self._prepare()

    # --- rows and models, made once ---

    def _prepare(self):
        rows = [[round(self.draw.gauss(10 * (j + 1), j + 1), 4) for j in range(4)] for _ in range(60)]
        labels = [i % 2 for i in range(60)]
        lines = [",".join(NAMES)] + [",".join(map(str, row)) for row in rows]
        (self.base / "x.csv").write_text("\n".join(lines) + "\n")
        told = [lines[0] + ",label"] + [f"{line},{one}" for line, one in zip(lines[1:], labels)]
        (self.base / "xl.csv").write_text("\n".join(told) + "\n")
        (self.base / "labels.csv").write_text("".join(f"{one}\n" for one in labels))
        (self.base / "z.npy").write_bytes(npy("<f4", (5, 2), struct.pack("<10f", *[0.1 * i for i in range(10)])))
        for name, data, extra in (("plain", "x.csv", []), ("cond", "xl.csv", ["--conditional"])):
            made = self.train("--data", self.base / data, *training(6), *extra, "--out", self.base / name)
            if made.code != OK:
                sys.exit(f"the models of the attacks cannot be trained: {made}")
        self.model, self.conditional = self.base / "plain/model.safetensors", self.base / "cond/model.safetensors"
        (self.base / "c.toml").write_text(
            '[model]\nhidden = [3]\nlatent_dim = 5\nlikelihood = "gaussian"\n[data]\n'
            'standardize = true\n[train]\nsteps = 3\nseed = 99\ndevice = "cpu"\nthreads = 1\n'
        )
        self.trials = 0

    def enter(self, name):
        self.folder = self.base / "at" / name
        self.folder.mkdir(parents=True)
        for file in ("x.csv", "xl.csv", "labels.csv", "z.npy", "c.toml"):
            shutil.copy(self.base / file, self.folder / file)
        shutil.copy(self.model, self.folder / "m.safetensors")
        shutil.copy(self.conditional, self.folder / "c.safetensors")

    def some(self, items, share=6):
        """All of a list, or in the quick form every share-th, begun at another place for each attack."""
        items = list(items)
        share = share * 3 // 2
        return items[len(self.folder.name) % share :: share] or items[:1] if self.quick else items

    def new_run(self, name, source="plain"):
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return shutil.copytree(self.base / source, self.folder / name)

    def commands(self):
        """Every command as people call it: {name: (program, words, files that it writes)}."""
        data = ["--data", "x.csv"]
        tool = {
            "info": (["m.safetensors"], []),
            "encode": (["m.safetensors", *data, "--out", "o.npy", "--logvar", "p.npy"], ["o.npy", "p.npy"]),
            "reconstruct": (["m.safetensors", *data, "--out", "o.csv"], ["o.csv"]),
            "generate": (["m.safetensors", "-n", "5", "--out", "o.csv"], ["o.csv"]),
            "interpolate": (["m.safetensors", *data, "--from", "0", "--to", "3", "--out", "o.npy"], ["o.npy"]),
            "neighbors": (["m.safetensors", *data, "--row", "3", "-n", "4", "--out", "o.npy"], ["o.npy"]),
            "manifold": (["m.safetensors", "--grid", "3", "--out", "o.png"], ["o.png"]),
            "traverse": (["m.safetensors", "--out", "o.csv"], ["o.csv"]),
            "score": (
                ["m.safetensors", *data, "--threshold", "9", "--out", "o.csv", "--flags", "f.npy"],
                ["o.csv", "f.npy"],
            ),
            "evaluate": (["m.safetensors", *data, "--samples", "3", "--rows", "o.csv"], ["o.csv"]),
            "export": (["m.safetensors", "--format", "npz", "--out", "o.npz"], ["o.npz"]),
        }
        found = {name: ("vae_cuda", [name, *words], files) for name, (words, files) in tool.items()}
        found["report"] = ("vae_cuda", ["report", "run"], ["run/report.html"])
        found["train"] = (
            "vae_cuda_train",
            [*data, *training(6), "--out", "new"],
            ["new/model.safetensors", "new/last.safetensors", "new/state.safetensors"],
        )
        return found

    def run_command(self, name, **how):
        program, words, _ = self.commands()[name]
        if name == "report":
            self.new_run("run")
        if name == "train":
            shutil.rmtree(self.folder / "new", ignore_errors=True)
        return self.run(program, words, **how)

    # --- runs ---

    def tool(self, *words, **how):
        return self.run("vae_cuda", words, **how)

    def train(self, *words, **how):
        return self.run("vae_cuda_train", words, **how)

    def start(self, program, words, limits=None, closed=(), environment=None, only=None, ignored=(), before=None, **pipes):
        """The process; limits: {RLIMIT_X: value}; closed: descriptors; only: the whole environment."""
        self.trials += 1

        def prepare():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            # Python ignores the first two, a shell those of what it starts in the background, nohup SIGHUP.
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                if number not in ignored:
                    signal.signal(number, signal.SIG_DFL)
            if before:
                before()
            for kind, value in (limits or {}).items():
                # A sanitizer's shadow of the address space is larger than any such limit.
                if self.patience == 1 or kind not in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
                    resource.setrlimit(kind, (value, value))
            for descriptor in closed:
                os.close(descriptor)

        command = [str(self.programs / program), *map(str, words)]
        given = {**os.environ, **(environment or {})} if only is None else only
        pipes = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "cwd": self.folder,
            **pipes,
        }
        return subprocess.Popen(command, env=given, preexec_fn=prepare, **pipes), command

    def run(self, program, words, timeout=20, feed=None, **how):
        if program == "vae_cuda" and words[0] in COMPUTING and "--device" not in words:
            words = [*words, "--device", "cpu", "--threads", "1"]
        began = time.monotonic()
        if feed is not None:
            how["stdin"] = subprocess.PIPE
        process, command = self.start(program, words, **how)
        return self.finish(process, command, timeout, feed, began)

    def finish(self, process, command, timeout=15, feed=None, began=None):
        """The end of a process that start() gave; `began`: since when it is timed, by default this call."""
        began = time.monotonic() if began is None else began
        try:
            out, err = process.communicate(feed, timeout=timeout * self.patience)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            ended = Result(command, None, out or b"", err or b"", timeout)
            raise Broken(f"no end within {timeout} s: {ended}")
        result = Result(command, process.returncode, out or b"", err or b"", time.monotonic() - began)
        if SANITIZER.search(result.err):
            raise Broken(f"a sanitizer's report: {result}\n{result.err[-3000:].decode(errors='replace')}")
        return result

    # --- what must hold ---

    def fair(self, result, codes=None, numbers=True):
        """Of every run: a documented exit code, an error that says so, nothing a terminal acts on, no NaN as a result."""
        program = pathlib.Path(result.command[0]).name
        allowed = codes or (TRAIN_CODES if program == "vae_cuda_train" else TOOL_CODES)
        if result.code not in allowed:
            raise Broken(f"exit code not among {sorted(allowed)}: {result}")
        try:
            text = result.err.decode() + result.out.decode()
        except UnicodeDecodeError:
            raise Broken(f"bytes that are no UTF-8 reach the terminal: {result}")
        found = CONTROL.search(text)
        if found:
            raise Broken(f"U+{ord(found.group()):04X} reaches the terminal: {result}")
        if result.code not in (OK, STOPPED) and 2 not in getattr(result, "closed", ()) and b"error: " not in result.err:
            raise Broken(f"an exit code without an error: {result}")
        if numbers and result.code == OK and NOT_A_NUMBER.search(result.out.decode()):
            raise Broken(f"NaN is a result: {result}")
        return result

    def refused(self, result, *codes):
        return self.fair(result, set(codes or (USAGE, BAD_FILE)))

    def expect(self, holds, text):
        if not holds:
            raise Broken(str(text))

    def no_temporary_files(self, result, folder=None):
        """But for the mark of a first checkpoint that failed behind its models (docs/reliability.md, Resuming)."""
        left = []
        for path in (folder or self.folder).rglob("*"):
            files = {file.name for file in path.parent.iterdir()}
            is_mark = path.name == "state.safetensors.first.tmp" and "state.safetensors" not in files
            if ".tmp" in path.name and not (is_mark and "last.safetensors" in files):
                left.append(path.name)
        self.expect(not left, f"left over: {left}: {result}")

    def whole(self, path, result=""):
        """The model or state file is complete and a program loads it."""
        self.expect(path.exists(), f"{path.name} is missing: {result}")
        content = path.read_bytes()
        self.expect(len(content) > 8, f"{path.name} has {len(content)} bytes: {result}")
        length = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8 : 8 + length])
        end = max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
        self.expect(len(content) == 8 + length + end, f"{path.name} is not whole: {result}")

    def state_step(self, folder):
        content = (folder / "state.safetensors").read_bytes()
        header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
        return json.loads(header["__metadata__"]["state"])["step"]


def training(steps, *more):
    """The options of a training run of some hundredths of a second."""
    return ["--likelihood", "gaussian", "--standardize", *SMALL, "--steps", str(steps), "--no-report", *more]


def npy(kind, shape, content):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content


def read_tensors(path):
    """(header with metadata, tensors' bytes) of a safetensors file."""
    content = pathlib.Path(path).read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def write_tensors(path, header, content):
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + content)


def finite_json(lab, result):
    """Figures of a document are numbers or null with a warning, never NaN."""
    document = json.loads(result.out)

    def walk(value):
        if isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)
        elif isinstance(value, float):
            lab.expect(value == value, f"NaN in the document: {result}")
        found.append(value)

    found = []
    walk({key: value for key, value in document.items() if key not in ("warnings", "nll")})
    if None in found:
        lab.expect(document.get("warnings"), f"null without a warning: {result}")


def told_if_not_finite(lab, result):
    """Rows in o.csv that are not finite come with a warning; docs/evaluation.md, Warnings."""
    written = (lab.folder / "o.csv").read_text()
    lab.expect(
        "nan" not in written and "inf" not in written or b"warning" in result.err, f"not finite, without a word: {result}"
    )


ATTACKS = {}


def attack(promise):
    """Registers an attack: a generator of trials, each (what, function of no arguments)."""

    def take(function):
        ATTACKS[function.__name__] = (promise, function)
        return function

    return take
