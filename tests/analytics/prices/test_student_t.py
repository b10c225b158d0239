"""Student's t against printed tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.student_t import central_probability, critical_value, two_sided_p


# NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2 (upper critical values).
@pytest.mark.parametrize(
    ("degrees", "level", "value"),
    [(1, 0.90, 6.314), (2, 0.90, 2.920), (3, 0.95, 3.182), (7, 0.90, 1.895), (8, 0.95, 2.306), (30, 0.95, 2.042), (100, 0.99, 2.626)],
)
def test_critical_values(degrees, level, value):
    assert critical_value(level, degrees) == pytest.approx(value, abs=6e-4)


@given(st.floats(0, 50), st.integers(1, 400))
def test_probability_is_a_probability_and_p_its_rest(t, degrees):
    inside = central_probability(t, degrees)
    assert 0 <= inside <= 1 + 1e-12
    assert two_sided_p(t, degrees) == pytest.approx(1 - inside, abs=1e-12)


@given(st.floats(0.01, 0.99), st.integers(1, 300))
def test_critical_value_inverts(level, degrees):
    assert central_probability(critical_value(level, degrees), degrees) == pytest.approx(level, abs=1e-9)


def test_refusals():
    with pytest.raises(ValueError, match="degrees of freedom must be 1 or more, got 0"):
        central_probability(1, 0)
    with pytest.raises(ValueError, match=r"level must be in \(0, 1\), got 1"):
        critical_value(1, 3)
