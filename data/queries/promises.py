"""What was promised of clusters and what was seen: over sources, over days, over the store's own revisions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from data.queries.clusters import Selection, default_source, levels, read_to, rows, selected
from data.queries.kept import per_revision
from data.snapshot import Snapshot, latest_day

PROMISED = ("planned", "under construction", "claimed", "superseded")
DAYS_PER_MONTH = 30.4375
# A promise counts as kept where at least this share of it is seen running: power is rounded, buildings are counted whole.
KEPT_SHARE = 0.95
MOST_REVISIONS = 60


@per_revision
def told_before(snapshot: Snapshot) -> pd.DataFrame:
    """Every testimony any revision up to this one held, each once, with `first_rev`, the revision that brought it."""
    changed = snapshot.store.frame(
        "SELECT DISTINCT rev FROM revision_tables WHERE table_name = 'clusters' AND rev <= ? ORDER BY rev DESC LIMIT ?",
        [snapshot.rev, MOST_REVISIONS],
    )
    parts = []
    for rev in sorted(int(r) for r in changed["rev"]):
        parts.append(rows(snapshot.store.snapshot(rev, today=snapshot.today)).assign(first_rev=rev))
    if snapshot.draft:
        parts.append(rows(snapshot).assign(first_rev=snapshot.rev))
    every = pd.concat(parts, ignore_index=True) if parts else rows(snapshot).assign(first_rev=snapshot.rev)
    values = ["fact_key", "status", "power_mw", "site_power_mw", "chip_count", "h100e", "capex_usd"]
    return every.drop_duplicates(values, keep="first").reset_index(drop=True)


def promises(snapshot: Snapshot, quantity: str, source: str = "") -> pd.DataFrame:
    """Each promise of a level at a site with a day, beside what one source saw there.

    Parameters: quantity, a numeric column of clusters; source, who is asked what was seen (the default one when "").
    Returns: rows with cluster_id, name, owner_name, promised (level), promised_day (the last day of a date given as a month or
    year), promised_by, said_on, seen_now, reached_day (first day the source saw at least 95 % of it), slip_months (reached minus
    promised; for promises due and not reached, until the source was read to), outcome: early, on time, late, overdue, due
    (promised between the source's last reading and today), open, replaced, not watched (the source does not know the site).
    Only what was said before its day is a promise.
    """
    told = told_before(snapshot)
    told = told[told["status"].isin(PROMISED) & ~told["fleet"] & (told["as_of_day"] < told["online_day"]) & (told[quantity] > 0)]
    witness = source or default_source(snapshot)
    dated = levels(selected(snapshot, Selection(source=witness)), quantity)
    seen = dated[~dated["planned"].astype(bool)] if len(dated) else dated
    read = read_to(snapshot, witness) or pd.Timestamp(snapshot.today)
    today = pd.Timestamp(snapshot.today)
    watched = set(rows(snapshot).loc[lambda d: d["source"] == witness, "cluster_id"])
    out = []
    for _, row in told.sort_values(["cluster_id", "online_day", "fact_key"], kind="stable").iterrows():
        own = seen[seen["cluster_id"] == row["cluster_id"]]
        level, day = float(row[quantity]), latest_day(pd.Series([row["online_date"]])).iloc[0]
        reached = own.loc[own["value"] >= KEPT_SHARE * level, "online_day"].min() if len(own) else pd.NaT
        until = reached if pd.notna(reached) else read
        slip = (until - day).days / DAYS_PER_MONTH
        outcome = _outcome(row["status"], reached, day, read, today, slip) if row["cluster_id"] in watched else "not watched"
        out.append(
            {
                "cluster_id": row["cluster_id"],
                "name": row["name"],
                "owner_name": row["owner_name"],
                "phase": row["phase"],
                "promised": level,
                "promised_day": day,
                "promised_by": row["source"],
                "source_url": row["source_url"],
                "said_on": row["as_of"],
                "rung": row["rung"],
                "first_rev": row["first_rev"],
                "seen_now": float(own["value"].iloc[-1]) if len(own) else 0.0,
                "reached_day": reached,
                "slip_months": slip if pd.notna(reached) or (day <= read and outcome == "overdue") else float("nan"),
                "outcome": outcome,
            }
        )
    columns = ["cluster_id", "name", "owner_name", "phase", "promised", "promised_day", "promised_by", "source_url", "said_on", "rung"]
    frame = pd.DataFrame(out, columns=[*columns, "first_rev", "seen_now", "reached_day", "slip_months", "outcome"])
    return frame.sort_values(["promised_day", "cluster_id", "promised"], kind="stable", ignore_index=True)


def _outcome(status: str, reached: Any, day: pd.Timestamp, read: pd.Timestamp, today: pd.Timestamp, slip: float) -> str:
    if pd.notna(reached):
        return "on time" if abs(slip) <= 1 else "late" if slip > 0 else "early"
    if status == "superseded":
        return "replaced"
    if day <= read:
        return "overdue"
    return "due" if day <= today else "open"
