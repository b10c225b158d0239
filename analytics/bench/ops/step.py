"""A whole decode step of a Llama-shaped model: tokens a second by batch, for the critical batch and the fit of the serving model."""

from __future__ import annotations

from typing import Any

from analytics import accounting
from analytics.bench.backends import compute_dtype, triton_reason
from analytics.bench.operation import Backend, Call, Case, Operation, Work

ROPE_BASE = 500_000.0  # of Llama 3.1 (rope_theta in its configuration)
LLAMA_8B = {"hidden": 4096, "H": 32, "K": 8, "D": 128, "ffn": 14336, "vocab": 128_256}
KERNELS_PER_LAYER = 9  # two norms, four products, rotation with append, attention, gate


def _case(batch: int, context: int, layers: int, priority: int = 1, **shape: int) -> Case:
    return Case("step", {"B": batch, "S": context, "layers": layers, **(shape or LLAMA_8B)}, "bf16", None, priority)


def cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        tiny = {"hidden": 128, "H": 4, "K": 2, "D": 64, "ffn": 256, "vocab": 512}
        return [_case(b, 64, 2, 0 if b == 1 else 1, **tiny) for b in (1, 4)]
    if device == "cpu":
        small = {"hidden": 1024, "H": 16, "K": 4, "D": 64, "ffn": 2816, "vocab": 8192}
        return [_case(b, s, 4, 0 if b == 1 else 1, **small) for s in (512, 2048) for b in (1, 4, 16, 64)]
    contexts, batches = (
        ((1024, 8192), (1, 16, 64, 128, 256)) if suite == "quick" else ((1024, 8192), (1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384, 512))
    )
    layers = (8,) if suite == "quick" else (8, 32)
    return [_case(b, s, n, 0 if b in (1, 128) else 1) for n in layers for s in contexts for b in batches if b * s * n * 4096 <= 40e9]


def _layer_elements(case: Case) -> int:
    hidden, heads = case["hidden"], case["H"] * case["D"]
    return hidden * (heads + 2 * case["K"] * case["D"]) + heads * hidden + 3 * hidden * case["ffn"]


def account(case: Case) -> Work:
    batch, layers, size = case["B"], case["layers"], case.element_bytes
    weights = layers * _layer_elements(case) + case["hidden"] * case["vocab"]
    kv = layers * accounting.decode_attention_kv_bytes(batch, case["S"], case["K"], case["D"], case.kv_element_bytes)
    append = layers * accounting.kv_append_bytes(batch, 2 * case["K"] * case["D"], size, case.kv_element_bytes)
    activations = batch * (case["hidden"] + case["vocab"]) * size
    flops = 2.0 * batch * weights + layers * accounting.decode_attention_flops(batch, case["S"], case["H"], case["D"])
    total = weights * size + kv
    return Work(total + append + activations, flops, "read", "bf16", KERNELS_PER_LAYER * layers + 2, resident_bytes=total + activations)


def build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    generator = device.generator(seed)
    hidden, heads, kv = case["hidden"], case["H"] * case["D"], case["K"] * case["D"]

    def weight(rows: int, columns: int) -> Any:
        return device.normal((rows, columns), case.dtype, generator, columns**-0.5)

    def cache() -> Any:
        return device.normal((case["B"], case["K"], case["S"], case["D"]), case.dtype, generator)

    layers = [
        {
            "qkv": weight(heads + 2 * kv, hidden),
            "out": weight(hidden, heads),
            "gate_up": weight(2 * case["ffn"], hidden),
            "down": weight(hidden, case["ffn"]),
            "k": cache(),
            "v": cache(),
        }
        for _ in range(case["layers"])
    ]
    return {"x": device.normal((case["B"], hidden), case.dtype, generator), "layers": layers, "head": weight(case["vocab"], hidden)}


def _norm(x: Any) -> Any:
    return x * (x.float().square().mean(-1, keepdim=True) + 1e-5).rsqrt().to(x.dtype)


def rotation(case: Case, device: Any, dtype: Any) -> tuple[Any, Any]:
    """Cosine and sine of the rotary position of the newest token, S - 1: each [D]."""
    import torch

    half = torch.arange(0, case["D"], 2, dtype=torch.float64, device=device) / case["D"]
    angle = (case["S"] - 1) * ROPE_BASE**-half
    return torch.cat([angle.cos()] * 2).to(dtype), torch.cat([angle.sin()] * 2).to(dtype)


