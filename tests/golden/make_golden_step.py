#!/usr/bin/env python3
"""Two training steps of small VAEs, computed by PyTorch: writes golden_step.json beside this file.

Run with a Python that has torch and numpy (Debian: python3-torch). The test reads the JSON; PyTorch is needed
only to make it anew. PyTorch computes in double precision, from parameters and rows that single precision holds
exactly, so that what the test sees is the engine's rounding alone. The noise is Philox4x32-10 and Box-Muller,
written here in numpy from the papers, with the counters of docs/numerics.md.
"""
import json
import math
import pathlib

import numpy
import torch

SEED = 20240607
PURPOSE_LATENT = 4
D, HIDDEN, Z, BATCH, STEPS = 12, (9, 7), 3, 5, 2
CASES = [
    # likelihood, activation, beta, optimizer, weight decay, clip norm
    ("bernoulli", "relu", 1.0, "adam", 0.0, 0.0),
    ("gaussian", "gelu", 0.5, "adam", 0.01, 0.0),
    ("bernoulli", "silu", 2.0, "adamw", 0.1, 0.25),
    ("gaussian", "tanh", 1.0, "adamw", 0.1, 1.0),
]
SIGMA, LR = 0.5, 0.01
ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": lambda a: torch.nn.functional.gelu(a, approximate="tanh"),
    "silu": torch.nn.functional.silu,
}


def philox(counter, key):
    """Philox4x32-10 of Salmon et al. (SC 2011): four 32-bit words."""
    c, k = [int(v) for v in counter], [int(v) for v in key]
    mask = 0xFFFFFFFF
    for _ in range(10):
        p0, p1 = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & mask, (p0 >> 32) ^ c[3] ^ k[1], p0 & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


def normals(position, columns):
    """The noise of one row: subsequence = position, block = purpose | column / 4, sine before cosine."""
    values = []
    for block in range((columns + 3) // 4):
        words = philox((block, PURPOSE_LATENT, position & 0xFFFFFFFF, position >> 32),
                       (SEED & 0xFFFFFFFF, SEED >> 32))
        for a, b in ((0, 1), (2, 3)):
            uniform = numpy.float32(numpy.float32(words[a]) * numpy.float32(2.0 ** -32) + numpy.float32(2.0 ** -33))
            radius = math.sqrt(-2.0 * math.log(float(uniform)))
            angle = 2.0 * math.pi * (words[b] + 0.5) / 2.0 ** 32
            values += [radius * math.sin(angle), radius * math.cos(angle)]
    return values[:columns]


def deterministic(rows, columns, phase, scale):
    """Numbers without a generator: multiples of 1/1024, which every float format holds."""
    i = numpy.arange(rows * columns, dtype=numpy.int64)
    value = ((i * 7919 + phase * 104729) % 2039) / 1024.0 - 1.0
    return numpy.round(value * scale * 1024.0).reshape(rows, columns) / 1024.0


def layers():
    """(name, out, in) in the order of the forward pass."""
    widths = (D,) + HIDDEN
    named = [(f"encoder.{i}", widths[i + 1], widths[i]) for i in range(len(HIDDEN))]
    named.append(("head", 2 * Z, HIDDEN[-1]))
    widths = (Z,) + HIDDEN[::-1]
    named += [(f"decoder.{i}", widths[i + 1], widths[i]) for i in range(len(HIDDEN))]
    named.append(("output", D, HIDDEN[0]))
    return named


def initial_parameters():
    parameters = {}
    for phase, (name, out, into) in enumerate(layers()):
        parameters[name + ".weight"] = deterministic(out, into, 2 * phase + 1, 0.5)
        parameters[name + ".bias"] = deterministic(1, out, 2 * phase + 2, 0.25)[0]
    return parameters


def data(likelihood):
    """The rows in the order in which the steps see them; the test undoes the engine's shuffling."""
    rows = deterministic(STEPS * BATCH, D, 77, 1.0)
    return numpy.abs(rows) if likelihood == "bernoulli" else rows


def run(likelihood, activation, beta, optimizer, decay, clip):
    act = ACTIVATIONS[activation]
    p = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in initial_parameters().items()}
    rows = torch.tensor(data(likelihood))
    kind = torch.optim.AdamW if optimizer == "adamw" else torch.optim.Adam
    opt = kind(p.values(), lr=LR, betas=(0.9, 0.999), eps=1e-8, weight_decay=decay)

    def linear(name, value):
        return torch.nn.functional.linear(value, p[name + ".weight"], p[name + ".bias"])

    steps = []
    for step in range(STEPS):
        eps = torch.tensor([normals(step * BATCH + i, Z) for i in range(BATCH)], dtype=torch.float64)
        x = rows[step * BATCH:(step + 1) * BATCH]
        h = x
        for i in range(len(HIDDEN)):
            h = act(linear(f"encoder.{i}", h))
        mu, logvar = linear("head", h).chunk(2, dim=1)
        h = mu + torch.exp(0.5 * logvar) * eps
        for i in range(len(HIDDEN)):
            h = act(linear(f"decoder.{i}", h))
        out = linear("output", h)
        if likelihood == "bernoulli":
            reconstruction = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="sum")
        else:
            reconstruction = -torch.distributions.Normal(out, SIGMA).log_prob(x).sum()
        posterior = torch.distributions.Normal(mu, torch.exp(0.5 * logvar))
        kl = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum()
        opt.zero_grad()
        ((reconstruction + beta * kl) / BATCH).backward()
        norm = torch.sqrt(sum((v.grad ** 2).sum() for v in p.values())).item()
        if clip > 0:
            torch.nn.utils.clip_grad_norm_(p.values(), clip)
        opt.step()
        steps.append({
            "reconstruction": reconstruction.item() / BATCH,
            "kl": kl.item() / BATCH,
            "gradient_norm": norm,
            "parameters": {k: [float(f"{e:.9g}") for e in v.detach().flatten().tolist()] for k, v in p.items()},
        })
    return {
        "likelihood": likelihood, "activation": activation, "beta": beta, "optimizer": optimizer,
        "weight_decay": decay, "clip_norm": clip, "steps": steps,
    }


def main():
    document = {
        "seed": SEED, "input_dim": D, "hidden": list(HIDDEN), "latent_dim": Z, "batch": BATCH, "lr": LR,
        "sigma": SIGMA, "torch": torch.__version__,
        "initial": {k: v.flatten().tolist() for k, v in initial_parameters().items()},
        "epsilon": [normals(i, Z) for i in range(STEPS * BATCH)],
        "rows": {kind: data(kind).tolist() for kind in ("bernoulli", "gaussian")},
        "cases": [run(*case) for case in CASES],
    }
    path = pathlib.Path(__file__).parent / "golden_step.json"
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
