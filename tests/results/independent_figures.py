#!/usr/bin/env python3
"""Recomputes every figure that `vae_cuda evaluate` and `score` print, for every kind of model, in double precision.

usage: independent_figures.py BIN [--full] [--list] [NAME...]

BIN is the folder of the programs. Each case trains a small model, some with weights that are then made larger, and compares
what the programs say of its rows with what reference_model.py and recomputed.py make of the same file: 2e-5 of the greatest of
the value, 1, and the sum of the absolute terms. What counts or orders values (flags, bins, ranks) is recomputed from the
program's own values of the rows, once these are compared. Needs numpy; takes scipy and scikit-learn where they are.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import numpy as np  # noqa: E402
import recomputed  # noqa: E402
from figure_cases import CASES, MORE_CASES, make_data  # noqa: E402
from recomputed import Rows, aggregate, bits_per_dimension, estimate, factor  # noqa: E402
from reference_model import Reference, read_safetensors, write_safetensors  # noqa: E402

TOLERANCE = 2e-5


class Comparison:
    def __init__(self):
        self.count, self.worst, self.worst_at, self.failures = 0, 0.0, "nothing", 0

    def fail(self, text):
        self.failures += 1
        print(text, flush=True)

    def take(self, where, found, expected, size=0.0):
        found, expected = np.atleast_1d(np.asarray(found, np.float64)), np.atleast_1d(np.asarray(expected, np.float64))
        if found.shape != expected.shape:
            self.fail(f"{where}: {found.shape} values where {expected.shape} belong")
            return
        scale = np.maximum(np.maximum(np.abs(expected), 1.0), size)
        error = np.abs(found - expected) / scale
        self.count += error.size
        if not np.all(error <= TOLERANCE):
            at = int(np.argmax(np.nan_to_num(error, nan=np.inf)))
            self.fail(f"{where}[{at}]: {found[at]!r}, recomputed {expected[at]!r} (relative {error[at]:.3g}; "
                      f"{np.sum(~(error <= TOLERANCE))} of {error.size} beyond)")
        if error.size and not np.max(error) <= self.worst:
            self.worst, self.worst_at = float(np.max(error)), where

    def same(self, where, found, expected):
        self.count += 1
        if found != expected:
            self.fail(f"{where}: {found!r}, recomputed {expected!r}")


def words(value, decimals=4):
    """As the table on stdout writes a figure: docs/evaluation.md, Output."""
    return f"{value:.{decimals}f}" if abs(value) < 1e9 else f"{value:.6g}"


class Trial:
    """One case: its model, its rows, and what the programs say of them."""

    def __init__(self, programs, case, folder, comparison):
        self.programs, self.case, self.folder, self.comparison = programs, case, folder, comparison
        self.data = make_data(case, folder)
        self.run("vae_cuda_train", "--data", self.data.train_file, *self.data.train_words, *case.train, "--out", "run", "--quiet",
                 "--no-report")
        self.model = folder / "run/model.safetensors"
        if case.grown:
            metadata, tensors = read_safetensors(self.model)
            tensors = {name: values * np.float32(case.grown.get(name, 1.0)) for name, values in tensors.items()}
            self.model = folder / "grown.safetensors"
            write_safetensors(self.model, metadata, tensors)
        reference = Reference(self.model)
        self.rows = Rows(reference, self.data.rows, self.data.told if reference.model["condition_dim"] else None)
        self.reference = reference
        self.seed = case.seed if case.seed is not None else reference.seed

    def run(self, program, *words):
        command = [str(self.programs / program), *map(str, words), "--device", "cpu", "--threads", "1"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            sys.exit(f"{self.case.name}: {' '.join(command)}\nexit code {done.returncode}: {done.stderr}")
        return done.stdout

    def tool(self, command, *words):
        seed = [] if self.case.seed is None else ["--seed", self.case.seed]
        return self.run("vae_cuda", command, self.model, "--data", self.data.file, *self.data.words, *seed, "--quiet", *words)

    def take(self, name, *values):
        self.comparison.take(f"{self.case.name}: {name}", *values)

    def same(self, name, *values):
        self.comparison.same(f"{self.case.name}: {name}", *values)

    def evaluate(self):
        case, rows, reference = self.case, self.rows, self.reference
        words = ["--samples", case.samples, "--elbo-samples", case.elbo_samples, "--bins", case.bins,
                 "--active-threshold", case.active]
        if self.data.anomaly:
            words += ["--anomaly-label", self.data.anomaly]
        said = json.loads(self.tool("evaluate", *words, "--json", "--rows", "rows.csv"))
        table = np.genfromtxt(self.folder / "rows.csv", delimiter=",", names=True)
        expected = rows.elbo(self.seed, case.elbo_samples)
        mean, log_variance, at_mean, size, margin = rows.code()
        if margin < 1e-5:
            sys.exit(f"{case.name}: the nearest codes are too near to each other to tell; change the case")
        expected["squared_error"], expected["norm"] = rows.squared_error(at_mean), rows.norm()
        if case.samples > 0 and reference.latent == "gaussian":
            expected["nll"] = rows.nll(self.seed, case.samples)
        self.same("names of --rows", sorted(table.dtype.names), sorted(expected))
        for name, (values, sizes) in expected.items():
            self.take(f"--rows {name}", table[name], values, sizes)
            if name == "norm":
                continue
            center, error = estimate(values)
            self.take(f"{name}.mean", said[name]["mean"], center, np.mean(sizes))
            self.take(f"{name}.standard_error", said[name]["standard_error"], error)
        self.bits(said, expected)
        self.same("rows, columns, seed, elbo_samples", [said[k] for k in ("rows", "columns", "seed", "elbo_samples")],
                  [rows.count, reference.columns, self.seed, case.elbo_samples])
        if "nll" in expected:
            self.same("nll's samples, rows", [said["nll"]["samples"], said["nll"]["rows"]], [case.samples, rows.count])
        self.latents(said, mean, log_variance, at_mean)
        if self.data.labels is not None:
            self.labelled(said, at_mean, size, table)
        self.text(self.tool("evaluate", *words), said)
        return table

    def bits(self, said, expected):
        names = [name for name in ("negative_elbo", "nll") if name in expected]
        self.same("names of bits_per_dimension", sorted(said["bits_per_dimension"]), sorted(names))
        for name in names:
            value, size = bits_per_dimension(self.reference, *map(np.mean, expected[name]))
            self.take(f"bits_per_dimension.{name}", said["bits_per_dimension"][name], value, size)

    def latents(self, said, mean, log_variance, at_mean):
        # A figure of many rows is the mean of squares of what single precision gives: relative to their mean.
        codes = at_mean
        self.take("latents.mean", [one["mean"] for one in said["latents"]], codes.mean(axis=0), np.abs(codes).mean(axis=0))
        variance = codes.var(axis=0)
        self.take("latents.variance", [one["variance"] for one in said["latents"]], variance, (codes**2).mean(axis=0))
        active = variance > self.case.active
        self.same("latents.active", [one["active"] for one in said["latents"]], active.tolist())
        self.same("active_units", said["active_units"], int(active.sum()))
        self.same("has aggregate", "aggregate" in said, log_variance is not None)
        if log_variance is None:
            return
        spread = np.exp(log_variance)
        self.take("latents.kl", [one["kl"] for one in said["latents"]],
                  np.mean(0.5 * (mean**2 + spread - 1 - log_variance), axis=0),
                  np.mean(0.5 * (mean**2 + spread + 1 + np.abs(log_variance)), axis=0))
        count, information, marginal = aggregate(mean, log_variance, self.seed)
        self.same("aggregate.rows", said["aggregate"]["rows"], count)
        self.take("aggregate.information", said["aggregate"]["information"], *information)
        self.take("aggregate.marginal_kl", said["aggregate"]["marginal_kl"], *marginal)

    def labelled(self, said, at_mean, size, table):
        self.tool("encode", "--out", "z.npy")
        codes = np.load(self.folder / "z.npy")
        self.take("encode", codes.ravel(), at_mean.ravel(), size.ravel())
        classes = np.unique(self.data.labels, return_inverse=True)[1]
        entropy, information, gap = factor(classes, codes, self.case.bins)
        self.same("factors", len(said["factors"]), 1)
        one = said["factors"][0]
        self.take("factors.entropy", one["entropy"], entropy)
        self.take("factors.information", one["information"], information)
        self.take("factors.gap", one["gap"], gap)
        self.take("mutual_information_gap", said["mutual_information_gap"], gap)
        if self.data.anomaly is None:
            self.same("anomalies", "anomalies" in said, False)
            return
        truth = np.array([str(label) == self.data.anomaly for label in self.data.labels])
        self.same("anomalies.label, .rows", [said["anomalies"]["label"], said["anomalies"]["rows"]],
                  [self.data.anomaly, int(truth.sum())])
        self.same("anomalies.scores", sorted(said["anomalies"]["scores"]), sorted(table.dtype.names))
        for name, figures in said["anomalies"]["scores"].items():
            self.take(f"{name}.roc_auc", figures["roc_auc"], recomputed.roc_auc_score(truth, table[name]))
            self.take(f"{name}.average_precision", figures["average_precision"],
                      recomputed.average_precision_score(truth, table[name]))

    def text(self, said, document):
        """The table on stdout has the document's figures, in so many digits."""
        lines = {}
        for line in said.splitlines():  # the first of a name: scores of anomalies have some of them again
            if line.startswith("  "):
                lines.setdefault(line[:24].strip(), line[24:])
        for name, key in (("reconstruction", "reconstruction"), ("KL", "kl")):
            self.same(f"text: {name}", lines[name].split(),
                      [words(document[key]["mean"]), "±", words(document[key]["standard_error"])])
        for start, key in (("negative ELBO", "negative_elbo"), ("-log p(x)", "nll")):
            line = next((line for line in said.splitlines() if line.strip().startswith(start)), None)
            if key not in document:
                self.same(f"text: {start}", line, None)
                continue
            figures = [words(document[key]["mean"]), "±", words(document[key]["standard_error"]) + ",",
                       f"{document['bits_per_dimension'][key]:.4f}", "bits", "per", "dimension"]
            self.same(f"text: {start}", line.split()[-len(figures):], figures)
        error = document["squared_error"]
        self.same("text: squared error", lines["squared error"].split(),
                  [words(error["mean"], 6), "±", words(error["standard_error"], 6), "per", "value,", "root",
                   words(math.sqrt(error["mean"]))])
        self.same("text: active units", lines["active units"].split(),
                  [str(document["active_units"]), "of", str(self.reference.latents)])
        if "aggregate" in document:
            among = document["aggregate"]
            self.same("text: I(x; z)", lines["I(x; z)"].split(),
                      [f"{among['information']:.4f}", "nats", "over", str(among["rows"]), "rows", "(at", "most",
                       f"{math.log(among['rows']):.4f})"])
            self.same("text: KL of the mean", lines["KL(mean q(z|x) || p)"].split(), [f"{among['marginal_kl']:.4f}"])
        for j, one in enumerate(document["latents"]):
            figures = ["kl"] * ("kl" in one) + ["mean", "variance"]
            self.same(f"text: z{j}", lines[f"z{j}"].split(),
                      [words(one[key]) for key in figures] + ["yes" if one["active"] else "no"])
        for one in document.get("factors", []):
            best = int(np.argmax(one["information"]))
            self.same(f"text: {one['name']}", lines[one["name"]].split(),
                      [f"{one['entropy']:.4f}", f"z{best}", f"{one['information'][best]:.4f}", f"{one['gap']:.4f}"])
        if "mutual_information_gap" in document:
            self.same("text: MIG", lines["MIG"].split(), [f"{document['mutual_information_gap']:.4f}"])
        for name, score in document.get("anomalies", {}).get("scores", {}).items():
            at = said.rindex(f"  {name} ")
            self.same(f"text: {name}", said[at:].splitlines()[0].split()[1:],
                      [f"{score['roc_auc']:.4f}", f"{score['average_precision']:.4f}"])

    def score(self):
        metrics = [("elbo", 1), ("reconstruction", self.case.elbo_samples)]
        if self.reference.latent == "gaussian":
            metrics.append(("nll", self.case.samples or 3))
        for metric, samples in metrics:
            words = ["--metric", metric, "--samples", samples]
            values, sizes = (self.rows.nll(self.seed, samples) if metric == "nll" else self.rows.elbo(self.seed, samples)[
                {"elbo": "negative_elbo", "reconstruction": "reconstruction"}[metric]])
            said = json.loads(self.tool("score", *words, "--json", "--out", "scores.npy"))
            scores = np.load(self.folder / "scores.npy")
            self.take(f"score {metric}", scores, values, sizes)
            self.same(f"score {metric}: what", [said[k] for k in ("rows", "metric", "seed", "samples")],
                      [self.rows.count, metric, self.seed, samples])
            self.take(f"score {metric}: mean", said["mean"], np.mean(values), np.mean(sizes))
            self.same(f"score {metric}: min, max", [said["min"], said["max"]], [float(scores.min()), float(scores.max())])
            # The reference has the rows that are scored: a table's columns stand in another order there.
            reference = ["--reference", self.data.train_file]
            reference += ["--reference-labels", self.data.words[1]] if self.data.words else []
            for quantile, usual in ((0.0, []), (0.9, reference), (1.0, [])):
                flagged = json.loads(self.tool("score", *words, "--threshold-quantile", quantile, *usual, "--json", "--out",
                                               "s.csv", "--flags", "flags.npy"))
                threshold = np.sort(scores)[max(1, math.ceil(quantile * len(scores))) - 1]
                marks = (scores > threshold).astype(int)
                self.same(f"score {metric}: threshold, quantile, flagged",
                          [flagged[k] for k in ("threshold", "quantile", "flagged")],
                          [float(threshold), quantile, int(marks.sum())])
                table = np.genfromtxt(self.folder / "s.csv", delimiter=",", skip_header=1)
                self.same(f"score {metric}: the table", table.astype(np.float32).tolist(),
                          np.column_stack([np.arange(len(scores)), scores, marks]).astype(np.float32).tolist())
                self.same(f"score {metric}: --flags", np.load(self.folder / "flags.npy").tolist(), marks.tolist())
            at = float(np.median(scores))
            lines = self.tool("score", *words, "--threshold", repr(at)).splitlines()[1:]
            self.same(f"score {metric}: flags on stdout", [line.rsplit(",", 1)[1] for line in lines],
                      [str(int(score > at)) for score in scores])


