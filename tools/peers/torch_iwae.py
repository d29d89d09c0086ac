#!/usr/bin/env python3
"""What the importance-weighted bound gains over the ELBO, in PyTorch, and what mere further samples of the ELBO gain.

D-200-200-50 with tanh, a Gaussian posterior with a log-variance head, Bernoulli rows drawn anew for every batch, batch 100,
Adam 1e-3. Three models per seed: the ELBO with one sample (its KL in closed form), the ELBO with five, the bound of five
(Burda et al., arXiv 1509.00519). Prints for each the mean loss of the last epoch and the NLL of test rows, binarized once, by
100 importance samples, in nats per row.

Needs torch and numpy. Example:
  torch_iwae.py --data $DATA/mnist --rows 10000 --epochs 5 --seeds 1 2 3
"""
import argparse
import glob
import math
import os

import torch
from torch import nn
from torch.nn import functional
from torch_reference import read_rows

HIDDEN, LATENT, BATCH, TEST_SAMPLES = 200, 50, 100, 100


def mlp(*widths):
    layers = []
    for fan_in, fan_out in zip(widths[:-2], widths[1:-1]):
        layers += [nn.Linear(fan_in, fan_out), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


class Vae(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.encoder = mlp(width, HIDDEN, HIDDEN, 2 * LATENT)
        self.decoder = mlp(LATENT, HIDDEN, HIDDEN, width)

    def terms(self, x, samples):
        """log p(x|z) and the log weight log p(x, z) / q(z|x), each [samples, rows], and the KL [rows]."""
        mu, logvar = self.encoder(x).chunk(2, -1)
        noise = torch.randn(samples, *mu.shape)
        z = mu + noise * (0.5 * logvar).exp()
        logits = self.decoder(z)
        log_p = -functional.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").sum(-1)
        kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(-1)
        return log_p, log_p + 0.5 * (noise**2 - z**2 + logvar).sum(-1), kl


def read(folder, pattern):
    return torch.from_numpy(read_rows(sorted(glob.glob(os.path.join(folder, pattern)))[0]))


def bound(log_weight):
    return torch.logsumexp(log_weight, 0) - math.log(len(log_weight))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the folder with MNIST's four files")
    parser.add_argument("--rows", type=int, default=60000, help="training rows [60000]")
    parser.add_argument("--epochs", type=int, default=10, help="[10]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="[1]")
    parser.add_argument("--test-stride", type=int, default=5, help="take one test row of so many [5]")
    given = parser.parse_args()
    rows = read(given.data, "train-images*")[:given.rows]
    test = read(given.data, "t10k-images*")[::given.test_stride]
    for seed in given.seeds:
        for objective, samples in (("elbo", 1), ("elbo", 5), ("iwae", 5)):
            torch.manual_seed(seed)
            model = Vae(rows.shape[1])
            optimizer = torch.optim.Adam(model.parameters(), 1e-3)
            for _ in range(given.epochs):
                total = 0.0
                for batch in torch.randperm(len(rows)).split(BATCH):
                    log_p, log_weight, kl = model.terms(torch.bernoulli(rows[batch]), samples)
                    loss = (kl - log_p.mean(0) if objective == "elbo" else -bound(log_weight)).mean()
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    total += loss.item() * len(batch) / len(rows)
            torch.manual_seed(7)
            with torch.no_grad():
                nll = torch.cat([-bound(model.terms(part, TEST_SAMPLES)[1]) for part in torch.bernoulli(test).split(20)])
            print(f"seed {seed} {objective} samples {samples}: train {total:.2f} nll {nll.mean().item():.2f}", flush=True)


if __name__ == "__main__":
    main()
