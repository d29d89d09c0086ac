"""Two processes at once: one is held at each of its system calls on files while another acts; or it is ended there."""

import os
import pathlib
import shutil
import time

from against_limits import build_library
from lab import BAD_FILE, OK, RUNTIME, USAGE, Broken, attack, training


class Held:
    """A process that waits at its n-th call until it is let go."""

    def __init__(self, lab, program, words, at, kill=False):
        build_library(lab, lab.base / "stop_at.so")
        self.lab, self.file = lab, lab.folder / "gate"
        for end in (".reached", ".go"):
            pathlib.Path(str(self.file) + end).unlink(missing_ok=True)
        self.environment = {
            "LD_PRELOAD": str(lab.base / "stop_at.so"),
            "STOP_UNDER": str(lab.folder),
            "STOP_RELATIVE": "1",
            "STOP_AT": str(at),
            "STOP_FILE": str(self.file),
            **({"STOP_KILL": "1"} if kill else {}),
        }
        self.process, self.command = lab.start(program, words, environment=self.environment)

    def wait(self):
        """The call at which it is held; empty where it ended before."""
        reached = pathlib.Path(str(self.file) + ".reached")
        end = time.monotonic() + 20
        while not reached.exists():
            if self.process.poll() is not None:
                return ""
            if time.monotonic() > end:
                self.process.kill()
                raise Broken("it neither reached the call nor ended")
            time.sleep(0.002)
        return reached.read_text().strip()

    def go(self):
        pathlib.Path(str(self.file) + ".go").touch()
        return self.lab.finish(self.process, self.command, 30)


def calls_of(lab, program, words, prepare):
    """How many calls the command makes when nobody disturbs it."""
    build_library(lab, lab.base / "stop_at.so")
    prepare()
    listed = lab.folder / "calls"
    listed.unlink(missing_ok=True)
    environment = {
        "LD_PRELOAD": str(lab.base / "stop_at.so"),
        "STOP_UNDER": str(lab.folder),
        "STOP_RELATIVE": "1",
        "STOP_COUNT": str(listed),
    }
    lab.fair(lab.run(program, words, environment=environment), {OK})
    return len(listed.read_text().splitlines())


def model_of(lab, words, name):
    """The bytes of the last model that this training leaves alone."""
    shutil.rmtree(lab.folder / name, ignore_errors=True)
    lab.fair(lab.train(*words, "--out", name), {OK})
    return (lab.folder / name / "last.safetensors").read_bytes()


def clean(lab, *names):
    for name in names:
        path = lab.folder / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def left_behind(lab, folder):
    """Nothing but the run's own files; a hidden folder would be half a run."""
    return (
        [
            one.name
            for one in folder.iterdir()
            if ".tmp" in one.name or one.name.startswith(".") and one.name not in (".lock",)
        ]
        if folder.exists()
        else []
    )


FIRST = ["--data", "x.csv", *training(6, "--seed", "3")]
SECOND = ["--data", "x.csv", *training(4, "--seed", "4")]


def meet(lab, held_words, at, words):
    """A training that is held at a call while another runs: how both ended, and where the first was held."""
    held = Held(lab, "vae_cuda_train", held_words, at)
    where = held.wait()
    try:
        second = lab.fair(lab.train(*words), {OK, USAGE, RUNTIME})
    finally:
        first = held.go()
    return lab.fair(first, {OK, USAGE, RUNTIME}), second, where


@attack("docs/formats.md, The run folder: not written to by two processes at once; one run wins, whole")
def two_fresh_runs(lab):
    alone = {"first": model_of(lab, FIRST, "alone1"), "second": model_of(lab, SECOND, "alone2")}
    count = calls_of(lab, "vae_cuda_train", [*FIRST, "--out", "run"], lambda: clean(lab, "run"))
    for at in lab.some(range(count), 21):

        def trial(at=at):
            clean(lab, "run")
            first, second, where = meet(lab, [*FIRST, "--out", "run"], at, [*SECOND, "--out", "run"])
            winners = [name for name, result in (("first", first), ("second", second)) if result.code == OK]
            lab.expect(len(winners) == 1, f"{winners} at {where}: {first} {second}")
            lab.expect(
                (lab.folder / "run/last.safetensors").read_bytes() == alone[winners[0]],
                f"not the run of the {winners[0]}, at {where}",
            )
            lab.fair(lab.train("--resume", "run", "--steps", "8"), {OK})

        yield f"call {at}", trial


