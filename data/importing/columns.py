"""What a parsed column holds: one entry a row, and what was noticed by distinct text."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.importing.sheet import Column

if TYPE_CHECKING:
    import pandas as pd


class Coded:
    """A text column by its distinct values: `codes` (n,) point into `values`, -1 is missing.

    The values are Python texts or an Arrow array, and each is made from the other when first asked for.
    """

    def __init__(self, codes: np.ndarray, values: np.ndarray | pa.Array) -> None:
        self.codes = codes
        self._values = values if isinstance(values, np.ndarray) else None
        self._arrow = None if isinstance(values, np.ndarray) else values

    @property
    def values(self) -> np.ndarray:
        """The distinct values as Python texts, by code."""
        if self._values is None:
            self._values = np.array([*self.arrow.to_pylist(), None], dtype=object)[:-1]
        return self._values

    @property
    def arrow(self) -> pa.Array:
        """The distinct values as an Arrow array, by code."""
        if self._arrow is None:
            self._arrow = pa.array(self.values, type=pa.string())
        return self._arrow

    @property
    def distinct(self) -> int:
        """How many distinct values there are."""
        return len(self.arrow) if self._values is None else len(self._values)

    @classmethod
    def of(cls, values: np.ndarray) -> Coded:
        """Code a plain column of texts and None."""
        known: dict[str, int] = {}
        codes = [-1 if value is None else known.setdefault(value, len(known)) for value in values]
        return cls(np.array(codes, dtype=np.int32), np.array([*known, None], dtype=object)[:-1])

    @classmethod
    def spread(cls, changed: np.ndarray, codes: np.ndarray) -> Coded:
        """Spread what the distinct texts of a column became (None for missing) over its rows."""
        own = cls.of(changed)
        return cls(own.codes[codes] if len(changed) else np.full(len(codes), -1, dtype=np.int32), own.values)

    @classmethod
    def merged(cls, texts: pa.Array, codes: np.ndarray) -> Coded:
        """Spread texts (null for missing) over rows, equal ones under one code."""
        own = texts.dictionary_encode()
        moved = own.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        return cls(moved[codes] if len(moved) else np.full(len(codes), -1, dtype=np.int32), own.dictionary)

    def plain(self) -> np.ndarray:
        """Return texts and None, one a row."""
        return np.append(self.values, [None])[self.codes]  # the code -1 takes the last

    def take(self, rows: np.ndarray | slice) -> Coded:
        """Return only these rows."""
        return Coded(self.codes[rows], self.arrow if self._values is None else self._values)

    def filled(self, value: str) -> Coded:
        """Return the column with `value` where it was missing."""
        codes = np.where(self.codes < 0, self.distinct, self.codes).astype(np.int32)
        if self._values is None:
            return Coded(codes, pa.concat_arrays([self.arrow, pa.array([value], type=pa.string())]))
        return Coded(codes, np.append(self._values, [value]))


class Rows(MutableMapping[str, np.ndarray]):
    """Columns by name. Texts stay coded until somebody asks for them one a row, as most columns of large files never are."""

    def __init__(self) -> None:
        self._held: dict[str, np.ndarray | Coded] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        held = self._held[name]
        if isinstance(held, Coded):
            held = self._held[name] = held.plain()
        return held

    def __setitem__(self, name: str, values: np.ndarray | Coded) -> None:
        self._held[name] = values

    def __delitem__(self, name: str) -> None:
        del self._held[name]

    def clear(self) -> None:
        """Let go of every column; the mapping's own way would first put every text of them into a row."""
        self._held.clear()

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, name: object) -> bool:
        return name in self._held

    def held(self, name: str) -> np.ndarray | Coded:
        """Return a column of numbers, or a column of texts coded."""
        held = self._held[name]
        return held if isinstance(held, Coded) or held.dtype.kind == "f" else Coded.of(held)

    def missing(self, name: str) -> np.ndarray:
        """Return a mask of the rows without a value."""
        held = self._held[name]
        if isinstance(held, Coded):
            return held.codes < 0
        return np.isnan(held) if held.dtype.kind == "f" else missing(held)

    def fill(self, name: str, value: str) -> int:
        """Put a text where a text column is missing; returns on how many rows."""
        empty = int(self.missing(name).sum())
        if empty:
            held = self.held(name)
            assert isinstance(held, Coded)
            self._held[name] = held.filled(value)
        return empty


