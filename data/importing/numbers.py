"""One cell of a number column: value, range, scale, unit, currency, and the words left over."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace

from data.importing import units
from data.importing.text import BROKEN_REFERENCES, clean, is_missing, without_footnotes

NUMBER = r"(?:\d{1,3}(?:[ ,.'’]\d{3})+(?![\d])(?:[.,]\d+)?|\d{1,3}(?:,\d{2})+,\d{3}|\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d{1,3}(?![\w]))?"
APPROXIMATE = re.compile(
    r"^(?:[~≈∼]|c\.|ca\.?|circa|about|approx(?:\.|imately)?|around|roughly|some|nearly|almost|est\.?|estimated|etwa|rund|environ|env\.|"
    r"约|大约|近)\s*",
    re.IGNORECASE,
)
AT_LEAST = re.compile(
    r"^(?:>=?|≥|over|more than|at least|min\.?|minimum|above|mehr als|über|mindestens|plus de|超过|至少)\s*", re.IGNORECASE
)
AT_MOST = re.compile(r"^(?:<=?|≤|up to|less than|at most|max\.?|maximum|below|under|bis zu|jusqu'à|最多)\s*", re.IGNORECASE)
PLANNED = re.compile(r"\(?\b(?:planned|plan|proposed|target|targeted|future|announced|geplant|prévu|eventually)\b\)?", re.IGNORECASE)
BETWEEN = re.compile(r"\s*(?:-|–|—|−|~|to|bis|and|à|至|\.\.\.?)\s*", re.IGNORECASE)
USUAL = re.compile(r"^(~)?(\d{1,3}(?:,\d{3})+|\d{1,15})(\+)?$", re.ASCII)
FRACTION = re.compile(r"(?<![\d.,/])(\d{1,6})?\s?([½⅓⅔¼¾⅕⅖⅗⅘⅛⅜⅝⅞])")
POWER_OF_TEN = re.compile(r"(?<=\d)\s?[x×*·]\s?10\s?(?:(?:\^|\*\*)\s?([+-]?\d{1,2})\b|([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))")
SUM = re.compile(r"^\s*(?:[x×*/^·]|\+(?=\s*\d))?\s*\d", re.IGNORECASE)  # a second number after the first: "32 x 8", "10 20"
MARGIN = re.compile(rf"^\s*(?:±|\+/-|\+-)\s*({NUMBER})\s*(?=%|$|[^\W\d])")
NOT_FINITE = re.compile(r"^[+-]?(?:inf|infinity|∞)$", re.IGNORECASE)


@dataclass(frozen=True)
class Quantity:
    """What one cell says: `value` in the unit named, `low` and `high` only where the cell gives them."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    unit: str = ""
    currency: str = ""
    approximate: bool = False
    planned: bool = False
    rest: str = ""
    scaled_in_cell: bool = False
    warning: str = ""
    error: str = ""

    @property
    def missing(self) -> bool:
        return math.isnan(self.value) and not self.error

    def scaled(self, factor: float) -> Quantity:
        """Return the quantity multiplied by `factor`."""
        if factor == 1:
            return self
        return replace(self, value=self.value * factor, low=self.low * factor, high=self.high * factor)


