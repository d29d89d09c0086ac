#!/usr/bin/env python3
"""Trains on counts of genes in cells by --preset nb-counts, and says what the held-out cells cost.

Usage: pbmc_counts.py --train vae_cuda_train --tool vae_cuda --data FOLDER [--seeds N] [-- OPTION …]
FOLDER holds pbmc_counts.npz (SciPy's csr: cells x genes) and labels.csv, a header and a cell type for each cell. Cell i is a
test cell if i mod 5 = 4, a validation cell if it is 3. For each seed: the test cells' negative ELBO in nats a cell with all
constants, for the model of the best validation loss, and how many of the test cells have the type that most of their 15
nearest training cells have, by Euclidean distance of the posterior means. Options behind -- go to the training.
Needs numpy and scipy.
"""
import argparse
import csv
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import scipy.sparse


def neighbours_accuracy(z, labels, test, train, count=15):
    distances = ((z[test, None, :] - z[None, train, :]) ** 2).sum(2)
    near = np.argsort(distances, axis=1, kind="stable")[:, :count]
    votes = [Counter(labels[train][row]).most_common(1)[0][0] for row in near]
    return float(np.mean(np.array(votes) == labels[test]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", required=True)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("options", nargs="*")
    args = parser.parse_args()
    counts = scipy.sparse.load_npz(args.data / "pbmc_counts.npz").tocsr()
    with open(args.data / "labels.csv", newline="", encoding="utf-8") as file:
        labels = np.array([row[-1] for row in csv.reader(file)][1:])
    fold = np.arange(counts.shape[0]) % 5
    results = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name, rows in (("train", fold < 3), ("valid", fold == 3), ("test", fold == 4), ("all", fold >= 0)):
            scipy.sparse.save_npz(work / f"{name}.npz", counts[np.flatnonzero(rows)])
        for seed in range(1, args.seeds + 1):
            run = work / f"run{seed}"
            command = [args.train, "--preset", "nb-counts", "--data", work / "train.npz", "--valid", work / "valid.npz",
                       "--test", work / "test.npz", "--seed", str(seed), "--out", run, *args.options]
            said = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
            loss = float(re.search(r"^test +loss ([0-9.]+)", said.stdout + said.stderr, re.MULTILINE).group(1))
            subprocess.run([args.tool, "encode", str(run / "model.safetensors"), "--data", str(work / "all.npz"),
                            "--out", str(work / "z.npy")], capture_output=True, check=True)
            z = np.load(work / "z.npy")
            accuracy = neighbours_accuracy(z, labels, np.flatnonzero(fold == 4), np.flatnonzero(fold < 3))
            print(f"seed {seed}: {loss:.2f} nats a cell, neighbours' type {accuracy:.3f}", flush=True)
            results.append((loss, accuracy))
    print("mean: {:.2f} nats a cell, neighbours' type {:.3f}".format(*np.mean(results, axis=0)))


if __name__ == "__main__":
    main()
