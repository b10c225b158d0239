"""The facts as of one revision: what charts read."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from data.frames import fact_keys, sources_of, typed, with_rung
from data.meta import TableMeta, load_meta

if TYPE_CHECKING:
    import pandas as pd

    from data.store import Store


@dataclass(frozen=True)
class Snapshot:
    """A revision of the store, the day taken as today, and rows of a draft nobody has committed."""

    store: Store
    rev: int
    today: datetime.date
    draft: dict[str, pd.DataFrame] = field(default_factory=dict, compare=False)

    def table(self, name: str) -> pd.DataFrame:
        """A table's rows, ordered by key: its columns typed, then fact_key, source_id, origin, row_rev, rung and flags.

        Numbers are float64, text and dates are text or None; dates keep the precision they were given. The frame is
        the caller's own. Errors: ValueError for an unknown table.
        """
        meta = load_meta(name)
        rows = with_rung(self.store.state(name, self.rev), meta)
        if name not in self.draft:
            return rows
        return _with_draft(rows, self.draft[name], meta)

    def history(self, name: str) -> pd.DataFrame:
        """Every row a table has held up to this revision, a row a change, as `table` gives them, and `event`: put or remove.

        `row_rev` is the revision that made the change. Uncommitted rows are no part of it. Errors: ValueError for an unknown table.
        """
        return with_rung(self.store.history(name, self.rev), load_meta(name))

    def with_draft(self, rows: dict[str, pd.DataFrame]) -> Snapshot:
        """This snapshot with uncommitted rows (canonical columns) put over it; they carry the origin "draft"."""
        return replace(self, draft={**self.draft, **rows})

    def sources(self) -> pd.DataFrame:
        """Sources known at this revision: source_id, title, url, first_rev, ordered by title."""
        return self.store.frame("SELECT source_id, title, url, first_rev FROM sources WHERE first_rev <= ? ORDER BY title, url", [self.rev])


def _with_draft(rows: pd.DataFrame, draft: pd.DataFrame, meta: TableMeta) -> pd.DataFrame:
    import pandas as pd

    put = typed(draft, meta)
    put["fact_key"] = fact_keys(put, meta)
    put["row_rev"] = np.int64(0)
    put["origin"] = "draft"
    put["source_id"] = sources_of(put, meta)["source_id"]
    both = pd.concat([rows[~rows["fact_key"].isin(put["fact_key"])], with_rung(put, meta)[rows.columns]], ignore_index=True)
    return both.sort_values("fact_key", kind="stable", ignore_index=True)


def earliest_day(dates: pd.Series) -> pd.Series:
    """First day of each date given as a year, a month or a day; missing where blank. Returns datetime64."""
    import pandas as pd

    return pd.to_datetime(
        dates.map(lambda d: f"{d}-01-01"[:10] if d and len(d) == 4 else f"{d}-01" if d and len(d) == 7 else d), errors="coerce"
    )


def latest_day(dates: pd.Series) -> pd.Series:
    """Last day of each date given as a year, a month or a day; missing where blank. Returns datetime64."""
    import pandas as pd

    starts = earliest_day(dates)
    length = dates.map(lambda d: len(d) if d else 10)
    ends = starts.where(length != 4, starts + pd.offsets.YearEnd(0)).where(length != 7, starts + pd.offsets.MonthEnd(0))
    return pd.to_datetime(ends)
