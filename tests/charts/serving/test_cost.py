"""The cost chart against analytics called directly, published points, and limits nobody reaches."""

import numpy as np
import pytest

from analytics.serving import Workload
from analytics.serving.money import output_cost_usd_per_mtok
from analytics.serving.search import Limits, best, candidates
from charts.look import Look
from charts.serving import cost, fleets, inputs
from charts.serving.cost import Params


def test_the_chart_shows_what_analytics_finds(snapshot):
    params = Params(chips=("h200-sxm",), rent=2.0, speed=40)
    table = cost.table(params, snapshot)
    shape, chip = inputs.model(snapshot, "DeepSeek-R1", ""), inputs.chip(snapshot, "h200-sxm", "")
    fleet = fleets.fleet(snapshot, fleets.fitting(shape, chip, inputs.precision(shape, "fp8", "fp8"), 9216.0))
    found = candidates(fleet, Workload(1024, 8192))
    rate = found.tokens_per_s_per_chip[best(fleet, found, Limits(40))]
    shown = table[table["kind"] == "at 40"].iloc[0]
    assert shown["tokens_per_s_per_gpu"] == pytest.approx(rate)
    assert shown["usd_per_mtok"] == pytest.approx(output_cost_usd_per_mtok(2.0, rate, 1.0))


def test_deepseeks_own_day_costs_what_they_disclosed(snapshot):
    # $87,072 for 168 billion output tokens: $0.518 a million, at 20 to 22 tok/s a user (1 March 2025).
    table = cost.table(Params(**next(p.params for p in cost.CHART.presets if p.name == "day-six")), snapshot)
    assert table[table["kind"] == "at 20"]["usd_per_mtok"].iloc[0] == pytest.approx(0.518, rel=0.35)


def test_faster_users_cost_more(snapshot):
    table = cost.table(Params(), snapshot)
    for _, front in table[table["kind"] == "front"].groupby("chip"):
        front = front.sort_values("tokens_per_s_per_user")
        assert np.all(np.diff(front["usd_per_mtok"]) > 0)


def test_half_the_use_is_twice_the_cost(snapshot):
    full, half = (cost.table(Params(chips=("b200",), utilisation=u), snapshot)["usd_per_mtok"] for u in (1.0, 0.5))
    np.testing.assert_allclose(half, 2 * full)


def test_limits_out_of_reach_are_said_with_the_best_there_is(snapshot):
    params = Params(chips=("h100-sxm",), speed=300)
    words = cost.words(cost.table(params, snapshot), params)
    assert "no layout reaches 300 tok/s per user" in words.empty.lower()
    assert words.way_out["speed"] < 300
    there = Params(chips=("h100-sxm",), **words.way_out)
    assert not cost.words(cost.table(there, snapshot), there).empty


def test_a_chip_without_rent_has_no_cost_and_says_so(snapshot):
    params = Params(chips=("mi355x", "b200"))
    table = cost.table(params, snapshot)
    assert table.loc[table["chip"] == "MI355X", "usd_per_mtok"].isna().all()
    assert any("No rent is on record for MI355X" in note for note in cost.words(table, params).notes)


def test_a_model_that_fits_nowhere_is_a_sentence(snapshot):
    params = Params(chips=("tpu-v5e",), output_tokens=1_000_000)
    words = cost.words(cost.table(params, snapshot), params)
    assert "does not fit" in words.empty
    assert "more chips" in words.empty


@pytest.mark.parametrize("look", [Look(), Look(theme="dark", width="phone")])
@pytest.mark.parametrize(
    "given", [{}, {"measure": "rate"}, {"chips": ()}, {"speed": 300}, {"chips": ("ascend-910c",)}, {"model": "Llama-3.1-8B"}]
)
def test_every_state_draws_and_has_words(snapshot, given, look):
    params = Params(**given)
    table = cost.table(params, snapshot)
    words = cost.words(table, params)
    assert words.finding
    assert "nan" not in (words.finding + words.subtitle + words.alt + " ".join(words.notes)).lower()
    cost.figure(table, params, look)
    cost.receipt(params, snapshot)


def test_a_speed_beyond_every_chip_names_the_quickest_of_them(snapshot):
    params = Params(chips=("h100-sxm", "b200"), speed=900)
    table = cost.table(params, snapshot)
    front = table[table["kind"] == "front"]
    quickest = front.loc[front["tokens_per_s_per_user"].idxmax()]
    said = cost.words(table, params).empty
    best = f"the best is {quickest['tokens_per_s_per_user']:.0f} on {quickest['chip']}."
    assert said == f"No layout reaches 900 tok/s per user on any of these chips; {best}"
