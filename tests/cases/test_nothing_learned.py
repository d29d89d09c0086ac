"""A run that taught the model nothing, and rows that it cannot know, are told in one line with the remedy."""

import json
import random
import unittest

import support
from support import PLANE, SENSOR_NAMES, sensor_rows

GAUSSIAN = ["--likelihood", "gaussian", "--no-report", "--json"]


class NothingLearned(support.Case):
    def sensors(self, count=200):
        return self.table("rows.csv", sensor_rows(count), SENSOR_NAMES)

    def warnings_of(self, *words, report=False):
        result = self.train("--data", "rows.csv", *PLANE, *[word for word in GAUSSIAN if not report or word != "--no-report"],
                            "--out", "run", *words)
        self.assert_done(result)
        lines = json.loads(result.out)["warnings"]
        for line in lines:
            self.assertIn(f"warning: {line}\n", result.err)
        return lines

    def test_a_good_run_has_nothing_to_say(self):
        self.sensors()
        result = self.train("--data", "rows.csv", "--standardize", "--valid-fraction", "0.2", "--epochs", "60", "--batch-size", "20",
                            "--lr", "0.01", *PLANE, *GAUSSIAN, "--out", "run")
        self.assert_done(result)
        self.assertEqual(json.loads(result.out)["warnings"], [], str(result))
        self.assertNotIn("warning", result.err)
        for command in ("evaluate", "score"):
            words = ["--json"] + (["--out", "scores.csv"] if command == "score" else [])
            used = self.tool(command, "run/model.safetensors", "--data", "rows.csv", *words)
            self.assert_done(used)
            self.assertEqual(json.loads(used.out)["warnings"], [], str(used))

    def test_a_posterior_that_collapsed(self):
        draw = random.Random(5)
        self.table("rows.csv", [[round(draw.gauss(0, 1), 4) for _ in range(4)] for _ in range(200)])
        lines = self.warnings_of("--sigma", "1", "--beta", "8", "--epochs", "60", "--batch-size", "20", "--lr", "0.01",
                                 "--valid-fraction", "0.2", "--standardize", report=True)
        self.assertTrue(any("posterior collapse" in line and "none of the 2 latents holds 0.1 nats" in line and "lower --beta (it is 8)" in line
                            for line in lines), lines)
        page = (self.folder / "run/report.html").read_text()
        self.assertIn("posterior collapse", page)
        again = self.tool("report", "run", "--out", "again.html")
        self.assert_done(again)
        self.assertIn("posterior collapse", (self.folder / "again.html").read_text())
        used = self.tool("evaluate", "run/model.safetensors", "--data", "rows.csv", "--samples", "0")
        self.assert_done(used, "warning: posterior collapse")

    def test_a_loss_not_below_that_of_the_columns_alone(self):
        self.sensors()
        lines = self.warnings_of("--standardize", "--steps", "2", "--lr", "1e-6")
        self.assertTrue(any(line.startswith("the model is no better than the columns' means alone") and "--epochs" in line
                            for line in lines), lines)

    def test_values_out_of_reach_of_sigma(self):
        self.sensors()
        lines = self.warnings_of("--sigma", "1", "--epochs", "2")
        self.assertTrue(any("no training reaches them" in line and "Column 'speed'" in line and "train with --standardize" in line
                            for line in lines), lines)

    def test_a_codebook_that_collapsed(self):
        self.table("rows.csv", [[1, 2, 3] for _ in range(50)])
        lines = self.warnings_of("--latent", "vq", "--codebook-size", "16", "--epochs", "3", "--valid-fraction", "0.2")
        self.assertTrue(any(line.startswith("codebook collapse") and "--restart-codes" in line for line in lines), lines)