@attack("docs/reliability.md, Resuming: a lock keeps a second process out; a longer run is not replaced by a shorter")
def two_resumes(lab):
    def prepare():
        lab.new_run("run")

    count = calls_of(lab, "vae_cuda_train", ["--resume", "run", "--steps", "8"], prepare)
    for at in lab.some(range(count), 21):

        def trial(at=at):
            prepare()
            longer = ["--resume", "run", "--steps", "12"]
            first, second, where = meet(lab, ["--resume", "run", "--steps", "8"], at, longer)
            step = lab.state_step(lab.folder / "run")
            wanted = 12 if second.code == OK else 8
            lab.expect(OK in (first.code, second.code), f"neither went on: {first} {second}")
            lab.expect(step == wanted, f"at {where} the run stands at step {step}, {wanted} were done: {first} {second}")
            lines = (lab.folder / "run/metrics.jsonl").read_text().splitlines()
            lab.expect(
                all(line.startswith("{") and line.endswith("}") for line in lines), f"metrics.jsonl is damaged: {lines}"
            )
            lab.fair(lab.train("--resume", "run", "--steps", "14"), {OK})

        yield f"call {at}", trial


@attack("docs/reliability.md, Files: --overwrite keeps the old run until the new one has something")
def overwriting(lab):
    def prepare():
        lab.new_run("run")
        for one in lab.folder.glob(".run*"):
            shutil.rmtree(one)

    old = (lab.base / "plain/last.safetensors").read_bytes()
    new = model_of(lab, FIRST, "alone1")
    words = [*FIRST, "--out", "run", "--overwrite"]
    count = calls_of(lab, "vae_cuda_train", words, prepare)
    for at in lab.some(range(count), 21):

        def killed(at=at):
            prepare()
            held = Held(lab, "vae_cuda_train", words, at, kill=True)
            lab.finish(held.process, held.command)
            models = [lab.folder / "run" / f"{one}.safetensors" for one in ("last", "model", "state")]
            for model in models:
                lab.whole(model, f"killed at call {at}")
            kept = models[0].read_bytes()
            lab.expect(kept in (old, new), f"killed at call {at}: neither the old nor the new model")
            lab.fair(lab.tool("info", "run/model.safetensors"), {OK})
            lab.fair(lab.train("--resume", "run", "--steps", "9"), {OK})
            lab.expect(lab.state_step(lab.folder / "run") == 9, f"killed at call {at}, then not resumed")
            lab.fair(lab.train(*FIRST, "--out", "run", "--overwrite"), {OK})
            lab.expect((lab.folder / "run/last.safetensors").read_bytes() == new, f"killed at call {at}, then not replaced")

        yield f"killed at call {at}", killed

        def read(at=at):
            prepare()
            held = Held(lab, "vae_cuda_train", words, at)
            where = held.wait()
            try:
                for asked in (["info", "run/model.safetensors"], ["score", "run/model.safetensors", "--data", "x.csv"]):
                    lab.fair(lab.tool(*asked), {OK})
                resumed = lab.fair(lab.train("--resume", "run", "--steps", "10"), {OK, USAGE, RUNTIME})
            finally:
                result = held.go()
            lab.fair(result, {OK, USAGE, RUNTIME})
            step = lab.state_step(lab.folder / "run")
            lab.expect(
                step == (10 if resumed.code == OK and result.code != OK else 6),
                f"at {where}: step {step}: {result} {resumed}",
            )

        yield f"read and resumed at call {at}", read


