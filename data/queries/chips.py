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
