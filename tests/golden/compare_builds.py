#!/usr/bin/env python3
"""Says whether anything that vaecuda computes differs between two builds on this machine.

    tests/golden/compare_builds.py 75b4c1e              # that commit against the working tree, both built here
    tests/golden/compare_builds.py OLD --new NEW        # commits, or folders of builds that are there
    tests/golden/compare_builds.py OLD --programs       # without training_runs: OLD is older than it, or to save time

Two things run in both builds. `training_runs` trains every kind of model on every backend of the machine (each table of
loops, the kernels on the SIMT executor) and runs every pass. The programs then train and use models as people
do. Compared are

    numbers    tensors of models and states by name, by their bytes; metrics and figures as doubles; rows by their bytes
    documents  what files say beside numbers: configurations, metadata, warnings

A number that differs ends in exit code 1. So does a document's, unless --documents-may-differ says that the change is
meant. Where a move renames a key of a document, RENAMED says so, and the rest is compared as before.

A difference is a defect of the newer build, or is explained in its commit and in an ADR.
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]

# Keys of the older build's documents and what the newer one calls them: "metrics.jsonl: kl" and the like. Empty keys are
# left out of both.
RENAMED = {}

# What two runs of one build do not agree on either.
CLOCKS = {"seconds", "samples_per_second", "epoch_seconds", "wall_time"}

SMALL = {"--hidden": "16", "--latent-dim": "3", "--batch-size": "20", "--steps": "40", "--seed": "3", "--device": "cpu"}
PICTURES = ["--data", "shapes:16x16,n=300", "--scale", "auto", "--valid-fraction", "0.2"]
TABLE = ["--data", "table.csv", "--label-column", "kind", "--scale", "none", "--valid-fraction", "0.2"]
# name, options
TRAININGS = [
    ("bernoulli", [*PICTURES]),
    ("binarized at one half", [*PICTURES, "--binarize", "threshold"]),
    ("binarized by draws", [*PICTURES, "--binarize", "stochastic"]),
    ("gaussian", [*TABLE, "--likelihood", "gaussian"]),
    ("gaussian, standardized", [*TABLE, "--likelihood", "gaussian", "--standardize"]),
    ("gaussian, learned sigma", [*TABLE, "--likelihood", "gaussian", "--sigma", "learned"]),
    ("gaussian, sigma head", [*TABLE, "--likelihood", "gaussian", "--sigma", "head"]),
    ("laplace", [*TABLE, "--likelihood", "laplace"]),
    ("laplace, sigma head", [*TABLE, "--likelihood", "laplace", "--sigma", "head"]),
    ("importance weighted", [*PICTURES, "--objective", "iwae", "--samples", "4"]),
    ("three samples", [*PICTURES, "--samples", "3"]),
    ("free bits", [*PICTURES, "--free-bits", "0.05"]),
    ("capacity", [*PICTURES, "--capacity", "3", "--capacity-steps", "20"]),
    ("log sigma head", [*PICTURES, "--logvar-head", "logsigma"]),
    ("deterministic", [*PICTURES, "--latent", "deterministic", "--latent-l2", "0.5"]),
    ("vq", [*PICTURES, "--latent", "vq", "--codebook-size", "8", "--restart-codes", "0.3"]),
    ("vq by gradient", [*PICTURES, "--latent", "vq", "--codebook-size", "8", "--codebook-update", "gradient"]),
    ("conditional", [*TABLE, "--likelihood", "gaussian", "--conditional"]),
    ("adamw, clipping", [*PICTURES, "--optimizer", "adamw", "--weight-decay", "0.1", "--clip-norm", "0.5"]),
    ("skip", [*PICTURES, "--on-nonfinite", "skip"]),
    ("cosine", [*PICTURES, "--lr-schedule", "cosine:warmup=5,min=0.1"]),
    ("exponential", [*PICTURES, "--lr-schedule", "exponential:gamma=0.5"]),
    ("stages", [*PICTURES, "--lr-schedule", "stages:1=0.01"]),
    ("beta linear", [*PICTURES, "--beta-schedule", "linear:steps=20"]),
    ("beta cyclical", [*PICTURES, "--beta-schedule", "cyclical:period=10,ramp=0.5"]),
    ("glorot, mean in the bias", [*PICTURES, "--init", "glorot", "--output-bias", "data-mean"]),
    ("large batch", ["--data", "shapes:16x16,n=1200", "--scale", "auto", "--batch-size", "1024"]),
    ("batch above the rows", ["--data", "shapes:16x16,n=30", "--scale", "auto", "--batch-size", "100"]),
]
# What is asked of every trained model: command, options, files that it writes. Some models refuse some of them, in both
# builds alike.
COMMANDS = [
    ("info", ["--json"], []),
    ("encode", ["DATA", "--out", "z.npy", "--logvar", "logvar.npy"], ["z.npy", "logvar.npy"]),
    ("encode", ["DATA", "--out", "z.npy", "--codes", "codes.npy"], ["z.npy", "codes.npy"]),
    ("encode", ["DATA", "--out", "z.csv"], ["z.csv"]),
    ("reconstruct", ["DATA", "--out", "mean.npy"], ["mean.npy"]),
    ("generate", ["-n", "50", "--out", "drawn.npy"], ["drawn.npy"]),
    ("generate", ["-n", "50", "--label", "b", "--out", "drawn.npy"], ["drawn.npy"]),
    ("interpolate", ["DATA", "--from", "0", "--to", "7", "--out", "way.npy"], ["way.npy"]),
    ("traverse", ["--out", "sweep.npy"], ["sweep.npy"]),
    ("manifold", ["--grid", "4", "--out", "plane.npy"], ["plane.npy"]),
    ("score", ["DATA", "--out", "score.csv", "--samples", "2"], ["score.csv"]),
    ("score", ["DATA", "--metric", "reconstruction", "--out", "score.npy"], ["score.npy"]),
    ("score", ["DATA", "--metric", "nll", "--samples", "20", "--out", "score.npy"], ["score.npy"]),
    ("evaluate", ["DATA", "--json", "--samples", "20", "--rows", "rows.csv"], ["rows.csv"]),
    ("export", ["--format", "npz", "--out", "model.npz"], []),
]


def read_safetensors(path):
    """Tensors by name as (type, shape, bytes), and the metadata with what is JSON in it taken apart."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__", {})
    for key, text in metadata.items():
        try:
            metadata[key] = json.loads(text)
        except ValueError:
            pass
    data = content[8 + length:]
    return {name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])])
            for name, entry in header.items()}, metadata


