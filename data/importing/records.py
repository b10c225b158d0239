"""From text to records: cells with the line each record starts on, and the rows that are not whole."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

from data.importing import aligned
from data.importing.detect import FIELD_LIMIT
from data.importing.report import Refused

CELL_LIMIT = 10_000
COLUMN_LIMIT = 2_000


@dataclass
class Records:
    """Rows of cells in file order; `lines[i]` is the 1-based line on which `rows[i]` starts."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    broken: list[tuple[int, str, str]] = field(default_factory=list)  # line, value, reason


def split(text: str, delimiter: str, skip_lines: int = 0, limit: int | None = None) -> Records:
    """Split `text` into records, at most `limit` of them.

    Blank lines are dropped. A quotation mark that opens a cell and swallows later lines raises Refused with its
    line, because nothing after it can be trusted; stray marks inside one line are kept as written.
    """
    csv.field_size_limit(FIELD_LIMIT)
    records = Records()
    if delimiter == aligned.DELIMITER:
        return _printed(text, records)
    source = _Lines(text)
    for _ in range(skip_lines):
        next(source, None)
    reader = csv.reader(source, delimiter=delimiter, strict=False)
    start = source.taken
    while limit is None or len(records.rows) < limit:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise Refused(f"line {start + 1} cannot be read as CSV ({error})") from None
        line, start = start + 1, source.taken
        if start > line:
            _check_quotes(source.text_of(line, start), line, delimiter, at_end=source.ended)
        elif source.ended and '"' in source.last:
            _check_quotes(source.last, line, delimiter, at_end=True)
        source.forget()
        if not any(cell.strip() for cell in row) and len(row) <= COLUMN_LIMIT:
            continue
        _keep(records, row, line)
    if delimiter == "|":
        _strip_pipes(records)
    return records


def _printed(text: str, records: Records) -> Records:
    """Keep the lines of a table whose columns are kept apart by blanks."""
    for line, shown, cells in aligned.rows(text):
        if cells is None:
            records.broken.append((line, shown.strip()[:200], "the line does not line up with the columns of the header"))
        else:
            _keep(records, cells, line)
    return records


def _keep(records: Records, row: list[str], line: int) -> None:
    joined = "".join(row)
    if "\x00" in joined:
        bad = next(cell for cell in row if "\x00" in cell)
        records.broken.append((line, bad.replace("\x00", "\\0"), "the row holds a zero byte, which text cannot have"))
    elif len(row) > COLUMN_LIMIT and len(records.rows) > 0:
        records.broken.append((line, row[0] or "(blank)", f"the row has {len(row):,} cells; at most {COLUMN_LIMIT:,} are read"))
    elif len(joined) > CELL_LIMIT and max(map(len, row)) > CELL_LIMIT:
        longest = max(row, key=len)
        records.broken.append((line, longest, f"a cell of {len(longest):,} characters; at most {CELL_LIMIT:,} are read"))
    else:
        records.rows.append(row)
        records.lines.append(line)


class _Lines:
    """Iterates the physical lines of a text and remembers where each started."""

    def __init__(self, text: str) -> None:
        self._source = io.StringIO(text, newline="")
        self._recent: dict[int, str] = {}
        self.taken = 0
        self.last = ""
        self._size = len(text)
        self._passed = 0

    @property
    def ended(self) -> bool:
        return self._passed >= self._size

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._source)
        self.taken += 1
        self._passed += len(line)
        self._recent[self.taken] = self.last = line
        return line

    def forget(self) -> None:
        self._recent.clear()

    def text_of(self, first: int, last: int) -> str:
        return "".join(self._recent.get(number, "") for number in range(first, last + 1))


def _check_quotes(text: str, line: int, delimiter: str, at_end: bool) -> None:
    """Raise Refused when a quoted cell of `text` runs over a line end and is not closed the way CSV closes cells."""
    position, size = 0, len(text)
    opened_line = line
    while position < size:
        if text[position] == '"':
            opened = position
            position += 1
            while True:
                close = text.find('"', position)
                if close < 0:
                    raise _unclosed(opened_line + text.count("\n", 0, opened), text[opened : opened + 60])
                if text[close + 1 : close + 2] == '"':
                    position = close + 2
                    continue
                break
            after = text[close + 1 : close + 2]
            if after not in ("", delimiter, "\r", "\n") and "\n" in text[opened:close]:
                raise _unclosed(opened_line + text.count("\n", 0, opened), text[opened : opened + 60])
            position = close + 1
        next_delimiter = text.find(delimiter, position)
        next_line = text.find("\n", position)
        ends = [end for end in (next_delimiter, next_line) if end >= 0]
        if not ends:
            return
        position = min(ends) + 1
    return


def _unclosed(line: int, value: str) -> Refused:
    shown = value.splitlines()[0][:40]
    return Refused(
        f"line {line}: a quotation mark opens before {shown} and is never closed properly, so the rows after it cannot be told apart; "
        "close it or double it, and upload again (nothing was kept)"
    )


def _strip_pipes(records: Records) -> None:
    """Drop the empty outer cells and the dashed rule of a table drawn with pipes."""
    inner = [index for index, row in enumerate(records.rows) if not all(set(cell.strip()) <= set("-:+=") for cell in row)]
    if len(inner) < len(records.rows) or all(not row[0].strip() and not row[-1].strip() for row in records.rows if len(row) > 2):
        records.rows = [records.rows[index] for index in inner]
        records.lines = [records.lines[index] for index in inner]
        if all(len(row) > 2 and not row[0].strip() and not row[-1].strip() for row in records.rows):
            records.rows = [row[1:-1] for row in records.rows]
    records.rows = [[cell.strip() for cell in row] for row in records.rows]
