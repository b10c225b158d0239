"""Plain text of a cell: Unicode form, invisible characters, footnote marks, words for "missing"."""

from __future__ import annotations

import re
import unicodedata

# Zero-width and direction marks, byte order mark, soft hyphen, control characters other than tab and line ends.
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
FOOTNOTE = re.compile(r"\s*(?:\[(?:\d{1,3}|[a-z]|note \d+|citation needed|nb \d+)\])+", re.IGNORECASE)
CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
SIGNS = re.compile(r"[^\w]+|_+")
MARKS = re.compile("[\u2020\u2021\u00b9\u00b2\u00b3\u2070\u2074-\u2079*]+")
MISSING_WORDS = frozenset(
    """
    - -- --- – — ― ? ?? . .. … n/a n.a. n.a na n/k nan none null nil missing tba tbd tbc unknown undisclosed unspecified
    not\x20available not\x20disclosed not\x20known not\x20applicable not\x20stated k.a. k.\x20a. unbekannt inconnu s.o. nd n.d. desconocido
    未知 不明 未公布 未披露 (blank) (null) <none> #n/a #na <na> confidential withheld pending
    """.replace("not\x20", "not_")
    .replace("k.\x20a.", "k._a.")
    .split()
)
BROKEN_REFERENCES = ("#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!")


def visible(text: str) -> str:
    """Return the text in NFC without invisible characters, blanks as written."""
    return INVISIBLE.sub("", unicodedata.normalize("NFC", text))


def clean(text: str) -> str:
    """Return the text in NFC without invisible characters and outer blanks; no-break blanks become blanks."""
    if text.isascii():
        return (INVISIBLE.sub("", text) if not text.isprintable() else text).strip()
    text = visible(text)
    return re.sub("[\u00a0\u2000-\u200a\u202f\u3000]", " ", text).strip()


def one_line(text: str) -> str:
    """Return the text with every run of blanks and line ends as one blank."""
    return " ".join(text.split())


def without_footnotes(text: str) -> str:
    """Drop encyclopaedia footnotes such as "[1][2]" and trailing marks such as a dagger."""
    return MARKS.sub("", FOOTNOTE.sub("", text)).strip() or text.strip()


def is_missing(text: str) -> bool:
    """Tell whether the text is a word for "no value" (not for use on ids or country codes)."""
    folded = text.strip().casefold()
    return not folded or folded.replace(" ", "_") in MISSING_WORDS


def is_broken_reference(text: str) -> bool:
    """Tell whether the cell is what a spreadsheet leaves where a formula failed."""
    return text.strip().upper().startswith(BROKEN_REFERENCES)


def fold(text: str) -> str:
    """Return the text as lower-case words for comparing: no accents, camel case split, other signs as blanks."""
    plain = CAMEL_CASE.sub(" ", text)
    if not plain.isascii():
        plain = "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
    return " ".join(SIGNS.sub(" ", plain.casefold().replace("ß", "ss")).split())


def slug(text: str) -> str:
    """Return an id made from a name: accents stripped, lower case, everything else than letters and digits as "-"."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return SIGNS.sub("-", plain.casefold()).strip("-")
