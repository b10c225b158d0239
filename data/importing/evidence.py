"""What the cells of a column look like, and how well that suits a field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from data.importing import dates, numbers, places, resolve, vocabulary
from data.importing.sheet import Column
from data.importing.text import fold, is_missing
from data.meta import TableMeta


@dataclass(frozen=True)
class Evidence:
    """What the cells of a column look like, as shares of the distinct filled cells."""

    filled: int
    numeric: float
    date: float
    chip: float
    url: float
    country: float
    coordinate: float
    status: float
    footnote: float


def look(column: Column) -> Evidence:
    """Look at the cells of a column."""
    sample = [text for text in column.sample(200) if not is_missing(text)]
    count = max(len(sample), 1)

    def share(test: Any) -> float:
        return sum(bool(test(text)) for text in sample) / count

    def is_number(text: str) -> bool:
        value = numbers.parse(text)
        return not value.missing and not value.error

    return Evidence(
        len(sample),
        share(is_number),
        share(lambda text: (value := dates.parse(text)).date is not None or value.ambiguous),
        share(lambda text: resolve.chip(text) or resolve.chips_with_counts(text)),
        share(lambda text: re.match(r"\s*(?:https?://|www\.)\S+", text)),
        share(places.country),
        share(lambda text: places.degrees(text) is not None or places.coordinates(text) is not None),
        share(lambda text: fold(text) in vocabulary.translations("status")),
        share(lambda text: re.fullmatch(r"\s*(?:\[\w{1,3}\]\s*)+", text)),
    )


def fits(field: str, seen: Evidence, meta: TableMeta) -> float:
    """Return a factor (0 to 1.2) for how well the cells suit the field."""
    if not seen.filled:
        return 1.0
    if seen.footnote > 0.7:
        return 0.0
    column = meta.columns.get(field)
    if field in ("chip_count", "CHIP_COUNT_TOTAL") and seen.chip > 0.6 and seen.numeric < 0.6:
        return 0.0
    if field == "hardware":
        return 1.0
    if field == "chip_id":
        return 1.1 if seen.chip >= 0.3 else 0.3 if seen.numeric > 0.6 else 0.75
    if field in ("latitude", "longitude"):
        return 1.0 if seen.coordinate > 0.5 else 0.2
    if field == "COORDINATES":
        return 1.0 if seen.coordinate > 0.3 else 0.4
    if field == "GPUS_PER_NODE" and meta.name != "clusters":
        return 1.0 if seen.numeric >= 0.4 else 0.3
    numeric = (column is not None and column.numeric) or field in ("POWER", "CHIP_COUNT_TOTAL", "ACCELERATOR_CORES", "VALUE")
    if numeric:
        return 1.0 if seen.numeric >= 0.4 else 0.3
    if (column is not None and column.type == "date") or field == "RETIRED_DATE":
        return 1.0 if seen.date >= 0.4 else 0.3
    if field == "source_url":
        return 1.2 if seen.url > 0.6 else 0.4
    if field == "source":
        return 0.5 if seen.url > 0.8 else 1.0
    if field == "country":
        return 1.0 if seen.country >= 0.3 else 0.5
    if field == "status":
        return 1.0 if seen.status >= 0.3 else 0.6
    if field == "region":
        return 0.5 if seen.status >= 0.5 or seen.country >= 0.8 else 1.0
    if field == "name" and meta.name == "clusters" and seen.chip > 0.8:
        return 0.4  # "NVIDIA H100 80GB HBM3" is what a machine holds, not a cluster
    if field in ("name", "owner", "operator", "LOCATION", "city"):
        return 0.4 if seen.numeric > 0.9 and field != "name" else 0.6 if seen.numeric > 0.9 or seen.url > 0.8 else 1.0
    return 1.0
