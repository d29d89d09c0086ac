"""Tables that meet a model or another table: columns are taken by name, never by chance."""

import csv
import json
import random
import struct
import unittest

from support import BAD_FILE, SENSOR_NAMES, PLANE, USAGE, Case, main, npy, sensor_rows

ORDER = [3, 0, 4, 1, 2]
TABLE = [*PLANE, "--no-report", "--standardize", "--likelihood", "gaussian", "--seed", "1", "--epochs", "3", "--batch-size", "50"]


def reordered(rows, order=None):
    return [[row[i] for i in order or ORDER] for row in rows]


class Columns(Case):
    def setUp(self):
        super().setUp()
        self.rows = sensor_rows()
        self.table("plain.csv", self.rows, SENSOR_NAMES)
        self.table("reordered.csv", reordered(self.rows), [SENSOR_NAMES[i] for i in ORDER])

    def model(self, data="plain.csv", out="run", *more):
        result = self.train("--data", data, *TABLE, "--out", out, *more)
        self.assert_done(result)
        return f"{out}/model.safetensors", result

    def summary(self, *words):
        result = self.train(*words, "--json")
        self.assert_done(result)
        return json.loads(result.out)

    def scores(self, model, data, *more):
        result = self.tool("score", model, "--data", data, "--out", "scores.csv", *more)
        self.assert_done(result)
        return (self.folder / "scores.csv").read_bytes(), result

    def test_reordered_columns_score_as_they_were_trained(self):
        model, _ = self.model()
        plain, quiet = self.scores(model, "plain.csv")
        self.assert_silent_about(quiet, "by name")
        other, said = self.scores(model, "reordered.csv")
        self.assertEqual(plain, other)
        self.assertIn("reordered.csv: columns are taken by name", said.err)
        importance, _ = self.scores(model, "plain.csv", "--metric", "nll", "--samples", "5")
        self.assertEqual(importance, self.scores(model, "reordered.csv", "--metric", "nll", "--samples", "5")[0])
        several, _ = self.scores(model, "plain.csv", "--samples", "3")
        self.assertEqual(several, self.scores(model, "reordered.csv", "--samples", "3")[0])

    def test_reordered_columns_in_every_command(self):
        model, _ = self.model()
        for words, written in [(["encode", "--out", "z.npy"], "z.npy"),
                               (["reconstruct", "--out", "r.csv"], "r.csv"),
                               (["reconstruct", "--out", "pairs.png"], "pairs.png"),
                               (["evaluate", "--samples", "3", "--rows", "figures.csv"], "figures.csv"),
                               (["neighbors", "--row", "3", "--out", "n.csv"], "n.csv"),
                               (["interpolate", "--from", "0", "--to", "5", "--out", "i.csv"], "i.csv"),
                               (["traverse", "--row", "3", "--out", "t.csv"], "t.csv")]:
            with self.subTest(command=words):
                command, *rest = words
                self.assert_done(self.tool(command, model, "--data", "plain.csv", *rest))
                plain = (self.folder / written).read_bytes()
                result = self.tool(command, model, "--data", "reordered.csv", *rest)
                self.assert_done(result, "reordered.csv: columns are taken by name")
                self.assertEqual(result.err.count("taken by name"), 1, str(result))
                self.assertEqual(plain, (self.folder / written).read_bytes())
        with open(self.folder / "r.csv", newline="") as file:
            self.assertEqual(next(csv.reader(file)), SENSOR_NAMES)

    def test_held_out_rows_and_a_model_to_start_from(self):
        plain = self.summary("--data", "plain.csv", "--test", "plain.csv", "--valid", "plain.csv", *TABLE, "--out", "a")
        other = self.summary("--data", "plain.csv", "--test", "reordered.csv", "--valid", "reordered.csv", *TABLE,
                             "--out", "b")
        for part in ("test", "valid"):
            self.assertEqual(plain[part]["loss"], other[part]["loss"])
        self.assertEqual((self.folder / "a/model.safetensors").read_bytes(),
                         (self.folder / "b/model.safetensors").read_bytes())
        # The model that results has the columns of the one that it starts from.
        self.model("plain.csv", "on", "--init-from", "a/model.safetensors")
        _, said = self.model("reordered.csv", "on2", "--init-from", "a/model.safetensors")
        self.assertIn("reordered.csv: columns are taken by name", said.err)
        self.assertEqual((self.folder / "on/model.safetensors").read_bytes(),
                         (self.folder / "on2/model.safetensors").read_bytes())
        self.assert_done(self.train("--resume", "on2", "--epochs", "5"))
        self.assert_done(self.tool("report", "on2"))

    def test_a_missing_column_is_named(self):
        model, _ = self.model()
        self.table("renamed.csv", self.rows, ["temp", "pressure", "Flow", "load", "speed"])
        self.table("narrow.csv", [row[:3] for row in self.rows], SENSOR_NAMES[:3])
        for name, parts in (("renamed.csv", ['"flow"', 'did you mean "Flow"']), ("narrow.csv", ['"load"', '"speed"'])):
            with self.subTest(file=name):
                for words in (("score", model, "--data", name), ("encode", model, "--data", name, "--out", "z.npy"),
                              ("score", model, "--data", "plain.csv", "--threshold-quantile", "0.9", "--reference",
                               name, "--out", "s.csv")):
                    self.assert_ended(self.tool(*words), BAD_FILE, name, "missing", *parts)
                for option in ("--test", "--valid"):
                    self.assert_ended(self.train("--data", "plain.csv", option, name, *TABLE, "--out", "x"), BAD_FILE,
                                      name, "missing", *parts)
                self.assert_ended(self.train("--data", name, "--init-from", model, *TABLE, "--out", "x"), BAD_FILE,
                                  name, "missing", *parts)

    def test_names_that_stand_twice(self):
        model, _ = self.model()
        self.table("twice.csv", self.rows, ["temp", "pressure", "flow", "load", "load"])
        self.assert_ended(self.tool("score", model, "--data", "twice.csv"), BAD_FILE, "twice.csv", '"load"', "3 and 4")
        self.assert_ended(self.train("--data", "plain.csv", "--test", "twice.csv", *TABLE, "--out", "x"), BAD_FILE,
                          "twice.csv", '"load"')
        self.assert_ended(self.train("--data", "twice.csv", "--test", "plain.csv", *TABLE, "--out", "x"), BAD_FILE,
                          "twice.csv", '"load"')
        self.assert_done(self.train("--data", "twice.csv", *TABLE, "--out", "x"), "warning: twice.csv: columns 3 and 4",
                         'both called "load"', "by position")
        self.assert_ended(self.tool("score", "x/model.safetensors", "--data", "plain.csv"), BAD_FILE, '"load"')
        self.table("unnamed.csv", self.rows, ["temp", "pressure", "flow", "", ""])
        self.assert_ended(self.tool("score", model, "--data", "unnamed.csv"), BAD_FILE, "no name")

    def test_columns_beyond_the_models_are_left_out(self):
        model, _ = self.model()
        plain, _ = self.scores(model, "plain.csv")
        self.table("wide.csv", [[i, *row, 7] for i, row in enumerate(self.rows)], ["id", *SENSOR_NAMES, "site"])
        wide, said = self.scores(model, "wide.csv")
        self.assertEqual(plain, wide)
        self.assertIn('"id", "site"', said.err)
        loss = self.summary("--data", "plain.csv", "--test", "wide.csv", *TABLE, "--out", "t")["test"]["loss"]
        same = self.summary("--data", "plain.csv", "--test", "plain.csv", *TABLE, "--out", "u")["test"]["loss"]
        self.assertEqual(loss, same)

    def test_columns_left_out_may_hold_anything(self):
        model, _ = self.model()
        plain, _ = self.scores(model, "plain.csv")
        cells = ["joe", "", "2024-01-01", "?", "1,5", "16777217"]
        self.table("named.csv", [[f'"{cells[i % 6]}"', *row, 1e39] for i, row in enumerate(self.rows)],
                   ["name", *SENSOR_NAMES, "huge"])
        named, said = self.scores(model, "named.csv")
        self.assertEqual(plain, named)
        self.assertIn('left out, since the model has no such columns: "name", "huge"', said.err)
        self.assert_silent_about(said, "--label-column", "is trained on")
        for command, words in (("encode", ["--out", "z.csv"]), ("evaluate", ["--samples", "2"]),
                               ("interpolate", ["--from", "0", "--to", "3", "--out", "i.csv"])):
            self.assert_done(self.tool(command, model, "--data", "named.csv", *words))
        loss = self.summary("--data", "plain.csv", "--test", "named.csv", *TABLE, "--out", "t")["test"]["loss"]
        same = self.summary("--data", "plain.csv", "--test", "plain.csv", *TABLE, "--out", "u")["test"]["loss"]
        self.assertEqual(loss, same)
        again = [*TABLE, "--init-from", model, "--quiet"]
        self.assert_done(self.train("--data", "plain.csv", *again, "--out", "p"))
        self.assert_done(self.train("--data", "named.csv", *again, "--out", "n"))
        models = [(self.folder / out / "model.safetensors").read_bytes() for out in "pn"]
        self.assertEqual(models[0], models[1])
        self.table("texts.csv", [[*row[:4], "ab"[i % 2]] for i, row in enumerate(self.rows)], SENSOR_NAMES)
        refused = self.tool("score", model, "--data", "texts.csv")
        self.assert_ended(refused, BAD_FILE, 'column "speed": 200 cells are not numbers')
        self.assert_silent_about(refused, "--label-column")
        self.table("gap.csv", [[*row[:4], "joe" if i == 7 else row[4]] for i, row in enumerate(self.rows)], SENSOR_NAMES)
        refused = self.tool("score", model, "--data", "gap.csv")
        self.assert_ended(refused, BAD_FILE, "line 9", '"joe" is not a number')
        self.assertEqual(refused.out, "")

    def test_what_is_missing_is_said_first(self):
        """A table that lacks a column and has texts in another is told of the former; no column that the model has itself is
        meant by the missing one, nor advised as labels."""
        self.table("kind.csv", [[*row, i % 2] for i, row in enumerate(self.rows)], [*SENSOR_NAMES, "y"])
        model, _ = self.model("kind.csv", "run", "--label-column", "none")
        self.table("less.csv", [["joe", *row[1:], i % 2] for i, row in enumerate(self.rows)], ["name", *SENSOR_NAMES[1:], "y"])
        refused = self.tool("score", model, "--data", "less.csv")
        self.assert_ended(refused, BAD_FILE, '1 column of the model is missing: "temp"')
        self.assert_silent_about(refused, "not numbers", "--label-column")
        self.assert_silent_about(self.scores(model, "kind.csv")[1], "may hold labels", "--label-column")
        self.assert_ended(self.train("--data", "kind.csv", "--label-column", "none", "--test", "less.csv", *TABLE, "--out", "t"),
                          BAD_FILE, 'less.csv: 1 column of kind.csv is missing: "temp"')

    def test_a_run_is_no_model(self):
        """The folder of a run in the place of its model or its configuration: the file that is meant is named."""
        self.model()
        self.assert_ended(self.tool("score", "run", "--data", "plain.csv"), BAD_FILE, "run: is a folder; expected a file: its model "
                          "is run/model.safetensors")
        self.assert_ended(self.train("--data", "plain.csv", *TABLE, "--init-from", "run", "--out", "on"), BAD_FILE,
                          "its model is run/model.safetensors")
        self.assert_ended(self.train("--config", "run", "--out", "on"), BAD_FILE, "run/config.toml")
        (self.folder / "empty").mkdir()
        empty = self.tool("score", "empty", "--data", "plain.csv")
        self.assert_ended(empty, BAD_FILE, "empty: is a folder; expected a file")
        self.assert_silent_about(empty, "model.safetensors")

    def test_without_names_on_one_side_by_position(self):
        model, _ = self.model()
        plain, _ = self.scores(model, "plain.csv")
        self.table("bare.csv", self.rows)
        values = [value for row in self.rows for value in row]
        self.write("bare.npy", npy("<f4", (len(self.rows), 5), struct.pack(f"<{len(values)}f", *values)))
        for name in ("bare.csv", "bare.npy"):
            scores, said = self.scores(model, name)
            self.assertEqual(plain, scores)
            self.assertIn(f"{name}: its columns are taken by position", said.err)
        nameless, _ = self.model("bare.csv", "nameless")
        scores, said = self.scores(nameless, "plain.csv")
        self.assertEqual(plain, scores)
        self.assertIn("plain.csv: its columns are taken by position", said.err)
        _, said = self.scores(nameless, "bare.csv")
        self.assert_silent_about(said, "by position")
        result = self.train("--data", "plain.csv", "--test", "bare.csv", *TABLE, "--out", "t")
        self.assert_done(result, "bare.csv: its columns are taken by position")
        # The names hold for rows without: the model that results keeps them.
        result = self.train("--data", "bare.csv", "--init-from", model, *TABLE, "--out", "on")
        self.assert_done(result, "bare.csv: its columns are taken by position")
        again, said = self.scores("on/model.safetensors", "reordered.csv")
        self.assertEqual(again, self.scores("on/model.safetensors", "plain.csv")[0])
        self.table("narrow.csv", [row[:3] for row in self.rows])
        self.assert_ended(self.tool("score", model, "--data", "narrow.csv"), BAD_FILE, "rows have 3 values")

    def test_label_columns(self):
        names = [*SENSOR_NAMES, "outlier"]
        marked = [[*row, int(i % 20 == 0)] for i, row in enumerate(self.rows)]
        self.table("marked.csv", marked, names)
        self.table("front.csv", reordered(marked, [5, *ORDER]), [names[i] for i in (5, *ORDER)])
        plain = self.summary("--data", "plain.csv", "--test", "plain.csv", *TABLE, "--out", "a")["test"]["loss"]
        # By index it is another column of the reordered table: its name decides.
        for data, column, test in (("marked.csv", "outlier", "plain.csv"), ("marked.csv", "5", "front.csv"),
                                   ("marked.csv", "outlier", "front.csv")):
            with self.subTest(data=data, column=column, test=test):
                loss = self.summary("--data", data, "--label-column", column, "--test", test, *TABLE, "--out", "b",
                                    "--overwrite")["test"]["loss"]
                self.assertEqual(plain, loss)
        # A column that the model knows is no label, whatever it is called.
        self.table("target.csv", self.rows, ["temp", "pressure", "flow", "load", "target"])
        model, _ = self.model("target.csv", "t", "--label-column", "none")
        scores, _ = self.scores(model, "target.csv")
        self.assertEqual(scores, self.scores(model, "target.csv", "--label-column", "none")[0])
        self.assert_ended(self.tool("score", model, "--data", "target.csv", "--label-column", "target"), BAD_FILE,
                          '"target"', "--label-column")

    def test_reference_takes_labels_as_data_does(self):
        marked = [[*row, int(i % 20 == 0)] for i, row in enumerate(self.rows)]
        self.table("marked.csv", marked, [*SENSOR_NAMES, "outlier"])
        self.table("front.csv", reordered(marked, [5, *ORDER]), ["outlier", *(SENSOR_NAMES[i] for i in ORDER)])
        model, _ = self.model()
        words = ["--label-column", "outlier", "--threshold-quantile", "0.95"]
        plain, _ = self.scores(model, "marked.csv", *words, "--reference", "plain.csv")
        for reference in ("marked.csv", "front.csv", "reordered.csv"):
            with self.subTest(reference=reference):
                scores, said = self.scores(model, "marked.csv", *words, "--reference", reference)
                self.assertEqual(plain, scores)
                self.assert_silent_about(said, "very rows")
        self.assertEqual(plain, self.scores(model, "marked.csv", "--label-column", "5", "--threshold-quantile", "0.95",
                                            "--reference", "front.csv")[0])
        self.assertEqual(plain, self.scores(model, "plain.csv", "--threshold-quantile", "0.95", "--reference",
                                            "marked.csv", "--reference-label-column", "outlier")[0])
        self.assert_ended(self.tool("score", model, "--data", "plain.csv", "--threshold-quantile", "0.95", "--reference",
                                    "plain.csv", "--reference-label-column", "outlier", "--out", "s.csv"), USAGE,
                          "outlier")
        self.assert_ended(self.tool("score", model, "--data", "plain.csv", "--reference-part", "test"), USAGE,
                          "--reference-part", "--reference")

    def test_a_quantile_of_the_rows_it_flags_is_said(self):
        model, _ = self.model()
        scores, said = self.scores(model, "plain.csv", "--threshold-quantile", "0.99")
        self.assertIn("about 1% of them are flagged", said.err)
        self.assertIn("--reference", said.err)

    def test_a_conditional_reference_has_labels_of_its_own(self):
        draw = random.Random(1)
        values = [draw.gauss(0, 1) for _ in range(400)]
        self.write("x.npy", npy("<f4", (100, 4), struct.pack("<400f", *values)))
        self.write("y.npy", npy("|u1", (100,), bytes(i % 2 for i in range(100))))
        self.assert_done(self.train("--data", "x.npy", "--labels", "y.npy", "--conditional", *TABLE, "--out", "c"))
        model = "c/model.safetensors"
        words = ["--labels", "y.npy", "--threshold-quantile", "0.9", "--reference", "x.npy"]
        self.assert_ended(self.tool("score", model, "--data", "x.npy", *words, "--out", "s.csv"), BAD_FILE, "conditional")
        self.scores(model, "x.npy", *words, "--reference-labels", "y.npy")

    def test_pictures_of_another_shape(self):
        """As many values, each for another pixel: taken, with a warning; nothing is said where a side has no shape."""
        content = bytes((7 * i) % 251 for i in range(50 * 30))
        for name, shape in (("p65", (50, 6, 5)), ("p56", (50, 5, 6)), ("p253", (50, 2, 5, 3)), ("same", (50, 6, 5, 1)),
                            ("flat", (50, 30))):
            self.write(f"{name}.npy", npy("|u1", shape, content))
        small = [*PLANE, "--epochs", "1", "--no-report"]
        self.assert_done(self.train("--data", "p65.npy", *small, "--out", "m"))
        for name, other in (("p56", "5x6x1"), ("p253", "2x5x3"), ("same", None), ("flat", None)):
            with self.subTest(name=name):
                said = f"warning: {name}.npy: its rows are pictures of {other}, those of"
                scored = self.tool("score", "m/model.safetensors", "--data", f"{name}.npy", "--out", "s.csv")
                trained = self.train("--data", "p65.npy", "--test", f"{name}.npy", *small, "--out", f"t-{name}")
                for result, owner in ((scored, "the model"), (trained, "p65.npy")):
                    if other:
                        self.assert_done(result, f"{said} {owner} of 6x5x1")
                    else:
                        self.assert_done(result)
                        self.assert_silent_about(result, "pictures of")

    def test_latents_by_name(self):
        model, _ = self.model()
        self.assert_done(self.tool("encode", model, "--data", "plain.csv", "--out", "z.csv", "--logvar", "v.csv"))
        self.assert_done(self.tool("generate", model, "--latents", "z.csv", "--out", "a.csv"))
        plain = (self.folder / "a.csv").read_bytes()
        with open(self.folder / "z.csv", newline="") as file:
            header, *rows = csv.reader(file)
        self.assertEqual(header, ["z0", "z1"])
        self.table("swapped.csv", reordered(rows, [1, 0]), ["z1", "z0"])
        self.assert_done(self.tool("generate", model, "--latents", "swapped.csv", "--out", "b.csv"), "by name")
        self.assertEqual(plain, (self.folder / "b.csv").read_bytes())
        self.table("half.csv", rows, ["z0", "z2"])
        self.assert_ended(self.tool("generate", model, "--latents", "half.csv", "--out", "c.csv"), BAD_FILE, '"z1"')
        self.table("named.csv", [["tf"[i % 2], *row, ""] for i, row in enumerate(rows)], ["name", "z0", "z1", "note"])
        self.assert_done(self.tool("generate", model, "--latents", "named.csv", "--out", "n.csv"),
                         'left out, since the model\'s latents has no such columns: "name", "note"')
        self.assertEqual(plain, (self.folder / "n.csv").read_bytes())
        self.table("less.csv", [[row[0], "t"] for row in rows], ["z0", "name"])
        less = self.tool("generate", model, "--latents", "less.csv", "--out", "c.csv")
        self.assert_ended(less, BAD_FILE, '1 column of the model\'s latents is missing: "z1"; it has "z0", "name"')
        self.assert_silent_about(less, "did you mean")
        self.table("other.csv", [[row[0], "ab"[i % 2]] for i, row in enumerate(rows)], ["x", "name"])
        other = self.tool("generate", model, "--latents", "other.csv", "--out", "c.csv")
        self.assert_ended(other, BAD_FILE, 'column "name": 200 cells are not numbers', "leave the column out")
        self.assert_silent_about(other, "--label-column")
        self.assert_done(self.tool("generate", model, "--latents", "v.csv", "--out", "d.csv"), "v.csv", "by position")


if __name__ == "__main__":
    main()
