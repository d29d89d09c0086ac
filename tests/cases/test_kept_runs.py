"""Runs of an earlier version (tests/golden/kept): their models are used, and their runs go on as a run of today's would."""

import json
import shutil
import struct
import unittest
from array import array

from support import SOURCE, Case, main

KEPT = SOURCE / "tests/golden/kept"
NAMES = sorted(path.name for path in KEPT.iterdir() if path.is_dir())


def tensors_of(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    data = content[8 + length:]
    return {name: array("f", data[slice(*entry["data_offsets"])])
            for name, entry in header.items() if name != "__metadata__" and entry["dtype"] == "F32"}


class KeptRuns(Case):
    def setUp(self):
        super().setUp()
        shutil.copy(KEPT / "table.csv", self.folder)

    def test_models_are_used(self):
        for name in NAMES:
            with self.subTest(name):
                model = KEPT / name / "model.safetensors"
                info = self.tool("info", model, "--json")
                self.assert_done(info)
                self.assertEqual(json.loads(info.out)["input_dim"], 4)
                score = self.tool("score", model, "--data", "table.csv", "--label-column", "kind", "--metric",
                                  "reconstruction", "--quiet")
                self.assert_done(score)
                rows = score.out.splitlines()[1:]
                self.assertEqual(len(rows), 30, str(score))
                self.assertTrue(all(abs(float(row.split(",")[1])) < 1e3 for row in rows), str(score))

    def test_runs_are_resumed_and_repeated(self):
        """The kept run, resumed for two epochs, is where today's program is with its config.toml after all eight."""
        self.assertGreater(len(NAMES), 20)
        for name in NAMES:
            with self.subTest(name):
                shutil.copytree(KEPT / name, self.folder / name)
                longer = ["--data", "table.csv", "--epochs", 8, "--no-report", "--quiet"]
                self.assert_done(self.train("--resume", name, *longer))
                config = KEPT / name / "config.toml"
                self.assert_done(self.train("--config", config, *longer, "--out", f"{name}-anew"))
                resumed = tensors_of(self.folder / name / "last.safetensors")
                anew = tensors_of(self.folder / f"{name}-anew" / "last.safetensors")
                self.assertEqual(resumed.keys(), anew.keys())
                for tensor, values in resumed.items():
                    self.assertEqual(len(values), len(anew[tensor]))
                    # Alike to the last bit on the processor that began them; on others Adam's first steps, which take
                    # little more than a gradient's sign, part those that nearly vanish.
                    apart = max(abs(a - b) for a, b in zip(values, anew[tensor]))
                    self.assertLess(apart, 2e-3, f"{tensor} after 8 epochs")


if __name__ == "__main__":
    main()
