"""Cluster rows as charts read them: filtered, dated, one level a site and day, and only what may be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analytics.chips.metrics import h100_equivalents
from data.queries.kept import per_revision
from data.snapshot import Snapshot, earliest_day

# Rows about fleets, regions, programmes or jobs overlap site rows: they stand in lists of their own.
FLEET_WORDS = re.compile(r"\b(?:fleet|region|programme|program|generic|job|product unit)\b", re.IGNORECASE)
EPOCH_SITES = "Epoch AI, AI Data Centers"
# Dense 16-bit rate of an H100 SXM [TFLOP/s]: NVIDIA H100 datasheet (half of the sparse 1,979).
H100_BF16_TFLOPS = 989.4
QUANTITIES = ("power_mw", "site_power_mw", "chip_count", "h100e", "h100e_16bit", "capex_usd")
Voices = Literal["one", "newest", "all"]
_EXPORT = re.compile(r"\bexport (?:of )?((?:\w+ )?\d{4})")
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_SEEN = frozenset({"operational", "retired"})
_FILTERS = {
    "owners": "owner_name", "users": "user_name", "countries": "country", "chips": "chip_id", "statuses": "status", "evidences": "evidence",
    "rungs": "rung", "editions": "edition",
}  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """Which testimony is taken: whose voice, and filters; empty tuples and texts let everything through."""

    voices: Voices = "one"
    source: str = ""
    owners: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    chips: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    evidences: tuple[str, ...] = ()
    rungs: tuple[str, ...] = ()
    editions: tuple[str, ...] = ()
    find: str = ""


@per_revision
def rows(snapshot: Snapshot) -> pd.DataFrame:
    """Every testimony about a cluster, with dates as days, clean names, the 16-bit basis and `fleet` for rows that overlap sites."""
    return _as_read(snapshot.table("clusters"), snapshot)


@per_revision
def ever_told(snapshot: Snapshot) -> pd.DataFrame:
    """Every testimony this and earlier revisions brought or took away, then a draft's, as `rows` gives them, with `event` and `row_rev`."""
    told = _as_read(snapshot.history("clusters"), snapshot)
    if not snapshot.draft:
        return told
    draft = rows(snapshot).loc[lambda d: d["origin"] == "draft"].assign(event="put", row_rev=snapshot.rev)
    return pd.concat([told, draft], ignore_index=True)


def _as_read(table: pd.DataFrame, snapshot: Snapshot) -> pd.DataFrame:
    phase, note = table["phase"].fillna(""), table["quote_or_note"].fillna("")
    fleet = (
        phase.str.contains(FLEET_WORDS)
        | table["name"].fillna("").str.contains("(generic)", regex=False)
        | note.str.contains("FLEET ROW", case=False, regex=False)
    )
    user, owner = _cleaned(table["user"]), _cleaned(table["owner"])
    rates = snapshot.table("chips").set_index("chip_id")["bf16_tflops_dense"]
    return table.assign(
        phase=phase,
        online_day=earliest_day(table["online_date"]),
        as_of_day=earliest_day(table["as_of"]),
        fleet=fleet,
        user_name=user.where(user != "", owner),
        owner_name=owner,
        h100e_16bit=h100_equivalents(table["chip_count"], table["chip_id"].map(rates), H100_BF16_TFLOPS),
    )


def clean_name(text: str | None) -> str:
    """The first name in a list of names, without the source's remark on how sure it is: "OpenAI (likely); X" → "OpenAI"."""
    if not text:
        return ""
    first = re.split(r"[;/]", text)[0]
    return re.sub(r"\s*\((likely|confident|speculative|unconfirmed)\)\s*$", "", first.strip(), flags=re.IGNORECASE).strip()


def short_source(title: str | None) -> str:
    """A source's name, of what stands in brackets only the edition: "TOP500 list, June 2025", "AI Data Centers (Aug 2026)"."""
    bare, _, aside = (title or "").partition(" (")
    edition = _EXPORT.search(aside)
    return f"{bare} ({edition[1]})" if edition else bare


