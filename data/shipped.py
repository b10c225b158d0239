"""The shipped facts as files: no store needed, for command lines, tools and tests."""

from __future__ import annotations

import csv
import hashlib
from typing import TYPE_CHECKING

from data.meta import TableMeta, load_meta

if TYPE_CHECKING:
    import pandas as pd


def rows(name: str) -> list[dict[str, str]]:
    """The rows of data/sources/NAME.csv as text, in file order; ValueError for an unknown table."""
    with load_meta(name).path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def frame(name: str) -> pd.DataFrame:
    """The shipped table, typed by its meta (numbers as float64, the rest as text, blank as missing), in file order."""
    import pandas as pd  # here, because reading rows as text does without it

    from data.frames import typed

    meta = load_meta(name)
    return typed(pd.read_csv(meta.path, dtype=str, keep_default_na=False, encoding="utf-8"), meta)


def digest(meta: TableMeta) -> str:
    """SHA-256 of the shipped CSV and of the columns it is read by."""
    layout = repr([(c.name, c.type) for c in meta.columns.values()] + [meta.key]).encode()
    return hashlib.sha256(meta.path.read_bytes() + layout).hexdigest()
