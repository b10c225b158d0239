"""The operations that can be measured, one module each."""

from __future__ import annotations

import difflib

from analytics.bench.operation import Operation


def operations() -> dict[str, Operation]:
    """Every operation by name, in the order a session runs them."""
    from analytics.bench.ops import (
        append,
        bandwidth,
        capacity,
        collectives,
        decode,
        energy,
        experts,
        gemm,
        graphs,
        mla,
        offload,
        pages,
        prefill,
        step,
    )

    modules = (bandwidth, gemm, decode, mla, prefill, append, pages, offload, experts, step, graphs, collectives, capacity, energy)
    return {operation.name: operation for module in modules for operation in module.OPERATIONS}


def select(names: list[str] | None) -> list[Operation]:
    """The operations asked for: a full name, or a first part (`attn` takes attn.decode, attn.prefill and so on)."""
    known = operations()
    if not names:
        return list(known.values())
    chosen: dict[str, Operation] = {}
    for name in names:
        hits = {key: value for key, value in known.items() if key == name or key.startswith(name + ".") or name in key.split(".")}
        if not hits:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.3)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"operation {name!r} is not known{hint} Known are {', '.join(known)}")
        chosen.update(hits)
    return [known[key] for key in known if key in chosen]
