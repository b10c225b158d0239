"""The store's facts as files again: exact CSV, readable by `python -m data import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data.frames import csv_text
from data.meta import load_meta, table_names

if TYPE_CHECKING:
    from data.store import Store


def export(store: Store, folder: Path, rev: int | None = None) -> dict[str, int]:
    """Write every table as of a revision to folder/NAME.csv; returns rows a table. Rows are ordered by key.

    Errors: UnknownRevision; ValueError where the folder holds a file of that name with other content.
    """
    snapshot = store.snapshot(rev)
    texts = {}
    for name in table_names():
        rows = store.state(name, snapshot.rev)
        texts[name] = (csv_text(rows[list(load_meta(name).columns)]), len(rows))
    folder.mkdir(parents=True, exist_ok=True)
    for name, (text, _) in texts.items():
        path = folder / f"{name}.csv"
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise ValueError(f"{path} exists with other content: give an empty folder")
    for name, (text, _) in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return {name: count for name, (_, count) in texts.items()}
