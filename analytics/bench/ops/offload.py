"""Cache blocks to host memory and back: block by block, gathered first, or by a kernel that writes pinned host memory itself."""

from __future__ import annotations

from typing import Any

from analytics.bench.backends import cuda_reason, first_of, triton_reason
from analytics.bench.operation import Backend, Call, Case, Operation, Work
from analytics.bench.ops.pages import exact

KIB = 2**10


def _cases(name: str) -> Any:
    def cases(suite: str, device: str) -> list[Case]:
        if suite == "smoke":
            return [Case(name, {"blocks": 6, "block_bytes": 4 * KIB}, priority=0)]
        sizes = (4, 64, 1024) if suite == "quick" else (4, 16, 64, 256, 1024, 4096)
        total = 64 * KIB if device == "cpu" else 256 * KIB  # KiB moved in all
        return [Case(name, {"blocks": max(4, total // size), "block_bytes": size * KIB}, priority=0 if size == 64 else 2) for size in sizes]

    return cases


def _account(name: str) -> Any:
    def account(case: Case) -> Work:
        size = case["blocks"] * case["block_bytes"]  # each byte crosses the link once
        return Work(size, path="d2h" if name == "kv.offload" else "h2d", resident_bytes=3 * size)

    return account


def build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    """A pool of twice the blocks on the device, a host buffer (pinned where that means something) and the blocks to move."""
    import torch

    generator = device.generator(seed)
    words, count = case["block_bytes"] // 4, case["blocks"]
    pool = torch.randint(-(2**30), 2**30, (2 * count, words), generator=generator, device=device.torch_device, dtype=torch.int32)
    order = torch.randperm(2 * count, generator=generator, device=device.torch_device)[:count]
    host = torch.randint(-(2**30), 2**30, (count, words), dtype=torch.int32, generator=torch.Generator().manual_seed(seed + 1))
    if device.kind == "cuda":
        host = host.pin_memory()
    return {
        "pool": pool,
        "host": host,
        "order": order,
        "order32": order.int(),
        "straight": device.integers(range(count)),
        "stage": pool[:count].clone(),
    }


def _offload_reference(case: Case, inputs: dict[str, Any]) -> Any:
    return inputs["pool"][inputs["order"]].cpu()


def _restore_reference(case: Case, inputs: dict[str, Any]) -> Any:
    pool = inputs["pool"].clone()
    for place, block in enumerate(inputs["order"].tolist()):
        pool[block] = inputs["host"][place].to(pool.device)
    return pool


def _by_block(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    pool, host, blocks = inputs["pool"], inputs["host"], inputs["order"].tolist()
    if case.op == "kv.offload":

        def run() -> Any:
            for place, block in enumerate(blocks):
                host[place].copy_(pool[block], non_blocking=True)
            return host

    else:

        def run() -> Any:
            for place, block in enumerate(blocks):
                pool[block].copy_(host[place], non_blocking=True)
            return pool

    return Call(run)


def _gathered(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    """One gather on the device and one copy over the link (or the reverse)."""
    import torch

    pool, host, order, stage = inputs["pool"], inputs["host"], inputs["order"], inputs["stage"]
    if case.op == "kv.offload":

        def run() -> Any:
            torch.index_select(pool, 0, order, out=stage)
            return host.copy_(stage, non_blocking=True)

    else:

        def run() -> Any:
            stage.copy_(host, non_blocking=True)
            return pool.index_copy_(0, order, stage)

    return Call(run)


def _mapped(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    """Our page-copy kernel with the host buffer as its target or source."""
    from analytics.bench.kernels import stream

    pool, host, order, straight = inputs["pool"], inputs["host"], inputs["order32"], inputs["straight"]
    if case.op == "kv.offload":
        return Call(lambda: stream.copy_pages(pool, host, order, straight))
    return Call(lambda: stream.copy_pages(host, pool, straight, order))


_BACKENDS = [
    Backend("per-block", _by_block),
    Backend("gather-then-copy", _gathered),
    Backend("triton-mapped", _mapped, first_of(cuda_reason("writing pinned host memory from a kernel"), triton_reason)),
]

OPERATIONS = [
    Operation(
        "kv.offload",
        "Cache blocks to host memory",
        _cases("kv.offload"),
        _account("kv.offload"),
        build,
        _offload_reference,
        _BACKENDS,
        exact,
    ),
    Operation(
        "kv.restore",
        "Cache blocks back from host memory",
        _cases("kv.restore"),
        _account("kv.restore"),
        build,
        _restore_reference,
        _BACKENDS,
        exact,
    ),
]
