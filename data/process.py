"""The one store of this process: opened at first use, shared by pages, addresses and links."""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path

from data.blobs import leftovers
from data.settings import Settings
from data.store import Store

_lock = threading.Lock()
_open: dict[str, Store] = {}


def the_store(settings: Settings | None = None) -> Store:
    """Return the store under `settings.home` (the environment's by default), opening it when this process has not yet.

    Errors: those of `Store.open`.
    """
    settings = settings or Settings.from_env()
    home = str(settings.home.resolve())
    with _lock:
        if home not in _open:
            _open[home] = Store.open(settings)
            _tidy(_open[home].home)
        return _open[home]


def close_all() -> None:
    """Close every store this process opened."""
    with _lock:
        while _open:
            _open.popitem()[1].close()


def _tidy(home: Path) -> None:
    """Remove what a killed process left half-made. The store is ours alone by now, so nobody is still writing it."""
    shutil.rmtree(home / "tmp", ignore_errors=True)
    for folder in ("blobs", "uploads"):
        for partial in leftovers(home / folder):
            with contextlib.suppress(OSError):
                partial.unlink()
