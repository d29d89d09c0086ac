"""The scale of values: decided from what they are, kept in the model, and doubted where new rows are of another."""

import gzip
import json
import random
import struct
import unittest

from support import BAD_FILE, SMALL, USAGE, Case, main, npy

ROWS, SIDE = 200, 6
COLUMNS = SIDE * SIDE
PART = ["--hidden", "8", "--latent-dim", "3", "--device", "cpu", "--seed", "1", "--batch-size", "25", "--no-report"]
RUN = [*PART, "--epochs", "4"]
DOUBT = "no value is above 1"
DOUBTS = (DOUBT, "values are typically")


def binary_rows(count=ROWS, columns=COLUMNS, seed=1):
    """0/1 rows with structure: each column agrees with one of two hidden bits of its row."""
    draw = random.Random(seed)
    values = []
    for _ in range(count):
        bits = [draw.random() < 0.5, draw.random() < 0.3]
        values += [int(bits[c % 2] if draw.random() < 0.9 else not bits[c % 2]) for c in range(columns)]
    return values


def grey_rows(brightest=255, seed=2):
    draw = random.Random(seed)
    return [draw.choice((0, 0, draw.randrange(brightest + 1))) for _ in range(ROWS * COLUMNS - 1)] + [brightest]


def array(kind, values, shape=(ROWS, COLUMNS)):
    code = {"|u1": "B", "|b1": "?", "|i1": "b", "<i8": "q", "<f4": "f"}[kind]
    return npy(kind, shape, struct.pack(f"<{len(values)}{code}", *values))


def idx(values, rows=ROWS):
    return struct.pack(">IIII", 0x00000803, rows, SIDE, SIDE) + bytes(values)