def flat(document, prefix=""):
    """A document as path → value; doubles by their bits, so that NaN equals itself."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key not in CLOCKS:
                yield from flat(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from flat(value, f"{prefix}[{index}]")
    elif isinstance(document, float):
        yield prefix, document.hex()
    else:
        yield prefix, document


class Outcome:
    """What one build computed: where → value, numbers and documents apart."""

    def __init__(self):
        self.numbers = {}
        self.documents = {}

    def add_number_document(self, where, document):
        """Strings in it are documents, all else are numbers."""
        for path, value in flat(document):
            kind = self.documents if isinstance(value, str) and not is_hex(value) else self.numbers
            kind[f"{where}: {path}"] = value

    def add_safetensors(self, where, path):
        tensors, metadata = read_safetensors(path)
        for name, tensor in tensors.items():
            self.numbers[f"{where}: {name}"] = tensor
        for key, value in flat(metadata):
            self.documents[f"{where}: metadata {key}"] = value


def is_hex(text):
    return text.lstrip("-").startswith("0x") or text in ("nan", "inf", "-inf")


class Build:
    """Programs of one commit, and what they compute."""

    def __init__(self, name, folder):
        self.name, self.bin = name, folder / "bin"
        self.training_runs = self.bin / "training_runs"
        for program in ["vae_cuda_train", "vae_cuda"]:
            if not (self.bin / program).exists():
                sys.exit(f"compare_builds.py: {name}: no {program} in {self.bin}")

    def run(self, folder, program, *words):
        done = subprocess.run([self.bin / program, *words], cwd=folder, capture_output=True, text=True, timeout=600,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    def train(self, outcome, folder, name, options):
        run = folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        small = [word for flag, value in SMALL.items() if flag not in options for word in (flag, value)]
        words = [*small, *options, "--out", "run", "--quiet"]
        code, _, err = self.run(folder, "vae_cuda_train", *words)
        if code != 0:
            sys.exit(f"compare_builds.py: {self.name}: '{name}' does not train: {err}")
        for file in ["model", "last", "state"]:
            if (run / f"{file}.safetensors").exists():
                outcome.add_safetensors(f"{name}: {file}.safetensors", run / f"{file}.safetensors")
        for index, line in enumerate((run / "metrics.jsonl").read_text().splitlines()):
            outcome.add_number_document(f"{name}: metrics.jsonl line {index + 1}", json.loads(line))
        for line in (run / "config.toml").read_text().splitlines():
            key, equals, value = line.partition(" = ")
            if equals:
                outcome.documents[f"{name}: config.toml: {key}"] = value.replace(str(folder), ".")

    def use(self, outcome, folder, name, options):
        data = options[options.index("--data") + 1]
        given = ["--data", data, *(["--label-column", "kind"] if "--label-column" in options else [])]
        for command, words, files in COMMANDS:
            words = [w for word in words for w in (given if word == "DATA" else [word])]
            where = f"{name}: {command} {' '.join(words)}"
            code, out, _ = self.run(folder, "vae_cuda", command, "run/model.safetensors", *words, "--device", "cpu",
                                    "--quiet")
            outcome.numbers[f"{where}: exit code"] = code
            if code != 0:
                continue
            if "--json" in words:
                outcome.add_number_document(where, json.loads(out))
            for file in files:
                outcome.numbers[f"{where}: {file}"] = (folder / file).read_bytes()

    def programs(self, folder, only):
        folder.mkdir()
        make_table(folder / "table.csv")
        outcome = Outcome()
        for name, options in TRAININGS:
            if only and name not in only:
                continue
            self.train(outcome, folder, name, options)
            self.use(outcome, folder, name, options)
        return outcome

    def all_backends(self, folder):
        path = folder / "training_runs.json"
        subprocess.run([self.training_runs], env={**os.environ, "VAECUDA_TRAINING_RUNS": str(path)}, check=True)
        outcome = Outcome()
        for where, run in json.loads(path.read_text()).items():
            for index, step in enumerate(run["metrics"]):
                for key, value in step.items():
                    outcome.numbers[f"{where}: step {index + 1}: {key}"] = value
            for key, value in {**run["tensors"], **run["passes"]}.items():
                outcome.numbers[f"{where}: {key}"] = value
        return outcome


def make_table(path):
    """90 rows of four columns and a kind, from a small generator of its own."""
    state = 1
    lines = ["a,b,c,d,kind"]
    for row in range(90):
        cells = []
        for column in range(4):
            state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
            cells.append(f"{(state >> 40) / (1 << 24) + row % 3 * 0.5 + column * 0.1:.4f}")
        lines.append(",".join(cells) + "," + "abc"[row % 3])
    path.write_text("\n".join(lines) + "\n")


def renamed(values):
    kept = {}
    for where, value in values.items():
        for old, new in RENAMED.items():
            if where.endswith(old):
                where = where[:len(where) - len(old)] + new if new else None
                break
        if where is not None:
            kept[where] = value
    return kept


def shown(value):
    if isinstance(value, tuple):
        return f"{value[0]} {value[1]}"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str) and is_hex(value):
        return repr(float.fromhex(value))
    return str(value)


def compare(kind, old, new, most=40):
    """Prints what differs; gives how much."""
    old = renamed(old)
    differences = []
    for where in sorted(old.keys() | new.keys()):
        if where not in new:
            differences.append(f"  gone: {where} (was {shown(old[where])})")
        elif where not in old:
            differences.append(f"  new: {where} ({shown(new[where])})")
        elif old[where] != new[where]:
            differences.append(f"  {where}: {shown(old[where])} -> {shown(new[where])}")
    print(f"{kind}: {len(old)} compared, {len(differences)} differ")
    print("\n".join(differences[:most]) + ("\n" if differences else ""), end="")
    if len(differences) > most:
        print(f"  and {len(differences) - most} more")
    return len(differences)


def built(what, work, jobs, want_runs):
    """The folder of a build: the one that is named, or that of a commit, made here."""
    given = Path(what)
    if (given / "bin").is_dir():
        return Build(what, given.resolve())
    if what == "the working tree":
        source = SOURCE
    else:
        source = work / "source"
        subprocess.run(["git", "-C", SOURCE, "worktree", "add", "--detach", "--force", source, what], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    target = work / "build"
    print(f"building {what}", flush=True)
    with open(work / "build.log", "w", encoding="utf-8") as log:
        for command in (
                ["cmake", "-S", source, "-B", target, "-DCMAKE_BUILD_TYPE=Release", "-DVAECUDA_CUDA=OFF",
                 f"-DBUILD_TESTING={'ON' if want_runs else 'OFF'}", "-DVAECUDA_UNITY=ON"],
                ["cmake", "--build", target, "--parallel", str(jobs), "--target", "vae_cuda_train", "vae_cuda",
                 *(["training_runs"] if want_runs else [])]):
            if subprocess.run(command, stdout=log, stderr=log, check=False).returncode != 0:
                sys.exit(f"compare_builds.py: {what} does not build: {work / 'build.log'}")
    return Build(what, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", help="a commit, or the folder of a build (which holds bin/)")
    parser.add_argument("--new", default="the working tree", help="the same [the working tree]")
    parser.add_argument("--programs", action="store_true", help="the programs alone")
    parser.add_argument("--only", action="append", metavar="NAME", help="of the programs' trainings, these alone")
    parser.add_argument("--parameters", action="store_true", help="compare the parameters alone")
    parser.add_argument("--documents-may-differ", action="store_true", help="show documents' differences, no failure")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes of a build [%(default)s]")
    parser.add_argument("--work", type=Path, help="folder for builds and runs, kept [a temporary one]")
    arguments = parser.parse_args()
    unknown = set(arguments.only or []) - {name for name, _ in TRAININGS}
    if unknown:
        parser.error(f"--only: no training is called {', '.join(sorted(unknown))}")

    work = arguments.work or Path(tempfile.mkdtemp(prefix="vaecuda-golden-"))
    worktrees = []
    try:
        builds = []
        for name, what in [("old", arguments.old), ("new", arguments.new)]:
            folder = work / name
            shutil.rmtree(folder / "runs", ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            worktrees.append(folder / "source")
            builds.append(built(what, folder, arguments.jobs, not arguments.programs))
        failures = 0
        tasks = [("programs", lambda build, folder: build.programs(folder, arguments.only))]
        if not arguments.programs:
            for build in builds:
                if not build.training_runs.exists():
                    sys.exit(f"compare_builds.py: {build.name} has no training_runs; --programs goes without")
            tasks.append(("every backend", lambda build, folder: build.all_backends(folder)))
        for task, run in tasks:
            outcomes = []
            for build, name in zip(builds, ["old", "new"]):
                print(f"{task}: {build.name}", flush=True)
                folder = work / name / ("runs" if task == "programs" else "")
                outcomes.append(run(build, folder))
            old, new = outcomes
            if arguments.parameters:
                keep = ("model.safetensors: ", "last.safetensors: ", ", parameter")
                for outcome in outcomes:
                    outcome.documents = {}
                    outcome.numbers = {where: value for where, value in outcome.numbers.items()
                                       if any(part in where for part in keep)}
            failures += compare(f"numbers of {task}", old.numbers, new.numbers)
            documents = compare(f"documents of {task}", old.documents, new.documents)
            if not arguments.documents_may_differ:
                failures += documents
    finally:
        for source in worktrees:
            if source.exists():
                subprocess.run(["git", "-C", SOURCE, "worktree", "remove", "--force", source], check=False)
        if not arguments.work:
            shutil.rmtree(work, ignore_errors=True)
    print("nothing differs" if failures == 0 else f"{failures} differ")
    sys.exit(0 if failures == 0 else 1)


if __name__ == "__main__":
    main()
