"""Calls of Python's that fail or are interrupted: what is raised, and that no memory stays."""

import gc
import os
import shutil
import signal
import sys
import warnings
from unittest import mock

import support

try:
    import numpy
    sys.path.insert(0, str(support.SOURCE / "tools" / "python"))
    import vaecuda
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TABLE = dict(device="cpu", threads=1, hidden=[8], latent_dim=2, epochs=2, likelihood="gaussian", standardize=True)
ROWS, COLUMNS = 50000, 20
COPY = ROWS * COLUMNS * 4  # bytes of the library's copy of the rows
CALLS = 6


class Interrupted(Exception):
    """What the handler of a signal raises, as that of Ctrl-C raises KeyboardInterrupt."""


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fails(_):
    raise Interrupted


class Failures(support.Case):
    @classmethod
    def setUpClass(cls):
        cls.x = numpy.random.default_rng(3).normal(size=(ROWS, COLUMNS)).astype("f4")
        cls.small = cls.x[:2000]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", vaecuda.VaecudaWarning)
            cls.model = vaecuda.train(cls.small, **TABLE).model

    def setUp(self):
        super().setUp()
        filters = warnings.catch_warnings()
        filters.__enter__()
        self.addCleanup(filters.__exit__, None, None, None)
        warnings.simplefilter("ignore", vaecuda.VaecudaWarning)

    def grows_by(self, call, error):
        """Memory that failing calls keep once the error is dealt with, without the collector of cycles."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for i in range(CALLS + 2):  # the first ones make what stays, as threads and their heaps
            if i == 2:
                before = resident()
            try:
                call()
            except error as caught:  # not assertRaises, which empties the frames that the error holds
                shutil.rmtree(getattr(caught, "folder", self.folder / "none"), ignore_errors=True)
            else:
                self.fail("the call did not fail")
        return resident() - before

    def test_a_run_that_fails_keeps_no_rows(self):
        """A search in which runs diverge, a service that trains on users' tables."""
        x, bernoulli = self.x, {**TABLE, "likelihood": "bernoulli", "standardize": False}
        vaecuda.train(self.small, out=self.folder / "taken", report=False, **TABLE)
        for name, error, call in (
                ("diverges", vaecuda.DivergedError, lambda: vaecuda.train(x, **{**TABLE, "lr": 1e6})),
                ("values", vaecuda.FileError, lambda: vaecuda.train(x, **bernoulli)),
                ("valid", vaecuda.FileError, lambda: vaecuda.train(x, valid=x[:, :3], **TABLE)),
                ("out", vaecuda.RequestError, lambda: vaecuda.train(x, out=self.folder / "taken", **TABLE)),
                ("message", Interrupted, lambda: vaecuda.train(x, message=fails, **TABLE)),
                ("progress", Interrupted, lambda: vaecuda.train(x, progress=fails, **TABLE))):
            with self.subTest(name):
                self.assertLess(self.grows_by(call, error), 3 * COPY)
        flat = x * (numpy.arange(COLUMNS) > 0)
        warnings.simplefilter("error", vaecuda.VaecudaWarning)
        self.assertLess(self.grows_by(lambda: vaecuda.train(flat, **TABLE), vaecuda.VaecudaWarning), 3 * COPY)

    def test_an_error_that_is_kept_keeps_no_copy(self):
        """Who collects the errors of a search keeps the rows that are the caller's, not the library's copies."""
        kept = []

        def diverges():
            try:
                vaecuda.train(self.x, **{**TABLE, "lr": 1e6})
            except vaecuda.DivergedError as error:
                kept.append(error)
                raise

        self.assertLess(self.grows_by(diverges, vaecuda.DivergedError), 3 * COPY)
        self.assertEqual(len(kept), CALLS + 2)

    def test_other_calls_that_fail_keep_no_rows(self):
        x, path = self.x, self.write("no.safetensors", "no model")
        gap = x.copy()
        gap[-1, 0] = numpy.nan
        wide = x.astype("f8")
        labels = numpy.zeros(ROWS - 1, int)
        for name, error, call in (
                ("load", vaecuda.FileError, lambda: vaecuda.Vae.load(path)),
                ("nan", vaecuda.FileError, lambda: self.model.encode(gap)),
                ("columns", vaecuda.RequestError, lambda: self.model.score(wide[:, 1:])),
                ("labels", vaecuda.RequestError, lambda: self.model.evaluate(x, labels)),
                ("seed", vaecuda.RequestError, lambda: self.model.score(wide, samples=0))):
            with self.subTest(name):
                self.assertLess(self.grows_by(call, error), 3 * COPY)
        warnings.simplefilter("error", vaecuda.VaecudaWarning)
        self.assertLess(self.grows_by(lambda: self.model.evaluate(x + 1e6), vaecuda.VaecudaWarning), 3 * COPY)

    def interrupted(self, call, after=0.02):
        """Calls until a signal comes, whose handler raises."""
        fired = []

        def handler(*_):
            fired.append(True)
            raise Interrupted

        before = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, after)
            while not fired:
                call()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        return "what the handler raised was lost"

    def test_a_signal_is_raised_by_every_call(self):
        """What a signal's handler raises during a call is raised when the call has ended, also where the library has a
        line to say then; the next call does not say that line."""
        model, far = self.model, self.small + 1e6
        told = numpy.rec.fromarrays(list(self.small.T[::-1]), names=[f"c{i}" for i in range(COLUMNS)])
        named = vaecuda.train(told, out=self.folder / "run", **TABLE).model
        shuffled = told[[f"c{i}" for i in reversed(range(COLUMNS))]]
        lost = []
        with mock.patch("sys.unraisablehook", lost.append):
            for name, call in (
                    ("evaluate", lambda: model.evaluate(far, samples=100)),
                    ("by name", lambda: named.log_likelihood(shuffled, samples=100)),
                    ("encode", lambda: model.encode(self.x)), ("score", lambda: model.score(self.small, samples=100)),
                    ("sample", lambda: model.sample(ROWS)), ("report", lambda: vaecuda.write_report(self.folder / "run")),
                    ("train", lambda: vaecuda.train(self.x, **{**TABLE, "epochs": 10**7}))):
                with self.subTest(name), self.assertRaises(Interrupted) as caught:
                    self.fail(self.interrupted(call))
                shutil.rmtree(getattr(getattr(caught, "exception", None), "folder", self.folder / "none"), ignore_errors=True)
        self.assertEqual(lost, [])
        warnings.simplefilter("error", vaecuda.VaecudaWarning)
        self.assertEqual(model.score(self.small).shape, (len(self.small),))

    def test_ctrl_c_of_an_evaluation(self):
        def interrupts():
            os.kill(os.getpid(), signal.SIGINT)

        with mock.patch("sys.unraisablehook") as lost, self.assertRaises(KeyboardInterrupt):
            signal.signal(signal.SIGALRM, lambda *_: interrupts())
            self.addCleanup(signal.signal, signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            self.model.evaluate(self.small + 1e6, samples=100)
        lost.assert_not_called()

    def test_a_call_that_is_interrupted_keeps_nothing(self):
        """A signal that comes while the library makes what Python is to hold, a data set."""
        wide = self.x.astype("f8")

        def call():
            self.interrupted(lambda: self.model.score(wide), 0.005)
            raise Interrupted  # what is raised in Python's own finalizers is lost

        self.assertLess(self.grows_by(call, Interrupted), 3 * COPY)


if __name__ == "__main__":
    if not os.environ.get("VAECUDA_LIBRARY"):
        print("skipped: VAECUDA_LIBRARY names no library")
        sys.exit(77)
    support.main()
