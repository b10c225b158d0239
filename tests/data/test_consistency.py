"""Ratios of stored clusters: derived figures left out, kinds of chip added up, others of the chip as the measure."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest

from analytics.clusters.consistency import RATIOS
from data.consistency import asked_of_all, peers, questions, ratios

CHIPS = pd.DataFrame({"chip_id": ["h100-sxm", "h200-sxm"], "tdp_w": [700.0, 700.0]})


def row(cluster_id="a", **values):
    told = {"cluster_id": cluster_id, "phase": "1", "source": "S", "as_of": "2026-01-01", "chip_id": "h100-sxm"}
    figures = {"chip_count": 1000.0, "power_mw": 1.4, "site_power_mw": np.nan, "capex_usd": np.nan, "h100e": np.nan}
    bases = dict.fromkeys(("count_basis", "power_basis", "capex_basis", "h100e_basis"))
    return told | figures | bases | values


def test_a_derived_power_implies_no_watts():
    own, worked_out = ratios(pd.DataFrame([row()]), CHIPS), ratios(pd.DataFrame([row(power_basis="derived:chips x TDP")]), CHIPS)
    assert own["power_per_chip_w"].item() == pytest.approx(1400) and own["power_over_rated"].item() == pytest.approx(2.0)
    assert worked_out["power_per_chip_w"].isna().all()


def test_kinds_of_chip_under_one_power_are_added_up():
    # Colossus: power stands on the first of two rows of 100,000 chips each.
    both = [row(chip_count=100_000.0, power_mw=278.0), row(chip_id="h200-sxm", chip_count=100_000.0, power_mw=np.nan)]
    told = ratios(pd.DataFrame(both), CHIPS)
    assert len(told) == 1 and told["chip_id"].item() == "mixed"
    assert told["power_per_chip_w"].item() == pytest.approx(1390)


def test_site_power_speaks_where_it_power_is_missing():
    told = ratios(pd.DataFrame([row(power_mw=np.nan, site_power_mw=1.8)]), CHIPS)
    assert told["site_power_per_chip_w"].item() == pytest.approx(1800) and told["power_per_chip_w"].isna().all()


def test_a_figure_is_held_beside_other_clusters_of_its_chip_but_never_beside_itself():
    known = ratios(pd.DataFrame([row(f"c{i}", power_mw=w / 1000) for i, w in enumerate((1200, 1300, 1400, 1390))]), CHIPS)
    odd = ratios(pd.DataFrame([row("odd", power_mw=2.1)]), CHIPS).to_dict("records")[0]
    said = questions(odd, peers(known))
    assert said["power_per_chip_w"] == "implies 2,100 W a chip; 4 other clusters of h100-sxm lie between 1,200 and 1,400"
    assert questions(known.to_dict("records")[0], peers(known)) == {}


def test_more_it_than_site_power_is_said():
    told = ratios(pd.DataFrame([row(site_power_mw=1.0)]), CHIPS).to_dict("records")[0]
    assert questions(told, {})["pue"] == "implies 0.714 × PUE: under the usual 1 to 1.6"


@hypothesis.given(st.lists(st.tuples(st.sampled_from("abcdefg"), st.floats(1, 1e6)), max_size=12))
def test_the_ends_without_one_cluster_are_those_of_all_the_others(told):
    name = next(iter(RATIOS))
    frame = pd.DataFrame([{"chip_id": "h100-sxm", "cluster_id": c, **dict.fromkeys(RATIOS, np.nan), name: v} for c, v in told])
    if frame.empty:
        frame = pd.DataFrame(columns=["chip_id", "cluster_id", *RATIOS])
    found = peers(frame).get(("h100-sxm", name))
    middle = frame.groupby("cluster_id")[name].median().astype(float)
    for one in "abcdefgh":
        others = middle.drop(one, errors="ignore")
        count, low, high = found.without(one) if found else (0, np.nan, np.nan)
        assert count == len(others)
        if count:
            assert (low, high) == (others.min(), others.max())
    inner = found.inner() if found else None
    assert inner == ((sorted(middle)[1], sorted(middle)[-2]) if len(middle) > 2 else None)


def test_the_rows_that_are_asked_about_are_those_each_row_alone_would_be():
    chance = np.random.default_rng(0)
    told = [
        row(f"s{n}", chip_count=1000.0, power_mw=float(chance.lognormal(0.3, 0.5)), capex_usd=3e7 * float(chance.lognormal(0, 1)))
        for n in range(60)
    ]
    every = ratios(pd.DataFrame(told), CHIPS)
    others = peers(every)
    alone = {n: said for n, one in enumerate(every.to_dict("records")) if (said := questions(one, others))}
    assert asked_of_all(every, others) == alone and 0 < len(alone) < 60
