"""Power swings: published worked values, what flattening takes, limits drawn, and refusals."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from charts import compute
from charts.clusters import swings
from charts.look import Look
from data.links import from_parquet, parquet

CHART = swings.CHART


def shown(snapshot, **params):
    return compute.compute(CHART, CHART.params(**params), snapshot)


def test_a_hundred_thousand_chips_swing_eighty_megawatts(shipped):
    # Rectangular wave, 1,300 and 500 W, 0.8 of 10 s: 80 MW about a mean of 114; 64 MW and 128 MJ hide it; dummy work burns 140,160 MWh a year.
    a = shown(shipped, round_trip=1.0, depth=1.0).table.attrs
    assert (a["swing_mw"], a["mean_mw"], a["buffer_mw"]) == pytest.approx((80, 114, 64))
    assert a["buffer_mj"] == pytest.approx(128) and a["dummy_mwh_per_year"] == pytest.approx(140_160)
    assert a["dummy_share"] == pytest.approx(16 / 114)


def test_a_store_as_bought_is_larger_by_losses_and_depth(shipped):
    assert shown(shipped).table.attrs["buffer_mj"] == pytest.approx(128 / 0.9 / 0.8)


def test_llama_3_s_sentence_stands_beside_its_preset(shipped):
    # The Llama 3 paper, section 3.3.4: fluctuations "on the order of tens of megawatts" at 16,384 GPUs.
    preset = next(p for p in CHART.presets if p.claim == "C15")
    result = shown(shipped, **preset.params)
    assert 10 < result.table.attrs["swing_mw"] < 100
    assert any("on the order of tens of megawatts" in note for note in result.words.notes)
    assert any("tens of megawatts" in row.label and row.source_url == "https://arxiv.org/abs/2407.21783" for row in result.receipt.inputs)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(low=st.integers(0, 1200), duty=st.floats(0.05, 0.95))
def test_a_floor_trades_swing_for_energy_without_a_step(shipped, low, duty):
    table = shown(shipped, show="floor", exchange_w=low, duty=duty).table
    assert table["swing_left_mw"].is_monotonic_decreasing and table["extra_energy_share"].is_monotonic_increasing
    assert table["swing_left_mw"].iloc[-1] == pytest.approx(0, abs=1e-9)
    assert table["extra_energy_share"].iloc[-1] == pytest.approx(table.attrs["dummy_share"])  # a floor at the top is dummy work
    assert table["extra_usd_per_year"].iloc[-1] == pytest.approx(table.attrs["dummy_usd_per_year"])


def test_the_spectrum_is_drawn_with_the_band_utilities_limit(shipped):
    # arXiv 2508.14318: content between 0.1 and 20 Hz.
    result = shown(shipped, show="spectrum", step_s=2.0)
    figure = CHART.figure(from_parquet(parquet(result.table)), result.params, Look())
    assert [(s.x0, s.x1) for s in figure.layout.shapes] == [(0.1, 20)]
    assert result.table["frequency_hz"].iloc[0] == 0.5
    assert any("inside the 0.1 to 20 Hz" in note for note in result.words.notes)


def test_limits_you_set_are_held_against_the_bare_swing(shipped):
    notes = shown(shipped, limit_mw=40.0, limit_mw_per_s=130 / 60).words.notes
    assert any("2.0 times the 40 MW you allow" in note for note in notes)
    assert any("1,083 kWh" in note for note in notes)  # 130 MW down over 60 s takes 1,083 kWh


def test_a_floor_outside_the_two_levels_is_said_and_not_drawn(shipped):
    result = shown(shipped, floor_w=200.0)
    assert "floor" not in set(result.table["way"]) and any("lies outside the two levels" in note for note in result.words.notes)


def test_exchanging_above_computing_gets_a_sentence(shipped):
    with pytest.raises(ValueError, match="exchange_w must be no more than compute_w, got 1400"):
        shown(shipped, exchange_w=1400.0)


@pytest.mark.parametrize(
    "bad", [{"chips": 0}, {"step_s": 0}, {"duty": 1.5}, {"exchange_w": -1}, {"round_trip": 0}, {"depth": 2}, {"usd_per_mwh": -5}]
)
def test_what_lies_out_of_range_is_refused_with_the_range(bad):
    with pytest.raises(ValidationError, match="greater than or equal|less than or equal"):
        CHART.params(**bad)


@pytest.mark.parametrize("show", ["time", "floor", "spectrum"])
def test_equal_levels_swing_nothing_and_are_still_drawn(shipped, show):
    result = shown(shipped, show=show, exchange_w=1300.0, floor_w=1300.0)
    assert result.table.attrs["swing_mw"] == 0 and result.table.attrs["dummy_usd_per_year"] == 0
    CHART.figure(result.table, result.params, Look("light", "phone"))
