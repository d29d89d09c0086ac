"""Hostile numbers in models, states and the figures of a run."""

import json
import re
import struct

from lab import (
    BAD_FILE,
    DIVERGED,
    OK,
    OUT_OF_MEMORY,
    USAGE,
    attack,
    finite_json,
    read_tensors,
    told_if_not_finite,
    training,
    write_tensors,
)

JSON_NUMBERS = """
    1e20 1e38 3.5e38 1e308 1e400 -1 0 -0.0 1e-45 1e-400 99999999999999999999 18446744073709551616 1.5 null true "1" [] {} NaN
    Infinity
""".split() + ["1" * 5000]


@attack("docs/formats.md, Model files: every value is checked; SECURITY.md: weights are finite numbers")
def numbers_of_models(lab):
    header, content = read_tensors(lab.folder / "m.safetensors")
    document = json.loads(header["__metadata__"]["config"])
    places = [
        (group, key)
        for group, values in document.items()
        if isinstance(values, dict)
        for key, value in values.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ] + [("", "steps"), ("", "seed"), ("", "image")]
    for group, key in lab.some(places, 4):
        for number in lab.some(JSON_NUMBERS, 5):

            def trial(group=group, key=key, number=number):
                changed = json.loads(json.dumps(document))
                (changed[group] if group else changed)[key] = "@@"
                header["__metadata__"]["config"] = json.dumps(changed).replace(
                    '"@@"', number if key != "seed" else f'"{number}"' if number[0] != '"' else number
                )
                write_tensors(lab.folder / "n.safetensors", header, content)
                accepted = lab.fair(lab.tool("info", "n.safetensors", "--json"), {OK, BAD_FILE})
                for words in (
                    ["score", "n.safetensors", "--data", "x.csv"],
                    ["evaluate", "n.safetensors", "--data", "x.csv", "--samples", "2"],
                    ["generate", "n.safetensors", "-n", "2", "--out", "o.csv"],
                ):
                    result = lab.fair(lab.tool(*words), {OK, BAD_FILE, USAGE, OUT_OF_MEMORY})
                    lab.expect(result.code != OK or accepted.code == OK, f"info refuses what score takes: {result}")
                lab.fair(
                    lab.train("--data", "x.csv", *training(2), "--init-from", "n.safetensors", "--out", "t", "--overwrite")
                )

            yield f"{group}.{key} = {number[:20]}", trial
    for name in sorted(key for key in header if key != "__metadata__"):
        for value in (float("nan"), float("inf"), 3.4e38, -3.4e38, 1e30, 1e-45, 1e19):

            def weight(name=name, value=value):
                fresh, tensors = read_tensors(lab.folder / "m.safetensors")
                begin = fresh[name]["data_offsets"][0]
                write_tensors(
                    lab.folder / "w.safetensors", fresh, tensors[:begin] + struct.pack("<f", value) + tensors[begin + 4 :]
                )
                for words in (
                    ["score", "--data", "x.csv", "--metric", "nll", "--samples", "2"],
                    ["score", "--data", "x.csv"],
                    ["evaluate", "--data", "x.csv", "--samples", "2", "--json"],
                    ["encode", "--data", "x.csv", "--out", "o.csv"],
                    ["generate", "-n", "3", "--out", "o.csv"],
                    ["generate", "-n", "3", "--out", "o.png"],
                    ["reconstruct", "--data", "x.csv", "--out", "o.csv"],
                    ["manifold", "--grid", "3", "--out", "o.npy"],
                    ["traverse", "--out", "o.csv"],
                ):
                    result = lab.fair(lab.tool(words[0], "w.safetensors", *words[1:]), {OK, BAD_FILE, DIVERGED})
                    if words[0] != "evaluate" and result.code == OK and words[-1] == "o.csv":
                        told_if_not_finite(lab, result)
                    if words[0] == "evaluate" and result.code == OK:
                        finite_json(lab, result)
                lab.fair(
                    lab.train("--data", "x.csv", *training(2), "--init-from", "w.safetensors", "--out", "t", "--overwrite"),
                    {OK, BAD_FILE, DIVERGED, USAGE},
                )

            if not lab.quick or (name, value) in (
                ("head.bias", 3.4e38),
                ("output.bias", float("inf")),
                ("data.inverse_deviation", 1e-45),
            ):
                yield f"{name} has {value}", weight


