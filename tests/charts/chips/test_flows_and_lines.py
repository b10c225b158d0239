"""Flows, stocks, caps, resale and reporting lines against the figures their sources print."""

import numpy as np
import pytest

from charts.chips import caps, flows, reporting, resale, stock
from charts.look import Look


def test_h20_of_2024_stands_beside_the_claim(shipped):
    table = flows.table(flows.Params(year="2024"), shipped).set_index("shipment_id")
    # Sum of the four quarterly medians of Epoch AI, AI chip sales (CC BY 4.0); the claim says about a million.
    assert table.loc["epoch-china-h20-2024q4", "value"] == pytest.approx(958_410, rel=1e-4)
    assert table.loc["epoch-china-h20-2024q4", "low"] != table.loc["epoch-china-h20-2024q4", "low"]  # no interval for a sum of medians
    assert table.loc["e5-h20-2024", "rung"] == "claim"
    assert table.loc["cnas-diverted-2024", ["low", "value"]].tolist() == [10_000, 140_000]


def test_orders_and_plans_are_not_deliveries_and_a_claim_without_a_period_has_none(shipped):
    table = flows.table(flows.Params(), shipped).set_index("shipment_id")
    assert not table.loc["h200-cn-ordered-2026-01", "delivered"] and table.loc["cnas-2400-h100", "delivered"]
    assert table.loc["e5-diverted", "period"] == "no period given"


def test_units_never_mix_and_an_empty_choice_offers_a_way_out(shipped):
    for unit in ("chips", "packages", "dies", "stacks", "usd", "h100e"):
        assert len(flows.table(flows.Params(unit=unit), shipped))
    params = flows.Params(unit="dies", year="2022")
    words = flows.words(flows.table(params, shipped), params)
    assert words.empty and words.way_out == {"unit": "chips", "year": "all"}


def test_the_stock_carries_the_modellers_band(shipped):
    table = stock.table(stock.Params(), shipped)
    assert (table["low"] < table["value"]).all() and (table["value"] < table["high"]).all()
    assert table.groupby("owner")["value"].apply(lambda v: v.is_monotonic_increasing).all()
    with pytest.raises(ValueError, match="no stock is recorded for 'Atlantis'; owners are Amazon"):
        stock.table(stock.Params(owners=("Atlantis",)), shipped)


@pytest.mark.parametrize(
    ("allowance", "published"),
    [
        ("2025-01-diff-LPP", 1_700),
        ("2025-01-diff-cap", 50_000),
        ("2025-01-diff-NVEU", 320_000),
    ],  # 90 FR 4544, H100 counts as press and law notes give them
)
def test_allowances_hold_the_published_numbers_of_h100(shipped, allowance, published):
    table = caps.table(caps.Params(allowance=allowance), shipped).set_index("chip_id")
    assert table.loc["h100-sxm", "chips"] == pytest.approx(published, rel=0.003)
    assert "never in force" in table.attrs["binds"]


def test_a_hundred_thousand_h100_stand_at_the_cluster_line(shipped):
    table = reporting.table(reporting.Params(), shipped).set_index("chip_id")
    # 100,000 H100: 9.9e19 by dense BF16, under the line of 1e20; 2.0e20 by FP8, over it (EO 14110, section 4.2)
    assert table.loc["h100-sxm", "chips_16_bit"] > 100_000 > table.loc["h100-sxm", "chips_8_bit"]
    # 1e26 FLOP over 1e20 FLOP/s at 40 %: 1e26 / 4e19 s = 28.9 days for every chip
    assert table["days"].to_numpy() == pytest.approx(28.935, abs=0.01)


def test_the_claim_is_arithmetic_and_never_its_own_evidence(shipped):
    table = resale.table(resale.Params(), shipped)
    assert table.attrs["gain"] == 300_000 - 250_000 - 5_000
    assert table["rung"].eq("claim").sum() == 1 and len(table) >= 5
    assert not table.loc[table["rung"] != "claim", "source"].str.contains("Podcast|mission").any()


def test_a_figure_of_zero_keeps_its_number_at_the_edge_of_the_log_axis(shipped):
    table = flows.table(flows.Params(unit="usd"), shipped)
    zero = table.index[table["value"].eq(0)]
    assert len(zero)
    for own in (table, table.loc[zero]):
        drawn = flows.figure(own, flows.Params(unit="usd"), Look(theme="light", width="desk"))
        places = [note.x for note in drawn.layout.annotations]
        assert np.isfinite(places).all() and min(places) == pytest.approx(drawn.layout.xaxis.range[0])
