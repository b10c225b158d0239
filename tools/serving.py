"""A server of its own for tests, pictures and measurements: a free port, a throw-away home, a fixed day."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
START_S = 60.0


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    home: Path
    log: Path
    process: subprocess.Popen


def chromium() -> str:
    """Path of the system's Chromium; RuntimeError with what to do where there is none."""
    path = os.environ.get("RIDGEPOINT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        raise RuntimeError("Chromium is needed: install the package chromium, or name its path in RIDGEPOINT_CHROMIUM")
    return path


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(home: Path | None = None, *, app: Path | None = None, today: str = "2026-11-23", **settings: str) -> Iterator[Server]:
    """Start the dashboard and stop it afterwards.

    Parameters: home, kept if given, else thrown away; app, another Streamlit script to serve; today, the day taken as
    today; settings, further RIDGEPOINT_ values by lower-case name. Errors: RuntimeError with the server's last words.
    """
    folder = Path(tempfile.mkdtemp(prefix="ridgepoint-"))
    own_home = home or folder / "home"
    port, log = free_port(), folder / "server.log"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RIDGEPOINT_")}
    environment |= {"RIDGEPOINT_HOME": str(own_home), "RIDGEPOINT_PORT": str(port), "RIDGEPOINT_TODAY": today}
    environment |= {f"RIDGEPOINT_{name.upper()}": value for name, value in settings.items()}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(app or ROOT / "app.py"),
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    server = Server(f"http://127.0.0.1:{port}", own_home, log, process)
    try:
        _wait(server, "/healthz" if app is None else "/_stcore/health")
        yield server
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        if process.poll() is None:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Server, path: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(server.url + path, timeout=5).close()
            return
        if server.process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"the server did not answer {path} within {START_S:.0f} s:\n{server.log.read_text(errors='replace')[-3000:]}")
