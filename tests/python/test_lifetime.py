"""How models end, travel and warn in Python: close, pickle, copies, threads, processes, the interpreter's end."""

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE = os.path.join(HERE, "..", "..", "tools", "python")
sys.path.insert(0, MODULE)
import vaecuda  # noqa: E402

SMALL = {"hidden": [8], "latent_dim": 2, "epochs": 2, "batch_size": 32, "device": "cpu", "threads": 1,
         "likelihood": "gaussian"}


def rows():
    return numpy.random.default_rng(3).normal(size=(80, 5)).astype(numpy.float32)


def score_elsewhere(job):
    model, x = job
    return model.score(x)


class Lifetime(unittest.TestCase):
    def setUp(self):
        self.x = rows()
        self.model = vaecuda.train(self.x, **SMALL).model

    def test_travels(self):
        wanted = self.model.score(self.x)
        for protocol in (2, pickle.HIGHEST_PROTOCOL):
            again = pickle.loads(pickle.dumps(self.model, protocol))
            numpy.testing.assert_array_equal(again.score(self.x), wanted)
            self.assertEqual(again.info, self.model.info)
        for twin in (copy.deepcopy(self.model), copy.copy(self.model), copy.deepcopy({"model": self.model})["model"]):
            with twin:
                numpy.testing.assert_array_equal(twin.score(self.x), wanted)
            numpy.testing.assert_array_equal(self.model.score(self.x), wanted)  # which it shares nothing with
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            numpy.testing.assert_array_equal(pool.map(score_elsewhere, [(self.model, self.x)])[0], wanted)

    def test_is_called_by_its_name(self):
        """Messages and pickles name the module that users know, not its parts."""
        for name in vaecuda.__all__:
            self.assertEqual(getattr(vaecuda, name).__module__, "vaecuda")
        self.assertNotIn(b"_vaecuda", pickle.dumps([self.model, vaecuda.RequestError("text", 2)]))

    def test_is_closed(self):
        self.model.close()
        self.model.close()
        for call in (lambda: self.model.score(self.x), lambda: self.model.encode(self.x.tolist()), lambda: self.model.sample(3),
                     lambda: self.model.save("/nowhere"), lambda: self.model.evaluate(self.x),
                     lambda: pickle.dumps(self.model), lambda: copy.deepcopy(self.model)):
            with self.assertRaisesRegex(vaecuda.RequestError, "^the model was closed$") as caught:
                call()
            self.assertEqual(caught.exception.status, 2)
        self.assertIn("Vae(input_dim=5", repr(self.model))

    def test_is_closed_while_it_works(self):
        """A call that runs ends well; the memory goes with the last one."""
        x = numpy.tile(self.x, (2000, 1))
        wanted = self.model.score(x)
        results, started = [], threading.Event()

        def work():
            started.set()
            try:
                while True:
                    results.append(numpy.array_equal(self.model.score(x), wanted))
            except vaecuda.RequestError as error:
                results.append(str(error))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        started.wait()
        self.model.close()
        for thread in threads:
            thread.join()
        self.assertEqual(set(results) - {True}, {"the model was closed"})
        self.assertEqual(results.count("the model was closed"), 3)

    def test_warns_where_it_is_called(self):
        """A warning has the line of the caller, is one of VaecudaWarning, and an error where filters say so."""
        x = self.x.copy()
        x[:, 1] = 3.0
        options = {**SMALL, "standardize": True}
        lines = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            vaecuda.train(x, message=lines.append, **options)
        of_column = [warning for warning in caught if "do not vary" in str(warning.message)]
        self.assertEqual([warning.category for warning in of_column], [vaecuda.VaecudaWarning])
        self.assertEqual(of_column[0].filename, __file__)
        self.assertFalse(str(of_column[0].message).startswith("warning"))
        self.assertIn(f"warning: {of_column[0].message}", lines)
        with warnings.catch_warnings():
            warnings.simplefilter("error", vaecuda.VaecudaWarning)
            with self.assertRaisesRegex(vaecuda.VaecudaWarning, "do not vary"):
                vaecuda.train(x, **{**options, "epochs": 100000})

    def test_leaves_nothing_on_stderr(self):
        """Failed constructions, models that are alive at the end, and threads at work then."""
        script = """
import sys, threading
sys.path.insert(0, sys.argv[1])
import numpy, vaecuda
x = numpy.random.default_rng(3).normal(size=(80, 5)).astype("f4")
kept = vaecuda.train(x, device="cpu", threads=1, hidden=[8], latent_dim=2, epochs=1, likelihood="gaussian").model
for path in ("/nowhere", __file__):
    try:
        vaecuda.Vae.load(path)
    except vaecuda.FileError:
        pass
def work():
    while True:
        kept.score(x)
threading.Thread(target=work, daemon=True).start()
kept.itself = kept
print(kept.score(x).shape)
"""
        path = os.path.join(self.folder(), "ends.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        done = subprocess.run([sys.executable, "-W", "ignore", path, MODULE], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "(80,)\n", ""))

    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name


if __name__ == "__main__":
    unittest.main()
