"""The receipt of levels over time: the row behind the largest, or the rows a sum is made of."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analytics.chips.metrics import h100_equivalents
from analytics.clusters.power import site_power_mw
from charts import numbers
from charts.clusters.choices import GROUP_COLUMNS, QUANTITIES
from charts.receipt import InputRow, Receipt, age_note, input_row, looked_up, worked
from data.queries import clusters
from data.snapshot import Snapshot

_SHOWN = ("power_mw", "site_power_mw", "chip_count", "h100e", "capex_usd")
_MEMBERS = 12


def receipt_of(shown: pd.DataFrame, params: Any, snapshot: Snapshot) -> Receipt:
    """The receipt of the largest level seen; of the largest plan where nothing is seen."""
    if shown.empty:
        return Receipt(assumptions=("No row has a date and this quantity, so nothing is added up.",))
    seen = shown[~shown["planned"].astype(bool)]
    newest = (seen if len(seen) else shown).drop_duplicates("line", keep="last")
    top = newest.sort_values(["value", "line"], ascending=[False, True], kind="stable").iloc[0]
    return _of_site(top, params, snapshot) if params.by == "site" else _of_group(top, shown, params, snapshot)


def _of_site(top: pd.Series, params: Any, snapshot: Snapshot) -> Receipt:
    q = QUANTITIES[params.quantity]
    facts = clusters.rows(snapshot)
    site = facts[facts["cluster_id"] == top["cluster_id"]]
    own = site[(site["source"] == top["source"]) & (site["online_day"] == top["day"]) & (site["phase"] == top["phase"])]
    row = own.iloc[-1]
    lines = [looked_up(f"{q.label}, {top['line']}, {numbers.date(top['day'])}", float(top["value"]), q.unit, str(row["source"]))]
    if params.quantity == "h100e_16bit":
        rates = snapshot.table("chips").set_index("chip_id")["bf16_tflops_dense"]
        lines = [
            worked(h100_equivalents, chips=r["chip_count"], chip_rate=rates[r["chip_id"]], h100_rate=clusters.H100_BF16_TFLOPS)
            for _, r in own.iterrows()
            if r["h100e_16bit"] == r["h100e_16bit"]
        ]
    if params.quantity == "site_power_mw" and row["power_mw"] > 0 and row["site_power_mw"] > 0:
        lines.append(worked(site_power_mw, it_power_mw=row["power_mw"], pue=round(row["site_power_mw"] / row["power_mw"], 4)))
    others = site[(site["source"] != top["source"]) & site[params.quantity].notna()]
    return Receipt(
        lines,
        inputs(row),
        ("Rows are cumulative snapshots of the whole site: phases are never added up.", *derivations(row)),
        (*_disagreement(others, params.quantity), age_note(own["as_of"].tolist(), snapshot.today)),
    )


def _of_group(top: pd.Series, shown: pd.DataFrame, params: Any, snapshot: Snapshot) -> Receipt:
    q = QUANTITIES[params.quantity]
    rows = clusters.selected(snapshot, params.selection())
    rows = rows[rows[GROUP_COLUMNS[params.by]].fillna("").replace("", "not stated") == top["line"]]
    members = clusters.latest(rows, params.quantity, top["day"], planned=bool(top["planned"])).drop_duplicates("cluster_id")
    lines = (
        looked_up(f"{q.label}, {top['line']}", float(top["value"]), q.unit, f"the sum of the latest level of {int(top['sites'])} sites"),
    )
    inputs_ = [input_row(r, str(r["name"]), q.write(r["value"])) for _, r in members.head(_MEMBERS).iterrows()]
    assumptions = ["Rows are cumulative snapshots of whole sites; each site counts once, at its latest level."]
    if len(members) > _MEMBERS:
        assumptions.append(f"The largest {_MEMBERS} of {len(members)} sites are listed.")
    error = f"No range is given by the source for these {len(members)} sites, so no band is drawn."
    return Receipt(lines, inputs_, assumptions, (error, age_note(members["as_of"].tolist(), snapshot.today)))


def inputs(row: pd.Series) -> list[InputRow]:
    """Every figure of a row, each with how its source came to it."""
    out = []
    for name in _SHOWN:
        if row[name] == row[name]:
            q = QUANTITIES[name]
            basis = row.get(q.basis)
            out.append(input_row(row, f"{q.label} ({_basis(str(basis))})" if basis else q.label, q.write(row[name])))
    return out


def derivations(row: pd.Series) -> list[str]:
    """How one figure of a row comes from another, as sentences: what is derived proves nothing about what it came from."""
    out = []
    for name in _SHOWN:
        basis = str(row.get(QUANTITIES[name].basis) or "")
        if basis.startswith("derived:") and row[name] == row[name]:
            out.append(f"{QUANTITIES[name].label} {QUANTITIES[name].write(row[name])} is derived: {basis.removeprefix('derived:')}.")
    return out


def _basis(text: str) -> str:
    return "derived" if text.startswith("derived:") else text


def _disagreement(told: pd.DataFrame, quantity: str) -> tuple[str, ...]:
    none = "No range is given by the source, so none is drawn."
    if told.empty:
        return (none, "No other voice gives this quantity for this site.")
    q = QUANTITIES[quantity]
    said = [
        f"{clusters.short_source(r['source'])}: {q.write(r[quantity])} ({numbers.date(r['online_date'] or r['as_of'])})"
        for _, r in told.iterrows()
    ]
    return (none, f"Other voices on this site: {numbers.listed(said, 3)}.")
