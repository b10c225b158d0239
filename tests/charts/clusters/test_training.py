"""Training runs: published runs with ratios, the largest run with failures counted, programme costs, and refusals."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from charts import compute
from charts.clusters import training
from charts.look import Look

CHART = training.CHART


def shown(snapshot, **params):
    return compute.compute(CHART, CHART.params(**params), snapshot)


def preset(name):
    return dict(next(p.params for p in CHART.presets if p.name == name))


def ratio(result, quantity, stage="pre-training"):
    rows = result.table
    return float(rows[(rows["quantity"] == quantity) & (rows["stage"] == stage)]["ratio"].iloc[0])


def test_llama_3_s_hours_come_out_of_its_own_failures(shipped):
    # arXiv 2407.21783: 405B, 15.6T tokens, 3.8e25 FLOP; model card: 30.84M GPU-hours. Nothing is fitted to the hours: MFU 40 % lies in the paper's 38 to 43.
    result = shown(shipped, **preset("llama-3"))
    assert ratio(result, "Training compute") == pytest.approx(3.7908 / 3.8, rel=1e-4)
    assert ratio(result, "GPU-hours") == pytest.approx(1, abs=0.03)


def test_deepseek_v3_by_its_paper(shipped):
    # arXiv 2412.19437: 2.664M H800-hours of pre-training at $2; implied MFU 34.6 % of dense 16-bit.
    result = shown(shipped, **preset("deepseek-v3"))
    assert result.table.attrs["flop"] == pytest.approx(6 * 37e9 * 14.8e12)
    assert 0.8 < ratio(result, "GPU-hours") < 1
    mfu = next(line for line in result.receipt.formulas if line.name == "Model FLOP utilisation")
    assert mfu.result == pytest.approx(0.3462, abs=0.0005)
    assert {"pre-training", "all stages"} == set(result.table["stage"])


def test_gpt_4_by_what_was_said(shipped):
    # Podcast: 2e25 FLOP on 20,000 A100 at 15 to 20 MW; SemiAnalysis: 90 to 100 days.
    result = shown(shipped, **preset("gpt-4"))
    assert 0.9 < ratio(result, "Days") < 1.2
    row = result.table[result.table["quantity"] == "Power"].iloc[0]
    assert (row["low"], row["high"]) == (15, 20) and row["ours"] == pytest.approx(14.56)
    # Worked example: 109.1 days at 34 % without failures.
    assert shown(shipped, **(preset("gpt-4") | {"mfu": 0.34, "failures": False})).table.attrs["days"] == pytest.approx(109.107, rel=1e-4)


def test_the_largest_run_in_ninety_days_joins_goodput(shipped):
    # Worked examples: 16,384 H100 at 40 % need 178.5 days for 1e26 without failures, and 87.6 % of the time counts with them.
    a = shown(shipped, days=178.48).table.attrs
    assert a["ideal_flop"] == pytest.approx(1e26, rel=1e-3)
    assert a["largest_flop"] == pytest.approx(0.8758e26, rel=1e-3)
    assert shown(shipped, failures=False).table.attrs["threshold_days"] == pytest.approx(178.48, rel=1e-3)


def test_more_chips_stop_helping_where_failures_take_over(shipped):
    table = shown(shipped).table
    best = table["largest_flop"].idxmax()
    assert 0 < best < len(table) - 1 and (table["largest_flop"] <= table["ideal_flop"]).all()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(chips=st.integers(1, 300_000), mfu=st.floats(0.05, 0.9))
def test_days_hours_and_dollars_agree(shipped, chips, mfu):
    a = shown(shipped, chips=chips, mfu=mfu).table.attrs
    assert a["gpu_hours"] == pytest.approx(a["days"] * 24 * chips)
    assert a["usd"] == pytest.approx(2 * a["gpu_hours"]) and a["programme_usd"] == pytest.approx(4 * a["usd"])
    assert a["energy_mwh"] == pytest.approx(a["gpu_hours"] * 1.39 * 1.12 / 1000)


def test_both_readings_of_the_multiple_are_told(shipped):
    notes = " ".join(shown(shipped, **preset("deepseek-v3")).words.notes)
    assert "on top of it" in notes and "read as the whole" in notes


def test_attention_and_mixture_of_experts_change_the_compute(shipped):
    plain, counted = (shown(shipped, attention=on).table.attrs["flop"] for on in (False, True))
    assert counted - plain == pytest.approx(6 * 126 * 16_384 * 8_192 * 15.6e12)
    assert shown(shipped, moe_saving=0.3).table.attrs["flop"] == pytest.approx(0.7 * plain)


def test_no_run_chosen_says_so_with_a_way_out(shipped):
    result = shown(shipped, show="published", run="")
    assert result.words.empty and result.words.way_out == {"run": "llama-3-405b"}
    CHART.figure(result.table, result.params, Look("dark", "phone"))


def test_failures_past_youngs_range_are_told(shipped):
    assert any("exact form by Daly" in note for note in shown(shipped, chips=500_000).words.notes)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"chips": 10_000_000, "restart_s": 86_400.0}, "chips must be fewer, or failures rarer"),
        ({"chip": "ascend-910d"}, "dense 16-bit rate of"),
        ({"chip": "h1000"}, "no chip 'h1000'"),
    ],
)
def test_the_impossible_gets_a_sentence(shipped, params, said):
    with pytest.raises(ValueError, match=said):
        shown(shipped, **params)


@pytest.mark.parametrize(
    "bad", [{"chips": 0}, {"mfu": 0}, {"mfu": 1.2}, {"tokens_t": -1}, {"flop": 0}, {"days": 0}, {"pue": 0.5}, {"moe_saving": 1}]
)
def test_what_lies_out_of_range_is_refused_with_the_range(bad):
    with pytest.raises(ValidationError, match="greater than or equal|less than or equal"):
        CHART.params(**bad)


def test_a_free_gpu_hour_is_drawn_without_its_ratio(shipped):
    result = shown(shipped, **(preset("deepseek-v3") | {"usd_per_gpu_hour": 0.0}))
    assert (result.table["ratio"] == 0).any()
    CHART.figure(result.table, result.params, Look())
