"""The validation page: figures in Markdown and a plot of predicted against measured, drawn as SVG from the same rows."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from analytics.serving.doubt import BAND_SHARE
from analytics.serving.residuals import coverage

#: Colour-blind-safe marks per family (Okabe and Ito), in the order families are listed.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000", "#8C6D31")
SIZE, EDGE = 720, 64
#: Rows whose miss is explained where the page lists the largest ones.
LARGEST = 14


def write(path: Path, result: Mapping[str, Any], residuals: Sequence[Mapping[str, str]]) -> None:
    """Write the page to `path` and its plot beside it as `<name>.svg`.

    Errors: ValueError, one sentence, where the name does not end in .md or a file cannot be written.
    """
    if path.suffix != ".md":
        raise ValueError(f"the report must be a file that ends in .md, got {path}")
    plot = path.with_suffix(".svg")
    write_whole({plot: svg(result["rows"]), path: markdown(result, residuals, plot.name)})


def write_whole(files: Mapping[Path, str]) -> None:
    """Replace files by new text, all or none of each: each is written beside its place and then renamed over it.

    Errors: ValueError, one sentence, where one cannot be written; no file has changed then unless the rename itself failed.
    """
    parts = {path: path.with_name(f".{path.name}.part") for path in files}
    try:
        for path, text in files.items():
            parts[path].write_text(text, encoding="utf-8")
        for path, part in parts.items():
            os.replace(part, path)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink()


def markdown(result: Mapping[str, Any], residuals: Sequence[Mapping[str, str]], plot: str) -> str:
    """The page as Markdown."""
    summary = result["summary"]
    lines = [
        "# How wrong the serving model is",
        "",
        "Written by `python -m analytics.validate --report docs/validation.md`; the constants and the left-out errors by",
        "`python -m analytics.validate --fit`. Ratio is predicted over measured; error is |ratio - 1|, its median over rows.",
        "",
        f"![Predicted against measured]({plot})",
        "",
        "## Error by kind of measurement",
        "",
    ]
    figures = ["median error", "within 25 %", "geometric mean ratio"]
    lines += _table(["measurements", "cells", *figures], [[name, *_figures(e)] for name, e in summary["families"].items()])
    lines += ["", "With constants fitted without the model, or without the chip, that is predicted; the worse is the headline:", ""]
    words = {"without_model": "its model", "without_chip": "its chip"}
    left_out = [
        [family, word + (" (headline)" if kinds["headline"] == kind else ""), *_figures(kinds[kind])]
        for family, kinds in summary["left_out"].items()
        for kind, word in words.items()
        if kind in kinds
    ]
    lines += _table(["measurements", "left out", "rows", *figures], left_out)
    lines += ["", "## Bands", "", *_bands(residuals, list(summary["left_out"]))]
    lines += ["", "## Where the error sits", "", *_groups(residuals), "", "## Largest misses", ""]
    left = [row for row in residuals if row["ratio_without_model"]]
    left.sort(key=lambda row: -abs(math.log(float(row["ratio_without_model"]))))
    misses = [
        [r["row"], r["family"], r["model"], r["chip_id"], f"{r['input_tokens']} / {r['output_tokens']}", r["ratio_without_model"]]
        for r in left[:LARGEST]
    ]
    lines += _table(["row", "kind", "model", "chip", "in / out tokens", "ratio without its model"], misses)
    constants = [[c["engine"] or "all", c["constant"], c["value"], c["unit"], c["fitted_on"]] for c in summary["constants"]]
    lines += ["", "## Constants fitted", "", *_table(["engine", "constant", "value", "unit", "fitted on"], constants)]
    kernels = [
        [k["row"], k["kernel"], "not modelled" if k["predicted"] is None else k["predicted"], f"{k['measured']:g}", k["unit"]]
        for k in result["kernels"]
    ]
    lines += ["", "## Kernels", "", *_table(["row", "kernel", "predicted", "published", "unit"], kernels)]
    cells = [
        [
            item["row"],
            item["quantity"],
            "unknown" if item["predicted"] is None else f"{item['predicted']:g}",
            f"{item['measured']:g}",
            item["ratio"] or "",
            "; ".join(item["assumed"]),
        ]
        for item in result["rows"]
    ]
    lines += ["", "## Every cell", "", *_table(["row", "quantity", "predicted", "measured", "ratio", "assumed"], cells)]
    return "\n".join(lines) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A Markdown table."""
    return ["| " + " | ".join(str(cell) for cell in row) + " |" for row in (heads, ["---"] * len(heads), *rows)]


def _figures(e: Mapping[str, Any]) -> list[str]:
    return [str(e["n"]), f"{e['median_absolute_error']:.1%}", f"{e['within_25_percent']:.0%}", f"{e['geometric_mean_ratio']:.3f}"]


