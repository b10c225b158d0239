"""One store with the shipped facts for the charts of prices."""

import datetime

import pytest

from charts.look import Look
from data.settings import Settings
from data.store import Store

TODAY = datetime.date(2026, 11, 23)


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory):
    store = Store.open(Settings(home=tmp_path_factory.mktemp("price_charts"), today=TODAY))
    yield store.snapshot(today=TODAY)
    store.close()


@pytest.fixture(params=["light-desk", "dark-phone"])
def look(request):
    theme, width = request.param.split("-")
    return Look(theme=theme, width=width)
