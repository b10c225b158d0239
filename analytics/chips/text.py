"""Texts and days out of table cells, whatever way a blank is written."""

from __future__ import annotations

import datetime
from typing import Any


def plain(value: Any) -> str:
    """A cell as text; None, NaN and other missing marks become ""."""
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return ""
    return str(value).strip()


def iso_day(value: Any) -> str:
    """A day as YYYY-MM-DD from a date or such a text; ValueError says what is accepted."""
    if isinstance(value, datetime.datetime):
        value = value.date()
    text = value.isoformat() if isinstance(value, datetime.date) else plain(value)
    try:
        return datetime.date.fromisoformat(text).isoformat() if len(text) == 10 else _refuse(text)
    except ValueError:
        return _refuse(text)


def _refuse(text: str) -> str:
    raise ValueError(f"date must be a day written YYYY-MM-DD, got {text!r}")
