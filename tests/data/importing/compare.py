"""Compares accepted rows with an expected file by the rules of cluster_samples/README.md."""

import csv
import math
from pathlib import Path

SAMPLES = Path(__file__).parent.parent / "cluster_samples"
NUMBERS = {"latitude", "longitude", "chip_count", "chip_count_low", "chip_count_high", "power_mw", "site_power_mw", "capex_usd"}
NOT_COMPARED = {"source", "source_url", "quote_or_note", "use"}
MUST_STAY_EMPTY = {"chip_count", "power_mw", "site_power_mw", "capex_usd"}


def empty(value):
    return value is None or (isinstance(value, float) and math.isnan(value))


def differences(name, rows):
    """Return sentences for every cell that is not as expected."""
    with open(SAMPLES / f"{Path(name).stem}.expected.csv", encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    got = {(row["cluster_id"], row["phase"] or "", row["online_date"] or "", row["chip_id"]): row for row in rows}
    said = [] if len(expected) == len(rows) else [f"{len(rows)} rows where {len(expected)} are expected"]
    for wanted in expected:
        key = (wanted["cluster_id"], wanted["phase"], wanted["online_date"], wanted["chip_id"])
        if key not in got:
            said.append(f"no row {key}")
            continue
        for column in set(wanted) - NOT_COMPARED:
            said += _cell(column, wanted[column], got[key][column], key)
    return said


def _cell(column, wanted, value, key):
    if wanted == "":
        return [f"{key} {column}: {value} where nothing is known"] if column in MUST_STAY_EMPTY and not empty(value) else []
    if column not in NUMBERS:
        return [] if str(value) == wanted else [f"{key} {column}: {value!r}, expected {wanted!r}"]
    tolerance = 1e-4 if column in ("latitude", "longitude") else 1e-6 * abs(float(wanted)) + 1e-12
    return [] if not empty(value) and abs(value - float(wanted)) <= tolerance else [f"{key} {column}: {value}, expected {wanted}"]
