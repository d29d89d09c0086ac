"""Rows, tables and labels in Python's memory: the rules of files hold for them, and what is wrong is said."""

import copy
import os
import sys
import tempfile
import unittest
import warnings

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "python"))
import vaecuda  # noqa: E402

SMALL = {"hidden": [8], "latent_dim": 2, "epochs": 2, "batch_size": 32, "device": "cpu", "threads": 1}
TABLE = {**SMALL, "likelihood": "gaussian", "standardize": True}


def table(rows=120, columns=4):
    rng = numpy.random.default_rng(3)
    return (rng.normal(size=(rows, columns)) * numpy.arange(1, columns + 1)).astype(numpy.float32)


def optional(name):
    try:
        return __import__(name)
    except ImportError:
        print(f"no Python package {name}: its tests are skipped", file=sys.stderr)
        return None


pandas = optional("pandas")
scipy = optional("scipy.sparse")
pyarrow = optional("pyarrow")


class Case(unittest.TestCase):
    def setUp(self):
        filters = warnings.catch_warnings()
        filters.__enter__()
        self.addCleanup(filters.__exit__, None, None, None)
        warnings.simplefilter("ignore", vaecuda.VaecudaWarning)  # of models that learn nothing, which these are

    def refuses(self, error, text, call, *arguments, **options):
        with self.assertRaisesRegex(error, text) as caught:
            call(*arguments, **options)
        return caught.exception


