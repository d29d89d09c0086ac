"""Rows, models and options from Python: what a mask hides, how a model travels and ends, options of files."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import support

try:
    import numpy
    sys.path.insert(0, str(support.SOURCE / "tools" / "python"))
    import vaecuda
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TABLE = dict(device="cpu", threads=1, hidden=[8], latent_dim=2, epochs=2, likelihood="gaussian", standardize=True)


def sensors():
    return numpy.array(support.sensor_rows(), "f4")


class Python(support.Case):
    def test_masked_array(self):
        """A sensor's gaps, filled with -9999 under a mask, are not scored as values."""
        x = sensors()
        model = vaecuda.train(x, **TABLE).model
        masked = numpy.ma.masked_array(x.copy(), mask=x > 1030)
        self.assertTrue(masked.mask.any())
        masked.data[masked.mask] = -9999
        row, column = numpy.argwhere(masked.mask)[0]
        for call in (model.score, model.encode, lambda rows: vaecuda.train(rows, **TABLE)):
            with self.assertRaisesRegex(vaecuda.FileError, rf"row {row}, column {column} .*masked") as caught:
                call(masked)
            self.assertEqual(caught.exception.status, support.BAD_FILE)
        whole = numpy.ma.masked_greater(x, 1e6)
        numpy.testing.assert_array_equal(model.score(whole), model.score(x))

    def test_pickle_model(self):
        """A model survives pickle and deepcopy, and says when it was closed."""
        script = self.write("p.py", """
import copy, pickle, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, vaecuda
x = np.random.default_rng(0).normal(size=(100, 6)).astype("f4")
m = vaecuda.train(x, device="cpu", threads=1, epochs=1, likelihood="gaussian", hidden=[8], latent_dim=2).model
wanted = m.score(x)
for other in (pickle.loads(pickle.dumps(m)), copy.deepcopy(m)):
    assert np.array_equal(other.score(x), wanted)
m.close()
try:
    m.score(x)
except vaecuda.RequestError as error:
    print(error)
""")
        done = subprocess.run([sys.executable, "-W", "ignore", str(script), str(support.SOURCE / "tools" / "python")],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "the model was closed\n", ""))

    def test_file_options(self):
        """Options of files take effect on rows in memory, or are refused with what to do."""
        x = sensors()
        labels = self.write("labels.csv", "".join(f"{row % 2}\n" for row in range(len(x))))
        with self.assertRaisesRegex(vaecuda.FileError, "no/such/file.csv"):
            vaecuda.train(x, labels="no/such/file.csv", **TABLE)
        with self.assertRaisesRegex(vaecuda.RequestError, "labels="):
            vaecuda.train(x, label_column="y", **TABLE)
        self.assertEqual(vaecuda.train(x, image="1x5x1", **TABLE).model.info["image"], (1, 5, 1))
        with self.assertRaisesRegex(vaecuda.RequestError, "5x5x1 does not fit rows of 5"):
            vaecuda.train(x, image="5x5x1", **TABLE)
        half = vaecuda.train(x[::2], **TABLE).summary
        self.assertEqual(vaecuda.train(x, normal_label="0", labels=labels, **TABLE).summary["steps"], half["steps"])
        with self.assertRaisesRegex(vaecuda.RequestError, "labels with rows in memory"):
            vaecuda.train(x, normal_label="0", **TABLE)

    def test_arguments_that_c_would_cut(self):
        """What C's types and texts do not hold is refused, not wrapped or cut."""
        x = sensors()
        model = vaecuda.train(x, **TABLE).model
        path = str(self.folder / "m.safetensors")
        model.save(path)
        wide = 1 << 64
        for call, part in (
                (lambda: model.score(x, seed=-1), "seed is -1; expected a whole number from 0 to 18446744073709551615"),
                (lambda: model.elbo(x, seed=wide + 5), "seed is 18446744073709551621"),
                (lambda: model.score(x, seed=1.5), "seed is 1.5"), (lambda: model.sample(3, seed=wide), "seed is 1844"),
                (lambda: model.sample_latents(3, seed=-2), "seed is -2"), (lambda: model.sample(wide + 3), "count is 1844"),
                (lambda: model.evaluate(x, seed=-1), "seed is -1"), (lambda: model.sample(-1), "-1 rows"),
                (lambda: model.evaluate(x, samples=wide), "samples is 1844"),
                (lambda: model.evaluate(x, samples=(1 << 63) - 1), "expected 0 to 1000000"),
                (lambda: model.log_likelihood(x, samples=wide + 1), "samples is 1844"),
                (lambda: model.log_likelihood(x, samples=(1 << 63) - 1), "expected 1 to 1000000"),
                (lambda: model.interpolate([0, 0], [1, 1], steps=wide + 2), "steps is 1844"),
                (lambda: vaecuda.Vae.load(path, "cpu", threads=wide + 1), "threads is 1844"),
                (lambda: vaecuda.Vae.load(path, "cpu", threads=(1 << 63) - 1), "0 to 1024 threads"),
                (lambda: vaecuda.Vae.load(path, "cpu", threads=(1 << 32) + 1), "0 to 1024 threads"),
                (lambda: vaecuda.Vae.load(path, "cpu", threads=-1), "0 to 1024 threads"),
                (lambda: vaecuda.Vae.load(path + "\0.txt", "cpu"), "code 0"), (lambda: model.save(path + "\0x"), "code 0"),
                (lambda: vaecuda.Vae.load(path, "cpu\0"), "code 0"), (lambda: vaecuda.load_rows("shapes\0"), "code 0"),
                (lambda: vaecuda.train(x, **{**TABLE, "likelihood": "gaussian\0x"}), "code 0"),
                (lambda: vaecuda.train(x, **{**TABLE, "lr\0x": 1}), "code 0"),
                (lambda: vaecuda.train(x, **TABLE, seed=wide), "seed"), (lambda: vaecuda.train(x, **TABLE, seed=-1), "seed"),
                (lambda: vaecuda.train(x, preset="a\0"), "code 0"), (lambda: vaecuda.train(x, config="a\0"), "code 0"),
                (lambda: vaecuda.train(x, resume="a\0"), "code 0"), (lambda: vaecuda.train(x, out="a\0", **TABLE), "code 0"),
                (lambda: vaecuda.train(x, labels=["a\0b", "a\0c"] * 100, **TABLE), "code 0"),
                (lambda: vaecuda.train(x, **TABLE, lr=1e-46), "lr: '1e-46' is not a number from 1e-30"),
                (lambda: vaecuda.train(x, **TABLE, clip_norm=1e-300), "clip-norm: '1e-300' is not 0 or a number from 1e-18")):
            with self.subTest(part=part), self.assertRaises(vaecuda.RequestError) as caught:
                call()
            self.assertIn(part, str(caught.exception))
            self.assertEqual(caught.exception.status, support.USAGE)
        with self.assertRaises((vaecuda.OutOfMemoryError, MemoryError)):
            model.sample(1 << 61)
        numpy.testing.assert_array_equal(model.score(x, seed=numpy.uint64(wide - 1)), model.score(x, seed=wide - 1))
        self.assertFalse(numpy.array_equal(model.score(x, seed=wide - 1), model.score(x, seed=0)))

    def test_messages_are_shown(self):
        """What a terminal would obey stands in no message."""
        with self.assertRaises(vaecuda.FileError) as caught:
            vaecuda.load_rows("no\x1b[31m\x9b\u202efile.csv")
        self.assertRegex(str(caught.exception), r"no\\x1b\[31m\\x9b\\u202efile\.csv")

    def test_memory_is_a_file(self):
        """The same rows give the same model, from an array and from a file, and the same refusal."""
        x = sensors()
        self.table("x.csv", x.tolist())
        options = {**TABLE, "out": str(self.folder / "run")}
        vaecuda.train(str(self.folder / "x.csv"), **options)
        from_file = Path(self.folder / "run" / "model.safetensors").read_bytes()
        vaecuda.train(x, overwrite=True, **options)
        self.assertEqual(Path(self.folder / "run" / "model.safetensors").read_bytes(), from_file)
        whole = numpy.zeros((50, 3), numpy.int64)
        whole[7, 1] = 2**24 + 1
        (self.folder / "whole.npy").write_bytes(support.npy("<i8", whole.shape, whole.tobytes()))
        said = "row 7, column 1 (counted from 0): a 32-bit float cannot hold the integer 16777217 exactly"
        with self.assertRaises(vaecuda.FileError) as caught:
            vaecuda.train(whole, **TABLE)
        self.assertIn(said, str(caught.exception))
        self.assert_ended(self.train("--data", "whole.npy", "--out", "refused", *support.PLANE), support.BAD_FILE, said)

    def refuses(self, error, part, call, *arguments, **options):
        with self.subTest(part=part), self.assertRaises(error) as caught:
            call(*arguments, **options)
        self.assertIn(part, str(caught.exception))
        self.assertIsInstance(caught.exception, vaecuda.Error)

    def test_names_that_count(self):
        """Columns that are called 0 ... D-1 are taken by these names, wherever they stand, or refused."""
        x = sensors()
        plain = numpy.rec.fromarrays(list(x.T), names=[str(i) for i in range(5)])
        other = plain[["3", "1", "4", "0", "2"]]
        whole = vaecuda.train(plain, test=plain, valid=x, **TABLE)
        model, wanted = whole.model, whole.summary["test_loss"]
        with self.assertWarnsRegex(vaecuda.VaecudaWarning, "named 0 to 4 and stand in another order"):
            numpy.testing.assert_array_equal(model.score(other), model.score(x))
        numpy.testing.assert_array_equal(model.decode(numpy.rec.fromarrays([[1.0], [2.0]], names=["1", "0"])),
                                         model.decode([[2.0, 1.0]]))
        for data, test in ((plain, other), (other, x)):
            run = vaecuda.train(data, test=test, valid=other, **TABLE)
            self.assertEqual((run.summary["test_loss"], run.summary["valid_loss"]), (wanted, whole.summary["valid_loss"]))
        gap = numpy.rec.fromarrays(list(x.T), names=["0", "1", "2", "3", "7"])
        self.refuses(vaecuda.FileError, 'is missing: "4"', vaecuda.train, plain, test=gap, **TABLE)
        labelled = numpy.rec.fromarrays([*x.T, numpy.arange(len(x)) % 2], names=[*"01234", "label"])
        run = vaecuda.train(labelled[["4", "label", "3", "2", "1", "0"]], test=other, valid=plain, **TABLE)
        self.assertEqual(run.summary["test_loss"], run.summary["valid_loss"])
        for rows in (plain, labelled):
            numpy.testing.assert_array_equal(run.model.score(rows), run.model.score(other))
        named = numpy.rec.fromarrays(list(x.T), names=list("abcde"))
        self.refuses(vaecuda.FileError, "are missing", vaecuda.train(named, **TABLE).model.score, other)

    def stops(self, call):
        """What a run that is interrupted by Ctrl-C leaves."""
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            with self.assertRaises(KeyboardInterrupt) as caught:
                call()
        finally:
            timer.cancel()
        folder = caught.exception.folder
        self.assertIn(f"the run is in {folder}", str(caught.exception))
        self.assertIn(f"resume={folder!r}", str(caught.exception))
        self.assertEqual(vaecuda.Vae.load(os.path.join(folder, "model.safetensors"), "cpu").input_dim, 5)
        return folder

    def test_ctrl_c_loses_nothing(self):
        """With and without out=, the run that was interrupted is there, and can be gone on with."""
        x = sensors()
        long = {**TABLE, "epochs": 10**7}
        folder = self.stops(lambda: vaecuda.train(x, **long))
        self.addCleanup(shutil.rmtree, folder)
        self.assertEqual(self.stops(lambda: vaecuda.train(x, resume=folder)), folder)
        first = vaecuda.Vae.load(os.path.join(folder, "model.safetensors"), "cpu").info["steps"]
        resumed = vaecuda.train(x, resume=folder, stop=lambda: True)
        self.assertGreaterEqual(resumed.summary["steps"], first)
        self.assertEqual(self.stops(lambda: vaecuda.train(x, out=self.folder / "run", **long)), str(self.folder / "run"))

        def fails(now):
            raise KeyError("mine")

        with self.assertRaises(KeyError) as caught:
            vaecuda.train(x, progress=fails, **long)
        self.addCleanup(shutil.rmtree, caught.exception.folder)
        self.assertTrue(os.path.exists(os.path.join(caught.exception.folder, "model.safetensors")))

    def test_warnings_as_errors_lose_nothing(self):
        """A warning at the end of a run, made an error, leaves the run; one before the first step ends it."""
        x = sensors()
        flat = x.copy()
        flat[:, 1] = 3.0
        with warnings.catch_warnings():
            warnings.simplefilter("error", vaecuda.VaecudaWarning)
            with self.assertRaisesRegex(vaecuda.VaecudaWarning, "no better than") as caught:
                vaecuda.train(x, **TABLE)
            folder = caught.exception.folder
            self.addCleanup(shutil.rmtree, folder)
            with self.assertRaisesRegex(vaecuda.VaecudaWarning, "do not vary") as early:
                vaecuda.train(flat, **{**TABLE, "epochs": 10**7})
            self.assertFalse(hasattr(early.exception, "folder"))
        kept = vaecuda.Vae.load(os.path.join(folder, "model.safetensors"), "cpu", 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", vaecuda.VaecudaWarning)
            numpy.testing.assert_array_equal(kept.score(x), vaecuda.train(x, **TABLE).model.score(x))

    def test_values_of_options(self):
        """NumPy's numbers, ranges and arrays are numbers and lists; what is none is said by the option's name."""
        x = sensors()
        wanted = vaecuda.train(x, **TABLE).summary["train_loss"]
        for changed in ({"hidden": numpy.array([8]), "latent_dim": numpy.uint16(2), "epochs": numpy.array(2), "threads": "1"},
                        {"hidden": (numpy.int8(width) for width in (8,)), "standardize": numpy.bool_(True)},
                        {"hidden": range(8, 9), "likelihood": numpy.str_("gaussian"), "lr": numpy.float64(1e-3)}):
            with self.subTest(changed=changed):
                run = vaecuda.train(x, **{**TABLE, **changed})
                self.assertEqual(run.summary["train_loss"], wanted)
        model = run.model
        numpy.testing.assert_array_equal(model.sample(numpy.array(3), numpy.int8(1), numpy.float32(0.5)),
                                         model.sample(3, 1, 0.5))
        for part, call in (
                ("--hidden: 'a'", lambda: vaecuda.train(x, hidden=["a"])), ("lr is None", lambda: vaecuda.train(x, lr=None)),
                ("preset is 5", lambda: vaecuda.train(x, preset=5)), ("config is 5", lambda: vaecuda.train(x, config=5)),
                ("out is 5", lambda: vaecuda.train(x, out=5)), ("resume is 5", lambda: vaecuda.train(x, resume=5)),
                ("progress is 5", lambda: vaecuda.train(x, progress=5)), ("path is None", lambda: vaecuda.Vae.load(None)),
                ("device is None", lambda: vaecuda.Vae.load("x", device=None)), ("path is None", lambda: model.save(None)),
                ("path is a ndarray", lambda: vaecuda.load_rows(x)), ("temperature is 'a'", lambda: model.sample(3, 0, "a")),
                ("image= says how a file is read", lambda: model.evaluate(x, image="1x5x1")),
                ("--out: the value is empty", lambda: vaecuda.train(x, out="")),
                ("spherical is 'no'", lambda: model.interpolate([0, 0], [1, 1], spherical="no")),
                ("seed is a number of 16610 bits", lambda: model.score(x, seed=10**5000)),
                ("epochs: ", lambda: vaecuda.train(x, epochs=10**5000)),
                ("surrogates not allowed", lambda: vaecuda.train(x, out="\ud800")),
                ("label_column is 2.5", lambda: vaecuda.train(x, label_column=2.5)),
                ("z1: ", lambda: model.interpolate([[1], [1, 2]], [1, 2])),
                ("the way between two latents", lambda: model.interpolate([3e38, 3e38], [-3e38, 3e38], spherical=True)),
                ("no rows to validate on", lambda: vaecuda.train(x, valid=x[:0], **TABLE)),
                ("no rows to test on", lambda: vaecuda.train(x, test=x[:0], **TABLE))):
            self.refuses(vaecuda.RequestError, part, call)

    def test_labels_of_any_kind(self):
        """Labels as bytes, by the index of an array's column; a column that is taken for labels by its name."""
        x = sensors()
        kind = numpy.arange(len(x)) % 2
        model = vaecuda.train(x, **TABLE).model
        gap = model.evaluate(x, labels=kind)["mutual_information_gap"]
        whole = numpy.column_stack([x[:, 0], kind, x[:, 1:]])
        for labels in (numpy.array([b"a", b"b"])[kind], kind.astype(bool), kind.astype(">i2"), kind.astype(float)):
            self.assertEqual(model.evaluate(x, labels=labels)["mutual_information_gap"], gap)
        for index in (1, numpy.int64(1), "1"):
            self.assertEqual(model.evaluate(whole, label_column=index)["mutual_information_gap"], gap)
        run = vaecuda.train(whole, label_column=1, **TABLE)
        numpy.testing.assert_array_equal(run.model.score(x), model.score(x))
        zero = numpy.column_stack([kind, x])
        self.assertEqual(vaecuda.train(zero, label_column=0, **TABLE).model.input_dim, 5)
        target = numpy.rec.fromarrays(list(x.T), names=[*"abcd", "target"])
        self.refuses(vaecuda.FileError, 'memory: column "target": row 0', vaecuda.train, target, **TABLE)
        self.refuses(vaecuda.FileError, 'label_column "none"', vaecuda.train, target, **TABLE)
        for part, labels in (("labels: row 1 (counted from 0) is missing", [1, None] * 100),
                             ("labels is a generator", (1 for _ in x)), ("labels is a int", 5),
                             ("labels are all whole numbers or all texts", numpy.array(["a", 1] * 100, object))):
            self.refuses(vaecuda.RequestError, part, model.evaluate, x[:200], labels)

    def test_anomalies_and_samples(self):
        """What evaluate and score of the program have besides: an anomaly label, several latents of a row."""
        x = sensors()
        kind = numpy.arange(len(x)) % 2
        far = x + 50 * kind[:, None]
        model = vaecuda.train(x, **TABLE).model
        with self.assertWarnsRegex(vaecuda.VaecudaWarning, "not rows as the model was trained on"):
            figures = model.evaluate(far + 1e6, kind, anomaly_label=1)
        for label in (1, "1", numpy.int8(1), None):
            figures = model.evaluate(far, kind, anomaly_label=label)
            self.assertEqual((figures["anomalies"], figures["roc_auc"]), (kind.sum(), 1.0))
        self.assertEqual(model.evaluate(far, kind, anomaly_label=0)["roc_auc"], 0.0)
        self.assertTrue(numpy.isnan(model.evaluate(x)["roc_auc"]))
        self.refuses(vaecuda.RequestError, "anomaly label '7'", model.evaluate, x, kind, anomaly_label=7)
        model.save(self.folder / "m.safetensors")
        self.table("x.csv", x.tolist())
        said = self.tool("score", "m.safetensors", "--data", "x.csv", "--samples", "8", "--seed", "1")
        wanted = numpy.array([float(line.split(",")[1]) for line in said.out.splitlines()[1:]], "f4")
        numpy.testing.assert_array_equal(model.score(x, seed=1, samples=8), wanted)
        self.assertFalse(numpy.array_equal(model.score(x, seed=1), wanted))
        self.assertAlmostEqual(model.evaluate(x, elbo_samples=8, seed=1)["negative_elbo"], wanted.mean(dtype=float), places=3)
        self.refuses(vaecuda.RequestError, "0 latent samples", model.score, x, samples=0)

    def test_label_vectors_by_name(self):
        """The columns of a table of label vectors are taken by name, and the model tells them."""
        x = sensors()
        told = numpy.array([(row[0] / 10, row[3]) for row in x], [("p", "f8"), ("q", "f4")])
        other = numpy.array([(7, row[1], row[0]) for row in told.tolist()], [("id", "i8"), ("q", "f4"), ("p", "f8")])
        plain = numpy.column_stack([told["p"], told["q"]])
        runs = [vaecuda.train(x, test=x, labels=told, test_labels=labels, conditional=True, **TABLE)
                for labels in (told, other)]
        self.assertEqual(runs[0].summary["test_loss"], runs[1].summary["test_loss"])
        model = runs[0].model
        self.assertEqual(model.info["label_columns"], ["p", "q"])
        wanted = model.score(x, labels=told)
        for labels, words in ((other, "another order; left out.*id"), (plain, "by position")):
            with self.assertWarnsRegex(vaecuda.VaecudaWarning, words):
                numpy.testing.assert_array_equal(model.score(x, labels=labels), wanted)
        with self.assertRaisesRegex(vaecuda.FileError, '"q"'):
            model.encode(x, labels=numpy.array([(1, 2)] * len(x), [("p", "f4"), ("r", "f4")]))
        z = model.sample_latents(len(x))
        numpy.testing.assert_array_equal(model.decode(z, labels=told), model.decode(z, labels=other))

    def test_missing_labels(self):
        """What stands for a missing value is no class, as in files."""
        x = sensors()
        for labels, text in ((["a", "NA"] * 100, "NA"), (["a", "?"] * 100, r"\?"), ([1.0, float("nan")] * 100, "nan")):
            with self.assertRaisesRegex(vaecuda.FileError, f"row 1 .*'{text}' stands for.*100 of 200 rows"):
                vaecuda.train(x, labels=labels, **TABLE)


if __name__ == "__main__":
    if not os.environ.get("VAECUDA_LIBRARY"):
        print("skipped: VAECUDA_LIBRARY names no library")
        sys.exit(77)
    support.main()
