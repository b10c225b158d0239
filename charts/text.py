"""Text from files and readers, made safe for a figure: plotly reads some tags, so they must not come from outside."""

from __future__ import annotations

import html
import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def as_text(value: Any, most: int = 120) -> str:
    """The value as text that a figure shows letter for letter: tags and entities shown, control marks gone, cut at `most`."""
    text = _CONTROL.sub(" ", "" if value is None else str(value))
    if len(text) > most:
        text = text[: most - 1] + "…"
    return html.escape(text, quote=False)


def shown(value: Any, most: int = 400) -> str:
    """The value as HTML text for our own markup: quotes escaped too."""
    return html.escape(_CONTROL.sub(" ", "" if value is None else str(value))[:most], quote=True)


def web_address(value: Any) -> str:
    """The value where it is an http(s) address that can be linked, else ""."""
    text = "" if value is None else str(value).strip()
    return text if re.fullmatch(r"https?://[^\s\"'<>`\\]{3,2000}", text) else ""
