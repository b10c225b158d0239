"""DeepSeek's disclosed day and the rent of a token."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.provider import (
    DEEPSEEK_DAY,
    DEEPSEEK_DISCLOSED,
    day_account,
    gross_margin,
    nodes_needed,
    profit_over_cost,
    rented_usd_per_mtok,
)

# DeepSeek, V3/R1 inference system overview, day 6 (1 March 2025): tokens rounded to billions, so revenue is off by 0.013 %.
R1_PRICES = {"hit_usd_per_mtok": 0.14, "miss_usd_per_mtok": 0.55, "output_usd_per_mtok": 2.19}


def test_the_disclosed_day():
    account = day_account(DEEPSEEK_DAY, 2.0, **R1_PRICES)
    assert account.cost_usd == DEEPSEEK_DISCLOSED["cost_usd"] == 87_072
    assert account.revenue_usd == pytest.approx(562_100, rel=1e-6)
    assert account.revenue_usd == pytest.approx(DEEPSEEK_DISCLOSED["revenue_usd"], rel=2e-4)
    assert account.profit_over_cost == pytest.approx(5.455, abs=1e-3)
    assert account.gross_margin == pytest.approx(0.845, abs=5e-4)
    assert account.cost_usd_per_output_mtok == pytest.approx(0.518, abs=5e-4)
    assert account.cost_usd_per_mtok == pytest.approx(0.112, abs=5e-4)


def test_the_same_day_at_v3_prices():
    account = day_account(DEEPSEEK_DAY, 2.0, 0.07, 0.27, 1.10)
    assert account.revenue_usd == pytest.approx(280_560) and account.profit_over_cost == pytest.approx(2.22, abs=5e-3)


def test_nodes_and_cache_share_agree_with_the_disclosure():
    prefill, decode = nodes_needed(DEEPSEEK_DAY, 73_700, 14_800)
    assert prefill == pytest.approx(95.5, abs=0.05) and decode == pytest.approx(131.4, abs=0.05)
    assert prefill + decode == pytest.approx(226.75, rel=1e-3)
    assert DEEPSEEK_DAY.hit_mtok / DEEPSEEK_DAY.input_mtok == pytest.approx(0.563, abs=1e-3)


def test_rent_of_a_token():
    # Eight H100 at $16 an hour: 30 cents a million at 14,800 tok/s, $4.44 at 1,000.
    assert rented_usd_per_mtok(16, np.array([14_800, 1_000])) == pytest.approx([0.300, 4.44], rel=2e-3)


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_margin_and_profit_over_cost_are_one_fact(price, cost):
    assert 1 / (1 - gross_margin(price, cost)) == pytest.approx(1 + profit_over_cost(price, cost), rel=1e-6)


def test_nothing_billed_or_a_share_above_one_is_refused():
    with pytest.raises(ValueError, match=r"paid share must be in \(0, 1\], got 0"):
        day_account(DEEPSEEK_DAY, 2.0, **R1_PRICES, paid_share=0.0)
    with pytest.raises(ValueError, match=r"paid share must be in \[0, 1\], got 1.2"):
        day_account(DEEPSEEK_DAY, 2.0, **R1_PRICES, paid_share=1.2)
    with pytest.raises(ValueError, match="rent must be above 0, got -2"):
        day_account(DEEPSEEK_DAY, -2.0, **R1_PRICES)
