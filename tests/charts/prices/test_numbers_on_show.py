"""What the charts show against worked figures of their subjects."""

import datetime

import numpy as np
import pandas as pd
import pytest

from charts.look import Look
from charts.numbers import in_words
from charts.prices import (
    arc,
    day,
    elasticity,
    factors,
    hosts,
    margin,
    modelled,
    moves,
    payback,
    plan,
    rates,
    ratios,
    rent,
    rent_per,
    search,
    task_trend,
    tasks,
)
from charts.prices.draw import log_price_ticks, round_dollars
from data.queries.serving import serving_inputs


def made(snapshot, module, **state):
    params = module.Params(**state)
    table = module.CHART.table(params, snapshot)
    return table, module.CHART.words(table, params)


def test_rates_refuse_cells_without_four_records(snapshot):
    table, words = made(snapshot, rates, buyable=True)
    refused = table[table["records"] < 4]
    assert len(refused) and refused["fold"].isna().all() and refused["why"].str.contains("a rate needs 4").all()
    assert "30 cells" in words.coverage


def test_r1_sold_at_eighteen_times_its_own_night_price(snapshot):
    table, words = made(snapshot, hosts, on=datetime.date(2025, 2, 28))
    held = table[table["on_day"]]
    assert held["price_usd_per_mtok"].max() / held["price_usd_per_mtok"].min() == pytest.approx(10 / 0.55)
    assert "18.2-fold for the same weights" in words.finding


def test_offers_not_seen_for_long_are_not_called_open(snapshot):
    table, _ = made(snapshot, hosts)
    # Replicate's R1 was last seen on 11 February 2025.
    assert not table[table["provider"].eq("Replicate")]["on_day"].any()


def test_moves_of_a_window_and_the_nearest_outside_it(snapshot):
    table, words = made(snapshot, moves, days=365)
    assert (table["effective_date"] >= "2025-11-23").all() and table["ratio"].ne(1).all()
    assert f"{in_words(int((table['ratio'] < 1).sum()))} listed prices fell" in words.finding
    quiet, said = made(snapshot, moves, days=1)
    assert quiet.empty and "The last change is of 15 Nov 2026" in said.empty and said.way_out["days"] >= 8


def test_ratio_medians(snapshot):
    table, _ = made(snapshot, ratios)
    medians = dict(zip(table.attrs["years"], table.attrs["median"]))
    assert medians[2025] == pytest.approx(4)
    batch, words = made(snapshot, ratios, measure="batch_over_list")
    assert set(batch["ratio"]) == {0.5} and "stayed at a median of 0.5" in words.finding


def test_factors_multiply_to_27_in_both_readings(snapshot):
    table, words = made(snapshot, factors, margin_high=0.75, host_low=7)
    assert "27.4 times" in words.finding
    for _, own in table[table["reading"].ne("")].groupby("reading"):
        assert (own["low"] == own["high"]).all() and own["low"].prod() == pytest.approx(60 / 2.19)
    dollars = table[table["reading"].str.contains("dollars")].set_index("factor")["low"]
    assert dollars["architecture"] == pytest.approx(2.143, rel=1e-3) and dollars["host"] == pytest.approx(3.196, rel=1e-3)


def test_factors_before_the_models_existed_are_refused_in_words(snapshot):
    with pytest.raises(ValueError, match="no list price of o1 by its developer on 2024-01-01"):
        factors.CHART.table(factors.Params(on=datetime.date(2024, 1, 1)), snapshot)


def test_the_disclosed_day(snapshot):
    table, words = made(snapshot, day)
    by_line = table.set_index("line")
    assert by_line.at["Rent of the fleet", "usd"] == 87_072
    assert by_line.at["Revenue at R1 prices", "usd"] == pytest.approx(562_027, rel=2e-4)
    assert by_line.at["Revenue at V3 prices", "usd"] == pytest.approx(280_560)
    assert "546 % over its rent" in words.finding and "84.5 %" in words.finding
    assert table.attrs["nodes_needed"] == pytest.approx(226.75, rel=1e-3)


def test_margins_follow_from_price_and_modelled_cost(snapshot):
    table, _ = made(snapshot, margin, on=datetime.date(2025, 2, 28))
    cost = table.attrs["cost_low"], table.attrs["cost_high"]
    assert 0 < cost[0] <= cost[1]
    assert table["margin_high"].tolist() == pytest.approx((1 - cost[0] / table["price_usd_per_mtok"]).tolist())
    half, _ = made(snapshot, margin, on=datetime.date(2025, 2, 28), busy_share=0.5)
    assert half.attrs["cost_low"] == pytest.approx(2 * cost[0])


