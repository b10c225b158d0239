"""Answers kept by revision hold while other threads push them out."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd

from data.queries import kept
from data.queries.kept import KEPT, per_revision


def _snapshot(draft=None):
    return SimpleNamespace(draft=draft, rev=1, store=SimpleNamespace())


def test_an_answer_is_asked_once_until_newer_ones_push_it_out():
    asked = []
    query = per_revision(lambda snapshot, n: asked.append(n) or 2 * n)
    snapshot = _snapshot()
    assert [query(snapshot, 1), query(snapshot, 1)] == [2, 2] and asked == [1]
    for n in range(2, KEPT + 2):
        query(snapshot, n)
    asked.clear()
    assert query(snapshot, 1) == 2 and asked == [1]


def test_a_draft_is_asked_anew():
    asked = []
    query = per_revision(lambda snapshot: asked.append(1))
    draft = _snapshot(draft={"clusters": []})
    query(draft), query(draft)
    assert asked == [1, 1]


def test_large_answers_push_out_older_ones_and_the_newest_stays(monkeypatch):
    monkeypatch.setattr(kept, "KEPT_BYTES", 10_000)
    query = per_revision(lambda snapshot, n: pd.DataFrame({"x": np.zeros(n)}))
    snapshot = _snapshot()
    for n in (500, 501, 502):  # 4 kB each
        query(snapshot, n)
    held = lambda: [answer.shape[0] for answer, _ in snapshot.store._answers.values()]  # noqa: E731
    assert held() == [501, 502]
    query(snapshot, 501), query(snapshot, 400)
    assert held() == [501, 400], "what was asked for last stays"
    assert len(query(snapshot, 90_000)) == 90_000 and held() == [90_000]
    assert query(snapshot, 90_000) is query(snapshot, 90_000)


def test_threads_that_push_out_each_other_s_answers_each_get_their_own():
    query = per_revision(lambda snapshot, n: n)
    snapshot = _snapshot()
    with ThreadPoolExecutor(8) as pool:
        asked = [n % (2 * KEPT) for n in range(4_000)]
        assert list(pool.map(lambda n: query(snapshot, n), asked)) == asked
