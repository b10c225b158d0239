"""Limits, monotonicity and refusals of the cluster models."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.clusters import consistency, fleet, goodput, money, power, swings, training

counts = st.integers(1, 2_000_000)
SECTION = {"rate": 0.1, "years": 5, "colocation_usd_per_kw_month": 130, "site_mw": 2200, "load": 0.8, "usd_per_mwh": 50}


def abilene(**changed):
    return money.build_from_parts(1800, 200, 5.5e9, **(SECTION | changed))


shares = st.floats(0.01, 0.99)


@given(counts, st.floats(50, 3000), st.floats(1, 3), st.floats(1, 2))
def test_site_power_exceeds_it_power_and_feeds_as_many_chips(n, watts, overhead, pue):
    steps = power.chip_to_site(n, watts, overhead=overhead, pue=pue)
    assert steps["site_mw"] >= steps["it_mw"] >= n * watts / 1e6 * 0.999
    assert abs(power.site_to_chips(steps["site_mw"], watts * overhead, pue=pue) - n) <= 1


@given(counts, st.floats(1, 600), st.floats(0, 3600))
def test_goodput_is_a_share_and_falls_with_size(n, checkpoint, restart):
    small = goodput.daly_efficiency(n, checkpoint_s=checkpoint, restart_s=restart)["efficiency"]
    large = goodput.daly_efficiency(2 * n, checkpoint_s=checkpoint, restart_s=restart)["efficiency"]
    assert 0 <= large <= small <= 1
    assert goodput.doubling_gain(n, checkpoint_s=checkpoint, restart_s=restart) < 2 or small == 0


@given(shares, st.floats(0.1, 60))
def test_the_buffer_is_largest_at_half_duty_and_free_at_the_ends(duty, step):
    at = swings.flattening(1000, 1300, 500, duty, step)
    half = swings.flattening(1000, 1300, 500, 0.5, step)
    assert 0 < at.buffer_mj <= half.buffer_mj * (1 + 1e-12)
    assert at.low_mw < at.mean_mw < at.high_mw


def test_harmonics_hold_the_swings_energy():
    frequency, amplitude = swings.harmonics(80, 0.5, 2.0, 2001)
    assert frequency[0] == 0.5 and amplitude[1] == pytest.approx(0, abs=1e-9)
    # Parseval: the variance of the wave is ΔP² d (1-d).
    assert (amplitude**2).sum() / 2 == pytest.approx(80**2 * 0.25, rel=1e-3)


@given(st.floats(0, 0.5), st.floats(0.5, 30))
def test_an_annuity_pays_at_least_the_straight_line(rate, years):
    assert money.capital_recovery(rate, years) >= 1 / years * (1 - 1e-9)


@given(st.floats(0, 2e-4), st.floats(0.5, 60))
def test_a_small_rate_costs_about_half_the_rate_on_top(rate, years):
    # First order of the annuity: principal back plus interest on the mean of what is owed.
    assert money.capital_recovery(rate, years) * years == pytest.approx(
        1 + rate * (years + 1) / 2, abs=1e-4 * (rate * years + 1e-9) + rate**2 * years**2
    )


@given(st.floats(1_000, 200_000), st.floats(0.2, 3))
def test_electricity_is_a_fifth_at_the_price_that_is_said_to_make_it_so(capex, kw):
    hour = money.gpu_hour(capex, kw)
    if hour.usd_per_kwh_at_fifth < 5:
        assert money.gpu_hour(capex, kw, usd_per_kwh=hour.usd_per_kwh_at_fifth).electricity_share == pytest.approx(0.2)


def test_electricity_stays_under_a_fifth_up_to_24_cents():
    # Published reading: below 20 % up to about $0.24 a kWh for an H100 at $37,250 with its network.
    assert money.gpu_hour(37_250, 1.4).usd_per_kwh_at_fifth == pytest.approx(0.2448, abs=0.0005)


@given(counts, st.floats(1e12, 5e15), st.floats(1e20, 1e27))
def test_failures_only_lengthen_a_run(n, peak, flop):
    free = training.plan(flop, n, peak)
    real = training.plan(flop, n, peak, mtbf_gpu_hours=goodput.LLAMA3_MTBF_GPU_HOURS)
    if real["goodput"] > 0:
        assert real["days"] >= free["days"] * (1 - 1e-12) and real["usd"] >= free["usd"] * (1 - 1e-12)


def test_two_sites_thirty_miles_apart_lose_little():
    near = goodput.several_sites(10.0, 1e12, 10_000, 30)
    far = goodput.several_sites(10.0, 1e12, 10_000, 3000)
    assert near["round_trip_ms"] == pytest.approx(0.47, abs=0.01)
    assert 0 < far["efficiency"] <= near["efficiency"] < 1


def test_derived_values_never_confirm_themselves():
    # 128,000 chips and 150 MW give 1,172 W; a capex computed from the MW says nothing about dollars per MW.
    found = consistency.implied(
        [128_000.0, 100.0], [150.0, 5.0], [np.nan, 4.0], [150 * 37.9e6, np.nan], [np.nan, np.nan], derived={"capex_usd": [True, False]}
    )
    assert found.power_per_chip_w[0] == pytest.approx(1171.9, abs=0.1) and np.isnan(found.capex_per_mw_usd[0])
    assert found.outliers(0) == []
    assert found.outliers(1) == [
        "implies 50,000 W a chip: over the usual 300 to 3,000",
        "implies 0.8 × PUE: under the usual 1 to 1.6",
    ]


def test_a_fleet_by_power_capital_and_chips_agree_with_its_sizing():
    sized = fleet.size(1e9, 500, 1000, chip_w=700, capex_usd_per_chip=35_000)
    for limit, amount in (("power", sized.site_mw), ("capital", sized.capital_usd), ("chips", sized.chips)):
        back = fleet.queries_within(limit, amount, 500, 1000, it_w_per_chip=700 * 1.82, capex_usd_per_chip=35_000)
        assert back["queries_per_day"] == pytest.approx(1e9, rel=1e-3)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: power.chip_to_site(0, 700), "chip_count must be above 0 chips, got 0"),
        (lambda: power.chip_to_site(8, 700, pue=0.9), "pue must be from 1 to 3 ×, got 0.9"),
        (lambda: power.pue_of(100, 90), "site_mw must be at least the IT power, got 90"),
        (lambda: money.capital_recovery(0.05, 0), "life_years must be from 0.25 to 60 years, got 0"),
        (lambda: money.ownership(1, operation_usd_per_gw_year=-1), "operation_usd_per_gw_year must be 0 USD or above, got -1"),
        (lambda: money.yearly_by_part([1, -2], 5, 0, 0.1), "capital_usd must be 0 USD or above, got -2"),
        (lambda: abilene(site_mw=1000), "site_mw must be at least the IT power, got 1000"),
        (lambda: abilene(usd_per_mwh=-5), "usd_per_mwh must be 0 USD or above, got -5"),
        (lambda: swings.flattening(10, 900, 500, 0.5, 1, usd_per_mwh=-1), "usd_per_mwh must be 0 USD/MWh or above, got -1"),
        (lambda: swings.flattening(10, 900, 500, 0.5, 1, floor_w=950), "floor_w must be between exchange_w and compute_w, got 950"),
        (lambda: power.site_to_chips(100, 700, pue=0.5), "pue must be from 1 to 3 ×, got 0.5"),
        (lambda: training.plan(1e20, 0, 1e15), "chips must be above 0 chips, got 0"),
        (lambda: money.capital_recovery(1.5, 5), "rate must be from 0 to 1 per year, got 1.5"),
        (lambda: swings.flattening(10, 500, 900, 0.5, 1), "exchange_w must be no more than compute_w, got 900"),
        (lambda: goodput.daly_efficiency(-1), "chips must be above 0 chips, got -1"),
        (lambda: training.plan(1e20, 8, 1e15, mfu=1.4), "mfu must be from 0.001 to 1, got 1.4"),
        (lambda: fleet.queries_within("space", 1, 1, 1, it_w_per_chip=1, capex_usd_per_chip=1), "limit must be power, capital or chips"),
    ],
)
def test_bad_input_gets_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        call()


def test_youngs_first_order_loss_is_marked_past_its_range():
    huge = goodput.daly_efficiency(500_000)
    assert huge["first_order_loss"] > 1 and not huge["in_range"] and 0 < huge["efficiency"] < 0.3
