"""Outputs on one file, whatever it is called, files that are no run's under a run's names, and paths with links."""

import os
import re
import shutil
import struct

from support import BAD_FILE, BIN, RUNTIME, SENSOR_NAMES, USAGE, main, sensor_rows
from test_run_folder import FEW, RunCase

RUN_FILES = ("state.safetensors", "config.toml", "metrics.jsonl", "model.safetensors", "last.safetensors")


class OneFileTwice(RunCase):
    """Two outputs, or an output and what is read, under two names of one file: refused before anything is written."""

    def setUp(self):
        super().setUp()
        self.assert_done(self.train("--data", "tab.csv", *FEW, "--epochs", 1, "--out", "run"))
        self.model = "run/model.safetensors"
        os.mkdir(self.folder / "d")
        os.symlink("d", self.folder / "link")

    def refused(self, *words, **options):
        before = self.files(".")
        result = self.tool(*words, **options)
        self.assert_ended(result, USAGE, "same file")
        self.assertEqual(self.files("."), before)
        return result

    def pairs(self):
        """Two spellings of a file that is not there, and of one that is."""
        yield "x.csv", "x.csv"
        yield "x.csv", "./d/../x.csv"
        yield "link/x.csv", "d/x.csv"
        yield str(self.folder / "x.csv"), "x.csv"
        os.symlink("nowhere.csv", self.folder / "dangling.csv")
        yield "dangling.csv", "nowhere.csv"
        self.write("there.csv", "old\n")
        os.link(self.folder / "there.csv", self.folder / "hard.csv")
        os.symlink("hard.csv", self.folder / "soft.csv")
        yield "there.csv", "hard.csv"
        yield "soft.csv", "there.csv"

    def test_two_outputs(self):
        for one, other in self.pairs():
            with self.subTest(one=one, other=other):
                self.refused("encode", self.model, "--data", "tab.csv", "--out", one, "--logvar", other)
        self.refused("score", self.model, "--data", "tab.csv", "--out", "x.csv", "--flags", "d/../x.csv")
        self.refused("encode", self.model, "--data", "tab.csv", "--out", "x.csv", "--logvar", "y.csv", "--codes", "y.csv")

    def test_an_output_on_an_input(self):
        os.link(self.folder / "tab.csv", self.folder / "same.csv")
        for out in ("tab.csv", "link/../tab.csv", "same.csv"):
            self.refused("encode", self.model, "--data", "tab.csv", "--out", out)
        self.refused("reconstruct", self.model, "--data", "tab.csv", "--out", "tab.csv")
        self.refused("score", self.model, "--data", "tab.csv", "--reference", "same.csv", "--out", "same.csv")
        self.refused("evaluate", self.model, "--data", "tab.csv", "--rows", "tab.csv")
        self.refused("export", self.model, "--format", "npz", "--out", self.model)
        self.refused("report", "run", "--out", "tab.csv")

    def test_a_run_on_what_it_reads(self):
        """Rows, labels and the model that a run starts from, under the name of one of its files."""
        before = self.files(".")
        small = [*FEW, "--epochs", 1, "--overwrite"]
        for name in ("model.safetensors", "metrics.jsonl", "samples.png", "report.html"):
            folder = self.folder / f"over {name}"
            folder.mkdir()
            shutil.copy(self.folder / "tab.csv", folder / name)
            for words in (["--data", folder / name], ["--data", "tab.csv", "--test", folder / name],
                          ["--data", "tab.csv", "--valid", folder / name]):
                result = self.train(*words, *small, "--out", folder)
                self.assert_ended(result, USAGE, "same file", words[-2])
                self.assertEqual((folder / name).read_bytes(), (self.folder / "tab.csv").read_bytes())
            shutil.rmtree(folder)
        # Its configuration would name the run's own model as its start.
        self.assert_ended(self.train("--data", "tab.csv", *small, "--init-from", self.model, "--out", "run"), USAGE,
                          "--init-from 'run/model.safetensors' are the same file")
        self.assertEqual(self.files("."), before)

    def test_files_that_are_no_runs_are_not_replaced(self):
        for name in ("samples.png", "report.html", "manifold.png", "reconstructions.png"):
            (self.folder / "mine").mkdir()
            self.write(f"mine/{name}", "mine")
            words = ["--data", "tab.csv", *FEW, "--epochs", 1, "--out", "mine"]
            self.assert_ended(self.train(*words), USAGE, f"holds {name}", "--overwrite")
            self.assertEqual(list(self.files("mine")), [name])
            self.assert_done(self.train(*words, "--overwrite"))
            shutil.rmtree(self.folder / "mine")

    def test_an_output_on_a_file_of_a_folder_that_is_read(self):
        mnist = self.folder / "mnist"
        mnist.mkdir()
        for part in ("train", "t10k"):
            (mnist / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 0x803, 20, 2, 2) + bytes(range(80)))
        self.assert_done(self.train("--data", "mnist", *FEW, "--epochs", 1, "--out", "pictures"))
        model = "pictures/model.safetensors"
        for out in ("mnist/t10k-images-idx3-ubyte", "d/../mnist/train-images-idx3-ubyte"):
            before = self.files(".")
            result = self.tool("report", "pictures", "--out", out)
            self.assert_ended(result, USAGE, "is a file in the run's rows")
            self.assertEqual(self.files("."), before)
        os.rename(mnist / "t10k-images-idx3-ubyte", mnist / "old.npy")
        self.assert_ended(self.tool("encode", model, "--data", "mnist", "--part", "train", "--out", "mnist/old.npy"), USAGE,
                          "is a file in --data")
        self.assert_done(self.tool("encode", model, "--data", "mnist", "--part", "train", "--out", "mnist/z.npy"))
        self.assert_done(self.tool("encode", self.model, "--data", "tab.csv", "--out", "z.csv"))
        self.refused("generate", self.model, "--latents", "z.csv", "--out", "z.csv")

    def test_every_file_of_every_command_is_compared(self):
        known = {"--out", "--rows", "--flags", "--logvar", "--codes", "--data", "--labels", "--reference",
                 "--reference-labels", "--latents"}
        commands = re.findall(r"^  (\w+) ", self.run_program("vae_cuda", "--help").out.split("Commands")[1], re.M)
        self.assertGreater(len(commands), 8)
        for command in commands:
            text = self.run_program("vae_cuda", command, "--help").out
            self.assertLessEqual(set(re.findall(r"(--[\w-]+) (?:FILE|PATH|DIR)\b", text)), known, command)

    def test_a_page_on_a_file_of_its_run(self):
        before = self.files("run")
        for name in RUN_FILES:
            self.refused("report", "run", "--out", f"run/{name}")
        self.assertEqual(self.files("run"), before)
        self.assert_done(self.run_program("vae_cuda", "report", "run", "--out", "page.html"))

    def test_an_output_on_a_file_of_a_run(self):
        """What a run is resumed, used and shown by, of the model's own run and of another, by its name and by a link."""
        self.assert_done(self.train("--data", "tab.csv", *FEW, "--epochs", 1, "--out", "other"))
        os.link(self.folder / "run" / "state.safetensors", self.folder / "hard.npy")
        os.symlink("other/last.safetensors", self.folder / "soft.csv")
        before = self.files("run"), self.files("other")
        for run in ("run", "link/../other"):
            events = next(name for name in self.files(run) if "tfevents" in name)
            for name in (*RUN_FILES, events, "samples.png", "manifold.png", "reconstructions.png"):
                for form in ("safetensors", "npz"):
                    self.refused("export", "run/last.safetensors", "--format", form, "--out", f"{run}/{name}")
        data = ["--data", "tab.csv"]
        for out in ("hard.npy", "soft.csv"):
            self.refused("encode", self.model, *data, "--out", out)
            self.refused("encode", self.model, *data, "--out", "z.npy", "--logvar", out)
            self.refused("reconstruct", self.model, *data, "--out", out)
            self.refused("generate", self.model, "-n", 2, "--out", out)
            self.refused("interpolate", self.model, *data, "--from", 0, "--to", 1, "--out", out)
            self.refused("neighbors", self.model, *data, "--row", 0, "--out", out)
            self.refused("manifold", self.model, "--out", out)
            self.refused("traverse", self.model, "--out", out)
            self.refused("score", self.model, *data, "--out", out)
            self.refused("score", self.model, *data, "--threshold", 1, "--out", "s.csv", "--flags", out)
            self.refused("evaluate", self.model, *data, "--samples", 0, "--rows", out)
        self.refused("generate", self.model, "-n", 2, "--out", "run/samples.png")
        self.assertEqual((self.files("run"), self.files("other")), before)
        self.assert_done(self.tool("generate", self.model, "-n", 2, "--out", "run/mine.png"))
        self.assert_done(self.run_program("vae_cuda", "report", "run", "--out", "run/report.html"))
        os.mkdir(self.folder / "models")
        self.write("models/config.toml", "")
        for _ in range(2):
            self.assert_done(self.tool("export", self.model, "--format", "safetensors", "--out", "models/model.safetensors"))

    def test_an_output_where_stdout_goes(self):
        line = f"$B/vae_cuda evaluate {self.model} --data tab.csv --device cpu --samples 0 --rows out.csv > out.csv"
        self.assert_ended(self.run_program(None, line.replace("$B", str(BIN.resolve())), shell=True), USAGE, "stdout")

    def test_links_in_a_ring(self):
        os.symlink("ring.csv", self.folder / "ring.csv")
        result = self.tool("encode", self.model, "--data", "tab.csv", "--out", "ring.csv", "--logvar", "lv.csv")
        self.assert_ended(result, RUNTIME, "ring.csv", "symbolic links")

    def test_outputs_apart_are_written(self):
        for path in ("z.npy", "link/z.npy"):
            self.assert_done(self.tool("encode", self.model, "--data", "tab.csv", "--out", path, "--logvar", "lv.npy"))
        self.assert_done(self.tool("score", self.model, "--data", "tab.csv", "--threshold", "1", "--out", "s.csv",
                                   "--flags", "f.npy"))
        self.assert_done(self.tool("encode", self.model, "--data", "tab.csv", "--out", "z.npy"))  # an old output
        os.symlink("made.csv", self.folder / "to.csv")  # a link that leads nowhere yet
        self.assert_done(self.tool("encode", self.model, "--data", "tab.csv", "--out", "to.csv"))
        self.assertTrue((self.folder / "to.csv").is_symlink() and (self.folder / "made.csv").exists())


