#!/usr/bin/env python3
"""Builds the torch.nn module of a model file's shape and compares its posteriors with the library's.

Usage: to_torch.py MODEL [--rows N] [--save FILE.pt]
  --rows N        random rows to compare (256)
  --save FILE.pt  writes the module's state dictionary with torch.save

Needs torch and numpy. The comparison needs libvaecuda (see vaecuda.py); exit code 1 if a value differs by more than
1e-5, relative to the largest where that is above 1, 3 for a file that is no model.

As a module: `model = to_torch.load("model.safetensors")` gives a Vae with encode(x) -> (mu, logvar), decode(z) -> means of
p(x|z) and forward(x) -> (reconstruction, mu, logvar), for rows in the units of the training data. A conditional model's
take condition= besides, the rows' label vectors; model.condition_of(labels) gives those of classes. What a model has for
sigma, --sigma learned or head, is loaded, but no method gives it. Rows of a model with --binarize stochastic are taken as
drawn already.
"""

import argparse
import json
import os
import struct
import sys

import numpy
import torch
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def read_model(path):
    """Tensors by name, and the configuration, of a model file: safetensors as its specification has it."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 8:
        raise ValueError(f"{path}: too short for a safetensors file")
    length = struct.unpack("<Q", data[:8])[0]
    if length > len(data) - 8:
        raise ValueError(f"{path}: its header of {length} bytes does not lie in the file")
    header = json.loads(data[8:8 + length].decode("utf-8"))
    metadata = header.pop("__metadata__", {})
    if metadata.get("format") != "vaecuda-model":
        raise ValueError(f"{path}: no model file of vaecuda")
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, not F32")
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = torch.from_numpy(numpy.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).copy())
    return tensors, json.loads(metadata["config"])


_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "leaky-relu": lambda: nn.LeakyReLU(0.01), "gelu": nn.GELU,
                "gelu-tanh": lambda: nn.GELU(approximate="tanh"), "silu": nn.SiLU}


class Vae(nn.Module):
    """The network of a model file. Its state dictionary has the file's names."""

    def __init__(self, config):
        super().__init__()
        model = config["model"]
        inputs, hidden, latents = model["input_dim"], list(model["hidden"]), model["latent_dim"]
        latent = model.get("latent", "gaussian")
        if latent not in ("gaussian", "deterministic", "vq"):
            raise ValueError(f"no module for the latent {latent}")
        self.deterministic = latent != "gaussian"
        self.codebooks = model["codebooks"] if latent == "vq" else 0
        if self.codebooks:
            self.codebook = nn.Parameter(torch.zeros(self.codebooks * model["codebook_size"], latents // self.codebooks))
        self.log_deviation = model.get("logvar_head") == "logsigma"
        self.bernoulli = model["likelihood"] == "bernoulli"
        if model["likelihood"] not in ("bernoulli", "gaussian", "laplace"):
            raise ValueError(f"no module for the likelihood {model['likelihood']}")
        self.condition_dim = model.get("condition_dim", 0)
        self.condition_names = config.get("condition_names", [])
        sigma = model.get("sigma_source", "fixed")
        if sigma == "learned":
            self.likelihood = nn.ParameterDict({"log_sigma": nn.Parameter(torch.zeros(1))})
        self.activation = _ACTIVATIONS[model["activation"]]()
        widths = [inputs + self.condition_dim] + hidden
        self.encoder = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.head = nn.Linear(widths[-1], latents if self.deterministic else 2 * latents)
        widths = [latents + self.condition_dim] + hidden[::-1]
        self.decoder = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.inputs = inputs
        self.output = nn.Linear(widths[-1], 2 * inputs if sigma == "head" else inputs)
        self.scale = config["data"]["scale"]
        self.binarize = config["data"]["binarize"]
        self.register_buffer("mean", torch.zeros(inputs), persistent=False)
        self.register_buffer("inverse_deviation", torch.ones(inputs), persistent=False)

    def prepare(self, x):
        """Rows in the units of the training data as the network sees them."""
        x = x * self.scale
        if self.binarize == "threshold":
            return (x > 0.5).to(x.dtype)
        return (x - self.mean) * self.inverse_deviation

    def condition_of(self, labels):
        """What the model is told of rows with these classes: (rows, C), one-hot."""
        names = list(map(str, labels))
        unknown = sorted(set(names) - set(self.condition_names))
        if unknown:
            raise ValueError(f"the label {unknown[0]}: this model knows {', '.join(self.condition_names)}")
        return torch.eye(self.condition_dim)[[self.condition_names.index(name) for name in names]]

    def _told(self, values, condition):
        if self.condition_dim == 0:
            return values
        if condition is None:
            raise ValueError(f"this model is conditional: give condition=, (rows, {self.condition_dim})")
        return torch.cat([values, condition], dim=-1)

    def encode(self, x, condition=None):
        """(mu, logvar) of q(z|x); logvar is None for a deterministic or quantized latent, mu of the latter its codes."""
        x = self._told(self.prepare(x), condition)
        for layer in self.encoder:
            x = self.activation(layer(x))
        head = self.head(x)
        if self.codebooks:
            return self.quantize(head), None
        if self.deterministic:
            return head, None
        mu, scale = head.chunk(2, dim=-1)
        return mu, 2 * scale if self.log_deviation else scale

    def quantize(self, z):
        """Each part of z as the nearest code of its codebook, the lowest of equals."""
        parts = z.reshape(len(z), self.codebooks, 1, -1)
        codes = self.codebook.reshape(self.codebooks, -1, self.codebook.shape[1])
        nearest = ((parts - codes) ** 2).sum(-1).argmin(-1)
        return codes[torch.arange(self.codebooks), nearest].reshape(z.shape)

    def decode(self, z, condition=None):
        """Means of p(x|z), in the units of the training data."""
        z = self._told(z, condition)
        for layer in self.decoder:
            z = self.activation(layer(z))
        out = self.output(z)[..., :self.inputs]
        out = torch.sigmoid(out) if self.bernoulli else out / self.inverse_deviation + self.mean
        return out / self.scale

    def forward(self, x, condition=None):
        mu, logvar = self.encode(x, condition)
        return self.decode(mu, condition), mu, logvar


def load(path):
    """The module of a model file, in evaluation mode."""
    tensors, config = read_model(path)
    module = Vae(config)
    if config["data"]["standardize"]:
        module.mean.copy_(tensors.pop("data.mean"))
        module.inverse_deviation.copy_(tensors.pop("data.inverse_deviation"))
    module.load_state_dict(tensors)
    return module.eval()


def random_rows(module, count):
    """Rows of the model's kind: 0 and 1 after scaling where the library draws them by probabilities, [0, 1] for other
    Bernoulli targets, or about as wide as the standardized columns."""
    rng = numpy.random.default_rng(1)
    if module.binarize == "stochastic":
        values = rng.integers(0, 2, (count, module.inputs))
    elif module.bernoulli:
        values = rng.random((count, module.inputs))
    else:
        values = rng.normal(size=(count, module.inputs)) / module.inverse_deviation.numpy() + module.mean.numpy()
    return (values / module.scale).astype(numpy.float32)


def random_labels(module, count):
    """What a conditional model is told of rows, for the library and for the module; None twice of any other."""
    if module.condition_dim == 0:
        return None, None
    rng = numpy.random.default_rng(2)
    if not module.condition_names:
        vectors = rng.normal(size=(count, module.condition_dim)).astype(numpy.float32)
        return vectors, torch.from_numpy(vectors)
    labels = [module.condition_names[i] for i in rng.integers(0, module.condition_dim, count)]
    return labels, module.condition_of(labels)


def differences(path, count):
    """Largest differences of posteriors and of decoded rows between torch and the library over `count` random
    rows, relative to the largest value where that is above 1."""
    import vaecuda
    module = load(path)
    with vaecuda.Vae.load(path, device="cpu") as model, torch.no_grad():
        rows = random_rows(module, count)
        labels, condition = random_labels(module, count)
        mu, logvar = module.encode(torch.from_numpy(rows), condition)
        if logvar is None:
            pairs = [(mu, model.encode(rows, labels=labels))]
        else:
            pairs = list(zip((mu, logvar), model.encode(rows, logvar=True, labels=labels)))
        pairs.append((module.decode(mu, condition), model.decode(mu.numpy(), labels=labels)))
        apart = [float(numpy.abs(a.numpy() - b).max() / max(1.0, numpy.abs(b).max())) for a, b in pairs]
        return max(apart[:-1]), apart[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--rows", type=int, default=256, help="random rows to compare (256)")
    parser.add_argument("--save", metavar="FILE.pt", help="write the module's state dictionary")
    arguments = parser.parse_args()

    try:
        module = load(arguments.model)
    except (OSError, ValueError) as error:
        print(f"to_torch.py: {error}", file=sys.stderr)
        sys.exit(3)
    print(module)
    if arguments.save:
        torch.save(module.state_dict(), arguments.save)
    means, decoded = differences(arguments.model, arguments.rows)
    print(f"{arguments.rows} rows: posteriors differ by {means:.2e}, decoded rows by {decoded:.2e} at the most")
    if not (means <= 1e-5 and decoded <= 1e-5):
        sys.exit("to_torch.py: the two differ by more than 1e-5")


if __name__ == "__main__":
    main()
