"""A model file and its random numbers in NumPy and double precision, written from docs/formats.md, math.md and numerics.md.

It shares no code with the library: what independent_figures.py compares with it was computed twice. Single precision
occurs only where the documents say that a value is rounded: prepared rows and the uniforms of the generator.
"""
import json
import math
import struct

import numpy as np

# Purposes of random numbers, docs/numerics.md.
EVALUATE, EVALUATE_BINARIZE = 5, 6


def _erf(a):
    return np.array([math.erf(v) for v in a.ravel()]).reshape(a.shape)


def logistic(a):
    return np.where(a >= 0, 1 / (1 + np.exp(-np.abs(a))), np.exp(-np.abs(a)) / (1 + np.exp(-np.abs(a))))


ACTIVATIONS = {
    "relu": lambda a: np.maximum(a, 0),
    "leaky-relu": lambda a: np.where(a < 0, 0.01 * a, a),
    "tanh": np.tanh,
    "gelu": lambda a: a * 0.5 * (1 + _erf(a / math.sqrt(2))),
    "gelu-tanh": lambda a: 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3))),
    "silu": lambda a: a * logistic(a),
}


def read_safetensors(path):
    """Metadata, and every tensor by its name."""
    with open(path, "rb") as file:
        content = file.read()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(content[begin:end], "<f4").reshape(entry["shape"])
    return metadata, tensors


def write_safetensors(path, metadata, tensors):
    """As docs/formats.md describes a model file: tensors in the byte order of their names, without gaps."""
    header, content = {"__metadata__": metadata}, b""
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name], "<f4").tobytes()
        header[name] = {"data_offsets": [len(content), len(content) + len(values)], "dtype": "F32",
                        "shape": list(tensors[name].shape)}
        content += values
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + content)


def philox(seed, purpose, subsequences, columns):
    """Philox4x32-10: the words of these columns, (len(subsequences), columns)."""
    low, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    blocks = (columns + 3) // 4
    subsequence = np.asarray(subsequences, np.uint64)[:, None]
    block = np.arange(blocks, dtype=np.uint64)[None, :]
    shape = (subsequence.shape[0], blocks)
    c = [np.broadcast_to(v, shape).astype(np.uint64) for v in
         (block, np.uint64(purpose), subsequence & mask, subsequence >> low)]
    k = [np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)]
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> low) ^ c[1] ^ k[0], p1 & mask, (p0 >> low) ^ c[3] ^ k[1], p0 & mask]
        k = [(k[0] + np.uint64(0x9E3779B9)) & mask, (k[1] + np.uint64(0xBB67AE85)) & mask]
    return np.stack(c, axis=2).reshape(shape[0], -1)


def uniforms(words):
    """In (0,1], rounded to single precision as the specification says."""
    return words.astype(np.float32) * np.float32(2.0**-32) + np.float32(2.0**-33)


def normals(seed, purpose, subsequences, columns):
    words = philox(seed, purpose, subsequences, columns)
    radius = np.sqrt(-2 * np.log(uniforms(words[:, 0::2]).astype(np.float64)))
    angle = 2 * np.pi * (words[:, 1::2].astype(np.float64) + 0.5) / 2.0**32
    drawn = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=2)
    return drawn.reshape(len(words), -1)[:, :columns]


