"""The shipped facts, read once for all tests of serving charts."""

import datetime

import pytest

from data.settings import Settings
from data.store import Store


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory):
    """The newest revision of a store with the shipped facts."""
    store = Store.open(Settings(home=tmp_path_factory.mktemp("serving") / "home", today=datetime.date(2026, 11, 24)))
    yield store.snapshot()
    store.close()
