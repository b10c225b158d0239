"""Collectives between ranks started by torchrun: nccl on the GPUs of one machine, gloo between processes on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from analytics import accounting
from analytics.bench.operation import Backend, Case, Operation, Work, measured_whole
from analytics.bench.timing import StopRule, collect, summarise

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("all_reduce", "all_gather", "all_to_all")
KIB, MIB = 2**10, 2**20


def cases(suite: str, device: str) -> list[Case]:
    ranks = 2
    if device == "cuda":
        import torch

        ranks = max(2, torch.cuda.device_count())
    sizes = {"smoke": (64 * KIB,), "quick": (64 * KIB, 16 * MIB), "full": (16 * KIB, 256 * KIB, 4 * MIB, 64 * MIB, 512 * MIB)}[suite]
    kinds = KINDS[:1] if suite == "smoke" else KINDS
    return [
        Case("collective", {"kind": kind, "bytes": size, "ranks": ranks}, "fp32", priority=0 if kind == "all_reduce" else 1)
        for kind in kinds
        for size in sizes
    ]


def account(case: Case) -> Work:
    """Bytes one rank sends over the wire."""
    size, ranks = case["bytes"], case["ranks"]
    wire = accounting.all_reduce_wire_bytes(size, ranks) if case["kind"] == "all_reduce" else accounting.all_gather_wire_bytes(size, ranks)
    return Work(wire, path="link", resident_bytes=2 * size)


def measure(case: Case, backend: str, device: Any, seconds: float) -> dict[str, Any]:
    """Start the ranks, time on rank 0, and have every rank check what it received."""
    request = json.dumps({"params": dict(case.params), "device": device.kind, "seconds": seconds})
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={case['ranks']}",
        "-m",
        "analytics.bench.ops.collectives",
        request,
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120 + 4 * seconds, env=environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        reasons = [line for line in done.stderr.splitlines() if "Error" in line] or ["no message"]
        return {"status": "failed", "message": f"the ranks ended with {done.returncode}: {reasons[-1].strip()}"[:500]}
    answer = json.loads(lines[-1])
    if answer.pop("wrong"):
        return {"status": "wrong", "message": "a rank received other values than the collective must give"}
    return {"status": "ok", "timer": "wall", "err_rel_l2": 0.0, "err_max_abs": 0.0, "tolerance": 0.0, "checked_after": True, **answer}


def rank_main(request: dict[str, Any]) -> None:
    """What each rank runs."""
    import time

    import torch
    import torch.distributed as dist

    cuda = request["device"] == "cuda"
    dist.init_process_group("nccl" if cuda else "gloo")
    rank, ranks = dist.get_rank(), dist.get_world_size()
    if cuda:
        torch.cuda.set_device(rank)
    place = f"cuda:{rank}" if cuda else "cpu"
    count = max(ranks, request["params"]["bytes"] // 4 // ranks * ranks)
    kind = request["params"]["kind"]
    values = torch.arange(count, dtype=torch.float32, device=place) % 251 + rank
    out = torch.empty_like(values)
    part = values[: count // ranks].contiguous()

    def run() -> Any:
        if kind == "all_reduce":
            out.copy_(values)
            dist.all_reduce(out)
        elif kind == "all_gather":
            dist.all_gather_into_tensor(out, part)
        else:
            dist.all_to_all_single(out, values)
        return out

    def right() -> bool:
        base = torch.arange(count, dtype=torch.float32, device=place) % 251
        if kind == "all_reduce":
            want = base * ranks + ranks * (ranks - 1) / 2
        elif kind == "all_gather":
            want = torch.cat([base[: count // ranks] + r for r in range(ranks)])
        else:
            want = torch.cat([base.view(ranks, -1)[rank] + r for r in range(ranks)])
        return bool(torch.equal(out, want))

    def sample() -> float:
        dist.barrier()
        start = time.perf_counter()
        run()
        if cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - start

    out.fill_(float("nan"))
    run()
    wrong = not right()
    samples = collect(sample, StopRule(min_samples=30, max_samples=30, max_seconds=1e9))  # every rank must take the same number
    out.fill_(float("nan"))
    run()
    wrong = wrong or not right()
    flag = torch.tensor([float(wrong)], device=place)
    dist.all_reduce(flag)
    if rank == 0:
        print(json.dumps({"wrong": bool(flag.item()), **vars(summarise(samples))}), flush=True)
    dist.destroy_process_group()


def _reason(case: Case, device: Any) -> str | None:
    if device.kind == "cpu":
        return None
    import torch

    have = torch.cuda.device_count()
    return None if have >= case["ranks"] else f"{case['ranks']} ranks need as many CUDA devices, there is {have}"


OPERATIONS = [
    Operation(
        "collective",
        "Collectives between ranks",
        cases,
        account,
        lambda case, device, seed: {},
        None,
        [Backend("torch-distributed", measured_whole, _reason)],
        measure=measure,
    )
]

if __name__ == "__main__":
    rank_main(json.loads(sys.argv[1]))
