"""First lines, index columns, label columns: what a table is taken for is said, and never costs a row in silence."""

import json

from support import BAD_FILE, SENSOR_NAMES, Case, main, sensor_rows

FEW = ["--preset", "anomaly", "--hidden", "8", "--latent-dim", "3", "--steps", "2", "--device", "cpu"]


class Tables(Case):
    def read(self, name, *words):
        """Trains two steps on the table."""
        return self.train("--data", name, *FEW, "--out", f"{name}-{len(words)}", "--overwrite", *words)

    def rows_of(self, name, *words):
        """Rows and columns that the line of what was read names."""
        result = self.read(name, *words)
        self.assert_done(result)
        line = next(line for line in result.err.splitlines() if line.startswith(f"{name}: "))
        rows, _, _, columns = line[len(name) + 2:].split()[:4]
        return int(rows), int(columns)


class FirstLine(Tables):
    def test_a_typo_or_a_gap_in_the_first_row_is_reported(self):
        rows = sensor_rows(20)
        self.table("typo.csv", [[1.5, "2.5x", 2.5, 3.5, 4.5], *rows])
        self.assert_ended(self.read("typo.csv"), BAD_FILE, "line 1 mixes numbers and text", "1.5,2.5x,2.5,3.5,4.5",
                          "--header no")
        self.assert_ended(self.read("typo.csv", "--header", "no"), BAD_FILE, "line 1, column 1", '"2.5x"')
        self.assertEqual(self.rows_of("typo.csv", "--header", "yes"), (20, 5))
        for gap in "-", "<NA>", "NA":
            self.table("gap.csv", [[1.5, gap, 2.5, 3.5, 4.5], *rows])
            self.assert_ended(self.read("gap.csv"), BAD_FILE, "line 1, column 1", "missing value")

    def test_a_table_with_text_labels_and_no_header_keeps_its_first_row(self):
        self.table("iris.data", [[*row[:3], kind] for row, kind in zip(sensor_rows(30), ["setosa", "virginica"] * 15)])
        refused = self.read("iris.data")
        self.assert_ended(refused, BAD_FILE, "column 3 (counted from 0)", "--label-column 3")
        self.assert_silent_about(refused, "--label-column setosa")
        self.assertEqual(self.rows_of("iris.data", "--label-column", "3"), (30, 3))

    def test_numbers_as_names_are_a_header_and_said(self):
        self.table("numbers.csv", sensor_rows(20), header=range(5))
        read = self.read("numbers.csv")
        self.assert_done(read, "20 rows × 5 columns", "line 1 is taken for the header", "0,1,2,3,4")
        self.assertEqual(self.rows_of("numbers.csv", "--header", "no"), (21, 5))

    def test_the_name_of_an_only_column(self):
        """pandas calls a column without a name 0: above decimals it is the header, else a row, and never in silence."""
        values = [[row[0]] for row in sensor_rows(20)]
        self.table("one.csv", values, header=["0"])
        self.assert_done(self.read("one.csv"), "20 rows × 1 column, text, header", "line 1 is taken for the header", "--header no")
        self.assertEqual(self.rows_of("one.csv", "--header", "no"), (21, 1))
        for name in "", "Unnamed: 0":
            self.table("index.csv", [[i, *row] for i, row in enumerate(values)], header=[name, "0"])
            self.assert_done(self.read("index.csv"), "20 rows × 1 column, text, header", f'"{name},0"',
                             "as pandas writes the index of the rows")
        for names in ["0", "label"], ["", "0", "label"]:
            self.table("label.csv", [[*range(i, i + len(names) - 2), *row, i % 3] for i, row in enumerate(values)], header=names)
            self.assert_done(self.read("label.csv"), "20 rows × 1 column, text, header", 'labels in column "label" (3 classes)')
        self.table("two.csv", [row[:2] for row in sensor_rows(20)], header=["0", "1"])
        self.assert_done(self.read("two.csv"), "20 rows × 2 columns, text, header", "line 1 is taken for the header")
        for name, rows in (("whole.csv", [[i % 3] for i in range(20)]), ("round.csv", [[0], [1], *values]),
                           ("pairs.csv", [[0, 1], *([i % 3, i % 2] for i in range(20))])):
            self.table(name, rows)
            self.assert_done(self.read(name), f"{len(rows)} rows × ", "text, no header", "line 1 is taken for a row", "--header yes")
        self.table("rows.csv", values)
        read = self.read("rows.csv")
        self.assert_done(read, "20 rows × 1 column, text, no header")
        self.assert_silent_about(read, "is taken for")

    def test_what_was_read_is_said_by_every_command(self):
        self.table("named.csv", sensor_rows(20), header=SENSOR_NAMES)
        said = "named.csv: 20 rows × 5 columns, text, header, no label column, no missing values, standardized"
        self.assert_done(self.read("named.csv"), said)
        quiet = self.train("--data", "named.csv", *FEW, "--out", "quiet", "--quiet", "--json")
        self.assert_done(quiet)
        self.assertEqual(quiet.err, "")
        json.loads(quiet.out)
        model = "quiet/model.safetensors"
        said = "named.csv: 5 columns, text, header, no label column"
        for command in (["encode", model, "--out", "z.npy"], ["reconstruct", model, "--out", "x.csv"],
                        ["score", model, "--out", "s.csv"], ["evaluate", model, "--samples", "0"],
                        ["neighbors", model, "--row", "0", "--count", "2", "--out", "n.csv"]):
            result = self.tool(*command, "--data", "named.csv", "--json")
            self.assert_done(result)
            self.assertIn(said, result.err, str(result))
            json.loads(result.out)
            silent = self.tool(*command, "--data", "named.csv", "--json", "--quiet")
            self.assertEqual(silent.err, "", str(silent))


