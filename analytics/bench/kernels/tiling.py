"""Tile sizes and split counts of the decode kernels: the choices made on the host, without triton.

Tile choices come from compiling the kernels for sm_90 and reading registers, spills and shared memory (`python -m analytics.bench aot`).
The cost constants of the split rule are those one public report fitted on a GH200 (flashinfer-ai/flashinfer#4904).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analytics.bench.operation import power_of_two_at_least

MAX_SPLITS = 128
MIN_TILES_PER_SPLIT = 4
COST_PER_PROGRAM_TILES = 10.0  # start and end of a program, in tile times
COST_PER_MERGED_PART_TILES = 0.22  # reading one more partial result in the combine kernel, in tile times


@dataclass(frozen=True)
class Tiling:
    """How a decode kernel is launched."""

    rows: int  # query heads that share one pass over the KV cache (the M of the matrix product; at least 16)
    tokens: int  # KV tokens in a tile
    warps: int
    stages: int  # loads in flight; the page table is a level of indirection, so depth is (stages - 1) // 2 tiles
    programs_per_sm: int  # resident programs, from registers and shared memory

    @property
    def name(self) -> str:
        return f"rows{self.rows}-tile{self.tokens}-warps{self.warps}-stages{self.stages}"


def gqa_tiling(group: int, head_dim: int, kv_bytes: int) -> Tiling:
    """Tiling of the GQA kernel for `group` query heads per KV head, a head of `head_dim` and KV elements of `kv_bytes` [B]."""
    return gqa_candidates(group, head_dim, kv_bytes)[0]


def gqa_candidates(group: int, head_dim: int, kv_bytes: int) -> list[Tiling]:
    """Tilings worth timing for a shape, the one taken without timing first. All compile for sm_90 without spills in their loop."""
    rows = min(64, max(16, power_of_two_at_least(group)))
    if head_dim > 128:
        return [Tiling(min(rows, 32), 32, warps=4, stages=3, programs_per_sm=2)]
    if rows == 64:
        return [Tiling(64, 64, 4, 3, 2), Tiling(64, 32, 4, 5, 3), Tiling(64, 128, 8, 3, 1), Tiling(64, 64, 8, 3, 2)]
    if head_dim <= 64:
        return [Tiling(rows, 64, 4, 5, 6), Tiling(rows, 64, 4, 3, 5), Tiling(rows, 128, 4, 3, 4), Tiling(rows, 32, 4, 5, 6)]
    if kv_bytes == 1:
        return [Tiling(rows, 64, 4, 5, 3), Tiling(rows, 64, 4, 3, 3), Tiling(rows, 128, 4, 5, 2), Tiling(rows, 32, 4, 5, 4)]
    return [
        Tiling(rows, 64, 4, 3, 3),
        Tiling(rows, 64, 4, 5, 3),
        Tiling(rows, 128, 4, 3, 2),
        Tiling(rows, 128, 8, 3, 1),
        Tiling(rows, 32, 4, 5, 4),
    ]


def mla_tiling(heads: int, kv_bytes: int = 2) -> Tiling:
    """Tiling of the absorbed MLA kernel for a number of heads and cache elements of `kv_bytes` [B].

    16 or 32 rows for few heads, 64 rows and 8 warps (4 spill) where the heads fill them; over an fp8 cache 32 rows at most.
    """
    return mla_candidates(heads, kv_bytes)[0]


def mla_candidates(heads: int, kv_bytes: int = 2) -> list[Tiling]:
    """Tilings worth timing for a number of heads and cache elements of `kv_bytes` [B], the one taken without timing first."""
    if kv_bytes == 1:
        # Widening a tile from fp8 takes registers: 64 rows spill in their loop, 16 rows do with 4 warps, 32 rows with tiles of 64.
        if heads <= 16:
            return [Tiling(16, 32, 8, 5, 1), Tiling(16, 16, 4, 5, 2), Tiling(16, 64, 8, 3, 1), Tiling(16, 32, 8, 3, 1)]
        return [Tiling(32, 32, 8, 3, 1), Tiling(32, 32, 8, 5, 1)]
    if heads <= 16:
        return [Tiling(16, 32, 4, 3, 2), Tiling(16, 32, 4, 2, 2), Tiling(16, 64, 8, 3, 2), Tiling(16, 32, 8, 3, 3)]
    if heads <= 32:
        return [Tiling(32, 32, 8, 3, 1), Tiling(32, 32, 8, 2, 1)]
    return [Tiling(64, 32, 8, 3, 1), Tiling(64, 16, 8, 3, 1)]


def choose_splits(programs: int, tokens: int, tiling: Tiling, sm_count: int) -> int:
    """Parts the KV range is cut into: the s that minimises waves * (tiles / s + c1) + c2 * s (s > 1).

    Parameters
    ----------
    programs : programs without splitting (batch * KV heads * head blocks)
    tokens : KV tokens that each of them reads
    """
    tiles = max(1, math.ceil(tokens / tiling.tokens))
    limit = max(1, min(MAX_SPLITS, tiles // MIN_TILES_PER_SPLIT))
    slots = max(1, sm_count * tiling.programs_per_sm)
    best, best_cost = 1, math.inf
    for splits in range(1, limit + 1):
        waves = math.ceil(programs * splits / slots)
        merge = COST_PER_MERGED_PART_TILES * splits if splits > 1 else 0.0
        cost = waves * (math.ceil(tiles / splits) + COST_PER_PROGRAM_TILES) + merge
        if cost < best_cost - 1e-9:
            best, best_cost = splits, cost
    return best
