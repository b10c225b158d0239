"""Numbers, dates and amounts as readers of this field write them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

OLD_DAYS = 180
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def known(value: Any) -> bool:
    """Whether there is a number at all."""
    return value is not None and not (isinstance(value, (float, np.floating)) and math.isnan(value))


def plain(value: Any) -> str:
    """A number with thousands marked and at most four significant decimals: 2,368, 0.0585 or, from 1e15 on, 1e26."""
    if not known(value):
        return "unknown"
    x = float(value)
    if x == 0 or (float(x).is_integer() and abs(x) < 1e15):
        return f"{x:,.0f}"
    if abs(x) >= 1e15:
        return f"{x:.4g}".replace("e+", "e")
    digits = max(0, 3 - math.floor(math.log10(abs(x))))
    return f"{x:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{x:,.0f}"


def power(mw: Any) -> str:
    """946 MW, 2.3 GW, 850 kW."""
    if not known(mw):
        return "unknown"
    if abs(mw) >= 1000:
        return f"{mw / 1000:.1f}".removesuffix(".0") + " GW" if abs(mw) < 100_000 else f"{mw / 1000:,.0f} GW"
    return f"{mw:.0f} MW" if abs(mw) >= 10 else f"{mw:.3g} MW" if abs(mw) >= 1 or mw == 0 else f"{mw * 1000:.3g} kW"


def count(value: Any) -> str:
    """950, 20k, 1.2M, 3.4B, 2.65T."""
    if not known(value):
        return "unknown"
    for size, mark in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            scaled = value / size
            return f"{scaled:.0f}{mark}" if abs(scaled) >= 100 or float(scaled).is_integer() else f"{scaled:.3g}{mark}"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"


def chips(value: Any) -> str:
    """16,384 in full, 120k, 1.2M: a count as it is named where it is under a hundred thousand."""
    return f"{value:,.0f}" if known(value) and abs(value) < 100_000 else count(value)


def dollars(value: Any) -> str:
    """$37.50, $0.0585, $1,200, $5.6M, $38B."""
    if not known(value):
        return "unknown"
    sign, x = ("−" if value < 0 else ""), abs(float(value))
    if x >= 1e6:
        return f"{sign}${count(x)}"
    if x >= 100:
        return f"{sign}${x:,.0f}"
    return f"{sign}${x:.2f}" if x >= 0.1 or x == 0 else f"{sign}${x:.3g}"


def share(value: Any) -> str:
    """35.7 %, 4 %."""
    return f"{100 * value:.3g} %" if known(value) else "unknown"


def number_of_bytes(value: Any) -> str:
    """70.3 kB, 516 GB: decimal units."""
    if not known(value):
        return "unknown"
    for size, mark in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= size:
            return f"{value / size:.3g} {mark}"
    return f"{value:.0f} B"


def seconds(value: Any) -> str:
    """12 ms, 3.4 s, 5.2 min, 3.1 h, 54 days."""
    if not known(value):
        return "unknown"
    for size, mark in ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")):
        if abs(value) >= size:
            return f"{value / size:.3g} {mark}"
    return f"{value:.3g} s"


def date(value: Any) -> str:
    """23 Nov 2026, Nov 2026 or 2026, by the precision given (ISO text, date or timestamp)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "undated"
    text = value.isoformat()[:10] if hasattr(value, "isoformat") else str(value)
    parts = text.split("-")
    if len(parts) == 1 or not parts[1].isdigit():
        return text
    month = _MONTHS[int(parts[1]) - 1]
    return f"{month} {parts[0]}" if len(parts) == 2 else f"{int(parts[2])} {month} {parts[0]}"


def age_days(as_of: str | None, today: datetime.date) -> int | None:
    """Days since a date given as a year, a month or a day (its first day); None where there is none."""
    if not as_of:
        return None
    text = {4: f"{as_of}-01-01", 7: f"{as_of}-01"}.get(len(as_of), as_of)
    try:
        return (today - datetime.date.fromisoformat(text)).days
    except ValueError:
        return None


def age(days: int | None) -> str:
    """175 d, 2.5 y."""
    if days is None:
        return ""
    return f"{days} d" if abs(days) < 730 else f"{days / 365.25:.1f} y"


def listed(names: Iterable[str], most: int = 4) -> str:
    """A, B and C; A, B, C and 5 more."""
    all_names = list(names)
    if len(all_names) <= 1:
        return "".join(all_names)
    if len(all_names) > most:
        return f"{', '.join(all_names[:most])} and {len(all_names) - most} more"
    return f"{', '.join(all_names[:-1])} and {all_names[-1]}"


def in_words(n: int) -> str:
    """two, three, ... twelve; from 13 on in digits."""
    words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    return words[n] if 0 <= n < len(words) else str(n)


def log_ticks(low: float, high: float, write: Callable[[float], str], most: int = 9) -> dict[str, Any]:
    """Ticks of a logarithmic axis at 1-2-5 steps, each written out with its unit; fewer steps where too many.

    Parameters: low and high of the axis, above 0; write, the format; most ticks wanted. Returns: plotly axis fields.
    """
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**e for e in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1) for m in steps]
        ticks = [t for t in ticks if low * 0.999 <= t <= high * 1.001]
        if len(ticks) <= most:
            break
    else:
        ticks = ticks[:: math.ceil(len(ticks) / most)]
    return {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": [write(t) for t in ticks]}
