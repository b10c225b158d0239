"""Units, scales and currencies as people write them, and factors between them."""

from __future__ import annotations

import re
from functools import cache

import pint

SCALES = {
    "k": 1e3, "thousand": 1e3, "thousands": 1e3, "tsd": 1e3, "tausend": 1e3, "mille": 1e3, "mil": 1e3,
    "m": 1e6, "mn": 1e6, "mm": 1e6, "mio": 1e6, "mln": 1e6, "million": 1e6, "millions": 1e6, "millionen": 1e6, "millones": 1e6,
    "b": 1e9, "bn": 1e9, "bln": 1e9, "billion": 1e9, "billions": 1e9, "mrd": 1e9, "milliarden": 1e9, "milliard": 1e9, "milliards": 1e9,
    "t": 1e12, "tn": 1e12, "trn": 1e12, "trillion": 1e12, "trillions": 1e12,
    "万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8, "lakh": 1e5, "crore": 1e7,
}  # fmt: skip
CURRENCIES = {
    "us$": "USD", "usd": "USD", "$": "USD", "u.s. dollars": "USD", "us dollars": "USD", "dollars": "USD", "dollar": "USD", "美元": "USD",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "¥": "CNY or JPY", "cny": "CNY", "rmb": "CNY",
    "yuan": "CNY", "cn¥": "CNY", "元": "CNY", "人民币": "CNY", "jpy": "JPY", "yen": "JPY", "jp¥": "JPY", "円": "JPY", "₩": "KRW", "krw": "KRW",
    "won": "KRW", "₹": "INR", "inr": "INR", "rs.": "INR", "c$": "CAD", "ca$": "CAD", "cad": "CAD", "a$": "AUD", "aud": "AUD", "chf": "CHF",
    "sek": "SEK", "nok": "NOK", "dkk": "DKK", "aed": "AED", "sar": "SAR", "s$": "SGD", "sgd": "SGD", "nt$": "TWD", "twd": "TWD", "hk$": "HKD",
    "hkd": "HKD", "r$": "BRL", "brl": "BRL", "pln": "PLN", "zł": "PLN", "rub": "RUB", "₽": "RUB", "ils": "ILS", "₪": "ILS",
}  # fmt: skip
# Spelling (lower case) -> unit name used in table metadata.
UNITS = {
    "w": "W", "watt": "W", "watts": "W", "kw": "kW", "kilowatt": "kW", "kilowatts": "kW", "mw": "MW", "mwe": "MW", "megawatt": "MW",
    "megawatts": "MW", "mwp": "MW", "gw": "GW", "gwe": "GW", "gigawatt": "GW", "gigawatts": "GW", "tw": "TW", "mva": "MVA", "kva": "kVA",
    "gb": "GB", "gbyte": "GB", "tb": "TB", "mb": "MB", "gib": "GiB", "tib": "TiB", "mib": "MiB",
    "gb/s": "GB/s", "gbps": "Gbit/s", "gb/sec": "GB/s", "tb/s": "TB/s", "tb/sec": "TB/s", "mb/s": "MB/s", "gbit/s": "Gbit/s", "gbits": "Gbit/s",
    "tbit/s": "Tbit/s", "tbps": "Tbit/s",
    "gflops": "GFLOPS", "gflop/s": "GFLOPS", "tflops": "TFLOPS", "tflop/s": "TFLOPS", "tops": "TOPS", "pflops": "PFLOPS", "pflop/s": "PFLOPS",
    "pops": "POPS", "eflops": "EFLOPS", "mm2": "mm2", "mm²": "mm2", "sq mm": "mm2", "cm2": "cm2", "cm²": "cm2", "nm": "nm",
    "%": "%", "percent": "%", "pct": "%", "ms": "ms", "s": "s", "sec": "s", "seconds": "s", "min": "min", "minutes": "min", "us": "us", "µs": "us",
    "h": "h", "hours": "h", "hr": "h", "$/h": "USD/h", "usd/h": "USD/h",
    "tok/s": "tok/s", "tokens/s": "tok/s", "tokens/sec": "tok/s", "t/s": "tok/s",
}  # fmt: skip
ORDINARY_WORDS = (
    "gpus",
    "gpu",
    "chips",
    "chip",
    "accelerators",
    "accelerator",
    "units",
    "unit",
    "cards",
    "pcs",
    "xpus",
    "tpus",
    "装",
    "张",
    "块",
    "颗",
)
_REGISTRY_NAMES = {
    "tok/s": "1/second", "Gbit/s": "gigabit/second", "Tbit/s": "terabit/second", "GB/s": "gigabyte/second", "TB/s": "terabyte/second",
    "MB/s": "megabyte/second", "TB": "terabyte", "GB": "gigabyte", "MB": "megabyte", "mm2": "millimeter**2", "cm2": "centimeter**2",
    "MVA": "megavolt*ampere", "kVA": "kilovolt*ampere", "%": "percent", "h": "hour", "s": "second", "ms": "millisecond", "us": "microsecond",
    "min": "minute", "W": "watt", "kW": "kilowatt", "MW": "megawatt", "GW": "gigawatt", "TW": "terawatt", "nm": "nanometer",
    "GiB": "gibibyte", "TiB": "tebibyte", "MiB": "mebibyte",
}  # fmt: skip
_OPERATIONS = {"GFLOPS": 1e-3, "TFLOPS": 1.0, "TOPS": 1.0, "PFLOPS": 1e3, "POPS": 1e3, "EFLOPS": 1e6}
_CURRENCY_START = re.compile(
    r"^(" + "|".join(re.escape(word) for word in sorted(CURRENCIES, key=len, reverse=True)) + r")(?![a-z])\s*", re.IGNORECASE
)
_WORD = re.compile(r"^\s*([万萬亿億装张块颗元]|[^\d\s()\[\],;+–—-][^\s()\[\],;+\d–—-]*[²2]?(?![\w]))")


@cache
def _registry() -> pint.UnitRegistry:
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
    rest = text
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
    tokens = re.findall(r"US\$|CN¥|[$€£¥₩₹]|[A-Za-zµ%²]+(?:/[A-Za-z]+)?2?|[万亿元]", text.replace("_", " "))
    for index, token in enumerate(tokens):
        folded = token.casefold()
        if folded in CURRENCIES and not (folded in ("won", "rs.")):
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
