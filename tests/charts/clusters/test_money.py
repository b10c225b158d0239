"""What a cluster costs: published totals, both readings of Abilene, electricity's share, and refusals."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from charts import compute
from charts.clusters import money
from charts.look import Look

CHART = money.CHART


def shown(snapshot, **params):
    return compute.compute(CHART, CHART.params(**params), snapshot)


def preset(name):
    return dict(next(p.params for p in CHART.presets if p.name == name))


def total(result, column):
    return float(result.table.iloc[-1][column])


@pytest.mark.parametrize(("life", "printed"), [(3, 12.0673), (5, 8.4913), (7, 6.97)])
def test_a_gigawatt_costs_what_epoch_prints(shipped, life, printed):
    # Epoch AI, data insight of May 2026: $12B, $8.5B and $7B a year by the life of servers; its electricity is $0.6B.
    assert total(shown(shipped, life_years=life), "year_usd") / 1e9 == pytest.approx(printed, abs=0.002)


def test_electricity_is_seven_percent_of_a_gigawatt_s_year(shipped):
    assert shown(shipped).table.attrs["share"] == pytest.approx(0.6 / 8.5, abs=0.0005)


def test_capital_of_a_gigawatt_has_the_published_range(shipped):
    # 26.113 + 11.769 billion; Bernstein 35, NVIDIA up to 60.
    row = shown(shipped, measure="capital").table.iloc[-1]
    assert [row[c] / 1e9 for c in ("capital_low_usd", "capital_usd", "capital_high_usd")] == pytest.approx([35, 37.882, 60])


def test_abilene_by_both_readings(shipped):
    # Podcast of February 2025: about $50B of servers, about $100B total cost of ownership; nine sections of $5 to 6B.
    servers = shown(shipped, **preset("abilene-servers"))
    assert total(servers, "capital_usd") / 1e9 == pytest.approx(49.5)
    assert [total(servers, f"capital_{e}_usd") / 1e9 for e in ("low", "high")] == pytest.approx([45, 54])
    owned = shown(shipped, **preset("abilene-ownership"))
    # Worked example: 65.9 of capital + 14.04 of rent + 3.85 of energy = 83.8, on servers of 50 rather than 49.5.
    assert total(owned, "life_usd") / 1e9 == pytest.approx(83.84 - 0.5 * 5 * 0.263797, abs=0.02)
    assert owned.table.attrs["straight_usd"] / 1e9 == pytest.approx(49.5 + 14.04 + 3.854, abs=0.01)
    assert [p["value"] for p in servers.table.attrs["published"] + owned.table.attrs["published"]] == [50e9, 100e9]
    assert any("0.83 times" in note for note in owned.words.notes)


def test_a_gpu_hour_from_a_server_s_price(shipped):
    # Worked example: server 31,250 + network 6,000 a GPU, 10 %, 5 years, $130/kW-month, $0.08: $1.483, 20 % at about 24 cents.
    result = shown(shipped, **(preset("gpu-hour") | {"own_server": True, "server_usd": 250_000.0}))
    assert total(result, "hour_usd") == pytest.approx(1.48306, rel=1e-4)
    assert result.table.attrs["fifth_usd_per_kwh"] == pytest.approx(0.2448, abs=0.0005)


def test_a_price_range_of_servers_reaches_the_gpu_hour(shipped):
    row = shown(shipped, **preset("gpu-hour")).table.iloc[-1]
    assert row["hour_low_usd"] < row["hour_usd"] < row["hour_high_usd"]
    assert row["hour_high_usd"] == pytest.approx(1.48306, rel=1e-4)  # $250,000 is the upper end


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(price=st.floats(1, 500), life=st.floats(1, 15), basis=st.sampled_from(["gigawatt", "server", "section"]))
def test_parts_add_up_and_the_fifth_is_where_it_is_said(shipped, price, life, basis):
    result = shown(shipped, basis=basis, usd_per_mwh=price, life_years=life)
    for column in ("capital_usd", "year_usd", "hour_usd", "life_usd"):
        assert result.table[column].iloc[:-1].sum() == pytest.approx(total(result, column))
    fifth = result.table.attrs["fifth_usd_per_kwh"] * 1e3
    if fifth <= 5000:
        assert shown(shipped, basis=basis, usd_per_mwh=fifth, life_years=life).table.attrs["share"] == pytest.approx(0.2)


def test_written_off_servers_break_the_claim(shipped):
    result = shown(shipped, **preset("written-off"))
    assert result.table.attrs["share"] > 0.2 and any("fails here" in note for note in result.words.notes)


def test_a_rate_of_zero_is_a_straight_line_with_its_own_receipt_line(shipped):
    result = shown(shipped, rate=0.0)
    assert float(result.table["year_usd"].iloc[0]) == pytest.approx(26.113e9 / 5)
    assert "straight line over 5 years" in result.receipt.formulas[0].text


@pytest.mark.parametrize(
    "bad",
    [
        {"it_mw": 0},
        {"it_mw": -3},
        {"rate": 1.5},
        {"rate": -0.1},
        {"life_years": 0},
        {"life_years": 100},
        {"pue": 0.9},
        {"utilisation": 0},
        {"chip_w": 0},
    ],
)
def test_what_lies_out_of_range_is_refused_with_the_range(bad):
    with pytest.raises(ValidationError, match="greater than or equal|less than or equal"):
        CHART.params(**bad)


def test_too_little_power_for_one_chip_gets_a_sentence(shipped):
    with pytest.raises(ValueError, match="it_mw must feed at least one chip of 20000 W, got 0.01 MW"):
        shown(shipped, it_mw=0.01, chip_w=20_000.0)


def test_the_stated_total_is_a_line(shipped):
    result = shown(shipped, **preset("abilene-ownership"))
    assert any(shape.x0 == 100e9 for shape in CHART.figure(result.table, result.params, Look("dark")).layout.shapes)
