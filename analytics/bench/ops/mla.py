"""Attention of a decode step over a latent cache (MLA with absorbed projections, latent 512 and rope 64)."""

from __future__ import annotations

from functools import partial
from typing import Any

from analytics import accounting
from analytics.bench.backends import compute_dtype, first_of, package_reason, triton_reason, tuning_reason
from analytics.bench.kernels.tiling import Tiling, choose_splits, mla_candidates
from analytics.bench.operation import Backend, Call, Case, Operation, Work
from analytics.bench.ops.attention import lengths, page_table
from analytics.bench.references import decode_attention, paged_to_dense, precise

LATENT, ROPE = 512, 64
CACHE_SCALE = 0.75  # of an fp8 cache; any but 1, so that a kernel that forgets it is found wrong
SCALE = (128 + 64) ** -0.5  # of the unabsorbed query: 128 without and 64 with rotary position (DeepSeek-V3 configuration)


def _case(batch: int, context: int, heads: int, page: int = 64, kv: str | None = None, priority: int = 1, **extra: Any) -> Case:
    shape = {"B": batch, "S": context, "H": heads, "latent": LATENT, "rope": ROPE, "page": page, **extra}
    return Case("attn.mla", shape, "bf16", kv, priority)


def cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        return [
            _case(2, 200, 16, 16, priority=0),
            _case(1, 100, 4, 0),
            _case(2, 150, 4, 16, lengths="spread"),
            _case(2, 150, 16, 16, "fp8"),
            _case(1, 100, 20, 0, "fp8"),
        ]
    if device == "cpu":
        return [_case(4, 1024, 16, priority=0), _case(1, 1024, 16), _case(2, 1024, 128), _case(4, 1024, 16, 0)]
    out = [_case(64, 8192, 16, priority=0), _case(128, 4096, 128, priority=0), _case(64, 8192, 16, 0), _case(128, 4096, 128, 0)]
    grid = [(b, s) for b in (1, 16, 64, 256) for s in (1024, 8192, 65536) if b * s <= 2_097_152]
    heads = (16, 128) if suite == "quick" else (16, 32, 64, 128)
    out += [_case(64, 8192, 16, page, "fp8") for page in (64, 0)] + [_case(128, 4096, 128, page, "fp8") for page in (64, 0)]
    out += [_case(64, 4096, 16, kv=kv, priority=2, lengths=kind) for kv in (None, "fp8") for kind in ("spread", "one_long")]
    out += [_case(b, s, h, priority=2) for h in heads for b, s in grid if (b, s, h) not in {(64, 8192, 16)}]
    if suite == "full":
        out += [_case(b, s, h, 64, "fp8", priority=2) for h in heads for b, s in grid if (b, s, h) not in {(64, 8192, 16)}]
    return out


def account(case: Case) -> Work:
    each = lengths(case)
    kv_bytes = float(accounting.mla_decode_kv_bytes(1, each, case["latent"], case["rope"], case.kv_element_bytes).sum())
    io_bytes = accounting.mla_decode_io_bytes(case["B"], case["H"], case["latent"], case["rope"], case.element_bytes)
    flops = float(accounting.mla_decode_flops(1, each, case["H"], case["latent"], case["rope"]).sum())
    stored = case["B"] * int(each.max()) * (case["latent"] + case["rope"]) * case.kv_element_bytes
    return Work(kv_bytes + io_bytes, flops, "read", "bf16", resident_bytes=stored + io_bytes)


def build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    generator = device.generator(seed)
    each = lengths(case)
    longest, width = int(each.max()), case["latent"] + case["rope"]
    # Queries are scaled down so that the softmax over 576 products stays spread over the context, as it is in a model.
    out = {"q": device.normal((case["B"], case["H"], width), case.dtype, generator, 0.3), "lengths": device.integers(each), "each": each}
    if case["page"]:
        out["table"], pages = page_table(case, device, generator, longest)
        out["cache"] = device.normal((pages, case["page"], width), case.dtype_kv or case.dtype, generator)
    else:
        out["cache"] = device.normal((case["B"], longest, width), case.dtype_kv or case.dtype, generator)
    return out


def _cache_scale(case: Case) -> float:
    return CACHE_SCALE if case.dtype_kv == "fp8" else 1.0


def _dense(case: Case, inputs: dict[str, Any]) -> Any:
    """The cache as [B, 1, S, latent + rope]."""
    if not case["page"]:
        return inputs["cache"].unsqueeze(1)
    return paged_to_dense(inputs["cache"], inputs["table"], int(inputs["each"].max())).unsqueeze(1)