def family(title: str) -> str:
    """A source's name without its edition, the same for all editions: "TOP500 list, June 2025" → "TOP500 list"."""
    bare = title.split(" (")[0]
    return re.sub(rf",?\s*(?:{_MONTH}\s+)?\d{{4}}.*$", "", bare).strip(" ,") or title


@per_revision
def sources(snapshot: Snapshot) -> dict[str, str]:
    """Sources of cluster rows, those that say most first: title → words with the number of sites; "" is the default one."""
    sites = _sites(snapshot)
    titles = {str(title): f"{short_source(str(title))} · {n} {'site' if n == 1 else 'sites'}" for title, n in sites.items()}
    return {"": f"{short_source(default_source(snapshot))}, newest"} | titles


@per_revision
def default_source(snapshot: Snapshot) -> str:
    """The source charts open on: the newest whole edition of Epoch AI's site table where there is one, else the largest source.

    Whole is an edition with at least half the sites of the largest: an upload of a few rows of a newer one does not empty the charts.
    """
    table, sites = snapshot.table("clusters"), _sites(snapshot)
    epoch = table[table["source"].str.startswith(EPOCH_SITES, na=False)]
    if len(epoch):
        held = epoch["source"].map(sites)
        return str(epoch[held * 2 >= held.max()].sort_values(["as_of", "source"], kind="stable")["source"].iloc[-1])
    return str(next(iter(sites.index), ""))


@per_revision
def values_of(snapshot: Snapshot, name: str) -> dict[str, str]:
    """The values a filter of Selection can take, most rows first: value → words with its number of rows."""
    table = rows(snapshot)
    counts = table[_FILTERS[name]].replace("", np.nan).dropna().value_counts()
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return {str(value): f"{value} · {n}" for value, n in ordered}


@per_revision
def selected(snapshot: Snapshot, pick: Selection) -> pd.DataFrame:
    """Site rows a selection takes, with `planned`: dated after its source was read, or not said to run.

    Fleets and superseded rows are left out. With voices "newest" each cluster speaks through the source that spoke last. An older
    edition of a source is no voice beside its newer one: it is heard as the one source, or where an edition is asked for.
    """
    table = rows(snapshot)
    table = table[~table["fleet"] & (table["status"] != "superseded")]
    read = table.groupby("source")["as_of_day"].transform("max")
    late = (table["online_day"] > read).to_numpy() | ~table["status"].isin(_SEEN).to_numpy()
    table = table.assign(planned=late)
    if pick.voices == "one":
        table = table[table["source"] == (pick.source or default_source(snapshot))]
    elif not pick.editions:
        table = newest_editions(table)
    if pick.voices == "newest":
        table = _newest_voice(table)
    for name, column in _FILTERS.items():
        if wanted := getattr(pick, name):
            table = table[table[column].isin(wanted)]
    if word := pick.find.casefold().strip():
        text = table["name"].fillna("") + " " + table["cluster_id"] + " " + table["city"].fillna("") + " " + table["region"].fillna("")
        table = table[text.str.casefold().str.contains(word, regex=False)]
    return table


def levels(table: pd.DataFrame, quantity: str, *, per_chip: bool = False) -> pd.DataFrame:
    """Dated levels out of selected rows: one row a cluster, source and day (and chip), `value` being the level.

    Rows are cumulative snapshots. Chips of several kinds in one phase are added up; of two phases from one day the larger is
    the level; of one phase told twice the later telling counts. A retired site falls to zero on the day that is said.
    """
    own = table[table["online_day"].notna()]
    site = ["cluster_id", "source", "online_day"]
    if own.empty:
        return own.assign(value=pd.Series(dtype=float))
    newest = own.groupby([*site, "phase"])["as_of_day"].transform("max") == own["as_of_day"]
    own = own[newest].sort_values([*site, "phase", "fact_key"], kind="stable")
    value = own.groupby([*site, "phase"])[quantity].sum(min_count=1).rename("value").reset_index().dropna(subset=["value"])
    value = value.sort_values([*site, "value"], kind="stable").drop_duplicates(site, keep="last")
    chosen = own.merge(value, on=[*site, "phase"])
    if per_chip:
        chosen = chosen[chosen[quantity].notna()].assign(value=lambda d: d[quantity])
    else:
        chosen = chosen.drop_duplicates(site)
    retired = chosen[(chosen["status"] == "retired") & (chosen["as_of_day"] > chosen["online_day"])]
    if len(retired):
        chosen = pd.concat([chosen, retired.assign(online_day=retired["as_of_day"], value=0.0)], ignore_index=True)
    return chosen.sort_values([*site, "fact_key"], kind="stable", ignore_index=True)


