"""What a CUDA graph and a compiler save: the same decode step launched kernel by kernel, compiled, and replayed as one graph."""

from __future__ import annotations

import time
from typing import Any

from analytics.bench.backends import cuda_reason, first_of, triton_reason
from analytics.bench.operation import Backend, Case, Operation, Work, measured_whole
from analytics.bench.ops import step
from analytics.bench.timing import StopRule, collect, make_timer, summarise, warm_up


def cases(suite: str, device: str) -> list[Case]:
    if suite == "smoke":
        return [Case("graph", {"B": 1, "S": 64, "layers": 2, "hidden": 128, "H": 4, "K": 2, "D": 64, "ffn": 256, "vocab": 512}, priority=0)]
    return [Case("graph", {"B": batch, "S": 1024, "layers": 32, **step.LLAMA_8B}, priority=0 if batch == 1 else 1) for batch in (1, 32)]


def account(case: Case) -> Work:
    return step.account(case)


def measure(case: Case, backend: str, device: Any, seconds: float) -> dict[str, Any]:
    """Times of the step: `eager` and `compile` by the wall clock with the launches in them, `graph` by replay.

    `compile` is torch.compile without its own graphs, so that what it saves is fused kernels alone; compiling is not timed.
    """
    inputs = step.build(case, device, 0)
    run = step.make_step(case, inputs, device, "torch-sdpa")
    if backend == "compile":
        import torch

        run = torch.compile(run, dynamic=False)
    estimate = warm_up([run], device)
    rule = StopRule(max_seconds=seconds)
    if backend == "graph":
        timer = make_timer([run], device, estimate, "graph")
        samples, name = collect(timer.sample, rule), timer.name
    else:

        def sample() -> float:
            device.sync()
            start = time.perf_counter()
            run()
            device.sync()
            return time.perf_counter() - start

        samples, name = collect(sample, rule), "wall"
    summary = summarise(samples)
    kernels = account(case).kernels
    return {"status": "ok", "timer": name, "value_name": "us_per_kernel", "value": summary.median_us / kernels, **vars(summary)}


_REASON = cuda_reason("a CUDA graph")
_COMPILER = first_of(cuda_reason("a compiled step"), triton_reason)

OPERATIONS = [
    Operation(
        "graph",
        "Launches against one graph",
        cases,
        account,
        step.build,
        None,
        [
            Backend("eager", measured_whole, _REASON),
            Backend("compile", measured_whole, _COMPILER),
            Backend("graph", measured_whole, _REASON),
        ],
        measure=measure,
    )
]
