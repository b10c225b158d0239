"""A whole session: what to run in which order, in a child process with a time limit, row by row into a file that can be continued."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analytics.bench import record as records
from analytics.bench.ceilings import ceiling_rows
from analytics.bench.operation import Backend, Case, Operation
from analytics.bench.predict import Ceilings, Spec
from analytics.bench.protocol import Session, base_row
from analytics.bench.timing import StopRule

SUITES = ("smoke", "quick", "full")
ROOT = Path(__file__).resolve().parents[2]
EXIT_OK, EXIT_WRONG, EXIT_CUT = 0, 3, 4


@dataclass
class Options:
    """What a session is asked to do."""

    suite: str = "smoke"
    device: str = "cpu"
    out: Path = Path("records.jsonl")
    backends: Sequence[str] | None = None
    budget_s: float | None = None
    case_limit_s: float = 90.0
    resume: bool = False
    shard: tuple[int, int] = (1, 1)
    timer: str | None = None
    spec_of: Callable[[str], Spec] = lambda device: Spec()  # what the vendor states of a device, by the name the driver gives it
    threads: int = 2  # on a CPU
    tune: bool = False  # time every candidate form of our kernels too

    def __post_init__(self) -> None:
        if self.budget_s is not None and not 0 <= self.budget_s <= 1e7:
            raise Refused(f"--budget-s must be from 0 to 10,000,000 s, got {self.budget_s:g}")
        if not 0 < self.case_limit_s <= 1e7:
            raise Refused(f"--case-limit-s must be above 0 and at most 10,000,000 s, got {self.case_limit_s:g}")

    @property
    def seconds(self) -> float:
        """Longest time a case is sampled."""
        return 0.2 if self.suite == "smoke" else 2.0

    @property
    def most_sets(self) -> int:
        """Input sets that calls go round at most; a smoke run need not be cold."""
        return 8 if self.suite == "smoke" else 64

    @property
    def rule(self) -> StopRule:
        return StopRule(min_samples=10, min_seconds=0.02, max_samples=40) if self.suite == "smoke" else StopRule()


class Refused(ValueError):
    """The session cannot start; the sentence says why."""


def plan(operations: Sequence[Operation], suite: str, device_kind: str, shard: tuple[int, int] = (1, 1)) -> list[tuple[Operation, Case]]:
    """Cases in the order they run: the most informative shape of every operation first. Shard (i, n) takes every n-th, from the i-th."""
    if suite not in SUITES:
        raise Refused(f"suite must be one of {', '.join(SUITES)}, got {suite!r}")
    index, count = shard
    if not 1 <= index <= count:
        raise Refused(f"shard must be i/n with 1 <= i <= n, got {index}/{count}")
    every: list[tuple[int, Operation, Case]] = []
    seen: set[str] = set()
    for operation in operations:
        for case in operation.cases(suite, device_kind):
            if case.text() not in seen:
                seen.add(case.text())
                every.append((case.priority, operation, case))
    every.sort(key=lambda item: item[0])
    return [(operation, case) for _, operation, case in every][index - 1 :: count]


def wanted_backends(operation: Operation, options: Options) -> list[Backend]:
    """Backends of an operation that a session runs: those named, or all; forms for tuning only when named or asked for."""
    if options.backends:
        return [backend for backend in operation.backends if backend.name in options.backends]
    return [backend for backend in operation.backends if options.tune or not backend.tuning]


class Child:
    """The measuring process: started when needed, killed when it hangs."""

    def __init__(self, device: str, command: Sequence[str] = (sys.executable, "-m", "analytics.bench.worker"), threads: int = 2):
        self._command = [*command, device, str(threads)]
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""

    def ask(self, request: dict[str, Any], limit_s: float) -> dict[str, Any]:
        """One request, one answer; TimeoutError past the limit, RuntimeError if the process ended. Either way the next ask starts anew."""
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            return self._line(limit_s)
        except TimeoutError:  # before OSError, whose subclass it is
            self.stop()
            raise
        except (OSError, EOFError):
            code = process.wait(timeout=10)
            self.stop()
            raise RuntimeError(f"the measuring process ended with {code}") from None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None:
            return self._process
        self._buffer = b""
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            first = self._line(180.0)
        except (EOFError, TimeoutError):
            self.stop()
            raise Refused("the measuring process did not start; is torch installed (requirements-bench.txt)?") from None
        if "refused" in first:
            self.stop()
            raise Refused(first["refused"])
        return self._process

    def _line(self, limit_s: float) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        source = self._process.stdout.fileno()
        end = time.monotonic() + limit_s
        while b"\n" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([source], [], [], left)[0]:
                raise TimeoutError
            piece = os.read(source, 1 << 16)
            if not piece:
                raise EOFError
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def stop(self) -> None:
        """End the process and what it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _done_keys(options: Options) -> set[str]:
    """Keys of the rows a file holds already; a file that exists is refused without --resume."""
    if not options.out.exists() or options.out.stat().st_size == 0:
        return set()
    if not options.resume:
        raise Refused(f"{options.out} exists; continue it with --resume or name another file")
    return {row["row_key"] for row in records.read(options.out)}


