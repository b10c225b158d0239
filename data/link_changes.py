"""What differs between the table a link showed and the same chart computed now, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

RELATIVE_TOLERANCE = 1e-9  # what remains of rounding when the same sums run on another machine
SHOWN = 5


@dataclass(frozen=True)
class Change:
    """One value that differs: the row it stands in, its column, what it was and what it is."""

    row: str
    column: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Difference:
    """How two tables differ: how many values, rows that are only in one of them, and the first changed values."""

    changed: int
    rows_new: int
    rows_gone: int
    changes: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.changed or self.rows_new or self.rows_gone)

    def sentence(self) -> str:
        """Say it in words: "3 values differ (Colossus: it_mw 150 → 200), 1 row is new"."""
        parts = []
        if self.changed:
            first = f" ({_told(self.changes[0])})" if self.changes else ""
            parts.append(f"{self.changed:,} value{'s' if self.changed > 1 else ''} differ{'' if self.changed > 1 else 's'}{first}")
        for count, word in ((self.rows_new, "new"), (self.rows_gone, "gone")):
            if count:
                parts.append(f"{count:,} row{'s are' if count > 1 else ' is'} {word}")
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """The difference as plain values."""
        changes = [{"row": c.row, "column": c.column, "old": _plain(c.old), "new": _plain(c.new)} for c in self.changes]
        return {"changed": self.changed, "rows_new": self.rows_new, "rows_gone": self.rows_gone, "changes": changes}


def difference(old: pd.DataFrame, new: pd.DataFrame, shown: int = SHOWN) -> Difference:
    """Compare two tables of one chart.

    Rows are matched by their columns of text and dates, then by their order; numbers differ beyond a relative 1e-9. A column that
    only one table has counts as changed in every row.

    Parameters: the table shown then, the table computed now, how many changed values to list (the largest relative changes first).
    """
    labels = [c for c in old.columns if c in new.columns and not (_numeric(old[c]) and _numeric(new[c]))]
    numbers = [c for c in old.columns if c in new.columns and c not in labels]
    lonely = [c for c in [*old.columns, *new.columns] if (c in old.columns) != (c in new.columns)]
    old_keys, new_keys = _keys(old, labels), _keys(new, labels)
    both = old_keys.intersection(new_keys, sort=False)
    then, now = old.set_axis(old_keys).loc[both], new.set_axis(new_keys).loc[both]
    count = len(both) * len(lonely)
    found: list[tuple[float, Change]] = []
    for column in numbers:
        a, b = then[column].to_numpy(float), now[column].to_numpy(float)
        differs = ~(np.isclose(a, b, rtol=RELATIVE_TOLERANCE, atol=0.0, equal_nan=True))
        count += int(differs.sum())
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.nan_to_num(np.abs(b - a) / np.maximum(np.abs(a), np.abs(b)), nan=np.inf)
        order = np.flatnonzero(differs)
        for i in order[np.argsort(-size[order], kind="stable")][:shown]:
            found.append((float(size[i]), Change(_label(then, labels, int(i)), str(column), a[i], b[i])))
    found.sort(key=lambda pair: -pair[0])
    return Difference(count, len(new_keys) - len(both), len(old_keys) - len(both), tuple(change for _, change in found[:shown]))


def _numeric(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values.dtype))


def _keys(table: pd.DataFrame, labels: list[str]) -> pd.Index:
    """One text for each row: its labels, and how many rows with the same labels stand before it."""
    texts = pd.Series("", index=range(len(table)))
    for label in labels:
        values = table[label].reset_index(drop=True)
        texts = texts + values.map(_text).astype(object) + "\x1f"
    return pd.Index(texts + texts.groupby(texts).cumcount().astype(str))


def _text(value: Any) -> str:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    return value.isoformat().removesuffix("T00:00:00") if hasattr(value, "isoformat") else str(value)


def _label(table: pd.DataFrame, labels: list[str], position: int) -> str:
    texts = dict.fromkeys(_text(table[label].iloc[position]) for label in labels)  # each word once, in order
    return " · ".join(t for t in texts if t)[:120] or f"row {position + 1}"


def _told(change: Change) -> str:
    return f"{change.row}: {change.column} {_number(change.old)} → {_number(change.new)}"


def _number(value: Any) -> str:
    return "blank" if _plain(value) is None else f"{value:,.6g}"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
