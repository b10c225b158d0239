"""One cluster's file: every testimony about it, what each voice says last, what follows from its figures, what changed when."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analytics.clusters.consistency import RATIOS
from data import consistency
from data.queries.chips import records
from data.queries.clusters import ever_told, family, levels, newest_editions, rows, short_source
from data.queries.kept import per_revision
from data.snapshot import Snapshot

FIGURES = ("power_mw", "site_power_mw", "chip_count", "h100e", "capex_usd")
BASES = consistency.FIGURES
WITHDRAWN = "withdrawn"


def testimonies(snapshot: Snapshot, cluster_id: str) -> pd.DataFrame:
    """Every row about one cluster, by day, source and phase, with `day` (online, else said) and `derived_<figure>` flags."""
    own = rows(snapshot)
    own = own[own["cluster_id"] == cluster_id]
    own = own.assign(day=own["online_day"].fillna(own["as_of_day"]))
    flags = {f"derived_{name}": _derived(own, name) for name in FIGURES}
    return own.assign(**flags).sort_values(["day", "source", "phase", "fact_key"], kind="stable", ignore_index=True)


def voices(snapshot: Snapshot, cluster_id: str, quantity: str) -> pd.DataFrame:
    """What each source says last about one cluster: source, day, value, seen (whether it says it runs), derived, rung, as_of.

    Chips of several kinds in one phase are added up; superseded rows and older editions of a source are history and left out.
    """
    own = newest_editions(testimonies(snapshot, cluster_id))
    own = own[(own["status"] != "superseded") & own[quantity].notna()].assign(
        planned=lambda d: ~d["status"].isin(["operational", "retired"])
    )
    dated = levels(own.assign(online_day=own["day"]), quantity)
    dated = dated[dated["value"] > 0] if len(dated) else dated
    come = dated[dated["online_day"] <= pd.Timestamp(snapshot.today)] if len(dated) else dated
    dated = come if len(come) else dated  # a site of the future is known by its plans alone
    last = dated.sort_values(["planned", "online_day"], ascending=[False, True], kind="stable").drop_duplicates("source", keep="last")
    flag = f"derived_{quantity}"
    out = pd.DataFrame(
        {
            "source": last["source"],
            "day": last["online_day"],
            "value": last["value"],
            "seen": ~last["planned"].astype(bool),
            "derived": last[flag].astype(bool) if flag in last else False,
            "basis": last[BASES.get(quantity, "count_basis")],
            **{
                c: last[c]
                for c in ("phase", "chip_id", "rung", "as_of", "source_url", "evidence", "quote_or_note", "not_reread", "single_source")
            },
        }
    )
    return out.sort_values(["value", "source"], ascending=[False, True], kind="stable", ignore_index=True)


@per_revision
def implied_by_all(snapshot: Snapshot) -> tuple[pd.DataFrame, dict[tuple[str, str], consistency.Peers]]:
    """The ratios of every testimony (`data.consistency.ratios`) and what clusters show by chip (`data.consistency.peers`)."""
    every = consistency.ratios(rows(snapshot), snapshot.table("chips"))
    return every, consistency.peers(every)


def consequences(snapshot: Snapshot, cluster_id: str) -> list[dict[str, Any]]:
    """What each testimony's own figures imply (W and dollars a chip, dollars per MW, PUE), derived ones left out, and what is odd."""
    every, others = implied_by_all(snapshot)
    out = []
    for row in records(every[every["cluster_id"] == cluster_id]):
        known = {name: float(row[name]) for name in RATIOS if row[name] == row[name]}
        if known:
            odd = list(consistency.questions(row, others).values())
            out.append({"phase": row["phase"], "source": short_source(row["source"]), **known, "odd": odd})
    return out


def changes(snapshot: Snapshot, cluster_id: str) -> list[dict[str, Any]]:
    """Values of one cluster that a later revision of the store changed, took away or gave back: rev, phase, source, figure, before, after."""
    every = ever_told(snapshot)
    own = every[every["cluster_id"] == cluster_id].sort_values(["fact_key", "row_rev"], kind="stable")
    own = own.assign(status=own["status"].where(own["event"] == "put", WITHDRAWN))
    out = []
    for _, told in own.groupby("fact_key", sort=True):
        for (_, before), (_, after) in zip(told.iterrows(), told.iloc[1:].iterrows()):
            moved = {"rev": int(after["row_rev"]), "phase": after["phase"], "source": short_source(after["source"])}
            for name in (*FIGURES, "status"):
                a, b = before[name], after[name]
                if a != b and not (a != a and b != b):
                    known = [None if v is None or v != v else v for v in (a, b)]
                    out.append(moved | {"figure": name, "before": known[0], "after": known[1]})
    return sorted(out, key=lambda change: -int(change["rev"]))


@per_revision
def edition_pairs(snapshot: Snapshot) -> dict[str, tuple[str, str]]:
    """Neighbouring editions of one source that share a cluster: key → (older title, newer title), the newest pair first."""
    table = rows(snapshot)
    sites = {title: set(own) for title, own in table.groupby("source")["cluster_id"]}
    said = table.groupby("source")["as_of_day"].max().dropna().sort_values(kind="stable")
    by_family: dict[str, list[str]] = {}
    for title in said.index:
        by_family.setdefault(family(str(title)), []).append(str(title))
    neighbours = [(name, i, *pair) for name, own in by_family.items() for i, pair in enumerate(zip(own, own[1:]), 1)]
    pairs = [(said[new], f"{name}:{i}", old, new) for name, i, old, new in neighbours if sites[old] & sites[new]]
    return {key: (old, new) for _, key, old, new in sorted(pairs, key=lambda pair: (-pair[0].value, pair[1]))}


@per_revision
def revised(snapshot: Snapshot) -> dict[str, str]:
    """Revisions that changed cluster rows: "rev:N" → words, newest first."""
    told = snapshot.store.frame(
        """SELECT r.rev, r.today, r.file_name, r.note, t.added, t.changed, t.removed
           FROM revisions r JOIN revision_tables t USING (rev)
           WHERE t.table_name = 'clusters' AND r.rev > 1 AND r.rev <= ? AND t.changed + t.added > 0 ORDER BY r.rev DESC LIMIT 40""",
        [snapshot.rev],
    )
    return {f"rev:{int(r['rev'])}": f"Revision {int(r['rev'])}: {r['file_name'] or r['note'] or 'changes'}" for _, r in told.iterrows()}


def _derived(own: pd.DataFrame, name: str) -> pd.Series:
    """Whether a figure was computed from others: its basis says so; IT and site power share theirs."""
    return own[BASES[name]].fillna("").str.startswith("derived") & own[name].notna()
