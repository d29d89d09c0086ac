"""Evaluating takes seconds by default, on rows that training has not seen, and what takes long says how far it is."""

import json
import os
import struct
import subprocess
import time
import unittest

import support
from support import BIN, PLANE, SENSOR_NAMES, sensor_rows


def idx(rows, side):
    """The bytes of an IDX file of square pictures, each a ramp."""
    head = struct.pack(">IIII", 0x803, rows, side, side)
    return head + bytes((i * 37 + j * 11) % 256 for i in range(rows) for j in range(side * side))


class EvaluateDefault(support.Case):
    def setUp(self):
        super().setUp()
        self.table("rows.csv", sensor_rows(400), SENSOR_NAMES)
        self.assert_done(self.train("--data", "rows.csv", "--standardize", *PLANE, "--likelihood", "gaussian", "--no-report",
                                    "--epochs", "10", "--out", "run"))
        self.model = "run/model.safetensors"

    def evaluated(self, *words):
        result = self.tool("evaluate", *words, "--json")
        self.assert_done(result)
        return result, json.loads(result.out)

    def test_few_samples_by_default_and_how_to_have_more(self):
        text = self.tool("evaluate", self.model, "--data", "rows.csv")
        self.assert_done(text, "-log p(x), 100 samples", "100 importance samples a row; the literature's figures have --samples 5000")
        document = self.evaluated(self.model, "--data", "rows.csv")[1]
        self.assertEqual((document["nll"]["samples"], document["nll"]["rows"], document["rows"]), (100, 400, 400))
        self.assertGreater(document["nll"]["standard_error"], 0)
        self.assertNotIn("literature", self.tool("evaluate", self.model, "--data", "rows.csv", "--samples", "50").err)
        sharper = self.evaluated(self.model, "--data", "rows.csv", "--samples", "2000")[1]
        self.assertLess(sharper["nll"]["mean"], document["nll"]["mean"] + 0.05)  # more samples, a tighter bound
        self.assertNotIn("nll", self.evaluated(self.model, "--data", "rows.csv", "--samples", "0")[1])

    def test_the_test_part_where_there_is_one(self):
        folder = self.folder / "mnist"
        folder.mkdir()
        (folder / "train-images-idx3-ubyte").write_bytes(idx(40, 6))
        (folder / "t10k-images-idx3-ubyte").write_bytes(idx(12, 6))
        self.assert_done(self.train("--data", "mnist", *PLANE, "--epochs", "1", "--no-report", "--out", "pictures"))
        model = "pictures/model.safetensors"
        for words, rows, part in (([], 12, "test"), (["--part", "test"], 12, "test"), (["--part", "train"], 40, "train")):
            document = self.evaluated(model, "--data", "mnist", *words)[1]
            self.assertEqual((document["rows"], document["part"]), (rows, part))
            text = self.tool("evaluate", model, "--data", "mnist", *words)
            self.assert_done(text, f"{rows} rows of 36 values")
            self.assertEqual("the test part" in text.err, not words, str(text))
        # The other commands take the part that training had.
        encoded = self.tool("encode", model, "--data", "mnist", "--out", "z.npy", "--json")
        self.assertEqual(json.loads(encoded.out)["rows"], 40)

    def long_work(self, *words, seconds=20, wanted=" left"):
        """Starts what takes very long and ends it when stderr has a line with `wanted`; the lines so far."""
        program = subprocess.Popen([str(BIN / "vae_cuda"), *words, "--device", "cpu"], cwd=self.folder, stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"})
        lines = []
        try:
            os.set_blocking(program.stderr.fileno(), False)
            end, text = time.monotonic() + seconds, b""
            while time.monotonic() < end and wanted.encode() not in text and program.poll() is None:
                text += program.stderr.read() or b""
                time.sleep(0.05)
            lines = text.decode().splitlines()
        finally:
            program.kill()
            program.wait()
            program.stderr.close()
        return lines

    def test_long_work_says_how_far_it_is(self):
        began = time.monotonic()
        lines = self.long_work("evaluate", self.model, "--data", "rows.csv", "--samples", "300000", wanted="likelihood: ")
        self.assertTrue(any(line.startswith("likelihood: ") and " of 400 rows, " in line for line in lines), lines)
        self.assertGreater(time.monotonic() - began, 1.9)
        lines = self.long_work("generate", self.model, "-n", "90000000", "--out", "many.npy")
        self.assertTrue(any(line.startswith("generating: ") and " of 90000000 rows, " in line and line.endswith(" left")
                            for line in lines), lines)
        self.assertFalse((self.folder / "many.npy").exists())

    def test_quiet_is_quiet(self):
        lines = self.long_work("generate", self.model, "-n", "90000000", "--out", "many.npy", "--quiet", seconds=3)
        self.assertEqual(lines, [])

    def test_short_work_says_nothing_of_it(self):
        result = self.tool("encode", self.model, "--data", "rows.csv", "--out", "z.npy")
        self.assert_done(result, "z.npy: 400 latents of 2 values\n")
        self.assertFalse([line for line in result.err.splitlines() if line.startswith("encod")], str(result))


class Thresholds(support.Case):
    def test_scores_meet_a_threshold_as_they_are_printed(self):
        self.table("x.csv", sensor_rows(100), header=SENSOR_NAMES)
        self.assert_done(self.train("--data", "x.csv", *PLANE, "--preset", "anomaly", "--steps", 3, "--out", "run"))
        score = ["score", "run/model.safetensors", "--data", "x.csv"]
        rows = self.tool(*score, "--quiet").out.split()[1:]
        scores = [row.split(",")[1] for row in rows]
        order = sorted(scores, key=float)
        for printed in scores[:25]:
            flagged = [row.split(",")[2] for row in self.tool(*score, "--threshold", printed, "--quiet").out.split()[1:]]
            self.assertEqual(flagged, ["1" if float(other) > float(printed) else "0" for other in scores])
        # The products of some of these with 100 lie a last bit above or below the whole number.
        for share in (1, 7, 14, 28, 29, 55, 56, 57, 58, 99, 100):
            done = self.tool(*score, "--threshold-quantile", share / 100, "--json", "--out", "s.csv", "--quiet")
            self.assert_done(done)
            document = json.loads(done.out)
            self.assertAlmostEqual(document["threshold"], float(order[share - 1]), places=4, msg=f"{share} %")
            self.assertEqual(document["flagged"], 100 - share)
            self.assertIn("--threshold-quantile without --reference", document["warnings"][0])


if __name__ == "__main__":
    support.main()
