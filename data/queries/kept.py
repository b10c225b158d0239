"""Answers of a query kept for as long as they hold: a revision never changes, so neither does what was asked of it."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import pandas as pd

from data.snapshot import Snapshot

KEPT = 48
#: Bytes of all kept answers together; the texts in them are shared with the rows they came from and weigh a pointer each.
KEPT_BYTES = 256 * 2**20
_LOCK = threading.Lock()
P = ParamSpec("P")
R = TypeVar("R")


def per_revision(query: Callable[Concatenate[Snapshot, P], R]) -> Callable[Concatenate[Snapshot, P], R]:
    """Keep a query's answers by revision and arguments, on the store they came from; answers are shared, so never to be changed.

    Those asked for longest ago leave first, once there are more than KEPT or they weigh more than KEPT_BYTES together. Snapshots
    with a draft are always asked anew. For queries that do not look at the day.
    """

    @functools.wraps(query)
    def asked(snapshot: Snapshot, *args: P.args, **kwargs: P.kwargs) -> R:
        if snapshot.draft:
            return query(snapshot, *args, **kwargs)
        kept: OrderedDict[Any, tuple[Any, int]] = snapshot.store.__dict__.setdefault("_answers", OrderedDict())
        key = (query.__module__, query.__qualname__, snapshot.rev, args, tuple(sorted(kwargs.items())))
        with _LOCK:
            found = kept.get(key)
            if found is not None:
                kept.move_to_end(key)
                return cast(R, found[0])
        answer = query(snapshot, *args, **kwargs)
        with _LOCK:
            kept[key] = (answer, weight(answer))
            _make_room(kept)
        return answer

    return asked


def weight(answer: Any) -> int:
    """Bytes that an answer's frames and series take, without the texts they point to; what else an answer holds is counted as little."""
    if isinstance(answer, pd.DataFrame):
        return int(answer.memory_usage(deep=False).sum())
    if isinstance(answer, pd.Series):
        return int(answer.memory_usage(deep=False))
    if isinstance(answer, tuple):
        return sum(map(weight, answer))
    return 64 * len(answer) if isinstance(answer, dict) else 64


def _make_room(kept: OrderedDict[Any, tuple[Any, int]]) -> None:
    """Let go of the answers asked for longest ago; the newest stays, whatever it weighs."""
    held = sum(size for _, size in kept.values())
    while len(kept) > 1 and (len(kept) > KEPT or held > KEPT_BYTES):
        held -= kept.popitem(last=False)[1][1]
