"""The words around a figure, all computed from its table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Words:
    """A chart in words.

    finding: the title, one sentence computed from the table. subtitle: quantity, scale, how many, which source, what the
    marks mean. alt: what a reader who cannot see it needs. coverage: what share of the world these rows are. credit: the
    source's line. notes: anything else to know. empty: what to say where there is nothing to draw ("" otherwise), with
    way_out, parameters that would show something.
    """

    finding: str
    subtitle: str = ""
    alt: str = ""
    coverage: str = ""
    credit: str = ""
    notes: tuple[str, ...] = ()
    empty: str = ""
    way_out: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The words as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Words:
        """The words a link kept."""
        return cls(**{**{k: v for k, v in values.items() if k in cls.__dataclass_fields__}, "notes": tuple(values.get("notes", ()))})