def _left(todo: list[tuple[Operation, Case]], options: Options, device: str, done: set[str]) -> list[tuple[int, Operation, Case]]:
    """What a file does not hold yet, each with its number in the plan: cases of which any wanted backend has no row of this device."""

    def key(case: Case, backend: Backend) -> str:
        parts = {"op": case.op, "params": dict(case.params), "dtype": case.dtype, "dtype_kv": case.dtype_kv}
        return records.row_key({**parts, "backend": backend.name, "device": device})

    return [
        (number, operation, case)
        for number, (operation, case) in enumerate(todo)
        if any(key(case, backend) not in done for backend in wanted_backends(operation, options))
    ]


def _asked(child: Child, request: dict[str, Any], limit_s: float, doing: str) -> dict[str, Any]:
    """An answer that a session cannot do without; Refused with a sentence where the measuring process hangs or ends."""
    try:
        return child.ask(request, limit_s)
    except TimeoutError:
        raise Refused(f"the measuring process was not done {doing} after {limit_s:g} s; rows written so far are kept") from None
    except RuntimeError as error:
        raise Refused(f"{error} while {doing}; rows written so far are kept") from None


def run(
    operations: Sequence[Operation],
    options: Options,
    progress: Callable[[int, int, str], None] = lambda done, total, text: None,
    child: Child | None = None,
) -> int:
    """Run a session and return its exit code: 0 when it ran, 3 when a row is wrong or impossible, 4 when the budget cut it.

    Rows are appended one by one, so that whatever ends the session leaves valid rows behind. Where a file that is continued holds
    every case already, nothing is measured and nothing written.
    """
    start = time.monotonic()
    kind = options.device.partition(":")[0]
    todo = plan(operations, options.suite, kind, options.shard)
    done = _done_keys(options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    child = child or Child(options.device, threads=options.threads)
    bad = False
    try:
        facts = _asked(child, {"do": "facts"}, 60.0, "naming the device")["facts"]
        left = _left(todo, options, facts["device"], done)
        if not left:
            what = f"{options.out} holds every case asked for" if done else "no case was asked for"
            progress(len(todo), len(todo), f"nothing left to measure: {what}")
            return EXIT_OK
        session_id = uuid.uuid4().hex[:16]
        ceilings_request = {"do": "ceilings", "session_id": session_id, "small": options.suite == "smoke"}
        progress(0, len(todo), "ceilings")
        ceilings = Ceilings(**_asked(child, ceilings_request, 300.0, "measuring the ceilings")["ceilings"])
        for row in ceiling_rows(ceilings, facts, "start"):
            records.append(options.out, row)
        spec = options.spec_of(facts["device"])
        session = Session(session_id, facts, ceilings, spec, options.rule, options.seconds, options.timer)
        shared = {
            "session_id": session_id,
            "facts": facts,
            "ceilings": asdict(ceilings),
            "spec": asdict(spec),
            "rule": asdict(options.rule),
            "seconds": options.seconds,
            "timer": options.timer,
            "most_sets": options.most_sets,
        }
        for number, operation, case in left:
            wanted = wanted_backends(operation, options)
            blank = [base_row(operation, backend, case, session, number)[0] for backend in wanted]
            if options.budget_s is not None and time.monotonic() - start > options.budget_s:
                progress(number, len(todo), "cut by the budget")
                return EXIT_CUT
            progress(number, len(todo), f"{case.op} {json.dumps(dict(case.params))}")
            asked = {"op": case.op, "params": dict(case.params), "dtype": case.dtype, "dtype_kv": case.dtype_kv}
            request = {"do": "case", "case": asked, "session": shared, "backends": [b.name for b in wanted], "seed": number}
            try:
                rows = child.ask(request, options.case_limit_s)["rows"]
            except TimeoutError:
                rows = [{**row, "status": "timeout", "message": f"not done after {options.case_limit_s:g} s"} for row in blank]
            except RuntimeError as error:
                rows = [{**row, "status": "failed", "message": str(error)} for row in blank]
            if kind == "cuda" and any(row["status"] == "failed" for row in rows):
                child.stop()  # an error of a kernel stays with its process and would fail everything after it
            for row in rows:
                if row["row_key"] not in done:
                    records.append(options.out, row)
                    bad = bad or row["status"] in ("wrong", "impossible")
        progress(len(todo), len(todo), "ceilings again")
        again = Ceilings(**_asked(child, ceilings_request, 300.0, "measuring the ceilings again")["ceilings"])
        for row in ceiling_rows(again, facts, "end", ceilings):
            records.append(options.out, row)
    finally:
        child.stop()
    progress(len(todo), len(todo), "done")
    return EXIT_WRONG if bad else EXIT_OK
