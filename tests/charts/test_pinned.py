"""Opened links: what they showed, and a notice that names the cause: the data, the model or the day."""

import dataclasses
import datetime

import pandas as pd
import pytest

from charts import pinned
from charts.look import Look
from charts.params import ChartParams, number
from charts.receipt import Receipt
from charts.registry import CHARTS, Chart
from charts.words import Words
from data.revisions import TableChange
from data.settings import Settings
from data.store import Store


class Params(ChartParams):
    factor: float = number(1.0, ge=0, le=10, label="Factor", help="what powers are multiplied by")


def table(params, snapshot):
    rows = snapshot.table("clusters")
    own = rows[rows["cluster_id"] == "pin-check"]
    days = (snapshot.today - datetime.date(2026, 11, 1)).days if table.dated else 0
    return pd.DataFrame({"cluster": own["cluster_id"].tolist(), "mw": (own["power_mw"] * params.factor * table.model + days).tolist()})


def figure(made, params, look):
    import plotly.graph_objects as go

    return go.Figure(go.Bar(x=made["cluster"], y=made["mw"]))


@pytest.fixture
def chart(monkeypatch):
    made = Chart(
        id="test.pin",
        page="test",
        title="Power",
        params=Params,
        table=table,
        figure=figure,
        receipt=lambda params, snapshot: Receipt(assumptions=("none",)),
        words=lambda shown, params: Words(finding=f"{shown['mw'].sum():.0f} MW"),
    )
    table.model, table.dated = 1.0, False
    monkeypatch.setitem(CHARTS, "test.pin", made)
    return made


def put(store, power):
    row = {"cluster_id": "pin-check", "as_of": "2026-11-01", "source": "test", "power_mw": power, "confidence": "claim"}
    return store.apply([TableChange("clusters", pd.DataFrame([row]))], author="test")


@pytest.fixture
def store(tmp_path):
    store = Store.open(Settings(home=tmp_path, today=datetime.date(2026, 11, 23)))
    put(store, 100.0)
    yield store
    store.close()


def test_a_link_opens_with_its_parameters_and_draws_its_table(store, chart):
    link = pinned.make(store, chart, Params(factor=2.5))
    found = pinned.opened(store, link.id)
    assert found.params == Params(factor=2.5)
    assert found.ignored == ()
    assert found.table["mw"].tolist() == [250.0]
    assert found.chart.figure(found.table, found.params, Look()).data[0].y[0] == 250.0
    assert pinned.notice(store, found) is None


def test_the_data_moved_on(store, chart):
    link = pinned.make(store, chart, Params())
    put(store, 150.0)
    said = pinned.notice(store, pinned.opened(store, link.id))
    assert said.causes == ("data",)
    assert "the data changed (revision 2 → 3): 1 value differs (pin-check: mw 100 → 150)" in said.sentence
    assert (said.old_finding, said.new_finding) == ("100 MW", "150 MW")
    assert pinned.opened(store, link.id).table["mw"].tolist() == [100.0]


def test_data_that_do_not_bear_on_the_chart_give_no_notice(store, chart):
    link = pinned.make(store, chart, Params())
    row = {"cluster_id": "other", "as_of": "2026-11-01", "source": "test", "power_mw": 1.0, "confidence": "claim"}
    store.apply([TableChange("clusters", pd.DataFrame([row]))], author="test")
    assert pinned.notice(store, pinned.opened(store, link.id)) is None


def test_the_model_moved_on(store, chart, monkeypatch):
    link = pinned.make(store, chart, Params())
    table.model = 2.0
    for module in ("charts.pinned", "charts.compute"):
        monkeypatch.setattr(f"{module}.model_version", lambda: "newmodel00")
    said = pinned.notice(store, pinned.opened(store, link.id))
    assert said.causes == ("model",)
    assert f"the model changed ({link.model} → newmodel00)" in said.sentence
    put(store, 150.0)
    assert pinned.notice(store, pinned.opened(store, link.id)).causes == ("model", "data")
    assert pinned.make(store, chart, Params()).id != link.id


def test_the_day_moved_on(store, chart):
    table.dated = True
    link = pinned.make(store, chart, Params())
    store.settings = dataclasses.replace(store.settings, today=datetime.date(2026, 11, 25))
    said = pinned.notice(store, pinned.opened(store, link.id))
    assert said.causes == ("day",)
    assert "the day moved on (23 Nov 2026 → 25 Nov 2026)" in said.sentence


def test_a_parameter_this_version_does_not_have_is_named(store, chart):
    link = pinned.make(store, chart, Params(factor=3.0))
    with store.writing() as cursor:
        cursor.execute("""UPDATE links SET params = '{"factor":3.0,"gone":"x"}' WHERE id = ?""", [link.id])
    found = pinned.opened(store, link.id)
    assert found.params.factor == 3.0
    assert len(found.ignored) == 1 and "gone=x" in found.ignored[0]
    assert found.table["mw"].tolist() == [300.0]
