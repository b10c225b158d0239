"""What was promised of clusters and what was seen: over sources, over days, over the store's own revisions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.queries.clusters import Selection, default_source, ever_told, levels, read_to, rows, selected
from data.queries.kept import per_revision
from data.snapshot import Snapshot, latest_day

PROMISED = ("planned", "under construction", "claimed", "superseded")
DAYS_PER_MONTH = 30.4375
# A promise counts as kept where at least this share of it is seen running: power is rounded, buildings are counted whole.
KEPT_SHARE = 0.95


@per_revision
def told_before(snapshot: Snapshot) -> pd.DataFrame:
    """Every testimony any revision up to this one held, each once, with `first_rev`, the revision that brought it."""
    told = ever_told(snapshot)
    values = ["fact_key", "status", "power_mw", "site_power_mw", "chip_count", "h100e", "capex_usd"]
    every = told[told["event"] == "put"].drop_duplicates(values, keep="first")
    return every.assign(first_rev=every["row_rev"]).reset_index(drop=True)


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
    watched = rows(snapshot).loc[lambda d: d["source"] == witness, "cluster_id"].unique()
    told = told.sort_values(["cluster_id", "online_day", "fact_key"], kind="stable").reset_index(drop=True)
    day = latest_day(told["online_date"])
    both = told[["cluster_id", quantity]].reset_index().merge(seen[["cluster_id", "online_day", "value"]], on="cluster_id")
    reached = both[both["value"] >= KEPT_SHARE * both[quantity]].groupby("index")["online_day"].min().reindex(told.index)
    last = seen.drop_duplicates("cluster_id", keep="last").set_index("cluster_id")["value"] if len(seen) else pd.Series(dtype=float)
    slip = (reached.fillna(read) - day).dt.days / DAYS_PER_MONTH
    outcome = np.select(
        [
            ~told["cluster_id"].isin(watched),
            reached.notna() & (slip.abs() <= 1),
            reached.notna() & (slip > 0),
            reached.notna(),
            told["status"] == "superseded",
            day <= read,
            day <= today,
        ],
        ["not watched", "on time", "late", "early", "replaced", "overdue", "due"],
        "open",
    )
    kept = ["cluster_id", "name", "owner_name", "phase", "source_url", "rung", "first_rev"]
    out = told[kept].assign(
        promised=told[quantity].astype(float),
        promised_day=day,
        promised_by=told["source"],
        said_on=told["as_of"],
        seen_now=told["cluster_id"].map(last).fillna(0.0).astype(float),
        reached_day=reached,
        slip_months=slip.where(reached.notna() | (outcome == "overdue")),
        outcome=outcome,
    )
    columns = ["cluster_id", "name", "owner_name", "phase", "promised", "promised_day", "promised_by", "source_url", "said_on", "rung"]
    out = out[[*columns, "first_rev", "seen_now", "reached_day", "slip_months", "outcome"]]
    return out.sort_values(["promised_day", "cluster_id", "promised"], kind="stable", ignore_index=True)
