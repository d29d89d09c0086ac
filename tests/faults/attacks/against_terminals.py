"""Hostile text in every file and every argument: what reaches the terminal, and what is written for the next reader."""

import json
import re
import shutil
import struct
import zipfile

from lab import BAD_FILE, OK, RUNTIME, USAGE, attack, npy, read_tensors, training, write_tensors

CONTROLS = [
    "\x1b[31mRED\x1b[0m",
    "a\x07b",
    "a\x08\x08b",
    "\x1b]0;title\x07",
    "x\ry",
    "a\x7fb",
    "\x9b31mC1",
    "\u202eevil\u202c",
    "\u2066iso\u2069",
    "\u200emark",
    "\u061carab",
    "sep\u2028line",
    "\ufeffbom",
    "nul\x00nul",
    "\x1bP1$r\x1b\\",
    "tab\tbed",
]
TEXTS = [
    'quo"te',
    "it's",
    "a,b",
    "a;b",
    "a|b",
    "a b ",
    " a",
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "#hash",
    "1",
    "0",
    "1.5",
    "1e5",
    "nan",
    "inf",
    "label",
    "class",
    "NA",
    "",
    "Ünï",
    "日本",
    "\U0001f600",
    "x" * 5000,
    "<script>alert(1)</script>",
    "&amp;",
    "%s%n",
    "{}",
    "${HOME}",
    "../../x",
    "a/b",
    "\\",
    "z0",
    "row",
    "score",
    "Unnamed: 0",
    "sep=;",
    "true",
    "null",
    "0x10",
    "1_000",
]
LINES = ["two\nlines", "two\r\nlines", "\nfirst"]


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"'


def named_model(lab, names, path="named.safetensors", source="m.safetensors", classes=None):
    header, content = read_tensors(lab.folder / source)
    document = json.loads(header["__metadata__"]["config"])
    if names is not None:
        document["column_names"] = names
    if classes is not None:
        document["condition_names"] = classes
    header["__metadata__"]["config"] = json.dumps(document, sort_keys=True, ensure_ascii=False)
    write_tensors(lab.folder / path, header, content)
    return path


