"""Run in a process of its own with TRITON_INTERPRET=1: our decode kernels over a lattice of shapes, one JSON line each."""

import itertools
import json
import sys

import torch
import triton.language as tl

from analytics.bench.kernels.decode import GqaDecode
from analytics.bench.kernels.mla import MlaDecode
from analytics.bench.kernels.tiling import Tiling
from analytics.bench.references import compare, decode_attention, paged_to_dense

SMALL = Tiling(rows=16, tokens=32, warps=4, stages=2, programs_per_sm=2)


def emit(name, output, reference):
    errors = compare(output, reference)
    print(json.dumps({"name": name, "rel_l2": errors.rel_l2, "finite": errors.finite}), flush=True)


def gqa(heads, kv_heads, each, page, splits, window=0, layout="heads first", kv="bf16", dim=64):
    generator = torch.Generator().manual_seed(heads * 1000 + page)
    longest, batch = max(each), len(each)
    q = torch.randn((batch, heads, dim), generator=generator).bfloat16()
    dtype = torch.float8_e4m3fn if kv == "fp8" else torch.bfloat16
    table = None
    if page:
        pages = -(-longest // page)
        table = torch.randperm(batch * pages + 2, generator=generator)[: batch * pages].view(batch, pages).int()
        shape = (batch * pages + 2, kv_heads, page, dim)
    else:
        shape = (batch, kv_heads, longest, dim)
    k, v = (torch.randn(shape, generator=generator).to(dtype) for _ in range(2))
    if page:  # what lies behind a request's last token must not matter
        for request, length in enumerate(each):
            last = int(table[request, (length - 1) // page])
            place = (length - 1) % page + 1
            if place < page:
                for pool in (k, v):
                    pool[last, :, place:] = torch.full((), float("nan")).to(dtype)
    dense_k, dense_v = (paged_to_dense(x, table, longest) if page else x for x in (k, v))
    axis = 1
    if layout == "tokens first":
        k, v, axis = k.transpose(1, 2).contiguous(), v.transpose(1, 2).contiguous(), 2
    step = GqaDecode(
        q,
        k,
        v,
        torch.tensor(each, dtype=torch.int32),
        longest,
        table=table,
        page=page,
        window=window,
        head_axis=axis,
        k_scale=0.5,
        v_scale=2.0,
        tiling=SMALL,
        splits=splits,
        compute=tl.float32,
    )
    step.out.fill_(float("nan"))
    want = decode_attention(q, dense_k, dense_v, each, window=window, scale=0.5 * dim**-0.5, v_scale=2.0, dtype=torch.float64)
    emit(f"gqa {heads}/{kv_heads} d{dim} each={each} page={page} splits={splits} window={window} {layout} {kv}", step(), want)


def mla(heads, each, page, splits, rows=16, kv="bf16"):
    generator = torch.Generator().manual_seed(heads)
    longest, batch = max(each), len(each)
    q = torch.randn((batch, heads, 576), generator=generator).mul(0.3).bfloat16()
    dtype, cache_scale = (torch.float8_e4m3fn, 0.5) if kv == "fp8" else (torch.bfloat16, 1.0)
    table = None
    if page:
        pages = -(-longest // page)
        table = torch.randperm(batch * pages, generator=generator).view(batch, pages).int()
        cache = torch.randn((batch * pages, page, 576), generator=generator).to(dtype)
        for request, length in enumerate(each):
            if length % page:
                cache[int(table[request, length // page]), length % page :] = torch.full((), float("nan")).to(dtype)
        dense = paged_to_dense(cache, table, longest)
    else:
        cache = dense = torch.randn((batch, longest, 576), generator=generator).to(dtype)
    tiling = Tiling(rows=rows, tokens=32, warps=4, stages=2, programs_per_sm=2)
    step = MlaDecode(
        q,
        cache,
        torch.tensor(each, dtype=torch.int32),
        longest,
        table=table,
        page=page,
        scale=0.07,
        cache_scale=cache_scale,
        tiling=tiling,
        splits=splits,
        compute=tl.float32,
    )
    step.out.fill_(float("nan"))
    dense = dense.unsqueeze(1)
    emit(
        f"mla h{heads} each={each} page={page} splits={splits} {kv}",
        step(),
        decode_attention(q, dense, dense[..., :512], each, scale=0.07 * cache_scale, v_scale=cache_scale, dtype=torch.float64),
    )


for page, splits in itertools.product((0, 1, 7, 16, 64), (1, 3)):
    gqa(8, 2, [70, 1, 33], page, splits)
for group in (1, 3, 5, 7, 16, 20):
    gqa(2 * group, 2, [40, 65], 16, 2)
gqa(8, 2, [64, 3], 16, 8)  # most parts of the short request are empty
for window, page in itertools.product((1, 31, 32, 33, 500), (0, 16)):
    gqa(4, 2, [100, 40], page, 2, window)
for page in (0, 16):
    gqa(4, 2, [50, 20], page, 2, layout="tokens first")
    gqa(8, 2, [50, 20], page, 2, kv="fp8")
gqa(4, 1, [45], 16, 1, dim=128)
for page, splits in itertools.product((0, 7, 16, 64), (1, 3)):
    mla(4, [70, 9], page, splits)
mla(16, [40], 16, 2)
mla(20, [40], 64, 2)
for page, splits in itertools.product((0, 7, 64), (1, 3)):
    mla(4, [70, 9], page, splits, kv="fp8")
mla(40, [70, 33], 64, 2, rows=32, kv="fp8")
sys.exit(0)
