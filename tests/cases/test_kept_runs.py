"""Runs of an earlier version (tests/golden/kept): their models are used, and their runs go on as a run of today's would."""

import json
import re
import shutil
import struct
import unittest
from array import array

from support import BAD_FILE, SENSOR_NAMES, SMALL, SOURCE, USAGE, Case, main, sensor_rows

KEPT = SOURCE / "tests/golden/kept"
NAMES = sorted(path.name for path in KEPT.iterdir() if path.is_dir())


def parts(path):
    """Header and tensors of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8:8 + length]), content[8 + length:]


def configuration(path):
    return json.loads(parts(path)[0]["__metadata__"]["config"])


def tensors_of(path):
    header, data = parts(path)
    return {name: array("f", data[slice(*entry["data_offsets"])])
            for name, entry in header.items() if name != "__metadata__" and entry["dtype"] == "F32"}


def leaves(document, path=""):
    """{"model.sigma": 1.0, ...}"""
    found = {}
    for key, value in document.items():
        found.update(leaves(value, f"{path}{key}.") if isinstance(value, dict) else {path + key: value})
    return found


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

    def test_keys_that_may_be_missing(self):
        """docs/formats.md names the keys of a model's configuration that may be missing, and what they mean then."""
        told = (SOURCE / "docs/formats.md").read_text().split("**Configuration.**")[1].split("Dots stand for")[0]
        rows = {key: row for row in told.splitlines() if row.startswith("| `")
                for key in re.findall("`([a-z_.0-9]+)`", row.split("|")[1])}
        self.table("x.csv", sensor_rows(20), SENSOR_NAMES)
        self.table("told.csv", [[i % 3, i % 5] for i in range(20)], ["p", "q"])
        for name, words in {"plain": [], "told": ["--labels", "told.csv", "--conditional"]}.items():
            self.assert_done(self.train("--data", "x.csv", "--likelihood", "gaussian", *SMALL, "--steps", 1, "--no-report",
                                        *words, "--out", name))
        self.table("counts.csv", [[i % 3, i % 5] for i in range(20)], ["p", "q"])
        self.assert_done(self.train("--data", "counts.csv", "--likelihood", "nb", *SMALL, "--steps", 1, "--no-report",
                                    "--out", "counts"))
        found_in = {name: set(leaves(configuration(self.folder / name / "model.safetensors"))) for name in ("told", "counts")}
        self.assertEqual(set(rows), found_in["told"] | found_in["counts"])
        for key, row in rows.items():
            with self.subTest(key):
                # Without its condition a conditional model's tensors would be others.
                run = "plain" if key == "model.condition_dim" else "told" if key in found_in["told"] else "counts"
                model = self.folder / run / "model.safetensors"
                beside = re.findall("may be missing with `([a-z_.]+)`", row)
                self.without(model, "less.safetensors", [key, *beside])
                export = self.tool("export", "less.safetensors", "--format", "safetensors", "--out", "again.safetensors")
                if "may be missing" not in row:
                    self.assert_ended(export, BAD_FILE, f"key '{key.split('.')[-1]}' is missing")
                    continue
                self.assert_done(export)
                meant = re.search("may be missing: `?([a-z0-9.-]+)", row)
                if meant and not key.endswith("_names"):
                    found = leaves(configuration(self.folder / "again.safetensors"))[key]
                    self.assertEqual(found, type(found)(meant[1]))
        self.assertGreater(sum("may be missing" in row for row in rows.values()), 15)

    def without(self, model, name, keys):
        header, content = parts(model)
        document = json.loads(header["__metadata__"]["config"])
        for key in keys:
            *tables, last = key.split(".")
            del (document[tables[0]] if tables else document)[last]
        header["__metadata__"]["config"] = json.dumps(document, sort_keys=True)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        self.write(name, struct.pack("<Q", len(text)) + text + content)

    def test_an_option_without_effect(self):
        """Older versions took a sigma beside Bernoulli: such a run goes on and is shown; as a new run's file it is refused."""
        run = shutil.copytree(KEPT / "bernoulli", self.folder / "run")
        lines = (run / "config.toml").read_text().replace("sigma = 0.3", "sigma = 0.1")
        (run / "config.toml").write_text(lines)
        self.assertIn("sigma = 0.1", lines)
        place = 1 + lines.splitlines().index("sigma = 0.1")
        self.assert_ended(self.train("--config", run / "config.toml", "--data", "table.csv", "--out", "anew"), USAGE,
                          f"config.toml:{place}: model.sigma: --sigma 0.1 needs a likelihood with a deviation")
        self.assert_done(self.tool("report", "run"))
        self.assert_done(self.train("--resume", "run", "--data", "table.csv", "--epochs", 8, "--no-report", "--quiet"))

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
