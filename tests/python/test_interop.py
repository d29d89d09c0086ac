"""Model files for other programs: read by the safetensors specification alone, and by the reference library where it is."""

import json
import os
import struct
import sys
import tempfile
import unittest

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "python"))
import vaecuda  # noqa: E402


def read_safetensors(path):
    """Tensors and metadata, with every rule of the format's specification checked."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    assert length <= 100_000_000 and data[8:9] == b"{"

    def unique(pairs):
        assert len({key for key, _ in pairs}) == len(pairs), "a key twice"
        return dict(pairs)

    header = json.loads(data[8:8 + length].decode("utf-8"), object_pairs_hook=unique)
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values())
    body = data[8 + length:]
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        assert set(entry) == {"dtype", "shape", "data_offsets"}
        first, last = entry["data_offsets"]
        assert first == end, "a hole or an overlap"
        end = last
        tensors[name] = numpy.frombuffer(body[first:last], {"F32": "<f4"}[entry["dtype"]]).reshape(entry["shape"])
    assert end == len(body)
    return tensors, metadata


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        rng = numpy.random.default_rng(5)
        cls.x = (rng.normal(size=(300, 6)) * [1, 2, 3, 4, 5, 6] + 1).astype(numpy.float32)
        run = vaecuda.train(cls.x, out=cls.folder.name, device="cpu", threads=1, hidden=[16, 8], latent_dim=2, epochs=2,
                            activation="tanh", likelihood="gaussian", standardize=True)
        cls.model = run.model
        cls.path = os.path.join(cls.folder.name, "model.safetensors")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_specification_suffices_to_use_a_model(self):
        """Posterior means and decoded rows by NumPy in double precision, from the file alone."""
        tensors, metadata = read_safetensors(self.path)
        self.assertEqual(metadata["format"], "vaecuda-model")
        config = json.loads(metadata["config"])
        self.assertEqual(config["model"]["hidden"], [16, 8])
        t = {name: tensor.astype(float) for name, tensor in tensors.items()}

        def layers(h, names):
            for name in names:
                h = numpy.tanh(h @ t[f"{name}.weight"].T + t[f"{name}.bias"])
            return h

        h = (self.x.astype(float) * config["data"]["scale"] - t["data.mean"]) * t["data.inverse_deviation"]
        head = layers(h, ["encoder.0", "encoder.1"]) @ t["head.weight"].T + t["head.bias"]
        mean, logvar = self.model.encode(self.x, logvar=True)
        numpy.testing.assert_allclose(numpy.hstack([mean, logvar]), head, atol=1e-5)
        out = layers(mean.astype(float), ["decoder.0", "decoder.1"]) @ t["output.weight"].T + t["output.bias"]
        rows = (out / t["data.inverse_deviation"] + t["data.mean"]) / config["data"]["scale"]
        numpy.testing.assert_allclose(self.model.decode(mean), rows, rtol=1e-5, atol=1e-5)

    def test_reference_library_opens_it(self):
        try:
            from safetensors import safe_open
            from safetensors.numpy import load_file, save_file
        except ImportError:
            self.skipTest("no Python package safetensors; the test above reads the file by its specification")
        tensors, metadata = read_safetensors(self.path)
        loaded = load_file(self.path)
        self.assertEqual(set(loaded), set(tensors))
        for name, tensor in tensors.items():
            numpy.testing.assert_array_equal(loaded[name], tensor)
        with safe_open(self.path, "numpy") as file:
            self.assertEqual(file.metadata(), metadata)
        # And the other way: what the reference library writes is a model.
        other = os.path.join(self.folder.name, "written.safetensors")
        save_file(loaded, other, metadata)
        with vaecuda.Vae.load(other, device="cpu", threads=1) as model:
            numpy.testing.assert_array_equal(model.encode(self.x), self.model.encode(self.x))


if __name__ == "__main__":
    unittest.main()
