"""What the fault scripts share: small runs of vae_cuda_train, and whether two run folders agree."""
import concurrent.futures
import json
import os
import pathlib
import struct
import subprocess
import sys

TIMES = ("seconds", "samples_per_second")
MODELS = ("state.safetensors", "last.safetensors", "model.safetensors")


class Failed(Exception):
    """A promise that was broken; its text says where."""


def words(out, epochs=30, extra=()):
    """A run of some tenths of a second: 360 rows in batches of 40, a checkpoint every ten steps."""
    return ["--data", "shapes:16x16x1,n=400", "--valid-fraction", "0.1", "--hidden", "16", "--latent-dim", "3",
            "--epochs", str(epochs), "--batch-size", "40", "--device", "cpu", "--threads", "1",
            "--checkpoint-every", "10", "--log-every", "7", "--out", str(out), *extra]


def run(program, arguments, env=None, timeout=300):
    environment = dict(os.environ, **(env or {}))
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, timeout=timeout)


def side_by_side(trial, inputs, jobs):
    """trial(input) for every input, `jobs` at a time; their results in order. The first that fails ends the program."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(trial, one) for one in inputs]
        try:
            return [future.result() for future in futures]
        except (Failed, OSError, subprocess.SubprocessError) as error:
            pool.shutdown(cancel_futures=True)
            sys.exit(str(error))


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in TIMES} for line in lines]


def older_run(program, folder):
    """A finished run for --overwrite to replace: another seed than words() have."""
    made = run(program, words(folder, epochs=1, extra=["--seed", "9"]))
    if made.returncode != 0:
        raise Failed(f"the older run failed: {made.stderr}")
    return folder


def holds_older(folder, older):
    """Whether the older run is still the one in the folder; a Failed if it is, and not whole."""
    if (folder / ".next-run").exists() or (folder / "config.toml").read_bytes() != (older / "config.toml").read_bytes():
        return False
    for path in older.iterdir():
        if not (folder / path.name).exists() or (folder / path.name).read_bytes() != path.read_bytes():
            raise Failed(f"{path.name} of the older run is lost or changed in {folder}")
    return True


def is_whole(path):
    """True if a safetensors file is there and its length is what its header says."""
    path = pathlib.Path(path)
    if not path.exists():
        return False
    content = path.read_bytes()
    if len(content) < 8:
        return False
    length = struct.unpack("<Q", content[:8])[0]
    try:
        header = json.loads(content[8:8 + length])
        end = max(v["data_offsets"][1] for k, v in header.items() if k != "__metadata__")
    except ValueError:
        return False
    return len(content) == 8 + length + end


def difference(folder, expected):
    """The first file of a finished run that is not as in the other run; empty where all agree."""
    folder, expected = pathlib.Path(folder), pathlib.Path(expected)
    for name in MODELS:
        if not (folder / name).exists():
            return name + " is missing"
        if (folder / name).read_bytes() != (expected / name).read_bytes():
            return name
    if metrics(folder) != metrics(expected):
        return "metrics.jsonl"
    events = [sum(p.stat().st_size for p in f.glob("events.out.*")) for f in (folder, expected)]
    if events[0] != events[1]:
        return "the event files"
    left = sorted(p.name for p in [*folder.glob("*.tmp"), *folder.glob(".*")])
    return f"left over: {left}" if left else ""
