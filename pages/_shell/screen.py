"""What the reader's screen is like: light or dark, wide or narrow."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from charts.look import Look
from pages._shell import components


def theme() -> Literal["light", "dark"]:
    """The reader's theme; light until the browser has said."""
    return "dark" if getattr(st.context.theme, "type", None) == "dark" else "light"


def width() -> Literal["desk", "phone"]:
    """The width class the browser reported, before its report guessed from what it calls itself."""
    told = st.session_state.get("_width")
    if told in ("desk", "phone"):
        return told  # type: ignore[return-value]
    headers: Any = st.context.headers or {}
    mobile = headers.get("Sec-Ch-Ua-Mobile") == "?1" or "Mobi" in headers.get("User-Agent", "")
    return "phone" if mobile else "desk"


def ask() -> None:
    """Ask the browser for its width class; a change reruns the page."""
    told = components.told_width()
    if told in ("desk", "phone") and told != st.session_state.get("_width"):
        changed = told != width()
        st.session_state["_width"] = told
        if changed:
            st.rerun()


def look(heights: tuple[int, int]) -> Look:
    """How figures are drawn for this reader: `heights` are those for wide and narrow screens [px]."""
    narrow = width() == "phone"
    return Look(theme(), width(), height_px=heights[1] if narrow else heights[0])