@attack("docs/reliability.md, Hostile and damaged files: every count of a state is in its range")
def numbers_of_states(lab):
    header, content = read_tensors(lab.base / "plain/state.safetensors")
    document = json.loads(header["__metadata__"]["state"])
    places = [(key,) for key, value in document.items() if not isinstance(value, (dict, list))]
    places += [(key, inner) for key, value in document.items() if isinstance(value, dict) for inner in value]
    for place in lab.some(places, 8):
        for number in lab.some(JSON_NUMBERS, 4):

            def trial(place=place, number=number):
                folder = lab.new_run("odd")
                changed = json.loads(json.dumps(document))
                inner = changed
                for key in place[:-1]:
                    inner = inner[key]
                inner[place[-1]] = "@@"
                header["__metadata__"]["state"] = json.dumps(changed).replace('"@@"', number)
                write_tensors(folder / "state.safetensors", header, content)
                before = (folder / "model.safetensors").read_bytes()
                result = lab.fair(lab.train("--resume", "odd", "--steps", "9"))
                if result.code != OK:
                    lab.expect(
                        (folder / "model.safetensors").read_bytes() == before,
                        f"refused, and the model is another: {result}",
                    )

            yield f"{'.'.join(place)} = {number[:20]}", trial


LOSSES = ["1.7e308", "-1.7e308", "1e-320", "5e-324", "0", "1", "null", "1e400", "-1e400", "NaN", "1e308"]


@attack("docs/report.md, SECURITY.md: the report of any figures ends and is a page")
def figures_of_reports(lab):
    for first in lab.some(LOSSES, 2):
        for second in lab.some(LOSSES, 3):

            def trial(first=first, second=second):
                folder = lab.new_run("odd")
                lines = "".join(
                    f'{{"step":{step},"epoch":{step},"loss":{value},"reconstruction":{value},"kl":{value},"gradient_norm":{value},"lr":{value},'
                    f'"kl_weight":{value},"seconds":{value},"samples_per_second":{value},"valid":{{"loss":{value},"reconstruction":{value},"kl":{value},'
                    f'"active_units":1,"kl_per_latent":[{value},1]}}}}\n'
                    for step, value in ((1, first), (2, second))
                )
                (folder / "metrics.jsonl").write_text(lines)
                result = lab.fair(lab.tool("report", "odd"), {OK, BAD_FILE})
                if result.code == OK:
                    page = (folder / "report.html").read_text()
                    lab.expect(len(page) < 20 << 20, f"a page of {len(page)} bytes")
                    drawn = re.findall(
                        r'(?:points|d|x|y|cx|cy|x1|y1|width|height|transform)="[^"]*\b(?:nan|inf)\b[^"]*"', page
                    )
                    lab.expect(not drawn, f"coordinates that are no numbers: {drawn[:2]}")

            yield f"{first}, {second}", trial
    for step, epoch in (
        ("9223372036854775807", "1"),
        ("1", "1e300"),
        ("1e5", "1"),
        ("-1", "1"),
        ("99999999999999999999", "1"),
        ("1", "1e-300"),
        ("0", "0"),
    ):

        def odd(step=step, epoch=epoch):
            folder = lab.new_run("odd")
            (folder / "metrics.jsonl").write_text(f'{{"step":{step},"epoch":{epoch},"loss":1}}\n' * 2)
            lab.fair(lab.tool("report", "odd"), {OK, BAD_FILE})
            lab.fair(lab.train("--resume", "odd", "--steps", "9"))

        yield f"step {step}, epoch {epoch}", odd

    def many():
        folder = lab.new_run("odd")
        (folder / "metrics.jsonl").write_text(
            "".join(f'{{"step":{i},"epoch":{i},"loss":{i % 7}}}\n' for i in range(1, 200000))
        )
        lab.fair(lab.tool("report", "odd", timeout=60), {OK})

    yield "200,000 lines", many
