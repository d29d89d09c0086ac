#!/usr/bin/env python3
"""Trains the VAE of vae_cuda_train in PyTorch, to compare what is learned (not how fast).

The same model, loss and optimizer under the same option names:
  encoder  D -> hidden ... -> (mu, logvar); decoder Z -> mirrored hidden ... -> D; ReLU between, nn.Linear's own init;
  loss     mean over the rows of  -log p(x|z) + KL(q(z|x) || N(0, I)), nats summed over the columns, one z per row,
           all constants of the Gaussian included;
  Adam     with PyTorch's defaults and --lr; a new shuffle of the rows every epoch, the last batch may be smaller.

Data: IDX or CSV, each also .gz. Bytes are divided by 255; floats stay as they are. A last CSV column named label, class
or target is left out. --standardize takes mean and deviation per column from the training rows.

Prints one JSON object. train: means over the rows of the last epoch, while it trained. test: the trained model on the
test rows, one z per row. active_units: latents whose posterior mean varies over the training rows by more than 0.01
(Burda et al., arXiv 1509.00519). mse: squared reconstruction error per value in prepared units (Gaussian alone).

With --model FILE nothing is trained: the file that vae_cuda_train saved is read and put to the same test, which also
checks the file against an independent reader. The model options are then those of the run that wrote it.

Needs torch and numpy. Example:
  torch_reference.py --data train-images-idx3-ubyte.gz --test t10k-images-idx3-ubyte.gz --epochs 10 --seed 1
"""
import argparse
import gzip
import json
import math
import struct
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

LABEL_NAMES = ("label", "class", "target")
IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
ACTIVE_VARIANCE = 0.01


def read_bytes(path):
    with open(path, "rb") as file:
        content = file.read()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def read_idx(content, path):
    kind, dims = content[2], content[3]
    if kind not in IDX_TYPES or dims == 0:
        raise SystemExit(f"{path}: not an IDX file")
    shape = struct.unpack(f">{dims}I", content[4:4 + 4 * dims])
    values = np.frombuffer(content, IDX_TYPES[kind], offset=4 + 4 * dims).reshape(shape[0], -1)
    values = values.astype(np.float32)
    return values / 255.0 if kind == 0x08 else values


def read_csv(content):
    header, *lines = content.decode().splitlines()
    columns = header.split(",")
    values = np.array([line.split(",") for line in lines if line], dtype=np.float64).astype(np.float32)
    return values[:, :-1] if columns[-1].strip().lower() in LABEL_NAMES else values


def read_rows(path):
    content = read_bytes(path)
    return read_idx(content, path) if content[:2] == b"\0\0" else read_csv(content)


def prepare(options):
    """Training and test rows as float32 tensors; test is None where none is asked for."""
    train = read_rows(options.data)
    test = None
    if options.test:
        test = read_rows(options.test)
    elif options.test_fraction > 0:
        held_out = round(options.test_fraction * len(train))
        order = np.random.default_rng(options.seed).permutation(len(train))
        train, test = train[order[held_out:]], train[order[:held_out]]
    if options.standardize:
        mean = train.mean(axis=0, dtype=np.float64)
        deviation = train.std(axis=0, dtype=np.float64)
        deviation[deviation <= 1e-7 * np.abs(mean)] = 1.0
        train = ((train - mean) / deviation).astype(np.float32)
        test = None if test is None else ((test - mean) / deviation).astype(np.float32)
    return torch.from_numpy(train), None if test is None else torch.from_numpy(test)


def mlp(widths, out):
    """Linear and ReLU through `widths`, then a Linear to `out` without activation."""
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], out))


