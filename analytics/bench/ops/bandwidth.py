"""Memory bandwidth: read, write, copy and triad of one buffer, and reading pages in random order."""

from __future__ import annotations

from typing import Any

from analytics import accounting
from analytics.bench.backends import triton_reason
from analytics.bench.operation import Backend, Call, Case, Operation, Work

KIB, MIB = 2**10, 2**20


def _cases(kind: str) -> Any:
    def cases(suite: str, device: str) -> list[Case]:
        largest = 32 * MIB if suite == "smoke" else (512 * MIB if device == "cpu" else 8192 * MIB)
        sizes = {
            "smoke": [4 * MIB, 32 * MIB],
            "quick": [1 * MIB, 16 * MIB, 64 * MIB, 256 * MIB, 1024 * MIB, 4096 * MIB],
            "full": [MIB << i for i in range(14)],
        }[suite]
        top = 1024 * MIB if device == "cuda" else 256 * MIB
        return [
            Case(f"bw.{kind}", {"bytes": size}, dtype="fp32", priority=0 if size == top or suite == "smoke" and size == largest else 1)
            for size in sizes
            if size <= largest
        ]

    return cases


def _account(kind: str) -> Any:
    def account(case: Case) -> Work:
        buffers = {"read": 1, "write": 1, "copy": 2, "triad": 3}[kind]
        path = {"read": "read", "write": "write"}.get(kind, "copy")
        return Work(accounting.memory_bytes_moved(kind, case["bytes"]), path=path, resident_bytes=buffers * case["bytes"])

    return account


def _build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    import torch

    count = case["bytes"] // 4
    generator = device.generator(seed)
    x = torch.rand(count, generator=generator, device=device.torch_device)
    out = {"x": x}
    if case.op in ("bw.copy", "bw.triad"):
        out["y"] = torch.zeros_like(x)
    if case.op == "bw.triad":
        out["z"] = torch.rand(count, generator=generator, device=device.torch_device)
    return out


def _programs(device: Any) -> int:
    return 3 if device.kind == "cpu" else 8 * device.sm_count


def _read_triton(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    from analytics.bench.kernels import stream

    out = device.empty((_programs(device),), "fp32")
    return Call(lambda: stream.read(inputs["x"], out), out)


def _read_torch(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    x = inputs["x"]
    return Call(lambda: x.sum())


def _write(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    x = inputs["x"]
    return Call(lambda: x.fill_(1.5), x)


def _copy(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    x, y = inputs["x"], inputs["y"]
    return Call(lambda: y.copy_(x), y)


def _triad(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    import torch

    x, y, z = inputs["x"], inputs["y"], inputs["z"]
    return Call(lambda: torch.add(x, z, alpha=3.0, out=y), y)


def _read_reference(case: Case, inputs: dict[str, Any]) -> Any:
    import torch

    return inputs["x"].sum(dtype=torch.float64)


def _write_reference(case: Case, inputs: dict[str, Any]) -> Any:
    import torch

    return torch.full_like(inputs["x"], 1.5)


def _gather_cases(suite: str, device: str) -> list[Case]:
    pages = {"smoke": [8], "quick": [8, 32], "full": [2, 8, 32, 128]}[suite]
    total = 16 * MIB if suite == "smoke" else (256 * MIB if device == "cpu" else 4096 * MIB)
    return [
        Case("bw.gather", {"bytes": total, "page_bytes": page * KIB}, dtype="fp32", priority=0 if page in (8, 32) else 2) for page in pages
    ]


def _gather_account(case: Case) -> Work:
    return Work(accounting.memory_bytes_moved("read", case["bytes"]), path="read", resident_bytes=case["bytes"])


def _gather_build(case: Case, device: Any, seed: int) -> dict[str, Any]:
    import torch

    generator = device.generator(seed)
    words, count = case["page_bytes"] // 4, case["bytes"] // case["page_bytes"]
    x = torch.rand((count, words), generator=generator, device=device.torch_device)
    order = torch.randperm(count, generator=generator, device=device.torch_device)
    return {"x": x, "order": order, "order32": order.int()}


def _gather_triton(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    from analytics.bench.kernels import stream

    out = device.empty((_programs(device),), "fp32")
    return Call(lambda: stream.read_pages(inputs["x"], inputs["order32"], out), out)


def _gather_torch(case: Case, inputs: dict[str, Any], device: Any) -> Call:
    """Pages summed where they lie, by an embedding bag of one: reads each page once and writes one short row."""
    import torch

    x, order = inputs["x"], inputs["order"]
    offsets = device.integers([0], "int64")
    return Call(lambda: torch.nn.functional.embedding_bag(order, x, offsets, mode="sum"))


def sum_of(output: Any) -> Any:
    """Partial sums -> one value, so that kernels that split the work differently compare with one reference."""
    return output.double().sum()


OPERATIONS = [
    Operation(
        "bw.read",
        "Read bandwidth",
        _cases("read"),
        _account("read"),
        _build,
        _read_reference,
        [Backend("triton", _read_triton, triton_reason), Backend("torch", _read_torch)],
        tolerance=lambda case: 1e-5,
        reduce=sum_of,
    ),
    Operation(
        "bw.write",
        "Write bandwidth",
        _cases("write"),
        _account("write"),
        _build,
        _write_reference,
        [Backend("torch", _write)],
        lambda case: 0.0,
    ),
    Operation(
        "bw.copy",
        "Copy bandwidth",
        _cases("copy"),
        _account("copy"),
        _build,
        lambda case, inputs: inputs["x"],
        [Backend("torch", _copy)],
        lambda case: 0.0,
    ),
    Operation(
        "bw.triad",
        "Triad bandwidth",
        _cases("triad"),
        _account("triad"),
        _build,
        lambda case, inputs: inputs["x"] + 3.0 * inputs["z"],
        [Backend("torch", _triad)],
        lambda case: 1e-6,
    ),
    Operation(
        "bw.gather",
        "Reading pages in random order",
        _gather_cases,
        _gather_account,
        _gather_build,
        _read_reference,
        [Backend("triton", _gather_triton, triton_reason), Backend("torch", _gather_torch)],
        tolerance=lambda case: 1e-5,
        reduce=sum_of,
    ),
]
