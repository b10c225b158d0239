"""Serving page: each chart's rerun after a slider moved to a value nobody has asked for, at the 95th percentile, against an empty page."""

from __future__ import annotations

from tests.speed._client import Session
from tests.speed.pages import _empty
from tools.serving import running

MOVES = 40
#: Chart → the address of move number n, and how many empty reruns it may take (charts that search layouts: 8).
SLIDERS = {
    "serving.memory": ("batch={n}", 4),
    "serving.token_time": ("view=batch&batch={n}", 4),
    "serving.experts": ("view=imbalance&batch={n}00", 4),
    "serving.thinking": ("view=samples&success=0.{n:02d}", 4),
    "serving.error": ("by=model&chips=b200&ratio=fitted&models=Llama-3.3-70B", 4),
    "serving.versions": ("longest={n}000", 4),
    "serving.cost": ("speed={n}", 8),
    "serving.attention": ("context={n}000", 8),
    "serving.chips": ("speed={n}", 8),
}


def figures() -> dict[str, dict]:
    """Milliseconds of the 95th percentile of reruns with their ratio to the empty page's."""
    found: dict[str, dict] = {}
    with _empty() as empty, running() as server:
        for chart, (query, allowed) in SLIDERS.items():
            own_s, empty_s = _percentiles(server.url, empty, chart, query)
            found[f"serving: {chart}, slider moved, 95th percentile"] = {
                "figure": own_s * 1000,
                "unit": "ms",
                "ratio": own_s / empty_s,
                "against": f"an empty page with one chart; {allowed} is wanted",
            }
    return found


def _percentiles(address: str, empty: str, chart: str, query: str) -> tuple[float, float]:
    """95th percentile of this chart's reruns and of the empty page's in between [s]."""
    with Session(address, "serving") as session, Session(empty) as other:
        for _ in range(2):
            session.rerun(f"chart={chart}")
            other.rerun()
        pairs = [(session.rerun(f"chart={chart}&{query.format(n=n)}").time_s, other.rerun().time_s) for n in range(11, 11 + MOVES)]
    own, bare = (sorted(times)[int(0.95 * MOVES)] for times in zip(*pairs))
    return own, bare
