#!/usr/bin/env python3
"""Puts together what tools/compare.sh measured.

Usage: summarize.py round FOLDER                  one line on one round of one shape
       summarize.py all FOLDER COMMAND [OUT]      the table on stdout, the JSON report in OUT
A shape's folder is called NUMBER,NAME,NETWORK,PRECISION and has a folder per round; there NAME.out, .err, .code and
.load are what a program printed, its exit code ("late" if it had to stop since the time for all was over) and the
percentage of the processors' time that other programs took meanwhile. NAME is "ours", or a peer's name with the BLAS
kernels that it was told to use.
Exit code 1 if a program failed, rather than saying that it does not do this.
"""
import json
import statistics
import sys
from pathlib import Path

# vaecuda's and the peers' exit code for an option that they do not have.
REFUSED = 2
TIMED_OUT = (124, 137)
# Above this percentage a figure says more about the other programs.
QUIET_LOAD = 5


def last_line(path):
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"


class Round:
    """The figures of one round: ours, peers by (peer, mode, kernels), and why one has none."""

    def __init__(self, folder):
        self.ours, self.document, self.peers = None, {}, {}
        self.refused, self.failed, self.late = [], [], []
        self.other_load = max((int(path.read_text()) for path in folder.glob("*.load")), default=None)
        for path in sorted(folder.glob("*.out"), key=lambda path: path.stem):
            name = path.stem
            code = path.with_suffix(".code").read_text().strip()
            late, code = code == "late", 0 if code == "late" else int(code)
            try:
                if name == "ours":
                    self.read_ours(path)
                else:
                    self.read_peer(path, name.partition(",")[2])
            except (ValueError, KeyError) as error:
                if not late and not code:
                    code = 1
                    path.with_suffix(".err").write_text(f"its output cannot be read: {error!r}")
            if late:
                self.late.append(f"{name}: no time left")
            elif code:
                reason = "stopped by its time limit" if code in TIMED_OUT else last_line(path.with_suffix(".err"))
                (self.refused if code == REFUSED else self.failed).append(f"{name}: {reason} (exit code {code})")

    def read_ours(self, path):
        text = path.read_text()
        if text.strip():
            self.document = json.loads(text)
            (self.ours,) = self.document["results"]

    def read_peer(self, path, kernels):
        for text in path.read_text().splitlines():
            line = json.loads(text)
            self.peers[line["peer"], line["mode"], kernels] = line

    def ratios(self):
        """By peer, with "best" for the fastest of them; only where there is a figure of ours."""
        if self.ours is None or not self.peers:
            return {}
        ratios = {key: line["ms_per_step"] / self.ours["ms_per_step"] for key, line in self.peers.items()}
        return {**ratios, "best": min(ratios.values())}


def title(key):
    peer, mode, kernels = key
    return f"{peer} {mode}" + (f", {kernels} kernels" if kernels else "")


def first_of_each(rounds, attribute):
    return list(dict.fromkeys(text for r in rounds for text in getattr(r, attribute)))


class Cell:
    """All rounds of one shape in one precision."""

    def __init__(self, folder):
        _, self.name, self.network, self.precision = folder.name.split(",")
        self.rounds = [Round(path) for path in sorted(folder.iterdir(), key=lambda path: int(path.name))]
        self.ours = [r.ours["ms_per_step"] for r in self.rounds if r.ours]
        self.peers = {}
        for r in self.rounds:
            for key, line in r.peers.items():
                self.peers.setdefault(key, []).append(line)

    def ratio(self, key):
        values = [r.ratios()[key] for r in self.rounds if key in r.ratios()]
        return statistics.median(values) if values else None

    def peer_ms(self, key):
        return statistics.median(line["ms_per_step"] for line in self.peers[key])

    def best(self):
        return min(self.peers, key=self.peer_ms) if self.peers else None

    def sizes(self):
        network, _, rest = self.network.partition("@")
        batch, _, samples = rest.partition("x")
        first, *hidden, last = (int(width) for width in network.split("-"))
        return {"shape": self.name, "input": first, "hidden": hidden, "latent_dim": last, "batch_size": int(batch),
                "samples": int(samples or 1), "precision": self.precision}

    def report(self):
        ours = None
        if self.ours:
            ms = statistics.median(self.ours)
            ours = {"ms_per_step": ms, "rows_per_second": self.sizes()["batch_size"] * 1e3 / ms, "rounds": self.ours}
        peers = []
        for key, lines in self.peers.items():
            facts = {name: lines[0].get(name) for name in ("peer", "mode", "version", "adam", "device_name", "threads")}
            peers.append({**facts, "blas_kernels": key[2] or None, "ms_per_step": self.peer_ms(key),
                          "loss": lines[-1]["loss"], "rounds": [line["ms_per_step"] for line in lines],
                          "ratio": self.ratio(key)})
        best = self.best()
        return {**self.sizes(), "ours": ours, "peers": peers,
                "best": {"peer": title(best), "ratio": self.ratio("best")} if best else None,
                "other_load_percent": [r.other_load for r in self.rounds],
                "refused": first_of_each(self.rounds, "refused"), "failed": first_of_each(self.rounds, "failed")}


