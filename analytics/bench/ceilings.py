"""The ceilings of a session: the fastest read, write, copy, link and product this device shows, and the price of a launch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from analytics.bench import record as records
from analytics.bench.operation import Case, Operation
from analytics.bench.ops import bandwidth, gemm, offload
from analytics.bench.predict import Ceilings
from analytics.bench.timing import StopRule, collect, make_timer, summarise, warm_up

MIB = 2**20
DRIFT_LIMIT = 0.02  # between the start and the end of a session


def _fastest_seconds(operation: Operation, case: Case, device: Any, rule: StopRule) -> float:
    """The fastest backend's time, of its samples the tenth percentile; a backend that cannot run the case is passed over."""
    times = []
    for backend in operation.backends:
        if backend.reason(case, device):
            continue
        calls = [backend.make(case, operation.build(case, device, i), device) for i in range(2)]
        runs = [call.run for call in calls]
        timer = make_timer(runs, device, warm_up(runs, device))
        times.append(summarise(collect(timer.sample, rule)).p10_us * 1e-6)
        device.release()
    if not times:
        raise ValueError(f"no backend of {operation.name} can run here")
    return min(times)


def _launch_floor_seconds(device: Any, rule: StopRule) -> float:
    """Time of the smallest call: one element, on the device's own timer."""
    x = device.empty((1,), "fp32").fill_(1.0)
    runs = [lambda: x.add_(0.0)]
    timer = make_timer(runs, device, warm_up(runs, device))
    return summarise(collect(timer.sample, rule)).median_us * 1e-6


def measure_ceilings(device: Any, session_id: str, small: bool = False) -> Ceilings:
    """Measure all ceilings; `small` takes sizes for a smoke run, which are lower bounds only."""
    rule = StopRule(min_samples=10 if small else 30, max_seconds=0.3 if small else 1.5)
    size = (32 if small else 256) * MIB if device.kind == "cpu" else 1024 * MIB
    operations = {operation.name: operation for operation in bandwidth.OPERATIONS}
    rates: dict[str, float] = {}
    for path in ("read", "write", "copy"):
        case = Case(f"bw.{path}", {"bytes": size}, "fp32")
        rates[path] = operations[case.op].account(case).bytes_min / _fastest_seconds(operations[case.op], case, device, rule)
    if device.kind == "cpu":
        rates["h2d"] = rates["d2h"] = rates["copy"] / 2  # host to host: each byte is read and written in the same memory
    else:
        moves = {operation.name: operation for operation in offload.OPERATIONS}
        case = Case("kv.offload", {"blocks": 4, "block_bytes": 128 * MIB}, "bf16")
        gathered = {name: _only_copy(moves[name], case, device, rule) for name in ("kv.offload", "kv.restore")}
        rates["d2h"], rates["h2d"] = gathered["kv.offload"], gathered["kv.restore"]
    flops: dict[str, float] = {}
    edge = (512 if small else 1024) if device.kind == "cpu" else gemm.SQUARE
    for dtype in ("fp32", "bf16", "fp8"):
        if device.kind == "cuda" and dtype == "fp32":
            continue  # nothing that is measured there multiplies in fp32
        case = Case("gemm", {"M": edge, "N": edge, "K": edge, **({"scaling": "tensor"} if dtype == "fp8" else {})}, dtype)
        try:
            flops[dtype] = gemm.account(case).flops / _fastest_seconds(gemm.OPERATIONS[0], case, device, rule)
        except (ValueError, RuntimeError, NotImplementedError):
            continue  # a dtype the device cannot multiply has no ceiling, and its cases say so themselves
    return Ceilings(device.name, session_id, rates, flops, _launch_floor_seconds(device, rule))


def _only_copy(operation: Operation, case: Case, device: Any, rule: StopRule) -> float:
    """Bytes per second of one large pinned copy in the direction of `operation`."""
    inputs = operation.build(Case(operation.name, case.params, case.dtype), device, 0)
    host, stage = inputs["host"], inputs["stage"]
    runs = [
        (lambda: host.copy_(stage, non_blocking=True)) if operation.name == "kv.offload" else (lambda: stage.copy_(host, non_blocking=True))
    ]
    timer = make_timer(runs, device, warm_up(runs, device), "events")
    return case["blocks"] * case["block_bytes"] / (summarise(collect(timer.sample, rule)).median_us * 1e-6)


def ceiling_rows(ceilings: Ceilings, facts: dict[str, Any], when: str, start: Ceilings | None = None) -> list[dict[str, Any]]:
    """The ceilings as records; at the end of a session next to those of its start, marked noisy where they differ by more than 2 %."""
    values = {f"{path}_gb_per_s": rate / 1e9 for path, rate in ceilings.bytes_per_s.items()}
    values |= {f"gemm_{dtype}_tflop_per_s": rate / 1e12 for dtype, rate in ceilings.flop_per_s.items()}
    values["launch_floor_us"] = ceilings.launch_floor_s * 1e6
    earlier: dict[str, float] = {}
    if start is not None:
        earlier = {row["value_name"]: row["value"] for row in ceiling_rows(start, facts, "start")}
    rows = []
    for name, value in values.items():
        row = records.blank(
            **facts,
            session_id=ceilings.session_id,
            started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            op="ceiling",
            backend="best",
            params={"what": name, "when": when},
            dtype="fp32",
            value_name=name,
            value=value,
            value_pred=earlier.get(name),
            card_id=ceilings.card_id,
            status="ok",
        )
        drift = value / earlier[name] - 1 if earlier.get(name) else 0.0
        if abs(drift) > DRIFT_LIMIT:
            row.update(
                status="noisy", drift_rel=drift, message=f"{drift:+.1%} since the start of the session, accepted are {DRIFT_LIMIT:.0%}"
            )
        row["row_key"] = records.row_key(row)
        rows.append(records.validate(row))
    return rows
