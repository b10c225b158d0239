"""Attention of a decode step over an MHA, GQA or MQA cache: contiguous or paged, bf16 or fp8, windowed, ragged."""

from __future__ import annotations

from functools import partial
from typing import Any

from analytics import accounting
from analytics.bench.backends import compute_dtype, first_of, package_reason, triton_reason, tuning_reason
from analytics.bench.kernels.tiling import Tiling, choose_splits, gqa_candidates
from analytics.bench.operation import Backend, Call, Case, Operation, Work
from analytics.bench.ops.attention import lengths, page_table
from analytics.bench.references import decode_attention, paged_to_dense, precise

K_SCALE, V_SCALE = 0.75, 1.25  # of an fp8 cache; any but 1, so that a kernel that forgets one is found wrong
HEADS = ((32, 8, 128), (64, 8, 128), (128, 8, 128), (32, 32, 128), (64, 1, 128), (64, 8, 64))


def case(
    batch: int, context: int, heads: tuple[int, int, int], page: int = 0, kv: str | None = None, priority: int = 1, **extra: Any
) -> Case:
    """A case; `extra` may hold a window, how lengths differ, and Dv, the width of the values where it is not that of the keys."""
    shape = dict(zip(("H", "K", "D"), heads))
    return Case("attn.decode", {"B": batch, "S": context, **shape, "page": page, **extra}, "bf16", kv, priority)


def cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        small = (8, 2, 64)
        return [
            case(2, 300, small, priority=0),
            case(2, 300, small, 16),
            case(2, 300, (4, 4, 64)),
            case(2, 300, (8, 1, 64)),
            case(2, 300, small, 16, "fp8"),
            case(2, 300, small, window=128),
            case(3, 200, small, 16, lengths="lognormal"),
            case(2, 300, (8, 2, 96), Dv=64),
            case(2, 300, (8, 2, 96), 16, Dv=64),
        ]
    if device == "cpu":
        points = [(1, 1024), (4, 4096), (16, 4096)] if suite == "quick" else [(b, s) for b in (1, 4, 16, 64) for s in (512, 2048, 8192)]
        out = [case(b, s, (32, 8, 128), priority=0 if (b, s) in ((16, 4096), (16, 8192)) else 1) for b, s in points]
        out += [case(4, 4096, (32, 8, 128), 16), case(4, 4096, (32, 32, 128)), case(4, 4096, (32, 8, 128), window=1024)]
        return [*out, case(4, 4096, (64, 4, 192), Dv=128)]
    headline = (32, 8, 128)
    out = [case(32, 4096, headline, page, kv, priority=0) for kv in (None, "fp8") for page in (0, 64)]
    grid = [(1, 1024), (1, 32768), (8, 1024), (8, 8192), (16, 4096), (64, 1024), (64, 8192), (128, 2048), (256, 1024)]
    if suite == "full":
        grid = [(b, s) for b in (1, 4, 16, 64, 128, 256) for s in (512, 1024, 4096, 16384, 65536, 131072) if b * s <= 4_194_304]
    out += [case(b, s, headline, 64) for b, s in grid]
    out += [case(b, s, headline, 0, priority=2) for b, s in grid] + [case(b, s, headline, 64, "fp8", priority=2) for b, s in grid]
    out += [case(16, 8192, heads, page) for heads in HEADS[1:] for page in (0, 64)]
    out += [case(32, 4096, headline, 16), case(32, 4096, headline, 16, "fp8", priority=2)]
    out += [case(32, 16384, headline, 64, window=w) for w in (128, 1024, 4096)]
    out += [case(16, 8192, (64, 4, 192), page, Dv=128) for page in (0, 64)]
    out += [case(64, 4096, headline, 64, lengths=kind) for kind in ("spread", "lognormal", "one_long")]
    return out


def value_width(case: Case) -> int:
    """Width of a head of the values: that of the keys unless the case says otherwise."""
    return case.params.get("Dv") or case["D"]


def account(case: Case) -> Work:
    each, width = lengths(case), value_width(case)
    window = case.params.get("window") or float("inf")
    kv_bytes = float(accounting.decode_attention_kv_bytes(1, each, case["K"], case["D"], case.kv_element_bytes, window, width).sum())
    io_bytes = accounting.decode_attention_io_bytes(case["B"], case["H"], case["D"], case.element_bytes, width)
    flops = float(accounting.decode_attention_flops(1, each, case["H"], case["D"], window, value_dim=width).sum())
    stored = float(case["B"] * int(each.max()) * case["K"] * (case["D"] + width) * case.kv_element_bytes)
    return Work(kv_bytes + io_bytes, flops, "read", "bf16", resident_bytes=stored + io_bytes)


