"""Speed of handling benchmark records: reading a file, fitting it, the queries behind the page."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from analytics.bench import record as records
from analytics.bench.fit import efficiencies, fit
from tests.analytics.bench.test_fit import gqa, made

BATCHES, CONTEXTS, PAGES = range(1, 26), [512 * i for i in range(1, 21)], (0, 16, 32, 64)


def _milliseconds(run: Callable[[], object], times: int = 3) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best * 1000


def figures() -> dict[str, dict[str, object]]:
    """Milliseconds for 2,000 records, against parsing their lines as plain JSON."""
    rows = [made("attn.decode", gqa(b, s, page)) for b in BATCHES for s in CONTEXTS for page in PAGES]
    content = "\n".join(json.dumps(row) for row in rows).encode()
    plain = _milliseconds(lambda: [json.loads(line) for line in content.splitlines()])
    chips = {"made up GPU": "h200-sxm"}
    steps: dict[str, Callable[[], object]] = {
        "read and check 2,000 records": lambda: records.parse_text(content),
        "fit 2,000 records": lambda: fit(rows),
        "efficiencies of 2,000 records": lambda: efficiencies(rows, chips),
    }
    out = {}
    for name, step in steps.items():
        taken = _milliseconds(step)
        out[f"bench: {name}"] = {"figure": taken, "unit": "ms", "ratio": taken / plain, "against": "json.loads of the lines"}
    return out
