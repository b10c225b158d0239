"""Metrics against published values, and the bit-width traps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.chips import metrics
from analytics.chips.facts import chip_facts, needed
from data import shipped

CHIPS = {row["chip_id"]: row for row in shipped.rows("chips")}


@pytest.mark.parametrize(
    ("chip_id", "tpp", "pd"),
    [
        ("h100-sxm", 15_824, 19.4),  # SemiAnalysis 2023-11-09, from 1,978 dense FP8 TFLOPS
        ("a100-sxm-80", 4_992, 6.04),  # widely published; 312 TFLOPS x 16
        ("h20", 2_368, 2.9),  # SemiAnalysis 2023-11-09; FT and TechPowerUp 2024-07
        ("l2", 1_544, 5.2),  # SemiAnalysis 2023-11-09
        ("rtx4090", 5_286, None),  # PC Gamer, October 2023
        ("mi250x", 6_128, None),  # Epoch AI hardware table, column TPP (CC BY 4.0)
        ("ascend-910b1", 6_400, None),  # 400 TFLOPS x 16 (vendor figure)
    ],
)
def test_published_performance_and_density(chip_id, tpp, pd):
    facts = chip_facts(CHIPS[chip_id])
    assert facts["tpp"] == pytest.approx(tpp, rel=0.002)
    if pd:
        assert facts["pd"] == pytest.approx(pd, rel=0.015)


def test_agrees_with_the_published_column_of_another_table():
    """Epoch AI hardware table (CC BY 4.0), snapshot of 2025-12-16; MI325X is rounded there to 2.6 PFLOPS."""
    import csv

    with open("tests/data/export_expected.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["epoch_tpp"]]
    assert len(rows) > 20
    for row in rows:
        assert chip_facts(CHIPS[row["chip_id"]])["tpp"] == pytest.approx(float(row["epoch_tpp"]), rel=0.007), row["chip_id"]


@pytest.mark.parametrize(
    ("chip_id", "leads"),
    [
        ("mi355x", "fp6_tflops_dense"),  # 6 bits at the 4-bit rate
        ("gaudi3", "bf16_tflops_dense"),  # 16 bits at the 8-bit rate
        ("b300", "fp4_tflops_dense"),  # dense FP4 is three times FP8
        ("p100-sxm2", "fp64_tflops"),
    ],
)
def test_the_precision_that_leads(chip_id, leads):
    assert metrics.leading_precision({n: float(CHIPS[chip_id][n] or "nan") for n in metrics.PRECISION_BITS}) == leads


def test_tf32_is_left_out():
    assert metrics.total_processing_performance({"tf32_tflops": 1e9, "bf16_tflops_dense": 312.0}) == 4992


def test_unknown_stays_unknown():
    assert np.isnan(metrics.total_processing_performance({}))
    assert np.isnan(metrics.total_processing_performance({"fp8_tflops_dense": np.nan}))
    facts = chip_facts(CHIPS["gaudi3"])
    assert facts["tpp"] == 26_848 and np.isnan(facts["pd"])
    assert needed(["pd"]) == "needs die area"
    assert needed(["tpp", "pd"]) == "needs a dense rate"
    assert needed([]) == ""


def test_negative_rates_are_refused():
    with pytest.raises(ValueError, match="fp8_tflops_dense must not be negative, got -1"):
        metrics.total_processing_performance({"fp8_tflops_dense": -1.0})


def test_a_sparse_figure_passed_as_dense_is_suspected():
    h100 = {"bf16_tflops_dense": 989.5, "fp8_tflops_dense": 1979.0, "int8_tops_dense": 1979.0}
    assert metrics.sparse_suspects(h100) == {}
    assert set(metrics.sparse_suspects(h100 | {"fp8_tflops_dense": 3958.0})) == {"fp8_tflops_dense"}
    assert set(metrics.sparse_suspects({"bf16_tflops_dense": 1979.0, "fp8_tflops_dense": 1979.0})) == {"bf16_tflops_dense"}
    b200 = {"bf16_tflops_dense": 2250.0, "fp8_tflops_dense": 4500.0}
    assert metrics.sparse_suspects(b200 | {"fp4_tflops_dense": 9000.0}) == {}
    assert set(metrics.sparse_suspects(b200 | {"fp4_tflops_dense": 18_000.0})) == {"fp4_tflops_dense"}
    assert metrics.sparse_suspects({"fp8_tflops_dense": 1979.0}) == {}  # no neighbour to compare with
    many = metrics.sparse_suspects(
        {"bf16_tflops_dense": np.array([989.5, 989.5, np.nan]), "fp8_tflops_dense": np.array([1979.0, 3958.0, 3958.0])}
    )
    np.testing.assert_array_equal(many["fp8_tflops_dense"], [False, True, False])


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(1, 1e4))
def test_performance_never_falls_when_a_rate_rises_and_density_scales(rate, more, area):
    before = metrics.total_processing_performance({"fp8_tflops_dense": rate, "fp4_tflops_dense": more})
    after = metrics.total_processing_performance({"fp8_tflops_dense": rate + 1, "fp4_tflops_dense": more})
    assert after >= before >= rate * 8
    assert metrics.performance_density(before, 2 * area) == pytest.approx(metrics.performance_density(before, area) / 2)


def test_arrays_broadcast_and_inputs_stay():
    rates = np.array([1.0, np.nan, 3.0])
    result = metrics.total_processing_performance({"fp8_tflops_dense": rates, "fp4_tflops_dense": 1.0})
    np.testing.assert_allclose(result, [8.0, 4.0, 24.0])
    assert np.isnan(rates[1])


def test_units_analysts_count_in():
    assert metrics.h100_equivalents(1000, 296, 1979) == pytest.approx(149.6, rel=1e-3)  # H20 by 8-bit rate: 0.15 of an H100
    assert metrics.cluster_flop_per_s(100_000, 989.5) == pytest.approx(9.895e19)  # just under the 1e20 reporting line of 2023
    assert metrics.io_bandwidth(900, 128) == 1028
    assert metrics.memory_bandwidth_density(819.2, 110) == pytest.approx(7.447, rel=1e-3)


def test_formulas_show_their_numbers():
    assert "296 TOPS × 8 bit = 2,368" in metrics.processing_performance.formula.text_with(dense_tops=296, bit_length=8).replace(
        "\u00a0", " "
    )
