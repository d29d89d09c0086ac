#!/usr/bin/env python3
"""Whether a conditional model of MNIST draws the digit that it is asked for.

A softmax regression is trained on the real training rows. The model draws `--count` digits of every class (means of p(x|z) for z
from the prior); printed is the share that the regression takes for the class that was asked for, beside its share of right
answers on the real test rows. A model without a condition is asked for nothing and gives about a tenth.

With --train the cheap recipe is trained first (hidden layers 400,400, 20 latents, 5 epochs); with --least P less than P per cent
are a failure. Without --data it is mnist/ in VAECUDA_DATA_DIR, or in ../shared/data; exit code 77 where that is not there.

Needs numpy. Examples:
  conditional_digits.py --data $DATA/mnist --model runs/cvae/model.safetensors
  conditional_digits.py --train build/bin/vae_cuda_train --least 70
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np
from trained_model import Model, read_idx


def find(folder, name):
    return sorted(glob.glob(os.path.join(folder, name + "*")))[0]


def default_data():
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared", "data")


def softmax_regression(x, label, epochs=12, batch=200, rate=0.3, decay=0.9):
    """Stochastic gradient descent with momentum; the rate falls to a tenth over the epochs."""
    random = np.random.default_rng(1)
    weight, bias = np.zeros((x.shape[1], 10), np.float32), np.zeros(10, np.float32)
    moving_w, moving_b = np.zeros_like(weight), np.zeros_like(bias)
    for epoch in range(epochs):
        step = np.float32(rate * 0.1**(epoch / epochs) / batch)
        order = random.permutation(len(x))
        for first in range(0, len(x), batch):
            rows = order[first:first + batch]
            logits = x[rows] @ weight + bias
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(rows)), label[rows]] -= 1
            moving_w = decay * moving_w - step * (1 - decay) * (x[rows].T @ p)
            moving_b = decay * moving_b - step * (1 - decay) * p.sum(axis=0)
            weight += moving_w
            bias += moving_b
    return lambda rows: np.argmax(rows @ weight + bias, axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="the folder with MNIST's four files")
    parser.add_argument("--model", nargs="*", default=[], help="model.safetensors of vae_cuda_train")
    parser.add_argument("--train", help="the program vae_cuda_train: trains the cheap recipe")
    parser.add_argument("--least", type=float, default=0.0, help="per cent of the digits, less is a failure")
    parser.add_argument("--count", type=int, default=1000, help="digits of every class [1000]")
    given = parser.parse_args()
    if not given.model and not given.train:
        parser.error("--model or --train is needed")
    data = given.data or os.path.join(os.environ.get("VAECUDA_DATA_DIR") or default_data(), "mnist")
    if not os.path.isdir(data):
        print(f"skipped: {data} is absent (set VAECUDA_DATA_DIR)")
        sys.exit(77)
    scale = np.float32(1 / 255)
    train = read_idx(find(data, "train-images")) * scale
    recognize = softmax_regression(train, read_idx(find(data, "train-labels")))
    test = read_idx(find(data, "t10k-images")) * scale
    right = np.mean(recognize(test) == read_idx(find(data, "t10k-labels")))
    print(f"real test rows recognized: {100 * right:.2f} %", flush=True)
    asked = np.repeat(np.arange(10), given.count)

    def report(path):
        model = Model(path)
        random = np.random.default_rng(2)
        z = random.standard_normal((len(asked), model.model["latent_dim"])).astype(np.float32)
        told = model.one_hot(asked) if model.model["condition_dim"] > 0 else None
        drawn = 1 / (1 + np.exp(-model.decode(z, told)))
        share = 100 * np.mean(recognize(drawn) == asked)
        print(f"{path}: {share:.2f} % of {len(asked)} drawn digits are those asked for", flush=True)
        return share >= given.least

    enough = [report(path) for path in given.model]
    if given.train:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([given.train, "--data", data, "--conditional", "--epochs", "5", "--hidden", "400,400",
                            "--latent-dim", "20", "--seed", "1", "--device", "cpu", "--quiet", "--no-report", "--out",
                            os.path.join(folder, "run")], check=True)
            enough.append(report(os.path.join(folder, "run", "model.safetensors")))
    if not all(enough):
        sys.exit(f"expected at least {given.least:.2f} %")


main()
