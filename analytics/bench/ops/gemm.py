"""Matrix products with the weights of real models, over the number of rows M (the batch of a decode step)."""

from __future__ import annotations

from typing import Any

from analytics import accounting
from analytics.bench.operation import Backend, Call, Case, Operation, Work
from analytics.bench.references import precise

#: (N, K) of weight matrices, from the configurations in models.csv.
WEIGHTS = {
    "llama-3.1-8b gate and up": (28672, 4096),
    "llama-3.1-8b down": (4096, 14336),
    "llama-3.1-70b gate and up, 1 of 8": (7168, 8192),
    "deepseek-v3 q_b": (24576, 1536),
}
SQUARE = 8192


def cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        return [
            Case("gemm", {"M": 64, "N": 512, "K": 512}, "fp32", priority=0),
            Case("gemm", {"M": 64, "N": 512, "K": 512}, "bf16"),
            Case("gemm", {"M": 8, "N": 512, "K": 512, "scaling": "tensor"}, "fp8"),
            Case("gemm", {"M": 8, "N": 512, "K": 512, "scaling": "row"}, "fp8"),
        ]
    out = []
    if device == "cpu":
        for dtype in ("fp32", "bf16"):
            rows = [1, 8, 64, 512] if suite == "quick" else [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
            out += [Case("gemm", {"M": m, "N": 4096, "K": 4096}, dtype, priority=0 if m == rows[-1] else 1) for m in rows]
        return out
    for dtype, scaling in (("bf16", None), ("fp8", "tensor"), ("fp8", "row")):
        extra = {"scaling": scaling} if scaling else {}
        out.append(Case("gemm", {"M": SQUARE, "N": SQUARE, "K": SQUARE, **extra}, dtype, priority=0))
        rows = (
            [1, 16, 64, 128, 256, 512, 2048]
            if suite == "quick"
            else [1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384, 512, 1024, 2048, 4096, 8192, 16384]
        )
        weights = list(WEIGHTS.values())[:1] if suite == "quick" else list(WEIGHTS.values())
        for n, k in weights:
            out += [Case("gemm", {"M": m, "N": n, "K": k, **extra}, dtype, priority=1 if m in (1, 256) else 2) for m in rows]
    return out


def account(case: Case) -> Work:
    m, n, k = case["M"], case["N"], case["K"]
    out_bytes = 2 if case.dtype == "fp8" else case.element_bytes
    size = accounting.gemm_bytes(m, n, k, case.element_bytes, case.element_bytes, out_bytes)
    if case.dtype == "fp8":
        size += 4 * (m + n if case["scaling"] == "row" else 2)
    return Work(size, accounting.gemm_flops(m, n, k), "read", case.dtype, resident_bytes=size)


def build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    import torch

    generator = device.generator(seed)
    m, n, k = case["M"], case["N"], case["K"]
    x, w = device.normal((m, k), case.dtype, generator), device.normal((n, k), case.dtype, generator)
    if case.dtype != "fp8":
        return {"x": x, "w": w, "out": device.empty((m, n), case.dtype)}
    shape_a, shape_b = ((m, 1), (1, n)) if case["scaling"] == "row" else ((), ())
    scale_a = torch.rand(shape_a, generator=generator, device=device.torch_device) + 0.5
    scale_b = torch.rand(shape_b, generator=generator, device=device.torch_device) + 0.5
    return {"x": x, "w": w, "scale_a": scale_a, "scale_b": scale_b, "out": device.empty((m, n), "bf16")}


def reference(case: Case, inputs: dict[str, Any]) -> Any:
    dtype = precise(accounting.gemm_flops(case["M"], case["N"], case["K"]))
    product = inputs["x"].to(dtype) @ inputs["w"].to(dtype).T
    return product * inputs["scale_a"].to(dtype) * inputs["scale_b"].to(dtype) if case.dtype == "fp8" else product


def _torch(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    import torch

    x, w, out = inputs["x"], inputs["w"].t(), inputs["out"]
    if case.dtype == "fp8":
        scale_a, scale_b = inputs["scale_a"], inputs["scale_b"]
        return Call(lambda: torch._scaled_mm(x, w, scale_a, scale_b, out_dtype=torch.bfloat16, use_fast_accum=True))
    return Call(lambda: torch.mm(x, w, out=out), out)


def _reason(case: Case, device: Any) -> str | None:
    if case.dtype == "fp8" and device.kind == "cuda" and (device.properties.major, device.properties.minor) < (8, 9):
        return "fp8 matrix products need compute capability 8.9 or later"
    return None


OPERATIONS = [
    Operation(
        "gemm",
        "Matrix product",
        cases,
        account,
        build,
        reference,
        [Backend("torch", _torch, _reason)],
        lambda case: 1e-5 if case.dtype == "fp32" else 1e-2,
    )
]
