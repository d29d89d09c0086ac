"""Python gives what the programs give for the same table: columns that are not read, truth values, seeds."""

import os
import sys
import warnings

import support

try:
    import numpy
    sys.path.insert(0, str(support.SOURCE / "tools" / "python"))
    import vaecuda
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TABLE = dict(device="cpu", threads=1, hidden=[8], latent_dim=2, epochs=2, likelihood="gaussian", standardize=True)


def sensors():
    return numpy.array(support.sensor_rows(), "f4")


class PythonAndPrograms(support.Case):
    def refuses(self, error, part, call, *arguments, **options):
        with self.subTest(part=part), self.assertRaises(error) as caught:
            call(*arguments, **options)
        self.assertIn(part, str(caught.exception))
        self.assertIsInstance(caught.exception, vaecuda.Error)

    def test_model_by_its_path(self):
        """A model's class takes no path, as classes elsewhere do, and says what does."""
        x = sensors()
        vaecuda.train(x, **TABLE).model.save(self.folder / "m.safetensors")
        for path in (self.folder / "m.safetensors", str(self.folder / "m.safetensors"), None, 3, x):
            self.refuses(vaecuda.RequestError, "a model is read by Vae.load(", vaecuda.Vae, path)

    def test_columns_that_are_not_read(self):
        """Columns that a model, or a run's rows, have not may hold anything, as in a file."""
        x = sensors()
        names = support.SENSOR_NAMES
        table = numpy.rec.fromarrays(list(x.T), names=names)
        model = vaecuda.train(table, **TABLE).model
        wanted = model.encode(table)
        path = self.folder / "m.safetensors"
        model.save(path)
        for extra in (numpy.array(["hi"] * len(x)), numpy.full(len(x), numpy.nan), numpy.full(len(x), "2020-01-01", "M8[D]"),
                      numpy.full(len(x), None)):
            other = numpy.rec.fromarrays([extra, *x.T[::-1]], names=["z", *names[::-1]])
            with self.assertWarnsRegex(vaecuda.VaecudaWarning, "memory: .*left out, .* no such column: \"z\""):
                warnings.simplefilter("always", vaecuda.VaecudaWarning)
                numpy.testing.assert_array_equal(vaecuda.Vae.load(path, "cpu", 1).encode(other), wanted)
            figures = model.evaluate(other)
            self.assertEqual(figures["negative_elbo"], model.evaluate(table)["negative_elbo"])
            self.assertGreater(vaecuda.train(table, test=other, **TABLE).summary["test_loss"], 0)
        self.table("more.csv", [[*row[::-1], "hi"] for row in x.tolist()], [*names[::-1], "z"])
        figures = model.evaluate(self.folder / "more.csv")
        self.assertEqual(figures["negative_elbo"], model.evaluate(table)["negative_elbo"])
        loss = vaecuda.train(table, test=table, **TABLE).summary["test_loss"]
        self.assertEqual(vaecuda.train(table, test=self.folder / "more.csv", **TABLE).summary["test_loss"], loss)
        lacking = numpy.rec.fromarrays([numpy.array(["hi"] * len(x)), *x.T[1:]], names=["z", *names[1:]])
        self.refuses(vaecuda.FileError, f'1 column of the model is missing: "{names[0]}"', model.encode, lacking)

    def test_columns_that_a_run_begins_without(self):
        """A run that begins with a model takes the columns of that, as the program does; a missing one is named first."""
        x = sensors()
        names = support.SENSOR_NAMES
        table = numpy.rec.fromarrays(list(x.T), names=names)
        vaecuda.train(table, out=self.folder / "first", report=False, **TABLE)
        start = dict(TABLE, init_from=str(self.folder / "first/model.safetensors"), report=False)
        wanted = vaecuda.train(table, **start).model.encode(x)
        longer = dict(out=self.folder / "two", **start)
        vaecuda.train(table, **longer)
        config = self.write("start.toml", f"[train]\ninit_from = '{start['init_from']}'\n")
        for i, extra in enumerate((numpy.array(["hi"] * len(x)), numpy.full(len(x), "2020-01-01", "M8[D]"))):
            other = numpy.rec.fromarrays([extra, *x.T[::-1]], names=["z", *names[::-1]])
            said = []
            run = vaecuda.train(other, test=other[:50], out=self.folder / f"more{i}", message=said.append, **start)
            self.assertIn("left out, since the model of --init-from", "\n".join(said))
            numpy.testing.assert_array_equal(run.model.encode(x), wanted)
            vaecuda.train(other, test=other[:50], resume=run.folder, epochs=3)
            numpy.testing.assert_array_equal(vaecuda.train(other, config=config, **TABLE).model.encode(x), wanted)
            self.table("z.csv", [[*row, "hi"] for row in x.tolist()], [*names, "z"])
            beside = vaecuda.train(self.folder / "z.csv", test=table[:50], **start)
            numpy.testing.assert_array_equal(beside.model.encode(x), wanted)
            lacking = other[["z", *names[1:]]]
            for call in (dict(start), dict(resume=self.folder / "two", epochs=3)):
                self.refuses(vaecuda.FileError, f'is missing: "{names[0]}"', vaecuda.train, lacking, **call)
        labelled = numpy.rec.fromarrays(list(x.T), names=[*names[:-1], "target"])
        vaecuda.train(labelled, label_column="none", out=self.folder / "target", report=False, **TABLE)
        again = vaecuda.train(labelled, **dict(start, init_from=self.folder / "target/model.safetensors"))
        self.assertEqual(again.model.info["columns"], [*names[:-1], "target"])
        self.refuses(vaecuda.FileError, "nothere.safetensors", vaecuda.train, table, **dict(start, init_from="nothere.safetensors"))

    def test_names_that_no_model_can_keep(self):
        x = sensors()
        zero = numpy.rec.fromarrays(list(x.T), names=["a\0b", *support.SENSOR_NAMES[1:]])
        self.refuses(vaecuda.RequestError, "the character of code 0", vaecuda.train, zero, **TABLE)
        self.refuses(vaecuda.RequestError, "the character of code 0", vaecuda.train, x, labels=["p", "q\0r"] * 100, conditional=True,
                     **TABLE)
        self.refuses(vaecuda.RequestError, "is no UTF-8", vaecuda.train, x, labels=["n\udce9", "n\udce0"] * 100,
                     conditional=True, **TABLE)
        latin = numpy.rec.fromarrays(list(x.T), names=["caf\udce9", *support.SENSOR_NAMES[1:]])
        self.refuses(vaecuda.RequestError, "is no UTF-8", vaecuda.train, latin, **TABLE)

    def test_save_onto_a_run(self):
        """A model is not written onto a file that a run has."""
        run = vaecuda.train(sensors(), out=self.folder / "kept", **TABLE)
        for name in ("state.safetensors", "last.safetensors", "model.safetensors", "config.toml", "metrics.jsonl", "samples.png"):
            before = (self.folder / "kept" / name).read_bytes()
            self.refuses(vaecuda.RequestError, "the run would lose it", run.model.save, self.folder / "kept" / name)
            self.assertEqual((self.folder / "kept" / name).read_bytes(), before)
        run.model.save(self.folder / "kept" / "mine.safetensors")

    def test_label_columns_that_are_not_read(self):
        """The same of a table of label vectors: a frame, or a file beside a frame or beside a file."""
        x = sensors()
        told = {"p": x[:, 0] * 2, "q": x[:, 1] - 3}
        table = numpy.rec.fromarrays(list(told.values()), names="p,q")
        other = numpy.rec.fromarrays([numpy.array(["hi"] * len(x)), told["q"], told["p"]], names="z,q,p")
        rows = self.table("x.csv", x.tolist(), support.SENSOR_NAMES)
        named = self.table("n.csv", [["joe", *row] for row in x.tolist()], ["name", *support.SENSOR_NAMES])
        plain = self.table("v.csv", table.tolist(), ["p", "q"])
        further = self.table("z.csv", other.tolist(), ["z", "q", "p"])
        model = vaecuda.train(x, labels=table, conditional=True, **TABLE).model
        wanted = model.score(x, labels=table)
        for labels in (other, plain, further):
            numpy.testing.assert_array_equal(model.score(x, labels=labels), wanted)
        figures = model.evaluate(rows, table)
        for data, labels in ((rows, other), (rows, plain), (rows, further), (x, other)):
            self.assertEqual(model.evaluate(data, labels)["negative_elbo"], figures["negative_elbo"])
        by_name = vaecuda.train(numpy.rec.fromarrays(list(x.T), names=support.SENSOR_NAMES), **TABLE).model
        self.assertEqual(by_name.evaluate(named)["negative_elbo"], by_name.evaluate(rows)["negative_elbo"])
        model.save(self.folder / "m.safetensors")
        again = [vaecuda.train(x, labels=labels, conditional=True, init_from=self.folder / "m.safetensors", **TABLE).model.score(
            x, labels=table) for labels in (table, other, further)]
        numpy.testing.assert_array_equal(again[0], again[1])
        numpy.testing.assert_array_equal(again[0], again[2])
        both = [vaecuda.train(x, labels=table, test=x, test_labels=labels, conditional=True, **TABLE).summary["test_loss"]
                for labels in (table, other)]
        self.assertEqual(*both)
        self.refuses(vaecuda.FileError, '1 column of the label table of the model is missing: "p"', model.score, x,
                     labels=numpy.rec.fromarrays([other["z"], other["q"]], names="z,q"))

    def test_measurements_as_labels(self):
        """As the program refuses them in a file, and with numbers beside zeros as vectors."""
        x = sensors()
        self.refuses(vaecuda.FileError, "is not an integer; a class is a whole number or a text", vaecuda.train, x, labels=x[:, 0],
                     conditional=True, **TABLE)
        self.refuses(vaecuda.FileError, "they seem to be measurements", vaecuda.train, x, labels=[str(value) for value in x[:, 0]],
                     conditional=True, **TABLE)
        with self.assertWarnsRegex(vaecuda.VaecudaWarning, "200 classes for 200 training rows"):
            warnings.simplefilter("always", vaecuda.VaecudaWarning)
            vaecuda.train(x, labels=numpy.arange(len(x)), conditional=True, **TABLE)
        vaecuda.train(x, labels=numpy.column_stack([x[:, 0], 0 * x[:, 0]]), conditional=True, **TABLE)

    def test_values_that_fall_together(self):
        """What a 32-bit float leaves of a column far from 0 is warned of, in an array and in a table."""
        far = numpy.column_stack([sensors()[:60], 1.7e9 + numpy.arange(60)]).astype("f8")
        table = numpy.rec.fromarrays(list(far.T), names=[*"abcde", "t"])
        for rows, column in ((far, "column 5"), (numpy.asfortranarray(far), "column 5"), (far.astype(">f8"), "column 5"),
                             (table, 'column "t"')):
            with self.assertWarnsRegex(vaecuda.VaecudaWarning, f"{column}: 60 different values .* are 1 as 32-bit floats"):
                warnings.simplefilter("always", vaecuda.VaecudaWarning)
                vaecuda.train(rows, **TABLE)
        path = self.folder / "v.npy"
        numpy.save(path, far)
        for labels in (far, table, path):
            with self.assertWarnsRegex(vaecuda.VaecudaWarning, "column 5.*: 60 different values .* are 1 as 32-bit floats"):
                warnings.simplefilter("always", vaecuda.VaecudaWarning)
                vaecuda.train(sensors()[:60], labels=labels, conditional=True, **TABLE)

    def test_folder_that_a_configuration_names(self):
        """The run goes where the configuration says, as the program's does."""
        x = sensors()
        kept = self.folder / "keep"
        config = self.write("c.toml", f"[output]\ndir = '{kept}'\n")
        run = vaecuda.train(x, config=config, **TABLE)
        self.assertEqual(run.folder, str(kept))
        self.assertTrue((kept / "report.html").exists())
        numpy.testing.assert_array_equal(vaecuda.Vae.load(kept / "model.safetensors", "cpu", 1).encode(x), run.model.encode(x))
        self.refuses(vaecuda.RequestError, "already holds a run", vaecuda.train, x, config=config, **TABLE)
        other = vaecuda.train(x, config=config, out=self.folder / "other", **TABLE)
        self.assertEqual(other.folder, str(self.folder / "other"))
        self.assertIsNone(vaecuda.train(x, config=self.write("bare.toml", "[train]\nseed = 5\n"), **TABLE).folder)

    def test_truth_values_as_labels(self):
        """Labels that are truth values are the classes that pandas writes into a file."""
        x = sensors()
        kind = [False, True] * 100
        model = vaecuda.train(x, labels=kind, conditional=True, **TABLE).model
        wanted = model.score(x, labels=["False", "True"] * 100)
        for labels in (kind, numpy.array(kind), numpy.array(kind, object), self.write("y.csv", "False\nTrue\n" * 100)):
            numpy.testing.assert_array_equal(model.score(x, labels=labels), wanted)
        table = numpy.rec.fromarrays([*x.T, numpy.array(kind)], names=[*"abcde", "label"])
        by_column = vaecuda.train(table, conditional=True, **TABLE).model
        numpy.testing.assert_array_equal(by_column.score(x, labels=kind), by_column.score(table))
        far = x + 50 * numpy.array(kind)[:, None]
        plain = vaecuda.train(x, **TABLE).model
        for label in (None, True, numpy.bool_(True), "True"):
            self.assertEqual(plain.evaluate(far, kind, anomaly_label=label)["roc_auc"], 1.0)
        half = vaecuda.train(x[1::2], **TABLE).summary
        self.assertEqual(vaecuda.train(x, labels=kind, normal_label=True, **TABLE).summary["train_loss"], half["train_loss"])
        gaps = numpy.array([None, *kind[1:]], object)
        self.refuses(vaecuda.FileError, "labels: row 0 (counted from 0): the label is missing", vaecuda.train, x, labels=gaps,
                     **TABLE)

    def test_seed_of_a_sample(self):
        """Without a seed a sample has the model's own, as the program draws."""
        x = sensors()
        model = vaecuda.train(x, seed=9, **TABLE).model
        numpy.testing.assert_array_equal(model.sample(4), model.sample(4, seed=9))
        numpy.testing.assert_array_equal(model.sample_latents(4), model.sample_latents(4, seed=9))
        model.save(self.folder / "m.safetensors")
        self.assert_done(self.tool("generate", "m.safetensors", "-n", 4, "--out", "s.npy"))
        numpy.testing.assert_array_equal(model.sample(4), numpy.load(self.folder / "s.npy"))


if __name__ == "__main__":
    if not os.environ.get("VAECUDA_LIBRARY"):
        print("skipped: VAECUDA_LIBRARY names no library")
        sys.exit(77)
    support.main()