class ForeignRows(support.Case):
    def setUp(self):
        super().setUp()
        self.table("rows.csv", sensor_rows(200), SENSOR_NAMES)
        self.assert_done(self.train("--data", "rows.csv", "--standardize", *PLANE, "--likelihood", "gaussian", "--no-report",
                                    "--epochs", "20", "--out", "run"))
        self.model = "run/model.safetensors"

    def test_rows_in_other_units(self):
        self.table("other.csv", [[1000 * value for value in row] for row in sensor_rows(50)], SENSOR_NAMES)
        scored = self.tool("score", self.model, "--data", "other.csv", "--out", "scores.csv", "--json")
        self.assert_done(scored, "warning: other.csv: 50 of 50 rows score above", "these are not rows as the model was trained on")
        self.assertEqual(len(json.loads(scored.out)["warnings"]), 1)
        self.assert_done(self.tool("evaluate", self.model, "--data", "other.csv", "--samples", "2"),
                         "these are not rows as the model was trained on")

    def test_what_is_advised_can_be_done(self):
        """A model that standardizes is not told to; one that starts from another is told what holds."""
        self.table("other.csv", [[1000 * value for value in row] for row in sensor_rows(50)], SENSOR_NAMES)
        scored = self.tool("score", self.model, "--data", "other.csv", "--out", "scores.csv")
        self.assert_done(scored, "unlike these: train a model on such rows")
        self.assert_silent_about(scored, "needs --standardize")
        gaussian = [*PLANE, "--likelihood", "gaussian", "--no-report", "--epochs", "1"]
        self.assert_done(self.train("--data", "rows.csv", *gaussian, "--out", "plain", "--quiet"))
        self.assert_done(self.tool("score", "plain/model.safetensors", "--data", "other.csv"), "needs --standardize")
        result = self.train("--data", "other.csv", "--init-from", self.model, "--standardize", *gaussian, "--out", "next")
        self.assert_done(result, "other.csv: standardized by the mean and the deviation of the model of --init-from",
                         "those of the model of --init-from: train a new model")
        self.assert_silent_about(result, "give a larger --sigma")

    def test_a_few_far_rows_are_what_a_score_is_for(self):
        rows = sensor_rows(50)
        rows[7] = [1000 * value for value in rows[7]]
        self.table("other.csv", rows, SENSOR_NAMES)
        self.assert_silent_about(self.tool("score", self.model, "--data", "other.csv", "--threshold", "1000"), "warning")

    def test_a_row_that_overflows_is_infinite_and_flagged(self):
        for value in ("1e20", "3e38", "-3e38"):
            rows = sensor_rows(3)
            rows[1] = [value] * 5
            self.table("other.csv", rows, SENSOR_NAMES)
            for metric in ("elbo", "nll", "reconstruction"):
                for samples in ("1", "8"):
                    result = self.tool("score", self.model, "--data", "other.csv", "--metric", metric, "--samples", samples,
                                       "--threshold", "1e9")
                    self.assert_done(result, "warning: other.csv: 1 of 3 rows have a score that is not finite, row 1 first")
                    lines = result.out.splitlines()
                    self.assertEqual(lines[2], "1,inf,1", str(result))
                    self.assertTrue(lines[1].endswith(",0") and lines[3].endswith(",0"), str(result))

    def test_a_reference_of_other_rows_is_said(self):
        self.table("usual.csv", [[1000 * value for value in row] for row in sensor_rows(40)], SENSOR_NAMES)
        result = self.tool("score", self.model, "--data", "rows.csv", "--threshold-quantile", "0.9", "--reference", "usual.csv",
                           "--json", "--out", "s.csv")
        self.assert_done(result, "warning: usual.csv: 40 of 40 rows score above", "not rows as the model was trained on")
        self.assertIn("usual.csv", json.loads(result.out)["warnings"][0])

    def test_a_quantile_that_is_infinite_is_no_threshold(self):
        self.table("usual.csv", [["1e20"] * 5 if i % 4 == 0 else row for i, row in enumerate(sensor_rows(40))], SENSOR_NAMES)
        result = self.tool("score", self.model, "--data", "rows.csv", "--threshold-quantile", "0.9", "--reference", "usual.csv")
        self.assert_ended(result, support.BAD_FILE, "usual.csv: the quantile 0.9 of its scores is infinite")

    def test_evaluate_says_why_a_mean_is_infinite(self):
        rows = sensor_rows(30)
        rows[4] = ["1e20"] * 5
        self.table("other.csv", [row + [int(i == 4)] for i, row in enumerate(rows)], SENSOR_NAMES + ["label"])
        result = self.tool("evaluate", self.model, "--data", "other.csv", "--samples", "4", "--rows", "figures.csv")
        self.assert_done(result, "warning: other.csv: 1 of 30 rows have a score that is not finite, row 4 first")
        self.assertNotIn("nan", result.out, str(result))
        self.assertIn("inf", result.out)
        self.assertNotIn("nan", (self.folder / "figures.csv").read_text())
        document = json.loads(self.tool("evaluate", self.model, "--data", "other.csv", "--samples", "4", "--json").out)
        self.assertIsNone(document["negative_elbo"]["mean"])
        self.assertIsNone(document["nll"]["mean"])
        self.assertEqual(document["anomalies"]["scores"]["nll"]["roc_auc"], 1.0)
        self.assertTrue(all(latent["mean"] is not None for latent in document["latents"]))

    def test_results_that_are_not_finite_are_told(self):
        rows = sensor_rows(3)
        rows[1] = ["3e38"] * 5
        self.table("other.csv", rows, SENSOR_NAMES)
        for command in ("encode", "reconstruct"):
            result = self.tool(command, self.model, "--data", "other.csv", "--out", "out.npy")
            self.assert_done(result)
            if b"\x7f" in (self.folder / "out.npy").read_bytes()[128:]:
                self.assertIn("1 of 3 rows gave results that are not finite, row 1 first", result.err, str(result))


if __name__ == "__main__":
    support.main()
