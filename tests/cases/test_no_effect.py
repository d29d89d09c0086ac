"""Options that would have no effect, or another than the run's record says: refused, or said at the start."""

import support

GAUSSIAN = ["--likelihood", "gaussian", "--standardize", *support.PLANE, "--batch-size", 20, "--no-report", "--quiet"]


class NoEffect(support.Case):
    def setUp(self):
        super().setUp()
        self.table("x.csv", support.sensor_rows(100), support.SENSOR_NAMES)

    def run_of(self, out, *options, more=GAUSSIAN):
        return self.train("--data", "x.csv", *more, *options, "--out", out)

    def test_resume_from_another_model(self):
        """A run that goes on has its weights: --init-from is refused unless it is what the run began with."""
        self.assert_done(self.run_of("m", "--epochs", 1))
        self.assert_done(self.run_of("plain", "--epochs", 1))
        config = (self.folder / "plain" / "config.toml").read_bytes()
        for model in ("m/model.safetensors", "nothere.safetensors", "plain/model.safetensors"):
            self.assert_ended(self.train("--resume", "plain", "--init-from", model, "--epochs", 2, "--quiet"), support.USAGE,
                              "--init-from: the run in plain began with no model", model)
        self.assertEqual((self.folder / "plain" / "config.toml").read_bytes(), config)
        self.assert_done(self.run_of("told", "--epochs", 1, "--init-from", "m/model.safetensors"))
        self.assert_ended(self.train("--resume", "told", "--init-from", "plain/model.safetensors", "--epochs", 2),
                          support.USAGE, "began with '", "m/model.safetensors")
        self.assert_done(self.train("--resume", "told", "--init-from", "./m/model.safetensors", "--epochs", 2, "--no-report",
                                    "--quiet"))
        (self.folder / "m" / "model.safetensors").rename(self.folder / "gone.safetensors")
        self.assert_done(self.train("--resume", "told", "--epochs", 3, "--no-report", "--quiet"))
        (self.folder / "gone.safetensors").rename(self.folder / "m" / "model.safetensors")
        self.assert_done(self.train("--config", "told/config.toml", "--out", "again", "--no-report", "--quiet"))
        self.assertEqual((self.folder / "again" / "last.safetensors").read_bytes(),
                         (self.folder / "told" / "last.safetensors").read_bytes())

    def test_report_onto_the_run(self):
        """What the report shows is not replaced by it."""
        self.assert_done(self.run_of("r", "--epochs", 1))
        names = [path.name for path in (self.folder / "r").iterdir() if path.name != "report.html"]
        self.assertTrue({"samples.png", "reconstructions.png", "manifold.png"} <= set(names), names)
        self.assertTrue(any("tfevents" in name for name in names), names)
        for name in names:
            before = (self.folder / "r" / name).read_bytes()
            self.assert_ended(self.tool("report", "r", "--out", f"r/{name}"), support.USAGE, "are the same file")
            self.assertEqual((self.folder / "r" / name).read_bytes(), before)
        self.assert_done(self.tool("report", "r"))

    def test_normal_label_says_what_it_leaves(self):
        rows = [[*row, "pq"[i % 2]] for i, row in enumerate(support.sensor_rows(80))]
        self.table("l.csv", rows, [*support.SENSOR_NAMES, "label"])
        run = self.train("--data", "l.csv", *GAUSSIAN[:-1], "--steps", 2, "--normal-label", "p", "--out", "n")
        self.assert_done(run, "--normal-label p: 40 of 80 rows are trained on", "test rows any")

    def test_files_in_the_way(self):
        """A file where a replacing run keeps its folder is named with what to do; a user's .tmp files are left alone."""
        self.assert_done(self.run_of("w", "--steps", 2))
        for name in (".new-run", ".next-run"):
            (self.folder / "w" / name).write_text("mine")
            self.assert_ended(self.run_of("w", "--steps", 2, "--overwrite"), support.RUNTIME, f"w/{name}' is not a folder",
                              "rename or remove it")
            self.assertEqual((self.folder / "w" / name).read_text(), "mine")
            (self.folder / "w" / name).unlink()
        mine = ["report.html.tmp", "state.safetensors.tmp", "config.toml.mine.tmp", "report.html..tmp"]
        for name in mine:
            (self.folder / "w" / name).write_text("mine")
        (self.folder / "w" / "config.toml.4711-0.tmp").write_text("left over")
        self.assert_done(self.run_of("w", "--steps", 2, "--overwrite"))
        self.assertEqual([(self.folder / "w" / name).read_text() for name in mine], ["mine"] * len(mine))
        self.assertFalse((self.folder / "w" / "config.toml.4711-0.tmp").exists())

    def test_kl_term_without_weight(self):
        for option in ("--capacity", "--free-bits"):
            self.assert_ended(self.run_of("b", "--beta", 0, option, 1), support.USAGE, f"--beta 0 and {option} contradict")

    def test_codebook_of_one_code(self):
        self.assert_ended(self.run_of("q", "--latent", "vq", "--codebook-size", 1), support.USAGE, "--codebook-size", "2")

    def test_schedules_beyond_the_end(self):
        """What of a schedule a run does not come to is said at its start."""
        weight = "the weight of the KL term ends at"
        loud = GAUSSIAN[:-1]
        for number, (options, words) in enumerate((
                (["--beta", 1000, "--beta-schedule", "linear:steps=1000"], f"{weight} 24, while"),
                (["--beta-schedule", "cyclical:period=20,ramp=0.5"], f"{weight} 0.4, while"),
                (["--beta-schedule", "cyclical:period=100,ramp=0.5"], f"{weight} 0.48, while"),
                (["--capacity", 5, "--capacity-steps", 50], "the capacity ends at 2.4 nats, while"),
                (["--lr-schedule", "stages:2=1e-4,50=1e-5"], "does not come to the stages from epoch 50 on"))):
            self.assert_done(self.run_of(f"s{number}", "--steps", 25, *options, more=loud), "warning: ", words)
        self.assert_done(self.run_of("e", "--epochs", 1, "--lr-schedule", "exponential:gamma=0.5", more=loud),
                         "the rate never falls")
        for number, options in enumerate((["--beta-schedule", "linear:steps=25"], ["--beta-schedule", "linear:steps=10"],
                                          ["--beta-schedule", "cyclical:period=5,ramp=1"],
                                          ["--beta-schedule", "cyclical:period=20,ramp=0.2"],
                                          ["--capacity", 1, "--capacity-steps", 25], ["--lr-schedule", "stages:4=1e-4"],
                                          ["--lr-schedule", "exponential:gamma=0.5"])):
            quiet = self.run_of(f"f{number}", "--steps", 25, *options, more=loud)
            self.assert_done(quiet)
            self.assert_silent_about(quiet, "schedule:", "-steps:", "exponential:")


if __name__ == "__main__":
    support.main()
