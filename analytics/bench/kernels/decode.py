"""Split-KV decode attention for MHA, GQA and MQA: contiguous or paged cache, bf16 or fp8, with or without a window.

A program holds the query heads that share one KV head and reads its part of the cache once, in tiles; a second kernel merges the parts.
Without this packing every query head would read the cache again.
"""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl

from analytics.bench.kernels.tiling import Tiling, choose_splits, gqa_tiling

LOG2_E = 1.4426950408889634


@triton.jit
def attend(q, k, v, scale_log2, keep, acc, top, total, DT: tl.constexpr, MASKED: tl.constexpr):
    """One tile of online softmax in base 2: returns the new accumulator, running maximum and sum."""
    scores = tl.dot(q, tl.trans(k)) * scale_log2
    if MASKED:
        scores = tl.where(keep[None, :], scores, float("-inf"))
    new_top = tl.maximum(top, tl.max(scores, 1))
    rescale = tl.exp2(top - new_top)
    weights = tl.exp2(scores - new_top[:, None])
    total = total * rescale + tl.sum(weights, 1)
    acc = acc * rescale[:, None] + tl.dot(weights.to(DT), v)
    return acc, new_top, total


@triton.jit
def token_rows(table, n, offsets, keep, batch, stride_page, stride_token, PAGE: tl.constexpr, ONE_PAGE: tl.constexpr, MASKED: tl.constexpr):
    """Element offset of each token of a tile: through the page table, or straight where PAGE is 0."""
    if PAGE == 0:
        return batch.to(tl.int64) * stride_page + offsets.to(tl.int64) * stride_token
    if ONE_PAGE:
        page = tl.load(table + n // PAGE).to(tl.int64)
        return page * stride_page + (offsets % PAGE).to(tl.int64) * stride_token
    if MASKED:
        page = tl.load(table + offsets // PAGE, mask=keep, other=0).to(tl.int64)
    else:
        page = tl.load(table + offsets // PAGE).to(tl.int64)
    return page * stride_page + (offsets % PAGE).to(tl.int64) * stride_token


@triton.jit
def gqa_split_kernel(
    q_ptr,
    k_ptr,
    v_ptr,
    table_ptr,
    lengths_ptr,
    out_ptr,
    part_ptr,
    lse_ptr,
    scale_log2,
    v_scale,
    kv_heads,
    stride_page,
    stride_head,
    stride_token,
    stride_table,
    G: tl.constexpr,
    ROWS: tl.constexpr,
    D: tl.constexpr,
    BN: tl.constexpr,
    PAGE: tl.constexpr,
    WINDOW: tl.constexpr,
    SPLITS: tl.constexpr,
    DT: tl.constexpr,
):
    """Grid (batch, KV head * head blocks, splits). q and out are [B, H, D]; K and V share their strides."""
    batch = tl.program_id(0)
    blocks: tl.constexpr = (G + ROWS - 1) // ROWS
    kv_head = tl.program_id(1) // blocks
    split = tl.program_id(2)
    row = (tl.program_id(1) % blocks) * ROWS + tl.arange(0, ROWS)
    dim = tl.arange(0, D)
    tile = tl.arange(0, BN)
    one_page: tl.constexpr = PAGE > 0 and WINDOW == 0 and PAGE % BN == 0

    length = tl.load(lengths_ptr + batch)
    first = 0
    if WINDOW > 0:
        first = tl.maximum(length - WINDOW, 0)
    tiles = tl.cdiv(length - first, BN)
    per_split = tl.cdiv(tiles, SPLITS)
    low = first + split * per_split * BN
    high = tl.minimum(low + per_split * BN, length)
    full = low + tl.maximum(high - low, 0) // BN * BN

    head = kv_head * G + row
    row_offset = (batch * kv_heads * G + head).to(tl.int64)
    in_group = row < G
    q = tl.load(q_ptr + row_offset[:, None] * D + dim[None, :], mask=in_group[:, None], other=0.0).to(DT)
    table = table_ptr + batch.to(tl.int64) * stride_table
    k_head = k_ptr + kv_head.to(tl.int64) * stride_head
    v_head = v_ptr + kv_head.to(tl.int64) * stride_head

    acc = tl.zeros([ROWS, D], dtype=tl.float32)
    top = tl.full([ROWS], float("-inf"), dtype=tl.float32)
    total = tl.zeros([ROWS], dtype=tl.float32)
    for n in range(low, full, BN):
        offsets = n + tile
        keep = offsets < high
        at = token_rows(table, n, offsets, keep, batch, stride_page, stride_token, PAGE, one_page, False)
        k = tl.load(k_head + at[:, None] + dim[None, :], eviction_policy="evict_first").to(DT)
        v = tl.load(v_head + at[:, None] + dim[None, :], eviction_policy="evict_first").to(DT)
        acc, top, total = attend(q, k, v, scale_log2, keep, acc, top, total, DT, False)
    if full < high:
        offsets = full + tile
        keep = offsets < high
        at = token_rows(table, full, offsets, keep, batch, stride_page, stride_token, PAGE, one_page, True)
        k = tl.load(k_head + at[:, None] + dim[None, :], mask=keep[:, None], other=0.0).to(DT)
        v = tl.load(v_head + at[:, None] + dim[None, :], mask=keep[:, None], other=0.0).to(DT)
        acc, top, total = attend(q, k, v, scale_log2, keep, acc, top, total, DT, True)

    some = total > 0.0  # an empty part keeps weight 0 instead of turning into NaN
    acc = acc * (v_scale / tl.where(some, total, 1.0))[:, None]
    if SPLITS == 1:
        tl.store(out_ptr + row_offset[:, None] * D + dim[None, :], acc.to(out_ptr.dtype.element_ty), mask=in_group[:, None])
    else:
        lse = tl.where(some, top + tl.log2(tl.where(some, total, 1.0)), float("-inf"))
        at_part = row_offset * SPLITS + split
        tl.store(part_ptr + at_part[:, None] * D + dim[None, :], acc, mask=in_group[:, None])
        tl.store(lse_ptr + at_part, lse, mask=in_group)


@triton.jit
def combine_kernel(
    part_ptr, lse_ptr, out_ptr, D: tl.constexpr, BD: tl.constexpr, SPLITS: tl.constexpr, SPLITS_P2: tl.constexpr, CHUNK: tl.constexpr
):
    """Grid (batch * heads, D / BD): the parts of one output row, each weighted by 2 ** (its LSE - the largest)."""
    row = tl.program_id(0).to(tl.int64)
    dim = tl.program_id(1) * BD + tl.arange(0, BD)
    every = tl.arange(0, SPLITS_P2)
    lse = tl.load(lse_ptr + row * SPLITS + every, mask=every < SPLITS, other=float("-inf"))
    top = tl.max(lse, 0)
    top = tl.where(top == float("-inf"), 0.0, top)  # every part empty: weights 0, output 0
    total = tl.sum(tl.exp2(lse - top), 0)
    acc = tl.zeros([BD], dtype=tl.float32)
    for start in range(0, SPLITS, CHUNK):
        part = start + tl.arange(0, CHUNK)
        inside = part < SPLITS
        weight = tl.exp2(tl.load(lse_ptr + row * SPLITS + part, mask=inside, other=float("-inf")) - top)
        values = tl.load(part_ptr + (row * SPLITS + part)[:, None] * D + dim[None, :], mask=inside[:, None], other=0.0)
        acc += tl.sum(values * weight[:, None], 0)
    acc = acc / tl.where(total > 0.0, total, 1.0)
    tl.store(out_ptr + row * D + dim, acc.to(out_ptr.dtype.element_ty))


def combine(part: Any, lse: Any, out: Any, splits: int, width: int) -> None:
    """Merge partial outputs [rows, splits, width] by their base-2 LSE [rows, splits] into out [rows, width]."""
    block = min(width, 128)
    rows = out.numel() // width
    combine_kernel[(rows, width // block)](
        part,
        lse,
        out,
        D=width,
        BD=block,
        SPLITS=splits,
        SPLITS_P2=triton.next_power_of_2(splits),
        CHUNK=min(8, triton.next_power_of_2(splits)),
        num_warps=4,
    )


class GqaDecode:
    """A prepared decode step: tiling, splits and workspace chosen once for a shape, launched as often as wanted.

    `k` and `v` are [pages, K, page, D] or, by their strides, [pages, page, K, D]; contiguous caches are [B, K, S, D] with `table=None`.
    """

    def __init__(
        self,
        q: Any,
        k: Any,
        v: Any,
        lengths: Any,
        longest: int,
        *,
        table: Any = None,
        page: int = 0,
        window: int = 0,
        head_axis: int = 1,
        sm_count: int = 132,
        k_scale: float = 1.0,
        v_scale: float = 1.0,
        tiling: Tiling | None = None,
        splits: int | None = None,
        compute: Any = None,
    ):
        import torch

        batch, heads, width = q.shape
        token_axis = 3 - head_axis
        kv_heads = k.shape[head_axis]
        self.tiling = tiling or gqa_tiling(heads // kv_heads, width, k.element_size())
        blocks = -(-(heads // kv_heads) // self.tiling.rows)
        read = min(longest, window) if window else longest
        self.splits = splits or choose_splits(batch * kv_heads * blocks, read, self.tiling, sm_count)
        self.out = torch.empty_like(q)
        self.part = torch.empty((batch, heads, self.splits, width), dtype=torch.float32, device=q.device)
        self.lse = torch.empty((batch, heads, self.splits), dtype=torch.float32, device=q.device)
        self._grid = (batch, kv_heads * blocks, self.splits)
        self._width = width
        self._pointers = (q, k, v, lengths if table is None else table, lengths, self.out, self.part, self.lse)
        self._numbers = (
            k_scale * LOG2_E / width**0.5,
            v_scale,
            kv_heads,
            k.stride(0),
            k.stride(head_axis),
            k.stride(token_axis),
            0 if table is None else table.stride(0),
        )
        self._constants = {
            "G": heads // kv_heads,
            "ROWS": self.tiling.rows,
            "D": width,
            "BN": self.tiling.tokens,
            "PAGE": 0 if table is None else page,
            "WINDOW": window,
            "SPLITS": self.splits,
            "DT": compute or tl.bfloat16,
            "num_warps": self.tiling.warps,
            "num_stages": self.tiling.stages,
        }

    def __call__(self) -> Any:
        gqa_split_kernel[self._grid](*self._pointers, *self._numbers, **self._constants)
        if self.splits > 1:
            combine(self.part, self.lse, self.out, self.splits, self._width)
        return self.out
