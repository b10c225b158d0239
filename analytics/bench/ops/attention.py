"""What the decode operations share: lengths of the requests of a batch, a paged cache, and the page of each token."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics.bench.operation import Case

DISTRIBUTIONS = ("equal", "spread", "lognormal", "one_long")


def lengths(case: Case) -> np.ndarray:
    """Context of each request [tokens]: B numbers of mean S, the same for equal cases.

    `equal`: all S. `spread`: even between S/2 and 3S/2. `lognormal`: sigma 1. `one_long`: one holds half of all tokens.
    """
    batch, mean = case["B"], case["S"]
    kind = case.params.get("lengths", "equal")
    if kind == "equal" or batch == 1:
        return np.full(batch, mean, dtype=np.int64)
    random = np.random.default_rng(batch * 1_000_003 + mean)
    if kind == "spread":
        weights = np.linspace(0.5, 1.5, batch)
    elif kind == "lognormal":
        weights = random.lognormal(0.0, 1.0, batch)
    elif kind == "one_long":
        weights = np.full(batch, 0.5 / (batch - 1))
        weights[0] = 0.5
    else:
        raise ValueError(f"lengths must be one of {', '.join(DISTRIBUTIONS)}, got {kind!r}")
    more = batch * (mean - 1)  # what is left after one token each
    whole = 1 + np.floor(weights / weights.sum() * more).astype(np.int64)
    whole[np.argmax(weights)] += batch * mean - whole.sum()
    return random.permutation(whole)


def page_table(case: Case, device: Any, generator: Any, longest: int) -> tuple[Any, int]:
    """A page table [B, pages of the longest request] in random order, and the number of pages of the pool."""
    import torch

    pages_each = -(-longest // case["page"])
    count = case["B"] * pages_each
    order = torch.randperm(count, generator=generator, device=device.torch_device).int()
    return order.view(case["B"], pages_each), count
