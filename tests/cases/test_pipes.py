"""Pipes: read once where once is enough, and refused before anything is computed where it is not."""

import os
import shutil
import threading

from support import BAD_FILE, OK, SENSOR_NAMES, USAGE, Case, main, sensor_rows

TRAIN = "--preset anomaly --hidden 8 --latent-dim 3 --steps 2 --device cpu"


class Pipes(Case):
    def setUp(self):
        super().setUp()
        self.table("x.csv", sensor_rows(30), header=SENSOR_NAMES)
        self.table("labels.csv", [[i % 2] for i in range(30)])

    def model(self):
        self.assert_done(self.shell(f"$B/vae_cuda_train --data x.csv {TRAIN} --out run"))
        return "run/model.safetensors"

    def test_what_reads_its_rows_again_refuses_a_pipe(self):
        model = self.model()
        told = "a pipe can be read once, and "
        self.assert_ended(self.shell(f"$B/vae_cuda evaluate {model} --data <(cat x.csv) --samples 0"), USAGE,
                          told + "evaluate reads its data four times: give a file")
        self.assert_ended(
            self.shell(f"$B/vae_cuda evaluate {model} --data x.csv --labels <(cat labels.csv) --samples 0"), USAGE,
            "--labels", told)
        self.assert_ended(
            self.shell(f"$B/vae_cuda score {model} --data <(cat x.csv) --threshold-quantile 0.9 --out s.csv"), USAGE,
            told + "score --threshold-quantile reads its data twice")
        self.assertFalse((self.folder / "s.csv").exists())
        os.mkfifo(self.folder / "fifo")  # nobody writes to it: what opened it would wait for ever
        self.assert_ended(self.tool("evaluate", model, "--data", "fifo", timeout=20), USAGE, told)

    def test_one_reading_is_enough_elsewhere(self):
        model = self.model()
        self.assert_done(self.shell(f"$B/vae_cuda score {model} --data <(cat x.csv) --out piped.csv"), "30 rows")
        self.assert_done(self.shell(f"$B/vae_cuda score {model} --data x.csv --out whole.csv"))
        self.assertEqual((self.folder / "piped.csv").read_bytes(), (self.folder / "whole.csv").read_bytes())
        self.assert_done(self.shell(
            f"$B/vae_cuda score {model} --data <(cat x.csv) --threshold-quantile 0.9 --reference x.csv --out s.csv"))
        self.assert_done(self.shell(
            f"$B/vae_cuda_train --data <(cat x.csv) --labels <(cat labels.csv) --test <(cat x.csv) {TRAIN} --out p"),
            "30 rows × 5 columns", "(2 classes)")
        self.assert_done(self.shell(
            f"$B/vae_cuda encode {model} --data <(cat x.csv) --labels <(cat labels.csv) --out z.npy"), "(2 classes)")

    def test_a_configuration_from_a_pipe_is_read_whole(self):
        self.write("c.toml", '[model]\nhidden = [3]\nlatent_dim = 5\n[train]\nepochs = 1\nseed = 99\ndevice = "cpu"\n')
        self.assertEqual(
            self.shell("$B/vae_cuda_train --config <(cat c.toml) --data shapes:16x16,n=200 --out run").code, OK)
        kept = (self.folder / "run/config.toml").read_text()
        for line in "hidden = [3]", "latent_dim = 5", "seed = 99", "epochs = 1":
            self.assertIn(line, kept)

    def test_a_pipe_in_the_folder_of_a_run_is_refused(self):
        self.model()
        for name in "config.toml", "metrics.jsonl", "samples.png", "state.safetensors":
            for kind in "pipe", "device":
                shutil.rmtree(self.folder / "odd", ignore_errors=True)
                shutil.copytree(self.folder / "run", self.folder / "odd")
                path = self.folder / "odd" / name
                path.unlink(missing_ok=True)
                os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
                before = sorted(one.name for one in (self.folder / "odd").iterdir())
                for result in (self.train("--resume", "odd", timeout=20), self.run_program("vae_cuda", "report", "odd", timeout=20)):
                    self.assert_ended(result, BAD_FILE, f"odd/{name}: is a pipe or a device")
                self.assertEqual(sorted(one.name for one in (self.folder / "odd").iterdir()), before)

    def test_a_length_of_the_file_takes_the_place_of_the_presets(self):
        self.write("steps.toml", "[train]\nsteps = 3\n")
        self.assert_done(self.shell(
            "$B/vae_cuda_train --preset anomaly --config steps.toml --data x.csv --device cpu --out a"), "3 steps")
        self.write("none.toml", "[model]\nlatent_dim = 2\n")
        self.assert_done(self.shell(
            "$B/vae_cuda_train --preset anomaly --config none.toml --data x.csv --device cpu --out b --epochs 1"))

    def test_a_bad_row_is_reported_while_the_pipe_is_open(self):
        model = self.model()
        os.mkfifo(self.folder / "fifo")
        done = threading.Event()

        def write():
            with open(self.folder / "fifo", "w") as pipe:
                pipe.write("".join(",".join(map(str, row)) + "\n" for row in sensor_rows(100)) + "1,2,x,4,5\n")
                pipe.flush()
                done.wait()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            self.assert_ended(self.tool("score", model, "--data", "fifo", timeout=20), BAD_FILE, "line 101", '"x"')
        finally:
            done.set()
            writer.join()


if __name__ == "__main__":
    main()
