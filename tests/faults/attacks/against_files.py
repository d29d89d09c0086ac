"""Truncated, swapped, growing and shrinking files, and two outputs on one file."""

import gzip
import os
import shutil
import threading

from lab import BAD_FILE, NAMES, OK, RUNTIME, USAGE, attack, training
from against_pipes import filled, places


@attack("docs/formats.md: a file that is not as described is refused with its name (exit 3); nothing is guessed")
def truncated_files(lab):
    header = ",".join(NAMES) + "\n"
    rows = header + "1.5,2.25,3,4\n" * 3
    sources = {
        "m.safetensors": (lab.folder / "m.safetensors").read_bytes(),
        "z.npy": (lab.folder / "z.npy").read_bytes(),
        "x.csv.gz": gzip.compress(rows.encode()),
        "labels.gz": gzip.compress(b"1\n0\n" * 30),
    }
    asked = {
        "m.safetensors": [
            ["info", "{}"],
            ["score", "{}", "--data", "x.csv"],
            ["generate", "{}", "-n", "2", "--out", "o.npy"],
        ],
        "z.npy": [["generate", "m.safetensors", "--latents", "{}", "--out", "o.npy"]],
        "x.csv.gz": [["score", "m.safetensors", "--data", "{}"]],
        "labels.gz": [["evaluate", "m.safetensors", "--data", "x.csv", "--labels", "{}"]],
    }
    for name, content in sources.items():
        lengths = [*range(0, min(len(content), 130), 7), *range(130, len(content), 97), len(content) - 1]
        for length in lab.some(lengths, 6):

            def trial(name=name, content=content, length=length):
                (lab.folder / "cut").write_bytes(content[:length])
                for words in asked[name]:
                    lab.refused(lab.run("vae_cuda", filled(words, "cut")), BAD_FILE)

            yield f"{name} after {length} bytes", trial
        for more in (b"\0", b"x", content):

            def longer(name=name, content=content, more=more):
                (lab.folder / "long").write_bytes(content + more)
                for words in asked[name]:
                    # Several gzip members are one file.
                    lab.fair(
                        lab.run("vae_cuda", filled(words, "long")),
                        {BAD_FILE, OK} if name.endswith("gz") and more == content else {BAD_FILE},
                    )

            yield f"{name} and {len(more)} bytes more", longer


@attack(
    "docs/formats.md, The run folder: a damaged run is refused or trained from its first step, and nothing of it is lost"
)
def truncated_runs(lab):
    for name in ("config.toml", "state.safetensors", "last.safetensors", "model.safetensors", "metrics.jsonl", "events"):
        for part in lab.some((0, 1, 0.3, 0.7, 0.999), 3):

            def trial(name=name, part=part):
                folder = lab.new_run("odd")
                path = next(folder.glob("events.*")) if name == "events" else folder / name
                content = path.read_bytes()
                path.write_bytes(content[: int(len(content) * part)] if part != 1 else content + b"\x00junk\xff")
                state = (folder / "state.safetensors").read_bytes()
                result = lab.fair(lab.train("--resume", "odd", "--steps", "9"), {OK, USAGE, BAD_FILE})
                if result.code == OK:
                    lab.whole(folder / "model.safetensors", result)
                    lab.expect(lab.state_step(folder) == 9, f"it stands at step {lab.state_step(folder)}: {result}")
                else:
                    lab.expect(
                        (folder / "state.safetensors").read_bytes() == state, f"refused, and the state is another: {result}"
                    )
                folder = lab.new_run("odd")
                path = next(folder.glob("events.*")) if name == "events" else folder / name
                path.write_bytes(content[: int(len(content) * part)])
                lab.fair(lab.tool("report", "odd"), {OK, USAGE, BAD_FILE})

            yield f"{name}, {part}", trial
    for first, second in (
        ("state", "last"),
        ("last", "state"),
        ("model", "state"),
        ("config.toml", "model"),
        ("metrics.jsonl", "state"),
    ):

        def swapped(first=first, second=second):
            folder = lab.new_run("odd")
            paths = [folder / (one if "." in one else one + ".safetensors") for one in (first, second)]
            shutil.copy(paths[1], paths[0])
            lab.fair(lab.train("--resume", "odd", "--steps", "9"), {OK, USAGE, BAD_FILE})
            lab.fair(lab.tool("report", "odd"), {OK, USAGE, BAD_FILE})

        yield f"{second} in the place of {first}", swapped

    def another_run():
        folder = lab.new_run("odd")
        other = lab.train("--data", "x.csv", *training(6), "--seed", "5", "--out", "other")
        lab.fair(other, {OK})
        shutil.copy(lab.folder / "other/state.safetensors", folder / "state.safetensors")
        lab.refused(lab.train("--resume", "odd", "--steps", "9"))

    yield "the state of another run", another_run


