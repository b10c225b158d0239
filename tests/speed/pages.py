"""Pages: warm reruns against an empty Streamlit page with one chart, start to first chart, and ten visitors at once.

The page it is held against runs in the same Streamlit with the same relief (collector frozen, no delay on the socket), so the ratio is
what our own code costs.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.speed._client import Run, Session, median
from tools.serving import ROOT, free_port, running

WARM, MOVES = 15, 10
VISITORS, ROUNDS = 10, 3

_EMPTY_APP = """
import gc

import pandas
import plotly.graph_objects as go
import pyarrow
import streamlit as st

go.Figure().to_json()
gc.collect()
gc.freeze()
app = st.App("page.py")
"""
_EMPTY_PAGE = """
import plotly.graph_objects as go
import streamlit as st

st.plotly_chart(go.Figure([go.Scatter(x=list(range(500)), y=[i * (k + 1) % 97 for i in range(500)]) for k in range(6)]), theme=None)
"""


def figures() -> dict[str, dict]:
    """Times [ms, s] of each page's warm rerun, of the start, and of ten visitors."""
    found: dict[str, dict] = {}
    with _empty() as empty:
        start = time.perf_counter()
        with running() as server:
            with Session(server.url, "clusters") as first:
                first.rerun()
            figure = time.perf_counter() - start
            found["pages: start to first chart, empty home"] = {"figure": figure, "unit": "s", "ratio": figure / 10, "against": "10 s"}
            for page in _pages():
                rerun_s, empty_s, run = _warm(server.url, page, empty)
                found[f"pages: /{page}, warm rerun ({run.charts} charts, {run.received_bytes / 1000:.0f} kB)"] = {
                    "figure": rerun_s * 1000,
                    "unit": "ms",
                    "ratio": rerun_s / empty_s / max(run.charts, 1),
                    "against": "an empty page with one chart, for each chart",
                }
            moved_s, empty_s = _moved(server.url, empty)
            found["pages: /clusters, rerun after a control moved"] = {
                "figure": moved_s * 1000,
                "unit": "ms",
                "ratio": moved_s / empty_s,
                "against": "an empty page with one chart",
            }
            crowd_s, crowd_empty_s = _crowd(server.url, "clusters"), _crowd(empty, "")
            found[f"pages: /clusters, {VISITORS} visitors at once, each rerun"] = {
                "figure": crowd_s * 1000,
                "unit": "ms",
                "ratio": crowd_s / crowd_empty_s,
                "against": "an empty page with one chart, with as many",
            }
    return found


def _pages() -> list[str]:
    names = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__")
    return ["" if name == "overview" else name for name in names]


def _warm(address: str, page: str, empty: str) -> tuple[float, float, Run]:
    """Median time of a rerun once everything is computed [s], that of the empty page in between [s], and the last rerun."""
    with Session(address, page) as session, Session(empty) as other:
        for _ in range(3):
            session.rerun()
            other.rerun()
        pairs = [(session.rerun(), other.rerun()) for _ in range(WARM)]
    return median([own.time_s for own, _ in pairs]), median([run.time_s for _, run in pairs]), pairs[-1][0]


def _moved(address: str, empty: str) -> tuple[float, float]:
    """Median time of a rerun whose chart nobody has asked for yet [s], and of the empty page in between [s]."""
    with Session(address, "clusters") as session, Session(empty) as other:
        session.rerun()
        pairs = [(session.rerun(f"lines={n}"), other.rerun()) for n in range(1, 1 + MOVES)]
    return median([own.time_s for own, _ in pairs]), median([run.time_s for _, run in pairs])


def _crowd(address: str, page: str) -> float:
    """Median time of a rerun [s] when several visitors rerun a page at once, again and again."""
    times: list[float] = []

    def visit() -> None:
        with Session(address, page) as session:
            session.rerun()
            times.extend(session.rerun().time_s for _ in range(ROUNDS))

    threads = [threading.Thread(target=visit) for _ in range(VISITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return median(times)


@contextlib.contextmanager
def _empty() -> Iterator[str]:
    """Address of a server with nothing but one page with one chart."""
    folder, port = Path(tempfile.mkdtemp()), free_port()
    (folder / "app.py").write_text(_EMPTY_APP)
    (folder / "page.py").write_text(_EMPTY_PAGE)
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).close()
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
