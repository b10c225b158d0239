"""Answers of a query kept for as long as they hold: a revision never changes, so neither does what was asked of it."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from data.snapshot import Snapshot

KEPT = 48
_NONE = object()
P = ParamSpec("P")
R = TypeVar("R")


def per_revision(query: Callable[Concatenate[Snapshot, P], R]) -> Callable[Concatenate[Snapshot, P], R]:
    """Keep a query's answers by revision and arguments, on the store they came from; answers are shared, so never to be changed.

    Snapshots with a draft are always asked anew. For queries that do not look at the day.
    """

    @functools.wraps(query)
    def asked(snapshot: Snapshot, *args: P.args, **kwargs: P.kwargs) -> R:
        if snapshot.draft:
            return query(snapshot, *args, **kwargs)
        kept: OrderedDict[Any, Any] = snapshot.store.__dict__.setdefault("_answers", OrderedDict())
        key = (query.__module__, query.__qualname__, snapshot.rev, args, tuple(sorted(kwargs.items())))
        answer = kept.get(key, _NONE)  # one look: another thread may throw it out meanwhile
        if answer is _NONE:
            answer = kept[key] = query(snapshot, *args, **kwargs)
            while len(kept) > KEPT:
                kept.popitem(last=False)
        return cast(R, answer)

    return asked
