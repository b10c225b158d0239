"""Look-ups of a revision kept between reruns: a slider's move asks for the same rows again and again."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_MOST = 512


def kept(function: F) -> F:
    """Keep what a function of (snapshot, *names) returns, by revision; drafts are always asked anew. Callers must not change it."""
    found: OrderedDict[Hashable, Any] = OrderedDict()
    lock = threading.Lock()

    @functools.wraps(function)
    def ask(snapshot: Any, *names: Hashable) -> Any:
        if snapshot.draft:
            return function(snapshot, *names)
        key = (id(snapshot.store), snapshot.rev, names)
        with lock:
            if key in found:
                found.move_to_end(key)
                return found[key]
        value = function(snapshot, *names)
        with lock:
            found[key] = value
            while len(found) > _MOST:
                found.popitem(last=False)
        return value

    return ask  # type: ignore[return-value]
