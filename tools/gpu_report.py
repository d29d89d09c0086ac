#!/usr/bin/env python3
"""Writes the report of tools/gpu_check.sh: report.json, report.md and log.txt.

Usage: gpu_report.py WORK OUT unfinished|final|dry
WORK has facts (key and value per line), gpu (nvidia-smi's line per card), parts (name, status, seconds, limit and
command per line, in order; all between tabs), logs/NAME, and results/NAME.json or .md of the parts that measured.
Prints the verdict. Exit code 1 if a part did not pass.
"""
import json
import sys
from pathlib import Path

GPU_FACTS = ("name", "compute_capability", "driver", "memory", "maximum_sm_clock", "maximum_memory_clock")
GOOD = ("passed", "left out")
LOG_LINES_SHOWN = 20
# Of a benchmark's document; others, such as the roofline of "ops", hold for all its results.
KNOWN_KEYS = {"schema", "command", "device", "build", "results"}


def read_lines(path, keys, separator):
    return [dict(zip(keys, (field.strip() for field in line.split(separator, len(keys) - 1))))
            for line in path.read_text().splitlines()]


def read_parts(work):
    parts = read_lines(work / "parts", ("name", "status", "seconds", "limit_seconds", "command"), "\t")
    for part in parts:
        part["seconds"], part["limit_seconds"] = int(part["seconds"]), int(part["limit_seconds"])
    return parts


def read_results(work, parts):
    """The documents by part; a part that passed without one did not."""
    results = {}
    for part in parts:
        path = work / "results" / f"{part['name']}.json"
        if not path.exists():
            continue
        try:
            results[part["name"]] = json.loads(path.read_text())
        except ValueError:
            if part["status"] == "passed":
                part["status"] = "failed: printed no JSON document"
    return results


def is_good(part, dry):
    return part["status"].startswith(GOOD) or (dry and part["status"] == "dry run")


def verdict_of(parts, kind):
    bad = [part["name"] for part in parts if not is_good(part, kind == "dry")]
    if bad:
        return "FAILED: " + ", ".join(bad)
    left_out = [part["name"] for part in parts if part["status"].startswith("left out")]
    done = "every part" + (f" but {', '.join(left_out)}, left out" if left_out else "")
    return {"unfinished": "unfinished", "dry": "dry run passed: what needs no card works",
            "final": f"passed: {done}"}[kind]


def cell(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10000 else f"{value:.0f}"
    if isinstance(value, list):
        return "-".join(cell(item) for item in value)
    return "" if value is None else str(value).replace("|", "\\|")


def table(rows):
    """A Markdown table of dictionaries, with a column for every key that has a value somewhere."""
    columns = [key for key in dict.fromkeys(key for row in rows for key in row)
               if any(row.get(key) is not None for row in rows)]
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(cell(row.get(key)) for key in columns) + " |"


def markdown(report, work):
    yield "# GPU check"
    yield f"\n**{report['verdict']}**\n"
    for key, value in report["facts"].items():
        yield f"- {key}: {value}"
    for gpu in report["gpus"]:
        yield "- GPU: " + ", ".join(f"{key} {value}" for key, value in gpu.items())
    yield "\n## Parts\n"
    yield from table([{"part": part["name"], "status": part["status"], "seconds": part["seconds"],
                       "limit": part["limit_seconds"]} for part in report["parts"]])
    for part in report["parts"]:
        log = work / "logs" / part["name"]
        if part["status"].startswith(("failed", "stopped")) and log.exists():
            yield f"\n### The end of {part['name']}\n\n```"
            yield from log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
            yield "```"
    for name, document in report["results"].items():
        yield f"\n## {name}\n"
        page = work / "results" / f"{name}.md"
        if page.exists():
            yield page.read_text(errors="replace").rstrip()
        elif document.get("results"):
            for key in document.keys() - KNOWN_KEYS:
                yield f"{key}: " + ", ".join(f"{name} {cell(value)}" for name, value in document[key].items()) + "\n"
            yield from table(document["results"])


def main():
    work, out, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    parts = read_parts(work)
    results = read_results(work, parts)
    facts = {fact["key"]: fact["value"] for fact in read_lines(work / "facts", ("key", "value"), "\t")}
    report = {"schema": 1, "verdict": verdict_of(parts, kind), "dry_run": kind == "dry", "facts": facts,
              "gpus": read_lines(work / "gpu", GPU_FACTS, ","), "parts": parts, "results": results}
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    (out / "report.md").write_text("\n".join(markdown(report, work)) + "\n")
    logs = (work / "logs" / part["name"] for part in parts)
    (out / "log.txt").write_text("\n".join(log.read_text(errors="replace") for log in logs if log.exists()))
    print(f"\nReport: {out / 'report.md'}\n{report['verdict']}")
    return 1 if report["verdict"].startswith("FAILED") else 0


if __name__ == "__main__":
    sys.exit(main())
