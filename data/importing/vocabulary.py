"""The words headers and cells use elsewhere: loaded from vocabulary.yml, scored against a header."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import fuzz

from data.importing import units
from data.importing.text import fold
from data.meta import load_meta

# Words that say nothing about which field a column is.
NEUTRAL = frozenset(
    "the a an of in on for per current currently total all ai reported estimated est installed primary main overall approx approximate value number no "
    "nr count latest as at by und der die das de la le les du des el los year ca incl including actual our data dc eur usd dollars"
    " up to text avg".split()
)
# Words that mark a column as being about something else than the field it names.
FOREIGN = frozenset(
    "note notes quote log efficiency supplier comment explanation rank share percent pct change growth ratio duplicate source link url "
    "exclude previous name type inflation adjusted calculated basis peak planned future target max maximum min minimum low high error status".split()
)
ONLY_WITH_POWER_UNIT = frozenset({"it", "site", "total", "facility"})


@cache
def _raw() -> dict[str, Any]:
    with open(Path(__file__).parent / "vocabulary.yml", encoding="utf-8") as file:
        return yaml.safe_load(file)


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
def words(kind: str) -> dict[str, str] | frozenset[str]:
    """Return the words of a kind: a mapping folded word -> canonical word, or a set of folded words."""
    raw = _raw()["words"][kind]
    if isinstance(raw, dict):
        return {fold(str(word)): canonical for canonical, spelled in raw.items() for word in [canonical, *spelled]}
    return frozenset(fold(str(word)) for word in raw)


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


def score(header: str, table: str, field: str) -> tuple[float, str]:
    """Return how well a header names a field (0 to 1) and in which way."""
    names, weak = fields(table)[field]
    if header.strip().casefold() == field:
        return 1.0, "the table's own column name"
    folded, plain = fold(header), bare(header)
    has_power_unit = units.factor(units.in_words(header)[1], "MW") is not None and bool(units.in_words(header)[1])
    best, why = 0.0, ""
    for word in names:
        if word in ONLY_WITH_POWER_UNIT and not has_power_unit:
            continue
        if folded == word:
            return 1.0, f'the header is "{word}"'
        if plain == word:
            best, why = max((best, why), (0.95, f'the header is "{word}" with a unit'))
        elif best < 0.9:
            part = _part(word, plain, folded)
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
    foreign = [token for token in others if token in FOREIGN]
    strange = [token for token in others if token not in NEUTRAL and token not in FOREIGN and not token.isdigit()]
    result = 0.88 - 0.02 * len(others) - 0.12 * len(strange) - 0.3 * len(foreign)
    return max(0.0, result)
