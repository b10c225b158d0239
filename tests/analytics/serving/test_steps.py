"""Step times obey physics: never beyond the roofline, monotone in what costs, and their parts add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analytics.serving as serving
from analytics.serving import Calibration, Deployment, Fleet, Layout, Precision, Workload
from analytics.serving.fleet import PARTS

CASES = {
    "Llama-3.1-8B": ("h100-sxm", Layout(), Precision.of("bf16")),
    "Llama-3.3-70B": ("h200-sxm", Layout(tensor=4), Precision.of("fp8")),
    "gpt-oss-120b": ("b200", Layout(), Precision.of("mxfp4")),
    "Llama-4-Maverick": ("gb200", Layout(data=4, expert=4), Precision.of("fp4")),
    "DeepSeek-V3": ("h800-sxm", Layout(data=32, expert=32), Precision.of("fp8_block", "bf16")),
    "DeepSeek-V3.2": ("h20", Layout(data=16, expert=16), Precision.of("fp8_block")),
    "Qwen3-Next-80B-A3B": ("mi300x", Layout(tensor=2), Precision.of("bf16")),
    "Gemma-3-27B": ("a100-sxm-80", Layout(tensor=2), Precision.of("bf16")),
    "Llama-3.1-405B": ("h200-sxm", Layout(tensor=4, pipeline=2), Precision.of("fp8")),
}
NAMES = list(CASES)
KERNELS_AT_FACE_VALUE = Calibration(layer_s=0, step_s=0, sequence_s=0, request_s=0, expert_skew=0)


@pytest.fixture(scope="module")
def fleet(shipped):
    deployments = [Deployment(shipped.shapes[name], shipped.chips[chip], layout, fmt) for name, (chip, layout, fmt) in CASES.items()]
    return Fleet(deployments, shipped.kernels, shipped.calibration)


@pytest.fixture(scope="module")
def bare(fleet, shipped):
    return Fleet(fleet.deployments, shipped.kernels, KERNELS_AT_FACE_VALUE)


which = st.integers(0, len(NAMES) - 1)
batches = st.integers(1, 4096)
contexts = st.integers(16, 120_000)


@given(which, batches, contexts)
def test_parts_add_up_and_are_not_negative(fleet, i, batch, context):
    step = fleet.decode_step(i, batch, context)
    assert all(np.all(getattr(step, part) >= 0) for part in PARTS)
    assert step.total == pytest.approx(float(fleet.decode_step_s(i, batch, context)), rel=1e-6)
    assert str(step.bound()) in PARTS


@given(which, batches, st.integers(64, 60_000))
def test_nothing_beats_the_roofline(bare, i, batch, context):
    deployment = bare.deployments[i]
    shape, chip, layout = deployment.shape, deployment.chip, deployment.layout
    rank = batch / layout.data / layout.pipeline
    if rank < 1:
        return
    cache = float(bare.kv_bytes_per_sequence(i, context)) * rank
    if shape.local_layers or shape.index_topk or layout.pipeline > 1:
        cache = 0.0  # reads less than it holds
    hit = float(shape.distinct_experts(batch / layout.pipeline)) / max(shape.experts, 1)
    experts = shape.moe_layers * shape.experts * shape.expert_params * deployment.precision.bytes_of("experts") / layout.stage_chips * hit
    floor = (cache + experts) / chip.memory_bandwidth
    flops = 2 * (shape.active_params_without_input_embedding - shape.router_params) * batch / layout.pipeline / layout.stage_chips
    floor = max(floor, flops / max(chip.peak_flops.values()))
    assert bare.decode_step_s(i, batch, context) >= floor * 0.97  # curves are interpolated


@given(which, batches, contexts)
def test_more_work_takes_longer(fleet, i, batch, context):
    base = fleet.decode_step_s(i, batch, context)
    assert fleet.decode_step_s(i, batch * 2, context) >= base * 0.93  # measured kernels are not monotone to the percent
    if not fleet.deployments[i].shape.chunked:
        assert fleet.decode_step_s(i, batch, context * 2) >= base * 0.97


@given(which, batches, st.integers(16, 60_000), st.sampled_from([1.25, 2.0, 10.0]))
@settings(max_examples=30)
def test_more_bandwidth_is_never_slower(shipped, fleet, i, batch, context, factor):
    import dataclasses

    slow = fleet.deployments[i]
    fast = dataclasses.replace(slow, chip=dataclasses.replace(slow.chip, memory_bandwidth=slow.chip.memory_bandwidth * factor))
    both = Fleet([slow, fast], shipped.kernels, shipped.calibration)
    assert both.decode_step_s(1, batch, context) <= both.decode_step_s(0, batch, context) * (1 + 1e-9)
    assert both.prefill_s(1, 1, context) <= both.prefill_s(0, 1, context) * (1 + 1e-9)


@given(which, st.integers(1, 500), st.integers(16, 30_000))
def test_a_cached_prefix_never_costs(fleet, i, new, cached):
    assert fleet.prefill_s(i, 1, new + cached, cached) <= fleet.prefill_s(i, 1, new + cached) * (1 + 1e-9)


@given(which, st.integers(100, 100_000))
def test_splitting_a_batch_never_helps_memory(fleet, i, context):
    largest = float(fleet.largest_batch(i, context))
    assert largest % fleet.data[i] == 0
    assert fleet.largest_batch(i, context + 1) <= largest
    assert fleet.largest_batch(i, 2 * context) * 2 <= largest * 2.0 + fleet.data[i]


def test_narrower_values_take_their_share_of_the_time(shipped):
    """Decode attention reads keys and values: at equal key width, values of half the width save a quarter of the bytes."""
    import dataclasses

    wide = shipped.shapes["Llama-3.1-8B"]
    narrow = dataclasses.replace(wide, value_dim=wide.head_dim // 2)
    assert wide.kv_bytes_per_token() == narrow.kv_bytes_per_token() * 4 / 3
    both = Fleet(
        [Deployment(shape, shipped.chips["h100-sxm"], Layout(), Precision.of("bf16")) for shape in (wide, narrow)],
        shipped.kernels,
        KERNELS_AT_FACE_VALUE,
    )
    step = both.decode_step(np.array([0, 1]), 64, 8192)
    assert step.kv[1] / step.kv[0] == pytest.approx(0.75, rel=1e-3)


def test_router_logits_are_small_beside_a_step(fleet):
    """What is left out between the products, the router's logits written and read in fp32, is under 0.3 % of a step of any model here."""
    for i, deployment in enumerate(fleet.deployments):
        shape, ranks = deployment.shape, deployment.layout.data
        tokens = np.array([1.0, 64.0, 1024.0])  # of a rank
        left_out = shape.moe_layers * shape.experts * 4 * 2 * tokens / deployment.chip.memory_bandwidth
        assert np.all(left_out < 0.003 * fleet.decode_step_s(i, tokens * ranks, 1024)), shape.name


