"""What the cases stand on: the programs as a shell runs them, and tables made on the spot.

A case is something a person did in the first hour, with what should have happened. It runs the programs alone, so it
says nothing of how they are built. Each file here holds the cases of one kind; tests/cases/README.md names the kinds.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BIN = Path(os.environ.get("VAECUDA_BIN", "build/bin"))
SOURCE = Path(__file__).resolve().parents[2]

OK, RUNTIME, USAGE, BAD_FILE, OUT_OF_MEMORY, NO_DEVICE, DIVERGED, STOPPED = 0, 1, 2, 3, 4, 5, 6, 75

# A model that trains in a fraction of a second, half of which is the picture of a plane of two latents, where there are two.
SMALL = ["--hidden", "8", "--latent-dim", "3", "--device", "cpu"]
PLANE = ["--hidden", "8", "--latent-dim", "2", "--device", "cpu"]


def _folder_in_memory():
    """Where there is room in memory: a run brings its files to the disk again and again, which takes longer than a small
    one's training. None: where temporary files are."""
    memory = "/dev/shm"
    if "TMPDIR" in os.environ or not os.access(memory, os.W_OK | os.X_OK):
        return None
    room = os.statvfs(memory)
    return memory if room.f_bavail * room.f_frsize > 512 << 20 else None


class Result:
    """How a program ended: exit code (-N where signal N ended it), stdout and stderr."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def __str__(self):
        words = " ".join(str(word) for word in self.command)
        return f"$ {words}\nexit {self.code}\nstdout:\n{self.out}stderr:\n{self.err}"


class Case(unittest.TestCase):
    """Has a folder of its own, in which the programs run."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vaecuda-case-", dir=_folder_in_memory()))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_program(self, program, *words, timeout=60, environment=None, stdin=None, shell=False):
        """Runs BIN/program; `shell`: the words are one line for bash, in which $B is the folder of the programs."""
        command = ["bash", "-c", words[0]] if shell else [str(BIN / program), *map(str, words)]
        done = subprocess.run(
            command, cwd=self.folder, input=stdin, capture_output=True, timeout=timeout,
            env={**os.environ, "B": str(BIN), **(environment or {})})
        return Result(command, done.returncode, done.stdout.decode(errors="replace"),
                      done.stderr.decode(errors="replace"))

    def train(self, *words, **options):
        return self.run_program("vae_cuda_train", *words, **options)

    def tool(self, *words, **options):
        """vae_cuda on the CPU."""
        command, *rest = words
        return self.run_program("vae_cuda", command, *rest, "--device", "cpu", **options)

    def shell(self, line, **options):
        return self.run_program(None, line, shell=True, **options)

    def assert_done(self, result, *parts):
        """Exit code 0, and every part in stderr or stdout."""
        self.assert_ended(result, OK, *parts)

    def assert_ended(self, result, code, *parts):
        """This exit code, and every part in stderr or stdout."""
        self.assertEqual(result.code, code, str(result))
        for part in parts:
            self.assertIn(part, result.err + result.out, str(result))

    def assert_silent_about(self, result, *parts):
        for part in parts:
            self.assertNotIn(part, result.err + result.out, str(result))

    def write(self, name, content):
        path = self.folder / name
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path

    def table(self, name, rows, header=None, separator=",", end="\n"):
        """Writes a text table; cells are written as str() gives them."""
        lines = [separator.join(map(str, header))] if header else []
        lines += [separator.join(map(str, row)) for row in rows]
        return self.write(name, end.join(lines) + end)


def sensor_rows(count=200, seed=1):
    """Rows of five correlated columns of unlike scale: temp, pressure, flow, load, speed."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        a, b = draw.gauss(0, 1), draw.gauss(0, 1)
        noise = [draw.gauss(0, 0.05) for _ in range(5)]
        rows.append([round(v, 5) for v in (20 + 5 * a + noise[0], 1000 + 30 * b + noise[1], 0.2 + 0.1 * a + noise[2] / 10,
                                           5 - 2 * a + b + noise[3], 300 + 40 * (a - b) + noise[4])])
    return rows


SENSOR_NAMES = ["temp", "pressure", "flow", "load", "speed"]


def npy(array_type, shape, content):
    """The bytes of a .npy file, without NumPy; array_type as in '|u1' or '<f4', content its elements' bytes."""
    header = f"{{'descr': '{array_type}', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=1)
