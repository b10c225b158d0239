"""A store of its own for each test, made in a second from a template."""

import datetime
import shutil
from pathlib import Path

import pytest

from data.settings import Settings
from data.store import Store

TODAY = datetime.date(2026, 11, 23)


@pytest.fixture(scope="session")
def template_home(tmp_path_factory) -> Path:
    """A home with the shipped facts in it, closed."""
    home = tmp_path_factory.mktemp("template") / "home"
    Store.open(Settings(home=home, today=TODAY)).close()
    return home


@pytest.fixture
def home(template_home, tmp_path) -> Path:
    """A copy of the template that a test may change."""
    return Path(shutil.copytree(template_home, tmp_path / "home"))


@pytest.fixture
def store(home):
    """An open store with the shipped facts."""
    opened = Store.open(Settings(home=home, today=TODAY))
    yield opened
    opened.close()
