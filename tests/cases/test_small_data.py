"""Fewer rows than a batch: an epoch is one update, and as many epochs are trained as were asked for."""

import json
import unittest

import support
from support import SMALL, SENSOR_NAMES, sensor_rows

GAUSSIAN = ["--likelihood", "gaussian", "--standardize", "--no-report"]


class SmallData(support.Case):
    def rows(self, count):
        return self.table("rows.csv", sensor_rows(count), SENSOR_NAMES)

    def trained(self, *words):
        result = self.train("--data", "rows.csv", *SMALL, *GAUSSIAN, "--out", "run", "--json", *words)
        self.assert_done(result)
        lines = [json.loads(line) for line in (self.folder / "run/metrics.jsonl").read_text().splitlines()]
        return result, json.loads(result.out), lines

    def batch_size(self):
        line = next(line for line in (self.folder / "run/config.toml").read_text().splitlines() if line.startswith("batch_size"))
        return int(line.split("=")[1])

    def test_ten_rows_and_ten_epochs_are_ten_updates(self):
        self.rows(10)
        result, summary, lines = self.trained("--epochs", "10")
        self.assertIn("the batch of 128 rows is larger than the 10 training rows: batches of 10\n", result.err)
        self.assertIn("trained 10 epochs, 10 steps", result.err)
        self.assertEqual((summary["epochs"], summary["steps"]), (10, 10))
        self.assertEqual((lines[-1]["step"], lines[-1]["epoch"]), (10, 10))
        self.assertEqual(self.batch_size(), 10)

    def test_a_far_larger_batch_changes_nothing(self):
        self.rows(10)
        _, small, _ = self.trained("--epochs", "2")
        model = (self.folder / "run/model.safetensors").read_bytes()
        result, summary, _ = self.trained("--epochs", "2", "--batch-size", "100000", "--overwrite")
        self.assertIn("the batch of 100000 rows", result.err)
        self.assertEqual((summary["epochs"], summary["steps"]), (2, 2))
        self.assertEqual(small["train"], summary["train"])
        self.assertEqual(model, (self.folder / "run/model.safetensors").read_bytes())

    def test_the_rows_left_after_holding_out_count(self):
        self.rows(100)
        result, summary, lines = self.trained("--epochs", "30", "--valid-fraction", "0.3", "--test-fraction", "0.1", "--lr", "0.05",
                                              "--patience", "4")
        self.assertIn("larger than the 60 training rows: batches of 60", result.err)
        self.assertEqual(summary["steps"], summary["epochs"])
        if summary["stopped_early"]:
            self.assertEqual(summary["epochs"], summary["best_epoch"] + 4)
        self.assertEqual([line["epoch"] for line in lines if "valid" in line], list(range(1, summary["epochs"] + 1)))

    def test_steps_count_in_the_same_batches(self):
        self.rows(10)
        result, summary, _ = self.trained("--steps", "7")
        self.assertIn("batches of 10", result.err)
        self.assertEqual((summary["epochs"], summary["steps"]), (7, 7))

    def test_one_row(self):
        self.rows(1)
        result, summary, _ = self.trained("--epochs", "3")
        self.assertIn("the 1 training row: batches of 1", result.err)
        self.assertEqual((summary["epochs"], summary["steps"]), (3, 3))

    def test_a_run_goes_on_with_its_batches(self):
        self.rows(10)
        self.trained("--epochs", "2")
        longer = self.train("--resume", "run", "--epochs", "5", "--json", "--no-report")
        self.assert_done(longer)
        self.assert_silent_about(longer, "larger than")
        self.assertEqual((json.loads(longer.out)["epochs"], json.loads(longer.out)["steps"]), (5, 5))
        stepped = (self.folder / "run/model.safetensors").read_bytes()
        self.trained("--epochs", "5", "--overwrite")
        self.assertEqual(stepped, (self.folder / "run/model.safetensors").read_bytes())

    def test_a_model_that_is_trained_on(self):
        self.rows(10)
        self.trained("--epochs", "1")
        result = self.train("--data", "rows.csv", *SMALL, *GAUSSIAN, "--init-from", "run/model.safetensors", "--epochs", "4", "--out",
                            "on", "--json")
        self.assert_done(result, "batches of 10")
        self.assertEqual(json.loads(result.out)["steps"], 4)

    def test_enough_rows_are_no_occasion(self):
        self.rows(128)
        result, summary, _ = self.trained("--epochs", "2")
        self.assert_silent_about(result, "larger than")
        self.assertEqual(summary["steps"], 2)

    def test_the_plan_is_that_of_the_batches(self):
        self.rows(10)
        result = self.train("--data", "rows.csv", *SMALL, *GAUSSIAN, "--explain")
        self.assert_done(result, "batches of 10", "10 steps in all")


if __name__ == "__main__":
    support.main()
