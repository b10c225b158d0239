"""Split-KV decode for multi-head latent attention with absorbed projections (DeepSeek-V2/V3 shapes: latent 512, rope 64), paged.

The tile of latents is loaded once and serves as keys and as values; reading it twice would double the traffic.
"""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl

from analytics.bench.kernels.decode import LOG2_E, combine, token_rows
from analytics.bench.kernels.tiling import Tiling, choose_splits, mla_tiling


@triton.jit
def attend_latent(q_latent, q_rope, latent, rope, scale_log2, keep, acc, top, total, DT: tl.constexpr):
    """One tile of online softmax in base 2 where the values are the latents of the keys."""
    scores = tl.dot(q_latent, tl.trans(latent))
    scores = tl.dot(q_rope, tl.trans(rope), scores) * scale_log2
    scores = tl.where(keep[None, :], scores, float("-inf"))
    new_top = tl.maximum(top, tl.max(scores, 1))
    rescale = tl.exp2(top - new_top)
    weights = tl.exp2(scores - new_top[:, None])
    total = total * rescale + tl.sum(weights, 1)
    acc = acc * rescale[:, None] + tl.dot(weights.to(DT), latent)
    return acc, new_top, total


@triton.jit
def mla_split_kernel(
    q_ptr,
    cache_ptr,
    table_ptr,
    lengths_ptr,
    out_ptr,
    part_ptr,
    lse_ptr,
    scale_log2,
    cache_scale,
    heads,
    stride_page,
    stride_token,
    stride_table,
    ROWS: tl.constexpr,
    C: tl.constexpr,
    R: tl.constexpr,
    BN: tl.constexpr,
    PAGE: tl.constexpr,
    SPLITS: tl.constexpr,
    EVEN: tl.constexpr,
    DT: tl.constexpr,
):
    """Grid (batch, head blocks, splits). q is [B, H, C + R], the cache [pages, page, C + R], out [B, H, C]."""
    batch = tl.program_id(0)
    split = tl.program_id(2)
    row = tl.program_id(1) * ROWS + tl.arange(0, ROWS)
    wide = tl.arange(0, C)
    narrow = C + tl.arange(0, R)
    tile = tl.arange(0, BN)
    one_page: tl.constexpr = PAGE > 0 and PAGE % BN == 0

    length = tl.load(lengths_ptr + batch)
    tiles = tl.cdiv(length, BN)
    per_split = tl.cdiv(tiles, SPLITS)
    low = split * per_split * BN
    high = tl.minimum(low + per_split * BN, length)

    in_heads = row < heads
    first_row = batch.to(tl.int64) * heads
    q_row = q_ptr + first_row * (C + R) + row[:, None] * (C + R)
    if EVEN:  # no row is padding: no masks, which would cost registers
        q_latent = tl.load(q_row + wide[None, :]).to(DT)
        q_rope = tl.load(q_row + narrow[None, :]).to(DT)
    else:
        q_latent = tl.load(q_row + wide[None, :], mask=in_heads[:, None], other=0.0).to(DT)
        q_rope = tl.load(q_row + narrow[None, :], mask=in_heads[:, None], other=0.0).to(DT)
    table = table_ptr + batch.to(tl.int64) * stride_table

    acc = tl.zeros([ROWS, C], dtype=tl.float32)
    top = tl.full([ROWS], float("-inf"), dtype=tl.float32)
    total = tl.zeros([ROWS], dtype=tl.float32)
    # One loop, no peeled tail: the tile of latents fills the registers, and a second copy of the body makes them spill. Tokens past the
    # end are read again from the last one, so that whatever an unfinished page holds cannot enter, and their scores are masked.
    for n in range(low, high, BN):
        offsets = n + tile
        keep = offsets < high
        safe = tl.minimum(offsets, high - 1)
        if one_page:  # one base for the tile and 32-bit offsets in it: registers are what this kernel is short of
            base = cache_ptr + tl.load(table + n // PAGE).to(tl.int64) * stride_page
            at = safe % PAGE * stride_token
        else:
            base = cache_ptr
            at = token_rows(table, n, safe, keep, batch, stride_page, stride_token, PAGE, False, False)
        latent = tl.load(base + at[:, None] + wide[None, :], eviction_policy="evict_first").to(DT)
        rope = tl.load(base + at[:, None] + narrow[None, :], eviction_policy="evict_first").to(DT)
        acc, top, total = attend_latent(q_latent, q_rope, latent, rope, scale_log2, keep, acc, top, total, DT)

    some = total > 0.0
    acc = acc * (cache_scale / tl.where(some, total, 1.0))[:, None]
    if SPLITS == 1 and EVEN:
        tl.store(out_ptr + first_row * C + row[:, None] * C + wide[None, :], acc.to(out_ptr.dtype.element_ty))
    elif SPLITS == 1:
        tl.store(out_ptr + first_row * C + row[:, None] * C + wide[None, :], acc.to(out_ptr.dtype.element_ty), mask=in_heads[:, None])
    else:
        lse = tl.where(some, top + tl.log2(tl.where(some, total, 1.0)), float("-inf"))
        part = row * SPLITS + split
        tl.store(part_ptr + first_row * SPLITS * C + part[:, None] * C + wide[None, :], acc, mask=in_heads[:, None])
        tl.store(lse_ptr + first_row * SPLITS + part, lse, mask=in_heads)


class MlaDecode:
    """A prepared absorbed MLA decode step. `cache` is [pages, page, latent + rope] with a page table, or [B, S, latent + rope] without."""

    def __init__(
        self,
        q: Any,
        cache: Any,
        lengths: Any,
        longest: int,
        *,
        latent: int = 512,
        table: Any = None,
        page: int = 0,
        scale: float,
        cache_scale: float = 1.0,
        sm_count: int = 132,
        tiling: Tiling | None = None,
        splits: int | None = None,
        compute: Any = None,
    ):
        import torch

        batch, heads, width = q.shape
        self.tiling = tiling or mla_tiling(heads, cache.element_size())
        blocks = -(-heads // self.tiling.rows)
        self.splits = splits or choose_splits(batch * blocks, longest, self.tiling, sm_count)
        self.out = torch.empty((batch, heads, latent), dtype=q.dtype, device=q.device)
        self.part = torch.empty((batch, heads, self.splits, latent), dtype=torch.float32, device=q.device)
        self.lse = torch.empty((batch, heads, self.splits), dtype=torch.float32, device=q.device)
        self._latent = latent
        self._grid = (batch, blocks, self.splits)
        self._arguments = (
            q,
            cache,
            lengths if table is None else table,
            lengths,
            self.out,
            self.part,
            self.lse,
            scale * cache_scale * LOG2_E,
            cache_scale,
            heads,
            cache.stride(0),
            cache.stride(1),
            0 if table is None else table.stride(0),
        )
        self._constants = {
            "ROWS": self.tiling.rows,
            "C": latent,
            "R": width - latent,
            "BN": self.tiling.tokens,
            "PAGE": 0 if table is None else page,
            "SPLITS": self.splits,
            "EVEN": heads % self.tiling.rows == 0,
            "DT": compute or tl.bfloat16,
            "num_warps": self.tiling.warps,
            "num_stages": self.tiling.stages,
        }

    def __call__(self) -> Any:
        mla_split_kernel[self._grid](*self._arguments, **self._constants)
        if self.splits > 1:
            combine(self.part, self.lse, self.out, self.splits, self._latent)
        return self.out