class PathsWithLinks(RunCase):
    def setUp(self):
        super().setUp()
        # link -> real/inner, so that link/../d.csv is real/d.csv, and not d.csv.
        os.makedirs(self.folder / "real" / "inner")
        os.symlink("real/inner", self.folder / "link")
        self.table("real/d.csv", sensor_rows(seed=2), SENSOR_NAMES)
        self.table("d.csv", sensor_rows(seed=3), SENSOR_NAMES)

    def test_the_file_that_was_read_is_recorded(self):
        words = [*FEW, "--epochs", 2]
        self.assert_done(self.train("--data", "link/../d.csv", "--valid", "link/.././d.csv", "--test", "link/../d.csv",
                                    *words, "--out", "run"))
        recorded = (self.folder / "run" / "config.toml").read_text()
        self.assertEqual(recorded.count(str(self.folder.resolve() / "real" / "d.csv")), 3, recorded)
        self.assert_done(self.train("--config", "run/config.toml", "--out", "again"))
        for name in ("model.safetensors", "state.safetensors"):
            self.assertEqual(self.files("run")[name], self.files("again")[name], name)
        self.assert_done(self.train("--resume", "run", "--epochs", 3))

    def test_a_link_to_the_data_stays_a_link(self):
        os.symlink("real/d.csv", self.folder / "current.csv")
        self.assert_done(self.train("--data", "./current.csv", *FEW, "--epochs", 1, "--out", "run"))
        self.assertIn(f"{self.folder}/current.csv", (self.folder / "run" / "config.toml").read_text())

    def test_other_test_rows_are_refused(self):
        self.table("test.csv", sensor_rows(50, seed=4), SENSOR_NAMES)
        self.assert_done(self.train("--data", "tab.csv", "--test", "test.csv", *FEW, "--epochs", 1, "--out", "run"))
        self.table("other.csv", sensor_rows(50, seed=5), SENSOR_NAMES)
        result = self.train("--resume", "run", "--epochs", 2, "--test", "other.csv")
        self.assert_ended(result, BAD_FILE, "other.csv", "test rows are not those")
        (self.folder / "test.csv").rename(self.folder / "moved.csv")
        self.assert_done(self.train("--resume", "run", "--epochs", 2, "--test", "moved.csv"))

    def test_split_off_test_rows_are_known_as_well(self):
        self.assert_done(self.train("--data", "tab.csv", "--test-fraction", "0.2", *FEW, "--epochs", 1, "--out", "run"))
        self.assert_done(self.train("--resume", "run", "--epochs", 2))
        self.assertIn(rb'\"test\":\"', self.files("run")["state.safetensors"])


if __name__ == "__main__":
    main()
