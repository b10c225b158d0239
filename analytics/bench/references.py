"""What a right answer is: plain references in float64 (small cases) or float32 by request (large ones), and how far an output is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SMALL_FLOPS = 2e9  # up to here a reference runs in float64


def precise(flops: float) -> Any:
    """The dtype a reference runs in."""
    import torch

    return torch.float64 if flops <= SMALL_FLOPS else torch.float32


@dataclass(frozen=True)
class Errors:
    """Distance of an output from its reference."""

    rel_l2: float
    max_abs: float
    cosine: float  # 1 - 2 <a, b> / (|a|^2 + |b|^2)
    finite: bool

    def fault(self, tolerance: float) -> str | None:
        """Why the output is wrong, or None."""
        if not self.finite:
            return "the output holds values that are not finite, or elements that were never written"
        if not self.rel_l2 <= tolerance:
            return f"relative L2 error {self.rel_l2:.2e} is above {tolerance:.0e}"
        return None


def compare(output: Any, reference: Any) -> Errors:
    """Errors of one tensor or of a sequence of tensors; shapes must match."""
    outputs = output if isinstance(output, (list, tuple)) else [output]
    references = reference if isinstance(reference, (list, tuple)) else [reference]
    if len(outputs) != len(references):
        raise ValueError(f"{len(outputs)} outputs for {len(references)} references")
    square_error = square_reference = square_output = dot = 0.0
    worst = 0.0
    finite = True
    for got, want in zip(outputs, references):
        if tuple(got.shape) != tuple(want.shape):
            raise ValueError(f"the output has shape {tuple(got.shape)}, its reference {tuple(want.shape)}")
        got, want = got.to(want.dtype).reshape(-1), want.reshape(-1)
        for start in range(0, got.numel(), 1 << 24):  # in pieces, so that a large output needs no second copy of itself
            a, b = got[start : start + (1 << 24)].double(), want[start : start + (1 << 24)].double()
            finite = finite and bool(a.isfinite().all())
            error = (a - b).abs()
            square_error += float((error * error).sum())
            square_reference += float((b * b).sum())
            square_output += float((a * a).sum())
            dot += float((a * b).sum())
            worst = max(worst, float(error.max()) if error.numel() else 0.0)
    if not finite or not np.isfinite(square_error):
        return Errors(float("inf"), float("inf"), float("inf"), False)
    relative = (square_error / square_reference) ** 0.5 if square_reference else (0.0 if square_error == 0 else float("inf"))
    both = square_output + square_reference
    return Errors(relative, worst, 1 - 2 * dot / both if both else 0.0, True)


def paged_to_dense(pool: Any, table: Any, tokens: int) -> Any:
    """Pages [pages, ..., page, width] by a table [B, n] -> [B, ..., tokens, width]; the page axis is the one before the width."""
    picked = pool[table.long()]  # [B, n, ..., page, width]
    moved = picked.movedim(1, -3)  # [B, ..., n, page, width]
    return moved.flatten(-3, -2)[..., :tokens, :]


def decode_attention(
    q: Any, k: Any, v: Any, lengths: Sequence[int], *, window: int = 0, scale: float, v_scale: float = 1.0, dtype: Any
) -> Any:
    """Attention of one query token a request: q [B, H, D], k [B, K, S, D], v [B, K, S, Dv] -> [B, H, Dv]."""
    import torch

    rows = []
    group = q.shape[1] // k.shape[1]
    for request, length in enumerate(lengths):
        first = max(length - window, 0) if window else 0
        keys = k[request, :, first:length].to(dtype)
        values = v[request, :, first:length].to(dtype)
        queries = q[request].to(dtype).reshape(k.shape[1], group, q.shape[2])
        weights = (queries @ keys.transpose(1, 2) * scale).softmax(-1)
        rows.append((weights @ values * v_scale).reshape(q.shape[1], -1))
    return torch.stack(rows)


def prefill_attention(q: Any, k: Any, v: Any, *, scale: float, dtype: Any) -> Any:
    """Causal attention of T new tokens at the end of S: q [B, H, T, D], k, v [B, K, S, D] -> [B, H, T, Dv]."""
    import torch

    new, total = q.shape[2], k.shape[2]
    group = q.shape[1] // k.shape[1]
    out = torch.empty((*q.shape[:3], v.shape[3]), dtype=dtype, device=q.device)
    visible = torch.arange(total, device=q.device)[None, :] <= torch.arange(total - new, total, device=q.device)[:, None]
    for request in range(q.shape[0]):
        for head in range(q.shape[1]):
            scores = q[request, head].to(dtype) @ k[request, head // group].to(dtype).T * scale
            out[request, head] = scores.masked_fill(~visible, float("-inf")).softmax(-1) @ v[request, head // group].to(dtype)
    return out


def expert_ffn(x: Any, gate_up: Any, down: Any, counts: Sequence[int], dtype: Any) -> Any:
    """Gated feed-forward of rows sorted by expert: x [n, h], gate_up [E, h, 2f], down [E, f, h] -> [n, h]."""
    import torch

    out = torch.empty((x.shape[0], down.shape[2]), dtype=dtype, device=x.device)
    start = 0
    for expert, count in enumerate(counts):
        if count:
            both = x[start : start + count].to(dtype) @ gate_up[expert].to(dtype)
            gate, up = both.chunk(2, dim=-1)
            out[start : start + count] = (torch.nn.functional.silu(gate) * up) @ down[expert].to(dtype)
        start += count
    return out
