#!/usr/bin/env python3
"""Fork after use: what gunicorn's preload, multiprocessing and DataLoader workers do.

By the C interface, from ctypes alone; the Python module itself as well where NumPy is there.
"""

import array
import ctypes
import os
import signal
import sys
import time
import unittest

import support

LIBRARY = os.environ.get("VAECUDA_LIBRARY")
COLUMNS = 256  # wide enough that calls have work for several threads
LIMIT = 60  # seconds, then a child counts as hanging


class RunOn(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("device", ctypes.c_char_p), ("threads", ctypes.c_int64),
                ("precision", ctypes.c_char_p)]


def pointer(values):
    return (ctypes.c_float * len(values)).from_buffer(values)


class Model:
    """A model by the C interface."""

    def __init__(self, library, path, threads):
        self.library, self.handle = library, ctypes.c_void_p()
        on = RunOn(ctypes.sizeof(RunOn), b"cpu", threads, None)
        self.call("vaecuda_model_load", os.fsencode(path), ctypes.byref(on), ctypes.byref(self.handle))

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status != 0:
            raise RuntimeError(f"{name}: status {status}: {self.library.vaecuda_last_error().decode()}")

    def score(self, x):
        rows = len(x) // COLUMNS
        result = array.array("f", bytes(4 * rows))
        self.call("vaecuda_score", self.handle, pointer(x), ctypes.c_int64(rows), ctypes.c_int64(COLUMNS),
                  ctypes.c_uint64(1), pointer(result), ctypes.c_size_t(rows))
        return result.tobytes()

    def evaluate(self, path):
        data = ctypes.c_void_p()
        self.call("vaecuda_dataset_load", os.fsencode(path), None, ctypes.byref(data))
        kl = array.array("d", bytes(8 * 2))
        figures = (ctypes.c_int64 * 32)(8 * 32)  # a vaecuda_evaluation begins with its size
        self.call("vaecuda_evaluate", self.handle, data, ctypes.c_int64(2), ctypes.c_uint64(1), ctypes.byref(figures),
                  (ctypes.c_double * 2).from_buffer(kl), ctypes.c_size_t(2))
        self.library.vaecuda_dataset_free(data)
        return kl.tobytes() + bytes(figures)


def train(library, data, folder, threads):
    """Trains a few steps in this process; gives the model's bytes."""
    config = ctypes.c_void_p()
    calls = [library.vaecuda_config_create(ctypes.byref(config))]
    options = {"data.path": data, "output.dir": folder, "train.device": "cpu", "train.threads": threads,
               "train.steps": 5, "model.hidden": 96, "model.latent_dim": 2, "train.batch_size": 128}
    for name, value in options.items():
        calls.append(library.vaecuda_config_set(config, name.encode(), str(value).encode()))
    calls.append(library.vaecuda_train(config, None, None, None, None, None))
    if any(calls):
        raise RuntimeError(f"{calls}: {library.vaecuda_last_error().decode()}")
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        return file.read()


class Fork(support.Case):
    @classmethod
    def setUpClass(cls):
        cls.library = ctypes.CDLL(LIBRARY)
        cls.library.vaecuda_last_error.restype = ctypes.c_char_p

    def setUp(self):
        super().setUp()
        self.data = "shapes:16x16,n=600"
        self.run = self.folder / "run"
        self.assert_done(self.train("--data", self.data, "--hidden", 96, "--latent-dim", 2, "--steps", 3, "--device", "cpu",
                                    "--threads", 1, "--no-report", "--out", self.run, "--quiet"))
        self.model = self.run / "model.safetensors"
        self.rows = array.array("f", [(i * 7919 % 1009) / 1009 for i in range(600 * COLUMNS)])

    def in_child(self, work):
        """Forks; `work` tells by its result whether all was right. A child that hangs is killed, and fails."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if work() else 1
            except BaseException as error:
                print(f"in the child: {error}", file=sys.stderr, flush=True)
            os._exit(code)
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                self.assertEqual(status, 0, "the child's result is another one, or it failed")
                return
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        self.fail(f"the forked child was still running after {LIMIT} s")

    def test_a_child_scores_with_the_model_of_its_parent_and_with_its_own(self):
        model = Model(self.library, self.model, 2)
        expected = model.score(self.rows)
        one_row = model.score(self.rows[:COLUMNS])
        self.in_child(lambda: model.score(self.rows) == expected and model.score(self.rows[:COLUMNS]) == one_row)
        self.in_child(lambda: Model(self.library, self.model, 2).score(self.rows) == expected)
        self.assertEqual(model.score(self.rows), expected)

    def test_a_child_of_a_parent_that_has_not_computed_computes(self):
        model = Model(self.library, self.model, 2)
        self.in_child(lambda: len(model.score(self.rows)) == 4 * 600)

    def test_a_child_trains_and_evaluates(self):
        model = Model(self.library, self.model, 2)
        expected = train(self.library, self.data, str(self.folder / "a"), 2)
        figures = model.evaluate(self.data)
        self.in_child(lambda: train(self.library, self.data, str(self.folder / "b"), 2) == expected)
        self.in_child(lambda: model.evaluate(self.data) == figures)

    def test_python_in_a_pool_of_processes(self):
        try:
            import numpy
        except ImportError:
            self.skipTest("no NumPy, which vaecuda.py needs (Debian/Ubuntu: python3-numpy)")
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(support.SOURCE / "tools/python"))
        import multiprocessing
        import vaecuda
        x = numpy.frombuffer(self.rows.tobytes(), "f4").reshape(600, COLUMNS)
        model = vaecuda.Vae.load(self.model, device="cpu", threads=2)
        expected = model.encode(x)
        self.in_child(lambda: numpy.array_equal(model.encode(x), expected))
        self.in_child(lambda: numpy.array_equal(vaecuda.Vae.load(self.model, device="cpu").encode(x), expected))
        self.in_child(lambda: vaecuda.train(x, steps=3, hidden=[96], latent_dim=2, device="cpu").summary["steps"] == 3)
        global in_pool
        in_pool = model.encode
        with multiprocessing.get_context("fork").Pool(2) as pool:
            parts = pool.map_async(in_pool_encode, [x[:300], x[300:]]).get(timeout=LIMIT)
        self.assertTrue(numpy.array_equal(numpy.concatenate(parts), expected))


def in_pool_encode(rows):
    return in_pool(rows)


if __name__ == "__main__":
    if not LIBRARY or not os.path.exists(LIBRARY):
        print("skipped: VAECUDA_LIBRARY does not name libvaecuda.so")
        sys.exit(77)
    if not hasattr(os, "fork"):
        print("skipped: this system does not fork")
        sys.exit(77)
    support.main()
