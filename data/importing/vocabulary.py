"""The words headers and cells use elsewhere: loaded from vocabulary.yml, scored against a header."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from data.importing import units
from data.importing.text import fold
from data.meta import load_meta, read_yaml

EQUIVALENTS = re.compile(r"\bh100[\s_-]?(?:e(?!\w)|eq(?:s|uivalents?|uiv)?\b)", re.IGNORECASE)
ONLY_WITH_POWER_UNIT = frozenset({"it", "site", "total", "facility"})


@cache
def _raw() -> dict[str, Any]:
    return read_yaml(Path(__file__).parent / "vocabulary.yml")


@cache
def _set(kind: str) -> frozenset[str]:
    return frozenset(_raw()["words"][kind].split())


@cache
def fields(table: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return field -> (names, weak names), folded, for a table; every column of the table is there at least by its own name."""
    raw = _raw()
    meta = load_meta(table)
    result: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    own = raw.get(table, {})
    for field, words in {**raw["shared"], **own}.items():
        if field in meta.columns or field.isupper():
            result[field] = (tuple(fold(str(word)) for word in words["names"]), tuple(fold(str(word)) for word in words["weak"]))
    for column in meta.columns:
        names, weak = result.get(column, ((), ()))
        own = () if column in ("power_mw", "site_power_mw") else (fold(column),)
        result[column] = ((*names, *own), weak)
    return result


@cache
def translations(kind: str) -> dict[str, str]:
    """Return folded word -> the table's own word, for status and confidence."""
    return {fold(str(word)): canonical for canonical, spelled in _raw()["words"][kind].items() for word in [canonical, *spelled]}


@cache
def words(kind: str) -> frozenset[str]:
    """Return the folded words that mark totals, footers or nodes that are down."""
    return frozenset(fold(str(word)) for word in _raw()["words"][kind])


def bare(header: str) -> str:
    """Return the folded header without brackets, units, scales and currencies."""
    text = re.sub(r"[(\[][^)\]]*[)\]]", " ", header)
    text = re.sub(r"US\$|[$€£¥%]", " ", text)
    kept = []
    tokens = fold(text).split()
    for index, token in enumerate(tokens):
        alone = len(tokens) == 1
        if not alone and (token in units.UNITS or (token in units.SCALES and index) or token in units.CURRENCIES):
            continue
        kept.append(token)
    return " ".join(kept) or " ".join(tokens) or fold(header)


@cache
def _without_units(folded: str) -> str:
    """Return a folded header without words for units and scales, but with what stood in brackets."""
    kept = [token for token in folded.split() if token not in units.UNITS and token not in units.SCALES and token not in units.CURRENCIES]
    return " ".join(kept) or folded


def score(header: str, table: str, field: str) -> tuple[float, str]:
    """Return how well a header names a field (0 to 1) and in which way."""
    names, weak = fields(table)[field]
    if header.strip().casefold() == field:
        return 1.05, "the table's own column name"
    if EQUIVALENTS.search(header) and field in ("chip_count", "CHIP_COUNT_TOTAL", "h100e"):
        return (0.97, "the header says H100 equivalents") if field == "h100e" else (0.0, "")
    folded, plain = fold(header), bare(header)
    unitless = _without_units(folded)
    has_power_unit = units.factor(units.in_words(header)[1], "MW") is not None and bool(units.in_words(header)[1])
    best, why = 0.0, ""
    for word in names:
        if word in ONLY_WITH_POWER_UNIT and not has_power_unit and field in ("power_mw", "site_power_mw"):
            continue
        if folded == word:
            return 1.05 if word == field else 1.0, f'the header is "{word}"'
        if word in (plain, unitless) or (len(word.split()) > 2 and _without_units(word) == unitless):
            best, why = max((best, why), (0.95, f'the header is "{word}" with a unit'))
        elif best < 0.9:
            part = max(_part(word, plain, folded), _part(word, unitless, folded))
            if part > best:
                best, why = part, f'the header holds "{word}"'
            elif best < 0.62 and len(word) > 4 and fuzz.ratio(word, plain) >= 90:
                best, why = 0.62, f'the header is spelled almost like "{word}"'
    for word in weak:
        if word in (folded, plain):
            best, why = max((best, why), (0.7, f'the header "{word}" can mean it'))
    return best, why


def _part(word: str, plain: str, folded: str) -> float:
    """Score a header that holds all words of a name and others besides."""
    wanted = word.split()
    have = plain.split()
    if not have or not set(wanted) <= set(have):
        return 0.0
    others = [token for token in folded.split() if token not in wanted and token not in units.UNITS and token not in units.SCALES]
    foreign = [token for token in others if token in _set("foreign")]
    strange = [token for token in others if token not in _set("neutral") and token not in _set("foreign") and not token.isdigit()]
    result = 0.88 - 0.02 * len(others) - 0.12 * len(strange) - 0.3 * len(foreign)
    return max(0.0, result)
