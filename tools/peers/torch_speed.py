#!/usr/bin/env python3
"""Speed of the same training step in PyTorch on the CPU, set up as well as eager PyTorch allows.

Trains the Bernoulli VAE x-h-(mu,logvar)-h-x (ReLU, one linear head for mu and logvar, binary cross-entropy from
logits, Adam) on rows of an .npy file held in memory, in shuffled batches, and prints one JSON line:
milliseconds per step, the median of the repeats. compare_cpu.sh sets the environment that makes it fair.
"""
import argparse
import json
import statistics
import time

import numpy as np
import torch
import torch.nn.functional as functional
from torch import nn


class Vae(nn.Module):
    def __init__(self, columns, hidden, latent):
        super().__init__()
        down = [columns, *hidden]
        up = [latent, *reversed(hidden)]
        self.encoder = nn.ModuleList(nn.Linear(a, b) for a, b in zip(down, down[1:]))
        self.head = nn.Linear(down[-1], 2 * latent)
        self.decoder = nn.ModuleList(nn.Linear(a, b) for a, b in zip(up, up[1:]))
        self.output = nn.Linear(up[-1], columns)

    def loss(self, x):
        h = x
        for layer in self.encoder:
            h = torch.relu(layer(h))
        mean, log_variance = self.head(h).chunk(2, dim=1)
        h = torch.addcmul(mean, torch.randn_like(mean), torch.exp(0.5 * log_variance))
        for layer in self.decoder:
            h = torch.relu(layer(h))
        nll = functional.binary_cross_entropy_with_logits(self.output(h), x, reduction="sum")
        kl = -0.5 * torch.sum(1 + log_variance - mean * mean - torch.exp(log_variance))
        return (nll + kl) / len(x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help=".npy file of float32 rows in [0,1]")
    parser.add_argument("--hidden", default="400")
    parser.add_argument("--latent-dim", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=100, help="steps of one repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    rows = torch.from_numpy(np.load(options.data))
    model = Vae(rows.shape[1], [int(width) for width in options.hidden.split(",")], options.latent_dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    order, position = torch.randperm(len(rows)), 0

    def step():
        nonlocal order, position
        if position + options.batch_size > len(rows):
            order, position = torch.randperm(len(rows)), 0
        batch = rows.index_select(0, order[position:position + options.batch_size])
        position += options.batch_size
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(batch)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(5):
        step()
    times = []
    for _ in range(options.repeats):
        start = time.perf_counter()
        for _ in range(options.steps):
            loss = step()
        times.append((time.perf_counter() - start) * 1e3 / options.steps)
    print(json.dumps({"torch": torch.__version__, "ms_per_step": statistics.median(times), "loss": loss.item()}))


if __name__ == "__main__":
    main()
