"""A client of all addresses over a throw-away store, without a browser and without Streamlit's own part."""

import datetime

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data import process
from data.settings import Settings
from web import context
from web.middleware import middleware
from web.routes import routes

TODAY = datetime.date(2026, 11, 23)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def client(home):
    patch = pytest.MonkeyPatch()
    settings = Settings(home=home, today=TODAY)
    patch.setattr(context, "settings", lambda: settings)
    context.renderer.cache_clear()
    app = Starlette(routes=routes(), middleware=middleware(settings))
    with TestClient(app, base_url="http://localhost:8501", raise_server_exceptions=False) as asking:
        yield asking
    context.renderer().close()
    context.renderer.cache_clear()
    process.close_all()
    patch.undo()
