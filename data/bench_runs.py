"""A run of the benchmark suite beside the server: started, watched and ended from a page, one at a time, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from analytics.bench import record as records
from analytics.bench.report import statuses
from data.settings import Settings

SUITES = ("smoke", "quick")
BUDGET_S = 900.0
_ROOT = Path(__file__).resolve().parents[1]
_LINE = re.compile(r"^(\d+)/(\d+) (.*)$")
_lock = threading.Lock()
_started: dict[str, subprocess.Popen[bytes]] = {}


class NotAllowed(ValueError):
    """Running benchmarks is closed on this server."""


@dataclass(frozen=True)
class RunState:
    """Where a run stands. `ended` is None while it runs, else the exit code; `message` says what it does or why it ended."""

    suite: str
    done: int
    total: int
    message: str
    ended: int | None
    rows: int
    statuses: dict[str, int]
    file: Path

    @property
    def running(self) -> bool:
        return self.ended is None


def _folder(settings: Settings) -> Path:
    return settings.home / "bench"


def start(settings: Settings, suite: str = "quick", command: list[str] | None = None) -> None:
    """Start the suite on the machine of this server. Errors: NotAllowed unless RIDGEPOINT_ADMIN is set; ValueError while one runs.

    `command` replaces the suite's own command line, for tests.
    """
    if not settings.admin:
        raise NotAllowed("running benchmarks is closed on this server; RIDGEPOINT_ADMIN=true opens it")
    if suite not in SUITES:
        raise ValueError(f"suite must be one of {', '.join(SUITES)}, got {suite!r}")
    with _lock:
        if (now := _state(settings)) is not None and now.running:
            raise ValueError("a benchmark is running already; wait for it or cancel it")
        folder = _folder(settings)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("run.jsonl", "run.log", "ended"):
            (folder / name).unlink(missing_ok=True)
        line = command or [sys.executable, "-m", "analytics.bench", "run", "--suite", suite, "--out", str((folder / "run.jsonl").resolve())]
        if command is None:
            line += ["--budget-s", str(BUDGET_S)]
        with (folder / "run.log").open("wb") as log:
            process = subprocess.Popen(line, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=_ROOT, start_new_session=True)
        (folder / "run.json").write_text(json.dumps({"suite": suite, "pid": process.pid}), encoding="utf-8")
        _started[str(folder.resolve())] = process


def state(settings: Settings) -> RunState | None:
    """The run now going or the last one, None where there was none."""
    with _lock:
        return _state(settings)


def _state(settings: Settings) -> RunState | None:
    folder = _folder(settings)
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    lines = _tail(folder / "run.log")
    done, total, message = 0, 0, lines[-1] if lines else "starting"
    for line in reversed(lines):
        if found := _LINE.match(line):
            done, total = int(found[1]), int(found[2])
            if line == lines[-1]:
                message = found[3]
            break
    rows = _rows(folder / "run.jsonl")
    return RunState(run["suite"], done, total, message, _ended(folder, run["pid"]), len(rows), statuses(rows), folder / "run.jsonl")


def _rows(file: Path) -> list[dict]:
    """Records written so far; a line that is just being written is left for the next look."""
    try:
        return records.read(file)
    except records.RecordError:
        return []


def _tail(file: Path, most: int = 20_000) -> list[str]:
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - most))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip()[:300] for line in text.splitlines() if line.strip()]


def _ended(folder: Path, pid: int) -> int | None:
    """The exit code, None while it runs; a run whose server was restarted counts as ended with -1 once its process is gone."""
    mark = folder / "ended"
    if mark.exists():
        return int(mark.read_text(encoding="utf-8"))
    process = _started.get(str(folder.resolve()))
    if process is not None and process.pid == pid:
        code = process.poll()
    else:
        code = None if _is_ours(pid) else -1
    if code is not None:
        mark.write_text(str(code), encoding="utf-8")
    return code


def _is_ours(pid: int) -> bool:
    try:
        return b"analytics.bench" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def cancel(settings: Settings, patience_s: float = 10.0) -> None:
    """End the run that is going: first asked, then forced. Rows written so far stay. Nothing happens where none is going."""
    with _lock:
        now = _state(settings)
        if now is None or not now.running:
            return
        folder = _folder(settings)
        pid = int(json.loads((folder / "run.json").read_text(encoding="utf-8"))["pid"])
        process = _started.get(str(folder.resolve()))
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(pid, sign)
            except ProcessLookupError:
                break
            if process is not None:
                try:
                    process.wait(timeout=patience_s)
                    break
                except subprocess.TimeoutExpired:
                    continue
            time.sleep(0.2)
        (folder / "ended").write_text("-15", encoding="utf-8")
