"""Steady state, finite runs, limits, pools and critical sizes against published figures and against each other."""

import numpy as np
import pytest

from analytics import accounting
from analytics.serving import (
    Calibration,
    Deployment,
    Fleet,
    Layout,
    Precision,
    Workload,
    best_under_limits,
    critical_batch,
    critical_batch_moe,
    critical_context,
    disaggregated,
    replay,
    steady_state,
)
from analytics.serving.run import experts_read


@pytest.fixture(scope="module")
def fleet(shipped):
    made = [
        Deployment(shipped.shapes["Llama-3.3-70B"], shipped.chips["h200-sxm"], Layout(tensor=2), Precision.of("fp8")),
        Deployment(shipped.shapes["Qwen3-30B-A3B"], shipped.chips["b200"], Layout(), Precision.of("fp4")),
        Deployment(shipped.shapes["DeepSeek-R1-0528"], shipped.chips["b200"], Layout(data=4, expert=4), Precision.of("fp4")),
    ]
    return Fleet(made, shipped.kernels, shipped.calibration)


def test_a_long_run_reaches_the_steady_state(fleet):
    work = Workload(1024, 1024)
    batch = np.minimum(fleet.largest_batch([0, 1, 2], 2048), fleet.most_per_rank[[0, 1, 2]] * fleet.data[[0, 1, 2]])
    steady = steady_state(fleet, [0, 1, 2], batch, work)
    long_run = replay(fleet, [0, 1, 2], work, 200 * batch)
    ratio = long_run.output_tokens_per_s_per_chip / steady.output_tokens_per_s_per_chip
    assert ratio[:2] == pytest.approx(1, abs=0.06)
    assert 0.95 < ratio[2] < 1.2  # equal requests keep attention-data ranks in step, so their prefills coincide more than on average
    assert np.all(long_run.mean_batch <= batch + 1e-6)


def test_leaving_out_whole_fillings_changes_nothing(fleet, monkeypatch):
    import analytics.serving.finite_run as finite_run

    work = Workload(8192, 1024)
    quick = replay(fleet, [0, 1, 2], work, 3000)
    monkeypatch.setattr(finite_run, "_REPLAYED", 1e9)
    assert quick.seconds == pytest.approx(replay(fleet, [0, 1, 2], work, 3000).seconds, rel=0.02)


def test_filling_and_draining_cost_a_short_run(fleet):
    work = Workload(1000, 1000)
    rates = replay(fleet, 1, work, np.array([64.0, 512.0, 5120.0, 51200.0])).output_tokens_per_s_per_chip
    assert np.all(np.diff(rates) > 0)


def test_a_run_of_one_request_takes_prefill_and_its_steps(fleet):
    run = replay(fleet, 0, Workload(1000, 500), 1)
    alone = float(fleet.prefill_s(0, 1, 1000) + 500 * fleet.decode_step_s(0, 1, 1250))
    assert run.seconds[0] == pytest.approx(alone, rel=0.05)


def test_what_does_not_fit_is_a_result(shipped):
    too_big = Fleet(
        [Deployment(shipped.shapes["Llama-3.1-405B"], shipped.chips["l40s"], Layout(), Precision.of("bf16"))],
        shipped.kernels,
        Calibration(),
    )
    run = replay(too_big, 0, Workload(100, 100), 10)
    assert np.isnan(run.output_tokens_per_s_per_chip[0]) and run.largest_batch[0] == 0
    assert best_under_limits(too_big, 0, Workload(100, 100)) is None
    with pytest.raises(ValueError, match="requests must be at least 1"):
        replay(too_big, 0, Workload(100, 100), 0)


def test_limits_are_kept_and_cost_throughput(fleet):
    work = Workload(1024, 1024)
    free = best_under_limits(fleet, 0, work)
    tight = best_under_limits(fleet, 0, work, tpot_limit_s=0.03)
    assert tight.step_s <= 0.03 < free.step_s
    assert tight.output_tokens_per_s_per_chip < free.output_tokens_per_s_per_chip
    assert best_under_limits(fleet, 0, work, tpot_limit_s=1e-4) is None


def test_prompts_weigh_on_decoding(fleet):
    short, long = (steady_state(fleet, 0, 64, Workload(n, 512)) for n in (64, 8192))
    assert long.step_s > short.step_s
    assert long.prefill_share > short.prefill_share
    cached = steady_state(fleet, 0, 64, Workload(8192, 512, 8000))
    assert short.step_s < cached.step_s < long.step_s


def test_pools_are_slower_than_decode_alone_and_send_the_cache(fleet):
    pools = disaggregated(fleet, 2, 2, 512, Workload(4096, 1024), 8)
    decode = 512 / float(fleet.decode_step_s(2, 512, 4096 + 512)) / 4
    assert pools.output_tokens_per_s_per_chip < decode
    assert pools.transfer_s == pytest.approx(4096 * 61 * 576 / 50e9)  # fp8 latent over one 400 Gbit/s port
    assert pools.prefill_chips_per_decode_chip > 0


def test_critical_sizes_of_published_models(shipped):
    # 989 TFLOP/s over 3.35 TB/s in bf16 is 295 sequences; Llama-3.1-405B in fp8 on H100 the same (math and bytes both halve)
    assert critical_batch(989e12, 3.35e12, 2) == pytest.approx(295, abs=1)
    assert critical_batch(1979e12, 3.35e12, 1) == pytest.approx(295, abs=1)
    assert critical_batch(989e12, 4.8e12, 2) == pytest.approx(206, abs=1)
    assert critical_batch_moe(989e12, 3.35e12, 2, 256, 8) == pytest.approx(9440, rel=0.01)
    llama = shipped.shapes["Llama-3.1-70B"]
    assert critical_context(llama.total_params, 3.35e12, 989e12, llama.kv_bytes_per_token("bf16")) == pytest.approx(1460, rel=0.01)


def test_the_formula_of_experts_read_is_the_accounting_of_distinct_experts():
    tokens = np.array([1.0, 32, 512, 8192])
    np.testing.assert_allclose(experts_read(256, 8, tokens), accounting.distinct_experts(tokens, 256, 8), rtol=1e-9)
    assert experts_read(256, 8, 1) == pytest.approx(8)


def test_disclosed_throughput_of_deepseek(shipped):
    """DeepSeek profile data: EP128, 128 requests a GPU at 4K, 2324 tok/s per GPU; EP32 prefill of 4K prompts, 7839 tok/s per GPU."""
    constants = Calibration.from_rows(shipped.rows("serving_calibration"), "DeepSeek")
    shape, chip, fmt = shipped.shapes["DeepSeek-V3"], shipped.chips["h800-sxm"], Precision.of("fp8_block", "bf16")
    wide = Fleet([Deployment(shape, chip, Layout(data=n, expert=n), fmt) for n in (128, 32)], shipped.kernels, constants)
    decode = 128 / float(wide.decode_step_s(0, 128 * 128, 4096))
    assert decode == pytest.approx(2324, rel=0.25)
    prefill = 16384 * 32 / float(wide.prefill_s(1, 4 * 32, 4096)) / 32
    assert prefill == pytest.approx(7839, rel=0.25)
