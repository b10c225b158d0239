"""One store with shipped facts for all tests of charts, and the day they take as today."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

import charts
from data.settings import Settings
from data.snapshot import Snapshot
from data.store import Store

TODAY = datetime.date(2026, 11, 23)


@pytest.fixture(scope="session")
def shipped_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store made from the shipped tables; tests read it and never write."""
    charts.load_all()
    home: Path = tmp_path_factory.mktemp("shipped")
    store = Store.open(Settings(home=home, today=TODAY))
    yield store
    store.close()


@pytest.fixture
def shipped(shipped_store: Store) -> Snapshot:
    """The shipped facts on the test's day."""
    return shipped_store.snapshot(today=TODAY)
