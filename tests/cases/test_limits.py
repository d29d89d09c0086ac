#!/usr/bin/env python3
"""Limits of memory, threads and stack: what is needed is bounded and asked for, and what cannot be had is said."""

import os
import subprocess

import support
from support import BIN, Case

MIB = 1024  # KiB, as getrusage counts


class ConditionalMemory(Case):
    """A model that is told one of 4,000 classes: a row of two values has 16,000 bytes of labels."""

    ROWS = 12_000

    def setUp(self):
        super().setUp()
        self.table("rows.csv", [[i % 7, i % 5, f"c{i % 4000}"] for i in range(self.ROWS)], ["a", "b", "label"])
        self.assert_done(self.train("--data", "rows.csv", "--out", "run", "--conditional", "--likelihood", "gaussian",
                                    "--steps", "2", "--hidden", "4", "--latent-dim", "2", "--device", "cpu",
                                    "--no-report"))

    def peak(self, command, *words):
        """The most memory of a command, in MiB."""
        process = subprocess.Popen([str(BIN / "vae_cuda"), command, "run/model.safetensors", *words, "--device", "cpu",
                                    "--threads", "1", "--quiet"], cwd=self.folder)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, support.OK, command)
        return usage.ru_maxrss / MIB

    def test_passes_are_bounded(self):
        # All labels at once would be 183 MiB, and as much again where the host holds them.
        data = ["--data", "rows.csv"]
        for words in (["encode", *data, "--out", "z.npy"], ["reconstruct", *data, "--out", "x.npy"],
                      ["score", *data, "--out", "s.csv"], ["score", *data, "--metric", "nll", "--samples", "2",
                                                           "--out", "n.csv"],
                      ["generate", "--count", str(self.ROWS), "--label", "c5", "--out", "g.npy"]):
            with self.subTest(" ".join(words)):
                self.assertLess(self.peak(*words), 130)

    def test_too_much_is_refused_first(self):
        line = (f"ulimit -v 700000; exec $B/vae_cuda encode run/model.safetensors --data rows.csv --out z.npy "
                f"--batch-size {self.ROWS * 10} --device cpu --threads 1")
        self.assert_ended(self.shell(line), support.OUT_OF_MEMORY, "not enough memory for encode", "MiB available")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["rows.csv", "run"])


if __name__ == "__main__":
    support.main()
