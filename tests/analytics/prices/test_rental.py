"""Payback, depreciation and rent per unit of performance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.prices.rental import (
    electricity_usd_per_gpu_hour,
    implied_depreciation_per_year,
    months_to_payback,
    usd_per_pflop_per_s_hour,
    usd_per_tb_per_s_hour,
)


def test_payback_of_an_h100_by_hand():
    # $250,000 for a server of eight, $2 an hour, always rented: 31,250 / (2 x 730.5) months.
    assert months_to_payback(250_000 / 8, 2.0) == pytest.approx(21.39, abs=0.01)
    assert months_to_payback(250_000 / 8, 2.0, utilisation=0.5) == pytest.approx(42.78, abs=0.01)


def test_rent_below_running_cost_never_pays_back():
    assert months_to_payback(30_000, [0.05, 2.0], operating_usd_per_gpu_hour=0.1).tolist()[0] == np.inf


@given(st.floats(100, 1e5), st.floats(0.1, 50), st.floats(0.05, 1), st.floats(0, 0.5))
def test_more_use_never_pays_back_later(capital, rent, used, running):
    assert months_to_payback(capital, rent, operating_usd_per_gpu_hour=running) <= months_to_payback(
        capital, rent, utilisation=used, operating_usd_per_gpu_hour=running
    )


def test_depreciation_between_two_rents():
    assert implied_depreciation_per_year(8.0, 2.0, 2.0) == pytest.approx(0.5)
    assert implied_depreciation_per_year(1.70, 2.35, 5 / 12) < 0


def test_rent_per_performance_of_an_h100():
    # H100 SXM: 989.4 dense BF16 TFLOP/s, 3,350 GB/s (NVIDIA datasheet).
    assert usd_per_pflop_per_s_hour(2.0, 989.4) == pytest.approx(2.021, abs=1e-3)
    assert usd_per_tb_per_s_hour(2.0, 3350) == pytest.approx(0.597, abs=1e-3)
    assert electricity_usd_per_gpu_hour(1.4, 1.25, 0.08) == pytest.approx(0.14)


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"utilisation": 1.2}, r"utilisation must be in \(0, 1\], got 1.2"),
        ({"operating_usd_per_gpu_hour": -1}, "running cost must be 0 or more"),
    ],
)
def test_refusals(kwargs, words):
    with pytest.raises(ValueError, match=words):
        months_to_payback(30_000, 2.0, **kwargs)
