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

    def test_labels_that_are_missing(self):
        self.table("gap.csv", [[i, "" if i == 7 else CLASSES[i % 3]] for i in range(60)], ["", "label"])
        self.assert_ended(self.train_with("gap.csv", "gap"), support.BAD_FILE, "gap.csv: line 9", "the label is missing")
        self.table("few.csv", [[i, i % 3] for i in range(59)], ["", "label"])
        self.assert_ended(self.train_with("few.csv", "few"), support.BAD_FILE, "holds 59 labels, but x.csv has 60 rows")


if __name__ == "__main__":
    support.main()
