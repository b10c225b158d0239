"""Restoring a cache against computing it again: a hand-worked row, the crossing point, and what records say of it."""

import hypothesis
import hypothesis.strategies as st
import pytest

from analytics.bench import record as records
from analytics.bench.operation import Case
from analytics.bench.restore import cache_bytes, crossover_tokens, recompute_flops, restore_or_recompute, times_s
from tests.analytics.bench.test_fit import made


def test_8192_tokens_of_an_8b_model_as_worked_by_hand():
    """8,192 x 131,072 B; 2 x 6.98e9 x 8,192 FLOPs of the layers' matrices and 2 x 32 x 128 x 2 x 33.6M x 32 of attention."""
    assert cache_bytes(8192) == 1_073_741_824
    pairs = 8192 * 8193 / 2
    assert recompute_flops(8192) == pytest.approx(2 * 6_979_321_856 * 8192 + 32 * 2 * 32 * 256 * pairs)
    restore, compute = times_s(8192, 52.8, 600.0)
    assert restore == pytest.approx(0.0203, rel=0.01)
    assert compute / restore == pytest.approx(10.8, rel=0.05)


@hypothesis.given(st.floats(0.01, 100), st.floats(0.1, 2000), st.floats(0, 1e-2))
def test_they_cross_once(link, rate, launch):
    at = crossover_tokens(link, rate, launch)
    if at is None:
        assert times_s(2**24, link, rate, launch)[0] >= times_s(2**24, link, rate, launch)[1]
        return
    assert times_s(at, link, rate, launch)[0] < times_s(at, link, rate, launch)[1]
    assert at == 1 or times_s(at - 1, link, rate, launch)[0] >= times_s(at - 1, link, rate, launch)[1]


def ceiling(what, value):
    case = Case("ceiling", {"what": what, "when": "start"})
    row = records.blank(device_kind="cuda", device="made up GPU", op="ceiling", params=dict(case.params), status="ok", value_name=what)
    return row | {"value": value, "started_utc": "2026-01-01T00:00:00+00:00", "row_key": what}


def test_records_say_where_restoring_begins_to_pay():
    moved = made("kv.restore", {"blocks": 4096, "block_bytes": 65_536}, overhead_us=0.0, backend="gather-then-copy") | {"gb_per_s": 52.8}
    slow = made("kv.restore", {"blocks": 4096, "block_bytes": 4096}, overhead_us=0.0, backend="per-block") | {"gb_per_s": 2.0}
    (told,) = restore_or_recompute([moved, slow, ceiling("gemm_bf16_tflop_per_s", 600.0), ceiling("launch_floor_us", 1000.0)])
    assert (told["backend"], told["block_bytes"], told["restore_gb_per_s"]) == ("gather-then-copy", 65_536, 52.8)
    assert told["crossover_tokens"] == crossover_tokens(52.8, 600.0, 1e-3)
    assert 1 < told["crossover_tokens"] < 512 < told["contexts"][0]["recompute_per_restore"] * 512
    assert restore_or_recompute([moved]) == [] and restore_or_recompute([]) == []
