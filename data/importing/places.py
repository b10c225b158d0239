"""Countries, addresses and coordinates as people write them."""

from __future__ import annotations

import re
from functools import cache

from data import shipped
from data.importing.text import clean, fold, is_missing, without_footnotes

OTHER_NAMES = {
    "United States": "us usa u.s. u.s.a. united states of america america vereinigte staaten états-unis estados unidos 美国",
    "China": "cn chn prc p.r.c. p.r. china people's republic of china mainland china volksrepublik china chine 中国",
    "United Arab Emirates": "ae are uae u.a.e. emirates vereinigte arabische emirate",
    "United Kingdom": "gb gbr uk u.k. great britain england scotland wales vereinigtes königreich royaume-uni britain",
    "Germany": "de deu ger deutschland allemagne alemania 德国",
    "France": "fr fra frankreich francia 法国",
    "Switzerland": "ch che schweiz suisse",
    "Norway": "no nor norwegen norge",
    "Sweden": "se swe schweden sverige",
    "Finland": "fi fin finnland suomi",
    "Denmark": "dk dnk dänemark danmark",
    "Iceland": "is isl ísland",
    "Japan": "jp jpn 日本",
    "South Korea": "kr kor korea republic of korea korea, south korea, republic of südkorea 韩国",
    "Taiwan": "tw twn chinese taipei 台湾 台灣",
    "Saudi Arabia": "sa sau ksa kingdom of saudi arabia saudi-arabien",
    "India": "in ind indien", "Italy": "it ita italien italia", "Spain": "es esp spanien españa", "Canada": "ca can kanada",
    "Netherlands": "nl nld the netherlands holland niederlande", "Ireland": "ie irl irland", "Israel": "il isr", "Singapore": "sg sgp 新加坡",
    "Malaysia": "my mys 马来西亚", "Brazil": "br bra brasil brasilien", "Australia": "au aus australien", "Austria": "at aut österreich",
    "Belgium": "be bel belgien", "Luxembourg": "lu lux luxemburg", "Poland": "pl pol polen", "Portugal": "pt prt", "Czechia": "cz cze czech republic",
    "Russia": "ru rus russian federation russland", "Turkiye": "tr tur turkey türkiye", "Qatar": "qa qat katar", "Kazakhstan": "kz kaz",
    "Vietnam": "vn vnm viet nam", "Thailand": "th tha", "Indonesia": "id idn", "Philippines": "ph phl", "Mexico": "mx mex méxico",
    "Chile": "cl chl", "Argentina": "ar arg", "South Africa": "za zaf", "Kenya": "ke ken", "Namibia": "na nam", "Egypt": "eg egy",
    "Morocco": "ma mar", "Hong Kong": "hk hkg hong kong sar", "Macau": "mo mac macao", "Bulgaria": "bg bgr", "Greece": "gr grc",
    "Hungary": "hu hun", "Romania": "ro rou", "Slovenia": "si svn", "Slovakia": "sk svk", "Estonia": "ee est", "Latvia": "lv lva",
    "Lithuania": "lt ltu", "Croatia": "hr hrv", "Ukraine": "ua ukr", "New Zealand": "nz nzl", "Pakistan": "pk pak", "Oman": "om omn",
    "Kuwait": "kw kwt", "Bahrain": "bh bhr", "Jordan": "jo jor", "Colombia": "co col", "Peru": "pe per", "Nigeria": "ng nga",
    "Uzbekistan": "uz uzb", "Bhutan": "bt btn", "Paraguay": "py pry",
}  # fmt: skip
_MULTIWORD = re.compile(r"(?:united states of america|vereinigte (?:arabische emirate|staaten)|estados unidos|p\.r\. china|people's republic of china|"
                        r"mainland china|volksrepublik china|great britain|vereinigtes königreich|republic of korea|korea, south|korea, republic of|"
                        r"chinese taipei|kingdom of saudi arabia|the netherlands|czech republic|russian federation|viet nam|hong kong sar)")  # fmt: skip
STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware",
    "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa",
    "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey",
    "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon",
    "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah",
    "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip
_STATE_NAMES = {name.casefold(): name for name in STATES.values()}
_DEGREES = (
    r"(?:([NSEWnsew])\s*)?([+-]?\d{1,3}(?:[.,]\d+)?)\s*(?:°|º|deg|d)?\s*"
    r"(?:(\d{1,2}(?:[.,]\d+)?)\s*(?:'|′|’|m)\s*)?(?:(\d{1,2}(?:[.,]\d+)?)\s*(?:\"|″|”|''|′′|s)\s*)?\s*([NSEWOnsewo])?"
)


@cache
def _names() -> dict[str, str]:
    names = {row["country"].casefold(): row["country"] for row in shipped.rows("country_groups") if row["country_iso2"] != "*"}
    names.update({row["country_iso2"].casefold(): row["country"] for row in shipped.rows("country_groups") if row["country_iso2"] != "*"})
    for country, words in OTHER_NAMES.items():
        names[country.casefold()] = country
        for phrase in _MULTIWORD.findall(words):
            names[phrase] = country
        for word in _MULTIWORD.sub(" ", words).split():
            names.setdefault(word, country)
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
