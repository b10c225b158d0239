"""Own figures of each cluster against each other: what is questioned, in which words, and what takes no part."""

from __future__ import annotations

import pytest

from charts import compute, registry
from charts.look import Look
from tests.charts.clusters.conftest import cluster


def shown(snapshot, **params):
    chart = registry.get("clusters.consistency")
    return compute.compute(chart, chart.params(**params), snapshot)


def test_meta_s_128000_chips_on_150_mw_are_1172_watts(shipped):
    # 150 MW over 128,000 chips: under the 1,400 W of the same sentence, within the usual range.
    row = shown(shipped, find="llama 4").table.iloc[0]
    assert row["value"] == pytest.approx(1171.9, abs=0.1) and row["question"] == ""


def test_no_derived_figure_takes_part(shipped):
    told = shown(shipped).table
    assert "xai-colossus2" not in set(told["cluster_id"])  # its count is worked out from its power
    assert told["value"].gt(0).all()


def test_an_outlier_is_told_beside_others_of_its_chip(of_rows):
    rows = [cluster(f"c{i}", chip_count=100_000, power_mw=w) for i, w in enumerate((125, 130, 139, 140))]
    snapshot = of_rows(*rows, cluster("odd", chip_count=100_000, power_mw=340))
    told = shown(snapshot)
    assert (
        "ODD implies 3,400 W a chip: over the usual 300 to 3,000; 4 other clusters of h100-sxm lie between 1,250 and 1,400"
        in told.words.finding
    )
    only = shown(snapshot, odd=True).table
    assert only["cluster_id"].tolist() == ["odd"]


def test_a_small_departure_is_questioned_where_others_agree(of_rows):
    rows = [cluster(f"c{i}", chip_id="gb200", chip_count=1000, power_mw=w) for i, w in enumerate((2.09, 2.1, 2.12, 2.175))]
    told = shown(of_rows(*rows, cluster("denton", chip_id="gb200", chip_count=1000, power_mw=2.62))).table
    assert told.loc[told["question"] != "", "cluster_id"].tolist() == ["denton"]


def test_more_it_than_site_power_is_questioned(of_rows):
    told = shown(of_rows(cluster("a", power_mw=100, site_power_mw=80)), ratio="pue").table
    assert told["question"].item() == "implies 0.8 × PUE: under the usual 1 to 1.6"


def test_a_mark_carries_its_cluster_for_the_click(shipped):
    chart = registry.get("clusters.consistency")
    told = shown(shipped)
    marks = chart.figure(told.table, told.params, Look()).data[0]
    assert list(marks.customdata) == told.table["cluster_id"].tolist()


def test_nothing_left_says_so_with_a_way_out(shipped):
    words = shown(shipped, find="no such cluster").words
    assert words.empty and words.way_out == {"odd": False, "chips": [], "find": ""}


def test_of_very_many_testimonies_the_ends_and_the_questioned_are_drawn_and_all_are_counted(of_rows):
    rows = [cluster(f"c{i}", chip_count=100_000, power_mw=125 + i / 100) for i in range(1200)]
    told = shown(of_rows(*rows, cluster("odd", chip_count=100_000, power_mw=340)))
    assert len(told.table) == 400 and told.table["value"].is_monotonic_increasing
    assert told.table["cluster_id"].iloc[0] == "c0" and told.table["cluster_id"].iloc[-1] == "odd"
    assert told.words.finding.startswith("One of 1,201 testimonies is questioned: ODD implies 3,400 W a chip")
    assert "400 of 1,201 dots are drawn" in " ".join(told.words.notes)