def parse(text: str, decimal: str = ".") -> Quantity:
    """Read one cell of a number column; `decimal` is the mark the column uses for decimals ("." or ",").

    Understands "100,000+", "~150 MW", "c. 480", "1.5 GW", "$5-6B", "0.5 million", "500,000–700,000", "150E" (estimate),
    "(planned)", footnote marks and units; "(140)" alone is ambiguous and stays empty with a warning.
    """
    usual = USUAL.match(text) if decimal == "." else None
    if usual:  # by far the most cells of a large file
        value = float(usual[2].replace(",", ""))
        return Quantity(value, low=value if usual[3] else math.nan, approximate=bool(usual[1]))
    shown = clean(text)
    if is_missing(shown):
        return Quantity()
    if shown.upper().startswith(BROKEN_REFERENCES):
        return Quantity(error=f"{shown[:20]} is a broken spreadsheet reference, not a number")
    shown = units.SQUARED.sub("2", shown)  # part of the unit, not a footnote mark
    shown = POWER_OF_TEN.sub(_power_of_ten, FRACTION.sub(_fraction, shown))
    body = unicodedata.normalize("NFKC", without_footnotes(shown)).replace("−", "-").replace("\n", " ")
    if NOT_FINITE.match(body):
        return Quantity(error="infinite: a finite number is needed")
    if re.fullmatch(r"\(\s*[$€£¥]?[\d.,' ]+\)", body):
        return Quantity(warning="a number in brackets can mean an estimate or a minus: left empty")
    planned = bool(PLANNED.search(body))
    body, aside = _without_aside(PLANNED.sub(" ", body).strip())
    approximate, at_least, at_most = False, False, False
    while True:
        for pattern in (APPROXIMATE, AT_LEAST, AT_MOST):
            match = pattern.match(body)
            if match:
                body = body[match.end() :]
                approximate |= pattern is APPROXIMATE
                at_least |= pattern is AT_LEAST
                at_most |= pattern is AT_MOST
                break
        else:
            break
    found = _read(body, decimal)
    if found is None:
        return Quantity(error="not a number", rest=body, planned=planned)
    value, high, unit, currency, plus, estimated, rest, scaled = found
    if aside and re.search(r"\b(?:est|estimate|estimated|approx|e|forecast)\b", aside, re.IGNORECASE):
        estimated = True
    if aside and not rest:
        rest = f"({aside})" if not re.search(r"\d|\best|\bapprox", aside, re.IGNORECASE) else ""
    result = Quantity(value, math.nan, math.nan, unit, currency, approximate or estimated or planned, planned, rest, scaled)
    if not math.isnan(high):
        low, top = min(value, high), max(value, high)
        result = replace(result, value=(low + top) / 2, low=low, high=top, approximate=True)
    elif plus or at_least:
        result = replace(result, low=value)
    elif at_most:
        result = replace(result, high=value)
    if not math.isfinite(result.value):
        return Quantity(error="too large to be a number here")
    return result


def _fraction(match: re.Match[str]) -> str:
    """Write "1½" as 1.5."""
    return repr(int(match[1] or 0) + unicodedata.numeric(match[2]))


def _power_of_ten(match: re.Match[str]) -> str:
    return "e" + unicodedata.normalize("NFKC", match[1] or match[2]).replace("−", "-")


def _without_aside(body: str) -> tuple[str, str]:
    """Split off one remark in brackets that follows the number: "5 GW (1 GW for OpenAI)"."""
    match = re.match(r"^(.*\d.*?)\(([^()]*)\)\s*$", body)
    return (match[1].strip(), match[2].strip()) if match and match[1].strip() else (body, "")