def compare_factors_of_shapes(programs, folder, comparison):
    """The pictures that are built in have several factors: the gaps are those of the information that is said."""
    words = ["--data", "shapes:16x16,n=300", "--device", "cpu", "--quiet"]
    training = ["--hidden", "8", "--latent-dim", "4", "--steps", "30", "--no-report", "--out", folder / "run"]
    subprocess.run([programs / "vae_cuda_train", *words, *training], check=True)
    asked = ["evaluate", folder / "run/model.safetensors", *words, "--samples", "0", "--json"]
    said = json.loads(subprocess.run([programs / "vae_cuda", *asked], check=True, capture_output=True).stdout)
    gaps = []
    for one in said["factors"]:
        second, best = sorted(one["information"])[-2:]
        gap = (best - second) / one["entropy"] if one["entropy"] > 0 else 0.0
        comparison.take(f"shapes: {one['name']}.gap", one["gap"], gap)
        gaps += [gap] if one["entropy"] > 0 else []
    comparison.same("shapes: has factors that vary", len(gaps) > 2, True)
    comparison.take("shapes: mutual_information_gap", said["mutual_information_gap"], np.mean(gaps))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("programs", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--full", action="store_true", help="also the larger cases")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    given = parser.parse_intermixed_args()
    cases = CASES + MORE_CASES if given.full or given.names or given.list else CASES
    unknown = set(given.names) - {case.name for case in cases}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")
    comparison = Comparison()
    for case in cases:
        if given.names and case.name not in given.names:
            continue
        if given.list:
            print(case.name)
            continue
        with tempfile.TemporaryDirectory(prefix="vaecuda-figures-") as folder:
            trial = Trial(given.programs, case, pathlib.Path(folder), comparison)
            trial.evaluate()
            trial.score()
    if not given.list:
        if not given.names:
            with tempfile.TemporaryDirectory(prefix="vaecuda-figures-") as folder:
                compare_factors_of_shapes(given.programs, pathlib.Path(folder), comparison)
        print(f"{comparison.count} figures compared; the worst is off by {comparison.worst:.3g} ({comparison.worst_at}), "
              f"{TOLERANCE:g} are allowed; {comparison.failures} beyond or different")
    sys.exit(1 if comparison.failures else 0)


if __name__ == "__main__":
    main()
