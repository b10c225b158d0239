"""Shapes, chips, kernels and constants of the shipped tables, read once."""

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest

from analytics.serving import Calibration, Chip, KernelTable, Shape

SOURCES = Path(__file__).parents[3] / "data" / "sources"


def rows(name):
    with (SOURCES / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def shipped():
    chips = {}
    for row in rows("chips"):
        try:
            chips[row["chip_id"]] = Chip.from_row(row)
        except ValueError:
            continue  # no 16-bit peak or no memory figures on record
    return SimpleNamespace(
        shapes={row["model"]: Shape.from_row(row) for row in rows("models")},
        chips=chips,
        kernels=KernelTable.from_rows(rows("kernel_efficiency")),
        calibration=Calibration.from_rows(rows("serving_calibration")),
        rows=rows,
    )
