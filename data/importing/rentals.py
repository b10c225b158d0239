"""Price lists with a column for each term of renting: on demand, one year, spot."""

from __future__ import annotations

import re

import numpy as np

from data.importing import numbers, vocabulary
from data.importing.report import Report
from data.importing.sheet import Column, Sheet, encode
from data.importing.text import fold, is_missing

_LONG = r"(?P<n>\d{1,2}|one|two|three|six|twelve)[\s-]*(?P<per>years?|yrs?|y|months?|mos?|mths?)\b"
_FIRM = r"(?:reserved|reservation|committed|commitment|commit|contract|cud|ri|term)"
TERM = re.compile(
    rf"\b(?:(?P<demand>on[\s_-]*demand|pay[\s-]as[\s-]you[\s-]go|payg)|(?P<spot>spot|pre-?emptible|interruptible)"
    rf"|(?:{_FIRM}[\s,-]*)*{_LONG}(?:[\s,-]*{_FIRM}\b)*|(?P<firm>reserved))\b",
    re.IGNORECASE,
)
WORDS = {"one": 1, "two": 2, "three": 3, "six": 6, "twelve": 12}


def by_term(sheet: Sheet, report: Report) -> Sheet:
    """Make one row a term where a price list has a column for each of two or more terms; else the sheet as it came."""
    names = vocabulary.fields("gpu_rental_prices")["term"]
    if any(fold(column.name) in (*names[0], *names[1]) for column in sheet.columns):
        return sheet
    wide: list[tuple[Column, str, str]] = []
    for column in sheet.columns:
        match = TERM.search(column.name)
        if match and _prices(column):
            rest = column.name[: match.start()] + " " + column.name[match.end() :]
            wide.append((column, _term(match), " ".join(rest.split()).strip(" -–,:/()[]")))
    if len(wide) < 2 or len({term for _, term, _ in wide}) < len(wide) or len({fold(rest) for _, _, rest in wide}) > 1:
        return sheet
    columns = [column for column, _, _ in wide]
    keys = [column for column in sheet.columns if all(column is not other for other in columns)]
    taken: list[int] = []
    terms: list[str] = []
    prices: list[str] = []
    for row in range(len(sheet.lines)):
        for column, term, _ in wide:
            cell = column.texts[column.codes[row]]
            if not is_missing(cell):
                taken.append(row)
                terms.append(term)
                prices.append(cell)
    rows = np.array(taken, dtype=np.int64)
    rest = re.sub(r"^prices?\b[\s,:-]*", "", wide[0][2], flags=re.IGNORECASE)
    brackets = f" ({rest})" if rest and rest == wide[0][2] else f" {rest}" if rest else ""
    made = [*(column.take(rows) for column in keys), encode("term", terms), encode(f"price{brackets}", prices)]
    report.warn(f"columns {', '.join(chr(34) + column.name + chr(34) for column in columns)} are prices by term: each becomes a row")
    report.read = len(rows) + len(report.rejected_rows)
    return Sheet(made, sheet.lines[rows], sheet.header_line, sheet.caption, sheet.as_of, notes=sheet.notes)


def _prices(column: Column) -> bool:
    sample = [text for text in column.sample(50) if not is_missing(text)]
    return bool(sample) and sum(not numbers.parse(text).error for text in sample) >= 0.6 * len(sample)


def _term(match: re.Match[str]) -> str:
    """Return the term as the table writes it: on-demand, spot, reserved, reserved-1y, reserved-6m."""
    if match["demand"]:
        return "on-demand"
    if match["spot"]:
        return "spot"
    if match["firm"]:
        return "reserved"
    number = WORDS.get(match["n"].casefold()) or int(match["n"])
    months = number if match["per"].casefold().startswith("m") else 12 * number
    return f"reserved-{months // 12}y" if months % 12 == 0 else f"reserved-{months}m"
