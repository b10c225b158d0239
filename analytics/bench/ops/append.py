"""Appending one token a sequence to a paged KV cache, as it is or cast to fp8."""

from __future__ import annotations

from typing import Any

from analytics import accounting
from analytics.bench.backends import first_of, interpreted, triton_reason
from analytics.bench.operation import Backend, Call, Case, Operation, Work


def _case(batch: int, page: int, kv: str | None, tokens: int = 256, priority: int = 1, heads: tuple[int, int] = (8, 128)) -> Case:
    return Case("kv.append", {"B": batch, "page": page, "S": tokens, "K": heads[0], "D": heads[1]}, "bf16", kv, priority)


def cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        return [_case(5, 16, None, 64, 0, (2, 64)), _case(5, 16, "fp8", 64, 1, (2, 64))]
    batches = {"quick": (1, 32, 256), "full": (1, 8, 32, 128, 256, 512)}[suite]
    pages = (16, 64) if suite == "full" else (64,)
    tokens = 256 if device == "cuda" else 64  # of each sequence in the pool, which has to outgrow the cache
    return [_case(b, page, kv, tokens, 0 if b == 256 and kv is None else 2) for page in pages for kv in (None, "fp8") for b in batches]


def account(case: Case) -> Work:
    elements = 2 * case["K"] * case["D"]
    size = accounting.kv_append_bytes(case["B"], elements, case.element_bytes, case.kv_element_bytes)
    pools = case["B"] * case["S"] * elements * case.kv_element_bytes
    return Work(size, path="copy", resident_bytes=pools + size)


def build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    import torch

    generator = device.generator(seed)
    pages = case["B"] * -(-case["S"] // case["page"])
    new, pool = (case["B"], case["K"], case["D"]), (pages, case["K"], case["page"], case["D"])
    slots = torch.randperm(pages * case["page"], generator=generator, device=device.torch_device)[: case["B"]]
    kv = case.dtype_kv or case.dtype
    return {
        "k_new": device.normal(new, case.dtype, generator),
        "v_new": device.normal(new, case.dtype, generator),
        "k": device.normal(pool, kv, generator),
        "v": device.normal(pool, kv, generator),
        "slots": slots,
        "slots32": slots.int(),
    }


def reference(case: Case, inputs: dict[str, Any]) -> Any:
    """The pools with each token in its slot, written one by one."""
    pools = []
    for name in ("k", "v"):
        pool = inputs[name].clone()
        for token, slot in enumerate(inputs["slots"].tolist()):
            pool[slot // case["page"], :, slot % case["page"]] = inputs[f"{name}_new"][token].to(pool.dtype)
        pools.append(pool)
    return pools


def _triton(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    from analytics.bench.kernels import stream

    def run() -> Any:
        stream.append(inputs["k_new"], inputs["v_new"], inputs["k"], inputs["v"], inputs["slots32"])
        return [inputs["k"], inputs["v"]]

    return Call(run)


def _torch(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    import torch

    page, place = inputs["slots"] // case["page"], inputs["slots"] % case["page"]

    def run() -> Any:
        for name in ("k", "v"):
            pool = inputs[name]
            new = inputs[f"{name}_new"].to(pool.dtype)
            if pool.dtype == torch.float8_e4m3fn:  # indexed writes are not defined for fp8; the bytes are the same
                pool.view(torch.uint8)[page, :, place] = new.view(torch.uint8)
            else:
                pool[page, :, place] = new
        return [inputs["k"], inputs["v"]]

    return Call(run)


def _interpreter_reason(case: Case, device: Any) -> str | None:
    if interpreted() and case.dtype_kv == "fp8":
        return "Triton's interpreter rounds to fp8 wrongly where the mantissa carries (1.97 becomes 1); this cast is checked on a GPU only"
    return None


OPERATIONS = [
    Operation(
        "kv.append",
        "Appending a token to each cache",
        cases,
        account,
        build,
        reference,
        [Backend("triton", _triton, first_of(triton_reason, _interpreter_reason)), Backend("torch", _torch)],
        tolerance=lambda case: 0.0,
    )
]
