"""Hostile numbers in data and options."""

import gzip
import resource
import shutil
import struct

from lab import (
    BAD_FILE,
    DIVERGED,
    NAMES,
    OK,
    OUT_OF_MEMORY,
    RUNTIME,
    USAGE,
    attack,
    finite_json,
    npy,
    told_if_not_finite,
    training,
)

CELLS = """
    1e20 -1e20 1e37 1e38 3.4028235e38 -3.4028235e38 3.5e38 1e39 1e400 1e-30 1e-38 1e-40 1e-45 1e-46 1e-400 nan inf -inf infinity
    NaN(1) 0x1p3 1_000 1,5 1.5.2 --1 1e e5 ٣ ½ 16777217 9007199254740993 -0 +.5 5. 1d5 1e99999999999999999999
    -1e-99999999999999999999
""".split() + ["1" * 400, "0." + "0" * 400 + "1"]


def table(lab, cell, name="n.csv", rows=20, share=1):
    """Usual rows, some of them with one hostile cell."""
    lines = [",".join(NAMES)]
    for i in range(rows):
        row = [str(10 + i % 3), str(20 + i % 5), str(30 - i % 4), str(40 + i % 7)]
        if i < share:
            row[i % 4] = '"' + cell + '"' if "," in cell else cell
        lines.append(",".join(row))
    (lab.folder / name).write_text("\n".join(lines) + "\n")
    return name


def floats(path, kind="f"):
    content = path.read_bytes()
    begin = 10 + struct.unpack("<H", content[8:10])[0]
    return struct.unpack(f"<{(len(content) - begin) // 4}{kind}", content[begin:])


@attack("docs/evaluation.md, Warnings: no result is NaN; infinite ones are flagged and told, or exit 6")
def cells_of_data(lab):
    for cell in lab.some(CELLS, 24):

        def scored(cell=cell):
            data = table(lab, cell)
            for metric in ("elbo", "reconstruction", "nll"):
                result = lab.tool(
                    "score",
                    "m.safetensors",
                    "--data",
                    data,
                    "--metric",
                    metric,
                    "--samples",
                    "4",
                    "--threshold",
                    "50",
                    "--out",
                    "s.npy",
                    "--flags",
                    "f.npy",
                    "--json",
                )
                lab.fair(result, {OK, BAD_FILE})
                if result.code == OK:
                    finite_json(lab, result)
                    scores = floats(lab.folder / "s.npy")
                    flags = (lab.folder / "f.npy").read_bytes()[-20:]
                    for score, flag in zip(scores, flags):
                        lab.expect(score == score, f"NaN is a score: {result}")
                        lab.expect((score > 50) == bool(flag), f"score {score}, flag {flag}: {result}")
                for words in (
                    ["--threshold-quantile", "0.9", "--reference", data],
                    ["--threshold-quantile", "0.5"],
                    ["--threshold-quantile", "1"],
                ):
                    lab.fair(
                        lab.tool("score", "m.safetensors", "--data", data, "--metric", metric, "--samples", "2", *words),
                        {OK, BAD_FILE},
                    )

        yield f"score {cell[:20]}", scored

        def evaluated(cell=cell):
            for share in (1, 20):
                result = lab.fair(
                    lab.tool(
                        "evaluate",
                        "m.safetensors",
                        "--data",
                        table(lab, cell, share=share),
                        "--samples",
                        "3",
                        "--json",
                        "--rows",
                        "o.csv",
                    ),
                    {OK, BAD_FILE},
                )
                if result.code == OK:
                    finite_json(lab, result)
                    lab.expect("nan" not in (lab.folder / "o.csv").read_text(), f"NaN is a figure of a row: {result}")
                lab.fair(lab.tool("evaluate", "m.safetensors", "--data", "n.csv", "--samples", "3"), {OK, BAD_FILE})

        yield f"evaluate {cell[:20]}", evaluated

        def others(cell=cell):
            data = table(lab, cell)
            for command, words in (
                ("encode", ["--out", "o.csv", "--logvar", "p.csv"]),
                ("reconstruct", ["--out", "o.csv"]),
                ("interpolate", ["--from", "0", "--to", "1", "--out", "o.csv"]),
                ("neighbors", ["--row", "0", "--out", "o.csv"]),
                ("traverse", ["--row", "0", "--out", "o.csv"]),
                ("reconstruct", ["--out", "o.png"]),
            ):
                result = lab.fair(lab.tool(command, "m.safetensors", "--data", data, *words), {OK, BAD_FILE, DIVERGED})
                if result.code == OK and words[-1] == "o.csv":
                    told_if_not_finite(lab, result)

        yield f"encode and so on, {cell[:20]}", others

        def trained(cell=cell):
            data = table(lab, cell)
            for words in (
                training(4),
                training(4, "--conditional", "--labels", "ones"),
                [word for word in training(4) if word != "--standardize"],
                training(4, "--sigma", "learned"),
                training(4, "--sigma", "head"),
                training(4, "--scale", "largest"),
                training(4, "--scale", "255"),
            ):
                (lab.folder / "ones").write_text("0\n1\n" * 10)
                shutil.rmtree(lab.folder / "t", ignore_errors=True)
                result = lab.fair(
                    lab.train("--data", data, *words, "--out", "t", "--json"), {OK, BAD_FILE, DIVERGED, USAGE}
                )
                if result.code == OK:
                    finite_json(lab, result)
                    lab.whole(lab.folder / "t/model.safetensors")
                    lab.fair(
                        lab.tool(
                            "evaluate",
                            "t/model.safetensors",
                            "--data",
                            data,
                            "--labels",
                            "ones",
                            "--samples",
                            "2",
                            "--json",
                        ),
                        {OK},
                    )
                    lab.fair(lab.tool("report", "t"), {OK})

        yield f"train on {cell[:20]}", trained

        def latents(cell=cell):
            (lab.folder / "z.csv").write_text(f"z0,z1\n0,1\n{cell if ',' not in cell else quoted(cell)},1\n")
            for out in ("o.csv", "o.png", "o.npy"):
                result = lab.fair(
                    lab.tool("generate", "m.safetensors", "--latents", "z.csv", "--out", out), {OK, BAD_FILE, DIVERGED}
                )
                if result.code == OK and out == "o.csv":
                    told_if_not_finite(lab, result)
            (lab.folder / "l.csv").write_text("0\n" * 19 + cell + "\n")
            table(lab, "5")
            lab.fair(
                lab.train(
                    "--data", "n.csv", "--labels", "l.csv", *training(2), "--conditional", "--out", "t2", "--overwrite"
                )
            )

        yield f"latents and labels {cell[:20]}", latents


