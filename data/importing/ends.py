"""Two columns that are the ends of one range, "Low MW" and "High MW", read as one column of ranges."""

from __future__ import annotations

import re

from data.importing import numbers, vocabulary
from data.importing.report import Report
from data.importing.sheet import Column, Sheet, encode
from data.importing.text import clean, fold, is_missing

LOW = re.compile(
    r"(?<![^\W_])(?:low(?:er)?|min(?:imum)?|mindestens)(?:[\s_-]+(?:end|bound|case|estimate|est))?(?![^\W_])\.?", re.IGNORECASE
)
HIGH = re.compile(
    r"(?<![^\W_])(?:high(?:er)?|upper|max(?:imum)?|höchstens)(?:[\s_-]+(?:end|bound|case|estimate|est))?(?![^\W_])\.?", re.IGNORECASE
)
OWN = ("chip_count_low", "chip_count_high")  # ends that have columns of their own


def joined(sheet: Sheet, report: Report) -> Sheet:
    """Return the sheet with each pair of ends as one column; ends beside a column of the middle stay as they are."""
    by_rest: dict[str, list[tuple[Column, bool, str]]] = {}
    for column in sheet.columns:
        low, high = LOW.search(column.name), HIGH.search(column.name)
        match = low or high
        if match is None or (low and high) or _own(column.name) or not _numbers(column):
            continue
        rest = column.name[: match.start()] + " " + column.name[match.end() :]
        rest = " ".join(re.sub(r"\(\s*[,;]?\s*\)", " ", re.sub(r"\(\s*[,;]\s*", "(", rest)).replace("_", " ").split()).strip(" -–,:/")
        if rest:
            by_rest.setdefault(fold(rest), []).append((column, low is not None, rest))
    others = {fold(column.name) for column in sheet.columns}
    for rest, ends in by_rest.items():
        if len(ends) != 2 or ends[0][1] == ends[1][1] or rest in others:
            continue
        (low_column, _, name), (high_column, _, _) = sorted(ends, key=lambda end: not end[1])
        if low_column.unit_hint != high_column.unit_hint:
            continue
        cells = [
            _range(low_column.texts[low_column.codes[row]], high_column.texts[high_column.codes[row]]) for row in range(len(sheet.lines))
        ]
        column = encode(name, cells)
        column.unit_hint = low_column.unit_hint
        sheet.columns = [column if other is low_column else other for other in sheet.columns if other is not high_column]
        report.warn(f'columns "{low_column.name}" and "{high_column.name}" are read together as one range, "{name}"')
    return sheet


def _own(header: str) -> bool:
    return any(vocabulary.score(header, "clusters", field)[0] >= 0.9 for field in OWN)


def _numbers(column: Column) -> bool:
    sample = [text for text in column.sample(50) if not is_missing(text)]
    found = [numbers.parse(text) for text in sample]
    return bool(sample) and sum(not value.error and value.low != value.low and value.high != value.high for value in found) >= 0.8 * len(
        found
    )


def _range(low: str, high: str) -> str:
    low, high = ("" if is_missing(text) else clean(text) for text in (low, high))
    if low and high:
        return low if low == high else f"{low} to {high}"
    return f">={low}" if low else f"<={high}" if high else ""
