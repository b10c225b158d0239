"""The efficiency table: what it holds, how it interpolates, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.serving import Deployment, Fleet, KernelTable, Layout, Precision
from analytics.serving.chips import REFERENCE_RATES
from analytics.serving.kernels import AXES


def point(rows, weights, fraction, **more):
    return {"op": "gemm", "chip_id": "x", "dtype": "bf16", "rows": rows, "weights": weights, "fraction": fraction, **more}


TABLE = KernelTable.from_rows([point(1, 2**20, 0.1), point(4, 2**20, 0.4), point(1, 2**22, 0.2), point(4, 2**22, 0.8)])
KEY = ("gemm", "x", "bf16")


def test_nodes_come_back_and_between_them_the_logarithm_is_linear():
    assert TABLE.fraction(KEY, rows=[1, 4], weights=2**20) == pytest.approx([0.1, 0.4])
    assert TABLE.fraction(KEY, rows=2, weights=2**20) == pytest.approx(0.2)
    assert TABLE.fraction(KEY, rows=2, weights=2**21) == pytest.approx((0.1 * 0.4 * 0.2 * 0.8) ** 0.25)


@given(st.floats(1e-3, 1e9), st.floats(1, 1e15))
def test_outside_the_grid_the_edge_holds(rows, weights):
    assert 0.1 * 0.999 <= TABLE.fraction(KEY, rows=rows, weights=weights) <= 0.8 * 1.001


def test_holes_are_filled_and_own_rows_win():
    holed = KernelTable.from_rows([point(1, 2**20, 0.1), point(16, 2**20, 0.4), point(4, 2**22, 0.5)])
    assert holed.fraction(KEY, rows=4, weights=2**20) == pytest.approx(0.2)  # along the curve
    assert holed.fraction(KEY, rows=1, weights=2**22) == pytest.approx(0.5)  # the nearest node
    own = KernelTable.from_rows([point(1, 2**20, 0.1)], own=[point(1, 2**20, 0.9, source="bench", version="1")])
    assert own.fraction(KEY, rows=1, weights=1) == pytest.approx(0.9)
    assert own.sources[KEY] == "bench 1"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (point(1, 1, 1.4), r"must be in \(0, 1\], got 1.4"),
        (point(1, 1, 0), r"got 0.0"),
        ({**point(1, 1, 0.5), "op": "gem"}, "op must be one of"),
    ],
)
def test_bad_rows_get_a_sentence(row, says):
    with pytest.raises(ValueError, match=says):
        KernelTable.from_rows([row])


def test_shipped_table_covers_every_operation_and_stays_small(shipped):
    assert {op for op, _, _ in shipped.kernels.grids} == set(AXES)
    assert {"a100-sxm-80", "h100-sxm", "h200-sxm", "b200", "gb200", "gb300", "l40s"} <= shipped.kernels.chips()


@pytest.mark.parametrize(
    ("op", "chip", "dtype", "axes", "published"),
    [
        # FlashMLA README: 660 TFLOP/s of 989 compute-bound on H800; the table is of another library on H100
        ("mla_decode", "h100-sxm", "bf16", {"streams": 128, "context": 8192, "group": 128}, 660 / 989),
        # aiconfigurator h200_sxm: batch 64, 64 KV heads of 64, context 2048, bf16 cache 0.5039 ms = 89 % of 4.8 TB/s
        ("attention_decode", "h200-sxm", "bf16", {"streams": 64 * 64, "context": 2048, "group": 1, "head_dim": 64}, 0.89),
        # MAMF table, stas00/ml-engineering: best bf16 product on H100 and H200 794.5 of 989 TFLOP/s
        ("gemm", "h200-sxm", "bf16", {"rows": 16384, "weights": 2**26}, 794.5 / 989),
    ],
)
def test_shipped_efficiencies_agree_with_other_publications(shipped, op, chip, dtype, axes, published):
    assert shipped.kernels.fraction((op, chip, dtype), **axes) == pytest.approx(published, rel=0.15)


def test_a_chip_without_measurements_borrows_and_says_so(shipped):
    assert shipped.kernels.key("gemm", "h800-sxm", "h100-sxm", "fp8") == ("gemm", "h100-sxm", "fp8")
    assert shipped.kernels.key("gemm", "a100-sxm-80", "a100-sxm-80", "fp8") == ("gemm", "a100-sxm-80", "bf16")
    assert np.all(shipped.kernels.fraction(("gemm", "b200", "nvfp4"), rows=[1, 64, 4096], weights=2**26) > 0)


def test_reference_rates_are_those_of_the_chips_table(shipped):
    for chip_id, (bandwidth, peaks) in REFERENCE_RATES.items():
        chip = shipped.chips[chip_id]
        assert bandwidth == pytest.approx(chip.memory_bandwidth)
        assert peaks == pytest.approx(dict(chip.peak_flops))


def test_a_chip_with_little_compute_is_not_punished_twice(shipped):
    """SGLang on H20 (InferSim README): Qwen3-30B-A3B prefill of 4K prompts in bf16, 16,594 tokens a second and GPU."""
    deployment = Deployment(shipped.shapes["Qwen3-30B-A3B"], shipped.chips["h20"], Layout(), Precision.of("bf16"))
    fleet = Fleet([deployment], shipped.kernels, shipped.calibration)
    assert 2 * 4096 / float(fleet.prefill_s(0, 2, 4096)) == pytest.approx(16_594, rel=0.25)
    assert any("measured on h200-sxm" in note for note in fleet.curves[0].kernels_from)