def _read(body: str, decimal: str) -> tuple[float, float, str, str, bool, bool, str, bool] | None:
    """Return value, upper end, unit, currency, "+", estimate mark, the rest of the words, and whether a scale was named."""
    currency, body = units.leading_currency(body)
    sign = -1.0 if body.startswith("-") else 1.0
    if body[:1] in "+-":
        body = body[1:].lstrip()
    lead, body = units.leading_currency(body)
    currency = currency or lead
    first = re.match(NUMBER, body)
    if not first:
        return None
    value = to_float(first[0], decimal)
    rest = body[first.end() :]
    margin = MARGIN.match(rest)
    rest = rest[margin.end() :] if margin else rest
    if value is None or SUM.match(rest):
        return None
    scale, unit, trailing, rest = units.after_number(rest)
    currency = currency or trailing
    high, plus, estimated = math.nan, False, False
    gap = BETWEEN.match(rest)
    if gap and gap.end():
        lead, tail = units.leading_currency(rest[gap.end() :])
        second = re.match(NUMBER, tail)
        if second and (upper := to_float(second[0], decimal)) is not None:
            high_scale, high_unit, trailing, rest = units.after_number(tail[second.end() :])
            currency = currency or lead or trailing
            high = upper * (high_scale or scale or 1.0)
            if scale is None and not unit and (high_scale or high_unit):
                scale = high_scale
            if unit and high_unit and unit != high_unit:
                factor = units.factor(high_unit, unit)
                high = high * factor if factor else math.nan
            unit = unit or high_unit
    rest = rest.strip()
    if rest.startswith("+"):
        plus, rest = True, rest[1:].strip()
        more_scale, more_unit, trailing, rest = units.after_number(rest)
        scale, unit, currency = scale or more_scale, unit or more_unit, currency or trailing
    mark = re.match(r"^(?:e|est\.?|f|p)(?=$|\s|[,;)])", rest, re.IGNORECASE)
    if mark:
        estimated, rest = True, rest[mark.end() :].strip()
        if not unit:
            more_scale, unit, trailing, rest = units.after_number(rest)
            scale, currency = scale or more_scale, currency or trailing
    return sign * value * (scale or 1.0), sign * high, unit, currency, plus, estimated, rest.strip(" ,;"), scale is not None


def to_float(digits: str, decimal: str) -> float | None:
    """Read the digits of a number with the given decimal mark; None when the grouping fits no number."""
    exponent = ""
    match = re.search(r"[eE][+-]?\d+$", digits)
    if match:
        digits, exponent = digits[: match.start()], match[0]
    digits = digits.replace("'", "").replace("’", "").replace(" ", "")
    has_point, has_comma = "." in digits, "," in digits
    if has_point and has_comma:
        mark = "." if digits.rindex(".") > digits.rindex(",") else ","
        digits = digits.replace("," if mark == "." else ".", "").replace(mark, ".")
    elif has_comma or has_point:
        sign = "," if has_comma else "."
        if digits.count(sign) > 1:
            digits = digits.replace(sign, "")
        elif sign == decimal:
            digits = digits.replace(sign, ".")
        elif re.fullmatch(rf"[1-9]\d{{0,2}}\{sign}\d{{3}}", digits):
            digits = digits.replace(sign, "")
        else:
            digits = digits.replace(sign, ".")
    try:
        return float(digits + exponent)
    except ValueError:
        return None


def decimal_mark(texts: list[str], delimiter: str) -> tuple[str, str]:
    """Tell the decimal mark of a column and how sure that is: "shown", "usual" or "ambiguous".

    Parameters: the distinct cells; the delimiter of the file (a comma cannot be the decimal mark of unquoted cells).
    Returns: ("." or ",", how). Ambiguous: "1.234" and nothing else in a file that separates cells by semicolons.
    """
    point = comma = either_comma = either_point = 0
    for text in texts[:20_000]:
        for digits in re.findall(r"(?<![A-Za-z\d])\d+(?:[.,' ]?\d+)*", text[:80]):  # not of "H100, 50k", two numbers
            digits = digits.replace(" ", "").replace("'", "")
            has_point, has_comma = "." in digits, "," in digits
            if has_point and has_comma:
                if digits.rindex(".") > digits.rindex(","):
                    point += 1
                else:
                    comma += 1
            elif has_comma or has_point:
                sign = "," if has_comma else "."
                grouped = re.fullmatch(rf"[1-9]\d{{0,2}}(?:\{sign}\d{{3}})+", digits)
                if digits.count(sign) > 1:
                    point, comma = (point + 1, comma) if has_comma else (point, comma + 1)
                elif grouped:
                    either_comma += has_comma
                    either_point += has_point
                elif has_comma:
                    comma += 1
                else:
                    point += 1
    if point or comma:
        return ("." if point >= comma else ","), "shown"
    if either_point and delimiter == ";":
        return ".", "ambiguous"
    return ".", "usual"
