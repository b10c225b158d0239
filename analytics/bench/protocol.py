"""One case from prediction to row: predict, build, check, time the backends in turn, check again, and say how it went."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from analytics.bench import fields
from analytics.bench import record as records
from analytics.bench.env import machine_state
from analytics.bench.operation import Backend, Call, Case, Operation, Work
from analytics.bench.predict import Ceilings, Prediction, Spec, impossible, predict
from analytics.bench.references import Errors, compare
from analytics.bench.timing import StopRule, Timer, collect, make_timer, summarise, warm_up

NOISY_IQR = 0.05  # above this the quartiles are too far apart for the median to mean much
LEAST_FREE_SHARE = 0.95  # of the free memory that a case may take


@dataclass
class Session:
    """What the rows of one session share."""

    session_id: str
    facts: dict[str, Any]
    ceilings: Ceilings
    spec: Spec = field(default_factory=Spec)
    rule: StopRule = field(default_factory=StopRule)
    seconds: float = 2.0
    timer: str | None = None
    most_sets: int = 64  # input sets that calls go round at most


@dataclass
class _Ready:
    """A backend that was built and found right."""

    backend: Backend
    row: dict[str, Any]
    calls: list[Call]
    timer: Timer | None = None
    samples: list[float] = field(default_factory=list)


def first_line(error: BaseException) -> str:
    """The first line of an exception, short enough for a record."""
    text = (str(error).strip().splitlines() or [""])[0]
    return records.clean(f"{type(error).__name__}: {text}")


def status_of(error: BaseException) -> str:
    """oom for anything that ran out of memory, else failed."""
    text = str(error).lower()
    return "oom" if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text else "failed"


def base_row(
    operation: Operation, backend: Backend, case: Case, session: Session, seed: int
) -> tuple[dict[str, Any], Work, Prediction | None]:
    """A row with everything that is known before anything is run: the case, its accounting and the prediction."""
    work = operation.account(case)
    expected = predict(work, session.ceilings)
    row = records.blank(
        **session.facts,
        session_id=session.session_id,
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        op=case.op,
        backend=backend.name,
        params=dict(case.params),
        dtype=case.dtype,
        dtype_kv=case.dtype_kv,
        seed=seed,
        bytes_min=float(work.bytes_min),
        flops=float(work.flops),
        intensity=float(work.flops / work.bytes_min) if work.bytes_min else None,
        status="failed",
        message="not run",
    )
    row["row_key"] = records.row_key(row)
    if session.spec.bytes_per_s:
        row["spec_gb_per_s"] = session.spec.bytes_per_s / 1e9
    if work.flop_dtype in session.spec.flop_per_s:
        row["spec_tflop_per_s"] = session.spec.flop_per_s[work.flop_dtype] / 1e12
    if expected is not None:
        row.update(
            pred_us=expected.us,
            pred_bound=expected.bound,
            floor_us=expected.floor_us,
            card_id=session.ceilings.card_id,
            ceiling_gb_per_s=expected.ceiling_bytes_per_s / 1e9 if expected.ceiling_bytes_per_s else None,
            ceiling_tflop_per_s=expected.ceiling_flop_per_s / 1e12 if expected.ceiling_flop_per_s else None,
        )
    return row, work, expected


def check(operation: Operation, backend: Backend, case: Case, device: Any, seed: int) -> Errors:
    """Run one backend once on fresh inputs, its output poisoned first, and compare with the reference."""
    inputs = operation.build(case, device, seed)
    return check_call(operation, case, inputs, backend.make(case, inputs, device), device)


def check_call(operation: Operation, case: Case, inputs: dict[str, Any], call: Call, device: Any) -> Errors:
    """As `check`, for a call that is already prepared. The reference is computed before the call, which may write to its inputs."""
    assert operation.reference is not None
    wanted = operation.reference(case, inputs)
    if call.out is not None and call.out.dtype.is_floating_point:
        call.out.fill_(float("nan"))
    got = call.run()
    device.sync()
    if operation.reduce is not None:
        got = operation.reduce(got)
    return compare(_to(got, wanted), wanted)


def _to(got: Any, wanted: Any) -> Any:
    """The output on the device of its reference."""
    if isinstance(got, (list, tuple)):
        return [_to(one, other) for one, other in zip(got, wanted)]
    return got.to(wanted.device)


def run_case(
    operation: Operation, case: Case, device: Any, session: Session, names: Sequence[str] | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """Measure one case on every backend (or those named) and return one row each; no row is left out."""
    rows: list[dict[str, Any]] = []
    ready: list[_Ready] = []
    for backend in operation.backends:
        if backend.name not in names if names else backend.tuning:
            continue
        start = time.perf_counter()
        row, work, expected = base_row(operation, backend, case, session, seed)
        rows.append(row)
        reason = backend.reason(case, device)
        free = device.free_bytes()
        if reason:
            row.update(status="unsupported", message=reason)
        elif work.resident_bytes > LEAST_FREE_SHARE * free:
            row.update(status="oom", message=f"needs {work.resident_bytes / 1e9:.2f} GB, free are {free / 1e9:.2f} GB")
        elif operation.measure is not None:
            _measure_whole(operation, backend, case, device, session, row)
        else:
            row.update(kernel_variant=backend.variant(case, device) or None, bytes_model=float(backend.bytes_moved(case, device, work)))
            prepared = _prepare(operation, backend, case, device, session, row, work, seed)
            if prepared is not None:
                ready.append(prepared)
        row["wall_s"] = round(time.perf_counter() - start, 4)
    if ready:
        _time_in_turn(operation, case, device, session, ready, seed)
    for row in rows:
        records.validate(row)
    return rows


def _measure_whole(operation: Operation, backend: Backend, case: Case, device: Any, session: Session, row: dict[str, Any]) -> None:
    """Operations that are not "time one call" bring their own measurement."""
    assert operation.measure is not None
    row["message"] = None
    try:
        row.update(operation.measure(case, backend.name, device, session.seconds))
    except Exception as error:  # whatever a library raises becomes a row
        row.update(status=status_of(error), message=first_line(error))
    if row["message"]:
        row["message"] = records.clean(row["message"])  # it may quote what another process printed
    if row["median_us"] is not None and row["status"] in fields.TIMED:
        _rates(row)
        judge(row, operation.account(case), session.spec)


def _prepare(
    operation: Operation, backend: Backend, case: Case, device: Any, session: Session, row: dict[str, Any], work: Work, seed: int
) -> _Ready | None:
    """Build the rotated input sets and check the first; None with the row's status set where that fails."""
    tolerance = operation.tolerance(case)
    row["tolerance"] = tolerance
    try:
        sets = device.rotating_sets(max(work.resident_bytes, 1.0), session.most_sets)
        row["cache_state"] = "cold" if sets * work.resident_bytes >= 4 * device.cache_bytes else "warm"
        inputs = [operation.build(case, device, seed + i) for i in range(sets)]
        calls = [backend.make(case, one, device) for one in inputs]
        errors = check_call(operation, case, inputs[0], calls[0], device)
    except Exception as error:
        row.update(status=status_of(error), message=first_line(error))
        device.release()
        return None
    _note(row, errors)
    fault = errors.fault(tolerance)
    if fault:
        row.update(status="wrong", message=fault)
        return None
    return _Ready(backend, row, calls)


