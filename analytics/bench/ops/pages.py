"""Moving and freeing cache pages: copying them (a fork of a sequence) and evicting the least wanted ones of each sequence."""

from __future__ import annotations

from typing import Any

from analytics import accounting
from analytics.bench.backends import triton_reason
from analytics.bench.operation import Backend, Call, Case, Operation, Work

KIB = 2**10


def _copy_cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        return [Case("kv.copy", {"pages": 12, "page_bytes": 4 * KIB}, priority=0)]
    counts = (
        [(1024, 32 * KIB), (1024, 128 * KIB)]
        if device == "cpu"
        else [(4096, 32 * KIB), (4096, 128 * KIB), (64, 128 * KIB), (65536, 8 * KIB)]
    )
    return [Case("kv.copy", {"pages": n, "page_bytes": size}, priority=0 if i == 0 else 2) for i, (n, size) in enumerate(counts)]


def _copy_account(case: Case) -> Work:
    size = case["pages"] * case["page_bytes"]
    return Work(accounting.memory_bytes_moved("copy", size), path="copy", resident_bytes=2 * size)


def _copy_build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    import torch

    generator = device.generator(seed)
    count = 2 * case["pages"]
    pool = torch.randint(
        -(2**30), 2**30, (count, case["page_bytes"] // 4), generator=generator, device=device.torch_device, dtype=torch.int32
    )
    order = torch.randperm(count, generator=generator, device=device.torch_device)
    origin, goal = order[: case["pages"]].contiguous(), order[case["pages"] :].contiguous()
    return {"pool": pool, "origin": origin, "goal": goal, "origin32": origin.int(), "goal32": goal.int()}


def _copy_reference(case: Case, inputs: dict[str, Any]) -> Any:
    pool = inputs["pool"].clone()
    for origin, goal in zip(inputs["origin"].tolist(), inputs["goal"].tolist()):
        pool[goal] = inputs["pool"][origin]
    return pool


def _copy_triton(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    from analytics.bench.kernels import stream

    pool = inputs["pool"]
    return Call(lambda: stream.copy_pages(pool, pool, inputs["origin32"], inputs["goal32"]))


def _copy_torch(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    pool, origin, goal = inputs["pool"], inputs["origin"], inputs["goal"]
    return Call(lambda: pool.index_copy_(0, goal, pool.index_select(0, origin)))


def _evict_cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        return [Case("kv.evict", {"B": 3, "pages": 20, "keep": 8}, priority=0)]
    shapes = [(32, 256, 128), (256, 2048, 1024)] + ([(64, 8192, 2048)] if suite == "full" else [])
    return [Case("kv.evict", {"B": b, "pages": pages, "keep": keep}, priority=0 if b == 256 else 2) for b, pages, keep in shapes]


def _evict_account(case: Case) -> Work:
    """The table and the scores read, the kept and the freed page ids written; no KV is moved."""
    return Work(case["B"] * case["pages"] * (4 + 4 + 4), path="copy", kernels=3, resident_bytes=case["B"] * case["pages"] * 20)


def _evict_build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    import torch

    generator = device.generator(seed)
    count = case["B"] * case["pages"]
    table = torch.randperm(count, generator=generator, device=device.torch_device).int().view(case["B"], case["pages"])
    scores = torch.randperm(count, generator=generator, device=device.torch_device).float().view(case["B"], case["pages"])  # all different
    return {"table": table, "scores": scores}


def _evict_reference(case: Case, inputs: dict[str, Any]) -> Any:
    import torch

    kept, freed = [], []
    for table, scores in zip(inputs["table"].tolist(), inputs["scores"].tolist()):
        best = set(sorted(range(len(table)), key=lambda i: -scores[i])[: case["keep"]])
        kept.append([page for i, page in enumerate(table) if i in best])
        freed.append([page for i, page in enumerate(table) if i not in best])
    return [torch.tensor(kept, dtype=torch.float64), torch.tensor(freed, dtype=torch.float64)]


def _evict_torch(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    """Keep the best pages of each sequence in their order: a top-k, a stable sort of the mask, a gather."""
    import torch

    table, scores, keep = inputs["table"], inputs["scores"], case["keep"]

    def run() -> Any:
        gone = torch.ones_like(scores, dtype=torch.uint8).scatter_(1, scores.topk(keep, dim=1).indices, 0)
        order = gone.argsort(dim=1, stable=True)
        moved = table.gather(1, order)
        return [moved[:, :keep], moved[:, keep:]]

    return Call(run)


def _freed_per_second(case: Case, seconds: float) -> tuple[str, float]:
    return "us_per_freed_page", seconds * 1e6 / (case["B"] * (case["pages"] - case["keep"]))


def exact(case: Case) -> float:
    """The tolerance of an operation that only moves values."""
    return 0.0


OPERATIONS = [
    Operation(
        "kv.copy",
        "Copying cache pages",
        _copy_cases,
        _copy_account,
        _copy_build,
        _copy_reference,
        [Backend("triton", _copy_triton, triton_reason), Backend("torch", _copy_torch)],
        exact,
    ),
    Operation(
        "kv.evict",
        "Evicting the lowest-scored pages",
        _evict_cases,
        _evict_account,
        _evict_build,
        _evict_reference,
        [Backend("torch", _evict_torch)],
        exact,
        derive=_freed_per_second,
    ),
]
