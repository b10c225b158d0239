"""Constant elasticities by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.demand import demand_outcome, implied_elasticity


def test_a_tenfold_fall_at_elasticity_three_halves():
    out = demand_outcome(0.1, 1.5, tokens_per_gpu_hour_gain=10, capacity_ratio=2, supply_elasticity=2)
    assert out.tokens == pytest.approx(31.62, rel=1e-3) and out.spending == pytest.approx(3.162, rel=1e-3)
    assert out.gpu_hours == pytest.approx(3.162, rel=1e-3) and out.rent == pytest.approx(1.257, rel=1e-3)


def test_one_is_the_divide():
    spend = demand_outcome(0.1, np.array([0.5, 1.0, 1.5])).spending
    assert spend[0] < 1 and spend[1] == pytest.approx(1) and spend[2] > 1


def test_growth_of_googles_tokens():
    # 9.7T tokens a month in May 2024, 480T in May 2025, 3,200T in May 2026 (company statements), with prices falling tenfold a year.
    assert implied_elasticity(480 / 9.7, 0.1) == pytest.approx(1.69, abs=0.01)
    assert implied_elasticity(3200 / 480, 0.1) == pytest.approx(0.82, abs=0.01)


@given(st.floats(0.01, 0.99), st.floats(0, 5))
def test_implied_elasticity_inverts_demand(price, elasticity):
    assert implied_elasticity(demand_outcome(price, elasticity).tokens, price) == pytest.approx(elasticity, abs=1e-6)


def test_refusals():
    with pytest.raises(ValueError, match="price ratio must be above 0, got 0"):
        demand_outcome(0, 1)
    with pytest.raises(ValueError, match="elasticity of demand must be 0 or more, got -1"):
        demand_outcome(0.5, -1)
