#!/usr/bin/env python3
"""How well a VAE finds anomalies in ADBench's tables: ROC AUC of the negative ELBO, beside that of no model at all.

For each table and seed: half of the normal rows (label 0), chosen by the seed, train `vae_cuda_train --preset anomaly`; the
other half and all anomalies are scored by the saved model. The score is the mean of the negative ELBO over 32 draws of z.
`no model` is the squared norm of the row standardized by the same training rows. `error` is the squared error of the decoded
posterior mean alone. With --tool the same is asked of `vae_cuda evaluate`: the negative ELBO of one draw, and the mean of 32.
Further options go to vae_cuda_train.

Needs numpy. Example:
  anomaly_tables.py --train build/tools/vae_cuda_train --data $DATA/adbench -- --sigma 0.5
"""
import argparse
import json
import os
import subprocess
import tempfile

import numpy as np
from trained_model import Model, read_bytes

TABLES = ("6_cardio", "38_thyroid", "28_pendigits")
DRAWS = 32


def auc(normal, anomalous):
    """Probability that an anomaly scores higher than a normal row; ties count one half."""
    _, place, counts = np.unique(np.concatenate([normal, anomalous]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - 0.5 * (counts - 1))[place]
    n, m = len(normal), len(anomalous)
    return (ranks[n:].sum() - m * (m + 1) / 2) / (n * m)


def scores_of(model, rows, random):
    x = model.prepare(rows)
    mu, logvar = model.encode(x)
    kl = 0.5 * np.sum(mu * mu + np.exp(logvar) - 1 - logvar, axis=1)
    elbo = np.zeros(len(x))
    for _ in range(DRAWS):
        z = mu + np.exp(0.5 * logvar) * random.standard_normal(mu.shape).astype(np.float32)
        elbo += model.reconstruction(model.decode(z), x) + kl
    error = np.sum((model.decode(mu)[:, :x.shape[1]] - x)**2, axis=1)
    return elbo / DRAWS, np.sum(x * x, axis=1), error


def told_by(tool, model, normal, anomalous, folder, draws):
    """ROC AUC of the negative ELBO as `vae_cuda evaluate` gives it."""
    data, labels = os.path.join(folder, "scored.npy"), os.path.join(folder, "labels.npy")
    np.save(data, np.concatenate([normal, anomalous]))
    np.save(labels, np.repeat([0, 1], [len(normal), len(anomalous)]))
    said = subprocess.run([tool, "evaluate", model, "--data", data, "--labels", labels, "--samples", "0",
                           "--elbo-samples", str(draws), "--device", "cpu", "--json"],
                          check=True, capture_output=True, text=True).stdout
    return json.loads(said)["anomalies"]["scores"]["negative_elbo"]["roc_auc"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, help="the program vae_cuda_train")
    parser.add_argument("--tool", help="the program vae_cuda: its figures as well")
    parser.add_argument("--data", required=True, help="the folder with ADBench's tables, *.csv.gz")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("options", nargs="*", help="further options of vae_cuda_train")
    given = parser.parse_args()
    for table in TABLES:
        text = read_bytes(os.path.join(given.data, table + ".csv.gz")).decode().splitlines()[1:]
        values = np.array([line.split(",") for line in text], dtype=np.float64).astype(np.float32)
        rows, label = values[:, :-1], values[:, -1]
        normal, anomalous = rows[label == 0], rows[label == 1]
        found = []
        for seed in range(1, given.seeds + 1):
            random = np.random.default_rng(seed)
            order = random.permutation(len(normal))
            half = len(normal) // 2
            with tempfile.TemporaryDirectory() as folder:
                data = os.path.join(folder, "normal.npy")
                np.save(data, normal[order[:half]])
                out = os.path.join(folder, "run")
                subprocess.run([given.train, "--preset", "anomaly", "--data", data, "--out", out, "--seed", str(seed),
                                "--device", "cpu", "--quiet", *given.options], check=True)
                path = os.path.join(out, "model.safetensors")
                model, held = Model(path), normal[order[half:]]
                told = [told_by(given.tool, path, held, anomalous, folder, draws) for draws in (1, DRAWS)] if given.tool else []
            kept = scores_of(model, held, random)
            strange = scores_of(model, anomalous, random)
            found.append([auc(k, s) for k, s in zip(kept, strange)] + told)
        mean = np.mean(found, axis=0)
        spread = np.std(found, axis=0, ddof=1) if given.seeds > 1 else np.zeros(len(mean))
        print(f"{table:<14} ELBO {mean[0]:.4f} ± {spread[0]:.4f}   no model {mean[1]:.4f}   error alone {mean[2]:.4f}",
              flush=True)
        if given.tool:
            print(f"{'':<14} vae_cuda evaluate: one draw {mean[3]:.4f} ± {spread[3]:.4f}   "
                  f"{DRAWS} draws {mean[4]:.4f} ± {spread[4]:.4f}", flush=True)


main()