class IndexColumn(Tables):
    def test_pandas_index_is_left_out_with_a_warning(self):
        for start in 0, 1000:
            self.table("index.csv", [[start + i, *row] for i, row in enumerate(sensor_rows(20))],
                       header=["", *SENSOR_NAMES])
            read = self.read("index.csv")
            self.assert_done(read, "20 rows × 5 columns", "column 0 has no name", "index=False")
        # The model knows the values alone, so the same rows under another index score alike.
        self.read("index.csv", "--quiet")
        model = "index.csv-1/model.safetensors"
        self.table("other.csv", [[7 - i, *row] for i, row in enumerate(sensor_rows(20))], header=["", *SENSOR_NAMES])
        for name in "index", "other":
            self.assert_done(self.tool("score", model, "--data", f"{name}.csv", "--out", f"{name}-s.csv"))
        self.assertEqual((self.folder / "index-s.csv").read_bytes(), (self.folder / "other-s.csv").read_bytes())

    def test_a_named_column_that_counts_the_rows_is_warned_about(self):
        self.table("id.csv", [[i, *row] for i, row in enumerate(sensor_rows(20))], header=["id", *SENSOR_NAMES])
        self.assert_done(self.read("id.csv"), "20 rows × 6 columns", 'column "id" counts the rows')


class LabelColumn(Tables):
    def test_a_column_named_label_is_taken_wherever_it_stands(self):
        rows = sensor_rows(20)
        for place in 0, 2, 5:
            names = [*SENSOR_NAMES[:place], "label", *SENSOR_NAMES[place:]]
            self.table("label.csv", [[*row[:place], i % 2, *row[place:]] for i, row in enumerate(rows)], header=names)
            self.assert_done(self.read("label.csv"), '20 rows × 5 columns', 'labels in column "label" (2 classes)')

    def test_pixels_with_a_label_before_them_do_not_train_on_it(self):
        pixels = [[i % 10, *[(i * 37 + j * 11) % 256 for j in range(16)]] for i in range(60)]
        self.table("kaggle.csv", pixels, header=["label", *[f"pixel{j}" for j in range(16)]])
        refused = self.train("--data", "kaggle.csv", "--hidden", "8", "--latent-dim", "2", "--steps", "2",
                             "--device", "cpu", "--out", "r")
        self.assert_ended(refused, BAD_FILE, "pixel")
        self.assert_silent_about(refused, "column 'label'")
        self.assert_done(self.train("--data", "kaggle.csv", "--scale", "unit", "--hidden", "8", "--latent-dim", "2",
                                    "--steps", "2", "--device", "cpu", "--out", "r"),
                         "60 rows × 16 columns", 'labels in column "label" (10 classes)')

    def test_other_names_of_labels_are_named_with_both_options(self):
        for name in "outlier", "is_anomaly", "y", "attack", "ground_truth":
            self.table("l.csv", [[*row, int(i % 9 == 0)] for i, row in enumerate(sensor_rows(20))],
                       header=[*SENSOR_NAMES, name])
            self.assert_done(self.read("l.csv"), "20 rows × 6 columns", f'column "{name}" may hold labels',
                             f"--label-column {name}", "--label-column none")
            kept = self.read("l.csv", "--label-column", "none")
            self.assert_done(kept, "20 rows × 6 columns")
            self.assert_silent_about(kept, "may hold labels")
            self.assertEqual(self.rows_of("l.csv", "--label-column", name), (20, 5))


