#!/usr/bin/env python3
"""vaecuda's preset `anomaly` beside PyOD's VAE on ADBench's tables: ROC AUC, and the time of training.

For each table and seed both get the same rows: half of the normal ones (label 0), chosen by the seed, train; the other half
and all anomalies are scored. PyOD: `VAE()` with its defaults (30 epochs, batch 32, standardization inside). vaecuda:
`vae_cuda_train --preset anomaly` (100 epochs, batch 128), scored by `vae_cuda evaluate --elbo-samples 32`. The time is that of
PyOD's fit() alone, without its imports, and of the whole program vae_cuda_train, by the clock and by the processors; the two
take turns, with one thread each. Prints a table, and with --json one document.

Needs numpy, torch and pyod. Example:
  pyod_vae.py --train build/bin/vae_cuda_train --tool build/bin/vae_cuda --data $DATA/adbench
"""
import argparse
import contextlib
import gzip
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time

import numpy as np
import pyod
import torch
from pyod.models.vae import VAE
from sklearn.metrics import roc_auc_score

TABLES = ("6_cardio", "38_thyroid", "28_pendigits")


def auc(normal, anomalous):
    """Probability that an anomaly scores higher than a normal row; ties count one half."""
    return roc_auc_score(np.repeat([0, 1], [len(normal), len(anomalous)]), np.concatenate([normal, anomalous]))


def processor_seconds(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def timed(found, who):
    clock, processor = time.perf_counter(), processor_seconds(who)
    yield
    found["seconds"] = time.perf_counter() - clock
    found["processor_seconds"] = processor_seconds(who) - processor


def pyod_vae(rows, normal, anomalous, seed):
    found = {}
    model = VAE(random_state=seed, verbose=0, device="cpu")
    with timed(found, resource.RUSAGE_SELF):
        model.fit(rows)
    found["roc_auc"] = auc(model.decision_function(normal), model.decision_function(anomalous))
    return found


def vaecuda(given, rows, normal, anomalous, seed, folder):
    found = {}
    data, held, labels, out = (os.path.join(folder, name) for name in ("rows.npy", "held.npy", "labels.npy", "run"))
    np.save(data, rows)
    np.save(held, np.concatenate([normal, anomalous]))
    np.save(labels, np.repeat([0, 1], [len(normal), len(anomalous)]))
    with timed(found, resource.RUSAGE_CHILDREN):
        subprocess.run([given.train, "--preset", "anomaly", "--data", data, "--out", out, "--seed", str(seed),
                        "--threads", "1", "--device", "cpu", "--quiet"], check=True)
    said = subprocess.run([given.tool, "evaluate", os.path.join(out, "model.safetensors"), "--data", held, "--labels", labels,
                           "--samples", "0", "--elbo-samples", "32", "--device", "cpu", "--json"],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    found["roc_auc"] = json.loads(said)["anomalies"]["scores"]["negative_elbo"]["roc_auc"]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, help="the program vae_cuda_train")
    parser.add_argument("--tool", required=True, help="the program vae_cuda")
    parser.add_argument("--data", required=True, help="the folder with ADBench's tables, *.csv.gz")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", help="write every figure here")
    given = parser.parse_args()
    torch.set_num_threads(1)
    document = {"pyod": pyod.__version__, "torch": torch.__version__, "tables": {}}
    print("table           vaecuda AUC   s (processor s)    PyOD AUC   s (processor s)    PyOD's time / vaecuda's")
    for table in TABLES:
        with gzip.open(os.path.join(given.data, table + ".csv.gz"), "rt") as file:
            values = np.genfromtxt(file, delimiter=",", skip_header=1).astype(np.float32)
        rows, label = values[:, :-1], values[:, -1]
        runs = []
        for seed in range(1, given.seeds + 1):
            normal = rows[label == 0]
            normal = normal[np.random.default_rng(seed).permutation(len(normal))]
            half = len(normal) // 2
            parts = (normal[:half], normal[half:], rows[label == 1])
            with tempfile.TemporaryDirectory() as folder:
                runs.append({"vaecuda": vaecuda(given, *parts, seed, folder), "pyod": pyod_vae(*parts, seed)})
        document["tables"][table] = runs

        def middle(program, key):
            return statistics.median(run[program][key] for run in runs)

        def mean(program):
            return statistics.fmean(run[program]["roc_auc"] for run in runs)

        ratios = [statistics.median(run["pyod"][key] / run["vaecuda"][key] for run in runs)
                  for key in ("seconds", "processor_seconds")]
        print(f"{table:<14}  {mean('vaecuda'):.4f}  {middle('vaecuda', 'seconds'):7.2f} ({middle('vaecuda', 'processor_seconds'):.2f})"
              f"        {mean('pyod'):.4f}  {middle('pyod', 'seconds'):7.2f} ({middle('pyod', 'processor_seconds'):.2f})"
              f"        {ratios[0]:.1f} ({ratios[1]:.1f})", flush=True)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)


main()
