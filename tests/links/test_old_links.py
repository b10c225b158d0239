"""Every link ever issued opens, on the table it showed, with every parameter understood, and draws."""

import base64
import datetime
import json
from pathlib import Path

import pandas as pd
import pytest

import charts
from charts import pinned
from charts.look import Look
from data import links
from data.blobs import Blobs
from data.settings import Settings
from data.store import Store

RECORDED = sorted(Path(__file__).parent.glob("v*/*.json"))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    charts.load_all()
    store = Store.open(Settings(home=tmp_path_factory.mktemp("home"), today=datetime.date(2026, 11, 24)))
    for path in RECORDED:
        kept = json.loads(path.read_text(encoding="utf-8"))
        link = kept["link"]
        assert Blobs(store.home / "blobs").put(base64.b64decode(kept["table"])) == link["table_sha256"]
        texts = {name: links.canonical(link[name]) for name in ("params", "receipt", "words")}
        row = link | texts
        columns = (
            "id",
            "page",
            "chart",
            "params",
            "schema_version",
            "rev",
            "model",
            "table_sha256",
            "receipt",
            "words",
            "today",
            "created",
        )
        with store.writing() as cursor:
            cursor.execute("INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [row[name] for name in columns])
    yield store
    store.close()


def test_links_of_every_format_are_recorded():
    assert {path.parent.name for path in RECORDED} == {f"v{n}" for n in range(1, links.SCHEMA_VERSION + 1)}
    assert set(links.STEPS) == set(range(1, links.SCHEMA_VERSION)), "each old format needs the step that brings it to the next"


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_opens_on_what_it_showed(store, path):
    kept = json.loads(path.read_text(encoding="utf-8"))
    found = pinned.opened(store, kept["link"]["id"])
    shown = links.from_parquet(base64.b64decode(kept["table"]))
    pd.testing.assert_frame_equal(found.table, shown)
    assert found.link.words == kept["link"]["words"]
    assert found.ignored == (), "a parameter of an issued link is no longer understood: data.links.STEPS needs a step"
    assert found.chart.figure(found.table, found.params, Look()).data is not None


def test_a_link_whose_chart_is_gone_still_gives_its_table(store):
    table = pd.DataFrame({"x": [1.0]})
    state = {"page": "clusters", "chart": "clusters.gone", "params": {}, "rev": 1, "model": "m"}
    link = links.save(store, **state, table=table, receipt={}, words={}, today=datetime.date(2026, 11, 24))
    with pytest.raises(links.UnknownLink, match="does not have"):
        pinned.opened(store, link.id)
    pd.testing.assert_frame_equal(links.table_of(store, links.load(store, link.id)), table)
