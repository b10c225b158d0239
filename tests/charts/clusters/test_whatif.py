"""A stored cluster changed: ratios of what follows, refusals in a sentence."""

from __future__ import annotations

import pytest

from charts import compute, registry
from tests.charts.clusters.conftest import cluster


def shown(snapshot, **params):
    chart = registry.get("clusters.whatif")
    return compute.compute(chart, chart.params(**params), snapshot)


def ratios(snapshot, **params):
    return shown(snapshot, **params).table.set_index("quantity")["ratio"]


def test_nothing_changed_is_a_ratio_of_one_throughout(shipped):
    assert ratios(shipped).to_numpy() == pytest.approx(1)


def test_other_chips_in_the_same_power_fill_it_and_no_more(shipped):
    # GB200 at 1,200 W against H100 at 700 W with the base's overhead: 0.583 of the chips, 2,500 over 989.4 TFLOP/s each.
    told = ratios(shipped, chip="gb200")
    assert told["chips"] == pytest.approx(700 / 1200, rel=1e-4) and 0.999 < told["it_mw"] <= 1
    assert told["eflops"] == pytest.approx(700 / 1200 * 2500 / 989.4, rel=1e-3)


def test_five_times_the_chips_are_five_times_the_power_and_less_than_five_times_the_work(shipped):
    told = shown(shipped, count=1_000_000).table.set_index("quantity")
    assert told.loc["site_mw", "ratio"] == pytest.approx(5) and told.loc["goodput", "ratio"] < 1
    assert told.loc["days_1e26", "ratio"] > 1 / 5


def test_electricity_and_pue_move_the_bill_alone(shipped):
    told = ratios(shipped, new_usd_per_kwh=0.16, pue=1.1)
    assert told["electricity_usd"] == pytest.approx(2 * 1.1 / (361 / 278), rel=1e-3)
    assert told["chips"] == told["it_mw"] == 1 and told["usd_per_year"] > 1


def test_a_country_gives_its_stored_sites_pue(of_rows):
    rows = [cluster("a", chip_count=1000, power_mw=1.4, site_power_mw=1.82), cluster("b", country="Iceland", power_mw=10, site_power_mw=11)]
    told = shown(of_rows(*rows), cluster="a", country="Iceland")
    assert told.table.attrs["pue_after"] == pytest.approx(1.1)
    assert any(row.label == "PUE in Iceland" and "1 stored sites" in row.source for row in told.receipt.inputs)


def test_a_pue_under_one_is_a_sentence_with_the_range(shipped):
    with pytest.raises(ValueError, match=r"PUE must be from 1 to 3, got 0\.8"):
        shown(shipped, pue=0.8)


def test_spending_cannot_be_kept_without_a_price(shipped):
    with pytest.raises(ValueError, match="set a price or keep the power"):
        shown(shipped, cluster="anthropic-rainier", chip="gb200", keep="servers")


def test_an_unknown_cluster_is_a_sentence(shipped):
    with pytest.raises(ValueError, match="no row about 'nowhere'"):
        shown(shipped, cluster="nowhere")


def test_every_cluster_of_the_list_opens(shipped):
    chart = registry.get("clusters.whatif")
    for cluster_id in chart.options["cluster"](shipped):
        try:
            table = chart.table(chart.params(cluster=cluster_id), shipped)
        except ValueError as wrong:
            assert "on record" in str(wrong)
        else:
            assert table["base"].iloc[0] >= 1
