"""Worked examples of serving cost, conservation of a split cost, and hosting against an API."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.provider import DEEPSEEK_DAY, day_account, nodes_needed
from analytics.prices.subscription import plan_account
from analytics.serving import money

FLAT = np.ones(24)


def test_sixteen_dollars_an_hour():
    # Eight H100 at $2; 14,800 tokens/s is DeepSeek's disclosed decode rate of a node, 1,000 a poor one.
    per_gpu = np.array([14_800, 1_000]) / 8
    np.testing.assert_allclose(money.output_cost_usd_per_mtok(2.0, per_gpu, 1.0), [0.3003, 4.444], rtol=1e-3)


def test_deepseek_day_six():
    # DeepSeek, inference system overview of 1 March 2025: $87,072 a day and 545 % profit over cost.
    day = day_account(DEEPSEEK_DAY, 2.0, 0.14, 0.55, 2.19)
    assert float(day.cost_usd) == 87_072
    assert float(day.profit_over_cost) == pytest.approx(5.455, rel=1e-3)
    assert float(day.gross_margin) == pytest.approx(0.845, rel=1e-3)
    all_on_output = money.token_costs(87_072, 266_000, 342_000, 168_000, money.split_weights("output"))
    assert float(all_on_output.output) == pytest.approx(0.518, rel=1e-3)
    assert float(all_on_output.input) == 0
    by_token = money.token_costs(87_072, 266_000, 342_000, 168_000, money.split_weights("tokens"))
    assert float(by_token.output) == pytest.approx(0.112, rel=2e-3)
    assert sum(nodes_needed(DEEPSEEK_DAY, 73_700, 14_800)) == pytest.approx(226.75, rel=1e-3)


def test_sglang_twenty_cents():
    # 22,300 tokens/s a node of eight H100 in decode: $0.20 a million output tokens (LMSYS, 5 May 2025), $2 a GPU-hour inferred.
    assert money.output_cost_usd_per_mtok(2.0, 22_300 / 8, 1.0) == pytest.approx(0.199, rel=5e-3)


def test_subscription_loses_on_a_heavy_tail():
    # Lognormal use, median 300: s = 1 costs $77.9 a month, s = 2 $349.1, at $0.1575 a query.
    account = plan_account(200.0, 0.1575, 300.0, np.array([1.0, 2.0]))
    np.testing.assert_allclose(account.cost_usd, [77.9, 349.1], rtol=1e-3)
    assert account.profit_usd[0] > 0 > account.profit_usd[1]


def test_an_answer_of_r1_at_list_price():
    assert money.answer_cost_usd(2_000, 1_000, 10_000, 0.55, 0.14, 2.19) == pytest.approx((1_000 * 0.55 + 1_000 * 0.14 + 21_900) / 1e6)


@given(
    total=st.floats(0.01, 1e9),
    tokens=st.tuples(*[st.floats(0, 1e6)] * 2, st.floats(1e-3, 1e6)),
    split=st.sampled_from(list(money.SPLITS)),
)
def test_a_split_cost_adds_up(total, tokens, split):
    weights = money.split_weights(split, 1e-5, 2e-3, 1e-7, (0.55, 0.14, 2.19))
    costs = money.token_costs(total, *tokens, weights)
    whole = sum(np.nan_to_num(c) * n for c, n in zip((costs.input, costs.cached_input, costs.output), tokens))
    assert whole == pytest.approx(total, rel=1e-9)


def test_power_and_energy():
    # 2,500 tok/s a GPU at 1.275 kW IT and PUE 1.2
    assert money.tokens_per_joule(2500, 1275, 1.2) == pytest.approx(1.634, rel=1e-3)
    assert money.tokens_per_s_per_mw(2500, 1275, 1.2) == pytest.approx(1_634_000, rel=1e-3)


def test_earnings_of_a_chip_hour():
    # DeepSeek, 24 h to 28 February 2025: 776B tokens for a theoretical $562,027 on 226.75 nodes of eight: $12.91 a chip-hour of rent $2.
    chips = 226.75 * 8
    earned = money.earned_usd_per_gpu_hour(776e9 / 86_400 / chips, 562_027 / 776_000, 1.0)
    assert earned == pytest.approx(12.91, abs=0.005)
    assert earned / 2.0 - 1 == pytest.approx(5.455, rel=1e-3)  # profit over cost, the disclosed 545 %


def test_electricity_is_the_price_of_the_joules():
    # 2,500 tok/s at 1,275 W and PUE 1.2 is 0.612 J a token; a million at 8 cents a kWh is 1.36 cents.
    assert money.electricity_usd_per_mtok(1275, 1.2, 2500, 0.08) == pytest.approx(0.0136)
    by_energy = 1e6 / money.tokens_per_joule(2500, 1275, 1.2) / 3.6e6 * 0.08
    assert money.electricity_usd_per_mtok(1275, 1.2, 2500, 0.08) == pytest.approx(by_energy)


def test_flat_load_breaks_even_at_the_bill_of_one_replica():
    # $16 an hour is $384 a day; at $1 a million that is 384 million tokens, within a replica's 864 million.
    hosting = money.hosting_against_api(3.84e8, FLAT, 10_000, 16, 1.0)
    assert float(hosting.self_usd) == pytest.approx(384)
    assert float(hosting.api_usd) == pytest.approx(384)
    assert float(hosting.break_even_tokens_per_day) == pytest.approx(3.84e8)
    assert float(hosting.utilisation) == pytest.approx(money.break_even_utilisation(2, 1250, 1.0), rel=1e-9)


def test_a_peaky_day_needs_idle_replicas():
    curve = np.where(np.arange(24) < 8, 1.0, 0.1)
    peak = money.hosting_against_api(2e9, curve, 10_000, 16, 1.0, "peak")
    hourly = money.hosting_against_api(2e9, curve, 10_000, 16, 1.0, "hourly")
    assert peak.self_usd > hourly.self_usd
    assert money.utilisation_of(curve) == pytest.approx((8 + 1.6) / 24)
    assert peak.utilisation <= money.utilisation_of(curve) + 1e-9


def test_hosting_that_never_pays():
    assert float(money.hosting_against_api(1e9, FLAT, 100, 16, 0.1).break_even_tokens_per_day) == np.inf


@given(
    curve=st.lists(st.floats(0, 1), min_size=24, max_size=24).filter(lambda c: sum(c) > 1e-3),
    rate=st.floats(10, 1e5),
    price=st.floats(0.05, 20),
    scaling=st.sampled_from(["peak", "hourly"]),
)
def test_break_even_is_the_least_volume_that_pays(curve, rate, price, scaling):
    at = float(money.hosting_against_api(1e6, curve, rate, 16, price, scaling).break_even_tokens_per_day)
    if at == np.inf:
        return
    there = money.hosting_against_api(at, curve, rate, 16, price, scaling)
    assert float(there.self_usd) <= float(there.api_usd) * (1 + 1e-6)
    below = money.hosting_against_api(at * np.linspace(0.01, 0.999, 50), curve, rate, 16, price, scaling)
    assert np.all(below.self_usd >= below.api_usd * (1 - 1e-6))


@given(seed=st.integers(0, 2**31), scaling=st.sampled_from(["peak", "hourly"]))
def test_many_hostings_are_the_same_as_one_by_one(seed, scaling):
    rng = np.random.default_rng(seed)
    volume, rate, rent, price = rng.uniform(1e6, 1e10, 8), rng.uniform(100, 1e5, 8), rng.uniform(1, 50, 8), rng.uniform(0.05, 20, 8)
    curve = rng.random(24)
    many = money.hosting_against_api(volume, curve, rate, rent, price, scaling)
    for i in range(8):
        one = money.hosting_against_api(volume[i], curve, rate[i], rent[i], price[i], scaling)
        for name in ("self_usd", "api_usd", "utilisation", "break_even_tokens_per_day"):
            assert float(getattr(many, name)[i]) == pytest.approx(float(getattr(one, name)))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: money.split_weights("magic"), "split must be one of"),
        (lambda: money.split_weights("time"), "above 0"),
        (lambda: money.token_costs(1, 1, 1, 0, money.split_weights("output")), "tokens that carry cost must be above 0"),
        (lambda: money.hosting_against_api(1e6, np.ones(23), 1, 1, 1), "24 values"),
        (lambda: money.hosting_against_api(0, FLAT, 1, 1, 1), "tokens per day must be above 0"),
        (lambda: money.hosting_against_api(1, FLAT, 1, 1, 1, "daily"), "peak or hourly"),
        (lambda: money.margin_at_price(1, 1, 1.4), "utilisation must be from"),
        (lambda: money.utilisation_of(np.zeros(24)), "peak must be above 0"),
        (lambda: money.utilisation_of([]), "peak must be above 0"),
        (lambda: money.hosting_against_api(1, [*FLAT[:23], float("nan")], 1, 1, 1), "load curve must be 0 or more"),
        (lambda: money.hosting_against_api(1, FLAT, float("inf"), 1, 1), "tokens per second of a replica must be above 0"),
        (lambda: money.hosting_against_api(1, FLAT, 1, -2, 1), "rent of a replica must be above 0, got -2"),
        (lambda: money.token_costs(1, -1, 0, 1, (1, 1, 1)), "input tokens must be 0 million or more, got -1"),
        (lambda: money.margin_at_price(1, 0), "price must be above 0, got 0"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(ValueError, match=said):
        call()