def reference(case: Case, inputs: dict[str, Any]) -> Any:
    cache, cache_scale = _dense(case, inputs), _cache_scale(case)
    return decode_attention(
        inputs["q"],
        cache,
        cache[..., : case["latent"]],
        [int(n) for n in inputs["each"]],
        scale=SCALE * cache_scale,
        v_scale=cache_scale,
        dtype=precise(account(case).flops),
    )


def _triton(case: Case, inputs: dict[str, Any], device: Any, place: int = 0) -> Call:
    from analytics.bench.kernels.mla import MlaDecode

    step = MlaDecode(
        inputs["q"],
        inputs["cache"],
        inputs["lengths"],
        int(inputs["each"].max()),
        latent=case["latent"],
        table=inputs.get("table"),
        page=case["page"],
        scale=SCALE,
        cache_scale=_cache_scale(case),
        sm_count=device.sm_count,
        compute=compute_dtype(),
        tiling=_candidates(case)[place],
    )
    return Call(step, step.out)


def _candidates(case: Case) -> list[Tiling]:
    return mla_candidates(case["H"], case.kv_element_bytes)


def _splits(case: Case, device: Any, place: int) -> tuple[Tiling, int]:
    tiling = _candidates(case)[place]
    return tiling, choose_splits(case["B"] * -(-case["H"] // tiling.rows), int(lengths(case).max()), tiling, device.sm_count)


def _variant(case: Case, device: Any, place: int = 0) -> str:
    tiling, splits = _splits(case, device, place)
    return f"{tiling.name}-splits{splits}"


def _bytes_moved(case: Case, device: Any, work: Work, place: int = 0) -> float:
    """As the kernel moves them: the cache once for each block of heads, and the partial results of splitting twice."""
    tiling, splits = _splits(case, device, place)
    kv_bytes = work.bytes_min - accounting.mla_decode_io_bytes(case["B"], case["H"], case["latent"], case["rope"], case.element_bytes)
    again = (-(-case["H"] // tiling.rows) - 1) * kv_bytes
    return work.bytes_min + again + (2.0 * case["B"] * case["H"] * splits * (case["latent"] + 1) * 4 if splits > 1 else 0.0)


def _sdpa_reason(case: Case, device: Any) -> str | None:
    if case.dtype_kv == "fp8":
        return "scaled_dot_product_attention takes no fp8 cache"
    if case.params.get("lengths", "equal") != "equal":
        return "scaled_dot_product_attention takes one length for the whole batch"
    return None


def _sdpa(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    """SDPA over the latent as one shared head; pages are gathered first, in the timed call."""
    import torch

    q = inputs["q"].unsqueeze(2)

    def run() -> Any:
        cache = _dense(case, inputs)
        return torch.nn.functional.scaled_dot_product_attention(
            q, cache, cache[..., : case["latent"]], scale=SCALE, enable_gqa=True
        ).squeeze(2)

    return Call(run)


def _flashinfer_reason(case: Case, device: Any) -> str | None:
    absent = package_reason("FlashInfer", "flashinfer")(case, device)
    if absent or case["page"] and not case.dtype_kv:
        return absent
    return (
        "FlashInfer's latent decode is called with bf16 caches only" if case.dtype_kv else "FlashInfer's latent decode takes paged caches"
    )


def _flashinfer(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    import flashinfer
    import torch

    each, page, latent = inputs["each"], case["page"], case["latent"]
    pages = -(-each // page)
    used = torch.cat([inputs["table"][i, : int(n)] for i, n in enumerate(pages)])
    workspace = torch.empty(256 * 2**20, dtype=torch.uint8, device=device.torch_device)
    wrapper = flashinfer.mla.BatchMLAPagedAttentionWrapper(workspace)
    wrapper.plan(
        device.integers(range(case["B"] + 1)),
        device.integers([0, *pages.cumsum()]),
        used,
        device.integers(each),
        case["H"],
        latent,
        case["rope"],
        page,
        False,
        SCALE,
        inputs["q"].dtype,
        inputs["cache"].dtype,
    )
    q_latent, q_rope = inputs["q"][..., :latent].contiguous(), inputs["q"][..., latent:].contiguous()
    c, r = inputs["cache"][..., :latent], inputs["cache"][..., latent:]
    return Call(lambda: wrapper.run(q_latent, q_rope, c, r))


def _form(place: int) -> Backend:
    """Our kernel in the tiling at `place` of its candidates: the first is the one used, the others are for tuning."""
    reasons = first_of(triton_reason, tuning_reason(_candidates, place))
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
        "attn.mla",
        "Decode attention over a latent cache",
        cases,
        account,
        build,
        reference,
        [
            *(_form(place) for place in range(4)),
            Backend("torch-sdpa", _sdpa, _sdpa_reason),
            Backend("flashinfer", _flashinfer, _flashinfer_reason),
        ],
    )
]
