"""What comes in by every door: names with control characters, descriptors that are closed, names in tables that are
written and read again."""

import json

import struct

from support import BAD_FILE, RUNTIME, SENSOR_NAMES, USAGE, SMALL, Case, main, sensor_rows

# What a terminal would obey, or what ends a line or a text before its time.
HOSTILE = ["\x1b]0;title\x07", "\x1b[31mred", "a\rb", "bell\x07", "back\x08\x08", "del\x7f", "c1\x9b31m", "\x85next",
           "rtl\u202egnp.exe", "isolate\u2066x", "arabic\u061cmark", "line\u2028separator", "mark\ufeff", "tag\U000e0041",
           "tab\there", "line\nerror: planted", "line\n  warning: planted"]


def is_obeyed(letter):
    code = ord(letter)
    return (code < 32 and letter not in "\n\t" or 127 <= code < 160 or code in (0x61c, 0x200e, 0x200f, 0xfeff)
            or 0x2028 <= code <= 0x202e or 0x2066 <= code <= 0x206f or 0xe0000 <= code <= 0xe007f)


def model_with(path, column_names=None, condition_names=None):
    """Renames what a model file names."""
    content = path.read_bytes()
    size, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + size])
    config = json.loads(header["__metadata__"]["config"])
    config["column_names"] = column_names or config["column_names"]
    config["condition_names"] = condition_names or config["condition_names"]
    header["__metadata__"]["config"] = json.dumps(config)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + size:]


def quoted(cell):
    return '"' + str(cell).replace('"', '""') + '"'


