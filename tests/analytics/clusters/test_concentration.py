import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.clusters.concentration import herfindahl, largest_share

amounts = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=30)


def test_equal_holdings_give_one_over_n():
    assert herfindahl([5, 5, 5, 5]) == pytest.approx(0.25)
    assert largest_share([5, 5, 5, 5, 5], 4) == pytest.approx(0.8)


def test_one_holder_has_everything():
    assert herfindahl([3, 0, 0]) == 1
    assert largest_share([3], 4) == 1


@given(amounts, st.floats(0.1, 1000))
def test_the_unit_does_not_matter_and_bounds_hold(values, scale):
    index = herfindahl(values)
    assert 1 / len(values) - 1e-9 <= index <= 1 + 1e-9
    assert herfindahl([v * scale for v in values]) == pytest.approx(index)
    assert largest_share(values, 4) >= largest_share(values, 1) - 1e-12


@pytest.mark.parametrize("bad", [[-1, 2], [0, 0], [float("nan")]])
def test_impossible_holdings_get_a_sentence(bad):
    with pytest.raises(ValueError, match="holdings must"):
        herfindahl(bad)