def _rotate(x: Any, cosine: Any, sine: Any) -> Any:
    import torch

    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat([-second, first], dim=-1) * sine


def reference(case: Case, inputs: dict[str, Any]) -> Any:
    """The step in float32, layer by layer, without writing to the caches."""
    import torch

    x = inputs["x"].float()
    cosine, sine = rotation(case, x.device, torch.float32)
    group = case["H"] // case["K"]
    for layer in inputs["layers"]:
        parts = (_norm(x) @ layer["qkv"].float().T).split([case["H"] * case["D"], case["K"] * case["D"], case["K"] * case["D"]], dim=-1)
        q, k, v = (part.view(case["B"], -1, case["D"]) for part in parts)
        keys, values = layer["k"].float().clone(), layer["v"].float().clone()
        keys[:, :, -1], values[:, :, -1] = _rotate(k, cosine, sine), v
        grouped = _rotate(q, cosine, sine).view(case["B"], case["K"], group, case["D"])
        weights = (grouped @ keys.transpose(2, 3) * case["D"] ** -0.5).softmax(-1)
        x = x + (weights @ values).reshape(case["B"], -1) @ layer["out"].float().T
        gate, up = (_norm(x) @ layer["gate_up"].float().T).chunk(2, dim=-1)
        x = x + (torch.nn.functional.silu(gate) * up) @ layer["down"].float().T
    return _norm(x) @ inputs["head"].float().T


def make_step(case: Case, inputs: dict[str, Any], device: Any, attention: str) -> Any:
    """A callable that runs the step with `attention` "torch-sdpa" or "triton" and returns the logits [B, vocab]."""
    import torch

    functional = torch.nn.functional
    cosine, sine = rotation(case, device.torch_device, inputs["x"].dtype)
    sizes = [case["H"] * case["D"], case["K"] * case["D"], case["K"] * case["D"]]
    kernels: list[Any] = []
    queries: list[Any] = []
    if attention == "triton":
        from analytics.bench.kernels.decode import GqaDecode

        lengths = device.integers([case["S"]] * case["B"])
        for layer in inputs["layers"]:
            queries.append(device.empty((case["B"], case["H"], case["D"]), case.dtype))
            kernels.append(
                GqaDecode(queries[-1], layer["k"], layer["v"], lengths, case["S"], sm_count=device.sm_count, compute=compute_dtype())
            )

    def run() -> Any:
        x = inputs["x"]
        for number, layer in enumerate(inputs["layers"]):
            parts = functional.linear(_norm(x), layer["qkv"]).split(sizes, dim=-1)
            q, k, v = (part.view(case["B"], -1, case["D"]) for part in parts)
            layer["k"][:, :, -1].copy_(_rotate(k, cosine, sine))
            layer["v"][:, :, -1].copy_(v)
            q = _rotate(q, cosine, sine)
            if kernels:
                queries[number].copy_(q)
                seen = kernels[number]()
            else:
                seen = functional.scaled_dot_product_attention(q.unsqueeze(2), layer["k"], layer["v"], enable_gqa=True).squeeze(2)
            x = x + functional.linear(seen.reshape(case["B"], -1), layer["out"])
            gate, up = functional.linear(_norm(x), layer["gate_up"]).chunk(2, dim=-1)
            x = x + functional.linear(functional.silu(gate) * up, layer["down"])
        return functional.linear(_norm(x), inputs["head"])

    return run


def _make(attention: str) -> Any:
    return lambda case, inputs, device: Call(make_step(case, inputs, device, attention))


def tolerance(case: Case) -> float:
    """bf16 rounding of the residual stream adds up over the layers: 2 % and half a percent a layer."""
    return 0.02 + 0.005 * case["layers"]


def tokens_per_second(case: Case, seconds: float) -> tuple[str, float]:
    return "tokens_per_s", case["B"] / seconds


OPERATIONS = [
    Operation(
        "step",
        "Decode step of a Llama-shaped model",
        cases,
        account,
        build,
        reference,
        [Backend("triton", _make("triton"), triton_reason), Backend("torch-sdpa", _make("torch-sdpa"))],
        tolerance,
        derive=tokens_per_second,
    )
]