def figure(ms, ratio):
    text = f"{ms:.4g}" if ms < 1000 else f"{ms:.0f}"
    return text if ratio is None else f"{text} ({ratio:.2f})"


def print_table(cells):
    columns = list(dict.fromkeys(key for cell in cells for key in cell.peers))
    print("| shape | precision | rounds | ours, ms | " + "".join(f"{title(key)} | " for key in columns) + "best peer |")
    print("|---|---|---|---|" + "---|" * len(columns) + "---|")
    for cell in cells:
        name = cell.name if "@" in cell.name else f"{cell.name} ({cell.network})"
        ours = figure(statistics.median(cell.ours), None) if cell.ours else "-"
        row = [figure(cell.peer_ms(key), cell.ratio(key)) if key in cell.peers else "-" for key in columns]
        best, ratio = cell.best(), cell.ratio("best")
        row.append("-" if best is None else title(best) + ("" if ratio is None else f" ({ratio:.2f})"))
        print(f"| {name} | {cell.precision} | {len(cell.rounds)} | {ours} | " + " | ".join(row) + " |")
    print("\nMilliseconds per step, median of the rounds; in brackets how many times ours is faster, the median of the")
    print("ratios per round.")


def summarize(folder, command, out):
    cells = [Cell(path) for path in sorted(Path(folder).iterdir())]
    measured = [cell for cell in cells if cell.ours or cell.peers]
    reports = [cell.report() for cell in cells]
    left_out = [f"{cell.name} {cell.precision}: no time left" for cell in cells if not cell.rounds]
    left_out += [f"{cell.name} {cell.precision}, {text}" for cell in cells
                 for text in first_of_each(cell.rounds, "late")]
    print_table(measured)
    notes = [f"{cell.name} {cell.precision}, not done by {text}" for cell, report in zip(cells, reports)
             for text in report["refused"]]
    failures = [f"{cell.name} {cell.precision}, failed: {text}" for cell, report in zip(cells, reports)
                for text in report["failed"]]
    noisy = [f"{cell.name} {cell.precision}: other programs took up to {load} % of the processors" for cell in cells
             if (load := max((r.other_load or 0 for r in cell.rounds), default=0)) > QUIET_LOAD]
    for text in noisy + notes + failures + [f"left out: {text}" for text in left_out]:
        print(f"- {text}")
    if out:
        document = next((r.document for cell in cells for r in cell.rounds if r.document), {})
        report = {"schema": 1, "command": command, "device": document.get("device"), "build": document.get("build"),
                  "cells": [report for cell, report in zip(cells, reports) if cell.rounds], "left_out": left_out}
        Path(out).write_text(json.dumps(report, indent=1) + "\n")
    return 1 if failures else 0


def describe_round(folder):
    r = Round(Path(folder))
    parts = [f"ours {figure(r.ours['ms_per_step'], None)} ms"] if r.ours else []
    parts += [f"{title(key)} {figure(line['ms_per_step'], r.ratios().get(key))}" for key, line in r.peers.items()]
    if r.other_load is not None and r.other_load > QUIET_LOAD:
        parts.append(f"others took up to {r.other_load} % of the processors")
    print(": " + "; ".join(parts + r.refused + r.failed + r.late))
    return 0


def main():
    what, folder, *rest = sys.argv[1:]
    return describe_round(folder) if what == "round" else summarize(folder, rest[0], rest[1] if len(rest) > 1 else "")


if __name__ == "__main__":
    sys.exit(main())
