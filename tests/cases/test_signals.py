#!/usr/bin/env python3
"""Signals: a training saves, a command leaves no half-written file, what was ignored at the start stays ignored."""

import os
import resource
import signal
import subprocess
import time

import support
from support import BIN, Case

ENDLESS = ["--epochs", "1000000", "--likelihood", "gaussian", *support.SMALL]


class UnderWay(Case):
    """Starts programs that are still at work when the next line of a case runs."""

    def setUp(self):
        super().setUp()
        self.table("rows.csv", support.sensor_rows(), support.SENSOR_NAMES)

    def start(self, program, *words, ignored=(), limits=(), **options):
        """A program under way, with these signals ignored and limits set as (RLIMIT, soft, hard)."""
        def prepare():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            for limit, *values in limits:
                resource.setrlimit(limit, tuple(values))

        process = subprocess.Popen([str(BIN / program), *map(str, words)], cwd=self.folder, preexec_fn=prepare,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def wait_for(self, pattern, process, least=0):
        """Until a file of this name is there and holds so many bytes."""
        ends = time.monotonic() + 30
        while not any(path.stat().st_size >= least for path in self.folder.glob(pattern)):
            self.assertIsNone(process.poll(), f"ended without a {pattern}")
            self.assertLess(time.monotonic(), ends, f"no {pattern} after 30 s")
            time.sleep(0.005)


class Stops(UnderWay):
    def train_until(self, *signals, ignored=()):
        """Sends each of the signals to a training under way; the last one has to end it."""
        process = self.start("vae_cuda_train", "--data", "rows.csv", "--out", "run", *ENDLESS, ignored=ignored)
        self.wait_for("run/metrics.jsonl", process, least=1)
        for number in signals[:-1]:
            process.send_signal(number)
        if len(signals) > 1:
            time.sleep(0.6)  # more than twice the time between two looks at the flag
            self.assertIsNone(process.poll(), "ended by a signal that was ignored")
        process.send_signal(signals[-1])
        err = process.communicate(timeout=20)[1].decode()
        self.assertEqual(process.returncode, support.STOPPED, err)
        return err

    def assert_saved(self):
        for name in ("model.safetensors", "last.safetensors", "state.safetensors"):
            self.assertTrue((self.folder / "run" / name).exists(), name)
        self.assert_done(self.tool("info", "run/model.safetensors"))

    def test_every_stop_saves(self):
        for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGXCPU, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            with self.subTest(number.name):
                self.assertIn("--resume run goes on from there", self.train_until(number))
                self.assert_saved()
                self.shell("rm -r run")

    def test_what_was_ignored_stays_so(self):
        ignored = (signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGPIPE, signal.SIGXCPU)
        self.train_until(*ignored, signal.SIGTERM, ignored=ignored)
        self.assert_saved()

    def test_wide_rows(self):
        """From the first checkpoint on, through pictures and report of rows of 400,000 values."""
        self.write("wide.npy", support.npy("|u1", (10, 400_000), bytes(range(250)) * 16_000))
        for wait in (0, 0.4, 1.2):
            with self.subTest(f"{wait} s after the last step"):
                process = self.start("vae_cuda_train", "--data", "wide.npy", "--out", "run", "--steps", "1",
                                     "--hidden", "16", "--latent-dim", "2", "--device", "cpu")
                self.wait_for("run/state.safetensors", process)
                time.sleep(wait)
                process.send_signal(signal.SIGTERM)
                began = time.monotonic()
                err = process.communicate(timeout=60)[1].decode()
                self.assertLess(time.monotonic() - began, 10, err)
                self.assertIn(process.returncode, (support.STOPPED, support.OK), err)
                self.assertEqual(list(self.folder.glob("run/*.tmp")), [])
                self.shell("rm -r run")

    def test_long_steps_are_told(self):
        process = self.start("vae_cuda_train", "--data", "shapes:32x32:n=3000", "--batch-size", "3000", "--hidden",
                             "1024", "--epochs", "10000", "--out", "run", "--device", "cpu", "--threads", "1")
        self.wait_for("run/metrics.jsonl", process, least=1)
        process.send_signal(signal.SIGSTOP)  # in the midst of a step
        time.sleep(5.2)
        written = (self.folder / "run/metrics.jsonl").stat().st_size
        process.send_signal(signal.SIGCONT)
        self.wait_for("run/metrics.jsonl", process, least=written + 1)
        process.send_signal(signal.SIGTERM)
        err = process.communicate(timeout=20)[1].decode()
        self.assertEqual(process.returncode, support.STOPPED, err)
        self.assertIn("a smaller --batch-size makes steps shorter", err)

    def test_reader_of_messages_leaves(self):
        words = " ".join(["--data rows.csv --out run", *ENDLESS])
        done = self.shell(f"$B/vae_cuda_train {words} 2>&1 | head -1; echo ends ${{PIPESTATUS[0]}}")
        self.assert_done(done, "ends 75")
        self.assert_saved()

    def test_processor_time_runs_out(self):
        # Soft and hard limit alike, as `ulimit -t 2` sets them: at the hard one the system kills.
        process = self.start("vae_cuda_train", "--data", "rows.csv", "--out", "run", *ENDLESS,
                             limits=[(resource.RLIMIT_CPU, 2, 2)])
        err = process.communicate(timeout=60)[1].decode()
        self.assertEqual(process.returncode, support.STOPPED, err)
        self.assert_saved()


class HalfWrittenFiles(UnderWay):
    def setUp(self):
        super().setUp()
        self.assert_done(self.train("--data", "rows.csv", "--out", "run", "--steps", "3", "--likelihood", "gaussian",
                                    "--no-report", *support.SMALL))
        self.names = self.listing()

    def listing(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))

    def end(self, number, command, *words, stdin=None):
        """Signals a command as soon as its output has begun."""
        process = self.start("vae_cuda", command, "run/model.safetensors", *words, "--device", "cpu", stdin=stdin,
                             limits=[(resource.RLIMIT_CORE, 0, 0)])
        if stdin is not None:
            process.stdin.write((self.folder / "rows.csv").read_bytes())
            process.stdin.flush()
        self.wait_for("*.tmp", process)
        process.send_signal(number)
        process.wait(timeout=20)
        self.assertEqual(process.returncode, -number, process.stderr.read().decode())
        self.assertEqual(self.listing(), self.names)

    def test_every_command(self):
        pipe = subprocess.PIPE
        rows = ["--data", "/dev/stdin"]
        for command, words, stdin in (
                ("encode", [*rows, "--out", "z.npy", "--logvar", "v.csv"], pipe),
                ("reconstruct", [*rows, "--out", "x.csv"], pipe),
                ("score", [*rows, "--out", "s.csv", "--threshold", "1", "--flags", "f.npy"], pipe),
                ("generate", ["--count", "1000000000", "--out", "g.npy"], None),
                ("evaluate", ["--data", "rows.csv", "--samples", "1000000", "--rows", "r.csv"], None)):
            with self.subTest(command):
                self.end(signal.SIGTERM, command, *words, stdin=stdin)

    def test_every_signal(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGALRM, signal.SIGUSR1,
                       signal.SIGUSR2, signal.SIGXCPU, signal.SIGVTALRM, signal.SIGPROF):
            with self.subTest(number.name):
                self.end(number, "encode", "--data", "/dev/stdin", "--out", "z.npy", stdin=subprocess.PIPE)

    def test_ignored_ones_end_nothing(self):
        process = self.start("vae_cuda", "encode", "run/model.safetensors", "--data", "/dev/stdin", "--out", "z.npy",
                             "--device", "cpu", stdin=subprocess.PIPE, ignored=[signal.SIGHUP])
        process.stdin.write((self.folder / "rows.csv").read_bytes())
        process.stdin.flush()
        self.wait_for("*.tmp", process)
        process.send_signal(signal.SIGHUP)
        err = process.communicate(timeout=20)[1].decode()
        self.assertEqual(process.returncode, support.OK, err)
        self.assertTrue((self.folder / "z.npy").exists())


