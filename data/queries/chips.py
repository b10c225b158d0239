"""Chips and export rules as charts read them: the rule book of a snapshot and each chip's facts."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Literal

import pandas as pd

from analytics.chips.facts import chip_facts
from analytics.chips.metrics import PRECISION_BITS, leading_precision
from analytics.chips.names import nearest
from analytics.chips.rules import RuleBook
from data.snapshot import Snapshot

DESTINATIONS = {
    "CN": "to China", "HK": "to Hong Kong", "MO": "to Macau", "RU": "to Russia", "AE": "to the Emirates", "SA": "to Saudi Arabia",
    "IN": "to India", "MY": "to Malaysia", "SG": "to Singapore", "VN": "to Vietnam", "JP": "to Japan", "DE": "to Germany", "US": "into the US",
}  # fmt: skip
Destination = Literal["CN", "HK", "MO", "RU", "AE", "SA", "IN", "MY", "SG", "VN", "JP", "DE", "US"]

_books: OrderedDict[tuple[int, int], RuleBook] = OrderedDict()


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dicts by column name."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def rule_book(snapshot: Snapshot) -> RuleBook:
    """The rules and country groups of a snapshot, read once; ValueError names row and column of what cannot be read."""
    key = (id(snapshot.store), snapshot.rev)
    if snapshot.draft or key not in _books:
        rules, groups = snapshot.table("export_rules"), snapshot.table("country_groups")
        book = RuleBook.from_rows(records(rules), records(groups))
        if snapshot.draft:
            return book
        _books[key] = book
        while len(_books) > 8:
            _books.popitem(last=False)
    return _books[key]


def measured(snapshot: Snapshot) -> pd.DataFrame:
    """Chips with `tpp`, `pd`, `lead` (the precision that sets TPP), ordered by id; NaN where a fact is not published."""
    rows = snapshot.table("chips")
    facts = [chip_facts(row) for row in records(rows)]
    return rows.assign(
        tpp=[float(f.get("tpp", float("nan"))) for f in facts],
        pd=[float(f.get("pd", float("nan"))) for f in facts],
        lead=[leading_precision({name: row[name] for name in PRECISION_BITS}) for row in records(rows)],
    )


def names(snapshot: Snapshot) -> dict[str, str]:
    """Chip id → name, by name."""
    rows = snapshot.table("chips").sort_values("name", kind="stable")
    return dict(zip(rows["chip_id"], rows["name"]))


def chip(snapshot: Snapshot, chip_id: str) -> dict[str, Any]:
    """One chip's row; ValueError proposes the nearest id."""
    rows = snapshot.table("chips")
    own = rows[rows["chip_id"] == chip_id]
    if own.empty:
        raise ValueError(f"no chip {chip_id!r} in the chips table{nearest(chip_id, rows['chip_id'])}")
    return {str(name): value for name, value in own.iloc[0].items()}


