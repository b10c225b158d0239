"""Writes to a store whose files may not grow any more, then lets them grow again; prints what happened as JSON and is killed.

    python -m tests.faults.full_disk ROOM_BYTES

ROOM_BYTES is how much the largest file may still grow before writing fails: at a few thousand bytes a write fails half-way.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys

from data import links
from data.importing import commit, prepare
from data.store import Store
from tests.faults.worker import TODAY, batch_csv, link_state


def attempt(work) -> str:
    """What one piece of work said: "done", or its sentence."""
    try:
        work()
    except ValueError as error:  # every refusal is one, with a sentence
        return str(error)
    return "done"


def run(room: int) -> None:
    """Fill up, try everything, make room, try everything again, and die without closing."""
    store = Store.open()

    def write_batch(number: int) -> None:
        prepared = prepare(batch_csv(number, random.Random(number)), table="clusters", store=store, name=f"{number}.csv", today=TODAY)
        commit(prepared, store, author="full disk", note="")

    said = {"room": attempt(lambda: write_batch(1))}
    largest = max(path.stat().st_size for path in store.home.iterdir() if path.is_file())
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + room, unlimited[1]))
    said["import"] = attempt(lambda: write_batch(2))
    said["undo"] = attempt(lambda: store.undo(store.head()))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, unlimited[1]))
    said["link"] = attempt(lambda: links.save(store, **link_state(1)))
    said["rows"] = str(len(store.snapshot().table("chips")))
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    said["again"] = attempt(lambda: write_batch(3))
    said["link again"] = attempt(lambda: links.save(store, **link_state(2)))
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    run(int(sys.argv[1]))
