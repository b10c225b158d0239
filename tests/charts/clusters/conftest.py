"""Stores of clusters: the shipped facts, and a few rows of our own."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

import pandas as pd
import pytest

from data.meta import load_meta
from data.revisions import TableChange
from data.settings import Settings
from data.snapshot import Snapshot
from data.store import Store

TODAY = datetime.date(2026, 11, 23)
BLANK = dict.fromkeys(load_meta("clusters").columns, "")


def cluster(cluster_id: str = "a", **values: object) -> dict[str, object]:
    """One row: a site of 100 MW seen running since mid 2025, unless told otherwise."""
    place = {"cluster_id": cluster_id, "name": cluster_id.upper(), "owner": "Owner", "country": "Norway", "phase": "1"}
    state = {"status": "operational", "as_of": "2026-06-01", "online_date": "2025-07-01", "chip_id": "h100-sxm", "power_mw": 100}
    told = place | state | {"source": "Source", "confidence": "likely"}
    return BLANK | told | values


@pytest.fixture
def of_rows(tmp_path) -> Iterator[Callable[..., Snapshot]]:
    """Makes a snapshot of a store that holds these cluster rows and nothing else."""
    store = Store.open(Settings(home=tmp_path, today=TODAY), shipped=False)

    def make(*rows: dict[str, object]) -> Snapshot:
        store.apply([TableChange("clusters", pd.DataFrame(list(rows) or [], columns=list(BLANK)))], kind="import", author="test")
        return store.snapshot(today=TODAY)

    yield make
    store.close()
