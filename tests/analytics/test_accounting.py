"""Exact vectors worked by hand from the published shapes (config.json of each model), and properties of the counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import accounting as acc


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (acc.gqa_kv_bytes_per_token(32, 8, 128), 131_072),  # Llama-3.1-8B
        (acc.gqa_kv_bytes_per_token(80, 8, 128), 327_680),  # Llama-3.1-70B
        (acc.gqa_kv_bytes_per_token(126, 8, 128), 516_096),  # Llama-3.1-405B
        (acc.gqa_kv_bytes_per_token(56, 8, 128), 229_376),  # Mixtral-8x22B
        (acc.gqa_kv_bytes_per_token(94, 4, 128), 192_512),  # Qwen3-235B-A22B
        (acc.mla_kv_bytes_per_token(61), 70_272),  # DeepSeek-V3, Kimi-K2
        (61 * acc.FLASHMLA_FP8_BYTES_PER_TOKEN_LAYER, 40_016),  # FlashMLA README: 656 bytes a token and layer
        (acc.mla_kv_bytes_per_token(27), 31_104),  # DeepSeek-V2-Lite
        (acc.gqa_kv_bytes_per_token(96, 96, 128), 4_718_592),  # GPT-3 175B, multi-head
        (acc.windowed_kv_bytes_per_sequence(8192, 128, 18, 18, 8, 64), 306_708_480),  # gpt-oss-120b
        (acc.windowed_kv_bytes_per_sequence(32768, 1024, 52, 10, 16, 128), 3_120_562_176),  # Gemma-3-27B
        (acc.windowed_kv_bytes_per_sequence(131072, 8192, 36, 12, 8, 128), 7_650_410_496),  # Llama-4-Maverick
    ],
)
def test_kv_cache_of_published_shapes(got, want):
    assert got == want


@pytest.mark.parametrize(
    ("batch", "context", "heads", "kv_heads", "kv_bytes", "io_bytes", "flops", "flop_per_byte"),
    [
        (1, 1024, 32, 8, 4_194_304, 16_384, 16_777_216, 3.98),
        (32, 4096, 32, 8, 536_870_912, 524_288, 2_147_483_648, 4.0),
        (8, 32768, 64, 8, 1_073_741_824, 262_144, 8_589_934_592, 8.0),
        (16, 8192, 128, 8, 536_870_912, 1_048_576, 8_589_934_592, 16.0),
        (64, 2048, 32, 32, 2_147_483_648, 1_048_576, 2_147_483_648, 1.0),
        (64, 8192, 64, 1, 268_435_456, 2_097_152, 17_179_869_184, 63.5),
    ],
)
def test_decode_attention(batch, context, heads, kv_heads, kv_bytes, io_bytes, flops, flop_per_byte):
    kv = acc.decode_attention_kv_bytes(batch, context, kv_heads, 128)
    io = acc.decode_attention_io_bytes(batch, heads, 128)
    work = acc.decode_attention_flops(batch, context, heads, 128)
    assert (kv, io, work) == (kv_bytes, io_bytes, flops)
    assert work / (kv + io) == pytest.approx(flop_per_byte, rel=0.01)


def test_decode_attention_with_narrower_values():
    # DeepSeek-V3 as plain multi-head attention: 128 heads, keys 192 and values 128 wide, one sequence of 4,096 tokens in bf16.
    keys, values = 128 * 4096 * 192, 128 * 4096 * 128
    assert acc.decode_attention_kv_bytes(1, 4096, 128, 192, value_dim=128) == 2 * (keys + values)
    assert acc.decode_attention_io_bytes(1, 128, 192, value_dim=128) == 2 * 128 * (192 + 128)
    assert acc.decode_attention_flops(1, 4096, 128, 192, value_dim=128) == 2 * (keys + values)
    assert acc.decode_attention_flops(1, 4096, 128, 192, value_dim=192) == acc.decode_attention_flops(1, 4096, 128, 192)


@pytest.mark.parametrize(
    ("batch", "context", "heads", "kv_bytes", "io_bytes", "flops"),
    [(128, 4096, 128, 603_979_776, 35_651_584, 146_028_888_064), (64, 8192, 16, 603_979_776, 2_228_224, 18_253_611_008)],
)
def test_mla_decode(batch, context, heads, kv_bytes, io_bytes, flops):
    assert acc.mla_decode_kv_bytes(batch, context) == kv_bytes
    assert acc.mla_decode_io_bytes(batch, heads) == io_bytes
    assert acc.mla_decode_flops(batch, context, heads) == flops


def test_prefill_counts_the_causal_half_exactly():
    assert acc.prefill_attention_flops(1, 8192, 32, 128) == 549_822_922_752


def test_gemm():
    assert (acc.gemm_bytes(8192, 8192, 8192), acc.gemm_flops(8192, 8192, 8192)) == (402_653_184, 1_099_511_627_776)
    assert np.array_equal(acc.gemm_bytes([1, 256], 14336, 4096), [117_477_376, 126_877_696])
    assert np.array_equal(acc.gemm_flops([1, 256], 14336, 4096), [117_440_512, 30_064_771_072])


def test_distinct_experts_of_deepseek_v3_and_mixtral():
    assert acc.distinct_experts([1, 8, 32, 128], 256, 8) == pytest.approx([8.00, 57.42, 163.31, 251.60], abs=0.01)
    assert acc.distinct_experts([4, 8, 16], 8, 2) == pytest.approx([5.47, 7.2, 7.92], abs=0.01)
    assert acc.distinct_experts(3, 4, 4) == pytest.approx(4)


def test_sequences_of_llama_8b_that_fit():
    # 0.95 of the memory, 1 GiB held back, weights 16,060,522,496 B: H100 with 78 GiB free, H200 with 139 GiB
    per_token = acc.gqa_kv_bytes_per_token(32, 8, 128)
    fits = acc.sequences_that_fit(np.array([[78], [139]]) * acc.GIB, 16_060_522_496, np.array([4096, 32768]) * per_token)
    assert fits.tolist() == [[116, 14], [232, 29]]


def test_memory_operations_and_wire():
    assert [acc.memory_bytes_moved(op, 10) for op in ("read", "write", "copy", "triad")] == [10, 10, 20, 30]
    assert acc.kv_append_bytes(4, 1024, 2, 1) == 4 * 1024 * 3
    assert acc.all_reduce_wire_bytes(1000, 4) == 1500
    assert acc.all_gather_wire_bytes(1000, 4) == 750
    assert acc.all_reduce_wire_bytes(1000, 1) == 0
    assert acc.all_to_all_wire_bytes(10, 8, 1, 7168) == 0
    assert acc.distinct_destinations(8, 8) == pytest.approx(8 * (1 - (7 / 8) ** 8))
    with pytest.raises(ValueError, match="'move'.*read, write, copy, triad"):
        acc.memory_bytes_moved("move", 1)


sizes = st.integers(1, 5000)


@given(sizes, sizes, sizes)
def test_attended_pairs_are_the_sum_over_rows(new, past, window):
    rows = np.minimum(past + np.arange(1, new + 1), window).sum()
    assert acc.attended_pairs(new, past, window) == rows


@given(sizes, sizes, st.integers(1, 64))
def test_attention_is_linear_in_batch_and_additive(batch, context, heads):
    one, two = acc.decode_attention_kv_bytes(batch, context, heads, 64), acc.decode_attention_kv_bytes(1, context, heads, 64)
    assert one == batch * two
    assert acc.decode_attention_kv_bytes(batch, context, heads, 64, kv_bytes=1) * 2 == one
    assert acc.decode_attention_kv_bytes(batch, context, heads, 64, window=128) <= one


@given(sizes, st.integers(1, 512), st.integers(1, 16))
def test_experts_hit_never_exceed_experts_or_choices(tokens, experts, top_k):
    top_k = min(top_k, experts)
    hit = acc.distinct_experts(tokens, experts, top_k)
    assert top_k * (1 - 1e-9) <= hit <= min(experts, tokens * top_k) * (1 + 1e-9)


@given(sizes, st.integers(1, 9000))
def test_chunk_and_page_bounds(context, size):
    assert 1 <= acc.chunk_tokens_held(context, size) <= min(context, size)
    assert context <= acc.paged_tokens(context, size) < context + size
