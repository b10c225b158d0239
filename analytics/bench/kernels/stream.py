"""Kernels that only move memory: read a buffer, read pages in a given order, copy pages, append tokens to a paged cache."""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl


@triton.jit
def read_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    """Each program sums every (number of programs)-th block of x [n] fp32 into one value, so that no load can be left out."""
    program = tl.program_id(0).to(tl.int64)
    programs = tl.num_programs(0)
    lane = tl.arange(0, BLOCK)
    acc = tl.zeros([BLOCK], dtype=tl.float32)
    for start in range(program * BLOCK, n, programs * BLOCK):
        offsets = start + lane
        acc += tl.load(x_ptr + offsets, mask=offsets < n, other=0.0, eviction_policy="evict_first")
    tl.store(out_ptr + program, tl.sum(acc, 0))


@triton.jit
def read_pages_kernel(x_ptr, pages_ptr, out_ptr, count, PAGE: tl.constexpr, BLOCK: tl.constexpr):
    """As `read_kernel`, over `count` pages of PAGE fp32 values in the order of a table."""
    program = tl.program_id(0)
    programs = tl.num_programs(0)
    lane = tl.arange(0, BLOCK)
    acc = tl.zeros([BLOCK], dtype=tl.float32)
    for i in range(program, count, programs):
        base = x_ptr + tl.load(pages_ptr + i).to(tl.int64) * PAGE
        for start in range(0, PAGE, BLOCK):
            acc += tl.load(base + start + lane, eviction_policy="evict_first")
    tl.store(out_ptr + program, tl.sum(acc, 0))


@triton.jit
def copy_pages_kernel(source_ptr, target_ptr, from_ptr, to_ptr, words, BLOCK: tl.constexpr):
    """Grid (pages, words / BLOCK): page from[i] of source -> page to[i] of target, `words` int32 a page."""
    page = tl.program_id(0)
    offsets = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < words
    origin = tl.load(from_ptr + page).to(tl.int64) * words
    goal = tl.load(to_ptr + page).to(tl.int64) * words
    tl.store(target_ptr + goal + offsets, tl.load(source_ptr + origin + offsets, mask=inside, other=0), mask=inside)


@triton.jit
def append_kernel(
    k_new_ptr, v_new_ptr, k_ptr, v_ptr, slots_ptr, heads, stride_page, stride_head, stride_token, D: tl.constexpr, PAGE: tl.constexpr
):
    """Grid (tokens, KV heads): new K and V [tokens, K, D] -> the slot of each token in pools [pages, K, page, D], cast to their dtype."""
    token = tl.program_id(0)
    head = tl.program_id(1)
    dim = tl.arange(0, D)
    slot = tl.load(slots_ptr + token).to(tl.int64)
    origin = (token * heads + head).to(tl.int64) * D + dim
    goal = slot // PAGE * stride_page + head * stride_head + slot % PAGE * stride_token + dim
    tl.store(k_ptr + goal, tl.load(k_new_ptr + origin).to(k_ptr.dtype.element_ty))
    tl.store(v_ptr + goal, tl.load(v_new_ptr + origin).to(v_ptr.dtype.element_ty))


def read(x: Any, out: Any) -> Any:
    """Sum a 1-d fp32 tensor into partial sums `out`, one a program."""
    read_kernel[(out.numel(),)](x, out, x.numel(), BLOCK=4096, num_warps=8)
    return out


def read_pages(x: Any, pages: Any, out: Any) -> Any:
    """Sum the pages x[pages[i], :] of a 2-d fp32 tensor into partial sums `out`."""
    words = x.shape[1]
    read_pages_kernel[(out.numel(),)](x, pages, out, pages.numel(), PAGE=words, BLOCK=min(words, 4096), num_warps=4 if words <= 1024 else 8)
    return out


def copy_pages(source: Any, target: Any, origin: Any, goal: Any) -> Any:
    """Copy pages of a 2-d int32 tensor: target[goal[i]] = source[origin[i]]; target may lie in pinned host memory."""
    words = source.shape[1]
    block = min(triton.next_power_of_2(words), 2048)
    copy_pages_kernel[(origin.numel(), triton.cdiv(words, block))](source, target, origin, goal, words, BLOCK=block, num_warps=4)
    return target


def append(k_new: Any, v_new: Any, k_pool: Any, v_pool: Any, slots: Any) -> None:
    """Write one token a sequence into pools [pages, K, page, D]; `slots` are page * page size + place in the page."""
    tokens, heads, width = k_new.shape
    append_kernel[(tokens, heads)](
        k_new,
        v_new,
        k_pool,
        v_pool,
        slots,
        heads,
        k_pool.stride(0),
        k_pool.stride(1),
        k_pool.stride(2),
        D=width,
        PAGE=k_pool.shape[2],
        num_warps=1,
    )
