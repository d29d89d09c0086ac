"""The Python module against the library that VAECUDA_LIBRARY names."""

import os
import shutil
import signal
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

SMALL = {"hidden": [16], "latent_dim": 2, "epochs": 3, "batch_size": 32, "device": "cpu", "threads": 1}


def rows(count=300, columns=12):
    rng = numpy.random.default_rng(3)
    return (rng.random((count, 1)) > rng.random((count, columns))).astype(numpy.float32)


class Model(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.x = rows()
        cls.training = vaecuda.train(cls.x, **SMALL)
        cls.model = cls.training.model

    def test_says_what_it_is(self):
        self.assertEqual((self.model.input_dim, self.model.latent_dim, self.model.seed), (12, 2, 1))
        self.assertEqual(self.model.info["likelihood"], "bernoulli")
        self.assertIsNone(self.model.info["image"])
        self.assertEqual(self.model.info["device_note"], "")
        self.assertIn("device='cpu'", repr(self.model))
        self.assertRegex(vaecuda.version(), r"^\d+\.\d+\.\d+$")
        self.assertIn("OpenBLAS", vaecuda.build_info())

    def test_results_have_the_shapes_and_agree(self):
        model, x = self.model, self.x
        z, logvar = model.encode(x, logvar=True)
        self.assertEqual((z.shape, logvar.shape, z.dtype), ((300, 2), (300, 2), numpy.float32))
        numpy.testing.assert_array_equal(model.encode(x), z)
        numpy.testing.assert_allclose(model.encode(x[100:103]), z[100:103], rtol=1e-5, atol=1e-6)
        numpy.testing.assert_array_equal(model.decode(z), model.reconstruct(x))
        numpy.testing.assert_array_equal(model.decode(model.sample_latents(5, seed=4)), model.sample(5, seed=4))
        path = model.interpolate(z[0], z[1], steps=4)
        numpy.testing.assert_array_equal(path[[0, 3]], model.decode(z[:2]))
        reconstruction, kl = model.elbo(x)
        numpy.testing.assert_array_equal(model.score(x), reconstruction + kl)
        exact = 0.5 * (numpy.exp(logvar) + z.astype(float) ** 2 - 1 - logvar).sum(axis=1)
        numpy.testing.assert_allclose(kl, exact, rtol=1e-4, atol=1e-5)
        self.assertFalse(numpy.array_equal(model.score(x, seed=1), model.score(x, seed=2)))
        numpy.testing.assert_array_equal(model.sample(3, temperature=0.0)[0], model.decode([[0.0, 0.0]])[0])

    def test_evaluates(self):
        model, x = self.model, self.x
        likelihood = model.log_likelihood(x, samples=50)
        numpy.testing.assert_array_equal(model.log_likelihood(x, samples=50), likelihood)
        figures = model.evaluate(x, samples=50)
        self.assertEqual(figures["rows"], 300)
        self.assertAlmostEqual(figures["nll"], -likelihood.mean(dtype=float), places=4)
        self.assertAlmostEqual(figures["negative_elbo"], model.score(x).mean(dtype=float), places=4)
        # The noise of the ELBO's draws is taken out by many of them.
        elbos = [model.score(x, seed=seed).mean(dtype=float) for seed in range(100)]
        self.assertLess(figures["nll"], numpy.mean(elbos))
        self.assertAlmostEqual(figures["latent_kl"].sum(), figures["kl"], places=3)
        self.assertTrue(numpy.isnan(figures["mutual_information_gap"]))
        self.assertTrue(numpy.isnan(model.evaluate(x)["nll"]))
        with tempfile.TemporaryDirectory() as folder:
            path, labels = os.path.join(folder, "x.npy"), os.path.join(folder, "labels.npy")
            numpy.save(path, x)
            numpy.save(labels, (numpy.arange(len(x)) % 2).astype(numpy.uint8))
            labelled = model.evaluate(path, labels)
            self.assertEqual(labelled["negative_elbo"], figures["negative_elbo"])
            self.assertGreaterEqual(labelled["mutual_information_gap"], 0.0)
        with self.assertRaisesRegex(vaecuda.RequestError, "2 labels for the 300 rows"):
            model.evaluate(x, labels=[0, 1])
        with self.assertRaisesRegex(vaecuda.RequestError, "samples"):
            model.log_likelihood(x, samples=0)
        with self.assertRaisesRegex(vaecuda.FileError, "5"):
            model.evaluate(x[:, :5])

    def test_takes_what_numpy_can_turn_into_rows(self):
        model, x = self.model, self.x
        wanted = model.encode(x)
        for other in (x.astype(numpy.float64), x.astype(numpy.uint8), x.astype(bool), numpy.asfortranarray(x),
                      x.reshape(300, 3, 4), x.tolist()):
            numpy.testing.assert_array_equal(model.encode(other), wanted)
        numpy.testing.assert_allclose(model.encode(x[::-2]), wanted[::-2], rtol=1e-5, atol=1e-6)
        self.assertEqual(model.encode(numpy.empty((0, 12))).shape, (0, 2))

    def test_refuses_what_it_cannot_use(self):
        model, x = self.model, self.x
        for call, text in ((lambda: model.encode(x[0]), r"x\[None, :\]"),
                           (lambda: model.encode(x[:, :5]), "5 columns, but the model has 12"),
                           (lambda: model.decode(x), "z has 12 columns"),
                           (lambda: model.encode(numpy.array([["a"] * 12])), "rows are numbers"),
                           (lambda: model.sample(-1), "negative"),
                           (lambda: model.interpolate([0.0], [0.0, 1.0]), "z1 has 1 values"),
                           (lambda: model.interpolate([0.0], [1.0]), "z1 has 1 columns")):
            with self.assertRaisesRegex(vaecuda.RequestError, text) as caught:
                call()
            self.assertEqual(caught.exception.status, 2)
            self.assertIsInstance(caught.exception, ValueError)
        bad = x.copy()
        bad[7, 3] = numpy.nan
        with self.assertRaisesRegex(vaecuda.FileError, "row 7, column 3"):
            model.score(bad)

    def test_deterministic_latent_has_no_log_variance(self):
        model = vaecuda.train(self.x, **SMALL, latent="deterministic").model
        self.assertEqual((model.info["latent"], self.model.info["latent"]), ("deterministic", "gaussian"))
        self.assertEqual(model.encode(self.x).shape, (300, 2))
        with self.assertRaisesRegex(vaecuda.RequestError, "no log variance"):
            model.encode(self.x, logvar=True)

    def test_is_saved_and_loaded(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ä model.safetensors")
            self.model.save(path)
            with vaecuda.Vae.load(path, device="cpu", threads=1) as again:
                numpy.testing.assert_array_equal(again.encode(self.x), self.model.encode(self.x))
            with self.assertRaisesRegex(vaecuda.RequestError, "the model was closed"):
                again.encode(self.x)
            with self.assertRaisesRegex(vaecuda.RequestError, "tpu"):
                vaecuda.Vae.load(path, device="tpu")
        with self.assertRaisesRegex(vaecuda.FileError, "nowhere"):
            vaecuda.Vae.load("/nowhere/model.safetensors")

    def test_serves_several_threads(self):
        wanted = self.model.encode(self.x)
        wrong = []

        def work():
            for _ in range(10):
                if not numpy.array_equal(self.model.encode(self.x), wanted):
                    wrong.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Train(unittest.TestCase):
    def test_figures_and_callbacks(self):
        x = rows()
        seen, lines = [], []
        run = vaecuda.train(x, valid=x[:50], test_fraction=0.2, progress=seen.append, message=lines.append, **SMALL)
        self.assertEqual(run.summary["epochs"], 3)
        self.assertEqual(sum(now["epoch_end"] for now in seen), 3)
        self.assertTrue(numpy.isfinite([run.summary[f"{part}_loss"] for part in ("train", "valid", "test")]).all())
        self.assertFalse(run.summary["stopped"])
        self.assertIsNone(run.folder)
        again = vaecuda.train(x, valid=x[:50], test_fraction=0.2, **SMALL)
        self.assertEqual(again.summary["test_loss"], run.summary["test_loss"])

    def test_rows_in_memory_are_rows_of_a_file(self):
        """The same bytes of a model, whether its rows come from a file or from an array."""
        x = (rows(200, 16) * 255).astype(numpy.uint8).reshape(200, 4, 4)
        with tempfile.TemporaryDirectory() as folder:
            numpy.save(os.path.join(folder, "rows.npy"), x)
            files = []
            for data, out in ((x, "a"), (os.path.join(folder, "rows.npy"), "b")):
                out = os.path.join(folder, out)
                run = vaecuda.train(data, out=out, **SMALL)
                self.assertEqual(run.folder, out)
                self.assertEqual(run.model.info["image"], (4, 4, 1))
                with open(os.path.join(out, "model.safetensors"), "rb") as file:
                    files.append(file.read())
            self.assertEqual(files[0], files[1])
            numpy.testing.assert_array_equal(vaecuda.load_rows(os.path.join(folder, "rows.npy")), x.reshape(200, 16))
            with self.assertRaisesRegex(vaecuda.RequestError, "already holds a run"):
                vaecuda.train(x, out=out, **SMALL)
            vaecuda.train(config=os.path.join(folder, "b", "config.toml"), out=out, overwrite=True)

    def test_page_of_a_run(self):
        """A run that ends in a folder leaves its page; another is written from the folder."""
        x = rows()
        with tempfile.TemporaryDirectory() as folder:
            run = vaecuda.train(x, out=os.path.join(folder, "run"), **SMALL)
            page = os.path.join(run.folder, "report.html")
            self.assertIn(f'{run.summary["train_loss"]:.2f}', open(page, encoding="utf-8").read())
            other = os.path.join(folder, "page.html")
            self.assertEqual(vaecuda.write_report(run.folder, other, device="cpu", threads=1), other)
            self.assertIn("given in memory", open(other, encoding="utf-8").read())
            os.remove(page)
            self.assertEqual(vaecuda.write_report(run.folder, device="cpu"), page)
            self.assertTrue(os.path.exists(page))
            with self.assertRaisesRegex(vaecuda.RequestError, "model.safetensors"):
                vaecuda.write_report(run.folder, os.path.join(run.folder, "model.safetensors"))
            for out, options in (("bare", {"report": False}), ("stopped", {"stop": lambda: True, "epochs": 1000})):
                left = vaecuda.train(x, out=os.path.join(folder, out), **{**SMALL, **options}).folder
                self.assertFalse(os.path.exists(os.path.join(left, "report.html")))
            os.mkdir(os.path.join(folder, "taken"))
            with self.assertRaisesRegex(vaecuda.FileError, "taken"):
                vaecuda.write_report(os.path.join(folder, "taken"))

    def test_stops(self):
        asked = []

        def stop():
            asked.append(1)
            return len(asked) > 2

        run = vaecuda.train(rows(), stop=stop, **{**SMALL, "epochs": 100000})
        self.assertTrue(run.summary["stopped"])
        self.assertGreater(run.summary["steps"], 0)

    def test_resumes(self):
        """A run that was stopped, and one that is made longer, are what one run would have been."""
        x = rows()
        kept = {**SMALL, "valid_fraction": 0.2}

        def model_of(run):
            with open(os.path.join(run.folder, "model.safetensors"), "rb") as file:
                return file.read()

        with tempfile.TemporaryDirectory() as folder:
            whole = vaecuda.train(x, out=os.path.join(folder, "whole"), **kept)
            epochs = []
            parts = vaecuda.train(x, out=os.path.join(folder, "parts"), stop=lambda: len(epochs) > 0,
                                  progress=lambda now: epochs.append(now["epoch"]) if now["epoch_end"] else None, **kept)
            self.assertTrue(parts.summary["stopped"])
            self.assertLess(parts.summary["steps"], whole.summary["steps"])
            parts = vaecuda.train(x, resume=parts.folder)
            self.assertFalse(parts.summary["stopped"])
            self.assertEqual(parts.summary["valid_loss"], whole.summary["valid_loss"])
            self.assertEqual(model_of(parts), model_of(whole))
            short = vaecuda.train(x, out=os.path.join(folder, "short"), **{**kept, "epochs": 1})
            self.assertEqual(model_of(vaecuda.train(x, resume=short.folder, epochs=3)), model_of(whole))
            for options, text in (({"out": folder}, "contradict resume"), ({"config": "x.toml"}, "contradict resume"),
                                  ({"latent_dim": 3}, "--latent-dim"), ({"epochs": 2}, "ask for more")):
                with self.assertRaisesRegex(vaecuda.RequestError, text):
                    vaecuda.train(x, resume=whole.folder, **options)
            with self.assertRaisesRegex(vaecuda.FileError, "rows are not"):
                vaecuda.train(x[:200], resume=whole.folder)
            with self.assertRaisesRegex(vaecuda.RequestError, "memory"):
                vaecuda.train(resume=whole.folder)
        with self.assertRaisesRegex(vaecuda.FileError, "holds no run"):
            vaecuda.train(x, resume="/nowhere")

    def test_passes_on_what_a_callback_raises(self):
        def progress(now):
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine") as caught:
            vaecuda.train(rows(), progress=progress, **{**SMALL, "epochs": 100000})
        shutil.rmtree(caught.exception.folder)

    def test_ctrl_c(self):
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with self.assertRaises(KeyboardInterrupt) as caught:
            vaecuda.train(rows(), **{**SMALL, "epochs": 10000000})
        shutil.rmtree(caught.exception.folder)

    def test_refuses_wrong_options(self):
        x = rows()
        for options, text in (({"latent_dimm": 3}, "did you mean --latent-dim"), ({"latent_dim": 0}, "latent-dim"),
                              ({"lr": "fast"}, "lr"), ({"epochs": 1, "steps": 1}, "contradict")):
            with self.assertRaisesRegex(vaecuda.RequestError, text):
                vaecuda.train(x, device="cpu", **options)
        with self.assertRaisesRegex(vaecuda.FileError, "nowhere"):
            vaecuda.train("/nowhere.npy", device="cpu")
        with self.assertRaises(vaecuda.DeviceError):
            vaecuda.train(x, device="cuda:77")


class Library(unittest.TestCase):
    def run_python(self, environment, *words):
        return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)

    def test_is_found_by_its_place(self):
        """Beside the module, in a prefix around it, and not at all."""
        library = os.path.realpath(os.environ["VAECUDA_LIBRARY"])
        bare = {key: value for key, value in os.environ.items() if key not in ("VAECUDA_LIBRARY", "LD_LIBRARY_PATH")}
        with tempfile.TemporaryDirectory() as folder:
            place = os.path.join(folder, "prefix", "share", "vaecuda", "python")
            os.makedirs(place)
            script = os.path.join(place, "vaecuda.py")
            shutil.copy(os.path.join(MODULE, "vaecuda.py"), script)
            alone = self.run_python(bare, script)
            self.assertIn("needs the folder _vaecuda beside it", alone.stderr)
            shutil.copytree(os.path.join(MODULE, "_vaecuda"), os.path.join(place, "_vaecuda"))
            lost = self.run_python(bare, script)
            if lost.returncode == 0:
                warnings.warn("vaecuda is installed on this system, so that nothing is missing could not be tested")
            else:
                self.assertIn("VAECUDA_LIBRARY", lost.stderr)
            for where in (os.path.join(folder, "prefix", "lib"), os.path.join(folder, "prefix", "lib", "x86_64-linux-gnu"),
                          place):
                os.makedirs(where, exist_ok=True)
                link = os.path.join(where, "libvaecuda.so.0.1")
                os.symlink(library, link)
                found = self.run_python(bare, script)
                self.assertEqual(found.returncode, 0, found.stderr)
                self.assertIn(f"vaecuda {vaecuda.version()}", found.stdout)
                os.remove(link)
            # By path alone, through a link, beside another one.
            os.symlink(script, os.path.join(folder, "linked.py"))
            by_path = ("import importlib.util, sys; spec = importlib.util.spec_from_file_location('mine', sys.argv[1]); "
                       "mine = importlib.util.module_from_spec(spec); spec.loader.exec_module(mine); "
                       "print(mine.version(), mine.train.__globals__['__file__'])")
            found = self.run_python(os.environ, "-c", by_path, os.path.join(folder, "linked.py"))
            self.assertEqual(found.stdout.split(), [vaecuda.version(), os.path.join(place, "_vaecuda", "training.py")],
                             found.stderr)
            wrong = self.run_python({**bare, "VAECUDA_LIBRARY": "/nowhere.so"}, script)
            self.assertIn("/nowhere.so", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
