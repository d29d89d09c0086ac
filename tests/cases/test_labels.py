"""Labels: vectors whose columns have names, what is no label, one class in several spellings, labels a model lacks."""

import random

import support
from support import BAD_FILE, SMALL, USAGE

CONDITIONAL = [*SMALL, "--likelihood", "gaussian", "--conditional", "--epochs", "2", "--quiet"]


class Labels(support.Case):
    def setUp(self):
        super().setUp()
        draw = random.Random(3)
        self.rows = [[round(draw.gauss(0, 1), 4) for _ in range(3)] for _ in range(60)]
        self.vectors = [[round(row[0] + draw.gauss(0, 0.1), 4), round(draw.gauss(3, 1), 4)] for row in self.rows]
        self.table("a.csv", self.rows, ["x", "y", "w"])

    def vector_table(self, name, columns, header=True):
        """The label vectors with these columns of p, q and an id."""
        cells = {"p": [v[0] for v in self.vectors], "q": [v[1] for v in self.vectors], "id": range(60)}
        return self.table(name, list(zip(*(cells[c] for c in columns))), list(columns) if header else None)

    def trained(self, *words, out="run"):
        self.assert_done(self.train("--data", "a.csv", *CONDITIONAL, "--out", out, *words))
        return f"{out}/model.safetensors"

    def scores(self, model, labels, *parts):
        result = self.tool("score", model, "--data", "a.csv", "--labels", labels)
        self.assert_done(result, *parts)
        return result.out

    def test_vectors_by_name(self):
        """The numbers of label vectors are taken by the names of their columns, as those of rows are."""
        for name, columns in (("pq.csv", "pq"), ("qp.csv", "qp"), ("p_id_q.csv", ["id", "q", "p"]), ("ps.csv", ["p", "id"])):
            self.vector_table(name, columns)
        self.vector_table("bare.csv", "pq", header=False)
        model = self.trained("--labels", "pq.csv")
        self.assert_done(self.tool("info", model), "vectors of 2 values: p, q")
        wanted = self.scores(model, "pq.csv")
        in_order = self.tool("score", model, "--data", "a.csv", "--labels", "pq.csv")
        self.assert_silent_about(in_order, "label table")
        self.assertEqual(self.scores(model, "qp.csv", "the label table of a.csv", "another order"), wanted)
        self.assertEqual(self.scores(model, "p_id_q.csv", "left out", '"id"'), wanted)
        self.assertEqual(self.scores(model, "bare.csv", "by position", "the label table of a.csv", "it has no column names"),
                         wanted)
        self.assert_ended(self.tool("score", model, "--data", "a.csv", "--labels", "ps.csv"), BAD_FILE, '"q"',
                          "the label table of the model")
        for command, words in (("encode", ["--out", "z.csv"]), ("reconstruct", ["--out", "r.csv"]), ("evaluate", [])):
            figures = [self.tool(command, model, "--data", "a.csv", "--labels", labels, *words, "--quiet")
                       for labels in ("pq.csv", "qp.csv")]
            self.assert_done(figures[0])
            self.assertEqual(figures[0].out, figures[1].out)
        self.assert_ended(self.tool("generate", model, "-n", "2", "--out", "g.csv"), USAGE, "2 numbers, p, q")

    def test_vector_names_that_fail(self):
        """A name that stands twice is refused where it is looked for; a model without names says that it takes them by
        position, and one of a bare table keeps none."""
        self.vector_table("pq.csv", "pq")
        self.vector_table("pp.csv", "pp")
        self.vector_table("bare.csv", "pq", header=False)
        model = self.trained("--labels", "pq.csv")
        self.assert_ended(self.tool("score", model, "--data", "a.csv", "--labels", "pp.csv"), BAD_FILE, 'both called "p"')
        bare = self.trained("--labels", "bare.csv", out="bare")
        self.assertEqual(self.scores(bare, "pq.csv", "by position", "the label table of the model has no column names"),
                         self.scores(bare, "bare.csv"))
        warned = self.train("--data", "a.csv", *CONDITIONAL[:-1], "--labels", "pp.csv", "--out", "twice")
        self.assert_done(warned, "warning: the label table of a.csv", 'both called "p"')

    def test_vectors_of_a_model_to_start_from(self):
        """--init-from takes training vectors by the names of the model that it starts from."""
        self.vector_table("pq.csv", "pq")
        self.vector_table("qp.csv", "qp")
        model = self.trained("--labels", "pq.csv")
        on = ["--init-from", model, "--seed", "5"]
        same = self.trained("--labels", "pq.csv", *on, out="same")
        other = self.trained("--labels", "qp.csv", *on, out="other")
        self.assertEqual((self.folder / same).read_bytes(), (self.folder / other).read_bytes())

    def test_missing_labels(self):
        """What stands for a missing value in cells is no class: in a label column and in a file of labels."""
        for word in ("NA", "nan", "?", "-", "N/A", "null"):
            labels = ["a", word, "b", word] + ["a", "b"] * 28
            self.table("t.csv", [[*row, label] for row, label in zip(self.rows, labels)], ["x", "y", "w", "label"])
            for extra in ([], ["--conditional"]):
                result = self.train("--data", "t.csv", *SMALL, "--likelihood", "gaussian", "--epochs", "1", *extra, "--out", "t")
                self.assert_ended(result, BAD_FILE, "2 rows without a label", "line 3", f'"{word}" stands for a missing value')
            self.write("l.txt", "\n".join(labels) + "\n")
            result = self.train("--data", "a.csv", "--labels", "l.txt", *SMALL, "--likelihood", "gaussian", "--epochs", "1",
                                "--out", "t")
            self.assert_ended(result, BAD_FILE, "l.txt: line 2: the label is missing", f"'{word}' stands", "2 of 60 rows")
        self.write("h.txt", "-\n" + "a\nb\n" * 30)
        self.assert_done(self.train("--data", "a.csv", "--labels", "h.txt", *CONDITIONAL, "--out", "h"))
        self.write("f.txt", "-\n" + "a\n" * 59)
        self.assert_ended(self.train("--data", "a.csv", "--labels", "f.txt", *CONDITIONAL, "--out", "f"), BAD_FILE, "line 1:")

    def test_classes_by_value(self):
        """A number is one class however it is written, beside texts as well."""
        def info(labels, out):
            self.table("t.csv", [[*row, labels[i % len(labels)]] for i, row in enumerate(self.rows)], ["x", "y", "w", "label"])
            self.assert_done(self.train("--data", "t.csv", *CONDITIONAL, "--out", out))
            return self.tool("info", f"{out}/model.safetensors").out
        self.assertIn("2 classes: 1, 2", info(["1", "+1", "2", "1.0"], "numbers"))
        self.assertIn("3 classes: 1, 2.50, cat", info(["1", "+1", "cat", "1.0", "2.50"], "mixed"))
        for label in ("1", "+1", "1.00", "2.5", "cat"):
            self.assert_done(self.tool("generate", "mixed/model.safetensors", "-n", "2", "--label", label, "--out", "g.csv"))
        self.table("spelt.csv", [[*row, "1.00"] for row in self.rows], ["x", "y", "w", "label"])
        self.table("plain.csv", [[*row, "1"] for row in self.rows], ["x", "y", "w", "label"])
        scores = [self.tool("score", "mixed/model.safetensors", "--data", name) for name in ("spelt.csv", "plain.csv")]
        self.assert_done(scores[0])
        self.assertEqual(scores[0].out, scores[1].out)

    def test_labels_that_a_model_lacks(self):
        """A table without labels, or with a class that the model was not told, is a bad file for every command; a class
        asked for by name is a wrong option."""
        self.table("t.csv", [[*row, "ab"[i % 2]] for i, row in enumerate(self.rows)], ["x", "y", "w", "label"])
        self.table("u.csv", [[*row, "c"] for row in self.rows], ["x", "y", "w", "label"])
        self.assert_done(self.train("--data", "t.csv", *CONDITIONAL, "--out", "run"))
        for data, part in (("u.csv", "the label c"), ("a.csv", "every row needs a label, one of a, b: give --label-column")):
            for command, words in (("score", []), ("evaluate", []), ("encode", ["--out", "z.csv"]),
                                   ("reconstruct", ["--out", "r.csv"])):
                result = self.tool(command, "run/model.safetensors", "--data", data, *words)
                self.assert_ended(result, BAD_FILE, data, part)
                self.assertEqual(result.out, "", str(result))
            result = self.train("--data", "t.csv", "--test", data, *CONDITIONAL, "--out", "other")
            self.assert_ended(result, BAD_FILE, data)
        for command, words in (("generate", ["-n", "2"]), ("traverse", []), ("manifold", [])):
            result = self.tool(command, "run/model.safetensors", *words, "--label", "c", "--out", "g.csv")
            self.assert_ended(result, USAGE, "the label c")


if __name__ == "__main__":
    support.main()
