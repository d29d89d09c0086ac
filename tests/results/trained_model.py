"""A model file of vae_cuda_train in numpy: an independent reader, encoder and decoder. docs/formats.md has the bytes."""
import gzip
import json
import struct

import numpy as np


def read_bytes(path):
    with open(path, "rb") as file:
        content = file.read()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def read_idx(path):
    """An IDX file of bytes as (rows, columns), or (rows) where it has one dimension."""
    content = read_bytes(path)
    dims = content[3]
    shape = struct.unpack(f">{dims}I", content[4:4 + 4 * dims])
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * dims)
    return values.reshape(shape[0], -1) if dims > 1 else values


ACTIVATIONS = {
    "relu": lambda a: np.maximum(a, 0),
    "tanh": np.tanh,
    "leaky-relu": lambda a: np.where(a < 0, 0.01 * a, a),
    "silu": lambda a: a / (1 + np.exp(-a)),
}


class Model:
    def __init__(self, path):
        content = open(path, "rb").read()
        size = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8:8 + size])
        self.document = json.loads(header.pop("__metadata__")["config"])
        self.model = self.document["model"]
        self.tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            values = np.frombuffer(content[8 + size + begin:8 + size + end], "<f4")
            self.tensors[name] = values.reshape(entry["shape"])
        self.activation = ACTIVATIONS[self.model["activation"]]

    def prepare(self, rows):
        x = rows.astype(np.float32) * np.float32(self.document["data"]["scale"])
        if self.document["data"]["standardize"]:
            x = (x - self.tensors["data.mean"]) * self.tensors["data.inverse_deviation"]
        return x

    def _layers(self, side, top, h):
        for i in range(len(self.model["hidden"])):
            h = self.activation(h @ self.tensors[f"{side}.{i}.weight"].T + self.tensors[f"{side}.{i}.bias"])
        return h @ self.tensors[f"{top}.weight"].T + self.tensors[f"{top}.bias"]

    def one_hot(self, names):
        classes = self.document["condition_names"]
        told = np.zeros((len(names), len(classes)), np.float32)
        told[np.arange(len(names)), [classes.index(str(name)) for name in names]] = 1
        return told

    def encode(self, x, condition=None):
        """mu and log σ² of prepared rows."""
        head = self._layers("encoder", "head", x if condition is None else np.hstack([x, condition]))
        latents = self.model["latent_dim"]
        return head[:, :latents], np.clip(head[:, latents:], -30, 20)

    def decode(self, z, condition=None):
        """The output layer's result: logits, means, or means and raw log σ."""
        return self._layers("decoder", "output", z if condition is None else np.hstack([z, condition]))

    def log_sigma(self, output):
        if self.model["sigma_source"] == "head":
            return 5 * np.tanh(output[:, self.model["input_dim"]:] / 5)
        if self.model["sigma_source"] == "learned":
            return np.float32(self.tensors["likelihood.log_sigma"][0])
        return np.float32(np.log(self.model["sigma"]))

    def reconstruction(self, output, x):
        """−log p(x|z) per row, nats."""
        if self.model["likelihood"] == "bernoulli":
            return np.sum(np.maximum(output, 0) - output * x + np.log1p(np.exp(-np.abs(output))), axis=1)
        log_sigma = self.log_sigma(output)
        d = (output[:, :x.shape[1]] - x) / np.exp(log_sigma)
        if self.model["likelihood"] == "gaussian":
            return np.sum(0.5 * d * d + log_sigma + 0.5 * np.log(2 * np.pi), axis=1)
        return np.sum(np.sqrt(2) * np.abs(d) + log_sigma + 0.5 * np.log(2), axis=1)
