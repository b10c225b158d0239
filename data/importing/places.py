"""Countries, addresses and coordinates as people write them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from data import shipped
from data.importing.text import clean, fold, is_missing, without_footnotes
from data.meta import read_yaml

_DATA = read_yaml(Path(__file__).parent / "places.yml")
STATES: dict[str, str] = _DATA["states"]
_STATE_NAMES = {name.casefold(): name for name in STATES.values()}
_DEGREES = (
    r"(?:([NSEWnsew])\s*)?([+-]?\d{1,3}(?:[.,]\d+)?)\s*(?:°|º|deg|d)?\s*"
    r"(?:(?<=[\s°ºdg])(\d{1,2}(?:[.,]\d+)?)\s*(?:'|′|’|m|(?=\s)|$)\s*)?(?:(\d{1,2}(?:[.,]\d+)?)\s*(?:\"|″|”|''|′′|s|(?=\s)|$)\s*)?\s*([NSEWOnsewo])?"
)


@cache
def _names() -> dict[str, str]:
    names = {row["country"].casefold(): row["country"] for row in shipped.rows("country_groups") if row["country_iso2"] != "*"}
    names.update({row["country_iso2"].casefold(): row["country"] for row in shipped.rows("country_groups") if row["country_iso2"] != "*"})
    for name, others in _DATA["countries"].items():
        names[name.casefold()] = name
        for other in others:
            names.setdefault(other, name)
    return names


def country(text: str) -> str | None:
    """Return the country's name as the tables write it, or None when the text names none ("NA" is Namibia)."""
    return _names().get(" ".join(clean(without_footnotes(text)).casefold().split()))


def split_location(text: str) -> dict[str, str]:
    """Split an address or "city, region, country" into the parts that can be told.

    Returns a dictionary with some of country, region, city; parts that cannot be told are left out.
    """
    shown = without_footnotes(clean(text))
    if is_missing(shown):
        return {}
    parts = [part.strip() for part in re.split(r"[\n,;]+|\s+[/|]\s+", shown) if part.strip()]
    parts = [part for part in parts if not re.fullmatch(r"[\d\s-]{4,10}", part)] or parts
    found: dict[str, str] = {}
    if not parts:
        return found
    named = country(parts[-1])
    if named and not (len(parts) > 1 and parts[-1] in STATES):
        found["country"] = named
        parts.pop()
    if (
        parts
        and (state := _state(parts[-1], len(parts) > 1 or "country" in found))
        and found.get("country", "United States") == "United States"
    ):
        found["country"], found["region"] = "United States", state
        parts.pop()
    if parts and found:
        # A street address names the city last; the part before the region or country.
        city = re.sub(r"^\d{4,6}\s+|\s+\d{4,6}$", "", parts[-1]).strip()
        if (
            city
            and not re.match(r"^\d+\s+\w", city)
            and not re.search(r"\b(?:rd|road|st|street|ave|avenue|blvd|way|drive|dr)\.?$", city, re.IGNORECASE)
        ):
            found["city"] = city.title() if city.isupper() and len(city) > 3 else city
    return found


def _state(part: str, placed: bool) -> str | None:
    match = re.match(r"^([A-Z]{2})(?:\s+\d{5}(?:-\d{4})?)?$", part)
    if match and match[1] in STATES and placed:
        return STATES[match[1]]
    name = re.sub(r"\s+\d{5}(?:-\d{4})?$", "", part).casefold()
    return _STATE_NAMES.get(name) if placed else None


def us_state(text: str) -> str | None:
    """Return the name of the state of the USA that a text names or abbreviates, or None."""
    return STATES.get(text) or _STATE_NAMES.get(text.casefold())


def degrees(text: str, positive: str = "", negative: str = "") -> float | None:
    """Read one coordinate: decimal degrees or degrees, minutes and seconds with a compass letter; None when it is none."""
    match = re.fullmatch(_DEGREES, clean(text).replace("''", '"'))
    if not match or not match[2]:
        return None
    return _decimal(match)


def _decimal(match: re.Match[str]) -> float:
    whole = float(match[2].replace(",", "."))
    minutes = float((match[3] or "0").replace(",", "."))
    seconds = float((match[4] or "0").replace(",", "."))
    value = abs(whole) + minutes / 60 + seconds / 3600
    letter = (match[1] or match[5] or "").upper()
    return -value if match[2].startswith("-") or letter in ("S", "W", "O") else value


def coordinates(text: str) -> tuple[float, float] | None:
    """Read a pair "35°3'36"N 90°9'23"W" or "35.06, -90.16" into (latitude, longitude); None when it is none."""
    shown = clean(without_footnotes(text)).replace("''", '"').strip("() ")
    pair = re.fullmatch(_DEGREES + r"\s*[,;/ ]\s*" + _DEGREES.replace("(?:([NSEWnsew])", "(?:([NSEWnsew])"), shown)
    if not pair:
        return None
    first = re.fullmatch(_DEGREES, shown[: pair.start(6) if pair[6] else pair.start(7)].strip(" ,;/"))
    second = re.fullmatch(_DEGREES, shown[pair.start(6) if pair[6] else pair.start(7) :].strip())
    if not first or not second:
        return None
    latitude, longitude = _decimal(first), _decimal(second)
    if (first[1] or first[5] or "").upper() in ("E", "W", "O"):
        latitude, longitude = longitude, latitude
    return latitude, longitude


def same_words(one: str, other: str) -> bool:
    """Tell whether two place names are the same apart from case, accents and punctuation."""
    return fold(one) == fold(other)
