"""Who may write into a folder, and when: two processes, moves, --overwrite, a run whose state is gone."""

import os
import shutil
import subprocess
import time

from support import BAD_FILE, BIN, RUNTIME, SENSOR_NAMES, PLANE, USAGE, Case, main, sensor_rows

# Batches of all rows: one step an epoch.
FEW = [*PLANE, "--likelihood", "gaussian", "--standardize", "--threads", "1", "--batch-size", "200"]


class RunCase(Case):
    def setUp(self):
        super().setUp()
        self.table("tab.csv", sensor_rows(), SENSOR_NAMES)

    def begin(self, *words):
        """vae_cuda_train in the background, in the case's folder."""
        process = subprocess.Popen([str(BIN.resolve() / "vae_cuda_train"), *map(str, words)], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def wait_for(self, condition, what, process):
        until = time.monotonic() + 60
        while not condition():
            if process.poll() is not None:
                self.fail(f"{what} did not come: {self.end(process)}")
            self.assertLess(time.monotonic(), until, what)
            time.sleep(0.01)

    def pipe_to(self, name, process):
        """Opens a pipe for writing when the process reads from it."""
        until = time.monotonic() + 60
        while True:
            try:
                return os.fdopen(os.open(self.folder / name, os.O_WRONLY | os.O_NONBLOCK), "wb")
            except OSError:  # nobody reads yet
                if process.poll() is not None:
                    self.fail(f"the pipe was not read: {self.end(process)}")
                self.assertLess(time.monotonic(), until, "the pipe is not read")
                time.sleep(0.01)

    def end(self, process):
        out, err = process.communicate(timeout=60)
        return process.returncode, (out + err).decode(errors="replace")

    def files(self, folder):
        return {path.name: path.read_bytes() for path in (self.folder / folder).iterdir() if path.is_file()}

    def steps(self, folder):
        return int((self.folder / folder / "metrics.jsonl").read_text().splitlines()[-1].split(",")[0].split(":")[1])


class TwoProcesses(RunCase):
    def test_a_resume_that_waits_for_its_data_keeps_others_out(self):
        self.assert_done(self.train("--data", "tab.csv", *FEW, "--epochs", 2, "--out", "run"))
        before = self.files("run")
        os.mkfifo(self.folder / "slow.csv")
        slow = self.begin("--resume", "run", "--data", "slow.csv", "--epochs", 3)
        with self.pipe_to("slow.csv", slow) as pipe:
            other = self.train("--resume", "run", "--epochs", 6)
            self.assert_ended(other, USAGE, "another process is training in this folder")
            self.assertEqual(self.files("run"), before)
            pipe.write((self.folder / "tab.csv").read_bytes())
        code, said = self.end(slow)
        self.assertEqual(code, 0, said)
        self.assertEqual(self.steps("run"), 3)
        self.assert_done(self.train("--resume", "run", "--data", "tab.csv", "--epochs", 6))
        self.assertEqual(self.steps("run"), 6)

    def test_a_run_that_waits_for_its_data_does_not_write_over_one_that_has_ended(self):
        os.mkfifo(self.folder / "slow.csv")
        slow = self.begin("--data", "slow.csv", *FEW, "--epochs", 1, "--out", "run")
        with self.pipe_to("slow.csv", slow) as pipe:
            self.assert_done(self.train("--data", "tab.csv", *FEW, "--epochs", 2, "--out", "run"))
            before = self.files("run")
            pipe.write((self.folder / "tab.csv").read_bytes())
        code, said = self.end(slow)
        self.assertEqual(code, USAGE, said)
        self.assertIn("already holds a run", said)
        self.assertEqual(self.files("run"), before)

    def test_a_resume_that_is_not_run_gives_the_folder_back(self):
        self.assert_done(self.train("--data", "tab.csv", *FEW, "--epochs", 1, "--out", "run"))
        before = self.files("run")
        self.assert_done(self.train("--resume", "run", "--explain"), "parameters")
        self.assert_ended(self.train("--resume", "run", "--latent-dim", 3), USAGE, "--latent-dim")
        self.assertEqual(self.files("run"), before)
        self.assert_done(self.train("--resume", "run", "--epochs", 2))


class MovedFolder(RunCase):
    def test_a_run_goes_with_its_folder(self):
        process = self.begin("--data", "tab.csv", *FEW, "--steps", 10 ** 7, "--checkpoint-every", 500, "--out", "run")
        run, moved = self.folder / "run", self.folder / "moved"
        self.wait_for((run / "state.safetensors").exists, "the first checkpoint", process)
        run.rename(moved)
        run.mkdir()
        (run / "note.txt").write_text("another folder of that name")
        written = (moved / "state.safetensors").stat().st_ino
        self.wait_for(lambda: (moved / "state.safetensors").stat().st_ino != written, "a checkpoint after the move", process)
        process.terminate()
        code, said = self.end(process)
        self.assertEqual(code, 75, said)
        self.assertIn(f"run was renamed while the run wrote into it; the run is in {moved}", said)
        self.assertIn(f"--resume {moved}", said)
        self.assertEqual([path.name for path in run.iterdir()], ["note.txt"])
        self.assertEqual([path.name for path in moved.glob("*.tmp")], [])
        steps = self.steps("moved")
        self.assert_done(self.train("--resume", "moved", "--steps", steps + 10))
        self.assertTrue((moved / "report.html").exists())

    def test_the_report_of_a_moved_run_is_its_own(self):
        process = self.begin("--data", "tab.csv", *FEW, "--steps", 3000, "--checkpoint-every", 1000, "--out", "run")
        run, moved = self.folder / "run", self.folder / "moved"
        self.wait_for((run / "state.safetensors").exists, "the first checkpoint", process)
        run.rename(moved)
        self.assert_done(self.train("--data", "tab.csv", *FEW, "--epochs", 1, "--out", "run", "--no-report"))
        code, said = self.end(process)
        self.assertEqual(code, 0, said)
        self.assertIn(f"report      {moved}/report.html", said)
        self.assertFalse((run / "report.html").exists())

    def test_a_folder_that_is_gone_is_an_error(self):
        process = self.begin("--data", "tab.csv", *FEW, "--steps", 10 ** 7, "--checkpoint-every", 500, "--out", "run")
        run = self.folder / "run"
        self.wait_for((run / "state.safetensors").exists, "the first checkpoint", process)
        run.rename(self.folder / "gone")
        subprocess.run(["rm", "-rf", str(self.folder / "gone")], check=False)
        code, said = self.end(process)
        self.assertEqual(code, RUNTIME, said)
        self.assertIn("No such file or directory", said)
        self.assertFalse(run.exists())


class Overwrite(RunCase):
    """The older run stays until the new one has a checkpoint; from then on the new one is the run."""

    OLD = [*FEW, "--seed", 1, "--epochs", 2]
    NEW = [*FEW, "--seed", 2]
    NEW[NEW.index("--latent-dim") + 1] = 3  # no picture of a plane of latents

    def setUp(self):
        super().setUp()
        self.assert_done(self.train("--data", "tab.csv", *self.OLD, "--out", "run"))
        self.run_dir, self.growing = self.folder / "run", self.folder / "run" / ".new-run"
        (self.run_dir / "note.txt").write_text("no file of a run")
        self.old = self.files("run")
        self.assertIn("manifold.png", self.old)

    def made(self, name, *words):
        self.assert_done(self.train("--data", "tab.csv", *self.NEW, "--out", name, *words))
        return self.files(name)

    def assert_replaced(self, expected):
        """The folder holds this run, the foreign file, and nothing else."""
        found = self.files("run")
        for name in ("model.safetensors", "last.safetensors", "state.safetensors", "samples.png"):
            self.assertEqual(found[name], expected[name], name)
        kinds = [sorted(name.split(".")[0] for name in files) for files in (found, {**expected, "note.txt": b""})]
        self.assertEqual(*kinds)
        self.assertEqual([path.name for path in self.run_dir.iterdir() if path.is_dir()], [])

    def test_the_new_run_takes_the_place_of_the_old_one(self):
        expected = self.made("fresh", "--epochs", 3)
        self.made("run", "--epochs", 3, "--overwrite")
        self.assert_replaced(expected)
        self.made("run", "--epochs", 3, "--overwrite", "--checkpoint-every", 1)  # and goes on in its place
        self.assert_replaced(expected)

    def begin_growing(self, *words):
        process = self.begin("--data", "tab.csv", *self.NEW, "--steps", 10 ** 7, "--checkpoint-seconds", 0, "--log-every", 1,
                             "--out", "run", "--overwrite", *words)
        metrics = self.growing / "metrics.jsonl"
        self.wait_for(lambda: metrics.exists() and metrics.stat().st_size > 0, "a line of the new run", process)
        return process

    def test_a_kill_before_the_first_checkpoint_leaves_the_old_run(self):
        process = self.begin_growing()
        self.assert_ended(self.train("--resume", "run"), USAGE, "another process")
        process.kill()
        process.wait()
        self.assertEqual(self.files("run"), self.old)
        self.assert_done(self.tool("report", "run"))
        self.assert_done(self.train("--resume", "run", "--epochs", 3),
                         "a run that was to replace the one in run ended before its first checkpoint")
        self.assertEqual(self.steps("run"), 3)
        self.assertFalse(self.growing.exists())

    def test_a_stop_saves_and_takes_the_place(self):
        process = self.begin_growing()
        process.terminate()
        code, said = self.end(process)
        self.assertEqual(code, 75, said)
        steps = self.steps("run")
        self.assertIn("seed = 2", (self.run_dir / "config.toml").read_text())
        self.assertFalse(self.growing.exists())
        self.assert_done(self.train("--resume", "run", "--steps", steps + 1))

    def test_a_run_that_fails_before_leaves_the_old_run(self):
        result = self.train("--data", "tab.csv", *self.NEW, "--lr", "1e6", "--epochs", 500, "--out", "run", "--overwrite")
        self.assert_ended(result, 6, "run still has its older run")
        self.assertEqual(self.files("run"), self.old)
        self.assert_done(self.train("--resume", "run"))  # finished
        self.assertEqual(self.files("run")["state.safetensors"], self.old["state.safetensors"])

    def test_a_kill_at_each_step_of_the_change(self):
        new = self.made("fresh", "--epochs", 3)
        self.made("begun", "--epochs", 2)
        begun = {name: content for name, content in self.files("begun").items() if not name.endswith((".png", ".html"))}
        old_only = [name for name in self.old if name not in begun and name != "note.txt"]
        moves = ["config.toml", *sorted(set(begun) - {"config.toml"})]
        for done in range(0, len(old_only) + len(moves) + 1, 2):
            with self.subTest(done=done):
                shutil.rmtree(self.run_dir)
                coming = self.run_dir / ".next-run"
                coming.mkdir(parents=True)
                for folder, files in ((self.run_dir, self.old), (coming, begun)):
                    for name, content in files.items():
                        (folder / name).write_bytes(content)
                for name in old_only[:done]:
                    (self.run_dir / name).unlink()
                for name in moves[:max(0, done - len(old_only))]:
                    (coming / name).rename(self.run_dir / name)
                self.assert_ended(self.tool("report", "run"), BAD_FILE, "--resume")
                self.assert_ended(self.train("--data", "tab.csv", *self.NEW, "--out", "run"), USAGE, "already holds a run")
                self.assert_done(self.train("--resume", "run", "--epochs", 3))
                self.assert_replaced(new)


class LostState(RunCase):
    def test_models_without_a_state_are_not_trained_over(self):
        """What goes on without its state would be another run, over the models of the one that is there."""
        self.assert_done(self.train("--data", "tab.csv", *FEW, "--epochs", "3", "--out", "run", "--quiet"))
        (self.folder / "run" / "state.safetensors").unlink()
        for lost in ((), ("model.safetensors",)):
            for name in lost:
                (self.folder / "run" / name).unlink()
            files = self.files("run")
            self.assert_ended(self.train("--resume", "run", "--epochs", "5"), BAD_FILE, "state.safetensors, from which a run resumes, is missing",
                              "last.safetensors exists", "--init-from run/last.safetensors")
            self.assertEqual(self.files("run"), files)

    def test_a_first_checkpoint_that_was_not_whole_is_begun_again(self):
        self.assert_done(self.train("--data", "tab.csv", *FEW, "--epochs", "3", "--out", "run", "--quiet"))
        wanted = self.files("run")
        self.assertEqual([name for name in wanted if name.endswith(".tmp")], [])
        (self.folder / "run" / "state.safetensors").unlink()
        self.write("run/state.safetensors.first.tmp", "")
        self.assert_done(self.train("--resume", "run"), "training from the first step")
        found = self.files("run")
        for name in ("model.safetensors", "last.safetensors", "state.safetensors"):
            self.assertEqual(found[name], wanted[name], name)
        self.assertNotIn("state.safetensors.first.tmp", found)


if __name__ == "__main__":
    main()
