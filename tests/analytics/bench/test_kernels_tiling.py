"""Tiles and splits chosen on the host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.bench.kernels.tiling import MAX_SPLITS, MIN_TILES_PER_SPLIT, choose_splits, gqa_tiling, mla_tiling


def test_a_tile_has_room_for_the_group_and_at_least_the_smallest_matrix_row():
    for group in range(1, 65):
        assert gqa_tiling(group, 128, 2).rows >= max(16, group)
    assert mla_tiling(16).rows == 16 and mla_tiling(32).rows == 32 and mla_tiling(128).rows == 64
    assert [mla_tiling(heads, 1).rows for heads in (4, 16, 32, 128)] == [16, 16, 32, 32]  # 64 rows over an fp8 cache spill in their loop


def test_a_latent_step_is_tiled_by_the_format_of_its_cache():
    torch = pytest.importorskip("torch")
    pytest.importorskip("triton")
    from analytics.bench.kernels.mla import MlaDecode

    q, cache = torch.zeros((1, 128, 576), dtype=torch.bfloat16), torch.zeros((1, 64, 576), dtype=torch.bfloat16)
    for held, element_bytes in ((cache, 2), (cache.to(torch.float8_e4m3fn), 1)):
        assert MlaDecode(q, held, torch.tensor([64]), 64, scale=1.0).tiling == mla_tiling(128, element_bytes)


@given(st.integers(1, 5000), st.integers(1, 200_000), st.integers(1, 200))
def test_splits_stay_in_bounds(programs, tokens, sms):
    tiling = gqa_tiling(4, 128, 2)
    splits = choose_splits(programs, tokens, tiling, sms)
    tiles = -(-tokens // tiling.tokens)
    assert 1 <= splits <= MAX_SPLITS
    assert splits == 1 or tiles // splits >= MIN_TILES_PER_SPLIT


def test_one_long_request_fills_the_chip_and_many_need_no_split():
    tiling = gqa_tiling(4, 128, 2)
    assert 8 * choose_splits(8, 131_072, tiling, 132) >= 132  # one request of 8 KV heads
    assert choose_splits(256 * 8, 1024, tiling, 132) == 1
