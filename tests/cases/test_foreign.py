"""Files of other formats: read where that is safe, else named for what they are, with the remedy."""

import gzip
import io
import zipfile

from support import BAD_FILE, SENSOR_NAMES, SMALL, Case, main, npy, sensor_rows

FEW = ["--preset", "anomaly", "--hidden", "8", "--latent-dim", "3", "--steps", "1", "--device", "cpu"]


def archive(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return content.getvalue()


class Foreign(Case):
    def read(self, name):
        return self.train("--data", name, *FEW, "--out", "run", "--overwrite")

    def refuse(self, name, content, *parts):
        self.write(name, content)
        refused = self.read(name)
        self.assert_ended(refused, BAD_FILE, *parts)
        self.assert_silent_about(refused, "--label-column", "unpack")

    def test_text_of_other_formats_is_named(self):
        self.refuse("data.arff", "@RELATION iono\n@ATTRIBUTE a NUMERIC\n@DATA\n1.5\n", "ARFF")
        self.refuse("x.html", "<!DOCTYPE html>\n<html><title>404</title></html>\n", "HTML")
        self.refuse("lfs.npy", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull")
        self.refuse("x.json", '[{"a": 1.5}]\n', "JSON")
        self.refuse("log.csv", "# exported by a logger\n# units: K\na,b\n1,2\n", "comment", "# exported by a logger")

    def test_a_column_may_be_called_as_an_element(self):
        for names in (["<script>", "<b>"], ["<xml>"], ["<html>", "<?xml"]):
            self.table("t.csv", [[i * 0.5 + c for c in range(len(names))] for i in range(20)], names)
            self.assert_done(self.train("--data", "t.csv", "--likelihood", "gaussian", *SMALL, "--epochs", "1", "--out", "t",
                                        "--overwrite"), f"20 rows × {len(names)} column")
        self.refuse("x.xml", "<table>\n<row a='1'/>\n</table>\n", "XML")

    def test_binaries_of_other_programs_are_named(self):
        rest = bytes(200)
        for name, start, what in (
                ("p5.pkl", b"\x80\x05\x95\xf7\x3e", "pickle"), ("x.bz2", b"BZh91AY&SY", "bzip2"),
                ("x.feather", b"FEA1", "Feather"), ("x.sqlite", b"SQLite format 3\0", "SQLite"),
                ("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"), ("x.parquet", b"PAR1", "Parquet"),
                ("x.xz", b"\xfd7zXZ\0", "xz"), ("x.zst", b"\x28\xb5\x2f\xfd", "zstd")):
            self.refuse(name, start + rest, what)
        self.refuse("x.rds", gzip.compress(b"X\n\0\0\0\3" + rest), "R object")
        self.refuse("utf16.csv", "a,b\n1,2\n3,4\n".encode("utf-16-le"), "UTF-16")

    def test_archives_are_named_by_what_they_hold(self):
        array = npy("<f4", (2, 2), bytes(16))
        self.refuse("x.npz", archive({"train.npy": array, "labels.npy": array}), '"train.npy"', '"labels.npy"',
                    "numpy.save")
        self.refuse("s.npz", archive({name: array for name in ("indices.npy", "indptr.npy", "data.npy")}), "sparse matrix of SciPy")
        self.refuse("x.xlsx", archive({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}), "Excel workbook")
        self.refuse("x.ods", archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "OpenDocument")
        self.refuse("x.pt", archive({"m/data.pkl": b"x"}), "PyTorch")

    def test_blanks_pipes_sep_lines_and_carriage_returns_are_read(self):
        rows = sensor_rows(20)
        plain = [" ".join(f"{value:.18e}" for value in row) for row in rows]  # as numpy.savetxt
        self.write("savetxt.txt", "\n".join(plain) + "\n")
        self.write("named.txt", "# " + " ".join(SENSOR_NAMES) + "\n" + "\n".join(plain) + "\n")
        self.table("bars.csv", rows, header=SENSOR_NAMES, separator="|")
        self.table("old_mac.csv", rows, header=SENSOR_NAMES, end="\r")
        text = ";".join(SENSOR_NAMES) + "\n" + "".join(";".join(map(str, row)) + "\n" for row in rows)
        self.write("excel.csv", "sep=;\n" + text)
        for name in "savetxt.txt", "named.txt", "bars.csv", "old_mac.csv", "excel.csv":
            header = "no header" if name == "savetxt.txt" else "text, header"
            self.assert_done(self.read(name), f"{name}: 20 rows × 5 columns", header)

    def test_two_header_lines_are_named(self):
        self.write("plant.csv", "P1,P2\nFIT101,LIT101\n1.5,2.5\n3.5,4.5\n")
        self.assert_ended(self.read("plant.csv"), BAD_FILE, "line 2 is text alone", "FIT101,LIT101")


if __name__ == "__main__":
    main()
