"""The charts of measurements: what their words claim is in their tables, and they draw whatever there is or is not."""

import io

import numpy as np
import pandas as pd
import pytest

from charts.compute import compute
from charts.measured import decode, predicted, roofline, side_by_side
from charts.state import decode as read_state
from charts.state import encode

CHARTS = [roofline.CHART, decode.CHART, predicted.CHART, side_by_side.CHART]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda c: c.id)
def test_every_preset_draws_with_words_and_receipt(chart, snapshot, look):
    for preset in chart.presets:
        params = chart.params(**preset.params)
        result = compute(chart, params, snapshot)
        figure = result.figure(look)
        assert figure.layout.height > 200
        if result.words.empty:
            continue
        assert len(figure.data) > 0
        assert result.words.finding and result.words.subtitle and result.words.alt
        assert result.receipt.formulas and result.receipt.inputs
        assert "own measurement" in result.words.credit


@pytest.mark.parametrize("chart", CHARTS, ids=lambda c: c.id)
def test_a_device_nobody_measured_is_a_sentence_with_a_way_out(chart, snapshot, look):
    params = chart.params(device="NVIDIA Nothing 9000")
    result = compute(chart, params, snapshot)
    assert result.table.empty and result.words.empty
    chart.params(**{k: tuple(v) if isinstance(v, list) else v for k, v in result.words.way_out.items()})
    result.figure(look)
    assert result.receipt.assumptions


@pytest.mark.parametrize("chart", CHARTS, ids=lambda c: c.id)
def test_states_and_tables_survive_their_journeys(chart, snapshot):
    for preset in chart.presets:
        params = chart.params(**preset.params)
        pairs = [tuple(part) for part in pd.Series(encode(params).split("&")).str.split("=", n=1)]
        from urllib.parse import unquote_plus

        back, ignored = read_state(chart.params, [(unquote_plus(k), unquote_plus(v)) for k, v in pairs])
        assert (back, ignored) == (params, [])
        table = chart.table(params, snapshot)
        buffer = io.BytesIO()
        table.to_parquet(buffer)
        again = pd.read_parquet(buffer)
        pd.testing.assert_frame_equal(again, table, check_dtype=False)
        assert chart.words(again, params) == chart.words(table, params)


def test_a_gpu_comes_before_a_cpu(snapshot):
    table = roofline.table(roofline.Params(), snapshot)
    assert table.attrs["device"] == "NVIDIA H200" and table.attrs["gpu"]
    assert not any("CPU" in note for note in roofline.words(table, roofline.Params()).notes)


def test_roofline_counts_points_left_of_the_ridge(snapshot):
    params = roofline.Params()
    table = roofline.table(params, snapshot)
    ridge = 700e3 / 4000
    words = roofline.words(table, params)
    assert f"{int((table['intensity'] < ridge).sum())} of {len(table)} measured" in words.finding
    assert np.allclose(table["tflop_per_s"] / table["intensity"] * 1e3, table["gb_per_s"])


def test_decode_bandwidth_is_told_against_the_measured_ceiling(snapshot):
    params = decode.Params()
    table = decode.table(params, snapshot)
    best = table["share"].max()
    assert f"{100 * best:.0f} %" in decode.words(table, params).finding
    assert 0.85 < best < 0.9  # 0.9 of the roofline less an overhead of 5 us, the law the records were made by
    paged = decode.table(decode.Params(layout="paged"), snapshot)
    assert (paged["page"] == 64).all() and len(paged) == 9
    assert decode.table(decode.Params(op="attn.mla"), snapshot)["status"].tolist() == ["noisy"]


def test_predictions_show_the_error_on_records_left_out(snapshot):
    params = predicted.Params(ops=("attn.decode",))
    table = predicted.table(params, snapshot)
    fits = {(f["op"], f["backend"]): f for f in table.attrs["fits"]}
    assert fits["attn.decode", "triton"]["efficiency"] == pytest.approx(0.9, rel=0.01)
    words = predicted.words(table, params)
    assert any("records left out" in note for note in words.notes)
    assert any("records left out" in line for line in predicted.receipt(params, snapshot).error)


def test_side_by_side_names_the_fastest_and_why_others_are_missing(snapshot):
    params = side_by_side.Params(op="attn.decode")
    table = side_by_side.table(params, snapshot)
    assert set(table["contestant"]) == {"triton", "torch-sdpa"} and table["case"].nunique() == 9
    assert table.groupby("case")["slower"].min().eq(1).all()
    words = side_by_side.words(table, params)
    assert words.finding.startswith("triton is fastest in 9 of 9")
    assert any("flashinfer" in note for note in words.notes)


def test_text_from_records_reaches_no_figure_as_markup(snapshot, look):
    for chart in CHARTS:
        drawn = compute(chart, chart.params(), snapshot).figure(look).to_json()
        assert "<b>not</b>" not in drawn
