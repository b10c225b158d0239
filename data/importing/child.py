"""The process that parses a user's file: bounded in memory and time, killed on cancel, handing back Arrow."""

from __future__ import annotations

import contextlib
import importlib.abc
import json
import logging
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.importing.report import Cancelled, Refused

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.1
BLOCK_ROWS = 122_880  # as many as the store keeps together
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class Reader:
    """A process that reads one file. It loads its program at once, and waits for its job; gone with its files after the block."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "data.importing.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=PACKAGE_ROOT, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self, job: dict[str, Any], scratch: Path, memory_mb: int, seconds: int) -> None:
        """Hand over the job; what it leaves lies in a folder of its own under `scratch`."""
        scratch.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="import-", dir=scratch))
        self.memory_mb, self.seconds = memory_mb, seconds
        told = json.dumps({**job, "memory_mb": memory_mb, "seconds": seconds})
        (self.folder / "job.json").write_text(told, encoding="utf-8")
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # it ended before it began: its result says so
            self.process.stdin.write(json.dumps(str(self.folder)).encode() + b"\n")
            self.process.stdin.close()

    def result(
        self, progress: Callable[[str], None] | None = None, cancel: Callable[[], bool] | None = None
    ) -> tuple[dict[str, Any], pa.Table]:
        """Wait for the end of the job; return what is reported and the accepted rows.

        Errors: Refused with one sentence when the file cannot be read, or would take more memory or time than it may;
        Cancelled when `cancel()` turns true.
        """
        assert self.folder
        errors = _watch(self.process, self.memory_mb, self.seconds, progress, cancel)
        return _result(self.folder, self.process.returncode, errors)


def run(job: dict[str, Any], scratch: Path, memory_mb: int, seconds: int) -> tuple[dict[str, Any], pa.Table]:
    """Parse one file in a process of its own."""
    with Reader() as reader:
        reader.begin(job, scratch, memory_mb, seconds)
        return reader.result()


def _watch(
    process: subprocess.Popen[bytes],
    memory_mb: int,
    seconds: int,
    progress: Callable[[str], None] | None,
    cancel: Callable[[], bool] | None,
) -> str:
    """Follow the process until it ends; returns what it wrote to its error stream."""
    assert process.stdout and process.stderr
    deadline = time.monotonic() + seconds
    streams = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
    out, err = process.stdout.fileno(), process.stderr.fileno()
    open_streams = set(streams)
    while open_streams:
        ready, _, _ = select.select(list(open_streams), [], [], LOOK_EVERY_S)
        for stream in ready:
            block = os.read(stream, 65_536)
            if not block:
                open_streams.discard(stream)
            streams[stream] = (streams[stream] + block)[-200_000:]
            if stream == out:
                *done, streams[out] = streams[out].split(b"\n")
                for line in done:
                    if progress:
                        progress(line.decode("utf-8", "replace"))
        if cancel and cancel():
            raise Cancelled("the import was cancelled; nothing was written")
        if time.monotonic() > deadline:
            raise Refused(f"reading the file took more than {seconds} seconds and was stopped; nothing was written")
        if _resident_mb(process.pid) > memory_mb:
            raise Refused(
                f"reading the file needs more than {memory_mb:,} MB of memory (RIDGEPOINT_IMPORT_MEMORY_MB): stopped, nothing was written"
            )
    process.wait(timeout=30)
    return streams[err].decode("utf-8", "replace")


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _result(folder: Path, code: int, errors: str) -> tuple[dict[str, Any], pa.Table]:
    try:
        told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        log.error("the import process ended with code %s: %s", code, errors[-4_000:])
        if code in (-signal.SIGXCPU, -signal.SIGKILL) or "MemoryError" in errors:
            raise Refused("reading the file needs more memory or time than an import may take; nothing was written") from None
        raise Refused(
            "the file could not be read: its layout broke the reader, which has been noted in the log; nothing was written"
        ) from None
    if "refused" in told:
        raise Refused(told["refused"])
    return told, load(folder / "rows.arrow")


def write(table: pa.Table, path: Path) -> None:
    """Write rows in blocks as they lie in memory, so that they can be read back without a copy."""
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=BLOCK_ROWS)


def load(path: Path) -> pa.Table:
    """Map rows into memory; they stay readable when the file is gone."""
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _limit(memory_mb: int, seconds: int) -> None:
    """Bound this process: the parent watches what is resident; these limits hold even if the parent is gone."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (2 * seconds, 2 * seconds + 5))
    size = (2 * memory_mb + 2_000) * 1_000_000  # address space, which libraries reserve far more of than they use
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


class _NoPandas(importlib.abc.MetaPathFinder):
    """Keeps PyArrow from loading pandas, which it does wherever it is installed: a quarter of a second that no reader has a use for."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("the process that reads a file does without pandas", name=fullname)


def main() -> None:
    """Wait for the name of a folder, do the job that it describes, and leave report.json and rows.arrow there."""
    import datetime

    sys.meta_path.insert(0, _NoPandas())
    from data.importing.read import read

    told_folder = sys.stdin.readline()
    if not told_folder:
        return  # whoever started this has gone
    folder = Path(json.loads(told_folder))
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    _limit(job["memory_mb"], job["seconds"])
    try:
        reading = read(
            Path(job["path"]), job["table"], job["name"], datetime.date.fromisoformat(job["today"]), job["mapping"], job["answers"],
            progress=lambda stage: print(stage, flush=True), remembered=job["remembered"],
        )  # fmt: skip
        write(reading.table, folder / "rows.arrow")
        told = {
            "report": reading.report.to_json(), "header": reading.header, "layout": reading.layout, "fields": reading.mapping,
            "present": reading.present, "answers": reading.report.answers,
        }  # fmt: skip
    except MemoryError:
        told = {"refused": "reading the file needs more memory than an import may take (RIDGEPOINT_IMPORT_MEMORY_MB); nothing was written"}
    except ValueError as wrong:
        if not isinstance(wrong, Refused):
            log.exception("unexpected in the import process")
        told = {
            "refused": str(wrong)
            if isinstance(wrong, Refused)
            else f"the file could not be read ({type(wrong).__name__}); nothing was written"
        }
    (folder / "report.tmp").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    os.replace(folder / "report.tmp", folder / "report.json")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # all is told: tidying up a large file's memory piece by piece is left out