class Arrays(Case):
    @classmethod
    def setUpClass(cls):
        cls.x = table()
        cls.model = vaecuda.train(cls.x, **TABLE).model

    def test_masked_arrays(self):
        """What the mask hides is missing; a mask that hides nothing is none."""
        mask = numpy.zeros(self.x.shape, bool)
        masked = numpy.ma.masked_array(self.x.copy(), mask=mask)
        numpy.testing.assert_array_equal(self.model.score(masked), self.model.score(self.x))
        numpy.testing.assert_array_equal(self.model.score(numpy.ma.masked_array(self.x)), self.model.score(self.x))
        mask[5, 2] = True
        hidden = numpy.ma.masked_array(self.x.copy(), mask=mask)
        hidden.data[5, 2] = -9999.0
        for call in (self.model.score, self.model.encode, self.model.reconstruct, self.model.elbo, self.model.evaluate,
                     self.model.log_likelihood, lambda x: vaecuda.train(x, **TABLE)):
            error = self.refuses(vaecuda.FileError, r"row 5, column 2 \(counted from 0\): the value is masked", call, hidden)
            self.assertEqual(error.status, 3)
        self.refuses(vaecuda.FileError, "row 2, column 5", self.model.decode, hidden.T[:, :6])
        self.refuses(vaecuda.FileError, "the label is missing", vaecuda.train, self.x,
                     labels=numpy.ma.masked_array(numpy.arange(120) % 2, mask=numpy.arange(120) == 3), **TABLE)

    def test_integers_that_floats_cannot_hold(self):
        for kind, value in (("i8", 2**24 + 1), ("u8", 2**63 + 1), ("i4", -2**24 - 1), ("u4", 2**32 - 1)):
            x = numpy.zeros((3, 4), kind)
            x[1, 3] = value
            text = rf"row 1, column 3 \(counted from 0\): a 32-bit float cannot hold the integer {value} exactly"
            self.refuses(vaecuda.FileError, text, self.model.score, x)
            self.refuses(vaecuda.FileError, text, vaecuda.train, x, **TABLE)
        x = numpy.zeros((3, 4))
        x[2, 0] = 1e39
        self.refuses(vaecuda.FileError, r"row 2, column 0 \(counted from 0\): 1e\+39 is too large", self.model.score, x)
        exact = numpy.full((3, 4), 2**30, numpy.int64)
        numpy.testing.assert_array_equal(self.model.score(exact), self.model.score(exact.astype(numpy.float32)))

    def test_types_and_layouts(self):
        x = numpy.round(self.x)
        wanted = self.model.encode(x)
        wide = numpy.zeros((240, 8), numpy.float32)
        wide[::2, ::2] = x
        for other in (x.astype("f8"), x.astype(">f4"), x.astype(">f8"), x.astype("<i8"), x.astype(">i2"), x.astype("i1"),
                      x.astype("f2"), x.astype(numpy.longdouble), numpy.asfortranarray(x), wide[::2, ::2], x[::-1][::-1],
                      x.tolist(), x.reshape(120, 2, 2), memoryview(x)):
            numpy.testing.assert_array_equal(self.model.encode(other), wanted)
        bits = x > 0
        numpy.testing.assert_array_equal(self.model.encode(bits), self.model.encode(bits.astype(numpy.float32)))

    def test_what_is_no_rows(self):
        x, score = self.x, self.model.score
        for bad, text in ((x[0], r"has the shape \(4,\), but rows have two axes.*x\[None, :\]"), (7.0, r"x is a float of shape \(\)"),
                          ({"a": 1}, "x is a dict"), ("x.npy", "x is a str"), (None, "x is a NoneType"),
                          (x.astype(complex), "holds complex128"), (x.astype("M8[s]"), "holds datetime64"),
                          ([[1.0, 2.0], [3.0]], "x: "), (numpy.empty((3, 0)), r"shape \(3, 0\)"),
                          ([["a", "b", "c", "d"]], "rows are numbers"),
                          (numpy.array([[1, 2, "x", 4]], dtype=object), r"row 0, column 2 \(counted from 0\) is 'x'"),
                          (numpy.array([[1, 2, 3, None]], dtype=object), r"row 0, column 3 .* is missing"),
                          (numpy.array([[1, 2, 3, 4]], dtype=object), "Python objects")):
            error = self.refuses(vaecuda.RequestError, text, score, bad)
            self.assertEqual(error.status, 2)
        self.assertEqual(score(numpy.empty((0, 4))).shape, (0,))

    @unittest.skipIf(scipy is None, "no scipy")
    def test_sparse_matrices(self):
        from scipy import sparse
        x = self.x * (numpy.arange(self.x.size).reshape(self.x.shape) % 3 == 0)
        expected = self.model.score(x)
        for matrix in (sparse.csr_matrix(x), sparse.csc_array(x), sparse.coo_array(x), sparse.csr_matrix(x.astype("f8"))):
            numpy.testing.assert_array_equal(self.model.score(matrix), expected)
        shuffled = sparse.csr_matrix(x[:, ::-1])[:, ::-1]
        rows, columns = x.nonzero()
        twice = sparse.coo_matrix((numpy.tile(x[rows, columns] / 2, 2), (numpy.tile(rows, 2), numpy.tile(columns, 2))), x.shape)
        numpy.testing.assert_array_equal(self.model.score(shuffled), expected)
        numpy.testing.assert_array_equal(self.model.score(twice), expected)
        labels = ["ab"[i % 2] for i in range(len(x))]
        plain = {**TABLE, "standardize": False}  # whose sums of squares have another order
        runs = [vaecuda.train(rows, labels=labels, **plain) for rows in (x, sparse.csr_matrix(x))]
        numpy.testing.assert_array_equal(*(run.model.score(x) for run in runs))
        bad = sparse.csr_matrix(x)
        bad.data[5] = numpy.nan
        self.refuses(vaecuda.FileError, r"row \d+, column \d+ .*nan", self.model.score, bad)
        bad = sparse.csr_matrix(x)
        bad.indices[0] = 99
        self.refuses(vaecuda.FileError, "is 99, which is out of range", self.model.score, bad)
        self.refuses(vaecuda.RequestError, "labels=", vaecuda.train, sparse.csr_matrix(x), label_column="0", **TABLE)

    def test_channels_first(self):
        """(N, C, H, W) is no picture of W channels; one channel is the same picture."""
        x = numpy.random.default_rng(1).random((40, 3, 8, 6)).astype(numpy.float32)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.npy")
            numpy.save(path, x)
            for rows in (x, path):
                with self.assertWarnsRegex(vaecuda.VaecudaWarning, r"3 channels come first.*transpose\(0, 2, 3, 1\)"):
                    warnings.simplefilter("always", vaecuda.VaecudaWarning)
                    model = vaecuda.train(rows, **SMALL).model
                self.assertIsNone(model.info["image"])
                self.assertEqual(model.input_dim, 144)
        self.assertEqual(vaecuda.train(x.transpose(0, 2, 3, 1), **SMALL).model.info["image"], (8, 6, 3))
        self.assertEqual(vaecuda.train(x[:, :1], **SMALL).model.info["image"], (8, 6, 1))
        self.assertIsNone(vaecuda.train(x.reshape(40, 6, 4, 6), **SMALL).model.info["image"])


