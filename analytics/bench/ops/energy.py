"""Energy of an operation replayed for ten seconds and more, by the driver's counter and by power samples."""

from __future__ import annotations

import time
from typing import Any

from analytics.bench.backends import cuda_reason, first_of
from analytics.bench.nvml import PowerSampler, judge_energy
from analytics.bench.operation import Backend, Case, Operation, Work, measured_whole
from analytics.bench.ops import decode, gemm
from analytics.bench.timing import make_timer, warm_up

WINDOW_S = 10.5  # counters need 10 s (see `nvml.judge_energy`)
COOL_C, COOL_S = 45, 20.0  # wait until this cool, or this long


def cases(suite: str, device: str) -> list[Case]:
    big = {"what": "gemm", "M": 8192, "N": 8192, "K": 8192}
    read = {"what": "attn.decode", "B": 32, "S": 4096, "H": 32, "K": 8, "D": 128, "page": 0}
    if suite == "smoke":
        return [Case("energy", {"what": "gemm", "M": 64, "N": 512, "K": 512}, "bf16", priority=0)]
    return [Case("energy", read, "bf16", priority=0), Case("energy", big, "bf16", priority=0)]


def _inner(case: Case) -> tuple[Operation, Case]:
    operation = {"gemm": gemm, "attn.decode": decode}[case["what"]].OPERATIONS[0]
    return operation, Case(operation.name, {name: value for name, value in case.params.items() if name != "what"}, case.dtype)


def account(case: Case) -> Work:
    operation, inner = _inner(case)
    return operation.account(inner)


def measure(case: Case, backend: str, device: Any, seconds: float) -> dict[str, Any]:
    """Replay for `WINDOW_S` seconds; joules a call from the counter, checked against power samples."""
    operation, inner = _inner(case)
    implementation = next(b for b in operation.backends if b.name == backend)
    call = implementation.make(inner, operation.build(inner, device, 0), device)
    timer = make_timer([call.run], device, warm_up([call.run], device), "graph")
    waited = time.monotonic()
    while (device.nvml.temperature_c() or 0) > COOL_C and time.monotonic() - waited < COOL_S:
        time.sleep(0.5)
    calls, first = 0, device.nvml.energy_j()
    start = time.monotonic()
    with PowerSampler(device.nvml) as sampler:
        while time.monotonic() - start < WINDOW_S:
            timer.sample()
            calls += timer.repeats  # type: ignore[attr-defined]
    window, last = time.monotonic() - start, device.nvml.energy_j()
    counter = None if first is None or last is None else last - first
    reading = judge_energy(counter, sampler.samples, window)
    if reading.joules is None:
        return {"status": "unsupported", "message": "the driver gives neither an energy counter nor power here"}
    work = account(case)
    joules = reading.joules / calls
    name, amount = ("pj_per_flop", work.flops) if work.flops > 200 * work.bytes_min else ("pj_per_byte", work.bytes_min)
    return {
        "status": "ok",
        "energy_j_per_call": joules,
        "energy_method": reading.method,
        "power_valid": reading.valid,
        "message": reading.reason or None,
        "power_w_mean": reading.watts_mean,
        "value_name": name,
        "value": joules / amount * 1e12,
    }


def _no_counter(case: Case, device: Any) -> str | None:
    return None if device.nvml is not None else "the driver's management library cannot be used here"


def _only(backend: str) -> Any:
    def reason(case: Case, device: Any) -> str | None:
        operation, inner = _inner(case)
        implementation = next((b for b in operation.backends if b.name == backend), None)
        return f"{operation.name} has no backend {backend}" if implementation is None else implementation.reason(inner, device)

    return reason


_CUDA = cuda_reason("an energy reading")

OPERATIONS = [
    Operation(
        "energy",
        "Energy of a call",
        cases,
        account,
        lambda case, device, seed: {},
        None,
        [Backend(name, measured_whole, first_of(_CUDA, _no_counter, _only(name))) for name in ("triton", "torch")],
        measure=measure,
    )
]