@attack("docs/reliability.md, Files: a folder that is renamed while a run writes into it stays that run's folder")
def folder_renamed(lab):
    new = model_of(lab, FIRST, "alone1")
    other = model_of(lab, SECOND, "alone2")
    for start in ("fresh", "resume", "overwrite"):
        words = {
            "fresh": [*FIRST, "--out", "run"],
            "resume": ["--resume", "run", "--steps", "9"],
            "overwrite": [*FIRST, "--out", "run", "--overwrite"],
        }[start]

        def prepare(start=start):
            clean(lab, "run", "moved")
            if start != "fresh":
                lab.new_run("run")

        count = calls_of(lab, "vae_cuda_train", words, prepare)
        for at in lab.some(range(count), 40):

            def trial(start=start, words=words, at=at, prepare=prepare):
                prepare()
                held = Held(lab, "vae_cuda_train", words, at)
                where = held.wait()
                moved = (lab.folder / "run").exists()
                try:
                    if moved:
                        (lab.folder / "run").rename(lab.folder / "moved")
                        second = lab.fair(lab.train(*SECOND, "--out", "run"), {OK, USAGE, RUNTIME})
                finally:
                    first = held.go()
                lab.fair(first, {OK, USAGE, RUNTIME, BAD_FILE})
                if not moved:
                    return
                ran = (lab.folder / "run/last.safetensors").read_bytes() if second.code == OK else None
                if first.code == OK and start == "fresh":
                    found = [(lab.folder / one / "last.safetensors") for one in ("moved", "run")]
                    lab.expect(
                        any(one.exists() and one.read_bytes() == new for one in found),
                        f"exit 0 at {where}, and its model is nowhere: {first}",
                    )
                if ran is not None:
                    lab.expect(
                        ran == other or first.code == OK and start == "overwrite" and ran == new,
                        f"at {where} it wrote into the other run's folder: {first}",
                    )
                for one in ("moved", "run"):
                    for name in ("model", "last", "state"):
                        path = lab.folder / one / f"{name}.safetensors"
                        if path.exists():
                            lab.whole(path, f"{one}, at {where}: {first}")

            yield f"{start}, call {at}", trial


@attack("docs/tools.md, Outputs: a file is whole, the old or the new one, whoever else writes it")
def two_writers_of_a_file(lab):
    cases = {
        "encode": ["encode", "m.safetensors", "--data", "x.csv", "--out", "o.npy"],
        "score": ["score", "m.safetensors", "--data", "x.csv", "--out", "o.csv"],
        "generate": ["generate", "m.safetensors", "-n", "9", "--out", "o.png"],
        "export": ["export", "m.safetensors", "--format", "npz", "--out", "o.npz"],
    }
    for name, words in cases.items():
        words = words if name == "export" else [*words, "--device", "cpu", "--threads", "1"]
        out = lab.folder / words[words.index("--out") + 1]
        count = calls_of(lab, "vae_cuda", words, lambda out=out: clean(lab, out.name))
        first_bytes = out.read_bytes()
        for at in lab.some(range(count), 4):

            def raced(name=name, words=words, out=out, at=at, first_bytes=first_bytes):
                clean(lab, out.name)
                out.write_bytes(b"old")
                held = Held(lab, "vae_cuda", words, at)
                where = held.wait()
                lab.expect(not where or out.read_bytes() in (b"old", first_bytes), f"half a file at {where}")
                second = lab.fair(lab.run("vae_cuda", words), {OK})
                lab.expect(out.read_bytes() == first_bytes, f"half a file after the second, at {where}: {second}")
                first = lab.fair(held.go(), {OK})
                lab.expect(out.read_bytes() == first_bytes, f"half a file, at {where}")
                lab.no_temporary_files(first)

            yield f"{name}, call {at}", raced

            def killed(name=name, words=words, out=out, at=at, first_bytes=first_bytes):
                out.write_bytes(b"old")
                held = Held(lab, "vae_cuda", words, at, kill=True)
                lab.finish(held.process, held.command)
                lab.expect(out.read_bytes() in (b"old", first_bytes), f"half a file, killed at call {at}")
                for one in lab.folder.glob("*.tmp"):
                    one.unlink()

            yield f"{name}, killed at call {at}", killed

            def target(name=name, words=words, out=out, at=at):
                """The target becomes a link to another file while the command writes."""
                clean(lab, out.name)
                (lab.folder / "precious").write_bytes(b"precious")
                held = Held(lab, "vae_cuda", words, at)
                held.wait()
                clean(lab, out.name)
                os.mkdir(out)
                result = held.go()
                lab.expect(result.code in (OK, RUNTIME, USAGE), f"{result}")
                lab.no_temporary_files(result)
                shutil.rmtree(out, ignore_errors=True)

            yield f"{name}, the target becomes a folder at call {at}", target
