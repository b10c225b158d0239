"""Where the table is inside a file: titles above, one or two header rows, a unit row, totals and footnotes below."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.importing import dates, units, vocabulary
from data.importing.records import Records
from data.importing.report import Refused, Report, lines_text
from data.importing.text import clean, fold, is_missing, one_line

HEADER_SEARCH = 60
SUBTOTALS = frozenset({"total", "subtotal", "summe", "gesamt", "zwischensumme"})


class Column:
    """One column: its header and its cells as codes into its texts, so that each text is parsed once.

    The texts are a list or an Arrow array, and each is made from the other when first asked for. They are distinct but for large
    columns in which next to none is told twice: there equal texts may have codes of their own, and `by_text` says which are equal.
    """

    def __init__(self, name: str, codes: np.ndarray, texts: list[str] | pa.Array, alternative: str = "", unit_hint: str = "") -> None:
        self.name, self.codes = name, codes
        self.alternative = alternative  # the lower header alone, where two header rows were joined
        self.unit_hint = unit_hint  # what a unit row says
        self._texts = texts if isinstance(texts, list) else None
        self._arrow = None if isinstance(texts, list) else texts

    @property
    def texts(self) -> list[str]:
        """The distinct texts, by code."""
        if self._texts is None:
            self._texts = self.arrow.to_pylist()
        return self._texts

    @property
    def arrow(self) -> pa.Array:
        """The distinct texts as an Arrow array, by code."""
        if self._arrow is None:
            self._arrow = pa.array(self.texts, type=pa.string())
        return self._arrow

    @property
    def distinct(self) -> int:
        """How many distinct texts there are."""
        return len(self.arrow) if self._texts is None else len(self._texts)

    def by_text(self) -> np.ndarray:
        """One number a row, the same where the texts are."""
        return self.arrow.dictionary_encode().indices.to_numpy()[self.codes]

    def sample(self, count: int = 300) -> list[str]:
        """Return distinct non-empty cells for looking at."""
        texts = self.arrow[: count * 2].to_pylist() if self._texts is None else self._texts[: count * 2]
        return [text for text in texts if text.strip()][:count]

    def matching(self, pattern: str) -> np.ndarray:
        """Return the codes of the texts in which a pattern (RE2) is found."""
        return np.flatnonzero(np.asarray(pc.match_substring_regex(self.arrow, pattern)))

    def take(self, rows: np.ndarray) -> Column:
        return Column(self.name, self.codes[rows], self.arrow if self._texts is None else self._texts, self.alternative, self.unit_hint)


@dataclass
class Sheet:
    """The table of a file: columns, the line of each row, and what stood around it."""

    columns: list[Column]
    lines: np.ndarray
    header_line: int
    caption: list[str] = field(default_factory=list)
    as_of: str = ""
    canonical: bool = False
    notes: list[str] = field(default_factory=list)

    def take(self, rows: np.ndarray) -> Sheet:
        """Return the sheet with only these rows (indices or mask)."""
        return Sheet(
            [column.take(rows) for column in self.columns], self.lines[rows], self.header_line, self.caption, self.as_of, self.canonical,
            self.notes,
        )  # fmt: skip


def encode(name: str, cells: list[str]) -> Column:
    """Make a column from its cells."""
    known: dict[str, int] = {}
    codes = np.array([known.setdefault(cell, len(known)) for cell in cells], dtype=np.int32)
    return Column(name, codes, list(known))


def find(records: Records, table: str, report: Report) -> Sheet:
    """Find the table in the records; Refused when no row looks like a header."""
    if not records.rows:
        if records.broken:
            line, value, reason = records.broken[0]
            raise Refused(f"no row could be read: line {line}: {reason}")
        raise Refused("the file holds no rows: a header row and rows below it are needed")
    _reject_broken(records, report)
    _turn(records, table, report)
    header = _header_row(records.rows, table)
    names, alternatives, last_header = _header_names(records.rows, header, table)
    if len(names) > 2_000:
        raise Refused(f"the header row (line {records.lines[header]}) has {len(names):,} columns; at most 2,000 are read")
    sheet = Sheet([], np.array([], dtype=np.int64), records.lines[header])
    _caption(records, header if header <= last_header else last_header, sheet)
    start = last_header + 1
    unit_row: list[str] = []
    if start < len(records.rows) and _is_unit_row(records.rows[start]):
        unit_row = [clean(cell) for cell in records.rows[start]]
        report.warn(f"line {records.lines[start]} holds the units of the columns")
        start += 1
    keep = _body(records, start, names, table, report, sheet.notes)
    width = len(names)
    rows = [records.rows[index] for index in keep]
    sheet.lines = np.array([records.lines[index] for index in keep], dtype=np.int64)
    for position in range(width):
        cells = [row[position] if position < len(row) else "" for row in rows]
        if not names[position] and not any(cell.strip() for cell in cells):
            continue
        column = encode(names[position] or f"column {position + 1}", cells)
        column.alternative = alternatives[position]
        column.unit_hint = unit_row[position] if position < len(unit_row) else ""
        sheet.columns.append(column)
    report.read = len(keep) + len(report.rejected_rows)
    return sheet


def _reject_broken(records: Records, report: Report) -> None:
    for line, value, reason in records.broken:
        report.reject(line, "", value[:200], reason)


def _turn(records: Records, table: str, report: Report) -> None:
    """Turn a table that lies on its side (fields down the first column) so that each column becomes a row."""
    rows = records.rows
    width = max(len(row) for row in rows)
    if not 3 <= len(rows) <= HEADER_SEARCH or not 2 <= width <= 200 or any(len(row) < 2 for row in rows):
        return
    names = {word for own, weak in vocabulary.fields(table).values() for word in (*own, *weak)}

    def hits(cells: list[str]) -> int:
        return sum(vocabulary.bare(one_line(clean(cell))) in names or fold(cell) in names for cell in cells if cell.strip())

    down = hits([row[0] for row in rows])
    if down < 3 or down < 0.5 * len(rows) or down <= 1 + max(hits(row) for row in rows):
        return
    first = fold(rows[0][0])
    turned = [[row[position] if position < len(row) else "" for row in rows] for position in range(width)]
    if first not in names:
        turned[0][0] = "name"  # the corner: what the columns are names of
    records.rows, records.lines = turned, list(range(1, width + 1))
    report.warn("the table lies on its side: each of its columns is read as a row, and line numbers are numbers of columns")


def _header_row(rows: list[list[str]], table: str) -> int:
    """Return the index of the row that names the columns best."""
    known = vocabulary.fields(table)
    names = {word for own, weak in known.values() for word in (*own, *weak)}
    best, best_score = -1, 0.0
    for index, row in enumerate(rows[:HEADER_SEARCH]):
        cells = [clean(cell) for cell in row]
        filled = [cell for cell in cells if cell]
        if not filled or (len(filled) == 1 and len(cells) > 2):
            continue
        if sum(_numeric(cell) for cell in filled) > 0.5 * len(filled) and not any(_period(cell) for cell in filled):
            continue
        hits = sum(vocabulary.bare(one_line(cell)) in names or fold(cell) in names for cell in set(filled) if len(cell) < 80)
        periods = sum(_period(cell) or bool(re.fullmatch(r"[qQhH][1-4]|[1-4][qQ]", cell)) for cell in filled)
        if index + 1 < len(rows) and len(filled) < 0.7 * len(cells) and all(re.fullmatch(r"(?:19|20)\d{2}", cell) for cell in filled):
            continue  # years that group the columns of the row below
        score = hits + min(periods, 6) * 0.5 + 0.3 * len(set(filled)) / max(len(row), 1)
        if score > best_score + (0.01 if best < 0 else 0.75 if index > best + 3 else 0.25):
            best, best_score = index, score
    if best >= 0 and best_score >= 1:
        return best
    widest = max(len(row) for row in rows[:HEADER_SEARCH])
    for index, row in enumerate(rows[:HEADER_SEARCH]):
        filled = [cell for cell in row if cell.strip()]
        if len(row) >= widest and len(filled) >= min(2, widest) and not any(_numeric(cell) for cell in filled):
            return index
    return best if best >= 0 else 0


def _numeric(cell: str) -> bool:
    return bool(re.fullmatch(r"[-+$€£~]?\s*[\d.,' %]+", cell)) and any(char.isdigit() for char in cell)


def _period(cell: str) -> bool:
    """Tell whether a header cell names a quarter, half, month or year."""
    shown = clean(cell)
    if len(shown) > 24 or not any(char.isdigit() for char in shown):
        return False
    value = dates.parse(shown)
    return value.date is not None and not value.serial


def _header_names(rows: list[list[str]], header: int, table: str) -> tuple[list[str], list[str], int]:
    """Return names, lower names and the index of the last header row; joins a merged header of two rows."""
    cells = [one_line(clean(cell)) for cell in rows[header]]
    while cells and not cells[-1]:
        cells.pop()
    if header > 0 and _is_group_row(rows[header - 1], cells):
        return _join(rows[header - 1], cells, header)
    below = [one_line(clean(cell)) for cell in rows[header + 1]] if header + 1 < len(rows) else []
    if _is_sub_header(cells, below, table):
        while below and not below[-1]:
            below.pop()
        return _join(rows[header], below + [""] * (len(cells) - len(below)), header + 1, upper_alone=True)
    return cells, [""] * len(cells), header


def _is_group_row(above: list[str], header: list[str]) -> bool:
    """Tell whether the row above groups columns: several labels with gaps between, no figures."""
    labels = [clean(cell) for cell in above]
    filled = [label for label in labels if label]
    if len(filled) < 2 or len(filled) >= sum(bool(cell) for cell in header) or len(labels) > len(header) + 2:
        return False
    return not any((_numeric(label) and not re.fullmatch(r"(?:19|20)\d{2}", label)) or label.endswith(":") for label in filled) and len(
        above
    ) >= 0.5 * len(header)


def _is_sub_header(header: list[str], below: list[str], table: str) -> bool:
    gaps = [index for index, cell in enumerate(header) if not cell]
    more = len([cell for cell in below[len(header) :] if cell])
    if not (gaps or more) or not below:
        return False
    filled = [cell for cell in below if cell]
    return (
        bool(filled)
        and not any(_numeric(cell) for cell in filled)
        and (more > 0 or any(below[index] for index in gaps if index < len(below)))
        and any(not below[index] for index in range(min(len(below), len(header))) if header[index])
    )  # fmt: skip


def _join(upper: list[str], lower: list[str], last: int, upper_alone: bool = False) -> tuple[list[str], list[str], int]:
    names, alternatives, group = [], [], ""
    for position in range(max(len(lower), len(upper) if upper_alone else 0)):
        own = lower[position] if position < len(lower) else ""
        above = one_line(clean(upper[position])) if position < len(upper) else ""
        group = above or (group if own else "")
        joined = f"{group} {own}".strip() if fold(group) != fold(own) else own
        names.append(joined)
        alternatives.append(own if group else "")
    return names, alternatives, last


def _caption(records: Records, header: int, sheet: Sheet) -> None:
    """Keep the lines above the header: titles, units, and the day the table is of."""
    for row in records.rows[: max(header, 0)]:
        cells = [one_line(clean(cell)) for cell in row if cell.strip()]
        if not cells:
            continue
        text = " ".join(cells)
        sheet.caption.append(text)
        match = re.search(r"\b(?:as of|as at|stand|updated|last updated|edition|état au|per|date)\b[:\s]*(.{4,24})$", text, re.IGNORECASE)
        if match and not sheet.as_of:
            value = dates.parse(match[1])
            if value.date is not None:
                sheet.as_of = value.date.isoformat()


def _is_unit_row(row: list[str]) -> bool:
    cells = [clean(cell) for cell in row if cell.strip()]
    if not cells:
        return False
    plain = {
        "text",
        "date",
        "yyyy-mm-dd",
        "yyyy",
        "count",
        "number",
        "units",
        "unit",
        "pcs",
        "#",
        "degrees",
        "deg",
        "-",
        "name",
        "n/a",
        "(-)",
        "string",
        "float",
        "int",
    }
    real = 0
    for cell in cells:
        bare = cell.strip("()[] ").casefold()
        scale, unit, currency = units.in_words(f"({bare})")
        if (unit or currency) and len(bare) < 16 and not re.search(r"\d{2,}", bare):
            real += 1
        elif bare not in plain and not (scale and len(bare) < 12):
            return False
    return real > 0


def _body(records: Records, start: int, names: list[str], table: str, report: Report, notes: list[str]) -> list[int]:
    """Return the indices of the data rows; rejects rows of another width, drops repeats of the header and totals, gathers footnotes."""
    width = len(names)
    totals, footers = vocabulary.words("totals"), vocabulary.words("footers")
    header_cells = [fold(name) for name in names]
    keep: list[int] = []
    second = 0
    dropped: dict[str, list[int]] = {"total": [], "footnote": [], "header": [], "rule": []}
    last_full = max(
        (index for index in range(start, len(records.rows)) if sum(bool(cell.strip()) for cell in records.rows[index]) > 1), default=start
    )
    for index in range(start, len(records.rows)):
        row, line = records.rows[index], records.lines[index]
        filled = [cell for cell in row if cell.strip()]
        first = fold(filled[0])
        if len(filled) == 1 and width > 2:
            begins = filled[0].lstrip()[:1] in "*†‡[¹²³(–-" or first.split(" ")[0] in footers or first in footers or index > last_full
            if begins or len(filled[0]) > 60:
                dropped["footnote"].append(line)
            elif row[0].strip() and len(row) <= width:
                report.reject(line, names[0], filled[0][:200], "nothing but one cell: a heading between rows, or a row without any fact")
            else:
                keep.append(index) if len(row) <= width else dropped["footnote"].append(line)
            continue
        if len(row) != width:
            extra = [cell for cell in row[width:] if cell.strip()]
            if len(row) > width and not extra:
                row = records.rows[index] = row[:width]
            elif len(filled) <= 2 and (first.split(" ")[0] in footers or index > last_full):
                dropped["footnote"].append(line)
                continue
            else:
                what = f"{len(row)} cells where the header has {width}"
                hint = ": an unquoted delimiter, or a cell missing" if len(row) > width else ": cells are missing"
                report.reject(line, "", " | ".join(cell.strip() for cell in row[:4])[:200], what + hint)
                continue
        if first in totals or (first.split(" ")[0] in ("total", "summe", "gesamt", "subtotal") and _mostly_numbers(row)) or _subtotal(row):
            dropped["total"].append(line)
        elif second:
            report.reject(
                line, names[0], filled[0][:200], f"below the header of another table on line {second}: upload that table by itself"
            )
        elif (
            first == header_cells[0]
            and first
            and [fold(cell) for cell in row] != header_cells
            and not any(_numeric(cell) for cell in filled)
        ):
            second = line
            dropped["header"].append(line)
        elif [fold(cell) for cell in row] == header_cells:
            dropped["header"].append(line)
        elif first.split(" ")[0] in footers and filled[0].rstrip(" ").endswith(":") and len(filled) <= 2:
            dropped["footnote"].append(line)
        elif all(re.fullmatch(r"[-=_:+| ]*", cell) for cell in row) and any(len(cell.strip()) > 1 for cell in row):
            dropped["rule"].append(line)
        else:
            keep.append(index)
    left = set(dropped["footnote"])
    notes += [one_line(" ".join(records.rows[at])) for at in range(start, len(records.rows)) if records.lines[at] in left]
    meaning = {"total": "a total of other rows", "footnote": "a note, not a row", "header": "the header again", "rule": "a drawn line"}
    for kind, left_out in dropped.items():
        if left_out:
            report.warn(f"{lines_text(left_out)} left out: {meaning[kind]}")
    return keep


def _subtotal(row: list[str]) -> bool:
    """Tell whether the only words of a row of figures end with one for a total: "US Total"."""
    words = [cell for cell in row if cell.strip() and not _numeric(clean(cell)) and not is_missing(cell)]
    figures = sum(_numeric(clean(cell)) for cell in row)
    return len(words) == 1 and figures > 0 and " " in words[0].strip() and fold(words[0]).split(" ")[-1] in SUBTOTALS


def _mostly_numbers(row: list[str]) -> bool:
    rest = [cell for cell in row[1:] if cell.strip() and not is_missing(cell)]
    return bool(rest) and sum(_numeric(clean(cell)) for cell in rest) >= 0.6 * len(rest)