def quoted(cell):
    return '"' + cell + '"'


@attack("docs/formats.md, .npy, IDX: what f32 cannot hold is refused with its place")
def elements_of_arrays(lab):
    for kind, code in (("f4", "f"), ("f8", "d")):
        for value in lab.some((float("nan"), float("inf"), -float("inf"), 3.4e38, 1e20, 1e-45, 5e-324, -0.0), 4):

            def trial(kind=kind, code=code, value=value):
                content = struct.pack(f"<8{code}", 10, 20, 30, 40, value, 20, 30, 40)
                (lab.folder / "a.npy").write_bytes(npy("<" + kind, (2, 4), content))
                idx = b"\0\0" + (b"\x0d" if kind == "f4" else b"\x0e") + b"\x02" + struct.pack(">2I", 2, 4)
                (lab.folder / "a.idx").write_bytes(idx + struct.pack(f">8{code}", 10, 20, 30, 40, value, 20, 30, 40))
                (lab.folder / "a.npy.gz").write_bytes(gzip.compress((lab.folder / "a.npy").read_bytes()))
                for name in ("a.npy", "a.idx", "a.npy.gz"):
                    for metric in ("elbo", "nll"):
                        lab.fair(
                            lab.tool("score", "m.safetensors", "--data", name, "--metric", metric, "--samples", "2"),
                            {OK, BAD_FILE},
                        )
                    lab.fair(lab.train("--data", name, *training(2), "--out", "t", "--overwrite"), {OK, BAD_FILE, DIVERGED})

            yield f"{kind} {value}", trial
    for shape in ((0, 4), (2, 0), (2**62, 4), (2**31, 2**31), (-1, 4), (1,), (), (10**30, 4)):

        def shaped(shape=shape):
            (lab.folder / "a.npy").write_bytes(npy("<f4", shape, struct.pack("<4f", 1, 2, 3, 4)))
            lab.refused(lab.tool("score", "m.safetensors", "--data", "a.npy"))
            lab.refused(lab.train("--data", "a.npy", *training(2), "--out", "t", "--overwrite"))

        yield f"shape {shape}", shaped