@attack("docs/formats.md: a format is told from the content; what is no such file is named, with exit 3")
def swapped_files(lab):
    shutil.copytree(lab.base / "plain", lab.folder / "run")
    lab.fair(lab.tool("report", "run"), {OK})
    event = next((lab.folder / "run").glob("events.*")).name
    strangers = [
        "m.safetensors",
        "run/state.safetensors",
        "run/config.toml",
        "run/metrics.jsonl",
        "run/" + event,
        "run/report.html",
        "x.csv",
        "labels.csv",
        "z.npy",
        "run",
        "/proc/self/exe",
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/version",
    ]
    for name, (program, words, usual, files, _) in lab.some(places(lab).items(), 4):
        for stranger in strangers:
            if stranger == usual:
                continue

            def trial(program=program, words=words, stranger=stranger, files=files):
                for file in files:
                    (lab.folder / file).unlink(missing_ok=True)
                shutil.rmtree(lab.folder / "new", ignore_errors=True)
                result = lab.fair(lab.run(program, filled(words, stranger)), {OK, USAGE, BAD_FILE, RUNTIME})
                if result.code != OK:
                    lab.expect(
                        not any((lab.folder / file).exists() for file in files), f"refused, and yet it wrote: {result}"
                    )
                    lab.no_temporary_files(result)

            yield f"{name}: {stranger}", trial


@attack("SECURITY.md: a file that changes while it is read is an error or read as it was, never a crash")
def files_that_change(lab):
    rows = ",".join(NAMES) + "\n" + "1.5,2.5,3.5,4.5\n" * 150000
    array = (
        b"\x93NUMPY\x01\x00"
        + (118).to_bytes(2, "little")
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (150000, 4), }".ljust(117)
        + b"\n"
        + b"\0\0\x80\x3f" * 600000
    )
    for kind, content in (("csv", rows.encode()), ("npy", array)):
        for command, words in (
            ("score", ["--out", "o.npy"]),
            ("evaluate", ["--samples", "0"]),
            ("encode", ["--out", "o.npy"]),
        ):
            for change in ("cut", "grown", "replaced", "removed"):

                def trial(kind=kind, content=content, command=command, words=words, change=change):
                    path = lab.folder / f"changing.{kind}"
                    path.unlink(missing_ok=True)
                    path.write_bytes(content)
                    process, given = lab.start(
                        "vae_cuda", [command, "m.safetensors", "--data", path.name, *words, "--device", "cpu", "--quiet"]
                    )
                    timer = threading.Timer(0.05 + 0.02 * lab.draw.random(), lambda: changed(path, change))
                    timer.start()

                    result = lab.finish(process, given, 30)
                    timer.join()
                    lab.fair(result, {OK, BAD_FILE, RUNTIME})
                    if result.code != OK:
                        lab.no_temporary_files(result)

                yield f"{command}, {kind} is {change}", trial


