"""Writes to one store without end, saying on standard output what it begins and what was acknowledged.

    python -m tests.faults.worker SEED [imports|undo|links|start]

The test kills it at a random moment and compares what it said with what the store holds.
"""

from __future__ import annotations

import datetime
import random
import sys
from typing import Any

import pandas as pd

from data import links
from data.store import Store

TODAY = datetime.date(2026, 11, 24)
ROWS = 40
COLUMNS = "cluster_id,name,status,as_of,chip_id,chip_count,power_mw,source,confidence"


def batch_csv(number: int, random_: random.Random) -> bytes:
    """A CSV of `ROWS` clusters that only this batch has."""
    lines = [COLUMNS]
    for i in range(ROWS):
        count = random_.randint(1_000, 200_000)
        lines.append(
            f"kill-{number}-{i},Batch {number} row {i},planned,2026-11-01,h100-sxm,{count},{count * 0.0014:.3f},batch {number},claim"
        )
    return ("\n".join(lines) + "\n").encode()


def link_state(number: int) -> dict[str, Any]:
    """The state and table of a link that only this number has."""
    table = pd.DataFrame({"site": [f"site {i}" for i in range(200)], "it_mw": [number + i / 7 for i in range(200)]})
    state = {"page": "clusters", "chart": "clusters.power", "params": {"number": number}, "rev": 1, "model": "kill"}
    return state | {"table": table, "receipt": {}, "words": {}, "today": TODAY}


def say(*words: object) -> None:
    """One line, out at once."""
    print(*words, flush=True)


def run(seed: int, kind: str) -> None:
    """Work until killed."""
    from data.importing import commit, prepare

    random_ = random.Random(seed)
    say("opening")
    store = Store.open()
    say("open", store.head())
    number = seed * 1_000
    while kind != "start":
        number += 1
        if kind == "links":
            say("link?", number)
            say("link", number, links.save(store, **link_state(number)).id)
            continue
        say("import?", number)
        prepared = prepare(batch_csv(number, random_), table="clusters", store=store, name=f"batch-{number}.csv", today=TODAY)
        rev = int(commit(prepared, store, author="kill test", note=f"batch {number}") or 0)
        say("import", number, rev)
        if kind == "undo":
            say("undo?", number)
            store.undo(rev, author="kill test")
            say("undo", number)


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2])
