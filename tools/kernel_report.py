#!/usr/bin/env python3
"""Prints what the compiler made of the kernels of a build (tools/kernel_report.sh, whose --help says how)."""
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kernel_code import Unavailable, compiler_of, read_kernels  # noqa: E402

PAGE = Path(__file__).resolve().parents[1] / "docs/kernels.md"
BEGIN = re.compile(r"^<!-- kernel report: nvcc (\S+) -->$", re.MULTILINE)
END = "<!-- end of kernel report -->"
HEADINGS = ("kernel", "sm", "instructions", "registers", "shared", "local", "occupancy", "loads", "stores", "FP64", "in loops")


def span(values):
    values = sorted(values)
    return str(values[0]) if values[0] == values[-1] else f"{values[0]}–{values[-1]}"


def percent(kernels):
    known = [kernel.occupancy() for kernel in kernels]
    return "" if None in known else span(round(100 * share) for share in known) + " %"


def widths(kernels, which):
    """Bytes of the accesses, in descending order."""
    return " ".join(str(size) for size in sorted({size for kernel in kernels for size in getattr(kernel, which)}, reverse=True))


def row(name, kernels):
    cells = (name, str(kernels[0].architecture), span(k.instructions for k in kernels), span(k.registers for k in kernels),
             span(k.shared_bytes for k in kernels), span(k.local_bytes for k in kernels), percent(kernels),
             widths(kernels, "loads"), widths(kernels, "stores"), span(k.fp64 for k in kernels),
             span(k.fp64_in_loops for k in kernels))
    return "| " + " | ".join(cells) + " |"


def grouped(kernels):
    groups = {}
    for kernel in kernels:
        groups.setdefault((kernel.name, kernel.architecture), []).append(kernel)
    return groups


def rows(kernels, every_instance):
    """A table's rows by (kernel, architecture)."""
    if every_instance:
        return {(k.name, k.architecture, k.instance): row(f"{k.name} {k.instance}".strip(), [k]) for k in kernels}
    return {key: row(f"{key[0]} × {len(group)}" if len(group) > 1 else key[0], group)
            for key, group in grouped(kernels).items()}


def table(kernels, every_instance):
    heading = "| " + " | ".join(HEADINGS) + " |"
    return "\n".join([heading, "|" + "---|" * len(HEADINGS), *rows(kernels, every_instance).values()])


def documented(page=PAGE):
    """The version of nvcc and the rows of the page's table."""
    text = page.read_text(encoding="utf-8")
    begin = BEGIN.search(text)
    if begin is None or END not in text:
        raise ValueError(f"{page}: no table between '<!-- kernel report: nvcc VERSION -->' and '{END}'")
    return begin.group(1), [line for line in text[begin.end():text.index(END)].splitlines() if line.startswith("|")]


def put_into_page(kernels, compiler, page=PAGE):
    documented(page)
    text = page.read_text(encoding="utf-8")
    before, after = text[:BEGIN.search(text).start()], text[text.index(END):]
    page.write_text(f"{before}<!-- kernel report: nvcc {compiler} -->\n{table(kernels, False)}\n{after}", encoding="utf-8")


def main():
    build = Path(sys.argv[-1])
    try:
        kernels = read_kernels(build)
    except Unavailable as error:
        print(f"kernel_report.sh: {error}", file=sys.stderr)
        return 77
    if not kernels:
        print(f"kernel_report.sh: no compiled kernels in {build}: build the target vaecuda_kernels there", file=sys.stderr)
        return 2
    if "--update" in sys.argv:
        put_into_page(kernels, compiler_of(build))
    else:
        print(f"nvcc {compiler_of(build)}\n{table(kernels, '--all' in sys.argv)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
