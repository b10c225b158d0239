"""Mappings that were committed before, remembered by the header they were made for."""

from __future__ import annotations

import datetime
import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.store import Store  # the process that reads a file opens none

FORGOTTEN_ANSWERS = ("rate:", "edition")  # a rate and an edition belong to one file, not to its layout


def header_id(header: list[str]) -> str:
    """Return an id of a header: the same columns in the same order give the same id."""
    return hashlib.sha256("\x1f".join(header).encode()).hexdigest()


def remembered(store: Store, table: str) -> dict[str, dict[str, Any]]:
    """Return header id -> {"columns", "answers", "of"} for a table."""
    with store.cursor() as cursor:
        rows = cursor.execute("SELECT header_sha256, mapping, time FROM mappings WHERE table_name = ?", [table]).fetchall()
    return {str(header): {**json.loads(mapping), "of": str(time)[:10]} for header, mapping, time in rows}


def remember(store: Store, table: str, header: list[str], columns: dict[str, str | None], answers: dict[str, str]) -> None:
    """Remember a mapping and the answers that belong to the layout."""
    kept = {key: value for key, value in answers.items() if not key.startswith(FORGOTTEN_ANSWERS)}
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    text = json.dumps({"columns": columns, "answers": kept}, ensure_ascii=False)
    with store.writing() as cursor:
        cursor.execute("DELETE FROM mappings WHERE table_name = ? AND header_sha256 = ?", [table, header_id(header)])
        cursor.execute("INSERT INTO mappings VALUES (?, ?, ?, ?)", [table, header_id(header), text, now])