def build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    generator = device.generator(seed)
    each = lengths(case)
    longest = int(each.max())
    kv = case.dtype_kv or case.dtype
    out = {"q": device.normal((case["B"], case["H"], case["D"]), case.dtype, generator), "lengths": device.integers(each), "each": each}
    if case["page"]:
        out["table"], pages = page_table(case, device, generator, longest)
        shape = (pages, case["K"], case["page"])
    else:
        shape = (case["B"], case["K"], longest)
    out["k"], out["v"] = (device.normal((*shape, width), kv, generator) for width in (case["D"], value_width(case)))
    return out


def _scales(case: Case) -> tuple[float, float]:
    return (K_SCALE, V_SCALE) if case.dtype_kv == "fp8" else (1.0, 1.0)


def dense_cache(case: Case, inputs: dict[str, Any]) -> tuple[Any, Any]:
    """K and V as [B, K, S, D], gathered from their pages if need be."""
    if not case["page"]:
        return inputs["k"], inputs["v"]
    longest = int(inputs["each"].max())
    return paged_to_dense(inputs["k"], inputs["table"], longest), paged_to_dense(inputs["v"], inputs["table"], longest)


def reference(case: Case, inputs: dict[str, Any]) -> Any:
    k_scale, v_scale = _scales(case)
    k, v = dense_cache(case, inputs)
    return decode_attention(
        inputs["q"],
        k,
        v,
        [int(n) for n in inputs["each"]],
        window=case.params.get("window") or 0,
        scale=k_scale * case["D"] ** -0.5,
        v_scale=v_scale,
        dtype=precise(account(case).flops),
    )


def _triton(case: Case, inputs: dict[str, Any], device: Any, place: int = 0) -> Call:
    from analytics.bench.kernels.decode import GqaDecode

    k_scale, v_scale = _scales(case)
    step = GqaDecode(
        inputs["q"],
        inputs["k"],
        inputs["v"],
        inputs["lengths"],
        int(inputs["each"].max()),
        table=inputs.get("table"),
        page=case["page"],
        window=case.params.get("window") or 0,
        sm_count=device.sm_count,
        k_scale=k_scale,
        v_scale=v_scale,
        compute=compute_dtype(),
        tiling=_candidates(case)[place],
    )
    return Call(step, step.out)


