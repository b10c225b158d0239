"""What holds for every chart: it says what it shows, opens to a receipt, travels as a link's table, and is drawn for every screen."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import charts
from charts import compute, registry, state
from charts.look import Look
from charts.receipt import Receipt
from charts.words import Words
from data.links import from_parquet, parquet
from data.links import plain as as_json

charts.load_all()
CHARTS = sorted(registry.CHARTS.values(), key=lambda chart: chart.id)
LOOKS = [Look(theme, width) for theme in ("light", "dark") for width in ("desk", "phone")]
STATES = [
    (chart, name, params) for chart in CHARTS for name, params in [("default", {}), *((p.name, dict(p.params)) for p in chart.presets)]
]


@pytest.mark.parametrize(("chart", "name", "params"), STATES, ids=lambda v: getattr(v, "id", v) if not isinstance(v, dict) else "")
def test_every_state_is_told_drawn_and_receipted(chart, name, params, shipped):
    result = compute.compute(chart, chart.params(**params), shipped)
    words = result.words
    assert words.finding and not re.search(
        r"\bnan\b|\bNone\b(?! of)|Timestamp|\binf\b", words.finding + words.subtitle + words.alt + " ".join(words.notes)
    )
    assert words.empty or (words.alt and words.subtitle), "a chart that draws says how and has words for who cannot see it"
    kept = from_parquet(parquet(result.table))
    assert dict(kept.attrs) == json.loads(json.dumps(as_json(dict(result.table.attrs)))), "facts beside a table are plain JSON"
    for look in LOOKS if name == "default" else LOOKS[::3]:
        assert '"data"' in chart.figure(kept, result.params, look).to_json()
    assert as_json(Words.from_json(json.loads(json.dumps(as_json(words.to_json())))).to_json()) == as_json(words.to_json())
    receipt = result.receipt
    assert as_json(Receipt.from_json(json.loads(json.dumps(as_json(receipt.to_json())))).to_json()) == as_json(receipt.to_json())
    assert receipt.formulas or receipt.inputs or receipt.assumptions


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_an_address_spells_out_every_parameter_and_reads_back(chart):
    for params in [chart.params(), *(chart.params(**p.params) for p in chart.presets)]:
        again, ignored = state.decode(chart.params, state.split(state.encode(params)))
        assert again == params and ignored == []


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_drawing_leaves_the_table_alone(chart, shipped):
    result = compute.compute(chart, chart.params(), shipped)
    before = result.table.copy()
    chart.figure(result.table, result.params, LOOKS[0])
    assert before.equals(result.table) or np.array_equal(before.to_numpy(), result.table.to_numpy())


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_lists_of_names_hold_what_the_parameters_take(chart, shipped):
    for name, options in chart.options.items():
        values = options(shipped)
        assert name in chart.params.model_fields
        assert all(isinstance(v, str) and isinstance(w, str) for v, w in values.items())
