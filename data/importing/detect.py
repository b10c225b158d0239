"""How a file is written: is it text at all, in which encoding, and with which delimiter."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from charset_normalizer import from_bytes

from data.importing import aligned
from data.importing.report import Refused

HEAD_BYTES = 1 << 20
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MAGIC = (
    (b"PK", "a zip or spreadsheet workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet workbook (.xls)"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x7fELF", "a program"),
)
DELIMITERS = (",", ";", "\t", "|")
FIELD_LIMIT = 16 << 20


@dataclass
class Dialect:
    """How the text of a file is laid out; `notes` are sentences for the import report."""

    encoding: str
    delimiter: str = ","
    skip_lines: int = 0
    notes: list[str] = field(default_factory=list)


def _cp1252_bytes(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that are not UTF-8 as Windows-1252 (Latin-1 where that has no character)."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in bad), error.end


codecs.register_error("cp1252", _cp1252_bytes)


def detect(path: Path) -> Dialect:
    """Detect encoding and delimiter of the file at `path`; raise Refused when it is empty or not text."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise Refused("the file is empty (0 bytes): nothing was read; a CSV with a header row is needed")
    for magic, what in MAGIC:
        if head.startswith(magic):
            raise Refused(f"this is {what}, not text: nothing was unpacked or read; save the sheet as CSV and upload that")
    dialect = _encoding(head, path)
    text = decode(head, dialect.encoding)
    if not text.strip("\ufeff\x00 \t\r\n"):
        raise Refused("the file holds only blanks: nothing was read; a CSV with a header row is needed")
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise Refused("this is a web page or XML, not a CSV: copy the table into a spreadsheet and save it as CSV")
    if start.startswith(("{", '[{"', "[\n")) and '":' in start.replace(" ", ""):
        raise Refused("this is JSON, not a CSV: a table with a header row is needed")
    _reject_binary(text)
    dialect.delimiter, dialect.skip_lines = _delimiter(text)
    return dialect


def _encoding(head: bytes, path: Path) -> Dialect:
    for bom, name in BOMS:
        if head.startswith(bom):
            if name == "utf-8":
                return Dialect("utf-8-sig")
            return Dialect(name, notes=[f"read as {name.upper()} (marked by its byte order mark)"])
    even, odd = head[0:4000:2], head[1:4000:2]
    if len(odd) > 8 and odd.count(0) > 0.6 * len(odd) and even.count(0) < 0.1 * len(even):
        return Dialect("utf-16-le", notes=["read as UTF-16 (little endian, recognised by its zero bytes)"])
    if len(even) > 8 and even.count(0) > 0.6 * len(even) and odd.count(0) < 0.1 * len(odd):
        return Dialect("utf-16-be", notes=["read as UTF-16 (big endian, recognised by its zero bytes)"])
    if _is_utf8(path):
        return Dialect("utf-8")
    high = sum(byte >= 0x80 for byte in head)
    letters = sum(65 <= byte <= 90 or 97 <= byte <= 122 for byte in head)
    if high > 0.25 * (letters + high) and high > 8:
        best = from_bytes(head[:200_000]).best()
        if best is not None and best.encoding not in ("ascii", "utf_8", "cp1252", "latin_1"):
            return Dialect(best.encoding, notes=[f"read as {best.encoding} (guessed from its letters: check the names)"])
    return Dialect("cp1252", notes=["not UTF-8: read as Windows-1252 (Latin-1); check accented letters"])


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        try:
            while block := file.read(HEAD_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def decode(data: bytes, encoding: str) -> str:
    """Decode without ever failing; bytes that are not in the encoding become the replacement character."""
    if encoding == "cp1252":
        return data.decode("utf-8", errors="cp1252")
    return data.decode(encoding, errors="replace").lstrip("\ufeff")


def _reject_binary(text: str) -> None:
    sample = text[:20_000]
    control = sum(ord(char) < 32 and char not in "\t\r\n\f\x00" for char in sample)
    nul = sample.count("\x00")
    if control > max(8, 0.02 * len(sample)) or nul > max(64, 0.3 * len(sample)):
        raise Refused("this is not text (it is full of control characters): save the table as CSV and upload that")


def _delimiter(text: str) -> tuple[str, int]:
    """Return the delimiter and the number of leading lines to skip (the spreadsheet line `sep=;`)."""
    declared = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    if declared:
        return declared[1], 1
    sample = text[:200_000]
    if len(text) > len(sample):
        sample = sample[: sample.rfind("\n") + 1] or sample
    scores = {delimiter: _consistency(sample, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])
    if scores[best] < 1 and aligned.printed(sample):
        return aligned.DELIMITER, 0
    return (best if scores[best] > 0 else ","), 0


def _consistency(sample: str, delimiter: str) -> float:
    csv.field_size_limit(FIELD_LIMIT)
    widths: Counter[int] = Counter()
    first = 0
    try:
        for index, row in enumerate(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)):
            if any(cell.strip() for cell in row):
                widths[len(row)] += 1
                first = first or len(row)
            if index > 300:
                break
    except csv.Error:
        return 0.0
    total = sum(widths.values())
    wide = {width: count for width, count in widths.items() if width > 1}
    if not wide:
        return 0.0
    width, count = max(wide.items(), key=lambda item: (item[1] * min(item[0], 4), item[0]))
    share = count / total
    return share * (1 + min(width, 40) / 40) + (0.1 if first == width else 0)