def _candidates(case: Case) -> list[Tiling]:
    return gqa_candidates(case["H"] // case["K"], case["D"], case.kv_element_bytes)


def _splits(case: Case, device: Any, place: int) -> tuple[Tiling, int]:
    tiling = _candidates(case)[place]
    longest, window = int(lengths(case).max()), case.params.get("window") or 0
    blocks = -(-(case["H"] // case["K"]) // tiling.rows)
    return tiling, choose_splits(case["B"] * case["K"] * blocks, min(longest, window) if window else longest, tiling, device.sm_count)


def _variant(case: Case, device: Any, place: int = 0) -> str:
    tiling, splits = _splits(case, device, place)
    return f"{tiling.name}-splits{splits}"


def _bytes_moved(case: Case, device: Any, work: Work, place: int = 0) -> float:
    """The least plus the partial results that splitting writes and reads again (fp32, with their LSE)."""
    splits = _splits(case, device, place)[1]
    return work.bytes_min + (2.0 * case["B"] * case["H"] * splits * (case["D"] + 1) * 4 if splits > 1 else 0.0)


def _one_width(who: str) -> Any:
    """A reason function for backends that take values of the keys' width only."""

    def reason(case: Case, device: Any) -> str | None:
        same = value_width(case) == case["D"]
        return None if same else f"{who} takes values as wide as the keys, not {value_width(case)} beside {case['D']}"

    return reason


def _triton_shape(case: Case, device: Any) -> str | None:
    return None if case["D"] in (64, 128, 256) else f"our kernel takes head dimensions 64, 128 and 256, not {case['D']}"


def _sdpa_reason(case: Case, device: Any) -> str | None:
    if case.dtype_kv == "fp8":
        return "scaled_dot_product_attention takes no fp8 cache"
    if case.params.get("lengths", "equal") != "equal":
        return "scaled_dot_product_attention takes one length for the whole batch"
    return None


def _sdpa(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    """SDPA with grouped heads; a paged cache is gathered first, in the timed call, because that is what using SDPA costs then."""
    import torch

    attention = torch.nn.functional.scaled_dot_product_attention
    q, window = inputs["q"].unsqueeze(2), case.params.get("window") or 0
    first = max(case["S"] - window, 0) if window else 0

    def run() -> Any:
        k, v = dense_cache(case, inputs)
        return attention(q, k[:, :, first:], v[:, :, first:], enable_gqa=True).squeeze(2)

    return Call(run)


def _flex_reason(case: Case, device: Any) -> str | None:
    if device.kind != "cuda":
        return "FlexAttention is fast only when compiled, which on the CPU takes half a minute a shape; it runs on CUDA"
    if case["page"] or case.params.get("window"):
        return "measured on contiguous caches without a window only"
    return _sdpa_reason(case, device)


def _flex(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    import torch
    from torch.nn.attention.flex_attention import flex_attention

    compiled = torch.compile(flex_attention)
    q, k, v = inputs["q"].unsqueeze(2), inputs["k"], inputs["v"]
    return Call(lambda: compiled(q, k, v, enable_gqa=True).squeeze(2))


def _flashinfer_reason(case: Case, device: Any) -> str | None:
    return None if case["page"] else "FlashInfer's batch decode takes paged caches"


def _flashinfer(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    import flashinfer
    import torch

    each, page = inputs["each"], case["page"]
    pages = -(-each // page)
    starts = device.integers([0, *pages.cumsum()])
    used = torch.cat([inputs["table"][i, : int(n)] for i, n in enumerate(pages)])
    workspace = torch.empty(256 * 2**20, dtype=torch.uint8, device=device.torch_device)
    wrapper = flashinfer.BatchDecodeWithPagedKVCacheWrapper(workspace, "HND", use_tensor_cores=True)
    k_scale, v_scale = _scales(case)
    window = case.params.get("window") or 0
    wrapper.plan(
        starts,
        used,
        device.integers(each - (pages - 1) * page),
        case["H"],
        case["K"],
        case["D"],
        page,
        window_left=window - 1 if window else -1,
        q_data_type=inputs["q"].dtype,
        kv_data_type=inputs["k"].dtype,
    )
    q, cache = inputs["q"], (inputs["k"], inputs["v"])
    return Call(lambda: wrapper.run(q, cache, k_scale=k_scale, v_scale=v_scale))


def _flash_attn_reason(case: Case, device: Any) -> str | None:
    if case["page"] and case["page"] % 256:
        return "flash-attn takes pages of a multiple of 256 tokens"
    return "flash-attn takes no fp8 cache" if case.dtype_kv == "fp8" else None


def _flash_attn(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    from flash_attn import flash_attn_with_kvcache

    q, k, v = inputs["q"].unsqueeze(1), inputs["k"].transpose(1, 2), inputs["v"].transpose(1, 2)
    window = case.params.get("window") or 0
    sides = (window - 1, 0) if window else (-1, -1)
    used = inputs["lengths"]
    table = inputs.get("table")
    return Call(lambda: flash_attn_with_kvcache(q, k, v, cache_seqlens=used, block_table=table, window_size=sides).squeeze(1))


def _form(place: int) -> Backend:
    """Our kernel in the tiling at `place` of its candidates: the first is the one used, the others are for tuning."""
    reasons = first_of(triton_reason, _one_width("our kernel"), _triton_shape, tuning_reason(_candidates, place))
    return Backend(
        "triton" if place == 0 else f"triton-form{place}",
        partial(_triton, place=place),
        reasons,
        partial(_variant, place=place),
        partial(_bytes_moved, place=place),
        tuning=place > 0,
    )


OPERATIONS = [
    Operation(
        "attn.decode",
        "Decode attention",
        cases,
        account,
        build,
        reference,
        [
            *(_form(place) for place in range(5)),
            Backend("torch-sdpa", _sdpa, _sdpa_reason),
            Backend("torch-flex", _flex, _flex_reason),
            Backend(
                "flashinfer",
                _flashinfer,
                first_of(package_reason("FlashInfer", "flashinfer"), _one_width("FlashInfer's batch decode"), _flashinfer_reason),
            ),
            Backend(
                "flash-attn",
                _flash_attn,
                first_of(package_reason("flash-attn", "flash_attn"), _one_width("flash-attn"), _flash_attn_reason),
            ),
        ],
    )
]