class FileOptions(Case):
    """Options that say how files are read, for rows that come from none: they take effect or are refused."""

    def test_image(self):
        x = table(60, 6)
        self.assertEqual(vaecuda.train(x, image="2x3x1", **TABLE).model.info["image"], (2, 3, 1))
        self.refuses(vaecuda.RequestError, "5x5x1 does not fit rows of 6", vaecuda.train, x, image="5x5x1", **TABLE)

    def test_labels(self):
        x = table(60, 6)
        labels = numpy.arange(60) % 3
        self.refuses(vaecuda.FileError, "no/such/file.csv", vaecuda.train, x, labels="no/such/file.csv", **TABLE)
        self.refuses(vaecuda.RequestError, "label_column is 'y', but data is an array.*labels=", vaecuda.train, x,
                     label_column="y", **TABLE)
        self.refuses(vaecuda.RequestError, "--normal-label 0 needs labels.*labels with rows in memory", vaecuda.train, x,
                     normal_label="0", **TABLE)
        self.refuses(vaecuda.RequestError, "61 labels for the 60 rows", vaecuda.train, x, labels=list(range(61)), **TABLE)
        self.refuses(vaecuda.FileError, "label 0.5 is not an integer", vaecuda.train, x, labels=[0.5] * 60, **TABLE)
        self.refuses(vaecuda.RequestError, "labels are given for valid, but no rows", vaecuda.train, x, valid_labels=labels,
                     **TABLE)
        words = numpy.array(["cat", "dog", "eel"])[labels]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "labels.npy")
            numpy.save(path, labels)
            alone = vaecuda.train(x[labels == 0], **TABLE)
            for its, normal in ((labels, "0"), (path, "0"), (words, "cat"), (list(words), "cat")):
                run = vaecuda.train(x, labels=its, normal_label=normal, **TABLE)
                self.assertEqual(run.summary["steps"], alone.summary["steps"])
                self.assertAlmostEqual(run.summary["train_loss"], alone.summary["train_loss"], places=3)
            figures = run.model.evaluate(x, labels)
            self.assertGreaterEqual(figures["mutual_information_gap"], 0.0)
            self.assertEqual(figures["mutual_information_gap"], run.model.evaluate(x, path)["mutual_information_gap"])

    def test_conditional(self):
        """A model that is told labels, with all its rows in memory; as trained from files."""
        x = table(90, 5)
        labels = numpy.arange(90) % 3
        x[:, 0] += 20 * labels
        options = {**TABLE, "epochs": 60, "lr": 1e-2, "conditional": True}
        model = vaecuda.train(x, labels=labels, valid=x[:30], valid_labels=labels[:30], **options).model
        self.refuses(vaecuda.FileError, "conditional", model.score, x)
        self.refuses(vaecuda.FileError, "conditional, so every row needs a label", model.score, x.astype(float))
        told, otherwise = model.score(x, labels=labels), model.score(x, labels=(labels + 1) % 3)
        self.assertLess(told.mean(), otherwise.mean())
        self.refuses(vaecuda.FileError, "did not occur in the training", model.score, x, labels=labels + 7)
        z = model.sample_latents(200, seed=3)
        drawn = [model.decode(z, labels=[label] * 200)[:, 0].mean() for label in range(3)]
        self.assertLess(drawn[0] + 5, drawn[1])
        self.assertLess(drawn[1] + 5, drawn[2])
        self.assertAlmostEqual(model.evaluate(x, labels)["negative_elbo"], told.mean(), places=3)
        vectors = numpy.eye(3, dtype=numpy.float32)[labels]
        by_vector = vaecuda.train(x, labels=vectors, **options).model
        self.assertEqual(by_vector.score(x, labels=vectors).shape, (90,))
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("x.npy", "labels.npy")]
            numpy.save(paths[0], x)
            numpy.save(paths[1], labels)
            from_files = vaecuda.train(paths[0], labels=paths[1], **options).model
            in_memory = vaecuda.train(x, labels=labels, **options).model
            numpy.testing.assert_array_equal(from_files.score(x, labels=labels), in_memory.score(x, labels=paths[1]))

    def test_files_beside_arrays(self):
        """Where one part of the data is in memory, files are loaded into it as well."""
        x = table(60, 6)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.npy")
            numpy.save(path, x)
            whole = vaecuda.train(x, test=x[:20], **TABLE)
            numpy.save(os.path.join(folder, "test.npy"), x[:20])
            self.assertEqual(vaecuda.train(x, test=os.path.join(folder, "test.npy"), **TABLE).summary["test_loss"],
                             whole.summary["test_loss"])
            self.assertEqual(vaecuda.train(path, test=x[:20], **TABLE).summary["test_loss"], whole.summary["test_loss"])

    def test_presets(self):
        x = table(60, 6)
        model = vaecuda.train(x, preset="anomaly", **{**TABLE, "latent_dim": 3}).model
        self.assertEqual((model.latent_dim, model.info["likelihood"]), (3, "gaussian"))
        run = vaecuda.train(x, preset="beta-vae", **{**TABLE})  # whose steps yield to the epochs that are asked for
        self.assertEqual(run.summary["epochs"], 2)
        self.refuses(vaecuda.RequestError, "is none of aevb, anomaly, .*did you mean anomaly", vaecuda.train, x,
                     preset="anomalie", **TABLE)
        self.refuses(vaecuda.RequestError, "preset and config contradict resume", vaecuda.train, x, preset="anomaly",
                     resume="x")
        self.refuses(vaecuda.RequestError, "--sigma.* needs a likelihood with a deviation", vaecuda.train, x, sigma=0.5,
                     **{**SMALL, "likelihood": "bernoulli"})


