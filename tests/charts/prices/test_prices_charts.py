"""What every chart of this page promises: presets that draw in each look, words, receipts, tables that survive a link."""

import json

import pandas as pd
import pytest

import charts
from charts import registry, state
from charts.look import Look
from charts.prices.views import CONTROLS, VIEWS

charts.load_all()
OWN = [chart for chart in registry.CHARTS.values() if chart.page == "prices"]
PRESETS = [pytest.param(chart, preset, id=f"{chart.id}-{preset.name}") for chart in OWN for preset in chart.presets]


def test_the_page_shows_every_chart_and_only_parameters_there_are():
    assert set(VIEWS) == set(CONTROLS) == {chart.id for chart in OWN}
    for chart in OWN:
        assert set(CONTROLS[chart.id]) <= set(chart.params.model_fields), chart.id


@pytest.mark.parametrize(("chart", "preset"), PRESETS)
def test_presets_draw_and_speak(snapshot, chart, preset, tmp_path):
    params = chart.params(**preset.params)
    again, ignored = state.decode(chart.params, state.split(state.encode(params)))
    assert again == params and not ignored
    table = chart.table(params, snapshot)
    words = chart.words(table, params)
    assert words.finding and not words.empty, words.empty
    assert "nan" not in f"{words.finding} {words.subtitle} {words.coverage} {words.notes}".lower().split()
    assert json.loads(json.dumps(table.attrs)) == table.attrs
    table.to_parquet(tmp_path / "t.parquet")
    kept = pd.read_parquet(tmp_path / "t.parquet")
    assert chart.words(kept, params) == words
    looks = (Look("light", "desk"), Look("dark", "phone"))
    for look in looks if preset is chart.presets[0] else looks[:1]:
        assert len(chart.figure(kept, params, look).data) >= 1
    receipt = chart.receipt(params, snapshot)
    assert receipt.formulas or receipt.inputs
    assert receipt.assumptions or receipt.error
    json.dumps(receipt.to_json(), allow_nan=False)


@pytest.mark.parametrize("chart", OWN, ids=lambda chart: chart.id)
def test_uploaded_rows_with_vague_dates_and_markup_are_drawn_safely(snapshot, chart):
    price = {"model_id": "deepseek-r1", "provider": "My <i>host</i>", "input_usd_per_mtok": 0.01, "output_usd_per_mtok": 0.02}
    rows = {
        "api_prices": pd.DataFrame([price | {"effective_date": "2026-11-01"}, price | {"effective_date": "2026"}]),
        "gpu_rental_prices": pd.DataFrame(
            [
                {
                    "chip_id": "h100-sxm",
                    "provider": "<b>me</b>",
                    "date": "2026-11",
                    "usd_per_gpu_hour": 1.0,
                    "term": "on-demand",
                    "source": "x",
                }
            ]
        ),
    }
    draft, params = snapshot.with_draft(rows), chart.params()
    table = chart.table(params, draft)
    assert chart.words(table, params).finding
    drawn = chart.figure(table, params, Look()).to_json()
    assert "<i>host" not in drawn and "<b>me" not in drawn
    chart.receipt(params, draft)
