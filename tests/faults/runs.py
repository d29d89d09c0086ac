"""What the fault scripts share: small runs of vae_cuda_train, and whether two run folders agree."""
import json
import os
import pathlib
import subprocess

TIMES = ("seconds", "samples_per_second")


def words(out, epochs=30, extra=()):
    """A run of some tenths of a second: 360 rows in batches of 40, a checkpoint every ten steps."""
    return ["--data", "shapes:16x16x1,n=400", "--valid-fraction", "0.1", "--hidden", "16", "--latent-dim", "3",
            "--epochs", str(epochs), "--batch-size", "40", "--device", "cpu", "--threads", "1",
            "--checkpoint-every", "10", "--log-every", "7", "--out", str(out), *extra]


def run(program, arguments, env=None, timeout=300):
    environment = dict(os.environ, **(env or {}))
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, timeout=timeout)


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in TIMES} for line in lines]


def difference(folder, expected):
    """The first file of a finished run that is not as in the other run; empty where all agree."""
    folder, expected = pathlib.Path(folder), pathlib.Path(expected)
    for name in ("state.safetensors", "last.safetensors", "model.safetensors"):
        if not (folder / name).exists():
            return name + " is missing"
        if (folder / name).read_bytes() != (expected / name).read_bytes():
            return name
    if metrics(folder) != metrics(expected):
        return "metrics.jsonl"
    events = [sum(p.stat().st_size for p in f.glob("events.out.*")) for f in (folder, expected)]
    if events[0] != events[1]:
        return "the event files"
    left = sorted(p.name for p in folder.glob("*.tmp"))
    return f"left over: {left}" if left else ""
