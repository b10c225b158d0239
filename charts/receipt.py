"""A receipt: the formulas with the reader's values, the rows they came from, what was assumed, how far off it may be."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analytics.formula import number_text


@dataclass(frozen=True)
class FormulaLine:
    """One formula as it was used. `latex` has symbols, `worked` the reader's numbers; both are empty for a look-up."""

    name: str
    text: str
    result: float | None = None
    unit: str = ""
    latex: str = ""
    worked: str = ""
    source: str = ""
    inputs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class InputRow:
    """One input: what it is, its value, and who says so."""

    label: str
    value: str
    unit: str = ""
    source: str = ""
    source_url: str = ""
    rung: str = ""
    flags: tuple[str, ...] = ()
    as_of: str = ""


@dataclass(frozen=True)
class Receipt:
    """Everything behind a chart's headline number."""

    formulas: Sequence[FormulaLine] = ()
    inputs: Sequence[InputRow] = ()
    assumptions: Sequence[str] = ()
    error: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("formulas", "inputs", "assumptions", "error"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def to_json(self) -> dict[str, Any]:
        """The receipt as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Receipt:
        """The receipt a link kept."""
        return cls(
            tuple(FormulaLine(**f) for f in values.get("formulas", ())),
            tuple(InputRow(**(i | {"flags": tuple(i.get("flags", ()))})) for i in values.get("inputs", ())),
            tuple(values.get("assumptions", ())),
            tuple(values.get("error", ())),
        )


def worked(function: Any, **values: Any) -> FormulaLine:
    """A line for a function declared with @formula, at these values (scalars in the units of its inputs)."""
    f = function.formula
    result = float(np.asarray(f.value(**values)))
    numbers = {name: float(np.asarray(v)) for name, v in values.items()}
    return FormulaLine(f.name, f.text_with(**numbers), result, f.unit, f.latex(), f.latex_with(**numbers), f.source, numbers)


def looked_up(name: str, value: float | None, unit: str, where: str) -> FormulaLine:
    """A line for a value that no leaf formula gives: a look-up, a fit or a simulation, and where it is from."""
    return FormulaLine(
        name,
        f"{name} = {number_text(value) if value is not None else 'unknown'} {unit}".rstrip() + f" from {where}",
        value,
        unit,
        source=where,
    )


def input_row(
    row: pd.Series | dict[str, Any],
    label: str,
    value: str,
    unit: str = "",
    *,
    source: str = "source",
    url: str = "source_url",
    as_of: str = "as_of",
) -> InputRow:
    """An input out of a row of the store: its source, address, rung, flags and day.

    Parameters: row of Snapshot.table; label; value already written; source, url and as_of name the row's columns.
    """
    flags = tuple(words for name, words in (("single_source", "single source"), ("not_reread", "not re-read")) if _true(row.get(name)))
    link = "" if _true(row.get("not_reread")) else _word(row.get(url))
    return InputRow(label, value, unit, _word(row.get(source)), link, _word(row.get("rung")), flags, _word(row.get(as_of)))


def assumed(label: str, value: str, unit: str = "", why: str = "set by you") -> InputRow:
    """An input nobody published: the reader's own setting."""
    return InputRow(label, value, unit, why, "", "assumption")


def age_note(as_of: Sequence[str | None], today: datetime.date) -> str:
    """How old the oldest input is, and that it turns grey after 180 days; "" where none is dated."""
    from charts.numbers import OLD_DAYS, age, age_days

    ages = [a for a in (age_days(d, today) for d in as_of) if a is not None]
    if not ages:
        return ""
    oldest = max(ages)
    return f"The oldest input is {age(oldest)} old" + (f"; inputs older than {OLD_DAYS} days are shown grey." if oldest > OLD_DAYS else ".")


def _true(value: Any) -> bool:
    return bool(value) and value == value


def _word(value: Any) -> str:
    return "" if value is None or value != value else str(value)