def rule_rows(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Rows of the rules table by rule id."""
    return {row["rule_id"]: row for row in records(snapshot.table("export_rules"))}


def flows_to_china(snapshot: Snapshot, unit: str) -> pd.DataFrame:
    """Sourced flows of accelerators to China (or rented abroad by its firms) in one unit, ordered by route, then period.

    Parameters: unit, one of chips, h100e, packages, dies, stacks, usd. Returns: route, what, year, period, value, low,
    high (NaN where the source gives none), basis, delivered (false for orders, approvals, plans and forecasts), quarters (modelled quarters summed into the row), source columns.
    Quarters of one family by one modeller are summed by year, medians only.
    """
    rows = snapshot.table("shipments")
    rows = rows[rows["destination"].eq("CN") | rows["route"].eq("rented abroad")]
    if unit == "h100e":
        own = rows.assign(value=rows["h100e"], low=rows["h100e_low"], high=rows["h100e_high"])
        direct = own["unit_kind"].eq("H100e")
        own.loc[direct, ["value", "low", "high"]] = rows.loc[direct, ["units", "low", "high"]].to_numpy()
    else:
        own = rows[rows["unit_kind"].eq("USD" if unit == "usd" else unit)]
        own = own.assign(value=own["units"])
    own = own[own[["value", "low", "high"]].notna().any(axis=1)]
    day = own["period_end"].fillna(own["period_start"]).fillna(own["as_of"])
    own = own.assign(year=day.astype(str).str[:4], what=own["family"], quarters=1)
    quarter = own["shipment_id"].str.match(r"epoch-china-.*-\d{4}q\d$")
    summed = []
    for _, part in own[quarter].groupby(["family", "year"], sort=True):
        row = part.iloc[-1].to_dict() | {"value": float(part["value"].sum()), "quarters": len(part)}
        if len(part) > 1:
            row |= {"low": float("nan"), "high": float("nan"), "basis": f"{part['basis'].iloc[0]}; sum of medians"}
        summed.append(row)
    out = pd.concat([own[~quarter], pd.DataFrame(summed)], ignore_index=True) if summed else own
    # A claim without a period is not dated by the day it was made.
    dated = out["period_end"].notna() | out["period_start"].notna()
    out["period"] = out["year"].where(dated, "no period given")
    out["delivered"] = ~out["basis"].fillna("").str.contains("order|approv|plan|forecast|projection", case=False)
    order = {"legal": 0, "diverted": 1, "domestic": 2, "rented abroad": 3, "all": 4}
    out["at"] = out["route"].map(order)
    columns = [
        "shipment_id",
        "route",
        "what",
        "year",
        "period",
        "value",
        "low",
        "high",
        "basis",
        "delivered",
        "quarters",
        "source",
        "source_url",
        "as_of",
        "rung",
        "not_reread",
        "single_source",
    ]
    return out.sort_values(["at", "year", "shipment_id"], kind="stable")[columns]


def compute_owned(snapshot: Snapshot) -> pd.DataFrame:
    """Cumulative purchases by owner: owner, day, value, low, high [H100e] and source columns, ordered by owner and day."""
    rows = snapshot.table("world_totals")
    rows = rows[rows["metric"].eq("compute owned") & rows["unit"].eq("H100e") & rows["basis"].fillna("").str.startswith("NVIDIA")]
    rows = rows.assign(day=rows["period_end"].astype(str)).sort_values(["owner", "day"], kind="stable")
    return rows[["owner", "day", "value", "low", "high", "basis", "source", "source_url", "as_of", "rung", "not_reread", "single_source"]]


def owners(snapshot: Snapshot) -> dict[str, str]:
    """Owners whose purchases are recorded."""
    return {owner: owner for owner in sorted(set(compute_owned(snapshot)["owner"]))}


def price_pairs(snapshot: Snapshot) -> pd.DataFrame:
    """Prices in China beside the nearest price in the United States of the same chip and number of units, by date.

    Returns: what, when, china_usd, us_what, us_when, us_usd, ratio, kind and the source columns of both prices.
    """
    rows = snapshot.table("hardware_prices")
    rows = rows[rows["price_mid_usd"].notna() & rows["chip_id"].notna() & rows["units"].notna()]
    rows = rows[~rows["source"].fillna("").str.startswith("Lex Fridman Podcast")]  # the claim itself, which must not support itself
    out = []
    for row in records(rows[rows["market"].eq("china")].sort_values(["date", "item"], kind="stable")):
        own = rows[rows["market"].eq("us") & rows["chip_id"].eq(row["chip_id"]) & rows["units"].eq(row["units"])]
        if own.empty:
            continue
        apart = (pd.to_datetime(own["date"]) - pd.to_datetime(row["date"])).abs()
        us = records(own.loc[[apart.idxmin()]])[0]
        out.append(
            {
                "what": row["item"], "when": row["date"], "china_usd": row["price_mid_usd"], "us_what": us["item"], "us_when": us["date"], "us_usd": us["price_mid_usd"],
                "ratio": row["price_mid_usd"] / us["price_mid_usd"], "kind": row["kind"], "source": row["source"], "source_url": row["source_url"], "rung": row["rung"],
                "not_reread": row["not_reread"], "single_source": row["single_source"], "us_source": us["source"], "us_source_url": us["source_url"],
            }
        )  # fmt: skip
    return pd.DataFrame(out)


def subsidies(snapshot: Snapshot) -> pd.DataFrame:
    """Announced programmes with `central`, `low` and `high` in billions of their own currency, China first, by day and id."""
    rows = snapshot.table("subsidies")
    rows = rows.assign(central=rows["amount_bn"], low=rows["low_bn"], high=rows["high_bn"])
    return rows[rows[["central", "low", "high"]].notna().any(axis=1)].sort_values(["country", "announced", "subsidy_id"], kind="stable")
