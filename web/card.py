"""A figure that travels alone: its finding above it, its credit, revision and address below it, all inside the picture."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from charts.look import Look
from charts.template import TOKENS, new_figure
from charts.text import as_text
from web.typeface import shortened, wrapped
from web.typeface import width_px as text_width_px

EDGE_PX = 36
TITLE_PX, SUBTITLE_PX, FOOT_PX, GAP_PX = 30, 17, 15, 6
NARROW_PX = 600  # below it the picture is drawn as for a phone


def look_for(theme: str, width_px: int, height_px: int, words: Mapping[str, Any], *, framed: bool) -> Look:
    """Return the look a figure is to be drawn with so that, framed, it fills the picture."""
    above, below = frame_px(words, width_px) if framed else (0, 0)
    wide = width_px >= NARROW_PX
    height = max(height_px - above - below, 160)
    return Look("dark" if theme == "dark" else "light", "desk" if wide else "phone", height_px=height, card=wide)


def frame_px(words: Mapping[str, Any], width_px: int) -> tuple[int, int]:
    """Return the room a frame takes above and below a figure [px]."""
    title, subtitle, scale = _lines(words, width_px)
    above = EDGE_PX * scale + len(title) * TITLE_PX * scale * 1.25 + len(subtitle) * SUBTITLE_PX * scale * 1.35 + GAP_PX * scale + 8
    return round(above), round(60 * scale)


def framed(figure: go.Figure, words: Mapping[str, Any], stamp: str, address: str, look: Look, width_px: int) -> go.Figure:
    """Return the figure with its frame.

    Parameters: the figure, drawn at `look_for`'s height; its words; the stamp (revision and day) that follows the credit in the foot,
    and the address at its right; its look; the picture's width [px].
    """
    colours = TOKENS[look.theme]
    title, subtitle, scale = _lines(words, width_px)
    above, below = frame_px(words, width_px)
    edge = EDGE_PX * scale
    margin = {side: _margin(figure, side) for side in ("l", "r", "t", "b")}
    out = go.Figure(figure)
    out.update_layout(
        height=(figure.layout.height or 540) + above + below,
        margin=margin | {"t": margin["t"] + above, "b": margin["b"] + below, "autoexpand": False},
        paper_bgcolor=colours["page"],
    )
    y = margin["t"] + above - edge  # pixels above the plot's upper edge
    for lines, size, leading, colour, weight in (
        (title, TITLE_PX * scale, 1.25, colours["ink"], 700),
        (subtitle, SUBTITLE_PX * scale, 1.35, colours["mute"], 400),
    ):
        for line in lines:
            font = {"size": size, "color": colour, "weight": weight}
            _write(out, line, x=0, y=1, xshift=edge - margin["l"], yshift=y, xanchor="left", yanchor="top", font=font)
            y -= size * leading
        y -= GAP_PX * scale
    line_y = -(margin["b"] + 4)
    out.add_shape(
        type="line",
        xref="paper",
        yref="paper",
        xsizemode="pixel",
        ysizemode="pixel",
        xanchor=0,
        yanchor=0,
        x0=edge - margin["l"],
        x1=width_px - edge - margin["l"],
        y0=line_y,
        y1=line_y,
        line={"color": colours["border"], "width": 1},
    )
    foot_font = {"size": FOOT_PX * scale, "color": colours["mute"]}
    foot_px = FOOT_PX * scale
    room = width_px - 2 * edge - text_width_px(address, foot_px, 700) - text_width_px(f" · {stamp}", foot_px) - 2 * foot_px
    foot = " · ".join(part for part in (shortened(str(words.get("credit") or ""), room, foot_px), stamp) if part)
    _write(out, foot, x=0, y=0, xshift=edge - margin["l"], yshift=line_y - 12, xanchor="left", yanchor="top", font=foot_font)
    right = foot_font | {"color": colours["ink"], "weight": 700}
    _write(out, address, x=1, y=0, xshift=margin["r"] - edge, yshift=line_y - 12, xanchor="right", yanchor="top", font=right)
    return out


def nothing(sentence: str, look: Look) -> go.Figure:
    """Return a figure that holds nothing but a sentence."""
    figure = new_figure(look, height_px=look.height())
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    colour = TOKENS[look.theme]["mute"]
    text = "<br>".join(as_text(line, 400) for line in textwrap.wrap(sentence, 40 if look.phone else 90))
    figure.add_annotation(text=text, xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False, font={"size": 16, "color": colour})
    return figure


def _lines(words: Mapping[str, Any], width_px: int) -> tuple[list[str], list[str], float]:
    scale = 1.0 if width_px >= 1000 else max(0.55, width_px / 1000)
    room = width_px - 2 * EDGE_PX * scale
    title = wrapped(str(words.get("finding") or ""), room, TITLE_PX * scale, weight=700)
    subtitle = wrapped(str(words.get("subtitle") or ""), room, SUBTITLE_PX * scale)
    return title, subtitle, scale


def _margin(figure: go.Figure, side: str) -> float:
    own = figure.layout.margin[side]
    if own is None and figure.layout.template.layout.margin is not None:
        own = figure.layout.template.layout.margin[side]
    return 80.0 if own is None else float(own)


def _write(figure: go.Figure, text: str, **where: Any) -> None:
    figure.add_annotation(text=as_text(text, 400), xref="paper", yref="paper", showarrow=False, align="left", **where)
