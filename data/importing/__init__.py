"""CSV files other people made, into rows of our tables: prepare one, look at it, answer its questions, commit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data.importing.report import Cancelled, OpenQuestions, Refused

if TYPE_CHECKING:
    from data.importing.prepared import Prepared, commit, prepare

__all__ = ["Cancelled", "OpenQuestions", "Prepared", "Refused", "commit", "prepare"]


def __getattr__(name: str) -> Any:
    """Load what needs the store when it is first asked for: the process that reads a file does without."""
    if name not in ("Prepared", "commit", "prepare"):
        raise AttributeError(name)
    from data.importing import prepared

    return getattr(prepared, name)
