"""Units, scales and currencies as people write them, and factors between them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from data.meta import read_yaml

_DATA = read_yaml(Path(__file__).parent / "units.yml")
SCALES: dict[str, float] = {word: float(scale) for scale, words in _DATA["scales"].items() for word in words}
CURRENCIES: dict[str, str] = {word: code for code, words in _DATA["currencies"].items() for word in words}
UNITS: dict[str, str] = {word: unit for unit, words in _DATA["units"].items() for word in words}
_REGISTRY_NAMES: dict[str, str] = _DATA["registry"]
ORDINARY_WORDS = frozenset(_DATA["ordinary"])
_OPERATIONS = {"GFLOPS": 1e-3, "TFLOPS": 1.0, "TOPS": 1.0, "PFLOPS": 1e3, "POPS": 1e3, "EFLOPS": 1e6}
_CURRENCY_START = re.compile(
    r"^(" + "|".join(re.escape(word) for word in sorted(CURRENCIES, key=len, reverse=True)) + r")(?![a-z])\s*", re.IGNORECASE
)
_WORD = re.compile(r"^\s*([万萬亿億装张块颗元]|[^\d\s()\[\],;+–—-][^\s()\[\],;+\d–—-]*[²2]?(?![\w]))")
_SQUARE_MM = re.compile(r"\b(?:sq(?:uare|\.)?\s*mm|mm\s*(?:\^|\*\*)\s*2)(?![A-Za-z0-9])", re.IGNORECASE)
_PER_SECOND = re.compile(r"\s+per\s+s(?:ec(?:ond)?)?\b", re.IGNORECASE)
SQUARED = re.compile(r"(?<=[mc]m)²", re.IGNORECASE)


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


@cache
def factor(unit: str, target: str) -> float | None:
    """Return what a value in `unit` is multiplied by to be in `target`; None when they measure different things."""
    if not unit or not target or unit == target:
        return 1.0
    if unit in _OPERATIONS and target in _OPERATIONS:
        return _OPERATIONS[unit] / _OPERATIONS[target]
    if unit not in _REGISTRY_NAMES or target not in _REGISTRY_NAMES:
        return None
    import pint  # a tenth of a second to load, which most files need not spend

    try:
        return float(f"{_registry().Quantity(1, _REGISTRY_NAMES[unit]).to(_REGISTRY_NAMES[target]).magnitude:.12g}")
    except (pint.DimensionalityError, pint.UndefinedUnitError):
        return None


def known(word: str) -> str:
    """Return the unit name a word stands for, or an empty text."""
    return UNITS.get(word.strip().strip(".[]()").casefold(), "")


def leading_currency(text: str) -> tuple[str, str]:
    """Split a currency off the front of a text: "US$7 billion" -> ("USD", "7 billion")."""
    match = _CURRENCY_START.match(text)
    return (CURRENCIES[match[1].casefold()], text[match.end() :]) if match else ("", text)


def after_number(text: str) -> tuple[float | None, str, str, str]:
    """Read scale, unit and currency that follow a number.

    Returns (scale or None, unit, currency, the rest of the text); "m" after a currency or alone is a million.
    """
    scale: float | None = None
    unit = currency = ""
    rest = _SQUARE_MM.sub("mm2", text)
    for _ in range(4):
        trimmed = rest.lstrip()
        found, after = leading_currency(trimmed)
        if found and not currency:
            currency, rest = found, after
            continue
        match = _WORD.match(rest)
        if not match:
            break
        word = match[1].strip(".")
        folded = word.casefold()
        if scale is None and not unit and folded in SCALES and word != "T/s":
            scale = SCALES[folded]
        elif not unit and (folded in UNITS) and not (folded in ("h", "s", "min") and currency):
            unit = UNITS[folded]
        elif folded in ORDINARY_WORDS:
            pass
        else:
            compact = re.match(r"^(k|m|b|bn)(w|usd|eur|gpus?|chips?)$", folded)
            if not compact or scale is not None:
                break
            scale = SCALES[compact[1]]
            currency = currency or CURRENCIES.get(compact[2], "")
        rest = rest[match.end() :].lstrip(".")
    return scale, unit, currency, rest


def in_words(text: str) -> tuple[float | None, str, str]:
    """Find scale, unit and currency named in a header or caption: "Capex, $m" -> (1e6, "", "USD")."""
    scale: float | None = None
    unit = currency = ""
    plain = _PER_SECOND.sub("/s", _SQUARE_MM.sub("mm2", text.replace("_", " ")))
    tokens = re.findall(r"(?i)US\$|CN¥|[$€£¥₩₹]|[A-Za-zµ%²]+(?:/[A-Za-z]+)?2?|兆瓦|千瓦|吉瓦|[кмг]вт\b|[万亿元]", plain)
    for index, token in enumerate(tokens):
        folded = token.casefold()
        money = folded.partition("/")[0] if "/" in folded else ""
        if len(money) == 3 and money in CURRENCIES:
            currency = currency or CURRENCIES[money]  # "USD/hr"
        elif folded in CURRENCIES and folded not in ("won", "rs."):
            currency = currency or CURRENCIES[folded]
        elif folded in UNITS and not (folded in ("w", "s", "h", "t", "us", "min") and len(tokens) > 1 and not _bracketed(text, token)):
            unit = unit or UNITS[folded]
        elif folded in SCALES and (len(folded) > 1 or _bracketed(text, token) or (index and tokens[index - 1] in "$€£¥US$")):
            scale = scale or SCALES[folded]
        elif folded in ("000", "000s"):
            scale = scale or 1e3
    if scale is None and re.search(r"(?:^|[^\d])['’(]?000s?\b", text):
        scale = 1e3
    return scale, unit, currency


def _bracketed(text: str, token: str) -> bool:
    return bool(re.search(r"[(\[][^)\]]*(?<![A-Za-z])" + re.escape(token) + r"(?![A-Za-z])[^)\]]*[)\]]", text))