def latest(table: pd.DataFrame, quantity: str, day: pd.Timestamp, *, planned: bool = False) -> pd.DataFrame:
    """The level of each cluster and source on a day, largest first; plans only where asked for."""
    dated = levels(table if planned else table[~table["planned"]], quantity)
    dated = dated[dated["online_day"] <= day]
    newest = dated.drop_duplicates(["cluster_id", "source"], keep="last")
    return newest[newest["value"] > 0].sort_values(["value", "cluster_id"], ascending=[False, True], kind="stable", ignore_index=True)


@per_revision
def dated(snapshot: Snapshot, pick: Selection, quantity: str, per_chip: bool = False) -> pd.DataFrame:
    """Dated levels of a quantity among the rows a selection takes."""
    return levels(selected(snapshot, pick), quantity, per_chip=per_chip)


def history(snapshot: Snapshot, source: str, quantity: str) -> pd.DataFrame:
    """Dated levels of a quantity by site as one source tells them."""
    return dated(snapshot, Selection(source=source), quantity)


@per_revision
def read_to(snapshot: Snapshot, source: str) -> pd.Timestamp | None:
    """The last day a source was read to."""
    table = snapshot.table("clusters")
    days = earliest_day(table.loc[table["source"] == source, "as_of"]).dropna()
    return None if days.empty else days.max()


@per_revision
def names(snapshot: Snapshot) -> Mapping[str, str]:
    """Every cluster there is, by name: cluster_id → name."""
    table = snapshot.table("clusters").drop_duplicates("cluster_id")
    return {str(c): str(n or c) for c, n in sorted(zip(table["cluster_id"], table["name"]), key=lambda pair: str(pair[1] or pair[0]))}


def newest_editions(table: pd.DataFrame) -> pd.DataFrame:
    """Testimonies without those of an older edition of a source about clusters its newest edition speaks of too."""
    said = table.groupby("source")["as_of_day"].max()
    names = pd.Series({title: family(str(title)) for title in said.index}, dtype=object)
    several = names[names.duplicated(keep=False)]
    if several.empty:
        return table
    own = table[table["source"].isin(several.index)]
    own = own.assign(name_=own["source"].map(names), said_=own["source"].map(said))
    newest = own.groupby(["cluster_id", "name_"])["said_"].transform("max")
    return table.drop(own.index[own["said_"] < newest])


def _newest_voice(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the source that spoke last about each cluster with a power, a count or a capital."""
    told = table[table[["power_mw", "site_power_mw", "chip_count", "h100e", "capex_usd"]].notna().any(axis=1)]
    last = told.sort_values(["as_of_day", "source"], kind="stable").drop_duplicates("cluster_id", keep="last")
    return table[table["source"] == table["cluster_id"].map(last.set_index("cluster_id")["source"])]


def _cleaned(texts: pd.Series) -> pd.Series:
    """Clean names, each distinct text read once."""
    known = {text: clean_name(text) for text in texts.dropna().unique()}
    return texts.map(lambda text: known.get(text, "")).astype(object)


def _sites(snapshot: Snapshot) -> pd.Series:
    table = snapshot.table("clusters")
    return table.groupby("source")["cluster_id"].nunique().sort_values(ascending=False, kind="stable")