class Scale(Case):
    def config(self, run, key="scale"):
        for line in (self.folder / run / "config.toml").read_text().splitlines():
            if line.split("=")[0].strip() == key:
                return line.split("=")[1].strip().strip('"')
        self.fail(f"{run}/config.toml has no {key}")

    def model_scale(self, run):
        """Of the model file's metadata."""
        content = (self.folder / run / "model.safetensors").read_bytes()
        header = json.loads(content[8:8 + struct.unpack("<Q", content[:8])[0]])
        return json.loads(header["__metadata__"]["config"])["data"]["scale"]

    def summary(self, *words, out="r"):
        result = self.train(*words, *RUN, "--out", out, "--overwrite", "--json")
        self.assert_done(result)
        return json.loads(result.out), result

    def test_zero_one_tables_are_one_whatever_their_type(self):
        values = binary_rows()
        losses = {}
        for name, kind in (("u8", "|u1"), ("bool", "|b1"), ("i8", "|i1"), ("i64", "<i8"), ("f32", "<f4")):
            self.write(f"{name}.npy", array(kind, values))
            summary, _ = self.summary("--data", f"{name}.npy", "--test-fraction", "0.2")
            losses[name] = summary["test"]["loss"]
        self.table("text.csv", [values[i:i + COLUMNS] for i in range(0, len(values), COLUMNS)])
        losses["csv"] = self.summary("--data", "text.csv", "--test-fraction", "0.2")[0]["test"]["loss"]
        self.write("images", idx(values))
        losses["idx"] = self.summary("--data", "images", "--test-fraction", "0.2")[0]["test"]["loss"]
        self.write("images.gz", gzip.compress(idx(values)))
        losses["idx.gz"] = self.summary("--data", "images.gz", "--test-fraction", "0.2")[0]["test"]["loss"]
        self.assertEqual(len(set(losses.values())), 1, losses)

    def test_the_answer_is_said_and_kept(self):
        cases = {"bits": (binary_rows(), "none", 1.0, "taken as they are"),
                 "genotypes": ([v * 2 - (i % 7 == 0 and v) for i, v in enumerate(binary_rows())], "none", 1.0,
                               "taken as they are"),
                 "counts": (grey_rows(100), "none", 1.0, "taken as they are"),
                 "dark": (grey_rows(200), "255", 1 / 255, "divided by 255"),
                 "greys": (grey_rows(), "255", 1 / 255, "divided by 255"),
                 "zeros": ([0] * (ROWS * COLUMNS), "none", 1.0, "every byte of the training rows is 0")}
        for name, (values, word, factor, said) in cases.items():
            with self.subTest(data=name):
                self.write(f"{name}.npy", array("|u1", values))
                likelihood = ["--likelihood", "gaussian"]
                _, result = self.summary("--data", f"{name}.npy", *likelihood, out=name)
                self.assertIn(said, result.err)
                self.assertEqual(self.config(name), word)
                self.assertAlmostEqual(self.model_scale(name), factor, places=9)
                # What is written repeats the run.
                model = (self.folder / name / "model.safetensors").read_bytes()
                self.assert_done(self.train("--config", f"{name}/config.toml", "--out", "again", "--overwrite"))
                self.assertEqual(model, (self.folder / "again/model.safetensors").read_bytes())

    def test_what_is_asked_for_holds(self):
        self.write("bits.npy", array("|u1", binary_rows()))
        self.write("counts.npy", array("|u1", grey_rows(50)))
        for data, asked, word, factor in (("bits.npy", "255", "255", 1 / 255), ("bits.npy", "unit", "largest", 1.0),
                                          ("counts.npy", "largest", "largest", 1 / 50),
                                          ("counts.npy", "unit", "largest", 1 / 50)):
            with self.subTest(data=data, scale=asked):
                self.summary("--data", data, "--scale", asked)
                self.assertEqual(self.config("r"), word)
                self.assertAlmostEqual(self.model_scale("r"), factor, places=7)
        result = self.train("--data", "counts.npy", *RUN, "--out", "x")
        self.assert_ended(result, BAD_FILE, "lies outside [0,1]", "--likelihood gaussian", "--scale 255")
        self.assert_silent_about(result, "--scale unit")

    def test_thresholds(self):
        self.write("bits.npy", array("|u1", binary_rows()))
        self.write("floats.npy", array("<f4", binary_rows()))
        ones = {}
        for name in ("bits", "floats"):
            summary, _ = self.summary("--data", f"{name}.npy", "--binarize", "threshold", "--test-fraction", "0.2")
            ones[name] = summary["test"]["loss"]
        plain, _ = self.summary("--data", "floats.npy", "--test-fraction", "0.2")
        self.assertEqual(set(ones.values()), {plain["test"]["loss"]})
        self.write("zeros.npy", array("|u1", [0] * (ROWS * COLUMNS)))
        self.assert_ended(self.train("--data", "zeros.npy", "--binarize", "threshold", *RUN, "--out", "z"), BAD_FILE,
                          "zeros.npy", "makes 0 of every value")
        self.assertFalse((self.folder / "z").exists())

    def test_a_model_of_bytes_doubts_pictures_in_unit_range(self):
        greys = grey_rows()
        self.write("bytes.npy", array("|u1", greys, (ROWS, SIDE, SIDE)))
        self.write("unit.npy", array("<f4", [v / 255 for v in greys], (ROWS, SIDE, SIDE)))
        self.table("unit.csv", [[v / 255 for v in greys[i:i + COLUMNS]] for i in range(0, len(greys), COLUMNS)])
        self.write("bits", idx([min(v, 1) for v in greys]))
        self.summary("--data", "bytes.npy", out="run")
        model = "run/model.safetensors"
        for data in ("unit.npy", "unit.csv", "bits"):
            for words in (["evaluate", "--samples", "0"], ["evaluate", "--samples", "2", "--elbo-samples", "3"],
                          ["score", "--out", "s.csv"], ["score", "--metric", "nll", "--samples", "2", "--out", "s.csv"],
                          ["encode", "--out", "z.npy"], ["reconstruct", "--out", "r.npy"],
                          ["reconstruct", "--out", "r.png"]):
                with self.subTest(data=data, command=words):
                    command, *rest = words
                    result = self.tool(command, model, "--data", data, *rest)
                    self.assert_done(result, f"warning: {data}: {DOUBT}", "255")
                    self.assertEqual(result.err.count(DOUBT), 1, str(result))
        self.assert_done(self.tool("score", model, "--data", "bytes.npy", "--threshold-quantile", "0.9", "--reference",
                                   "unit.npy", "--out", "s.csv"), f"warning: unit.npy: {DOUBT}")
        self.write("black.npy", array("<f4", [0.0] * (ROWS * COLUMNS)))
        for data in ("bytes.npy", "black.npy"):
            self.assert_silent_about(self.tool("evaluate", model, "--data", data, "--samples", "0"), *DOUBTS)
        result = self.train("--data", "unit.npy", "--init-from", model, *RUN, "--out", "on")
        self.assert_done(result, f"warning: unit.npy: {DOUBT}")

    def test_a_model_of_unit_values_doubts_bytes(self):
        greys = grey_rows()
        self.write("bytes.npy", array("|u1", greys))
        self.write("unit.npy", array("<f4", [v / 255 for v in greys]))
        self.write("bits.npy", array("|u1", [min(v, 1) for v in greys]))
        self.write("ends.npy", array("|u1", [min(v, 1) * 255 for v in greys]))
        for data, new in (("unit.npy", "bytes.npy"), ("bits.npy", "ends.npy")):
            with self.subTest(data=data):
                self.summary("--data", data, out="b")
                result = self.tool("score", "b/model.safetensors", "--data", new)
                self.assert_ended(result, BAD_FILE, new, "outside [0,1]", "divided by 255")
                self.summary("--data", data, "--likelihood", "gaussian", out="g")
                result = self.tool("score", "g/model.safetensors", "--data", new, "--out", "s.csv")
                self.assert_done(result, f"warning: {new}: values are typically", "the units of the training rows")
                self.assert_silent_about(self.tool("score", "g/model.safetensors", "--data", data, "--out", "s.csv"),
                                         *DOUBTS)

    def test_held_out_rows_of_another_type_or_scale(self):
        greys = grey_rows()
        self.write("bytes.npy", array("|u1", greys))
        self.write("floats.npy", array("<f4", greys))
        self.write("unit.npy", array("<f4", [v / 255 for v in greys]))
        self.write("bits.npy", array("|u1", [min(v, 1) for v in greys]))
        self.write("bits_f32.npy", array("<f4", [min(v, 1) for v in greys]))
        # The same rows in another type are the same rows.
        for train, test in (("bytes.npy", "floats.npy"), ("bits.npy", "bits_f32.npy"), ("bits_f32.npy", "bits.npy")):
            with self.subTest(train=train, test=test):
                own, _ = self.summary("--data", train, "--test", train, "--valid", train)
                other, result = self.summary("--data", train, "--test", test, "--valid", test)
                self.assertEqual(own["test"]["loss"], other["test"]["loss"])
                self.assertEqual(own["valid"]["loss"], other["valid"]["loss"])
                self.assert_silent_about(result, *DOUBTS)
        for option in ("--test", "--valid"):
            for train, test, said in (("bytes.npy", "unit.npy", "floats that are no bytes"),
                                      ("bytes.npy", "bits_f32.npy", DOUBT),
                                      ("unit.npy", "bytes.npy", "values are typically")):
                with self.subTest(option=option, train=train, test=test):
                    self.assert_ended(self.train("--data", train, option, test, *RUN, "--out", "refused"), BAD_FILE,
                                      test, said)
            # Of one type: said, and done.
            self.assert_done(self.train("--data", "bytes.npy", option, "bits.npy", *RUN, "--out", "x", "--overwrite"),
                             f"warning: bits.npy: {DOUBT}")
            gaussian = ["--likelihood", "gaussian"]
            self.assert_done(self.train("--data", "floats.npy", option, "unit.npy", *RUN, *gaussian, "--out", "x",
                                        "--overwrite"), "warning: unit.npy: values are typically 1/")
        # Above the training maximum, and of the same scale.
        self.write("dim.npy", array("|u1", grey_rows(200)))
        self.assert_silent_about(self.train("--data", "dim.npy", "--test", "bytes.npy", *RUN, "--out", "x",
                                            "--overwrite"), *DOUBTS)

    def test_a_run_of_an_older_version_keeps_its_scale(self):
        """Older versions divided every byte by 255, wrote `auto`, and kept no sizes in the model."""
        self.write("bits.npy", array("|u1", binary_rows()))
        self.summary("--data", "bits.npy", "--scale", "255", out="whole")
        self.assert_done(self.train("--data", "bits.npy", "--scale", "255", *PART, "--epochs", "2", "--out", "old"))
        for name, old, new in (("config.toml", b'scale = "255"', b'scale = "auto"'),
                               ("state.safetensors", b'data.scale\\":\\"255\\"', b'data.scale\\":\\"auto\\"')):
            path = self.folder / "old" / name
            content = path.read_bytes()
            self.assertIn(old, content)
            content = content.replace(old, new)
            if name.endswith("safetensors"):  # the header's length is at its front
                size = struct.unpack("<Q", content[:8])[0] + len(new) - len(old)
                content = struct.pack("<Q", size) + content[8:]
            path.write_bytes(content)
        self.assert_ended(self.train("--resume", "old", "--scale", "none", "--epochs", "4"), USAGE, "--scale", "255")
        self.assert_done(self.train("--resume", "old", "--epochs", "4"))
        self.assertEqual(self.config("old"), "255")
        for name in ("model.safetensors", "state.safetensors"):
            self.assertEqual((self.folder / "old" / name).read_bytes(), (self.folder / "whole" / name).read_bytes())

    def test_a_resumed_run_keeps_the_answer(self):
        self.write("bits.npy", array("|u1", binary_rows()))
        self.summary("--data", "bits.npy", out="whole")
        self.assert_done(self.train("--data", "bits.npy", *PART, "--epochs", "2", "--out", "part"))
        self.assert_done(self.train("--resume", "part", "--epochs", "4"))
        self.assertEqual((self.folder / "part/model.safetensors").read_bytes(),
                         (self.folder / "whole/model.safetensors").read_bytes())
        self.assert_ended(self.train("--resume", "part", "--scale", "255"), USAGE, "--scale")

    def test_a_start_model_keeps_its_scale(self):
        self.write("bytes.npy", array("|u1", grey_rows()))
        self.summary("--data", "bytes.npy", out="a")
        self.summary("--data", "bytes.npy", "--init-from", "a/model.safetensors", out="b")
        self.assertEqual(self.config("b"), "255")
        self.assert_ended(self.train("--data", "bytes.npy", "--init-from", "a/model.safetensors", "--scale", "none", *RUN,
                                     "--out", "c"), USAGE, "--scale is 255 in this model", "none")

    def test_presets_take_zero_one_bytes(self):
        self.write("bits.npy", array("|u1", binary_rows()))
        self.write("floats.npy", array("<f4", binary_rows()))
        for preset in ("pytorch-example", "iwae-paper", "anomaly"):
            losses = []
            for data in ("bits.npy", "floats.npy"):
                result = self.train("--data", data, "--test", data, "--preset", preset, "--hidden", "8", "--latent-dim",
                                    "2", "--device", "cpu", "--epochs", "1", "--out", "p", "--overwrite", "--json")
                self.assert_done(result)
                losses.append(json.loads(result.out)["test"]["loss"])
            self.assertEqual(losses[0], losses[1], preset)


class Standardize(Case):
    def test_whether_a_column_varies_is_decided_by_its_values(self):
        """Two floats side by side are two values; one value is one, whatever its mean is rounded to."""
        draw = random.Random(4)
        rows = [[1000000.0625 if draw.random() < 0.5 else 1000000, 0.1, 1e-44 * draw.randrange(3), draw.random()]
                for _ in range(80)]
        self.table("t.csv", rows, ["near", "same", "tiny", "x"])
        result = self.train("--data", "t.csv", *SMALL, "--likelihood", "gaussian", "--standardize", "--epochs", "1", "--out", "t")
        self.assert_done(result, "1 of 4 columns do not vary over the training rows (the first is column 'same' (1))",
                         "1 of 4 columns vary over the training rows by less than a float can be scaled by (the first is "
                         "column 'tiny' (2))")
        info = json.loads(self.tool("info", "t/model.safetensors", "--json").out)
        self.assertAlmostEqual(info["mean"][1], 0.1, places=6)


if __name__ == "__main__":
    main()