def _groups(residuals: Sequence[Mapping[str, str]]) -> list[str]:
    """Mean ratios by model and by chip of the rows that were fitted, left out with their model."""
    rows = []
    for family in dict.fromkeys(row["family"] for row in residuals):
        for column in ("model", "chip_id"):
            for name in sorted({row[column] for row in residuals if row["family"] == family}):
                mine = [row for row in residuals if row["family"] == family and row[column] == name and row["ratio_without_model"]]
                found = [math.log(float(row["ratio_without_model"])) for row in mine]
                if found:
                    mean, worst = math.exp(sum(found) / len(found)), math.exp(max(found, key=abs))
                    rows.append([family, name, len(found), f"{mean:.2f}", f"{worst:.2f}"])
    return _table(["measurements", "group", "rows", "geometric mean ratio without its model", "largest miss"], rows)


def _bands(residuals: Sequence[Mapping[str, str]], families: Sequence[str]) -> list[str]:
    """How many left-out measurements the bands cover, and how they are made."""
    rows = []
    for family in families:
        for left_out in ("model", "chip"):
            found = coverage(residuals, family, left_out)
            if found:
                share = f"{found.inside / found.n:.1%}"
                rows.append([family, f"its {left_out}", found.groups, found.n, found.inside, share, f"{found.width:.2f}"])
    return [
        f"A band is where {BAND_SHARE:.1%} of new measurements should fall: Student's t for the logarithm of measured over predicted. Runs of",
        "one model miss together, so its width comes from two components of variance, between models and inside them, with Satterthwaite's",
        "degrees of freedom (`analytics/serving/doubt.py`). Each row below is predicted with its model or its chip left out of the fit and",
        "of the band. A few models decide where they differ much: MLPerf has five, and their band is wide for it.",
        "",
        *_table(["measurements", "left out", "groups", "rows", "inside their band", "share", "high over low"], rows),
    ]


def svg(items: Sequence[Mapping[str, Any]]) -> str:
    """Predicted against measured token rates on logarithmic axes, the lines of equality and of 25 % either side."""
    points = [item for item in items if item["ratio"] and "tok_s" in str(item["quantity"])]
    if not points:
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}"></svg>\n'
    values = [float(item[name]) for item in points for name in ("predicted", "measured")]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    span = SIZE - EDGE - 24

    def x(value: float) -> float:
        return EDGE + (math.log10(value) - low) / (high - low) * span

    def y(value: float) -> float:
        return SIZE - EDGE - (math.log10(value) - low) / (high - low) * span

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif" font-size="13">',
        f"<title>Predicted against measured tokens per second and GPU, {len(points)} published figures</title>",
        f'<rect width="{SIZE}" height="{SIZE}" fill="#ffffff"/>',
    ]
    for decade in range(low, high + 1):
        label = f"{10**decade:,}"
        across, up = x(10**decade), y(10**decade)
        lines = f"M{across:.1f} {y(10**low):.1f}V{y(10**high):.1f}M{x(10**low):.1f} {up:.1f}H{x(10**high):.1f}"
        parts.append(f'<path d="{lines}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{x(10**decade):.1f}" y="{SIZE - EDGE + 18}" text-anchor="middle" fill="#444">{label}</text>')
        parts.append(f'<text x="{EDGE - 8}" y="{y(10**decade) + 4:.1f}" text-anchor="end" fill="#444">{label}</text>')
    bottom, top = 10**low, 10**high
    for factor, dash in ((1.0, ""), (1.25, "4 4"), (0.75, "4 4")):
        start, end = max(bottom, bottom / factor), min(top, top / factor)
        line = f"M{x(start):.1f} {y(start * factor):.1f}L{x(end):.1f} {y(end * factor):.1f}"
        parts.append(f'<path d="{line}" stroke="#777" fill="none" stroke-dasharray="{dash}"/>')
    families = list(dict.fromkeys(str(item["family"]) for item in points))
    for item in points:
        colour = COLOURS[families.index(str(item["family"])) % len(COLOURS)]
        parts.append(
            f'<circle cx="{x(item["measured"]):.1f}" cy="{y(item["predicted"]):.1f}" r="4" fill="{colour}" fill-opacity="0.75">'
            f"<title>row {item['row']}: predicted {item['predicted']:g}, measured {item['measured']:g}</title></circle>"
        )
    for at, family in enumerate(families):
        parts.append(f'<circle cx="{EDGE + 16}" cy="{36 + 19 * at}" r="5" fill="{COLOURS[at % len(COLOURS)]}"/>')
        parts.append(f'<text x="{EDGE + 28}" y="{41 + 19 * at}" fill="#222">{escape(family)}</text>')
    parts.append(f'<text x="{EDGE + span / 2:.0f}" y="{SIZE - 18}" text-anchor="middle" fill="#222">measured, tok/s per GPU</text>')
    upright = f"translate(16 {SIZE / 2:.0f}) rotate(-90)"
    parts.append(f'<text transform="{upright}" text-anchor="middle" fill="#222">predicted, tok/s per GPU (dashed: 25 % off)</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
