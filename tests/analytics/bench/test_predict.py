"""The roofline with a launch term, and what a time may not beat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.bench.operation import Work
from analytics.bench.predict import Ceilings, Spec, impossible, predict

CARD = Ceilings("d", "s", {"read": 4.2e12, "copy": 4.0e12}, {"bf16": 790e12}, 3e-6)


def test_memory_bound_decode_step():
    """B=32, S=4096, 32/8/128: 537.4 MB; at 4.2 TB/s 127.95 us and a launch."""
    expected = predict(Work(536_870_912 + 524_288, 2_147_483_648, "read", "bf16"), CARD)
    assert expected.bound == "mem"
    assert expected.us == pytest.approx(127.95 + 3, abs=0.05)


def test_compute_bound_and_launch_bound():
    assert predict(Work(1e6, 1e12, "read", "bf16"), CARD).bound == "flop"
    assert predict(Work(1e3, 0, "read"), CARD).bound == "launch"


def test_without_a_ceiling_there_is_no_prediction():
    assert predict(Work(1e9, path="none", kernels=0), CARD) is None
    assert predict(Work(1e9, path="read"), Ceilings("d", "s")) is None


@given(st.floats(1, 1e12), st.floats(0, 1e15), st.floats(1.0, 10.0))
def test_more_work_is_never_faster_and_more_bandwidth_never_slower(size, flops, factor):
    base = predict(Work(size, flops, "read", "bf16"), CARD)
    assert predict(Work(size * factor, flops, "read", "bf16"), CARD).us >= base.us
    faster = Ceilings("d", "s", {"read": 4.2e12 * factor}, {"bf16": 790e12}, 3e-6)
    assert predict(Work(size, flops, "read", "bf16"), faster).us <= base.us
    assert base.us >= size / 4.2e12 * 1e6


def test_a_time_that_beats_the_vendor_is_impossible():
    spec = Spec(4.8e12, {"bf16": 989.4e12})
    work = Work(4.8e9, 5e11, "read", "bf16")
    assert impossible(1.0e-3 / 1.01, work, spec) is None
    assert "above the stated 4,800 GB/s" in impossible(1.0e-3 / 1.03, work, spec)
    assert "TFLOP/s is above" in impossible(1e-3, Work(1e6, 1.1e12, "read", "bf16"), spec)
    assert impossible(1e-9, work, Spec()) is None


def test_a_card_is_named_by_its_numbers():
    assert CARD.card_id == Ceilings("d", "s", {"read": 4.2e12, "copy": 4.0e12}, {"bf16": 790e12}, 3e-6).card_id
    assert CARD.card_id != Ceilings("d", "s", {"read": 4.3e12, "copy": 4.0e12}, {"bf16": 790e12}, 3e-6).card_id