@unittest.skipIf(pandas is None, "no pandas")
class Tables(Case):
    @classmethod
    def setUpClass(cls):
        if pandas is None:
            return
        cls.frame = pandas.DataFrame(table(), columns=["a", "b", "c", "d"])
        cls.model = vaecuda.train(cls.frame, **TABLE).model
        cls.scores = cls.model.score(cls.frame)

    def test_columns_meet_by_name(self):
        for other, text in ((self.frame[["d", "a", "c", "b"]], "taken by name"),
                            (numpy.asfortranarray(self.frame), "by position"),
                            (numpy.ascontiguousarray(self.frame), "by position")):
            with self.assertWarnsRegex(vaecuda.VaecudaWarning, text) as caught:
                warnings.simplefilter("always", vaecuda.VaecudaWarning)
                again = copy.copy(self.model).score(other)
            self.assertEqual(caught.filename, __file__)
            numpy.testing.assert_array_equal(again, self.scores)
        more = self.frame.assign(e=1.0)[["e", "d", "a", "c", "b"]]
        numpy.testing.assert_array_equal(self.model.score(more), self.scores)
        numpy.testing.assert_array_equal(self.model.score(self.frame.to_numpy()), self.scores)
        self.refuses(vaecuda.FileError, "c", self.model.score, self.frame.drop(columns="c"))
        twice = self.frame.copy()
        twice.columns = ["a", "b", "c", "c"]
        self.refuses(vaecuda.FileError, "c", self.model.score, twice)
        shuffled = vaecuda.train(self.frame, test=self.frame[["d", "a", "c", "b"]], **TABLE).summary["test_loss"]
        self.assertEqual(shuffled, vaecuda.train(self.frame, test=self.frame, **TABLE).summary["test_loss"])

    def test_names_that_are_none(self):
        """pandas' own 0 ... D-1 are no names; other numbers are."""
        bare = pandas.DataFrame(self.frame.to_numpy())
        model = vaecuda.train(bare, **TABLE).model
        numpy.testing.assert_array_equal(model.score(bare.to_numpy()), model.score(bare))
        numpy.testing.assert_array_equal(model.score(bare), self.scores)
        numbered = pandas.DataFrame(self.frame.to_numpy(), columns=[7, 8, 9, 10])
        model = vaecuda.train(numbered, **TABLE).model
        numpy.testing.assert_array_equal(model.score(numbered[[10, 7, 9, 8]]), model.score(numbered))

    def test_names_that_are_in_another_order(self):
        """0 ... D-1 in another order are names (tests/cases/test_python.py has the rest)."""
        bare = pandas.DataFrame(self.frame.to_numpy())
        run = vaecuda.train(bare, test=bare[[2, 0, 3, 1]], valid=bare, **TABLE)
        self.assertEqual(run.summary["test_loss"], run.summary["valid_loss"])
        joined = bare[[2, 0, 3, 1]].rename(columns=float)
        for other in (bare[[2, 0, 3, 1]], joined, joined.rename(columns=int).rename(columns=str)):
            with self.assertWarnsRegex(vaecuda.VaecudaWarning, "named 0 to 3 and stand in another order"):
                warnings.simplefilter("always", vaecuda.VaecudaWarning)
                numpy.testing.assert_array_equal(run.model.score(other), self.scores)
        kind = numpy.arange(120) % 2
        for column in (4, numpy.int64(4), "kind"):
            labelled = bare.assign(kind=kind)
            model = vaecuda.train(labelled, label_column=column, **TABLE).model
            self.assertEqual(model.info["columns"], ["0", "1", "2", "3"])
            numpy.testing.assert_array_equal(model.score(bare[[2, 0, 3, 1]]), self.scores)
            self.assertGreaterEqual(model.evaluate(labelled, label_column=column)["mutual_information_gap"], 0.0)

    def test_label_tables_in_another_order(self):
        """The columns 0 ... C-1 of a table of label vectors, as those of rows."""
        vectors = pandas.DataFrame(numpy.eye(3, dtype=numpy.float32)[numpy.arange(120) % 3])
        other = vectors[[2, 0, 1]]
        run = vaecuda.train(self.frame, labels=vectors, valid=self.frame, valid_labels=other, test=self.frame,
                            test_labels=vectors, conditional=True, **TABLE)
        self.assertEqual(run.summary["valid_loss"], run.summary["test_loss"])
        with self.assertWarnsRegex(vaecuda.VaecudaWarning, "labels: its columns are named 0 to 2"):
            warnings.simplefilter("always", vaecuda.VaecudaWarning)
            told = run.model.score(self.frame, labels=other)
        numpy.testing.assert_array_equal(told, run.model.score(self.frame, labels=vectors.to_numpy()))
        self.refuses(vaecuda.FileError, r"labels: row 4, column 1 .*masked", run.model.score, self.frame,
                     labels=vectors.astype("Int64").mask((vectors.index == 4)[:, None] & (numpy.arange(3) == 1)))

    def test_labels_of_pandas(self):
        kind = numpy.arange(120) % 2
        words = numpy.array(["bad", "good"])[kind]
        wanted = self.model.evaluate(self.frame, kind)["mutual_information_gap"]
        for values, dtype in ((kind, "Int64"), (kind, "boolean"), (words, "string"), (words, "category"), (kind, "Float64"),
                              (kind, pandas.SparseDtype("int64", 0))):
            labels = pandas.array(values, dtype=dtype)
            for its in (labels, pandas.Series(labels), pandas.Index(pandas.Series(labels))):
                self.assertEqual(self.model.evaluate(self.frame, its)["mutual_information_gap"], wanted)
            if "Sparse" not in str(dtype):
                gaps = pandas.Series(labels)
                gaps[7] = None
                self.refuses(vaecuda.FileError, r"labels: row 7 \(counted from 0\): the label is missing", self.model.evaluate,
                             self.frame, gaps.array)
        if pyarrow is not None:
            for its in (pyarrow.array(words), pyarrow.array(kind > 0), pyarrow.array(words).dictionary_encode(),
                        pyarrow.chunked_array([kind[:50], kind[50:]])):
                self.assertEqual(self.model.evaluate(self.frame, its)["mutual_information_gap"], wanted)
        self.refuses(vaecuda.RequestError, "labels holds datetime64", self.model.evaluate, self.frame,
                     pandas.date_range("2020-01-01", periods=120, tz="UTC"))

    def test_types_of_columns(self):
        whole = self.frame.round()
        wanted = self.model.score(whole)
        nullable = whole.astype({"a": "Int64", "b": "Float64", "c": "int16", "d": "Float32"})
        numpy.testing.assert_array_equal(self.model.score(nullable), wanted)
        sparse = whole.astype({"a": pandas.SparseDtype("float64", 0.0)})
        numpy.testing.assert_array_equal(self.model.score(sparse), wanted)
        bits = whole.assign(a=whole["a"] > 0)
        numpy.testing.assert_array_equal(self.model.score(bits.astype({"a": "boolean"})), self.model.score(bits))
        nullable.loc[4, "a"] = pandas.NA
        self.refuses(vaecuda.FileError, r'row 4, column "a" \(counted from 0\): the value is masked', self.model.score,
                     nullable)
        large = whole.astype({"b": "int64"})
        large.loc[6, "b"] = 2**24 + 1  # beside columns of floats, which would hide it
        self.refuses(vaecuda.FileError, r'row 6, column "b" .* cannot hold the integer 16777217 exactly', self.model.score,
                     large)
        gone = self.frame.copy()
        gone.loc[3, "d"] = None
        self.refuses(vaecuda.FileError, 'row 3, column "?d"?.*the value is nan', self.model.score, gone)

    def test_columns_that_hold_no_numbers(self):
        for values, error, text in (
                (["x"] * 120, vaecuda.FileError, 'column "c" holds texts .row 0: "x".'),
                (pandas.Categorical(["x"] * 120), vaecuda.FileError, 'column "c" holds texts'),
                (pandas.interval_range(0, 120), vaecuda.RequestError, "column 'c' holds interval"),
                (pandas.date_range("2020-01-01", periods=120), vaecuda.RequestError, "column 'c' holds datetime64"),
                (pandas.date_range("2020-01-01", periods=120, tz="UTC"), vaecuda.RequestError, "column 'c' holds datetime64"),
                ([[1]] * 120, vaecuda.RequestError, r"column 'c': row 0 \(counted from 0\) is \[1\]"),
                ([1j] * 120, vaecuda.RequestError, "column 'c' holds complex128")):
            bad = self.frame.assign(c=values)
            self.refuses(error, text, self.model.score, bad)
            self.refuses(error, text, vaecuda.train, bad, **TABLE)
        self.refuses(vaecuda.RequestError, r"shape \(120,\)", self.model.score, self.frame["a"])

    def test_label_columns(self):
        kind = numpy.arange(120) % 2
        alone = vaecuda.train(self.frame[kind == 1], **TABLE).summary
        for name, values, normal, options in (
                ("label", kind, "1", {}), ("kind", kind, "1", {"label_column": "kind"}),
                ("kind", numpy.array(["bad", "good"])[kind], "good", {"label_column": "kind"}),
                ("kind", pandas.Categorical(numpy.array(["bad", "good"])[kind]), "good", {"label_column": "kind"})):
            labelled = self.frame.assign(**{name: values})
            run = vaecuda.train(labelled, normal_label=normal, **options, **TABLE)
            self.assertEqual((run.model.input_dim, run.summary["steps"]), (4, alone["steps"]))
            figures = run.model.evaluate(labelled, **options)
            self.assertGreaterEqual(figures["mutual_information_gap"], 0.0)
        of_series = vaecuda.train(self.frame, labels=pandas.Series(values), normal_label="good", **TABLE)
        self.assertEqual(of_series.summary["steps"], alone["steps"])
        self.refuses(vaecuda.RequestError, "there is no column", vaecuda.train, self.frame, label_column="z", **TABLE)
        self.refuses(vaecuda.RequestError, "asked for twice", vaecuda.train, labelled, labels=kind, label_column="kind",
                     **TABLE)

    def test_a_label_that_is_a_value(self):
        """A column that is called label is a value of the model that was trained on it."""
        frame = self.frame.rename(columns={"d": "label"})
        model = vaecuda.train(frame, label_column="none", **TABLE).model
        self.assertEqual(model.info["columns"], ["a", "b", "c", "label"])
        numpy.testing.assert_array_equal(model.score(frame), self.scores)
        numpy.testing.assert_array_equal(model.score(frame[["label", "c", "b", "a"]]), self.scores)
        self.assertEqual(model.evaluate(frame)["rows"], 120)

    def test_structured_arrays(self):
        records = self.frame.to_records(index=False)
        numpy.testing.assert_array_equal(self.model.score(records), self.scores)
        numpy.testing.assert_array_equal(self.model.score(records[["b", "a", "d", "c"]]), self.scores)


if __name__ == "__main__":
    unittest.main()
