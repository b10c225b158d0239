"""A stored cluster changed: ratios of what follows, refusals in a sentence."""

from __future__ import annotations

import pytest

from charts import compute, registry
from data.queries import cluster_base


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


def test_a_country_gives_the_median_of_its_stored_sites(shipped):
    sites = cluster_base.country_pue(shipped, "United States")
    assert sites["n"] > 20 and 1 < sites["low"] < sites["pue"] < sites["high"] < 1.6
    told = shown(shipped, country="United States")
    assert told.table.attrs["pue_after"] == pytest.approx(sites["pue"])
    assert any(row.label == "PUE in United States" and f"{sites['n']} stored sites" in row.source for row in told.receipt.inputs)
    with pytest.raises(ValueError, match="no stored site in Atlantis"):
        shown(shipped, country="Atlantis")


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


def test_of_a_count_and_a_power_the_count_is_taken_and_the_words_say_so(shipped):
    both, count = shown(shipped, count=300_000, it_mw=900), shown(shipped, count=300_000)
    assert both.table["changed"].tolist() == count.table["changed"].tolist()
    assert "300k chips as set, so the IT power of 900 MW is not used." in both.words.subtitle
    assert "not used" not in count.words.subtitle and "as set" not in shown(shipped).words.subtitle
    assert "900 MW of IT power as set." in shown(shipped, it_mw=900).words.subtitle


def test_later_words_that_name_no_single_chip_are_told(shipped):
    # Anthropic, May 2026: 300 MW and 220,000 GPUs of several kinds at Colossus 1.
    notes = shown(shipped).words.notes
    assert any("names no single chip" in n and "300 MW and 220k chips, 6 May 2026" in n for n in notes)
    assert not any("names no single chip" in n for n in shown(shipped, cluster="anthropic-rainier").words.notes)