class Printing(Case):
    """Nothing that a file, a name or an argument says is obeyed by the terminal."""

    def check(self, result):
        for stream in (result.out, result.err):
            found = sorted({f"U+{ord(letter):04X}" for letter in stream if is_obeyed(letter)})
            self.assertEqual(found, [], str(result).encode("ascii", "backslashreplace").decode())
            for line in stream.splitlines():
                self.assertFalse(line.startswith(("error: planted", "warning: planted")), str(result))
        return result

    def test_names_of_a_model(self):
        rows = [row + ["ab"[i % 2]] for i, row in enumerate(sensor_rows(60))]
        self.table("t.csv", rows, SENSOR_NAMES + ["label"])
        self.assert_done(self.train("--data", "t.csv", "--out", "run", "--epochs", 1, "--standardize", "--likelihood", "gaussian",
                              "--conditional", "--valid-fraction", 0.2, *SMALL))
        model = self.folder / "run" / "model.safetensors"
        self.table("good.csv", [row[:-1] for row in rows], SENSOR_NAMES)
        for first in range(0, len(HOSTILE), 5):
            names = [name + str(i) for i, name in enumerate((HOSTILE[first:] + HOSTILE)[:5])]
            self.write("m.safetensors", model_with(model, names, [names[0] + "a", names[1] + "b"]))
            self.check(self.tool("info", "m.safetensors"))
            document = json.loads(self.check(self.tool("info", "m.safetensors", "--json")).out)
            self.assertEqual(document["column_names"], names)
            self.check(self.tool("generate", "m.safetensors", "--out", "x.csv"))
            self.check(self.tool("generate", "m.safetensors", "--label", names[2], "--out", "x.csv"))
            for command in ("score", "evaluate", "reconstruct", "encode"):
                out = ["--out", "o.csv"] if command in ("reconstruct", "encode") else []
                for data in ("t.csv", "good.csv", "x.csv"):
                    self.check(self.tool(command, "m.safetensors", "--data", data, *out))

    def test_names_of_a_table(self):
        for name in HOSTILE:
            with self.subTest(name=name.encode("unicode_escape")):
                # A file that begins with control characters is taken for no text; a long name goes before them.
                header = ["a" * 500, name, "b", "label"]
                rows = [[i % 7, i % 5, i % 3, quoted(name + str(i % 2))] for i in range(40)]
                lines = [",".join(map(quoted, header))] + [",".join(map(str, row)) for row in rows]
                self.write("t.csv", "\n".join(lines) + "\n")
                words = ["--data", "t.csv", "--epochs", 1, "--no-report", "--likelihood", "gaussian", *SMALL]
                place = HOSTILE.index(name)
                ends = ["--out", f"r{place}"] if place % 6 == 0 else ["--explain"]
                self.assert_done(self.check(self.train(*words, "--standardize", *ends)))
                self.check(self.train(*words, "--normal-label", "zz", "--out", "r"))
                self.check(self.train(*words, "--label-column", "zz", "--out", "r"))
                self.assert_ended(self.check(self.train(*words, "--label-column", name, "--explain")), BAD_FILE, "not numbers")
                self.write("bad.csv", "\n".join(lines + ["1,x,2,3", '1,"' + name + '",2,3', "1"]) + "\n")
                self.check(self.train("--data", "bad.csv", "--out", "r", *SMALL))

    def test_arguments_and_paths(self):
        for name in HOSTILE:
            with self.subTest(name=name.encode("unicode_escape")):
                self.check(self.train("--data", name, "--out", "r", *SMALL))
                self.check(self.train("--" + name))
                self.check(self.train("--data", "shapes", "--likelihood", name))
                self.check(self.train("--config", name))
                self.check(self.train("--preset", name))
                self.check(self.train("--resume", name))
                self.check(self.tool(name))
                self.check(self.tool("info", name))
                self.check(self.tool("report", name))
                self.check(self.run_program("vae_cuda_bench", name))
                self.write("c.toml", "[model]\nlikelihood = " + json.dumps(name) + "\n[" + json.dumps(name) + "]\nx = 1\n")
                self.check(self.train("--config", "c.toml"))
                self.write(name.replace("/", "_"), "a,b\n1,2\n3\n")
                self.check(self.train("--data", name, "--out", "r", *SMALL))

    def test_bytes_that_are_no_text(self):
        for name in (b"\xff\xfe", b"\xc2", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x9b31m"):
            result = self.shell(f"$B/vae_cuda info $'{''.join(f'{chr(92)}x{byte:02x}' for byte in name)}'")
            self.assertEqual(result.code, BAD_FILE)
            self.assertNotIn("\ufffd", result.err)
            self.assertIn(f"\\x{name[0]:02x}", result.err)

    def test_a_folder_whose_name_is_no_text(self):
        self.table("t.csv", sensor_rows(40), SENSOR_NAMES)
        train = "$B/vae_cuda_train --likelihood gaussian --standardize --quiet --steps 2 --out r --data"
        enter = "mkdir -p $'d\\xff' && cp t.csv $'d\\xff' && cd $'d\\xff' && "
        for words in ("t.csv", "../t.csv --test t.csv", "../t.csv --valid t.csv"):
            result = self.shell(f"{enter}{train} {words}; code=$?; ls r; exit $code")
            self.assert_ended(result, USAGE, "no UTF-8 text", "d\\xff/t.csv", "rename the folder", "cannot access 'r'")
        # Nothing there keeps a path.
        self.assert_done(self.shell(f"{enter}{train.replace('--standardize', '')} shapes:16x16,n=50 && "
                                    "$B/vae_cuda_train --resume r --steps 4 --quiet"))

    def test_labels(self):
        rows = sensor_rows(60)
        for name in HOSTILE:
            with self.subTest(name=name.encode("unicode_escape")):
                self.table("t.csv", rows, SENSOR_NAMES)
                self.write("l.csv", "\n".join(quoted(name + str(i % 2)) for i in range(60)) + "\n")
                if name == HOSTILE[0]:
                    self.assert_done(self.train("--data", "t.csv", "--out", "run", "--epochs", 1, "--standardize",
                                                "--likelihood", "gaussian", *SMALL))
                common = ["run/model.safetensors", "--data", "t.csv", "--labels", "l.csv", "--samples", 1]
                self.check(self.tool("evaluate", *common))
                self.check(self.tool("evaluate", *common, "--anomaly-label", "zz"))
                self.check(self.tool("evaluate", *common, "--anomaly-label", name + "1"))
                self.check(self.tool("evaluate", *common, "--anomaly-label", name + "1", "--json"))


# Names of five columns that a reader of tables could take for something else.
NAMES = [["0", "1", "2", "3", "4"], ["1", "2", "3", "4", "5"], ["5", "4", "3", "2", "1"], ["2020", "2021", "2022", "2023", "2024"],
         ["7", "7.5", "-1", "1e5", "0.25"], ["1.5", "2.5", "3.5", "4.5", "5.5"], ["a", "1", "b", "2", "3"],
         ["nan", "inf", "null", "none", "?"], ["-", "--", "NA", "N/A", "NaT"], ["", "a", "b", "c", "d"],
         ["a", "", "b", "c", "d"], ["a", "b", "c", "d", ""], ["", "0", "1", "2", "3"], ["Unnamed: 0", "a", "b", "c", "d"],
         ["index", "id", "row", "x", "y"], ["a", "b", "c", "d", "label"], ["label", "class", "target", "y", "outlier"],
         ["z0", "z1", "z2", "z3", "z4"], ["a;1", "b,2", "c\t3", "d|4", "e:5"], ['"', '""', '"a"', 'a"b', "'"],
         ["a\nb", "a\r\nb", "a\rb", "\n", "\r"], [" a", "a ", " a ", " ", "  "], ["a b", "a  b", "\ta", "a\t", "\t"],
         ["#a", "# b", "%c", "@d", "//e"], ["<a", "<?xml version", "<html", "{", "["], ['{"a":1}', "[1,2]", "(dp0", "a", "b"],
         ["@relation x", "%%MatrixMarket matrix", "a", "b", "c"], ["sep=;", "a", "b", "c", "d"], ["sep=", ";", ",", "|", "a"],
         ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|x"], ["\ufeffa", "\ufeff", "b", "c", "d"], ["PK\x03\x04", "a", "b", "c", "d"],
         ["\x93NUMPY", "a", "b", "c", "d"], ["\x1f\x8b", "a", "b", "c", "d"], ["\x1b[31m", "\x07", "\x9b", "\u202e", "\x7f"],
         ["version https://git-lfs.github.com/spec/v1", "a", "b", "c", "d"], ["1:0.5", "2:1", "a", "b", "c"],
         ["x" * 100000, "a", "b", "c", "d"], ["a", "A", "a.", "\u00e4", "a\u0308"]]


class Tables(Case):
    """What was written is what is read: rows with names that a reader could take for something else."""

    def setUp(self):
        super().setUp()
        self.table("t.csv", sensor_rows(60), SENSOR_NAMES)
        self.assert_done(self.train("--data", "t.csv", "--standardize", "--likelihood", "gaussian", "--epochs", 1,
                                    "--no-report", "--out", "run", *SMALL))
        self.model = self.folder / "run" / "model.safetensors"

    def test_round_trip(self):
        self.assert_done(self.tool("generate", self.model, "-n", 7, "--out", "x.npy"))
        wanted = self.tool("score", self.model, "--data", "x.npy").out
        self.assertEqual(len(wanted.splitlines()), 8)
        for names in NAMES:
            with self.subTest(names=[name[:20] for name in names]):
                self.write("m.safetensors", model_with(self.model, names))
                self.assert_done(self.tool("generate", "m.safetensors", "-n", 7, "--out", "x.csv"))
                scored = self.tool("score", "m.safetensors", "--data", "x.csv")
                self.assert_done(scored)
                self.assertEqual(scored.out, wanted)
                self.assert_done(self.tool("reconstruct", "m.safetensors", "--data", "x.csv", "--out", "y.csv"))
                told = self.tool("evaluate", "m.safetensors", "--data", "y.csv", "--samples", 0, "--json")
                self.assert_done(told)
                self.assertEqual(json.loads(told.out)["rows"], 7)

    def test_names_in_another_encoding(self):
        """A table as Windows writes it is read with the names that its model has, and said to be no UTF-8."""
        rows = "".join(f"{i}.5,{i * 3 % 7}.25,{i * 5 % 11}\n" for i in range(60)).encode()
        self.write("w.csv", b"temp\xe9rature,b\xfc,c\n" + rows)
        self.assert_done(self.train("--data", "w.csv", "--standardize", "--likelihood", "gaussian", "--epochs", 1,
                                    "--no-report", "--out", "w", *SMALL), "is no UTF-8 and is read as", "iconv")
        scored = self.tool("score", "w/model.safetensors", "--data", "w.csv")
        self.assert_done(scored)
        self.write("u.csv", "temp\ufffdrature,b\ufffd,c\n".encode() + rows)
        plain = self.tool("score", "w/model.safetensors", "--data", "u.csv")
        self.assert_done(plain)
        self.assert_silent_about(plain, "no UTF-8")
        self.assertEqual(scored.out, plain.out)

    def test_names_with_a_zero_byte(self):
        """C ends a text at it: two names would be one."""
        self.write("m.safetensors", model_with(self.model, ["a\0b", "a", "c", "d", "e"]))
        self.assert_ended(self.tool("info", "m.safetensors"), BAD_FILE, "a name holds the character of code 0")
        long = "p" * 600  # beyond what tells text from other files
        rows = "".join(f'{i}.5,{i % 7}.25,"x\0{i % 2}"\n' for i in range(30))
        for text, what in ((f'{long},"a\0b",c\n1,2,3\n', "line 1"), (f"{long},b,label\n" + rows, "line 2")):
            self.write("z.csv", text)
            self.assert_ended(self.train("--data", "z.csv", "--out", "r", *SMALL), BAD_FILE, what, "holds a zero byte")
        self.write("l.csv", long + "\n" + "x\0\n" * 59)
        self.assert_ended(self.tool("evaluate", "run/model.safetensors", "--data", "t.csv", "--labels", "l.csv"), BAD_FILE,
                          "line 2", "holds a zero byte")

    def test_names_like_other_formats(self):
        """A table is one whatever its names look like, and a file of another format is named still."""
        for header in (["PAR1", "b", "c"], ["a", "b", "ftyp"], ["a,b,c,d", "WAVE"], ["cnumpy", "b", "c"], ["GIF89a", "b"],
                       ["version https://git-lfs", "b"], ["BZh9", "b", "c"], ["ORC", "x"], ["MATLAB", "x"]):
            with self.subTest(header=header):
                names = ",".join(header).split(",")
                rows = [[(row * 7 + column) % 11 + 0.5 for column in range(len(names))] for row in range(20)]
                self.table("n.csv", rows, names)
                self.assert_done(self.train("--data", "n.csv", "--likelihood", "gaussian", "--explain", *SMALL), "20 rows",
                                 f"{len(names)} columns")
        for content, what in ((b"PAR1" + bytes(range(200)), "Parquet"), (b"BZh91AY&SY" + bytes(90), "bzip2"),
                              (b"cnumpy.core.multiarray\n_reconstruct\np0\n", "pickle"), (b"GIF89a" + bytes(50), "GIF"),
                              (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "Git LFS")):
            self.write("f.bin", content)
            self.assert_ended(self.train("--data", "f.bin", "--out", "r", *SMALL), BAD_FILE, what)

    def test_numbers_that_are_names(self):
        """A model's names are its names where they are numbers; that a row could be the same is said."""
        self.write("m.safetensors", model_with(self.model, ["7", "1", "0.5", "3", "2"]))
        rows = sensor_rows(4)
        self.table("named.csv", rows, ["2", "3", "0.5", "1", "7"])
        self.table("rows.csv", [row[::-1] for row in rows])
        named, plain = (self.tool("score", "m.safetensors", "--data", data) for data in ("named.csv", "rows.csv"))
        self.assert_done(named, "line 1 is taken for the header, since it has the names that are wanted", "--header no")
        self.assertEqual(named.out, plain.out)
        self.assertEqual(len(plain.out.splitlines()), 5)
        as_rows = self.tool("score", "m.safetensors", "--data", "named.csv", "--header", "no")
        self.assertEqual(len(as_rows.out.splitlines()), 6)


class Descriptors(Case):
    """Files take the least free descriptor; what is printed must not go into one."""

    def setUp(self):
        super().setUp()
        self.table("t.csv", sensor_rows(60), SENSOR_NAMES)

    def test_closed_at_the_start(self):
        words = "--data t.csv --standardize --likelihood gaussian --hidden 8 --latent-dim 2 --epochs 30 --device cpu"
        self.assert_done(self.shell(f"$B/vae_cuda_train {words} --out whole"))
        for closed in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-", "1>&- 2>&-"):
            with self.subTest(closed=closed):
                self.assert_done(self.shell(f"$B/vae_cuda_train {words} --overwrite --out run {closed}"))
                lines = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
                self.assertEqual([json.loads(line)["step"] for line in lines],
                                 [json.loads(line)["step"] for line in
                                  (self.folder / "whole" / "metrics.jsonl").read_text().splitlines()])
                for name in ("model.safetensors", "config.toml"):
                    self.assertEqual((self.folder / "run" / name).read_bytes().replace(b"run", b"whole"),
                                     (self.folder / "whole" / name).read_bytes().replace(b"run", b"whole"))
                self.assert_done(self.tool("report", "run"))

    def test_results_that_have_no_place(self):
        self.assert_done(self.train("--data", "t.csv", "--standardize", "--likelihood", "gaussian", "--epochs", 1,
                                    "--out", "run", *SMALL))
        for command in ("info run/model.safetensors", "score run/model.safetensors --data t.csv",
                        "evaluate run/model.safetensors --data t.csv --json"):
            with self.subTest(command=command):
                self.assert_ended(self.shell(f"$B/vae_cuda {command} --device cpu >&-" if "info" not in command else
                                             f"$B/vae_cuda {command} >&-"), RUNTIME, "cannot write to standard output")
                self.assert_ended(self.shell(f"$B/vae_cuda {command} 2>&- >&-"), RUNTIME)
        self.assert_ended(self.shell("$B/vae_cuda_bench --help >&-"), RUNTIME, "cannot write to standard output")
        self.assert_done(self.shell("$B/vae_cuda encode run/model.safetensors --data t.csv --out z.csv >&- 2>&- <&-"))
        text = (self.folder / "z.csv").read_text()
        self.assertEqual(len(text.splitlines()), 61)
        self.assertNotIn("rows", text)


if __name__ == "__main__":
    main()
