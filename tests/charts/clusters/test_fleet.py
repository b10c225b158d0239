"""A demand sized by chip: what agrees with what, limits turned round, the clause column, and chips that cannot."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from charts import compute, registry
from charts.clusters import fleet


def shown(snapshot, **params):
    chart = registry.get("clusters.fleet")
    return compute.compute(chart, chart.params(**params), snapshot)


def test_chips_serve_the_peak_of_the_demand(shipped):
    told = shown(shipped).table
    p = fleet.Params()
    for row in told.to_dict("records"):
        served = row["chips"] * row["tok_s"] * p.utilisation
        asked = p.queries * p.output_tokens / 86_400 * p.peak
        assert served >= asked > served * (1 - 1 / row["chips"]) * (1 - 1e-9)
        assert row["low"] <= row["value"] <= row["high"]


def test_a_limit_on_power_gives_back_the_demand_it_was_sized_for(shipped):
    sized = shown(shipped, chips=("h100-sxm",)).table.iloc[0]
    back = shown(shipped, chips=("h100-sxm",), limit="power", limit_mw=float(sized["site_mw"])).table.iloc[0]
    assert back["value"] == pytest.approx(1e9, rel=1e-3) and back["chips"] == pytest.approx(sized["chips"], abs=1)
    dollars = shown(shipped, chips=("h100-sxm",), limit="capital", limit_musd=float(sized["capital_usd"]) / 1e6).table.iloc[0]
    assert dollars["chips"] == pytest.approx(sized["chips"], abs=1)


@pytest.mark.parametrize("chips", ["h100-sxm", "h200-sxm", "gb200", "mi300x", "h20"])
def test_a_chip_of_a_given_fleet_costs_the_same_whatever_its_number(shipped, chips):
    # Sizing the fleet again from the queries it serves would round some up by a chip: twice the cost of a fleet of one.
    counts = (1000, 1001, 1003, 1007, 1031, 2000)
    rows = [shown(shipped, chips=(chips,), limit="chips", limit_chips=n).table.iloc[0] for n in counts]
    each = [row["usd_per_year"] / n for row, n in zip(rows, counts)]
    assert [row["chips"] for row in rows] == list(counts) and each == pytest.approx([each[0]] * len(each), rel=1e-9)


def test_a_fleet_is_no_smaller_than_a_layout_that_holds_the_model(shipped):
    small = shown(shipped, queries=1.0).table
    assert (small["chips"] == small["layout_chips"]).all() and small["chips"].between(2, 32).all()
    # DeepSeek-R1's 671 billion 8-bit weights do not fit the 80 GB of one H100.
    alone = shown(shipped, chips=("h100-sxm",), limit="chips", limit_chips=1)
    assert alone.table["value"].isna().all() and "the smallest that does has" in alone.words.empty
    few = shown(shipped, limit="chips", limit_chips=16).table
    assert (few["layout_chips"].dropna() <= 16).all() and few["value"].notna().any()
    poor = shown(shipped, chips=("gb200",), limit="capital", limit_musd=0.01)
    assert "less than one chip" in poor.words.empty


def test_every_search_on_gpt_3_is_of_the_order_semianalysis_gave(shipped):
    # SemiAnalysis, 9 February 2023: 0.36 cents a query of ChatGPT on A100; its utilisation and lengths are not published.
    preset = next(p for p in registry.get("clusters.fleet").presets if p.name == "gpt3")
    row = shown(shipped, **preset.params).table.iloc[0]
    assert 0.36 / 3 < 100 * row["usd_per_query"] < 0.36 * 3
    assert row["capital_usd"] > 100e9  # "$100B of capital expenditure" in the same article


def test_a_cheaper_limit_serves_fewer_and_a_stricter_speed_takes_more(shipped):
    loose, strict = (shown(shipped, chips=("h100-sxm",), speed=s).table["chips"].iloc[0] for s in (20, 60))
    assert strict > loose
    small, large = (shown(shipped, chips=("h100-sxm",), limit="power", limit_mw=mw).table["value"].iloc[0] for mw in (30, 100))
    assert large == pytest.approx(small * 100 / 30, rel=1e-3)


def test_the_clause_column_says_what_export_rules_say(shipped):
    told = shown(shipped).table.set_index("chip_id")["clause"]
    assert "licence" in told["h100-sxm"]
    home = shown(shipped, dest="US").table.set_index("chip_id")["clause"]
    assert home["h100-sxm"] == "no clause met"


def test_a_speed_out_of_reach_says_the_nearest(shipped):
    words = shown(shipped, chips=("h100-sxm",), speed=1000).words
    assert "tok/s per user" in words.empty and words.way_out == {"speed": 10.0}


def test_the_receipt_opens_from_rate_to_cost(shipped):
    receipt = shown(shipped).receipt
    assert [line.name for line in receipt.formulas][1:5] == ["Chips for a demand", "IT power", "Site power", "Cost of a GPU-hour"]
    assert any(row.label.startswith("Capital a chip") and row.as_of for row in receipt.inputs)


@pytest.mark.parametrize(
    "bad", [{"queries": 0}, {"queries": -1}, {"pue": 0.9}, {"limit_mw": 0}, {"life_years": 0}, {"rate": 1.5}, {"overhead": 0.5}]
)
def test_values_out_of_range_are_refused(bad):
    with pytest.raises(ValidationError):
        fleet.Params(**bad)