def _note(row: dict[str, Any], errors: Errors) -> None:
    if errors.finite:
        row.update(err_rel_l2=errors.rel_l2, err_max_abs=errors.max_abs, err_cos=max(0.0, errors.cosine))


def _time_in_turn(operation: Operation, case: Case, device: Any, session: Session, ready: list[_Ready], seed: int) -> None:
    """A B B A: each backend is sampled in two halves, mirrored in time, so that a drift of clocks falls on all alike."""
    pair = f"{session.session_id[:8]}-{ready[0].row['row_key'][:8]}" if len(ready) > 1 else None
    half = StopRule(
        max(1, session.rule.min_samples // 2),
        session.rule.min_seconds / 2,
        max(1, session.rule.max_samples // 2),
        session.seconds / 2 / len(ready),
        session.rule.relative_error,
    )
    before = machine_state(device)
    alive: list[_Ready] = []
    for one in ready:
        one.row["pair_id"] = pair
        try:
            runs = [call.run for call in one.calls]
            one.timer = make_timer(runs, device, warm_up(runs, device), session.timer)
            alive.append(one)
        except Exception as error:
            one.row.update(status=status_of(error), message=first_line(error))
    for order in (alive, alive[::-1]):
        for one in order:
            if one.row["message"] != "not run":
                continue
            assert one.timer is not None
            try:
                one.samples += collect(one.timer.sample, half)
            except Exception as error:
                one.row.update(status=status_of(error), message=first_line(error))
    after = machine_state(device)
    for one in alive:
        if one.row["message"] == "not run":
            _finish(operation, case, device, session, one, seed, before, after)
    for one in ready:
        one.timer = None
        one.calls.clear()
    device.release()


def _finish(
    operation: Operation, case: Case, device: Any, session: Session, one: _Ready, seed: int, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Check on fresh inputs, then write times, rates and the status."""
    row = one.row
    try:
        errors = check(operation, one.backend, case, device, seed + 7_919)
    except Exception as error:
        row.update(status=status_of(error), message=first_line(error))
        return
    fault = errors.fault(row["tolerance"])
    if fault:
        _note(row, errors)
        row.update(status="wrong", message=f"right before the timing and wrong after it: {fault}")
        return
    row["err_rel_l2"] = max(row["err_rel_l2"], errors.rel_l2)
    row["checked_after"] = True
    assert one.timer is not None
    summary = summarise(one.samples)
    row.update(
        timer=one.timer.name,
        sm_mhz_before=before["sm_mhz"],
        sm_mhz_after=after["sm_mhz"],
        mem_mhz=after["mem_mhz"],
        temperature_c=after["temperature_c"],
        throttle_bits=after["throttle_bits"],
        status="ok",
        message=None,
        **vars(summary),
    )
    if operation.derive is not None:
        row["value_name"], row["value"] = operation.derive(case, summary.median_us * 1e-6)
    _rates(row)
    judge(row, operation.account(case), session.spec, before["throttle_bits"])


def _rates(row: dict[str, Any]) -> None:
    """Achieved rates and their share of the ceiling and of the vendor's figure."""
    seconds = row["median_us"] * 1e-6
    if row["bytes_min"]:
        row["gb_per_s"] = row["bytes_min"] / seconds / 1e9
    if row["flops"]:
        row["tflop_per_s"] = row["flops"] / seconds / 1e12
    if row["pred_us"]:
        row["ratio_pred"] = row["median_us"] / row["pred_us"]
    by_flops = row["pred_bound"] == "flop"
    achieved = row["tflop_per_s"] if by_flops else row["gb_per_s"]
    for share, limit in (("frac_ceiling", "ceiling"), ("frac_spec", "spec")):
        known = row[f"{limit}_tflop_per_s" if by_flops else f"{limit}_gb_per_s"]
        if achieved and known:
            row[share] = achieved / known


def judge(row: dict[str, Any], work: Work, spec: Spec, throttle_before: int | None = None) -> None:
    """Set the status of a timed row: impossible, noisy, or ok as it is."""
    reason = impossible(row["median_us"] * 1e-6, work, spec)
    if reason:
        row.update(status="impossible", message=reason)
    elif row["iqr_rel"] > NOISY_IQR:
        row.update(status="noisy", message=f"quartiles are {row['iqr_rel']:.1%} of the median apart, accepted are {NOISY_IQR:.0%}")
    elif throttle_before is not None and row["throttle_bits"] != throttle_before:
        row.update(status="noisy", message=f"throttle reasons changed from {throttle_before:#x} to {row['throttle_bits']:#x}")
