"""Models of every activation and likelihood against torch.nn, by tools/python/to_torch.py."""

import os
import subprocess
import sys
import tempfile
import unittest

import numpy

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "python")
sys.path.insert(0, TOOLS)
import torch  # noqa: E402
import to_torch  # noqa: E402
import vaecuda  # noqa: E402


class Torch(unittest.TestCase):
    def check(self, data, **options):
        with tempfile.TemporaryDirectory() as folder:
            vaecuda.train(data, out=folder, device="cpu", threads=1, latent_dim=3, epochs=2, **options)
            means, decoded = to_torch.differences(os.path.join(folder, "model.safetensors"), 100)
            self.assertLessEqual(means, 1e-5)
            self.assertLessEqual(decoded, 1e-5)

    def test_bernoulli_of_bytes(self):
        rows = numpy.random.default_rng(2).integers(0, 256, (300, 5, 4), dtype=numpy.uint8)
        self.check(rows, activation="relu", hidden=[24, 12])

    def test_activations_of_a_table(self):
        rows = numpy.random.default_rng(2).normal(size=(300, 9)) * numpy.arange(1, 10) + 5.0
        for activation in ("tanh", "leaky-relu", "gelu", "gelu-tanh", "silu"):
            with self.subTest(activation=activation):
                self.check(rows, activation=activation, hidden=[16], likelihood="gaussian", standardize=True, lr=1e-2)

    def test_latents(self):
        rows = (numpy.random.default_rng(2).random((200, 7)) > 0.5).astype(numpy.float32)
        self.check(rows, hidden=[8], logvar_head="logsigma")
        self.check(rows, hidden=[8], latent="deterministic")
        self.check(rows, hidden=[8], latent="vq", codebooks=3, codebook_size=16)

    def test_deviations(self):
        rows = numpy.random.default_rng(2).normal(size=(200, 7)) + 3.0
        for likelihood in ("gaussian", "laplace"):
            for sigma in ("0.5", "learned", "head"):
                with self.subTest(likelihood=likelihood, sigma=sigma):
                    self.check(rows, hidden=[8], likelihood=likelihood, sigma=sigma, standardize=True)

    def test_conditional(self):
        """Classes and label vectors, with and without hidden layers."""
        rows = (numpy.random.default_rng(2).random((200, 7)) > 0.5).astype(numpy.float32)
        vectors = numpy.random.default_rng(3).normal(size=(200, 2))
        for labels in (["b", "a", "c", "a"] * 50, [0, 1] * 100, vectors):
            for hidden in ([8], []):
                self.check(rows, hidden=hidden, conditional=True, labels=labels)

    def test_binarized(self):
        rows = numpy.random.default_rng(2).integers(0, 256, (200, 7), dtype=numpy.uint8)
        for binarize in ("stochastic", "threshold"):
            self.check(rows, hidden=[8], binarize=binarize)

    def test_script_refuses_what_is_no_model(self):
        for name in ("none.safetensors", __file__):
            result = subprocess.run([sys.executable, os.path.join(TOOLS, "to_torch.py"), name], capture_output=True, text=True,
                                    check=False)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (3, 1), result.stderr)
            self.assertIn(name, result.stderr)

    def test_no_hidden_layer(self):
        self.check((numpy.random.default_rng(2).random((200, 7)) > 0.5).astype(numpy.float32), hidden=[])

    def test_script_notices_a_difference(self):
        """The program passes a model, and fails when torch is given another bias than the library."""
        with tempfile.TemporaryDirectory() as folder:
            vaecuda.train((numpy.random.default_rng(2).random((200, 7)) > 0.5).astype(numpy.float32), out=folder,
                          device="cpu", threads=1, latent_dim=3, epochs=1, hidden=[8])
            path = os.path.join(folder, "model.safetensors")
            saved = os.path.join(folder, "state.pt")
            script = os.path.join(TOOLS, "to_torch.py")
            result = subprocess.run([sys.executable, script, path, "--rows", "20", "--save", saved], capture_output=True,
                                    text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertIn("20 rows: posteriors differ", result.stdout)
            tensors, _ = to_torch.read_model(path)
            state = torch.load(saved)
            self.assertEqual(set(state), set(tensors))
            self.assertTrue(torch.equal(state["head.weight"], tensors["head.weight"]))

            load = to_torch.load

            def load_other(file):
                module = load(file)
                with torch.no_grad():
                    module.head.bias[0] += 0.001
                return module

            to_torch.load = load_other
            try:
                self.assertGreater(to_torch.differences(path, 20)[0], 1e-4)
            finally:
                to_torch.load = load


if __name__ == "__main__":
    unittest.main()
