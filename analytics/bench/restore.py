"""Is a cache worth fetching back: the time to restore a context's keys and values from host memory against computing them again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from analytics import accounting
from analytics.bench import record as records
from analytics.bench.ops.step import LLAMA_8B

LAYERS = 32
CONTEXTS = (512, 2048, 8192, 32_768)


def recompute_flops(tokens: int) -> float:
    """FLOPs of a prefill of Llama 3.1 8B over a context [tokens]: its matrices, and causal attention in each layer; no head."""
    h, heads, kv, width, ffn = (LLAMA_8B[name] for name in ("hidden", "H", "K", "D", "ffn"))
    products = (h * (heads + 2 * kv) * width) + heads * width * h + 3 * h * ffn
    return LAYERS * (accounting.gemm_flops(tokens, products, 1) + accounting.prefill_attention_flops(1, tokens, heads, width))


def cache_bytes(tokens: int) -> float:
    """Bytes of the bf16 keys and values of a context of Llama 3.1 8B."""
    return tokens * accounting.gqa_kv_bytes_per_token(LAYERS, LLAMA_8B["K"], LLAMA_8B["D"])


def times_s(tokens: int, restore_gb_per_s: float, tflop_per_s: float, launch_s: float = 0.0) -> tuple[float, float]:
    """Seconds to restore a context [tokens] over a link [GB/s] after one launch [s], and to compute it again at a rate [TFLOP/s]."""
    return launch_s + cache_bytes(tokens) / (restore_gb_per_s * 1e9), recompute_flops(tokens) / (tflop_per_s * 1e12)


def crossover_tokens(restore_gb_per_s: float, tflop_per_s: float, launch_s: float = 0.0, most: int = 2**24) -> int | None:
    """The shortest context [tokens] that is restored sooner than computed; None where none up to `most` is.

    Restoring takes a launch and a time linear in the context, computing a time that grows faster: they cross at most once.
    """

    def sooner(tokens: int) -> bool:
        restore, compute = times_s(tokens, restore_gb_per_s, tflop_per_s, launch_s)
        return restore < compute

    if not sooner(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sooner(middle) else (middle, high)
    return high


def restore_or_recompute(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per device with a measured restore and a measured ceiling of products: both times at some contexts, and where they cross.

    The restore is the fastest measured way and block size; products are taken at the ceiling, so computing again is flattered.
    """
    newest = records.newest(rows)
    out = []
    for device in sorted({row["device"] for row in newest}):
        own = [row for row in newest if row["device"] == device and row["status"] == "ok"]
        restored = [row for row in own if row["op"] == "kv.restore" and row["gb_per_s"]]
        held = {row["params"].get("what"): row["value"] for row in own if row["op"] == "ceiling" and row["value"]}
        rate = held.get("gemm_bf16_tflop_per_s")
        if not restored or not rate:
            continue
        best = max(restored, key=lambda row: row["gb_per_s"])
        launch = (held.get("launch_floor_us") or 0.0) * 1e-6
        told = [(tokens, *times_s(tokens, best["gb_per_s"], rate, launch)) for tokens in CONTEXTS]
        out.append(
            {
                "device": device,
                "model": "Llama 3.1 8B, bf16 cache",
                "backend": best["backend"],
                "block_bytes": best["params"]["block_bytes"],
                "restore_gb_per_s": best["gb_per_s"],
                "recompute_tflop_per_s": rate,
                "crossover_tokens": crossover_tokens(best["gb_per_s"], rate, launch),
                "contexts": [{"tokens": n, "restore_s": r, "recompute_s": c, "recompute_per_restore": c / r} for n, r, c in told],
            }
        )
    return out
