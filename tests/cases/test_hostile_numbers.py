"""Numbers at the ends of what a double or a float holds, in the files of a run and in rows."""

import json
import math
import re
import struct

from support import BAD_FILE, OK, SENSOR_NAMES, PLANE, USAGE, Case, main, npy, sensor_rows

# The ends of what a double holds, and what lies nearest to none.
EXTREMES = ["1.7976931348623157e308", "-1.7976931348623157e308", "2.3e-308", "1e300", "-1e300", "1e-300", "0", "-0.0",
            "null", "1", "9007199254740993", "123456789012345678901234567890"]


def line(step, epoch, loss, latent, more=""):
    return (f'{{"step":{step},"epoch":{epoch},"loss":{loss},"reconstruction":{loss},"kl":{latent},"lr":{latent},'
            f'"gradient_norm":{loss},"seconds":{step}{more},"valid":{{"loss":{loss},"reconstruction":{latent},'
            f'"kl":{latent},"active_units":1,"kl_per_latent":[{latent},1]}}}}\n')


class Report(Case):
    """A run's folder is what somebody sent."""

    def setUp(self):
        super().setUp()
        self.table("t.csv", sensor_rows(60), SENSOR_NAMES)
        self.assert_done(self.train("--data", "t.csv", "--standardize", "--likelihood", "gaussian", "--epochs", 2,
                                    "--valid-fraction", 0.3, "--out", "run", *PLANE))

    def page_of(self, metrics):
        self.write("run/metrics.jsonl", metrics)
        self.assert_done(self.tool("report", "run", timeout=20))
        page = (self.folder / "run" / "report.html").read_text()
        self.assertLess(len(page), 2 << 20)
        for drawn in re.findall(r' (?:d|x|y|width|height|viewBox|data-x|data-y)="([^"]*)"', page):
            self.assertNotRegex(drawn, r"nan|inf|e[+-]?[0-9]{4}")
        return page

    def test_figures_of_every_size(self):
        for i, first in enumerate(EXTREMES):
            for second in EXTREMES[i % 3::3]:
                with self.subTest(first=first, second=second):
                    self.page_of(line(1, 1, first, second) + line(2, 2, second, first) + line(3, 3, "1", "0.5"))
        page = self.page_of(line(1, 1, EXTREMES[0], EXTREMES[0]) + line(2, 2, EXTREMES[0], EXTREMES[0]))
        self.assertIn("KL per latent over the epochs", page)

    def test_equal_ends(self):
        for figure in EXTREMES:
            with self.subTest(figure=figure):
                self.page_of(line(1, 1, figure, figure) + line(2, 2, figure, figure))
                self.page_of(line(1, 1, figure, figure))

    def test_an_axis_tells_its_figures(self):
        page = self.page_of("".join(line(i, i, f"{s}1.7e308", "0.5") for i, s in ((1, ""), (2, "-"))))
        chart = page[page.index("<h3>Loss</h3>"):]
        chart = chart[:chart.index("</figure>")]
        ticks = [float(word) for word in re.findall(r'class="tick end"[^>]*>([^<]*)<', chart)]
        self.assertLess(min(ticks), -9e307)
        self.assertGreater(max(ticks), 9e307)
        self.assertLess(len(ticks), 8)

    def test_steps_and_epochs(self):
        big = (1 << 63) - 1
        for step, epoch in ((big, 1), (10 ** 11, "1e-300"), (10 ** 11, "1e308"), (1, "1e308"), (2, "2.3e-308")):
            with self.subTest(step=step, epoch=epoch):
                page = self.page_of(line(step, epoch, 1, 1))
                if step == big:
                    self.assertIn("could not be read are left out (1)", page)
        page = self.page_of(line(1, 5, 1, 1) + line(2, 3, 1, 1))
        self.assertIn("could not be read are left out (1)", page)

    def test_many_figures(self):
        self.page_of("".join(line(i, i, i, 1) for i in range(1, 5000)))
        many = ",".join(["0.5"] * 20000)
        self.page_of(line(1, 1, 1, 1).replace("[1,1]", f"[{many}]") * 3)

    def test_a_picture_that_claims_to_be_endless(self):
        sides = struct.pack(">II", 0x7FFFFFFF, 0x7FFFFFFF)
        for name in ("samples", "reconstructions", "manifold"):
            self.write(f"run/{name}.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + sides + bytes(20))
        self.page_of(line(1, 1, 1, 1))

    def test_rows_that_overflow(self):
        self.table("t.csv", [["1e38"] * 5] * 30 + sensor_rows(30), SENSOR_NAMES)
        page = re.sub(r'src="[^"]*"', "", self.page_of(line(1, 1, 1, 1)))
        self.assertEqual(re.findall(r"(?<![a-z])-?(?:nan|inf)(?![a-z])", page), [])
        self.assertRegex(page, "of them are not finite and not drawn")
        self.assertIn("<h3>Interpolations</h3>", page)

    def test_a_configuration_that_is_none(self):
        for text in ("[train]\nseed = 99999999999999999999\n", "[optimizer]\nlr = nan\n", "[a]\nx = " + "[" * 5000):
            self.write("run/config.toml", text)
            result = self.tool("report", "run")
            self.assertIn(result.code, (USAGE, BAD_FILE), str(result))
            self.assertIn("config.toml", result.err)


def numbers_of(text):
    return [float(cell) for row in text.splitlines()[1:] for cell in row.split(",")]


class Rows(Case):
    """Rows whose values no float carries through a network are infinitely unlikely, or the result is warned of."""

    MODELS = [["--likelihood", "gaussian", "--standardize"], ["--likelihood", "laplace"],
              ["--likelihood", "gaussian", "--sigma", "learned", "--logvar-head", "logsigma"],
              ["--likelihood", "laplace", "--sigma", "head"], ["--likelihood", "gaussian", "--sigma", "head"],
              ["--likelihood", "bernoulli", "--scale", "largest", "--activation", "tanh"],
              ["--likelihood", "gaussian", "--latent", "deterministic", "--activation", "gelu"],
              ["--likelihood", "gaussian", "--latent", "vq", "--codebook-size", "4"]]
    SIZES = ["1e20", "-1e20", "1e30", "1e38", "-3.4e38"]

    def setUp(self):
        super().setUp()
        rows = [[abs(value) for value in row] for row in sensor_rows(60)]
        self.table("t.csv", rows, SENSOR_NAMES)
        far = [[size] * 5 for size in self.SIZES] + [[0, size, 0, "-" + size.strip("-"), 1] for size in self.SIZES]
        self.usual = 4
        self.table("far.csv", rows[:self.usual] + far, SENSOR_NAMES)
        self.count = self.usual + len(far)

    def test_scores_and_figures(self):
        for i, words in enumerate(self.MODELS):
            with self.subTest(words=words):
                trained = self.train("--data", "t.csv", "--epochs", 1, "--no-report", "--out", f"r{i}", *words, *PLANE)
                self.assert_done(trained)
                model = f"r{i}/model.safetensors"
                gaussian = "--latent" not in words
                for metric in ["elbo", "reconstruction"] + ["nll"] * gaussian:
                    for samples in (1, 3):
                        result = self.tool("score", model, "--data", "far.csv", "--metric", metric, "--samples", samples,
                                           "--threshold", "1e12")
                        if "bernoulli" in words:
                            self.assert_ended(result, BAD_FILE, "lies outside [0,1]")
                            continue
                        self.assert_done(result)
                        table = [line.split(",") for line in result.out.splitlines()[1:]]
                        self.assertEqual(len(table), self.count)
                        for row, score, flag in table:
                            self.assertFalse(math.isnan(float(score)), f"{metric} {row} {score}")
                            self.assertEqual(flag, str(int(int(row) >= self.usual)), f"{metric} {row} {score}")
                for more in ([], ["--json"]):
                    result = self.tool("evaluate", model, "--data", "far.csv", "--samples", 2, "--rows", "e.csv", *more)
                    self.assertNotRegex(result.out, r"(?i)\bnan\b")
                    if result.code == OK:
                        self.assertIn("warning: ", result.err)
                        self.assertFalse(any(map(math.isnan, numbers_of((self.folder / "e.csv").read_text()))))
                for command in ("encode", "reconstruct"):
                    result = self.tool(command, model, "--data", "far.csv", "--out", "o.csv")
                    if result.code == OK and not all(map(math.isfinite, numbers_of((self.folder / "o.csv").read_text()))):
                        self.assertRegex(result.err, "gave results that are not finite")

    def test_drawn_rows(self):
        self.assert_done(self.train("--data", "t.csv", "--epochs", 1, "--no-report", "--standardize", "--likelihood",
                                    "gaussian", "--out", "run", *PLANE))
        content = (self.folder / "run" / "model.safetensors").read_bytes()
        size, = struct.unpack("<Q", content[:8])
        start = 8 + size
        header = json.loads(content[8:start])

        def with_large(tensor):
            begin, end = header[tensor]["data_offsets"]
            return content[:start + begin] + struct.pack("<f", 3e38) * ((end - begin) // 4) + content[start + end:]

        self.write("m.safetensors", with_large("output.weight"))
        self.write("far.safetensors", with_large("encoder.0.weight"))
        self.table("z.csv", [["1e38", "1e38"], ["0.5", "0.5"]])
        warning = "rows are not finite, row"
        for words in (["generate", "m.safetensors"], ["generate", "run/model.safetensors", "--latents", "z.csv"],
                      ["traverse", "m.safetensors", "--steps", 3], ["manifold", "m.safetensors", "--grid", 3],
                      ["interpolate", "m.safetensors", "--from", 0, "--to", 1, "--data", "t.csv"],
                      ["neighbors", "m.safetensors", "--row", 0, "--data", "t.csv"]):
            for out in ("o.csv", "o.png"):
                with self.subTest(words=words, out=out):
                    if words[-1] == "z.csv":
                        self.table("z.csv", [["3e38", "-3e38"], ["0.5", "0.5"]])
                    result = self.tool(*words, "--out", out)
                    self.assert_done(result)
                    if out == "o.csv" and not all(map(math.isfinite, numbers_of((self.folder / out).read_text()))):
                        self.assertIn(warning, result.err)
                    if words[1] == "m.safetensors":
                        self.assertIn(warning, result.err)
                        told = json.loads(self.tool(*words, "--out", out, "--json").out)
                        self.assertIn(warning, told["warnings"][0])
        self.assert_silent_about(self.tool("generate", "run/model.safetensors", "--out", "o.csv"), "not finite")
        for words in (["interpolate", "--from", 1, "--to", 0], ["neighbors", "--row", 0], ["traverse", "--row", 0]):
            with self.subTest(words=words):
                self.assert_ended(self.tool(words[0], "far.safetensors", "--data", "t.csv", *words[1:], "--out", "w.csv"), BAD_FILE,
                                  "t.csv: row 0: its latents are not finite")
                self.assertFalse((self.folder / "w.csv").exists())


class Rounding(Case):
    """Values that differ and become one 32-bit float: said, with the column and what to do, which works."""

    def train_on(self, name):
        return self.train("--data", name, "--epochs", 1, "--out", name + ".run", "--overwrite", "--no-report", "--standardize",
                          "--likelihood", "gaussian", *PLANE)

    def test_columns_far_from_zero(self):
        rows = sensor_rows(60)
        for name, first, step in (("time", 1.7e9 + 0.5, 1), ("julian", 2460000.25, 0.0625), ("small", 1e-3 + 1e-12, 1e-12)):
            with self.subTest(name=name):
                self.table("t.csv", [[repr(first + step * i), *row] for i, row in enumerate(rows)], ["t", *SENSOR_NAMES])
                run = self.train_on("t.csv")
                self.assert_done(run, 'warning: t.csv: column "t": 60 different values', "32-bit floats", "become equal",
                                 "subtract a constant from the column")
                self.table("d.csv", [[repr(step * i), *row] for i, row in enumerate(rows)], ["t", *SENSOR_NAMES])
                mended = self.train_on("d.csv")
                self.assert_done(mended)
                self.assert_silent_about(mended, "32-bit floats")
                values = [value for i, row in enumerate(rows) for value in (first + step * i, *row)]
                self.write("t.npy", npy("<f8", (60, 6), struct.pack(f"<{len(values)}d", *values)))
                said = "warning: t.npy: column 0 (counted from 0): 60 different values"
                self.assert_done(self.train_on("t.npy"), said)
                self.assert_done(self.tool("score", "t.npy.run/model.safetensors", "--data", "t.npy"), said)

    def test_columns_that_keep_their_values(self):
        """Nothing is said of few values, of constants, of the noise of a computation, and of values farther apart than a
        32-bit float's step."""
        columns = (lambda i: 1.7e9 + 0.5, lambda i: 1.7e9 + 0.25 * (i % 3), lambda i: 0.1 + i % 2 * 1e-17 + i, lambda i: 5e6 + 12.3 * i,
                   lambda i: 1 / 3 + i, lambda i: 1e3 * i)
        self.table("t.csv", [[repr(of(i)) for of in columns] for i in range(60)], "abcdef")
        run = self.train_on("t.csv")
        self.assert_done(run)
        self.assert_silent_about(run, "32-bit floats")

    def test_integers_beyond_a_float(self):
        """The advice of the refusal leads to what is read."""
        self.table("t.csv", [[1700000001 + i, *row] for i, row in enumerate(sensor_rows(60))], ["t", *SENSOR_NAMES])
        self.assert_ended(self.train_on("t.csv"), BAD_FILE, "subtract a constant from the column (its smallest value)")


class Options(Case):
    """What fp32 makes nothing of is no value of an option."""

    def test_numbers_below_what_fp32_tells(self):
        self.table("t.csv", sensor_rows(60), SENSOR_NAMES)
        words = ["--data", "t.csv", "--epochs", 1, "--out", "run", "--no-report", *PLANE]
        for option, text, allowed in (
                ("--clip-norm", "1e-300", "0 or a number from 1e-18"), ("--clip-norm", "1e-20", "0 or a number from 1e-18"),
                ("--lr", "1e-46", "a number from 1e-30"), ("--lr", "0", "a number from 1e-30"),
                ("--lr-schedule", "stages:1=1e-46", "a number from 1e-30"), ("--beta", "1e-46", "0 or a number from 1e-30"),
                ("--weight-decay", "1e-46", "0 or a number from 1e-30"), ("--free-bits", "5e-324", "0 or a number from 1e-30"),
                ("--capacity", "1e-50", "0 or a number from 1e-30"), ("--adam-eps", "1e-46", "a number from 1e-30")):
            with self.subTest(option=option, text=text):
                self.assert_ended(self.train(*words, option, text), USAGE, option, allowed)
        self.write("c.toml", "[optimizer]\nclip_norm = 1e-300\n")
        self.assert_ended(self.train(*words, "--config", "c.toml"), USAGE, "c.toml", "clip_norm", "0 or a number from 1e-18")
        self.assert_done(self.train(*words, "--clip-norm", 0, "--beta", 0, "--weight-decay", 0, "--free-bits", 0,
                                    "--standardize", "--likelihood", "gaussian"))


if __name__ == "__main__":
    main()
