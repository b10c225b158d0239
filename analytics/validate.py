"""python -m analytics.validate [FILE.csv] [--json]: predictions of the serving model next to published measurements.

FILE has the layout of data/sources/serving_measurements.csv (the default). One item per filled result cell; a blank layout is predicted
on the best that fits, named in `assumed`; predicted is null only for an unknown model or chip. Kernel rows are compared under `kernels`.
--fit refits the constants on the shipped measurements and rewrites serving_calibration.csv and serving_residuals.csv;
--report FILE writes the table in Markdown and the plot beside it.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analytics.serving import fit, kernel_rows, report
from analytics.serving.benchmark_rows import QUANTITIES, Case, Names, read_cases
from analytics.serving.calibration import Calibration
from analytics.serving.kernels import KernelTable
from analytics.serving.predict import Prediction, Predictor
from analytics.serving.residuals import errors
from data import shipped
from data.meta import SOURCES

MEASUREMENTS = "serving_measurements"


def load() -> tuple[Names, KernelTable, list[dict[str, str]]]:
    """Names, kernels and constants of the shipped tables."""
    names = Names(shipped.rows("models"), shipped.rows("chips"), shipped.rows("model_shape_aliases"), shipped.rows("chip_aliases"))
    return names, KernelTable.from_rows(shipped.rows("kernel_efficiency")), shipped.rows("serving_calibration")


def read_file(path: str) -> list[dict[str, str]]:
    """Rows of a measurements file; ValueError with a sentence when it is not one."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or [])
            rows = [{key: value or "" for key, value in row.items() if key is not None} for row in reader]
    except FileNotFoundError:
        raise ValueError(f"no file {path}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as CSV in UTF-8: {error}") from None
    missing = [column for column in ("model", "hardware") if column not in columns]
    if missing or not any(quantity in columns for quantity in QUANTITIES):
        needed = f"columns model, hardware and one of {', '.join(QUANTITIES)} are needed"
        raise ValueError(f"{path}: {needed}, found {', '.join(columns) or 'none'}")
    return rows