class Vae(nn.Module):
    def __init__(self, columns, options):
        super().__init__()
        self.encoder = mlp([columns, *options.hidden], 2 * options.latent_dim)
        self.decoder = mlp([options.latent_dim, *reversed(options.hidden)], columns)
        self.gaussian = options.likelihood == "gaussian"
        self.sigma = options.sigma

    def forward(self, x):
        """Reconstruction and KL of every row, in nats."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        output = self.decoder(z)
        if self.gaussian:
            nats = (output - x).square() / (2 * self.sigma**2) + math.log(self.sigma) + 0.5 * math.log(2 * math.pi)
        else:
            nats = functional.binary_cross_entropy_with_logits(output, x, reduction="none")
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        return nats.sum(dim=1), kl.sum(dim=1)

    def load(self, path):
        """Takes the weights of a safetensors file: encoder.i, head, decoder.i, output, each .weight and .bias."""
        content = read_bytes(path)
        (header_size,) = struct.unpack("<Q", content[:8])
        header, data = json.loads(content[8:8 + header_size]), content[8 + header_size:]
        for part, last in ((self.encoder, "head"), (self.decoder, "output")):
            prefix = "encoder" if part is self.encoder else "decoder"
            linears = [layer for layer in part if isinstance(layer, nn.Linear)]
            names = [f"{prefix}.{i}" for i in range(len(linears) - 1)] + [last]
            for layer, name in zip(linears, names):
                for kind in ("weight", "bias"):
                    entry = header[f"{name}.{kind}"]
                    begin, end = entry["data_offsets"]
                    values = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
                    with torch.no_grad():
                        getattr(layer, kind).copy_(torch.from_numpy(values.copy()))


class Mean:
    """Mean over rows of reconstruction and KL, gathered batch by batch in double precision."""

    def __init__(self):
        self.rows, self.reconstruction, self.kl = 0, 0.0, 0.0

    def add(self, reconstruction, kl):
        self.rows += len(kl)
        self.reconstruction += reconstruction.detach().sum(dtype=torch.float64).item()
        self.kl += kl.detach().sum(dtype=torch.float64).item()

    def result(self, columns, options):
        reconstruction, kl = self.reconstruction / self.rows, self.kl / self.rows
        result = {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}
        if options.likelihood == "gaussian":
            constant = math.log(options.sigma) + 0.5 * math.log(2 * math.pi)
            result["mse"] = 2 * options.sigma**2 * (reconstruction / columns - constant)
        return result


def train_epoch(model, optimizer, rows, options):
    mean = Mean()
    for index in torch.randperm(len(rows)).split(options.batch_size):
        reconstruction, kl = model(rows[index])
        loss = (reconstruction + kl).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        mean.add(reconstruction, kl)
    return mean.result(rows.shape[1], options)


@torch.no_grad()
def evaluate(model, rows, options):
    mean = Mean()
    for batch in rows.split(1000):
        mean.add(*model(batch))
    return mean.result(rows.shape[1], options)


@torch.no_grad()
def active_units(model, rows):
    means = torch.cat([model.encoder(batch).chunk(2, dim=1)[0] for batch in rows.split(1000)])
    return int((means.var(dim=0) > ACTIVE_VARIANCE).sum())


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="rows to train on: IDX or CSV, also .gz")
    parser.add_argument("--test", help="rows for the test")
    parser.add_argument("--test-fraction", type=float, default=0.0, help="share of the rows to set aside for the test")
    parser.add_argument("--standardize", action="store_true", help="mean 0 and deviation 1 per column")
    parser.add_argument("--hidden", default="400", help="widths of the encoder's hidden layers, with commas [400]")
    parser.add_argument("--latent-dim", type=int, default=20)
    parser.add_argument("--likelihood", choices=("bernoulli", "gaussian"), default="bernoulli")
    parser.add_argument("--sigma", type=float, default=0.3, help="deviation of the Gaussian likelihood [0.3]")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0 leaves PyTorch's own choice")
    parser.add_argument("--model", help="a model.safetensors to test instead of training one")
    options = parser.parse_args()
    options.hidden = [int(width) for width in options.hidden.split(",")]
    return options


def main():
    options = parse_options()
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    train, test = prepare(options)
    model = Vae(train.shape[1], options)
    result = {"torch": torch.__version__, "train_rows": len(train), "columns": train.shape[1]}
    if options.model:
        model.load(options.model)
    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=options.lr)
        start = time.perf_counter()
        for _ in range(options.epochs):
            result["train"] = train_epoch(model, optimizer, train, options)
        result["seconds"] = time.perf_counter() - start
    if test is not None:
        result["test"] = evaluate(model, test, options)
    result["active_units"] = active_units(model, train)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
