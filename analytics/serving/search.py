"""The best layout: every way to spread a model over chips, what fits, what is fastest or cheapest, and the front between the two."""

from __future__ import annotations

import numpy as np

from analytics.accounting import Numbers
from analytics.serving.chips import Chip
from analytics.serving.fleet import Deployment
from analytics.serving.layout import Layout, rank_kv_bytes
from analytics.serving.precision import Precision
from analytics.serving.shapes import Shape


def layouts(shape: Shape, chips: int, domain: int = 8, pipelines: bool = False) -> list[Layout]:
    """Ways engines spread a model over exactly `chips` chips.

    Tensor parallelism stays inside one fast domain (its all-reduces run twice a layer); the rest is attention-data parallelism.
    Experts are spread over all chips of a stage, over the tensor group, or split like the rest. `pipelines` also tries stages.
    Parameters: shape; chips, at least 1; domain, chips joined by the fast link. Returns: layouts possible for the shape.
    """
    if chips < 1:
        raise ValueError(f"chips must be at least 1, got {chips}")
    found = []
    for stages in _divisors(chips) if pipelines else [1]:
        for tensor in _divisors(chips // stages):
            if tensor > domain:
                continue
            data = chips // stages // tensor
            spreads = {1, tensor * data} if shape.moe_layers else {1}
            for expert in sorted(spreads):
                layout = Layout(tensor=tensor, data=data, expert=expert, pipeline=stages)
                whole_copies = data > 1 and expert == 1 and shape.moe_layers > 0
                if layout.problem(shape) is None and not whole_copies:
                    found.append(layout)
    return found


def most_sequences(shape: Shape, chip: Chip, chips: int, precision: Precision, context: Numbers) -> tuple[np.ndarray, list[str]]:
    """Most sequences at a context that fit on `chips` chips together, over the layouts, and the layout that holds them.

    Parameters: shape; chip; chips; precision; context [tokens], array. Returns: sequences (float, 0 where the weights alone do not
    fit), and for each context the layout in words ("" where nothing fits). Independent replicas of fewer chips count too.
    """
    context = np.atleast_1d(np.asarray(context, dtype=float))
    best = np.zeros(context.shape)
    words = [""] * context.size
    for group in _divisors(chips):
        for layout in layouts(shape, group, chip.domain):
            deployment = Deployment(shape, chip, layout, precision)
            per_rank = np.floor(deployment.memory().free / rank_kv_bytes(deployment.cached_shape, layout, precision, context))
            held = np.maximum(per_rank, 0.0) * layout.data * (chips // group)
            name = layout.describe() if group == chips else f"{chips // group} x {layout.describe()}"
            words = [name if better else old for better, old in zip(held > best, words)]
            best = np.maximum(best, held)
    return best, words


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]
