"""o1 at 60 against R1 at 2.19 as margin, architecture and host."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.factors import by_host_multiple, by_host_price, margin_factor


def test_twenty_seven_as_a_product():
    split = by_host_price(60, 2.19, 0.75, 7)
    assert split.ratio == pytest.approx(27.40, rel=1e-3)
    assert (float(split.margin), float(split.architecture), float(split.host)) == pytest.approx((4.0, 2.143, 3.196), rel=1e-3)
    assert split.log_shares == pytest.approx([0.419, 0.230, 0.351], abs=6e-4)
    assert margin_factor(0.8) == pytest.approx(5)


def test_reading_hosts_as_a_multiple_leaves_little_for_architecture():
    split = by_host_multiple(60, 2.19, np.array([[0.75], [0.8]]), np.array([5.0, 7.0]))
    assert (split.margin * split.host).min() == pytest.approx(20) and (split.margin * split.host).max() == pytest.approx(35)
    assert split.architecture.min() == pytest.approx(0.78, abs=0.01) and split.architecture.max() == pytest.approx(1.37, abs=0.01)
    # A host dearer than o1's own cost: a share below zero, so never a pie.
    assert split.log_shares.min() < 0


@given(st.floats(0.01, 1e3), st.floats(0.01, 1e3), st.floats(-2, 0.99), st.floats(0.01, 1e3))
def test_factors_multiply_to_the_ratio(dear, cheap, margin, host):
    split = by_host_price(dear, cheap, margin, host)
    assert split.margin * split.architecture * split.host == pytest.approx(split.ratio, rel=1e-9)
    if abs(np.log(split.ratio)) > 1e-6:
        assert split.log_shares.sum() == pytest.approx(1, abs=1e-6)


def test_refusals():
    with pytest.raises(ValueError, match="gross margin must be below 1, got 1"):
        by_host_price(60, 2.19, 1.0, 7)
    with pytest.raises(ValueError, match="host price must be above 0, got 0"):
        by_host_price(60, 2.19, 0.5, 0)
