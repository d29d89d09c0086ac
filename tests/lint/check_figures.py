#!/usr/bin/env python3
"""Checks that measured figures in the documentation stand in a report.

Usage: check_figures.py [FOLDER]    (the source tree; by default the one that this script is in)
Looks at the sections called "Figures" of README.md and docs/benchmarks/README.md. There every number with a decimal
point must stand in a table of docs/results.md, or in a report that a comment on a line of its own names:
  <!-- measured: cpu-zen5/compare.json shape=A best.ratio -->
It holds for every such number of the block below it: up to the next blank line, or that after it where one follows the
comment. Comments on lines that follow one another hold together. The file lies in docs/benchmarks/. What follows it is
optional: KEY=VALUE narrows the search to the objects that have it (and to what lies in them), and a last word without
"=" is the path of the one field that is meant. A number agrees if it is the report's number, rounded to as many digits.
Blocks of code are left out. A comment within a line is a complaint: it would stand in the middle of a sentence for whoever
reads the file as text.
Exit code: 0 all found, 1 some not (one line each), 2 no figures to check.
"""
import json
import re
import sys
from pathlib import Path

PAGES = ("README.md", "docs/benchmarks/README.md")
NUMBER = re.compile(r"(?<![\w.-])\d+\.\d+(?![\w.]*\.\d)")
MARK = re.compile(r"<!-- measured: ([^\s<>]+)((?: [^\s<>]+)*) -->")
SKIPPED = re.compile(r"`[^`]*`|\]\([^)]*\)")  # code, and where links lead


def numbers_in(value):
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield float(value)
    elif isinstance(value, list):
        for item in value:
            yield from numbers_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers_in(item)


def objects_with(value, key, wanted):
    if isinstance(value, list):
        for item in value:
            yield from objects_with(item, key, wanted)
    elif isinstance(value, dict):
        if str(value.get(key)) == wanted:
            yield value
        else:
            for item in value.values():
                yield from objects_with(item, key, wanted)


def field_of(value, path):
    for name in path.split("."):
        value = value[name]
    return value


class Tree:
    def __init__(self, root):
        self.root = root
        self.documents = {}

    def table_numbers(self):
        rows = [line for line in (self.root / "docs/results.md").read_text().splitlines() if line.startswith("|")]
        return {float(text) for row in rows for text in NUMBER.findall(row)}

    def report_numbers(self, name, query):
        path = self.root / "docs/benchmarks" / name
        if name not in self.documents:
            self.documents[name] = json.loads(path.read_text())
        found = [self.documents[name]]
        for word in query:
            key, equals, wanted = word.partition("=")
            if equals:
                found = [item for value in found for item in objects_with(value, key, wanted)]
            else:
                found = [field_of(value, word) for value in found]
                if len(found) != 1:
                    raise ValueError(f"'{' '.join(query)}' means {len(found)} fields of {name}")
        return set(numbers_in(found))


def agrees(text, candidates):
    digits = len(text.partition(".")[2])
    return any(abs(float(text) - value) <= 0.500001 * 10.0 ** -digits for value in candidates)


def check_page(tree, page):
    """(figures, complaints) of a page."""
    figures, complaints = 0, []
    inside, block, started, code = False, None, False, False
    for number, line in enumerate((tree.root / page).read_text().splitlines(), 1):
        if line.startswith("```"):
            code = not code
        if code:
            continue
        if line.startswith("#"):
            inside, block = line.lstrip("# ") == "Figures" or (inside and line.startswith("###")), None
        alone = MARK.fullmatch(line.strip())
        if "<!--" in line and not alone:
            complaints.append(f"{page}:{number}: a comment within a line; give it a line of its own")
        if not inside:
            continue
        try:
            if alone:
                found = tree.report_numbers(alone[1], alone[2].split())
                block, started = (found if block is None or started else block | found), False
                continue
            if block is not None and not line.strip():
                if started:
                    block = None
                continue
            started = True
            for text in NUMBER.findall(SKIPPED.sub("", line)):
                figures += 1
                if not agrees(text, tree.table_numbers() if block is None else block):
                    where = "a table of docs/results.md, and no mark says where else" if block is None else "the report"
                    complaints.append(f"{page}:{number}: {text} does not stand in {where}")
        except (OSError, ValueError, KeyError, TypeError) as error:
            complaints.append(f"{page}:{number}: {error}")
    return figures, complaints


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
    tree = Tree(root)
    figures, complaints = 0, []
    for page in PAGES:
        count, wrong = check_page(tree, page)
        figures += count
        complaints += wrong
    print("\n".join(complaints + [f"{figures} figures, {len(complaints)} without a report"]))
    if figures == 0:
        print("check_figures.py: no figure found", file=sys.stderr)
        return 2
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
