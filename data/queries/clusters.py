"""Cluster rows as charts read them: dated, grouped by site, and only what may be compared."""

from __future__ import annotations

import re

import pandas as pd

from data.snapshot import Snapshot, earliest_day

# Rows about fleets, regions, programmes or jobs overlap site rows: they stand in lists of their own.
FLEET_WORDS = re.compile(r"\b(?:fleet|region|programme|program|generic|job)\b", re.IGNORECASE)
EPOCH_SITES = "Epoch AI, AI Data Centers"


def rows(snapshot: Snapshot) -> pd.DataFrame:
    """Every testimony about a cluster, with `online_day` and `as_of_day` as dates and `fleet` for rows that overlap sites."""
    table = snapshot.table("clusters")
    phase, note = table["phase"].fillna(""), table["quote_or_note"].fillna("")
    fleet = phase.str.contains(FLEET_WORDS) | note.str.contains("FLEET ROW", case=False, regex=False)
    user, owner = _cleaned(table["user"]), _cleaned(table["owner"])
    return table.assign(
        online_day=earliest_day(table["online_date"]),
        as_of_day=earliest_day(table["as_of"]),
        fleet=fleet,
        user_name=user.where(user != "", owner),
        owner_name=owner,
    )


def clean_name(text: str | None) -> str:
    """The first name in a list of names, without the source's remark on how sure it is: "OpenAI (likely); X" → "OpenAI"."""
    if not text:
        return ""
    first = re.split(r"[;/]", text)[0]
    return re.sub(r"\s*\((likely|confident|speculative|unconfirmed)\)\s*$", "", first.strip(), flags=re.IGNORECASE).strip()


def _cleaned(names: pd.Series) -> pd.Series:
    """Clean names, each distinct text read once."""
    return names.map({name: clean_name(name) for name in names.dropna().unique()}).fillna("").astype(object)


def sources(snapshot: Snapshot) -> dict[str, str]:
    """Sources of cluster rows, those that say most first: title → words with the number of sites; "" is the default one."""
    sites = _sites(snapshot)
    titles = {str(title): f"{str(title).split(' (')[0]} · {n} {'site' if n == 1 else 'sites'}" for title, n in sites.items()}
    return {"": f"{default_source(snapshot).split(' (')[0]}, newest"} | titles


def _sites(snapshot: Snapshot) -> pd.Series:
    table = snapshot.table("clusters")
    return table.groupby("source")["cluster_id"].nunique().sort_values(ascending=False, kind="stable")


def default_source(snapshot: Snapshot) -> str:
    """The source charts open on: the newest edition of Epoch AI's site table where there is one, else the largest source."""
    table = snapshot.table("clusters")
    epoch = table[table["source"].str.startswith(EPOCH_SITES, na=False)]
    if len(epoch):
        return str(epoch.sort_values(["as_of", "source"], kind="stable")["source"].iloc[-1])
    return str(next(iter(_sites(snapshot).index), ""))


def history(snapshot: Snapshot, source: str, quantity: str) -> pd.DataFrame:
    """Dated levels of a quantity by site as one source tells them, fleets left out: one row a site and day.

    Parameters: source, a title of `sources`; quantity, a numeric column of clusters.
    Returns: rows with cluster_id, online_day, `value` (chips of several kinds on one day added up), ordered by both.
    """
    table = rows(snapshot)
    own = table[(table["source"] == source) & ~table["fleet"] & table["online_day"].notna()]
    if not len(own):
        return own.assign(value=pd.Series(dtype=float))
    keys = ["cluster_id", "online_day", "phase"]
    newest = own.groupby(keys)["as_of_day"].transform("max") == own["as_of_day"]
    own = own[newest].sort_values([*keys, "fact_key"], kind="stable")
    value = own.groupby(keys)[quantity].sum(min_count=1).rename("value").reset_index()
    first = own.drop_duplicates(keys)
    joined = first.merge(value, on=keys).dropna(subset=["value"])
    # Two phases that run from one day are one level, the larger: rows are cumulative.
    joined = joined.sort_values(["cluster_id", "online_day", "value"], kind="stable").drop_duplicates(
        ["cluster_id", "online_day"], keep="last"
    )
    return joined.reset_index(drop=True)


def read_to(snapshot: Snapshot, source: str) -> pd.Timestamp | None:
    """The last day a source was read to."""
    table = rows(snapshot)
    days = table.loc[table["source"] == source, "as_of_day"].dropna()
    return None if days.empty else days.max()