def items(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """One item per filled result cell, in file order."""
    out = []
    for prediction in predictions:
        case = prediction.case
        for quantity, measured in case.measured.items():
            value = prediction.values.get(quantity, math.nan)
            known = math.isfinite(value) and value > 0
            assumed = list(case.assumed)
            if prediction.layout and len(case.layouts) != 1:
                assumed.append(f"layout {prediction.layout} (best that fits)")
            out.append(
                {
                    "row": case.row,
                    "quantity": quantity,
                    "predicted": float(f"{value:.6g}") if known else None,
                    "measured": measured,
                    "ratio": round(value / measured, 4) if known and measured > 0 else None,
                    "assumed": assumed,
                    "note": "; ".join(note for note in prediction.notes if note),
                    "family": case.family,
                }
            )
    return out


def summary(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Error figures by family, of all, and of the constants when a model or a chip is left out (shipped rows only)."""
    families: dict[str, list[float]] = {}
    for item in found:
        if item["ratio"]:
            families.setdefault(str(item["family"]), []).append(float(item["ratio"]))
    return {
        "cells": len(found),
        "predicted": sum(item["predicted"] is not None for item in found),
        "families": {name: e.as_dict() for name, ratios in sorted(families.items()) if (e := errors(ratios))},
    }


def left_out_summary() -> dict[str, Any]:
    """Error figures of the shipped rows with their model, and with their chip, left out of the fit; the worse is the headline."""
    rows = shipped.rows("serving_residuals")
    out: dict[str, Any] = {}
    for family in sorted({row["family"] for row in rows}):
        kinds = {
            kind: errors([float(r[kind]) for r in rows if r["family"] == family and r[kind]])
            for kind in ("ratio_without_model", "ratio_without_chip")
        }
        figures = {kind.replace("ratio_", ""): e.as_dict() for kind, e in kinds.items() if e}
        if figures:
            worse = max(figures, key=lambda kind: figures[kind]["median_absolute_error"])
            out[family] = {**figures, "headline": worse}
    return out


def predictor_for(rows: Sequence[Mapping[str, str]]) -> tuple[Predictor, list[Case], Names]:
    """A predictor of all rows with the shipped constants, the cases and the names they were read with."""
    names, kernels, constants = load()
    cases = read_cases(rows, names)
    sets: dict[str, Calibration] = {}

    def of(case: Case) -> Calibration:
        if case.engine_id not in sets:
            sets[case.engine_id] = Calibration.from_rows(constants, case.engine_id)
        return sets[case.engine_id]

    return Predictor(cases, kernels, of), cases, names


def refit() -> str:
    """Refit all constants and left-out errors on the shipped rows, write both tables; returns what was fitted on what."""
    names, kernels, _ = load()
    cases = read_cases(shipped.rows(MEASUREMENTS), names)
    predictor = Predictor(cases, kernels, lambda case: Calibration())
    general_task = fit.general_task()
    general = fit.fit(predictor, cases, general_task)
    tasks = {"": general_task} | {engine: fit.engine_task(engine, general) for engine in fit.ENGINE_PRIORS}
    fitted = {engine: general if not engine else fit.fit(predictor, cases, task) for engine, task in tasks.items()}
    engines = {engine: constants for engine, constants in fitted.items() if engine}
    residuals = []
    for engine, task in tasks.items():
        used = [case for case in cases if task.uses(case)]
        plain = dict(zip([case.row for case in used], fit.ratios(predictor, fitted[engine], used), strict=True))
        model = fit.left_out(predictor, cases, task, lambda case: case.shape.name if case.shape else "")
        chip = fit.left_out(predictor, cases, task, lambda case: case.chip.chip_id if case.chip else "")
        residuals += [
            {
                "row": str(case.row),
                "family": case.family,
                "model": case.shape.name if case.shape else "",
                "chip_id": case.chip.chip_id if case.chip else "",
                "input_tokens": f"{case.input_tokens:g}",
                "output_tokens": f"{case.output_tokens:g}",
                "measured": f"{case.measured['output_tok_s_per_gpu']:g}",
                "ratio": f"{plain[case.row]:.4f}",
                "ratio_without_model": f"{model[case.row]:.4f}" if case.row in model else "",
                "ratio_without_chip": f"{chip[case.row]:.4f}" if case.row in chip else "",
            }
            for case in used
        ]
    report.write_whole(
        {
            SOURCES / "serving_calibration.csv": _csv(fit.calibration_rows(general, engines)),
            SOURCES / "serving_residuals.csv": _csv(residuals),
        }
    )
    return "\n".join([f"general: {general}"] + [f"{engine}: {constants}" for engine, constants in engines.items()])


def _csv(rows: list[dict[str, str]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def run(path: str | None) -> dict[str, Any]:
    """The whole comparison as plain data; the shipped measurements without a path."""
    rows = read_file(path) if path else shipped.rows(MEASUREMENTS)
    predictor, cases, names = predictor_for(rows)
    found = items(predictor.predict())
    fitted = ("engine", "constant", "value", "unit", "fitted_on")
    figures = summary(found) | {
        "left_out": left_out_summary(),
        "constants": [{key: row[key] for key in fitted} for row in shipped.rows("serving_calibration")],
    }
    return {"rows": found, "summary": figures, "kernels": kernel_rows.compare(cases, predictor.kernels, names)}


def text(result: Mapping[str, Any]) -> str:
    """The comparison for a terminal."""
    lines = [f"{'row':>4} {'quantity':<22}{'predicted':>12}{'measured':>12}{'ratio':>8}  assumed"]
    for item in result["rows"]:
        predicted = "unknown" if item["predicted"] is None else f"{item['predicted']:.5g}"
        ratio = "" if item["ratio"] is None else f"{item['ratio']:.2f}"
        remark = "; ".join([*item["assumed"], *([item["note"]] if item["predicted"] is None else [])])
        lines.append(f"{item['row']:>4} {item['quantity']:<22}{predicted:>12}{item['measured']:>12.5g}{ratio:>8}  {remark}")
    lines.append("")
    for item in result["kernels"]:
        predicted = "unknown" if item["predicted"] is None else f"{item['predicted']:.4g}"
        lines.append(f"{item['row']:>4} {item['kernel']:<60}{predicted:>10}{item['measured']:>10.4g} {item['unit']}")
    lines += ["", f"{'family':<34}{'cells':>6}{'median error':>14}{'within 25 %':>13}{'mean ratio':>12}"]
    for name, e in result["summary"]["families"].items():
        lines.append(_error_line(name, e))
    for name, kinds in result["summary"]["left_out"].items():
        for kind in ("without_model", "without_chip"):
            if kind in kinds:
                lines.append(_error_line(f"  {name}, {kind.replace('_', ' its ')}", kinds[kind]))
    lines += ["", "constants fitted (engine, constant, value, on what):"]
    lines += [
        f"  {c['engine'] or 'all':<10}{c['constant']:<24}{c['value']:>10} {c['unit']:<3}{c['fitted_on']}"
        for c in result["summary"]["constants"]
    ]
    return "\n".join(lines)


def _error_line(name: str, e: Mapping[str, Any]) -> str:
    return f"{name:<50}{e['n']:>5}{e['median_absolute_error']:>10.1%}{e['within_25_percent']:>8.0%}{e['geometric_mean_ratio']:>8.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 2 with a sentence on bad input."""
    asked = argparse.ArgumentParser(
        prog="python -m analytics.validate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("file", nargs="?", help="measurements to compare with (default: the shipped ones)")
    asked.add_argument("--json", action="store_true", help="print JSON")
    asked.add_argument("--fit", action="store_true", help="refit the constants on the shipped measurements first")
    asked.add_argument("--report", metavar="FILE.md", help="write the validation page and its plot")
    options = asked.parse_args(arguments)
    try:
        if options.fit:
            print(refit(), file=sys.stderr)
        result = run(options.file)
        if options.report:
            report.write(Path(options.report), result, shipped.rows("serving_residuals"))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(result, indent=1) if options.json else text(result))
    return 0


if __name__ == "__main__":
    np.seterr(all="ignore")
    sys.exit(main())