OPTIONS = """
    --lr --clip-norm --beta --sigma --weight-decay --adam-eps --adam-beta1 --adam-beta2 --capacity --free-bits
    --valid-fraction --test-fraction --checkpoint-seconds --epochs --steps --batch-size --hidden --latent-dim --seed
    --threads --samples --patience --log-every --checkpoint-every --capacity-steps
""".split()
ARGUMENTS = """
    1e-300 1e-46 1e-38 1e300 1e39 1e400 nan inf -inf -1 0 -0 9223372036854775807 9223372036854775808 18446744073709551615
    18446744073709551616 99999999999999999999999 1e9 0x10 1,000 ٣
""".split() + [" 1", "1 ", ""]


@attack("docs/reliability.md, Faults of the machine: every option × missing, junk, out of range, nan, overflow")
def numbers_of_options(lab):
    for option in lab.some(OPTIONS, 3):
        for number in lab.some(ARGUMENTS, 6):

            def trial(option=option, number=number):
                words = [word for word in training(2) if word != option] if option in ("--standardize",) else training(2)
                if option in words:
                    words[words.index(option) + 1] = number
                else:
                    words += [option, number]
                shutil.rmtree(lab.folder / "t", ignore_errors=True)
                result = lab.fair(
                    lab.train(
                        "--data",
                        "x.csv",
                        *words,
                        "--out",
                        "t",
                        "--json",
                        "--explain" if option in ("--steps", "--epochs") else "--quiet",
                    ),
                    {OK, USAGE, BAD_FILE, OUT_OF_MEMORY, DIVERGED, RUNTIME},
                )
                if result.code == OK and (lab.folder / "t/model.safetensors").exists():
                    finite_json(lab, result)

            yield f"train {option} {number[:20]!r}", trial
    tool = [
        ("generate", ["-n", "3", "--out", "o.csv"], ["-n", "--temperature", "--seed", "--batch-size", "--threads"]),
        (
            "score",
            ["--data", "x.csv", "--out", "s.npy"],
            ["--samples", "--threshold", "--threshold-quantile", "--seed", "--batch-size"],
        ),
        (
            "evaluate",
            ["--data", "x.csv", "--samples", "2"],
            ["--samples", "--elbo-samples", "--bins", "--active-threshold", "--seed"],
        ),
        ("neighbors", ["--data", "x.csv", "--row", "1", "--out", "o.csv"], ["--radius", "-n", "--row"]),
        ("interpolate", ["--data", "x.csv", "--from", "0", "--to", "3", "--out", "o.csv"], ["--from", "--to", "--steps"]),
        ("traverse", ["--out", "o.csv"], ["--range", "--steps", "--dims"]),
        ("manifold", ["--out", "o.npy", "--grid", "3"], ["--grid", "--dims"]),
    ]
    for command, words, options in tool:
        for option in options:
            for number in lab.some(ARGUMENTS, 6):

                def asked(command=command, words=words, option=option, number=number):
                    given = list(words)
                    if option in given:
                        given[given.index(option) + 1] = number
                    else:
                        given += [option, number]
                    result = lab.fair(
                        lab.tool(
                            command,
                            "m.safetensors",
                            *given,
                            limits={resource.RLIMIT_AS: 6 << 30, resource.RLIMIT_FSIZE: 1 << 30},
                            timeout=30,
                        ),
                        {OK, USAGE, BAD_FILE, OUT_OF_MEMORY, RUNTIME, DIVERGED},
                    )
                    if result.code == OK and given[-1] == "o.csv":
                        told_if_not_finite(lab, result)

                if not (
                    command in ("score", "evaluate", "generate", "neighbors", "interpolate", "traverse", "manifold")
                    and number in ("1e9",)
                ):
                    yield f"{command} {option} {number[:20]!r}", asked