@attack("SECURITY.md, Output: text of files is printed on one line, with control characters escaped")
def names_of_columns_and_classes(lab):
    data = ["--data", "x.csv"]
    for text in lab.some(CONTROLS + LINES, 9):

        def columns(text=text):
            model = named_model(lab, [text, "flow", text + "2", "speed"])
            for words in (
                ["info", model],
                ["info", model, "--json"],
                ["encode", model, *data, "--out", "o.npy"],
                ["score", model, *data],
                ["evaluate", model, *data, "--samples", "0"],
                ["generate", model, "-n", "2", "--out", "o.csv"],
                ["reconstruct", model, "--data", "labels.csv", "--out", "o.csv"],
                ["traverse", model, "--dims", "0", "--out", "o.csv"],
                ["export", model, "--format", "npz", "--out", "o.npz"],
            ):
                lab.fair(lab.tool(*words))
            lab.fair(lab.train(*data, *training(2), "--init-from", model, "--out", "from"))

        def classes(text=text):
            model = named_model(lab, None, "classes.safetensors", "c.safetensors", [text, text + "2"])
            for words in (
                ["info", model],
                ["generate", model, "-n", "2", "--out", "o.csv"],
                ["generate", model, "-n", "2", "--label", "nothing", "--out", "o.csv"],
                ["generate", model, "-n", "2", "--label", text.replace("\x00", ""), "--out", "o.csv"],
                ["score", model, "--data", "xl.csv"],
                ["evaluate", model, "--data", "xl.csv", "--samples", "0"],
                ["manifold", model, "--out", "o.npy"],
            ):
                lab.fair(lab.tool(*words))

        yield f"columns {ascii(text)[:30]}", columns
        yield f"classes {ascii(text)[:30]}", classes

        def table(text=text):
            shutil.rmtree(lab.folder / "new", ignore_errors=True)
            rows = "".join(f"{i % 7},{i % 5}.5,{quoted(text)}\n" for i in range(40))
            body = f"{quoted(text + 'a')},{quoted('b' + text)},label\n{rows}"
            (lab.folder / "hostile.csv").write_text(body)
            common = ["--data", "hostile.csv", *training(2)]
            lab.fair(lab.train(*common, "--out", "new"))
            lab.fair(lab.train(*common, "--conditional", "--out", "new2", "--overwrite"))
            lab.fair(lab.train(*common, "--normal-label", "zz", "--out", "new3"))
            lab.fair(lab.train(*common, "--label-column", "zz", "--out", "new4"))
            lab.fair(lab.train("--data", "x.csv", "--test", "hostile.csv", *training(2), "--out", "new5"))
            lab.fair(lab.tool("score", "m.safetensors", "--data", "hostile.csv"))
            lab.fair(
                lab.tool(
                    "score", "m.safetensors", "--data", "x.csv", "--reference", "hostile.csv", "--threshold-quantile", "0.9"
                )
            )
            lab.fair(
                lab.tool("evaluate", "m.safetensors", "--data", "hostile.csv", "--samples", "0", "--anomaly-label", "q")
            )
            (lab.folder / "hostile.labels").write_text("".join(f"{quoted(text + str(i % 2))}\n" for i in range(60)))
            lab.fair(
                lab.train(
                    "--data",
                    "x.csv",
                    "--labels",
                    "hostile.labels",
                    "--conditional",
                    *training(2),
                    "--out",
                    "new6",
                    "--overwrite",
                )
            )
            lab.fair(
                lab.tool(
                    "evaluate",
                    "m.safetensors",
                    "--data",
                    "x.csv",
                    "--labels",
                    "hostile.labels",
                    "--samples",
                    "0",
                    "--anomaly-label",
                    text.replace("\x00", ""),
                )
            )

        yield f"a table with {ascii(text)[:30]}", table

        def cells(text=text):
            for content in (
                f"a,b\n1,2\n3,{quoted(text)}\n",
                f"{text}\n1\n2\n",
                f"a,b\n1,{text}\n",
                text,
                text * 1000,
                f"a{text}b\n",
            ):
                (lab.folder / "cells.csv").write_text(content)
                lab.fair(lab.tool("score", "m.safetensors", "--data", "cells.csv"))
                lab.fair(lab.train("--data", "cells.csv", *training(1), "--out", "cells", "--overwrite"))
                lab.fair(lab.tool("generate", "m.safetensors", "--latents", "cells.csv", "--out", "o.csv"))

        yield f"cells with {ascii(text)[:30]}", cells


@attack("SECURITY.md, Output: names of files and words of the command line are printed escaped too")
def arguments(lab):
    for text in lab.some([text for text in CONTROLS + LINES if "\x00" not in text], 9):

        def trial(text=text):
            name = text.replace("/", "_")
            shutil.copy(lab.folder / "x.csv", lab.folder / name)
            shutil.copy(lab.folder / "m.safetensors", lab.folder / ("m" + name))
            lab.fair(lab.train("--data", name, *training(2), "--out", "run" + name, "--overwrite"))
            lab.fair(lab.train("--resume", "run" + name))
            lab.fair(lab.tool("report", "run" + name))
            lab.fair(lab.tool("score", "m" + name, "--data", name, "--out", "o" + name + ".csv"))
            lab.fair(lab.tool("evaluate", "m" + name, "--data", name, "--samples", "0"))
            for words in (
                ["score", "missing" + name],
                ["score", "m.safetensors", "--data", "missing" + name],
                [name],
                ["--" + name],
                ["score", "m.safetensors", "--data", "x.csv", "--metric", text],
                ["encode", "m.safetensors", "--" + text, "1"],
                ["generate", "m.safetensors", "-n", text, "--out", "o.npy"],
                ["generate", "m.safetensors", "--out", text],
                ["score", "m.safetensors", "--data", "x.csv", "--device", text],
                ["report", "nothing" + name],
                ["evaluate", "m.safetensors", "--data", "x.csv", "--part", text],
                ["generate", "m.safetensors", "--image", text, "--out", "o.png"],
            ):
                lab.refused(lab.run("vae_cuda", words), RUNTIME, USAGE, BAD_FILE, 5)
            for option in (
                "--data",
                "--config",
                "--preset",
                "--hidden",
                "--lr",
                "--lr-schedule",
                "--beta-schedule",
                "--label-column",
                "--normal-label",
                "--resume",
                "--sigma",
                "--likelihood",
                "--scale",
                "--init-from",
                "--image",
            ):
                lab.fair(lab.train("--data", "x.csv", option, text, "--out", "never", "--explain"))

        yield ascii(text)[:40], trial


