#!/usr/bin/env python3
"""Draws a report of tools/compare.sh: the time of a training step in every program, as multiples of vaecuda's.

Usage: plot.py REPORT.json PICTURE.svg
Of each framework the fastest mode of each shape is drawn, by the median of the rounds' ratios.
"""
import json
import sys
from pathlib import Path
from xml.sax.saxutils import escape

TITLES = {"pytorch": "PyTorch", "jax": "JAX"}
NAMES = {"vaecuda": "vaecuda", **TITLES}
COLOURS = {"vaecuda": "#2563a8", "pytorch": "#c8553d", "jax": "#6b8f3f"}
WIDTH, LEFT, RIGHT, TOP = 760, 210, 60, 92
BAR, GAP = 17, 18


def rows_of(cell):
    """(program, multiple of our time, milliseconds) for us and for the fastest mode of each framework."""
    rows = [("vaecuda", 1.0, cell["ours"]["ms_per_step"])]
    for name in TITLES:
        fastest = min((peer for peer in cell["peers"] if peer["peer"] == name), key=lambda peer: peer["ratio"], default=None)
        if fastest:
            rows.append((name, fastest["ratio"], fastest["ms_per_step"]))
    return rows


def network_of(cell):
    return "-".join(str(width) for width in (cell["input"], *cell["hidden"], cell["latent_dim"]))


def batches_of(cells):
    """What stands under each network: batch and samples, and that a shape was measured again."""
    words, seen = [], {}
    for cell in cells:
        samples = cell.get("samples", 1)
        label = f"batch {cell['batch_size']}" + (f", {samples} samples a row" if samples > 1 else "")
        times = seen[network_of(cell), label] = seen.get((network_of(cell), label), 0) + 1
        words.append(label if times == 1 else f"{label}, run {times}")
    return words


def milliseconds(ms):
    return f"{ms:.3g} ms" if ms < 1000 else f"{ms:.0f} ms"


def text(x, y, content, size=12, anchor="start", colour="#222222", weight="normal"):
    return (f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}">'
            f"{escape(content)}</text>")


def legend(programs):
    """One swatch and name for each program, side by side."""
    shapes, x = [], LEFT
    for program in programs:
        shapes.append(f'<rect x="{x}" y="60" width="14" height="14" fill="{COLOURS[program]}"/>')
        shapes.append(text(x + 20, 71.5, NAMES[program]))
        x += 110
    return shapes


def draw(report):
    cells = [cell for cell in report["cells"] if cell["ours"] and cell["peers"]]
    if not cells:
        raise ValueError("the report has no shape that both vaecuda and a peer have trained")
    groups = list(zip(cells, batches_of(cells), map(rows_of, cells)))
    scale = (WIDTH - LEFT - RIGHT - 70) / max(ratio for _, _, rows in groups for _, ratio, _ in rows)
    device = report["device"]
    where = device["name"] + (f", {device['threads']} threads" if device.get("threads") else "")
    drawn = {program for _, _, rows in groups for program, _, _ in rows}
    shapes = [text(16, 24, f"Time of a training step as a multiple of vaecuda's, {cells[0]['precision']}: shorter is faster", 15,
                   weight="bold"),
              text(16, 44, f"{where}; each framework at its fastest", colour="#555555"),
              *legend([program for program in NAMES if program in drawn])]
    y = TOP
    for cell, batch, rows in groups:
        middle = y + len(rows) * BAR / 2
        shapes.append(text(LEFT - 12, middle - 2, network_of(cell), anchor="end"))
        shapes.append(text(LEFT - 12, middle + 13, batch, anchor="end", colour="#555555"))
        for program, ratio, ms in rows:
            shapes.append(f'<rect x="{LEFT}" y="{y + 1}" width="{ratio * scale:.1f}" height="{BAR - 2}" fill="{COLOURS[program]}"/>')
            label = milliseconds(ms) if program == "vaecuda" else f"{ratio:.2f}×, {milliseconds(ms)}"
            shapes.append(text(LEFT + ratio * scale + 6, y + BAR - 4, label))
            y += BAR
        y += GAP
    shapes.append(f'<path d="M{LEFT} {TOP - 6}V{y - GAP + 6}" stroke="#555555"/>')
    height = y + 4
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'font-family="Helvetica, Arial, sans-serif">\n<rect width="{WIDTH}" height="{height}" fill="white"/>\n'
            + "\n".join(shapes) + "\n</svg>\n")


def main():
    report, picture = Path(sys.argv[1]), Path(sys.argv[2])
    picture.write_text(draw(json.loads(report.read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
