"""What chips take at the site: the chain both ways, published watts beside it, the year's share, and refusals."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from charts import compute
from charts.clusters import chain
from charts.look import Look
from data.links import from_parquet, parquet

CHAIN = chain.CHART


def shown(snapshot, **params):
    return compute.compute(CHAIN, CHAIN.params(**params), snapshot)


def preset(name):
    return dict(next(p.params for p in CHAIN.presets if p.name == name))


def test_meta_s_128_000_chips_at_1_400_watts_are_179_megawatts(shipped):
    # Podcast of February 2025: 128,000 GPUs at about 1,400 W each, "150 megawatts or more".
    result = shown(shipped, **preset("llama-4"))
    assert result.table.attrs["it_mw"] == pytest.approx(179.2)
    stated = next(row for row in result.table.attrs["published"] if row["label"].startswith("Meta Llama 4"))
    assert stated["value"] == pytest.approx(1171.9, abs=0.1)  # 150 MW over 128,000


def test_epoch_s_site_power_of_meta_s_100_000(shipped):
    # Epoch AI, GPU Clusters: 100,000 x 700 W x 1.82 x 1.12 = 142.688 MW.
    assert shown(shipped, chips=100_000, peak_pue=1.12).table.attrs["site_mw"] == pytest.approx(142.688)


def test_a_year_of_the_chips_is_a_share_of_lbnl_s_electricity(shipped):
    # LBNL 2024: 176 TWh were 4.4 % of US electricity, so 4,000 TWh in all.
    a = shown(shipped, load=1.0).table.attrs
    assert a["grid_twh"] == pytest.approx(4000)
    assert a["energy_twh"] == pytest.approx(127.4 * 1.14 * 8760 / 1e6)
    assert a["share"] == pytest.approx(a["energy_twh"] / 4000)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(n=st.integers(1, 5_000_000), pue=st.floats(1, 2))
def test_megawatts_lead_back_to_the_chips_that_took_them(shipped, n, pue):
    there = shown(shipped, chips=n, peak_pue=pue).table.attrs
    if there["site_mw"] >= 0.01:
        back = shown(shipped, start="site", site_mw=there["site_mw"], peak_pue=pue).table.attrs
        assert abs(back["chips"] - n) <= 1


def test_every_step_carries_what_is_below_it(shipped):
    table = shown(shipped).table.set_index("step")["each_mw"]
    assert table["Server"] == pytest.approx(8 * table["Chip, all-in"])
    assert table["Rack"] == pytest.approx(4 * table["Server"]) and table["Hall"] == pytest.approx(200 * table["Rack"])
    assert table["Site, peak"] > table["IT load"] > table["Site, mean"]


def test_generations_stand_beside_clusters_with_a_power_of_their_own(shipped):
    # Podcast, C12: 1,200 to 1,400 W all-in per H100; Epoch AI's Colossus 1 at 1,390 W.
    table = shown(shipped, show="generations").table
    h100 = table[table["chip_id"] == "h100-sxm"]
    stated = h100[h100["kind"] == "range"].iloc[0]
    assert (stated["low_w"], stated["high_w"]) == (1200, 1400)
    assert 1390 in h100.loc[h100["kind"] == "cluster", "watts"].round().tolist()
    rated = table[table["kind"] == "chip"].set_index("chip_id")["watts"]
    assert (rated["a100-sxm-80"], rated["h100-sxm"], rated["gb200"]) == (400, 700, 1200)


def test_no_power_worked_out_from_a_count_is_held_against_it(shipped):
    labels = shown(shipped, show="generations", compare=("a100-sxm-80",)).table
    clusters = labels[labels["kind"] == "cluster"]
    assert not clusters["source"].str.contains("GPU Clusters").any()  # chips × TDP × 1.82 × PUE there


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"own_all_in": True, "all_in_w": 600.0}, "from the chip's rated 700 W to five times that, 3,500 W, got 600 W"),
        (
            {"start": "site", "site_mw": 0.01, "chip": "gb200", "own_all_in": True, "all_in_w": 6000.0, "peak_pue": 3.0},
            "at least one chip of 6,000 W",
        ),
        ({"chip": "mi308x"}, "rated power of"),
        ({"chip": "h1000"}, "no chip 'h1000'"),
    ],
)
def test_the_impossible_gets_a_sentence(shipped, params, said):
    with pytest.raises(ValueError, match=said):
        shown(shipped, **params)


@pytest.mark.parametrize(
    "bad", [{"chips": 0}, {"chips": -5}, {"peak_pue": 0.9}, {"mean_pue": 0.5}, {"site_mw": 0}, {"overhead": 0.5}, {"load": 1.2}]
)
def test_what_lies_out_of_range_is_refused_with_the_range(bad):
    with pytest.raises(ValidationError, match="greater than or equal|less than or equal"):
        CHAIN.params(**bad)


def test_no_chip_with_a_rated_power_leaves_words_and_a_way_out(shipped):
    result = shown(shipped, show="generations", compare=("mi308x",))
    assert result.words.empty and result.words.way_out
    result.figure(Look())


def test_a_kept_table_draws_both_views_without_the_store(shipped):
    for show in ("chain", "generations"):
        result = shown(shipped, show=show)
        kept = from_parquet(parquet(result.table))
        assert CHAIN.figure(kept, result.params, Look("dark", "phone")).data


def test_the_receipt_opens_to_formulas_and_sources(shipped):
    receipt = shown(shipped, start="site").receipt
    names = [line.name for line in receipt.formulas]
    assert names[0] == "Chips a site feeds" and "Share of a grid's electricity" in names
    assert all(row.source for row in receipt.inputs)
    assert any("1,200 to 1,400" in row.value and row.source_url.startswith("https://") for row in receipt.inputs)


@pytest.mark.parametrize("show", ["chain", "generations"])
def test_thousands_of_clusters_are_thinned_and_said(shipped, show):
    rows = shipped.table("clusters").head(1).drop(columns=["source_id", "rung", "origin"], errors="ignore")
    rows = rows.assign(chip_id="h100-sxm", chip_count=1_000.0, power_mw=1.4, power_basis="", count_basis="")
    many = rows.loc[rows.index.repeat(3_000)].reset_index(drop=True)
    many = many.assign(cluster_id=[f"made-{i}" for i in many.index], power_mw=1.0 + many.index / 3_000)
    result = shown(shipped.with_draft({"clusters": many}), show=show)
    drawn = result.table if show == "generations" else result.table.attrs["published"]
    assert len(drawn) < 200
    assert any("are drawn, spread evenly" in note for note in result.words.notes)
    assert len(result.figure(Look()).data) < 30