@attack("SECURITY.md, Output: state, configuration and metrics of a run are untrusted text")
def text_in_a_run_folder(lab):
    for text in lab.some([text for text in CONTROLS + LINES + TEXTS if len(text) < 100], 30):

        def state(text=text):
            folder = lab.new_run("odd")
            header, content = read_tensors(folder / "state.safetensors")
            document = json.loads(header["__metadata__"]["state"])
            for place in ("options", "algorithms", "device", "data", "best"):
                changed = json.loads(json.dumps(document))
                if isinstance(changed[place], dict):
                    changed[place] = {**{key: text for key in changed[place]}, text: text}
                elif isinstance(changed[place], list):
                    changed[place] = [text]
                else:
                    changed[place] = text
                header["__metadata__"]["state"] = json.dumps(changed, sort_keys=True, ensure_ascii=False)
                write_tensors(folder / "state.safetensors", header, content)
                lab.fair(lab.train("--resume", "odd", "--steps", "9"))

        yield f"state: {ascii(text)[:40]}", state

        def config(text=text):
            folder = lab.new_run("odd")
            kept = (folder / "config.toml").read_text()
            escaped = json.dumps(text, ensure_ascii=True).replace("\\u00", "\\u00")
            for key in ("data.train", "label_column", "activation", "likelihood", "device"):
                (folder / "config.toml").write_text(
                    re.sub(
                        rf'(?m)^{key.split(".")[-1]} = .*$', lambda _, key=key: f"{key.split('.')[-1]} = {escaped}", kept
                    )
                )
                lab.fair(lab.train("--resume", "odd", "--steps", "9"))
                lab.fair(lab.tool("report", "odd"))
            for line in (f"[{escaped}]", f"{escaped} = 1", f"[model]\n{escaped} = 1", text):
                (folder / "config.toml").write_text(line)
                lab.fair(lab.train("--resume", "odd"), {USAGE, BAD_FILE})
                lab.fair(lab.tool("report", "odd"))
                lab.fair(lab.train("--data", "x.csv", "--config", "odd/config.toml", "--out", "never"))

        yield f"config: {ascii(text)[:40]}", config

        def metrics(text=text):
            folder = lab.new_run("odd")
            (folder / "metrics.jsonl").write_text(
                json.dumps({"step": 1, "epoch": 1, text: text, "loss": 1}, ensure_ascii=False) + "\n" + text + "\n"
            )
            lab.fair(lab.tool("report", "odd"))
            page = (folder / "report.html").read_text()
            lab.expect("<script>alert(1)</script>" not in page, "a script of metrics.jsonl is in the page")

        yield f"metrics: {ascii(text)[:40]}", metrics

    def page():
        hostile = "<script>alert(1)</script>"
        shutil.copytree(lab.base / "plain", lab.folder / hostile.replace("/", "_"))
        lab.fair(lab.tool("report", hostile.replace("/", "_")))
        (lab.folder / "s.csv").write_text(
            f"b,{hostile},label\n" + "".join(f"{i % 7},{i % 5}.5,{hostile}{i % 2}\n" for i in range(40))
        )
        lab.fair(
            lab.train(
                "--data", "s.csv", *training(2)[:-1], "--conditional", "--valid-fraction", "0.2", "--out", "scripted"
            ),
            {OK},
        )
        for text in (
            (lab.folder / hostile.replace("/", "_") / "report.html").read_text(),
            (lab.folder / "scripted/report.html").read_text(),
        ):
            lab.expect("<script>alert" not in text, "text of the run is a script of its page")

    yield "scripts in the page", page