class Reference:
    """What a model file computes. Matrices have a row for each row of data, or of latents."""

    def __init__(self, path):
        metadata, single = read_safetensors(path)
        self.document = json.loads(metadata["config"])
        self.model = self.document["model"]
        self.tensors = {name: values.astype(np.float64) for name, values in single.items()}
        self._single = single
        self.seed = int(self.document["seed"])
        self.latents, self.columns = self.model["latent_dim"], self.model["input_dim"]
        self.latent = self.model["latent"]
        self.scale = np.float32(self.document["data"]["scale"])
        self.binarize = self.document["data"]["binarize"]
        self.codebooks, self.codes = self.model.get("codebooks", 1), self.model.get("codebook_size", 512)
        self._activation = ACTIVATIONS[self.model["activation"]]

    def prepare(self, raw):
        """Rows as the network's target before binarization: (scale·x − mean) · inverse_deviation, a single."""
        scaled = np.asarray(raw, np.float32) * self.scale
        if not self.document["data"]["standardize"]:
            return scaled
        centred = scaled.astype(np.float64) - self.tensors["data.mean"]
        return (centred * self.tensors["data.inverse_deviation"]).astype(np.float32)

    def binarized(self, prepared, seed, places):
        """The rows at these places of the generator's sequence, 0 or 1 where the model wants that; double."""
        if self.binarize == "threshold":
            return (prepared > np.float32(0.5)).astype(np.float64)
        if self.binarize == "stochastic":
            drawn = uniforms(philox(seed, EVALUATE_BINARIZE, places, self.columns)[:, :self.columns])
            return (drawn <= prepared).astype(np.float64)
        return prepared.astype(np.float64)

    def _below(self, side, h, condition):
        if condition is not None:
            h = np.hstack([h, condition])
        for i in range(len(self.model["hidden"])):
            h = self._activation(h @ self.tensors[f"{side}.{i}.weight"].T + self.tensors[f"{side}.{i}.bias"])
        return h

    def _layers(self, side, top, h, condition):
        h = self._below(side, h, condition)
        return h @ self.tensors[f"{top}.weight"].T + self.tensors[f"{top}.bias"]

    def conditions(self, told):
        """One-hot rows of class names, or vectors as they are; None for a model that is told nothing."""
        if self.model["condition_dim"] == 0:
            return None
        names = self.document["condition_names"]
        if not names:
            return np.asarray(told, np.float64)
        return np.eye(len(names))[[names.index(str(name)) for name in told]]

    def head_size(self, x, condition):
        """The sum of the absolute terms of the head's product, of the means or the code."""
        weight, bias = (np.abs(self.tensors[f"head.{part}"][:self.latents]) for part in ("weight", "bias"))
        return np.abs(self._below("encoder", x, condition)) @ weight.T + bias

    def encode(self, x, condition):
        """mu and the clamped log σ² of a Gaussian latent, else the code and None."""
        head = self._layers("encoder", "head", x, condition)
        if self.latent != "gaussian":
            return head, None
        factor = 2 if self.model.get("logvar_head", "logvar") == "logsigma" else 1
        return head[:, :self.latents], np.clip(factor * head[:, self.latents:], -30, 20)

    def quantize(self, z):
        """The nearest codes, their vectors, and how clearly the nearest is nearer than the next, relative to it."""
        width = self.latents // self.codebooks
        books = self.tensors["codebook"].reshape(self.codebooks, self.codes, width)
        parts = z.reshape(len(z), self.codebooks, 1, width)
        distance = np.sum((parts - books[None])**2, axis=3)
        nearest = np.argmin(distance, axis=2)
        vectors = np.stack([books[g][nearest[:, g]] for g in range(self.codebooks)], axis=1)
        ordered = np.sort(distance, axis=2)
        margin = np.min((ordered[:, :, 1] - ordered[:, :, 0]) / (ordered[:, :, 1] + 1e-30)) if self.codes > 1 else 1.0
        return nearest, vectors.reshape(len(z), self.latents), margin

    def decode(self, z, condition):
        return self._layers("decoder", "output", z, condition)

    def mean(self, output):
        """E[x|z] in prepared units."""
        return logistic(output) if self.model["likelihood"] == "bernoulli" else output[:, :self.columns]

    def log_sigma(self, output):
        source = self.model["sigma_source"]
        if source == "head":
            return 5 * np.tanh(output[:, self.columns:] / 5)
        if source == "learned":
            return np.clip(self.tensors["likelihood.log_sigma"][0], math.log(1e-6), math.log(1e6))
        return math.log(self.model["sigma"])

    def log_loss(self, output, x):
        """−log p(x|z) of every row, and the sum of the absolute terms that make it."""
        if self.model["likelihood"] == "bernoulli":
            a = output
            terms = np.maximum(a, 0) - a * x + np.log1p(np.exp(-np.abs(a)))
            size = np.maximum(a, 0) + np.abs(a * x) + np.log1p(np.exp(-np.abs(a)))
        else:
            log_sigma = self.log_sigma(output)
            d = (output[:, :self.columns] - x) / np.exp(log_sigma)
            if self.model["likelihood"] == "gaussian":
                lost, constant = 0.5 * d * d, 0.5 * math.log(2 * math.pi)
            else:
                lost, constant = math.sqrt(2) * np.abs(d), 0.5 * math.log(2)
            terms = lost + log_sigma + constant
            size = lost + np.abs(log_sigma) + constant
        return terms.sum(axis=1), size.sum(axis=1)
