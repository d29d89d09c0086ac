#!/usr/bin/env python3
"""Checks the form of the kernels (docs/kernels.md).

Usage: check_kernels.py [FOLDER]    (the source tree; by default the one that this script is in)
- Only kernels/device/tile.cuh names blockIdx and gridDim, and only __global__ functions call this_tile().
- A __global__ function NAME_kernel is empty, or its one statement calls NAME_tile of the same file.
- The comment in front of NAME_tile, or of an empty NAME_kernel, is a contract: lines that begin with a label, the labels
  in the order of LABELS, each once and those of REQUIRED all there; lines that go on with one are indented.
- docs/kernels.md links each file with a kernel.
Exit code: 0 kept, 1 broken (one line each), 2 no kernels to check.
"""
import re
import sys
from pathlib import Path

REQUIRED = ("Equation", "Threads", "Bytes", "Alignment", "Determinism")
LABELS = REQUIRED + ("Aliases", "Faults")
PLACES = "kernels/device/tile.cuh"
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
PLACE = re.compile(r"(?<![.\w])(?:blockIdx|gridDim)\b")
KERNEL = re.compile(r"__global__\s+void\s+(?:__launch_bounds__\([^()]*\)\s+)?(\w+)_kernel\(([^()]*)\)\s*\{")
CONTRACT = re.compile(r"((?:^[ \t]*///[^\n]*\n)*)(?:^template\s*<[^{};]*>\n)?\Z", re.MULTILINE)
LABEL = re.compile(r"/// ([A-Z][a-z]+): \S")
LABEL_INSIDE = re.compile(rf"\b(?:{'|'.join(LABELS)}):")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def closing(code, opening):
    """Where the brace at `opening` is closed."""
    depth = 0
    for place in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[place], 0)
        if depth == 0:
            return place
    return len(code)


class Source:
    def __init__(self, root, path):
        self.name = path.relative_to(root).as_posix()
        self.text = path.read_text(encoding="utf-8")
        self.code = COMMENT.sub(blank, self.text)  # as long as the text
        self.complaints = []

    def complain(self, place, what):
        self.complaints.append(f"{self.name}:{self.text.count(chr(10), 0, place) + 1}: {what}")

    def check(self):
        """How many kernels there are."""
        if self.name != PLACES:
            for match in PLACE.finditer(self.code):
                self.complain(match.start(), f"{match.group()}: take a device::Tile ({PLACES})")
        bodies = []
        kernels = {match.start(): match for match in KERNEL.finditer(self.code)}
        for qualifier in re.finditer(r"\b__global__\b", self.code):
            match = kernels.get(qualifier.start())
            if match is None:
                self.complain(qualifier.start(), "a kernel is `__global__ void NAME_kernel(…) {`")
                continue
            end = closing(self.code, match.end() - 1)
            bodies.append((match.end(), end))
            self.check_kernel(match, self.code[match.end():end].strip())
        for match in re.finditer(r"\bthis_tile\(", self.code):
            if self.name != PLACES and not any(begin <= match.start() < end for begin, end in bodies):
                self.complain(match.start(), "only a __global__ function calls this_tile()")
        return len(kernels)

    def check_kernel(self, kernel, body):
        name = kernel.group(1)
        if not body:
            self.check_contract(self.code.rfind("\n", 0, kernel.start()) + 1, f"{name}_kernel")
            return
        if not re.fullmatch(rf"{name}_tile(?:<[^;{{}}]*>)?\([^;{{}}]*\);", body):
            self.complain(kernel.start(), f"{name}_kernel: its one statement calls {name}_tile")
            return
        tile = re.search(rf"^__device__ __forceinline__ void\s+{name}_tile\(", self.code, re.MULTILINE)
        if tile is None:
            self.complain(kernel.start(), f"no `__device__ __forceinline__ void {name}_tile(` in this file")
            return
        self.check_contract(tile.start(), f"{name}_tile")

    def check_contract(self, place, function):
        labels = []
        lines = CONTRACT.search(self.text[:place]).group(1).splitlines()
        for line in lines:
            label = LABEL.match(line)
            if label:
                labels.append(label.group(1))
            elif not line.startswith("///   ") or not labels:
                self.complain(place, f"{function}: neither a label nor an indented line behind one: {line}")
            if LABEL_INSIDE.search(line, 5):
                self.complain(place, f"{function}: a label begins a line: {line}")
        if labels != [label for label in LABELS if label in REQUIRED or label in labels]:
            self.complain(place, f"{function}: the labels of a contract are {', '.join(REQUIRED)} and, where there is "
                                 f"something to say, Aliases, Faults, in this order; here {', '.join(labels) or 'none'}")


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]).resolve()
    sources = [Source(root, path) for path in sorted((root / "kernels").rglob("*.cu*"))]
    page = root / "docs/kernels.md"
    linked = page.read_text(encoding="utf-8") if page.exists() else ""
    kernels = 0
    complaints = []
    for source in sources:
        found = source.check()
        if found and f"](../{source.name})" not in linked:
            source.complain(0, "docs/kernels.md has no link to it")
        kernels += found
        complaints += source.complaints
    if kernels == 0 and not complaints:
        print(f"check_kernels.py: no kernel in {root}/kernels", file=sys.stderr)
        return 2
    print("\n".join(complaints + [f"{kernels} kernels, {len(complaints)} complaints"]))
    return 1 if complaints else 0


sys.exit(main())
