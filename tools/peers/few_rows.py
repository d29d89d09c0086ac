#!/usr/bin/env python3
"""Calls with a few rows: PyTorch's eager mode beside libvaecuda's C interface, in turn, on one core.

Usage: few_rows.py MODEL [--rows N] [--rounds N] [--seconds S]
  MODEL        a model file of vae_cuda_train with a Bernoulli likelihood: both sides compute with its parameters
  --rows N     rows of a call [1]
  --rounds N   rounds; in each one all passes on both sides [15]
  --seconds S  of each side of a pass in a round [0.1]

Passes: encode (means and log variances), reconstruct (mean, decoder, sigmoid), score (one z drawn, negative ELBO). PyTorch
runs the same network under inference_mode with tensors that are there; the library fills buffers that are there, by
ctypes, whose own cost counts as the library's. Results are compared first. Both have one thread: start it on one core,
for example with `taskset -c 1`.

Prints one JSON document: per pass the medians over the rounds of both sides' microseconds a call, the fastest rounds, and
the median of the rounds' ratios (PyTorch's time divided by the library's: above 1 the library is faster).
Exit code: 1 if results differ, 2 for wrong options. Needs torch, numpy and the path of libvaecuda.so in VAECUDA_LIBRARY.
"""
import argparse
import ctypes
import json
import os
import statistics
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
import to_torch  # noqa: E402

LARGEST_DIFFERENCE = 1e-4


def positive(text):
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def torch_passes(module, x):
    def decoded(z):
        for layer in module.decoder:
            z = module.activation(layer(z))
        return module.output(z)

    def encode():
        return module.encode(x)

    def reconstruct():
        return torch.sigmoid(decoded(module.encode(x)[0])) / module.scale

    def score():
        mu, logvar = module.encode(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        nll = functional.binary_cross_entropy_with_logits(decoded(z), module.prepare(x), reduction="none").sum(1)
        return nll + 0.5 * (logvar.exp() + mu * mu - 1 - logvar).sum(1)

    return {"encode": encode, "reconstruct": reconstruct, "score": score}


class RunOn(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("device", ctypes.c_char_p), ("threads", ctypes.c_int64),
                ("precision", ctypes.c_char_p)]


class Library:
    """The C interface on buffers that are there."""

    def __init__(self, path, x, latent_dim):
        self.library = ctypes.CDLL(os.environ["VAECUDA_LIBRARY"])
        for text in (self.library.vaecuda_last_error, self.library.vaecuda_build_info):
            text.restype = ctypes.c_char_p
        self.handle, on = ctypes.c_void_p(), RunOn(ctypes.sizeof(RunOn), b"cpu", 1, None)
        self.check(self.library.vaecuda_model_load(os.fsencode(path), ctypes.byref(on), ctypes.byref(self.handle)))
        self.x, self.mean = x, numpy.empty((len(x), latent_dim), "f4")
        self.logvar, self.out, self.scores = numpy.empty_like(self.mean), numpy.empty_like(x), numpy.empty(len(x), "f4")
        self.passes = {"encode": self.call("vaecuda_encode", (), self.mean, self.logvar),
                       "reconstruct": self.call("vaecuda_reconstruct", (), self.out),
                       "score": self.call("vaecuda_score", (ctypes.c_uint64(1),), self.scores)}

    def call(self, name, more, *results):
        """A function of the rows that fills `results`."""
        def pointer(array):
            return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))

        arguments = [self.handle, pointer(self.x), *map(ctypes.c_int64, self.x.shape), *more]
        for result in results:
            arguments += [pointer(result), ctypes.c_size_t(result.size)]
        function = getattr(self.library, name)
        return lambda: function(*arguments)

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.library.vaecuda_last_error().decode())


def differences(module, ours, x):
    """Largest differences of what has no noise in it, relative to the largest value where that is above 1."""
    for run in ours.passes.values():
        ours.check(run())
    expected = torch_passes(module, x)
    mean, logvar = expected["encode"]()
    pairs = {"mean": (mean, ours.mean), "logvar": (logvar, ours.logvar), "reconstruction": (expected["reconstruct"](), ours.out)}
    return {name: float(numpy.abs(a.numpy() - b).max() / max(1.0, float(a.abs().max()))) for name, (a, b) in pairs.items()}


def microseconds(run, seconds):
    """Of one call, over at least so many seconds."""
    calls, began = 0, time.perf_counter()
    while True:
        for _ in range(16):
            run()
        calls += 16
        passed = time.perf_counter() - began
        if passed >= seconds:
            return passed / calls * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--rows", type=lambda text: int(positive(text)), default=1)
    parser.add_argument("--rounds", type=lambda text: int(positive(text)), default=15)
    parser.add_argument("--seconds", type=positive, default=0.1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    module = to_torch.load(options.model).eval()
    inputs, latents = module.output.out_features, module.head.out_features // 2
    generator = numpy.random.default_rng(1)
    x = ((generator.random((options.rows, inputs)) < 0.5) / module.scale).astype("f4")  # as the training data
    tensor = torch.from_numpy(x.copy())
    ours = Library(options.model, x, latents)
    report = {"rows": options.rows, "parameters": sum(p.numel() for p in module.parameters()), "rounds": options.rounds,
              "torch": torch.__version__, "build": ours.library.vaecuda_build_info().decode(), "passes": {}}
    with torch.inference_mode():
        report["differences"] = differences(module, ours, tensor)
        if max(report["differences"].values()) > LARGEST_DIFFERENCE:
            print(f"results differ: {report['differences']}", file=sys.stderr)
            return 1
        passes = {name: (ours.passes[name], run) for name, run in torch_passes(module, tensor).items()}
        times = {name: [] for name in passes}
        for pair in passes.values():
            for run in pair:
                microseconds(run, options.seconds)
        for _ in range(options.rounds):
            for name, pair in passes.items():
                times[name].append([microseconds(run, options.seconds) for run in pair])
    for name, rounds in times.items():
        report["passes"][name] = {
            "vaecuda_us": statistics.median(a for a, _ in rounds), "torch_us": statistics.median(b for _, b in rounds),
            "vaecuda_fastest_us": min(a for a, _ in rounds), "torch_fastest_us": min(b for _, b in rounds),
            "ratio": statistics.median(b / a for a, b in rounds)}
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