class RoundTrip(Tables):
    def test_what_is_written_is_read_as_it_was(self):
        names = {"numbers.csv": ["0", "1", "2", "3", "4"], "separators.csv": ['"a;1"', '"b\tc"', '"d|e"', '"f, g"', "h"],
                 "quotes.csv": ['"say ""a"""', '"two\nlines"', '" b "', '"#c"', "d"]}
        for name, header in names.items():
            self.table(name, [[*row, i % 2] for i, row in enumerate(sensor_rows(30))], header=[*header, "label"])
            self.assert_done(self.read(name, "--quiet"))
            model = f"{name}-1/model.safetensors"
            self.assert_done(self.tool("generate", model, "-n", "7", "--out", "new.csv"))
            scored = self.tool("score", model, "--data", "new.csv", "--json", "--out", "s.csv")
            self.assert_done(scored, "new.csv: 5 columns, text, header")
            self.assertEqual(json.loads(scored.out)["rows"], 7)
            written = (self.folder / "new.csv").read_text()
            self.assertTrue(written.startswith(",".join(header) + "\n"), written[:80])


class Report(Tables):
    def test_every_problem_is_told_in_one_report(self):
        rows = [[f"2024-01-{i + 1:02}", *row[:2], "" if i % 4 == 0 else row[2], "n/a" if i == 9 else row[3]]
                for i, row in enumerate(sensor_rows(20))]
        self.table("all.csv", rows, header=["date", "a", "b", "c", "d"])
        refused = self.read("all.csv")
        self.assert_ended(refused, BAD_FILE, "3 kinds of problems in 20 rows",
                          'column "date": 20 cells are not numbers, the first "2024-01-01" at line 2',
                          'column "c": 5 empty cells, the first at line 2',
                          'column "d": 1 cell stands for a missing value, the first "n/a" at line 11')
        self.assert_silent_about(refused, "--label-column")

    def test_trailing_separators_are_no_column(self):
        for header in [*SENSOR_NAMES, ""], SENSOR_NAMES, None:
            self.table("trailing.csv", [[*row, ""] for row in sensor_rows(20)], header=header)
            self.assert_done(self.read("trailing.csv"), "20 rows × 5 columns", "every line ends in a separator")

    def test_blanks_inside_quotes_do_not_count(self):
        rows = sensor_rows(20)
        self.table("plain.csv", rows, SENSOR_NAMES)
        self.table("quoted.csv", [[f'" {value} "' for value in row] for row in rows], SENSOR_NAMES)
        self.assert_done(self.read("plain.csv"))
        self.assert_done(self.read("quoted.csv"), "20 rows × 5 columns, text, header")
        models = [(self.folder / f"{name}-0" / "model.safetensors").read_bytes() for name in ("plain.csv", "quoted.csv")]
        self.assertEqual(models[0], models[1])
        self.table("gap.csv", [["1", '"  "'], ["2", "3"]] * 10, ["a", "b"])
        self.assert_ended(self.read("gap.csv"), BAD_FILE, 'column "b": 10 cells stand for missing values')

    def test_decimal_commas_of_any_length(self):
        for cell in ("1,5", "-0,06401811044731388", "1,5e-05", "123456789,123456789", "1.234.567,5"):
            self.table("comma.csv", [[cell, 1]] * 20, header=["a", "b"], separator=";")
            self.assert_ended(self.read("comma.csv"), BAD_FILE, 'column "a": 20 cells are not numbers', "not a comma")

    def test_rows_with_names_between_blanks(self):
        """R's write.table: a header that is one cell shorter, or of quoted names, with blanks between."""
        rows = [f'"{i + 1}" ' + " ".join(map(str, row)) for i, row in enumerate(sensor_rows(20))]
        names = " ".join(f'"{name}"' for name in SENSOR_NAMES)
        for name, lines in (("r.txt", [names, *rows]), ("bare.txt", [line.replace('"', "") for line in [names, *rows]]),
                            ("named.txt", [names, *(line.split(" ", 1)[1] for line in rows)])):
            self.write(name, "\n".join(lines) + "\n")
            self.assert_ended(self.read(name), BAD_FILE, f"{name}: ", "write.csv(…, row.names=FALSE)")

    def test_labels_are_advised_for_the_only_column_of_text(self):
        self.table("kinds.csv", [[*row, "ok" if i % 3 else "bad"] for i, row in enumerate(sensor_rows(30))],
                   header=[*SENSOR_NAMES, "my state"])
        self.assert_ended(self.read("kinds.csv"), BAD_FILE, "--label-column 'my state'")
        self.table("ids.csv", [[f"u{i}", *row] for i, row in enumerate(sensor_rows(30))], header=["id", *SENSOR_NAMES])
        refused = self.read("ids.csv")
        self.assert_ended(refused, BAD_FILE, "leave the column out")
        self.assert_silent_about(refused, "--label-column")


if __name__ == "__main__":
    main()