class FileSizes(Case):
    """`ulimit -f`: the error and its remedy, and no half-written file, in every program that writes."""

    MESSAGE = "the file grew past a limit; raise it (ulimit -f)"

    def test_training(self):
        self.table("rows.csv", support.sensor_rows(), support.SENSOR_NAMES)
        words = "--data rows.csv --out run --epochs 30 --hidden 800 --likelihood gaussian --device cpu"
        self.assert_ended(self.shell(f"ulimit -f 16; exec $B/vae_cuda_train {words}"), support.RUNTIME, self.MESSAGE)
        self.assertFalse(list(self.folder.glob("run/*.tmp")))
        self.assert_done(self.shell("$B/vae_cuda_train --resume run"))

    def test_every_command(self):
        self.table("rows.csv", support.sensor_rows(600), support.SENSOR_NAMES)
        self.assert_done(self.train("--data", "rows.csv", "--out", "run", "--steps", "3", "--likelihood", "gaussian",
                                    *support.SMALL))
        before = sorted(os.listdir(self.folder / "run"))
        for words in ("encode --data rows.csv --out z.csv", "reconstruct --data rows.csv --out x.csv",
                      "score --data rows.csv --out s.csv", "generate --count 600 --out g.npy",
                      "evaluate --data rows.csv --samples 1 --rows r.csv", "export --format npz --out m.npz",
                      "report"):
            command, *rest = words.split(" ", 1)
            source = "run" if command == "report" else "run/model.safetensors"
            done = self.shell(f"ulimit -f 1; exec $B/vae_cuda {command} {source} {' '.join(rest)} --device cpu")
            with self.subTest(command):
                self.assert_ended(done, support.RUNTIME, self.MESSAGE)
                self.assertEqual(sorted(os.listdir(self.folder)), ["rows.csv", "run"])
                self.assertEqual(sorted(os.listdir(self.folder / "run")), before)


if __name__ == "__main__":
    support.main()
