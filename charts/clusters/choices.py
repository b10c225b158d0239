"""Parameters, quantities and words that the cluster charts share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from charts import numbers
from charts.params import ChartParams, choice, many, pick, words
from data.queries import clusters
from data.queries.clusters import Selection
from data.snapshot import Snapshot

QuantityName = Literal["power_mw", "site_power_mw", "chip_count", "h100e", "h100e_16bit", "capex_usd"]


@dataclass(frozen=True)
class Quantity:
    """A quantity of clusters: in a list, in a sentence, its unit and how it is written."""

    label: str
    noun: str
    unit: str
    write: Callable[[Any], str]
    basis: str = ""

    def of(self, value: Any) -> str:
        """A value with its noun, for sentences: "900 MW of IT power", "400k accelerators", "1.2M H100e"."""
        if self.unit == "H100e":
            return self.write(value)
        return f"{self.write(value)}{' of' if self.unit in ('MW', 'USD') else ''} {self.noun}"


def _units(write: Callable[[Any], str], unit: str) -> Callable[[Any], str]:
    return lambda value: f"{write(value)} {unit}"


QUANTITIES: Mapping[str, Quantity] = {
    "power_mw": Quantity("IT power", "IT power", "MW", numbers.power, "power_basis"),
    "site_power_mw": Quantity("Site power", "site power", "MW", numbers.power, "power_basis"),
    "chip_count": Quantity("Chips", "accelerators", "chips", numbers.count, "count_basis"),
    "h100e": Quantity("H100e, dense 8-bit", "H100 equivalents", "H100e", _units(numbers.count, "H100e"), "h100e_basis"),
    "h100e_16bit": Quantity("H100e, dense 16-bit", "H100 equivalents", "H100e", _units(numbers.count, "H100e"), "count_basis"),
    "capex_usd": Quantity("Capital", "capital", "USD", numbers.dollars, "capex_basis"),
}
GROUPS = {"site": "By site", "owner": "By owner", "user": "By user", "country": "By country", "chip": "By chip"}
GROUP_COLUMNS = {"site": "name", "owner": "owner_name", "user": "user_name", "country": "country", "chip": "chip_id"}
KINDS = {"site": "sites", "owner": "owners", "user": "users", "country": "countries", "chip": "chip types"}
VOICES = {"one": "One source", "newest": "Newest voice a site", "all": "All voices"}


def quantity(default: str = "power_mw") -> Any:
    """The parameter that says what is counted."""
    return choice(
        default,
        label="Quantity",
        help="what is counted; H100 equivalents by the source's dense 8-bit rate, or by 16-bit rates of counted chips",
        labels={name: f"{q.label}, {q.unit}" if q.unit in ("MW", "USD") else q.label for name, q in QUANTITIES.items()},
    )


class SelectionParams(ChartParams):
    """Whose testimony is taken, and filters: shared by the charts, so that they stay set from view to view."""

    source: str = pick("", label="Source", help="whose testimony is drawn; the first takes the newest edition of the site table")
    voices: Literal["one", "newest", "all"] = choice(
        "one",
        label="Testimony",
        help="one source; for each site the source that spoke last; or every source side by side",
        labels=VOICES,
    )
    owners: tuple[str, ...] = many((), label="Owner", help="only sites of these owners")
    users: tuple[str, ...] = many((), label="User", help="only sites used by these")
    countries: tuple[str, ...] = many((), label="Country", help="only sites in these countries")
    chips: tuple[str, ...] = many((), label="Chip", help="only rows about these chips")
    statuses: tuple[str, ...] = many((), label="Status", help="only rows with these words for what is true")
    evidences: tuple[str, ...] = many((), label="Evidence", help="only rows that rest on this kind of evidence")
    rungs: tuple[str, ...] = many((), label="Confidence", help="only rows on these rungs: primary, reported, modelled, claim")
    editions: tuple[str, ...] = many((), label="Edition", help="only rows of these editions")
    find: str = words("", label="Find", help="only sites whose name or place has these letters", most=80)

    def selection(self) -> Selection:
        """What these parameters take."""
        return Selection(**{name: getattr(self, name) for name in Selection.__dataclass_fields__})

    def narrowed(self) -> str:
        """The filters that are set, in words; "" for none."""
        told = ((_FILTER_WORDS[name], getattr(self, name)) for name in FILTERS)
        named = [f"{word} {numbers.listed(values, 3)}" for word, values in told if values]
        return numbers.listed(named + ([f"“{self.find}” in name or place"] if self.find else []), 5)


FILTERS = ("owners", "users", "countries", "chips", "statuses", "evidences", "rungs", "editions")
_FILTER_WORDS = {
    "owners": "owner", "users": "user", "countries": "country", "chips": "chip", "statuses": "status", "evidences": "evidence",
    "rungs": "confidence", "editions": "edition",
}  # fmt: skip
NO_FILTERS: dict[str, Any] = dict.fromkeys(FILTERS, ()) | {"find": ""}


def unheard(params: SelectionParams) -> frozenset[str]:
    """The source is asked for only where one is heard."""
    return frozenset() if params.voices == "one" else frozenset({"source"})


def _lister(name: str) -> Callable[[Snapshot], Mapping[str, str]]:
    return lambda snapshot: clusters.values_of(snapshot, name)


OPTIONS: dict[str, Callable[[Snapshot], Mapping[str, str]]] = {"source": clusters.sources} | {name: _lister(name) for name in FILTERS}


def source_facts(params: SelectionParams, snapshot: Snapshot, rows: pd.DataFrame) -> dict[str, Any]:
    """JSON facts of whose testimony a table rests on: source, voices, today, read_to, n of sources, filters."""
    one = params.source or clusters.default_source(snapshot)
    counted = rows["source"].value_counts()
    titles = [one] if params.voices == "one" else sorted(counted.index.astype(str), key=lambda t: (-int(counted[t]), t))
    days = rows["as_of_day"].dropna()
    read = clusters.read_to(snapshot, one) if params.voices == "one" else (days.max() if len(days) else None)
    return {
        "source": one if params.voices == "one" else "",
        "sources": [clusters.short_source(t) for t in titles],
        "licences": "CC BY 4.0" if any("CC BY" in str(t) for t in titles) else "",
        "epoch": any(str(t).startswith("Epoch AI") for t in titles),
        "voices": params.voices,
        "today": snapshot.today.isoformat(),
        "read_to": None if read is None or pd.isna(read) else read.date().isoformat(),
        "filters": params.narrowed(),
    }


def credit(facts: Mapping[str, Any]) -> str:
    """The credit line of a table: sources, how far read, licence."""
    said = numbers.listed(facts["sources"], 2) or "no source"
    read = f", read to {numbers.date(facts['read_to'])}" if facts["read_to"] else ""
    named = "Epoch AI, " if facts["epoch"] and not said.startswith("Epoch AI") else ""
    return f"{said}{read}" + (f" · {named}{facts['licences']}" if facts["licences"] else "")


def voice_words(facts: Mapping[str, Any]) -> str:
    """Whose voice is heard, for subtitles."""
    side_by_side = f"by {len(facts['sources'])} sources side by side"
    return {"one": "in one source", "newest": "each by the source that spoke last", "all": side_by_side}[facts["voices"]]


def nothing(params: SelectionParams, facts: Mapping[str, Any], noun: str, more: str = "") -> tuple[str, dict[str, Any]]:
    """A sentence for an empty chart and the way out of it."""
    if facts["filters"]:
        return f"No dated {noun} with {facts['filters']}. {more}".strip(), dict(NO_FILTERS)
    where = clusters.short_source(facts["source"]) or "these sources"
    return f"{where} gives no {noun} with a date. {more}".strip(), {"source": "", "voices": "one"}


def facts_of(table: pd.DataFrame) -> dict[str, Any]:
    """What a table says beyond its rows."""
    return {str(name): value for name, value in table.attrs.items()}


def with_facts(table: pd.DataFrame, facts: Mapping[str, Any]) -> pd.DataFrame:
    """The table with JSON facts beside its rows."""
    table.attrs.clear()
    for name, value in facts.items():
        table.attrs[name] = value
    return table