@attack("docs/tools.md, Units: what generate writes, score reads; docs/formats.md, CSV")
def written_tables_are_read(lab):
    names = [text for text in TEXTS + [one for one in CONTROLS if "\x00" not in one] + LINES]
    for text in lab.some(names, 12):

        def trial(text=text):
            model = named_model(lab, [text, "b", "c", "d"])
            for command, words in (
                ("generate", ["-n", "7"]),
                ("traverse", ["--dims", "0", "--steps", "7"]),
                ("interpolate", ["--data", "z4.npy", "--from", "0", "--to", "2", "--steps", "7"]),
            ):
                (lab.folder / "z4.npy").write_bytes(npy("<f4", (3, 4), struct.pack("<12f", *range(12))))
                lab.fair(lab.tool(command, model, *words, "--out", "g.csv"), {OK})
                scored = lab.tool("score", model, "--data", "g.csv", "--out", "s.csv", "--json", "--quiet")
                lab.fair(scored, {OK})
                lab.expect(
                    json.loads(scored.out)["rows"] == 7, f"{json.loads(scored.out)['rows']} rows were read of 7: {scored}"
                )

        yield ascii(text)[:40], trial

        def trained(text=text):
            rows = "".join(f"{i % 7},{i % 5}.5,{i % 3}.25\n" for i in range(30))
            (lab.folder / "t.csv").write_text(f"{quoted(text)},{quoted('b' + text)},c\n{rows}")
            made = lab.fair(
                lab.train("--data", "t.csv", "--header", "yes", *training(2), "--out", "trained", "--overwrite")
            )
            if made.code != OK:
                return
            model = "trained/model.safetensors"
            lab.fair(lab.tool("reconstruct", model, "--data", "t.csv", "--header", "yes", "--out", "r.csv"), {OK})
            said = lab.fair(lab.tool("evaluate", model, "--data", "r.csv", "--samples", "0", "--json", "--quiet"), {OK})
            lab.expect(json.loads(said.out)["rows"] == 30, f"{json.loads(said.out)['rows']} rows were read of 30: {said}")

        yield f"trained: {ascii(text)[:40]}", trained


@attack("docs/formats.md, Model files: names and values of a document; docs/python.md: npz members are NumPy's")
def exported_text(lab):
    for text in lab.some(CONTROLS + TEXTS + LINES, 6):

        def trial(text=text):
            model = named_model(lab, [text, "b", "c", "d"])
            if "\x00" in text:
                lab.refused(lab.tool("export", model, "--format", "npz", "--out", "e.npz"), BAD_FILE)
                return
            lab.fair(lab.tool("export", model, "--format", "npz", "--out", "e.npz"), {OK})
            with zipfile.ZipFile(lab.folder / "e.npz") as archive:
                lab.expect(archive.testzip() is None, "the archive is damaged")
                document = json.loads(archive.read("config.json"))
            lab.expect(document["column_names"][0] == text, f"another name in config.json: {document['column_names'][0]!r}")
            lab.fair(lab.tool("export", model, "--format", "safetensors", "--out", "e.safetensors"), {OK})
            lab.fair(lab.tool("info", "e.safetensors", "--json"), {OK})

        yield ascii(text)[:40], trial
