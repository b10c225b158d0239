"""Country groups as they stood on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from analytics.chips.names import nearest
from analytics.chips.text import iso_day, plain


class CountryGroups:
    """Dated membership of country groups; only rows with status `in` count.

    Parameters: rows with group, country_iso2, country, from_date, to_date (exclusive; blank is open), status.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]):
        self._members: dict[str, list[tuple[str, str, str]]] = {}
        self.countries: dict[str, str] = {}
        for row in rows:
            group, country = plain(row["group"]), plain(row["country_iso2"])
            if country != "*":
                self.countries.setdefault(country, plain(row.get("country")))
            if plain(row["status"]) == "in" and country != "*":
                start, end = plain(row.get("from_date")), plain(row.get("to_date"))
                self._members.setdefault(group, []).append((country, start or "0000", end or "9999"))
            else:
                self._members.setdefault(group, [])
        self.members = lru_cache(maxsize=4096)(self._on)

    @property
    def names(self) -> list[str]:
        """Groups there are."""
        return sorted(self._members)

    def _on(self, group: str, date: str) -> frozenset[str]:
        if group not in self._members:
            raise ValueError(f"no country group {group!r}{nearest(group, self._members)}; groups are {', '.join(self.names)}")
        day = iso_day(date)
        return frozenset(country for country, start, end in self._members[group] if start <= day < end)