def test_everything_broadcasts(fleet):
    result = serving.evaluate(fleet, np.arange(3)[:, None], np.array([1, 8, 64, 512]), Workload(1000, 100))
    assert result.decode_step_s.shape == (3, 4)
    assert result.decode_step_s[1, 2] == pytest.approx(float(fleet.decode_step_s(1, 64, 1050)))
    assert np.all(np.isnan(result.output_tokens_per_s_per_chip) == ~result.fits)


def test_many_at_once_are_the_same_as_one_by_one(fleet):
    rng = np.random.default_rng(3)
    which, batch, inputs = rng.integers(0, len(NAMES), (40, 25)), rng.integers(1, 600, (40, 25)), rng.integers(16, 9000, (40, 25))
    many = serving.evaluate_many(fleet, which, batch, Workload(inputs, 300), threads=2, block=64)
    once = serving.evaluate(fleet, which, batch, Workload(inputs, 300))
    assert np.array_equal(many.decode_step_s, once.decode_step_s)
    assert np.array_equal(many.output_tokens_per_s_per_chip, once.output_tokens_per_s_per_chip, equal_nan=True)


def test_units_scale(shipped, fleet):
    """Twice the clock of everything halves kernel time: peaks, bandwidth and links doubled."""
    import dataclasses

    slow = fleet.deployments[1]
    chip = slow.chip
    fast = dataclasses.replace(
        chip,
        peak_flops={name: 2 * value for name, value in chip.peak_flops.items()},
        memory_bandwidth=2 * chip.memory_bandwidth,
        scale_up=2 * chip.scale_up,
        scale_out=2 * chip.scale_out,
    )
    both = Fleet([slow, dataclasses.replace(slow, chip=fast)], shipped.kernels, KERNELS_AT_FACE_VALUE)
    assert both.decode_step_s(1, 64, 4000) * 2 == pytest.approx(float(both.decode_step_s(0, 64, 4000)), rel=1e-6)
    assert both.prefill_s(1, 4, 4000) * 2 == pytest.approx(float(both.prefill_s(0, 4, 4000)), rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((0, 10), "input_tokens must be from 1"), ((10, -1), "output_tokens must be from 1"), ((10, 10, 10), "cached_tokens must be fewer")],
)
def test_workloads_that_cannot_be(arguments, says):
    with pytest.raises(ValueError, match=says):
        Workload(*arguments)


@pytest.mark.parametrize("batch", [0, -3, float("nan"), [1, 0]])
def test_batches_that_cannot_be(fleet, batch):
    with pytest.raises(ValueError, match="batch must be from 1"):
        serving.evaluate(fleet, 0, batch, Workload(10, 10))