def test_a_speed_no_chip_can_give_has_no_cost(snapshot):
    table, words = made(snapshot, margin, weights="llama-3.1-405b-instruct", chip="h100-sxm", tok_s_per_user=500)
    assert table.empty or (table.attrs["cost_low"] is None and "No modelled cost" in words.finding)
    with pytest.raises(ValueError, match="no model shape for 'claude-3-opus'"):
        modelled.best_served(serving_inputs(snapshot), "claude-3-opus", "h100-sxm", 1000, 1000, 20)


def test_cost_of_an_answer_is_tokens_times_price(snapshot):
    table, _ = made(snapshot, tasks)
    o1 = table[table["model"].eq("o1 (high)")].iloc[0]
    assert o1["usd_per_answer"] == pytest.approx(6357.8 * 60 / 1e6) and o1["usd_per_solved"] == pytest.approx(
        o1["usd_per_answer"] / o1["score"]
    )
    stated, words = made(snapshot, tasks, benchmark="Aider polyglot")
    assert stated["cost_from"].eq("stated by the source").all() and "input included" in words.subtitle


def test_a_test_without_tokens_says_so(snapshot):
    table, words = made(snapshot, tasks, benchmark="WeirdML", measure="output_tokens")
    assert table.empty and "a cost, not tokens" in words.empty


def test_one_run_two_costs(snapshot):
    table, words = made(snapshot, arc)
    pair = table.attrs["pair"]
    assert pair["first_usd"] == pytest.approx(20.12) and pair["restated_usd"] == [200] and pair["samples"] == [6, 1024]
    assert pair["further_usd"] == pytest.approx(29_157, rel=0.01)
    assert "$20.12 and at $200" in words.finding
    frontier = table[table["frontier"]]
    assert not frontier["restated"].any() and not frontier["implied"].any() and not frontier["person"].any()
    assert frontier["score"].is_monotonic_increasing


def test_the_public_set_is_86_times_not_172(snapshot):
    table, _ = made(snapshot, arc, dataset="ARC-AGI-1 public eval")
    tokens = table.set_index("system")["tokens_total"]
    assert tokens[arc.SECOND] / tokens[arc.FIRST] == pytest.approx(86, abs=0.5)


def test_rents_fell_then_rose(snapshot):
    table, words = made(snapshot, rent)
    index = table[table["provider"].str.contains("1-year contract index")]
    # SemiAnalysis: 1.70 in October 2025 to 2.35 in March 2026.
    assert index["usd_per_gpu_hour"].tolist() == [1.70, 2.35] and index["moved"].tolist() == [False, True]
    (fell, rose), after = table.attrs["before"], table.attrs["after"]
    assert fell > rose and after[1] >= after[0]
    assert "suspect" in words.coverage


def test_blocks_only(snapshot):
    table, _ = made(snapshot, rent, chip="h200-sxm", term="block")
    assert table["term"].str.contains("block").all() and {4.33, 4.98, 5.41} <= set(table["usd_per_gpu_hour"].round(2))


def test_rent_per_rate_is_rent_over_rate(snapshot):
    table, _ = made(snapshot, rent_per, per="pflop")
    h100 = table.set_index("chip_id").loc["h100-sxm"]
    assert h100["low"] == pytest.approx(h100["rent_low_usd_per_hour"] / 0.9894, rel=1e-3)
    hourly, _ = made(snapshot, rent_per)
    assert (hourly["low"] == hourly["rent_low_usd_per_hour"]).all()


def test_a_middle_price_without_its_ends_still_pays_back(snapshot):
    bought = pd.DataFrame(
        [
            {
                "item": "HGX H100 of mine",
                "chip_id": "h100-sxm",
                "units": 8,
                "date": "2026-11-01",
                "price_mid_usd": 200_000.0,
                "market": "us",
                "kind": "server",
            }
        ]
    )
    table, words = made(snapshot.with_draft({"hardware_prices": bought}), payback)
    own = table.set_index("chip_id").loc["h100-sxm"]
    assert (own["capital_low_usd"], own["capital_high_usd"]) == (25_000, 25_000)
    assert 0 < own["months_low"] < own["months_high"] and "nan" not in words.alt


def test_payback_shrinks_with_use(snapshot):
    busy, idle = (made(snapshot, payback, utilisation=u)[0].set_index("chip_id").sort_index() for u in (1.0, 0.5))
    assert (busy["months_low"] < idle["months_low"]).all() and (busy["months_low"] <= busy["months_high"].fillna(1e9)).all()


def test_a_rent_that_never_covers_the_electricity_is_said_in_words(snapshot):
    params = payback.Params(utilisation=0.2, usd_per_kwh=0.5)
    table, words = made(snapshot, payback, utilisation=0.2, usd_per_kwh=0.5)
    assert table["months_high"].isna().any() and "nan" not in words.alt + words.finding
    assert "H200 SXM5 174 months or never" in words.alt and "in 174 months or never" in words.finding
    drawn = payback.figure(table, params, Look(theme="light", width="desk")).to_json()
    assert "never at the lowest" in drawn


