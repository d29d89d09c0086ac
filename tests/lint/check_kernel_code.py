#!/usr/bin/env python3
"""Holds what the compiler made of the kernels to a budget (docs/kernels.md, "The compiled kernels").

Usage: check_kernel_code.py BUILD [SOURCE]    (SOURCE: the source tree; by default the one that this script is in)
For every kernel and architecture in the objects of BUILD:
- no local memory, and so no spilled register, but in the kernels of LOCAL;
- an access of 16 bytes each way where the contract moves quads by load_quad and store_quad, and stores of 8 bytes where it
  writes bfloat16 as well;
- there, no neighbouring accesses of 4 bytes in one piece of code, which would be a quad that the compiler took apart;
- FP64 only in the kernels of FP64, and in loops only in those which add in double there.
Where nvcc is of the version that the table of docs/kernels.md names, the table's rows are those of the build.
Exit code: 0 kept, 1 broken (one line each), 2 no kernels, 77 no cuobjdump.
"""
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from kernel_code import Unavailable, compiler_of, read_kernels  # noqa: E402
from kernel_report import documented, rows  # noqa: E402

# Bytes of local memory at the most: what the compiler's own cos() and pow() need to reduce large arguments, and the frames
# of the call that computes the next state. Spills are none of it: nvcc says each, and warnings are errors.
LOCAL = {"update": 96, "set_step": 48}
# Kernels that compute in FP64, and instructions of it in loops at the most: sums in double, and counts above 0.
FP64 = {"grad_norm": 151, "update": 191, "set_step": 0, "latent_kl": 33, "codebook_average": 102, "codebook_usage": 68,
        "count_likelihood": 1007, "count_mean": 0}
# Kernels whose contract moves quads, but in bfloat16 alone.
BFLOAT16_ALONE = {"convert_forward"}
# Fields of structs in these lie as quads do.
NEIGHBOURS = {"update", "set_step"}
CONTRACT = re.compile(r"((?:^[ \t]*///[^\n]*\n)+)(?:template\s*<[^{};]*>\n)?__device__ __forceinline__ void\s+(\w+)_tile\(",
                      re.MULTILINE)


def contracts(source):
    """Labelled lines of each kernel's contract: {kernel: {label: text}}."""
    found = {}
    for path in sorted((source / "kernels").glob("*.cu")):
        for comment, name in CONTRACT.findall(path.read_text(encoding="utf-8")):
            lines = re.sub(r"\n///   ", " ", comment)
            found[name] = dict(re.findall(r"^/// (\w+): (.*)$", lines, re.MULTILINE))
    return found


def wanted_widths(kernel, contract):
    """(loads, stores) of so many bytes that the contract promises."""
    alignment = contract.get("Alignment", "")
    loads = {16} if "load_quad" in alignment else set()
    stores = {16} if "store_quad" in alignment else set()
    if stores and "bfloat16" in contract.get("Bytes", ""):
        stores.add(8)
    return (loads, {8} if kernel in BFLOAT16_ALONE else stores)


def complaints_of(kernel, contract):
    def missing(what, present, wanted):
        return [f"no {what} of {size} bytes" for size in sorted(wanted - set(present), reverse=True)]

    found = []
    if kernel.local_bytes > LOCAL.get(kernel.name, 0) or (kernel.local_accesses and kernel.name not in LOCAL):
        found.append(f"{kernel.local_bytes} bytes of local memory, {kernel.local_accesses} accesses")
    loads, stores = wanted_widths(kernel.name, contract)
    found += missing("load", kernel.loads, loads) + missing("store", kernel.stores, stores)
    for operation, run in kernel.split:
        if kernel.name not in NEIGHBOURS and (loads if operation.startswith("LD") else stores):
            found.append(f"{operation} of 4 bytes for a quad, at {run}")
    if kernel.fp64 and kernel.name not in FP64:
        found.append(f"{kernel.fp64} instructions of FP64")
    elif kernel.fp64_in_loops > FP64.get(kernel.name, 0):
        found.append(f"{kernel.fp64_in_loops} instructions of FP64 in loops")
    return [f"{kernel.source}: {kernel.name} {kernel.instance} sm_{kernel.architecture}: {what}" for what in found]


def stale_rows(kernels, compiler, source):
    page = source / "docs/kernels.md"
    version, there = documented(page)
    if version != compiler:
        print(f"the table of docs/kernels.md is of nvcc {version}, this build of {compiler}: not compared")
        return []
    return [f"docs/kernels.md: not as compiled (tools/kernel_report.sh --update): {line}"
            for line in rows(kernels, False).values() if line not in there]


def main():
    build = Path(sys.argv[1])
    source = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).resolve().parents[2])
    try:
        kernels = read_kernels(build)
    except Unavailable as error:
        print(f"check_kernel_code.py: {error}", file=sys.stderr)
        return 77
    known = contracts(source)
    if not kernels or not known:
        print(f"check_kernel_code.py: no kernels in {build} or {source}", file=sys.stderr)
        return 2
    complaints = [line for kernel in kernels for line in complaints_of(kernel, known.get(kernel.name, {}))]
    complaints += stale_rows(kernels, compiler_of(build), source)
    print("\n".join(complaints + [f"{len(kernels)} kernels, {len(complaints)} complaints"]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
