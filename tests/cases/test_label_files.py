"""Tables as files of labels: with the index of the rows, with an id, with texts."""

import struct

import support

GAUSSIAN = ["--likelihood", "gaussian", "--standardize", *support.SMALL, "--epochs", 1, "--conditional", "--no-report"]
CLASSES = ["a", "b", "c"]


class LabelFiles(support.Case):
    def setUp(self):
        super().setUp()
        self.rows = support.sensor_rows(60)
        self.table("x.csv", self.rows, support.SENSOR_NAMES)

    def train_with(self, labels, out):
        return self.train("--data", "x.csv", "--labels", labels, *GAUSSIAN, "--out", out)

    def test_index_beside_labels(self):
        """What pandas' Series.to_csv() writes: the index is left out with a warning, one column is classes."""
        for kind, of in (("numbers", lambda i: i % 3), ("texts", lambda i: CLASSES[i % 3])):
            self.table("plain.csv", [[of(i)] for i in range(60)], ["label"])
            self.assert_done(self.train_with("plain.csv", f"{kind}-plain"))
            model = (self.folder / f"{kind}-plain" / "model.safetensors").read_bytes()
            for name, header, index in (("label", ["", "label"], lambda i: i), ("zero", ["", "0"], lambda i: i),
                                        ("unnamed", ["Unnamed: 0", "label"], lambda i: i),
                                        ("texts", ["", "label"], lambda i: f"row{i}")):
                with self.subTest(kind=kind, name=name):
                    self.table(f"{name}.csv", [[index(i), of(i)] for i in range(60)], header)
                    run = self.train_with(f"{name}.csv", f"{kind}-{name}")
                    self.assert_done(run, f"warning: {name}.csv: column 0", "it is left out",
                                     f"labels from {name}.csv (3 classes)")
                    self.assertEqual((self.folder / f"{kind}-{name}" / "model.safetensors").read_bytes(), model)
        for command in ("evaluate", "score"):
            self.assert_done(self.tool(command, "texts-plain/model.safetensors", "--data", "x.csv", "--labels", "label.csv"),
                             "warning: label.csv: column 0")
        self.write("npy.npy", support.npy("<f4", (60, 5), b"".join(
            struct.pack("<5f", *row) for row in self.rows)))
        self.assert_done(self.train("--data", "npy.npy", "--labels", "label.csv", *GAUSSIAN, "--out", "npy"),
                         "warning: label.csv: column 0", "(3 classes)")

    def test_index_beside_vectors(self):
        self.table("v.csv", [[i, i % 3, i % 5] for i in range(60)], ["", "p", "q"])
        self.assert_done(self.train_with("v.csv", "v"), "warning: v.csv: column 0 has no name", "vectors of 2")

    def test_id_beside_labels(self):
        """A column that numbers the rows is a part of every row's vector, which is said; texts beside it are refused with
        what to do, which works."""
        self.table("id.csv", [[i + 1, i % 3] for i in range(60)], ["id", "label"])
        self.assert_done(self.train_with("id.csv", "id"), "warning: id.csv: column \"id\" counts the rows",
                         "taken for a part of every row's label")
        self.table("text.csv", [[i + 1, CLASSES[i % 3]] for i in range(60)], ["id", "label"])
        refused = self.train_with("text.csv", "text")
        self.assert_ended(refused, support.BAD_FILE, "column \"label\": 60 cells are not numbers",
                          "If the column holds labels, give a file with this column alone")
        self.assert_silent_about(refused, "--label-column")
        self.table("alone.csv", [[CLASSES[i % 3]] for i in range(60)], ["label"])
        self.assert_done(self.train_with("alone.csv", "alone"), "3 classes")

    def test_labels_that_are_no_utf8(self):
        """A model would keep them all as one class; of a column that is no label nothing is said."""
        names = ["né", "nè", "nà"]
        lines = ["cls," + ",".join(support.SENSOR_NAMES)]
        lines += [names[i % 3] + "," + ",".join(map(str, row)) for i, row in enumerate(self.rows)]
        self.write("utf8.csv", "\n".join(lines) + "\n")
        self.write("latin.csv", ("\n".join(lines) + "\n").encode("latin-1"))
        self.write("labels.csv", "".join(names[i % 3] + "\n" for i in range(60)).encode("latin-1"))
        self.assert_done(self.train("--data", "utf8.csv", "--label-column", "cls", *GAUSSIAN, "--out", "m"))
        refused = "is no UTF-8; save the table as UTF-8"
        result = self.train("--data", "latin.csv", "--label-column", "cls", *GAUSSIAN, "--out", "r")
        self.assert_ended(result, support.BAD_FILE, "latin.csv: line 2", "n\\xe9", refused)
        self.assertFalse((self.folder / "r").exists())
        self.assert_ended(self.train_with("labels.csv", "r"), support.BAD_FILE, "labels.csv: line 1", refused)
        for command in ("score", "evaluate"):
            result = self.tool(command, "m/model.safetensors", "--data", "latin.csv", "--label-column", "cls")
            self.assert_ended(result, support.BAD_FILE, "latin.csv: line 2", refused)

    def test_columns_beside_the_wanted_ones(self):
        """What else stands in a table of label vectors is not read, with rows of any kind and from --init-from."""
        self.table("v.csv", [[i % 3, i % 5] for i in range(60)], ["p", "q"])
        self.table("z.csv", [[CLASSES[i % 3], i % 5, "", i % 3] for i in range(60)], ["z", "q", "e", "p"])
        self.assert_done(self.train_with("v.csv", "v"))
        model = "v/model.safetensors"
        self.write("x.npy", support.npy("<f4", (60, 5), b"".join(struct.pack("<5f", *row) for row in self.rows)))
        for data in ("x.csv", "x.npy"):
            plain, other = [self.tool("score", model, "--data", data, "--labels", labels) for labels in ("v.csv", "z.csv")]
            self.assert_done(other, 'left out, since the label table of the model has no such columns: "z", "e"')
            self.assertEqual(plain.out, other.out)
        models = []
        for labels in ("v.csv", "z.csv"):
            self.assert_done(self.train("--data", "x.csv", "--labels", labels, *GAUSSIAN, "--init-from", model, "--out", f"on-{labels}"))
            models.append((self.folder / f"on-{labels}" / "model.safetensors").read_bytes())
        self.assertEqual(*models)
        self.table("less.csv", [[CLASSES[i % 3], i % 3] for i in range(60)], ["z", "p"])
        self.assert_ended(self.tool("score", model, "--data", "x.csv", "--labels", "less.csv"), support.BAD_FILE,
                          '1 column of the label table of the model is missing: "q"')
        self.table("bad.csv", [[i % 3, "t"] for i in range(60)], ["p", "q"])
        refused = self.tool("score", model, "--data", "x.csv", "--labels", "bad.csv")
        self.assert_ended(refused, support.BAD_FILE, 'bad.csv: column "q": 60 cells are not numbers')
        self.assert_silent_about(refused, "--label-column")

    def test_one_line_more_than_rows(self):
        """A header, unless it is a label like the others: then a row of the data is missing."""
        numbers, texts = [[i % 3] for i in range(60)], [[CLASSES[i % 3]] for i in range(60)]
        for first, labels in (("kind", numbers), ("kind", texts), ("0", numbers), ("7", texts)):
            with self.subTest(first=first, labels=labels[0]):
                self.table("l.csv", labels, [first])
                run = self.train_with("l.csv", "ok-" + first + str(labels[0][0]))
                self.assert_done(run, "labels from l.csv (3 classes)")
                warned = f'warning: l.csv: line 1 is taken for the header, since there is one line more than rows: "{first}"'
                (self.assertIn if first in "07" else self.assertNotIn)(warned, run.err)
        for first, labels in (("1", numbers), ("5", numbers), ("1.5", numbers), ("b", texts)):
            with self.subTest(first=first, labels=labels[0]):
                self.table("l.csv", labels, [first])
                self.assert_ended(self.train_with("l.csv", "no"), support.BAD_FILE, "l.csv: holds 61 labels for 60 rows",
                                  f'line 1 is no header but a label like those below it: "{first}"', "a row of the data is missing")
        # The other way round: the header in the place of the label that is missing.
        self.table("l.csv", numbers[1:], ["kind"])
        self.assert_ended(self.train_with("l.csv", "no"), support.BAD_FILE,
                          'l.csv: holds 59 labels below its header, "kind", for 60 rows')
        self.table("l.csv", texts[1:], ["A"])
        self.assert_done(self.train_with("l.csv", "four"), "(4 classes)")

    def test_labels_that_are_measurements(self):
        """Nearly every row a class of its own: measurements are refused, other labels warned of."""
        self.table("m.csv", [[row[0]] for row in self.rows], ["p"])
        refused = self.train_with("m.csv", "m")
        self.assert_ended(refused, support.BAD_FILE, "60 classes for 60 training rows", "they seem to be measurements",
                          "vectors of two or more", "pad a single number with zeros")
        self.table("zeros.csv", [[row[0], 0] for row in self.rows], ["p", "zero"])
        self.assert_done(self.train_with("zeros.csv", "zeros"), "vectors of 2")
        for name, of in (("number", lambda i: 7 * i % 60), ("name", lambda i: f"u{i}")):
            self.table("id.csv", [[of(i)] for i in range(60)], ["id"])
            self.assert_done(self.train_with("id.csv", name), "warning: x.csv: its labels are 60 classes for 60 training rows",
                             "train without --conditional")
        self.table("half.csv", [[i % 10 / 2] for i in range(60)], ["stars"])
        few = self.train_with("half.csv", "half")
        self.assert_done(few, "(10 classes)")
        self.assert_silent_about(few, "its labels are")
        plain = self.train("--data", "x.csv", "--labels", "m.csv", *(word for word in GAUSSIAN if word != "--conditional"), "--out", "p")
        self.assert_done(plain, "(60 classes)")

    def test_labels_that_are_missing(self):
        self.table("gap.csv", [[i, "" if i == 7 else CLASSES[i % 3]] for i in range(60)], ["", "label"])
        self.assert_ended(self.train_with("gap.csv", "gap"), support.BAD_FILE, "gap.csv: line 9", "the label is missing")
        self.table("few.csv", [[i, i % 3] for i in range(59)], ["", "label"])
        self.assert_ended(self.train_with("few.csv", "few"), support.BAD_FILE, "holds 59 labels, but x.csv has 60 rows")


if __name__ == "__main__":
    support.main()