def changed(path, how):
    if how == "cut":
        os.truncate(path, 1000)
    elif how == "grown":
        with open(path, "ab") as file:
            file.write(b"1.5,x,3.5,4.5\n" * 1000)
    elif how == "replaced":
        with open(path, "r+b") as file:
            file.write(os.urandom(path.stat().st_size // 2))
    else:
        path.unlink()


def spellings(lab, name):
    yield name
    yield "./" + name
    yield str(lab.folder / name)
    yield "sub/../" + name
    yield "link/" + name


@attack("docs/tools.md, Outputs: two outputs on one file, however they are spelled, are refused (exit 2)")
def two_outputs_on_one_file(lab):
    (lab.folder / "sub").mkdir()
    (lab.folder / "link").symlink_to(".")
    pairs = (
        ("encode", "--out", "--logvar", "same.npy", []),
        ("score", "--out", "--flags", "same.npy", ["--threshold", "1"]),
        ("score", "--flags", "--out", "same.csv", ["--threshold", "1"]),
    )
    for command, one, other, name, words in pairs:
        for spelling in spellings(lab, name):
            for there in (False, True):

                def trial(command=command, one=one, other=other, name=name, words=words, spelling=spelling, there=there):
                    path = lab.folder / name
                    path.unlink(missing_ok=True)
                    if there:
                        path.write_bytes(b"old")
                    result = lab.tool(command, "m.safetensors", "--data", "x.csv", *words, one, name, other, spelling)
                    lab.refused(result, USAGE)
                    lab.expect(
                        path.exists() == there and (not there or path.read_bytes() == b"old"),
                        f"the old file is lost: {result}",
                    )

                yield f"{command} {one} {name} {other} {spelling}{', which exists' if there else ''}", trial

        def linked(command=command, one=one, other=other, name=name, words=words):
            for link in ("symbolic", "hard"):
                for file in ("first.npy", "second.npy"):
                    (lab.folder / file).unlink(missing_ok=True)
                (lab.folder / "first.npy").write_bytes(b"old")
                if link == "symbolic":
                    (lab.folder / "second.npy").symlink_to("first.npy")
                    lab.refused(
                        lab.tool(
                            command, "m.safetensors", "--data", "x.csv", *words, one, "first.npy", other, "second.npy"
                        ),
                        USAGE,
                    )
                else:  # two names, which a rename makes two files
                    os.link(lab.folder / "first.npy", lab.folder / "second.npy")
                    lab.fair(
                        lab.tool(
                            command, "m.safetensors", "--data", "x.csv", *words, one, "first.npy", other, "second.npy"
                        ),
                        {OK, USAGE},
                    )

        yield f"{command} {one} {other}, links", linked

    def rows_and_data():
        """An output in the place of an input: the input is read whole before, or the two are refused."""
        for command, words, flag in (
            ("encode", [], "--out"),
            ("score", [], "--out"),
            ("reconstruct", [], "--out"),
            ("evaluate", ["--samples", "0"], "--rows"),
        ):
            shutil.copy(lab.base / "x.csv", lab.folder / "both.csv")
            usual = lab.fair(lab.tool(command, "m.safetensors", "--data", "both.csv", *words, flag, "alone.csv"), {OK})
            result = lab.fair(
                lab.tool(command, "m.safetensors", "--data", "both.csv", *words, flag, "both.csv"), {OK, USAGE}
            )
            written = (lab.folder / "both.csv").read_bytes()
            expected = (lab.folder / "alone.csv").read_bytes() if result.code == OK else (lab.base / "x.csv").read_bytes()
            lab.expect(written == expected, f"neither the rows nor the result: {result} {usual}")

    yield "an output on --data", rows_and_data

    def model_and_output():
        for words in (
            ["encode", "both.safetensors", "--data", "x.csv", "--out", "both.safetensors"],
            ["export", "both.safetensors", "--format", "npz", "--out", "both.safetensors"],
            ["export", "both.safetensors", "--format", "safetensors", "--out", "both.safetensors"],
        ):
            shutil.copy(lab.folder / "m.safetensors", lab.folder / "both.safetensors")
            result = lab.fair(lab.tool(*words), {OK, USAGE})
            if result.code == USAGE or words[-3] == "safetensors":
                lab.expect(
                    (lab.folder / "both.safetensors").read_bytes() == (lab.folder / "m.safetensors").read_bytes(),
                    f"the model is lost: {result}",
                )

    yield "an output on MODEL", model_and_output


@attack("docs/formats.md, Configuration: paths are those of the run, by whatever name")
def paths_of_runs(lab):
    deep = lab.folder / "deep/er"
    deep.mkdir(parents=True)
    (lab.folder / "link").symlink_to("deep/er")
    shutil.copy(lab.folder / "x.csv", lab.folder / "deep/d.csv")
    (lab.folder / "d.csv").write_text(
        ",".join(NAMES) + "\n" + "".join(f"{i % 7},{i % 3},{i % 5},{i % 11}\n" for i in range(40))
    )

    def through_a_link():
        # link/../d.csv is deep/d.csv for the system, and ./d.csv for whoever cuts the text
        lab.fair(lab.train("--data", "link/../d.csv", *training(4), "--out", "one"), {OK})
        lab.fair(lab.train("--config", "one/config.toml", "--out", "two"), {OK})
        lab.expect(
            (lab.folder / "one/model.safetensors").read_bytes() == (lab.folder / "two/model.safetensors").read_bytes(),
            "config.toml of a run trains on other rows",
        )
        resumed = lab.fair(lab.train("--resume", "one", "--steps", "6"), {OK})
        lab.expect(lab.state_step(lab.folder / "one") == 6, f"not resumed: {resumed}")

    yield "link/../d.csv", through_a_link

    def output_through_a_link():
        result = lab.fair(lab.train("--data", "x.csv", *training(4), "--out", "link/../out"), {OK})
        lab.whole(lab.folder / "deep/out/model.safetensors", result)
        lab.fair(lab.train("--resume", "link/../out", "--steps", "6"), {OK})
        lab.expect(lab.state_step(lab.folder / "deep/out") == 6, "not resumed")
        lab.fair(lab.tool("report", "link/../out"), {OK})

    yield "--out link/../out", output_through_a_link

    def test_rows_that_change():
        shutil.copy(lab.folder / "x.csv", lab.folder / "test.csv")
        lab.fair(lab.train("--data", "x.csv", "--test", "test.csv", *training(4), "--out", "tested"), {OK})
        (lab.folder / "test.csv").write_text((lab.folder / "d.csv").read_text())
        lab.refused(lab.train("--resume", "tested", "--steps", "6"))

    yield "other test rows at --resume", test_rows_that_change

    def odd_names():
        for name in (
            "new\nline",
            'quo"te',
            "back\\slash",
            "Ünï",
            " blank ",
            "-dash",
            "#hash",
            "$(x)",
            "x" * 200,
            "é" * 100,
            "\udcff bytes",
        )[4 if lab.quick else 0 : 8 if lab.quick else None]:
            folder = lab.folder / "odd names"
            folder.mkdir(exist_ok=True)
            path = folder / name
            shutil.copy(lab.folder / "x.csv", path)
            shutil.rmtree(lab.folder / "named", ignore_errors=True)
            made = lab.fair(
                lab.train("--data", path, *training(4), "--out", "named"), {OK, USAGE} if "\udcff" in name else {OK}
            )
            if made.code != OK:
                continue
            lab.fair(lab.train("--config", "named/config.toml", "--out", "named2", "--overwrite"), {OK})
            lab.fair(lab.train("--resume", "named", "--steps", "6"), {OK})

    yield "odd names of files", odd_names