@dataclass
class Numbers:
    """A number column, one entry a row; `flags` are sets of distinct texts by what was noticed."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    approximate: np.ndarray
    planned: np.ndarray
    ranged: np.ndarray
    column: Column
    codes: np.ndarray
    errors: dict[int, str] = field(default_factory=dict)  # code -> reason
    rest: dict[int, str] = field(default_factory=dict)  # code -> words left over
    notes: dict[int, str] = field(default_factory=dict)  # code -> how the value came about


@dataclass
class Days:
    """A date column, one entry a row: ISO text or missing."""

    coded: Coded
    unsure: np.ndarray
    planned: np.ndarray
    codes: np.ndarray
    errors: dict[int, str] = field(default_factory=dict)
    until: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=object))  # by distinct text: the last day of its period

    @property
    def value(self) -> np.ndarray:
        """ISO text or None, one a row."""
        return self.coded.plain()


def taken(held: np.ndarray | Coded, rows: np.ndarray | None) -> np.ndarray | Coded:
    """Return only these rows of a column, or the column itself for None."""
    if rows is None:
        return held
    return held.take(rows) if isinstance(held, Coded) else held[rows]


def missing(values: np.ndarray) -> np.ndarray:
    """Return a mask of the missing entries of a text column."""
    return np.asarray(values == None, dtype=bool)  # noqa: E711 - element by element


def computed(values: np.ndarray, column: Column) -> Numbers:
    """Return a number column that was computed rather than parsed."""
    size = len(values)
    none, no = np.full(size, np.nan), np.zeros(size, dtype=bool)
    return Numbers(values, none.copy(), none.copy(), no.copy(), no.copy(), no.copy(), column, column.codes)


def to_arrow(columns: dict[str, np.ndarray | Coded]) -> pa.Table:
    """Return columns as Arrow: texts by their distinct values where these are few, missing as null."""
    made = {}
    for name, held in columns.items():
        if isinstance(held, Coded):
            texts = held.arrow
            if len(texts) == len(held.codes) and np.array_equal(held.codes, np.arange(len(texts))):
                made[name] = texts  # every row has a text of its own, in order
                continue
            coded = pa.DictionaryArray.from_arrays(pa.array(held.codes, type=pa.int32(), mask=held.codes < 0), texts)
            made[name] = coded if 4 * len(texts) <= len(held.codes) or len(texts) < 1_000 else coded.cast(pa.string())
        else:
            made[name] = pa.array(held, from_pandas=held.dtype.kind == "f")
    return pa.table(made)


def coded(column: pa.ChunkedArray) -> Coded:
    """Return a text column of Arrow by its distinct values, those of all its chunks under the same codes."""
    one = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    chunks = one.unify_dictionaries().chunks
    codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in chunks]
    return Coded(np.concatenate(codes or [np.zeros(0, dtype=np.int32)]), chunks[0].dictionary if chunks else pa.array([], type=pa.string()))


def is_among(column: Coded, texts: pa.Array) -> np.ndarray:
    """Return a mask of the rows whose text is one of `texts`."""
    found = pc.is_in(column.arrow, value_set=texts).to_numpy(zero_copy_only=False)
    return np.append(found, [False])[column.codes]  # the code -1 takes the last


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return Arrow columns as a frame: numbers as float64, texts as plain objects with None for missing."""
    import pandas as pd  # the reader of large files does without it

    columns = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            columns[name] = pd.Series(coded(column).plain(), dtype=object)
        elif pa.types.is_string(column.type):
            columns[name] = pd.Series(column.to_pylist(), dtype=object)
        else:
            columns[name] = pd.Series(column.to_numpy(), dtype=np.int64 if pa.types.is_integer(column.type) else float)
    return pd.DataFrame(columns, copy=False)
