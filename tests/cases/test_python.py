"""Rows, models and options from Python: what a mask hides, how a model travels and ends, options of files."""

import os
import subprocess
import sys
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
        self.assert_ended(self.train("--data", "whole.npy", "--out", "refused", *support.SMALL), support.BAD_FILE, said)


if __name__ == "__main__":
    if not os.environ.get("VAECUDA_LIBRARY"):
        print("skipped: VAECUDA_LIBRARY names no library")
        sys.exit(77)
    support.main()
