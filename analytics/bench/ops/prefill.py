"""Causal attention of a prefill, whole or in chunks after a cached past."""

from __future__ import annotations

from typing import Any

from analytics import accounting
from analytics.bench.backends import package_reason
from analytics.bench.operation import Backend, Call, Case, Operation, Work
from analytics.bench.references import precise, prefill_attention


def _case(batch: int, new: int, past: int, heads: tuple[int, int, int, int], priority: int = 1) -> Case:
    shape = dict(zip(("H", "K", "D", "Dv"), heads))
    return Case("attn.prefill", {"B": batch, "T": new, "past": past, **shape}, "bf16", None, priority)


def cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        return [_case(1, 128, 0, (4, 2, 64, 64), 0), _case(1, 64, 100, (4, 2, 64, 64)), _case(1, 64, 0, (2, 2, 96, 64))]
    if device == "cpu":
        return [_case(1, 512, 0, (32, 8, 128, 128), 0), _case(1, 512, 1536, (32, 8, 128, 128)), _case(1, 512, 0, (16, 16, 192, 128))]
    llama, small, latent = (32, 8, 128, 128), (64, 8, 64, 64), (128, 128, 192, 128)
    out = [
        _case(1, 8192, 0, llama, 0),
        _case(1, 2048, 0, llama),
        _case(1, 2048, 6144, llama),
        _case(1, 4096, 0, latent),
        _case(1, 8192, 0, small),
    ]
    if suite == "full":
        out += [_case(1, new, past, llama, 2) for new in (512, 2048, 8192) for past in (0, 8192, 32768, 122880) if (new, past) != (8192, 0)]
    return out


def account(case: Case) -> Work:
    flops = accounting.prefill_attention_flops(case["B"], case["T"], case["H"], case["D"], case["past"], case["Dv"])
    size = accounting.prefill_attention_bytes(case["B"], case["T"], case["H"], case["K"], case["D"], case["past"], case["Dv"], 2, 2)
    return Work(size, flops, "read", "bf16", resident_bytes=size)


def build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    generator = device.generator(seed)
    total = case["past"] + case["T"]
    return {
        "q": device.normal((case["B"], case["H"], case["T"], case["D"]), case.dtype, generator),
        "k": device.normal((case["B"], case["K"], total, case["D"]), case.dtype, generator),
        "v": device.normal((case["B"], case["K"], total, case["Dv"]), case.dtype, generator),
    }


def reference(case: Case, inputs: dict[str, Any]) -> Any:
    return prefill_attention(inputs["q"], inputs["k"], inputs["v"], scale=case["D"] ** -0.5, dtype=precise(account(case).flops))


def _sdpa(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    """SDPA: its causal flag where nothing is cached (it aligns the mask to the first key), else the causal mask aligned to the last."""
    import torch
    from torch.nn.attention.bias import causal_lower_right

    attention = torch.nn.functional.scaled_dot_product_attention
    q, k, v = inputs["q"], inputs["k"], inputs["v"]
    if not case["past"]:
        return Call(lambda: attention(q, k, v, is_causal=True, enable_gqa=True))
    if device.kind == "cuda":
        mask = causal_lower_right(case["T"], case["T"] + case["past"])
        group = case["H"] // case["K"]
        wide_k, wide_v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        return Call(lambda: attention(q, wide_k, wide_v, attn_mask=mask))
    total = case["T"] + case["past"]
    visible = torch.ones((case["T"], total), dtype=torch.bool).tril(case["past"])
    return Call(lambda: attention(q, k, v, attn_mask=visible, enable_gqa=True))


def _flash_attn(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    from flash_attn import flash_attn_func

    q, k, v = (inputs[name].transpose(1, 2) for name in ("q", "k", "v"))
    return Call(lambda: flash_attn_func(q, k, v, causal=True).transpose(1, 2))


def _flash_attn_reason(case: Case, device: Any) -> str | None:
    absent = package_reason("flash-attn", "flash_attn")(case, device)
    return absent or (None if case["D"] == case["Dv"] else "flash-attn takes one head dimension for keys and values")


def _flashinfer(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    import flashinfer

    q, k, v = (inputs[name][0].transpose(0, 1).contiguous() for name in ("q", "k", "v"))
    return Call(lambda: flashinfer.single_prefill_with_kv_cache(q, k, v, causal=True).transpose(0, 1).unsqueeze(0))


def _flashinfer_reason(case: Case, device: Any) -> str | None:
    absent = package_reason("FlashInfer", "flashinfer")(case, device)
    return absent or (None if case["B"] == 1 else "FlashInfer's single prefill takes one request")


OPERATIONS = [
    Operation(
        "attn.prefill",
        "Causal prefill attention",
        cases,
        account,
        build,
        reference,
        [
            Backend("torch-sdpa", _sdpa),
            Backend("flash-attn", _flash_attn, _flash_attn_reason),
            Backend("flashinfer", _flashinfer, _flashinfer_reason),
        ],
    )
]
