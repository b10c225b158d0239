"""The routed feed-forward of a mixture of experts: grouped products over tokens sorted by expert, balanced and skewed."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics import accounting
from analytics.bench.operation import Backend, Call, Case, Operation, Work
from analytics.bench.references import expert_ffn, precise

#: Power law (exponent) and hot expert (share of all rows) by name.
POWERS = {"power-1.01": 1.01, "power": 1.2}
HOT = {"hot-10": 0.1, "hot": 1 / 3, "hot-50": 0.5}
SKEWS = ("balanced", *POWERS, *HOT, "empty")


def _case(tokens: int, experts: int, top_k: int, hidden: int, ffn: int, skew: str = "balanced", priority: int = 1) -> Case:
    return Case("moe.grouped", {"n": tokens, "E": experts, "k": top_k, "hidden": hidden, "ffn": ffn, "skew": skew}, "bf16", None, priority)


def cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        return [_case(24, 8, 2, 64, 32, skew, 0 if skew == "balanced" else 1) for skew in SKEWS]
    if device == "cpu":
        return [_case(n, 16, 2, 512, 256, priority=0 if n == 64 else 1) for n in (1, 8, 64, 512)] + [
            _case(64, 16, 2, 512, 256, s) for s in SKEWS[1:]
        ]
    shapes = {"quick": [(128, 8, 2048, 768)], "full": [(128, 8, 2048, 768), (64, 8, 4096, 1536), (256, 8, 7168, 2048)]}[suite]
    tokens = (1, 32, 128, 512, 4096) if suite == "quick" else (1, 8, 32, 128, 512, 2048, 8192)
    out = [_case(n, *shape, priority=0 if n == 128 else 2) for shape in shapes for n in tokens]
    return out + [_case(512, *shape, skew=skew) for shape in shapes for skew in SKEWS[1:]]


def rows_per_expert(case: Case) -> np.ndarray:
    """Rows each expert gets [E], n k in all, the same for equal cases.

    `balanced`: even. `power`: proportional to 1 / rank ** 1.2, `power-1.01` to 1 / rank ** 1.01. `hot`: one expert gets a third,
    `hot-10` a tenth, `hot-50` half. `empty`: a fifth of the experts get none.
    """
    rows, experts, skew = case["n"] * case["k"], case["E"], case["skew"]
    if skew == "balanced":
        weights = np.ones(experts)
    elif skew in POWERS:
        weights = np.arange(1, experts + 1) ** -POWERS[skew]
    elif skew in HOT:
        weights = np.full(experts, (1 - HOT[skew]) / (experts - 1))
        weights[0] = HOT[skew]
    elif skew == "empty":
        weights = (np.arange(experts) >= experts // 5).astype(float)
    else:
        raise ValueError(f"skew must be one of {', '.join(SKEWS)}, got {skew!r}")
    exact = weights / weights.sum() * rows
    counts = np.floor(exact).astype(np.int64)
    short = rows - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:short]] += 1
    return np.minimum(np.random.default_rng(experts).permutation(counts), rows)


def account(case: Case) -> Work:
    hit = int((rows_per_expert(case) > 0).sum())
    size = accounting.expert_gemm_bytes(case["n"], case["E"], case["k"], case["hidden"], case["ffn"], 2, 2, True, hit)
    weights = case["E"] * 3 * case["hidden"] * case["ffn"] * 2
    flops = accounting.expert_gemm_flops(case["n"], case["k"], case["hidden"], case["ffn"])
    return Work(
        size, flops, "read", "bf16", kernels=3, resident_bytes=weights + 2 * case["n"] * case["k"] * (2 * case["hidden"] + 3 * case["ffn"])
    )


def build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    generator = device.generator(seed)
    experts, hidden, ffn = case["E"], case["hidden"], case["ffn"]
    counts = rows_per_expert(case)
    return {
        "x": device.normal((int(counts.sum()), hidden), case.dtype, generator),
        "gate_up": device.normal((experts, 2 * ffn, hidden), case.dtype, generator, hidden**-0.5),
        "down": device.normal((experts, hidden, ffn), case.dtype, generator, ffn**-0.5),
        "ends": device.integers(counts.cumsum()),
        "counts": counts,
    }


def reference(case: Case, inputs: dict[str, Any]) -> Any:
    gate_up, down = inputs["gate_up"].transpose(1, 2), inputs["down"].transpose(1, 2)
    return expert_ffn(inputs["x"], gate_up, down, inputs["counts"].tolist(), precise(account(case).flops))


def _grouped(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    import torch

    gate_up, down = inputs["gate_up"].transpose(1, 2), inputs["down"].transpose(1, 2)
    x, ends = inputs["x"], inputs["ends"]

    def run() -> Any:
        gate, up = torch._grouped_mm(x, gate_up, offs=ends).chunk(2, dim=-1)
        return torch._grouped_mm(torch.nn.functional.silu(gate) * up, down, offs=ends)

    return Call(run)


def _loop(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    """One product an expert, those without rows left out: what grouping is to beat."""
    import torch

    x, gate_up, down = inputs["x"], inputs["gate_up"], inputs["down"]
    spans = [(e, int(end - count), int(end)) for e, (count, end) in enumerate(zip(inputs["counts"], inputs["counts"].cumsum())) if count]
    out = torch.empty_like(x)

    def run() -> Any:
        for expert, start, end in spans:
            gate, up = torch.nn.functional.linear(x[start:end], gate_up[expert]).chunk(2, dim=-1)
            torch.mm(torch.nn.functional.silu(gate) * up, down[expert].t(), out=out[start:end])
        return out

    return Call(run, out)


def _grouped_reason(case: Case, device: Any) -> str | None:
    if device.kind == "cuda" and device.properties.major < 9:
        have = f"{device.properties.major}.{device.properties.minor}"
        return f"torch's grouped product needs compute capability 9.0 or later, this device has {have}"
    return None


OPERATIONS = [
    Operation(
        "moe.grouped",
        "Routed feed-forward of experts",
        cases,
        account,
        build,
        reference,
        [Backend("torch-grouped", _grouped, _grouped_reason), Backend("torch-loop", _loop)],
    )
]
