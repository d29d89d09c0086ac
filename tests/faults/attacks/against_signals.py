"""Signals, pipes that close, and the files that a stopped command leaves."""

import os
import shutil
import signal
import subprocess
import time

from lab import OK, RUNTIME, STOPPED, Broken, attack, training

STOPS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGXCPU")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Broken(f"waited {seconds} s for {what}")
        time.sleep(0.005)


def long_training(lab, out, **how):
    shutil.rmtree(lab.folder / out, ignore_errors=True)
    process, command = lab.start("vae_cuda_train", ["--data", "x.csv", *training(10**9, "--quiet"), "--out", out], **how)
    metrics = lab.folder / out / "metrics.jsonl"
    try:
        wait_for(lambda: metrics.exists() and metrics.stat().st_size > 0, 20, "the first line of metrics.jsonl")
    except Broken:
        process.kill()
        raise
    return process, command


@attack("docs/reliability.md, Signals: finish the step, save and exit 75 within 10 s; a second signal ends at once")
def stopped_training(lab):
    for name in STOPS:

        def trial(name=name):
            process, command = long_training(lab, "run")
            process.send_signal(getattr(signal, name))
            result = lab.fair(lab.finish(process, command, 10), {STOPPED})
            for file in ("model", "last", "state"):
                lab.whole(lab.folder / f"run/{file}.safetensors", result)
            lab.no_temporary_files(result)
            step = lab.state_step(lab.folder / "run")
            again = lab.train("--resume", "run", "--steps", step + 5)
            lab.fair(again, {OK})
            lab.expect(lab.state_step(lab.folder / "run") == step + 5, f"resumed to another step: {again}")

        yield name, trial

        def ignored(name=name):
            number = getattr(signal, name)
            process, command = long_training(lab, "run", ignored=[number])
            process.send_signal(number)
            time.sleep(0.5)
            lived = process.poll() is None
            process.kill()
            process.communicate()
            lab.expect(
                lived or name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGXCPU"),
                f"{name} was ignored at the start and ended the run",
            )

        if name == "SIGHUP":
            yield f"{name} ignored at the start (nohup)", ignored


@attack("docs/reliability.md, Signals: a reader that goes away saves the run too")
def reader_goes_away(lab):
    for stream, words in (("stderr", []), ("stdout", ["--json"])):

        def trial(stream=stream, words=words):
            reading, writing = os.pipe()
            out = "pipe-" + stream
            other = {"stderr": "stdout", "stdout": "stderr"}[stream]
            process, command = lab.start(
                "vae_cuda_train",
                ["--data", "x.csv", *training(3000), "--log-every", "10", *words, "--out", out],
                **{stream: writing, other: subprocess.PIPE},
            )
            os.close(writing)
            metrics = lab.folder / out / "metrics.jsonl"
            wait_for(lambda: metrics.exists() and metrics.stat().st_size > 0, 20, "the first line of metrics.jsonl")
            os.close(reading)
            result = lab.finish(process, command, 20)
            lab.expect(result.code in (OK, RUNTIME, STOPPED), f"ended by a signal: {result}")
            lab.whole(lab.folder / out / "state.safetensors", result)
            lab.whole(lab.folder / out / "model.safetensors", result)

        yield f"{stream} is closed", trial

    def at_once():
        """Before there is anything to save it may end by the signal, and leaves no half of a run."""
        reading, writing = os.pipe()
        words = ["--data", "x.csv", *training(3000), "--out", "pipe-early"]
        process, command = lab.start("vae_cuda_train", words, stderr=writing)
        os.close(writing)
        os.read(reading, 10)
        os.close(reading)
        result = lab.finish(process, command, 20)
        lab.expect(result.code in (OK, RUNTIME, STOPPED, -signal.SIGPIPE), f"{result}")
        again = lab.train(*words, "--overwrite") if (lab.folder / "pipe-early").exists() else lab.train(*words)
        lab.fair(again, {OK})

    yield "stderr is closed at once", at_once

    def table():
        rows = "a,b,c,d\n" + "1,2,3,4\n" * 60000
        (lab.folder / "long.csv").write_text(rows.replace("a,b,c,d", "temp,flow,load,speed"))
        reading, writing = os.pipe()
        process, command = lab.start(
            "vae_cuda",
            ["score", "m.safetensors", "--data", "long.csv", "--device", "cpu", "--flags", "f.npy", "--threshold", "1"],
            stdout=writing,
        )
        os.close(writing)
        os.read(reading, 100)
        os.close(reading)
        result = lab.finish(process, command, 20)
        lab.expect(result.code in (OK, RUNTIME, -signal.SIGPIPE), f"{result}")
        lab.no_temporary_files(result)

    yield "score | head", table


@attack("docs/tools.md, Outputs: what cannot be finished leaves nothing behind; an old file is replaced at the end")
def stopped_commands(lab):
    row = b"1,2,3,4\n"
    for name, flags in (
        ("encode", ["--out", "o.npy", "--logvar", "p.csv"]),
        ("reconstruct", ["--out", "o.csv"]),
        ("score", ["--out", "o.csv", "--flags", "f.npy", "--threshold", "1"]),
        ("score", ["--out", "o.npy"]),
    ):
        for kind in lab.some(("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU"), 2):

            def trial(name=name, flags=flags, kind=kind):
                fifo = lab.folder / "rows.fifo"
                fifo.unlink(missing_ok=True)
                os.mkfifo(fifo)
                files = [word for word in flags if "." in word]
                for file in files:
                    (lab.folder / file).write_bytes(b"old")
                process, command = lab.start(
                    "vae_cuda",
                    [
                        name,
                        "m.safetensors",
                        "--data",
                        "rows.fifo",
                        *flags,
                        "--device",
                        "cpu",
                        "--threads",
                        "1",
                        "--batch-size",
                        "256",
                        "--quiet",
                    ],
                )
                try:
                    with open(fifo, "wb") as feed:
                        feed.write(b"temp,flow,load,speed\n" + row * 200000)
                        feed.flush()
                        wait_for(lambda: any(".tmp" in one.name for one in lab.folder.iterdir()), 15, "the temporary file")
                        process.send_signal(getattr(signal, kind))
                        result = lab.finish(process, command, 10)
                except BrokenPipeError:
                    result = lab.finish(process, command, 10)
                finally:
                    process.kill()
                lab.expect(result.code not in (OK, -signal.SIGSEGV, -signal.SIGABRT), f"ended well: {result}")
                left = [one.name for one in lab.folder.iterdir() if ".tmp" in one.name]
                for one in left:
                    (lab.folder / one).unlink()
                lab.expect(not left, f"left over: {left}: {result}")
                for file in files:
                    lab.expect((lab.folder / file).read_bytes() == b"old", f"{file} is lost: {result}")

            yield f"{name} {' '.join(flags[:2])}, {kind}", trial