def test_the_plan_turns_on_the_spread(snapshot):
    moderate, heavy = made(snapshot, plan)[0].attrs, made(snapshot, plan, log_sd=2)[0].attrs
    assert moderate["query_list_usd"] == pytest.approx(0.63) and moderate["break_even_list"] == pytest.approx(317, abs=1)
    assert moderate["profit"] > 0 > heavy["profit"] and heavy["mean_use"] == pytest.approx(2216.7, rel=1e-3)


def test_search_costs(snapshot):
    table, words = made(snapshot, search)
    assert table["usd_per_year"].iloc[0] == pytest.approx(666e9, rel=2e-3) and table.attrs["published_usd"] == pytest.approx(
        36.3e9, rel=2e-3
    )
    mini = table[table["model"].str.startswith("GPT-4o mini")].iloc[0]
    assert mini["usd_per_year"] == pytest.approx(4.39e9, rel=2e-3)
    assert "$666B" in words.finding
    assert "an o1-level model" in made(snapshot, search, level="o1")[1].finding


def test_elasticity_read_off(snapshot):
    table, words = made(snapshot, elasticity)
    at = table.attrs["at"]
    assert at["tokens"] == pytest.approx(31.62, rel=1e-3) and at["rent"] == pytest.approx(1.257, rel=1e-3)
    assert [round(e, 2) for _, e in table.attrs["google"]] == [1.69, 0.82]
    assert "all fall" in made(snapshot, elasticity, elasticity=0.2)[1].finding
    unit = made(snapshot, elasticity, elasticity=1, gain=10)[1].finding  # a unit elasticity leaves spending as it was
    assert unit.endswith("spending and GPU-hours stay, rents fall")


def test_the_published_halving_times_of_weirdml(snapshot):
    # H. T. Ihle, LessWrong 2025: 2.37 months by least squares, 1.99 with errors in both, 1.67 with all error in time.
    table, words = made(snapshot, task_trend, view="all", until=datetime.date(2025, 9, 30))
    pooled = table.attrs["pooled"]
    assert pooled["ols_months"] == pytest.approx(2.37, rel=0.05)
    assert pooled["major_axis_months"] == pytest.approx(1.99, rel=0.05)
    assert pooled["inverse_months"] == pytest.approx(1.67, rel=0.05)
    assert "halves every 2 months (1.6 to 2.4" in words.finding


def test_gpt4s_score_on_weirdml_fell_from_60_cents_to_a_seventh_of_a_cent(snapshot):
    # The same source: GPT-4 of June 2023 cost about $0.6 a task, Llama 3.3 70B about $0.0014.
    table, words = made(snapshot, task_trend, threshold=0.12)
    ends = table[table["record"]]["usd_per_task"].iloc[[0, -1]].tolist()
    assert ends == pytest.approx([0.6, 0.0014], rel=0.1)


def test_the_best_model_of_its_day_does_not_get_cheaper_per_task(snapshot):
    # Gundlach et al. (arXiv 2511.23455): the price of running frontier models rises 3 to 18 times a year.
    table, words = made(snapshot, task_trend, benchmark="Aider polyglot", threshold=0.6)
    rate = table.attrs["best_rate"]
    assert 1 / rate["fold_high"] <= 3 and 1 / rate["fold_low"] >= 18
    best = table[table["best"]]
    assert best["score"].is_monotonic_increasing and words.notes[1].startswith("Best model of its day: × ")


def test_a_score_with_few_records_gets_no_rate(snapshot):
    table, words = made(snapshot, task_trend, benchmark="Aider polyglot")
    assert table.attrs["rate"]["n"] == 2 and words.notes[0] == "Cheapest: 2 records; a rate needs 4."
    nobody, said = made(snapshot, task_trend, threshold=0.99)
    assert not nobody["record"].any() and "No run reaches 99 %" in said.empty
    assert not made(snapshot, task_trend, **said.way_out)[1].empty


@pytest.mark.parametrize(("low", "high"), [(0.07, 0.2), (3.5, 6.8), (1.0, 1000.0)])
def test_ticks_of_a_narrow_price_axis_say_where_they_stand(low, high):
    ticks = log_price_ticks(low, high, round_dollars)
    assert len(ticks["tickvals"]) >= 3 and all(low <= v <= high for v in ticks["tickvals"])
    assert [float(text.strip("$").replace(",", "")) for text in ticks["ticktext"]] == pytest.approx(ticks["tickvals"])


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_the_medians_in_figures_stand_above_every_dot(snapshot, width):
    table, _ = made(snapshot, ratios)
    figure = ratios.figure(table, ratios.Params(), Look(width=width))
    above = [a for a in figure.layout.annotations if a.yref == "paper" and a.y == 1 and "×" in a.text]
    assert len(above) == len(table.attrs["years"])
    bottom, top = figure.layout.yaxis.range
    share = (top - np.log10(table["ratio"].max())) / (top - bottom)
    assert share * 376 > 20  # pixels left for a line of figures
