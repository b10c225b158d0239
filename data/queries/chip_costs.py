"""What a chip costs as part of what is bought with it: server, rack, card or the chip's own price on record."""

from __future__ import annotations

from typing import Any

from data.queries.chips import chip, records
from data.queries.rentals import hardware
from data.snapshot import Snapshot

# What a price covers, the one nearest to a running cluster first.
KINDS = ("cluster node", "rack", "server", "module", "card")


def capital_row(snapshot: Snapshot, chip_id: str) -> dict[str, Any] | None:
    """The newest price of a chip in what it is bought in: `usd_per_chip`, `covers`, and the row's source columns.

    Prices in the United States by kind, nearest to a running cluster first; else the price in the table of chips; None
    where neither holds one.
    """
    rows = hardware(snapshot)
    rows = rows[(rows["chip_id"] == chip_id) & rows["usd_per_gpu"].notna()]
    for kind in KINDS:
        own = rows[rows["kind"] == kind]
        if len(own):
            row = records(own)[-1]
            return row | {"usd_per_chip": float(row["usd_per_gpu"]), "covers": str(row["item"])}
    row = chip(snapshot, chip_id)
    price = row.get("price_usd")
    if price is None or price != price:
        return None
    return row | {
        "usd_per_chip": float(price),
        "covers": f"{row['name']}, {row.get('price_kind') or 'price'}",
        "source": row.get("price_source") or row["source"],
    }
