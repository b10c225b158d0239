"""Colours and the plotly template, light and dark; every series colour holds 4.5:1 on page and panel."""

from __future__ import annotations

import functools
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from charts.look import Look

FONT = "Inter, system-ui, sans-serif"
TOKENS: dict[str, dict[str, str]] = {
    "light": {
        "page": "#ffffff", "panel": "#f5f5f2", "ink": "#1c2530", "mute": "#59626a", "faint": "#8b939a", "grid": "#e9ebe7",
        "axis": "#aeb4b0", "border": "#d9dcd8", "dot": "#8b939a", "context": "#c3c9ca", "point": "#717a82", "zone": "rgba(28,37,48,.045)",
        "blue": "#1c6cc0", "rust": "#c2420a", "green": "#0a5c4a", "plum": "#7d2c80",
        "tint_denial": "rgba(194,66,10,.10)", "tint_notice": "rgba(214,158,20,.16)", "denial": "#a03506", "notice": "#7a5600",
        "primary": "#1c5c9c", "band_blue": "rgba(28,108,192,.13)", "band_rust": "rgba(194,66,10,.13)",
    },
    "dark": {
        "page": "#11161c", "panel": "#1a2129", "ink": "#e8ebee", "mute": "#a4adb7", "faint": "#77818b", "grid": "#252d36",
        "axis": "#56616c", "border": "#333c46", "dot": "#66717c", "context": "#46515c", "point": "#84909b", "zone": "rgba(232,235,238,.05)",
        "blue": "#62a0f5", "rust": "#f58a55", "green": "#5fe0b4", "plum": "#e9b3ea",
        "tint_denial": "rgba(245,138,85,.17)", "tint_notice": "rgba(240,203,82,.16)", "denial": "#f8a57c", "notice": "#e9c860",
        "primary": "#7fb2f5", "band_blue": "rgba(98,160,245,.16)", "band_rust": "rgba(245,138,85,.16)",
    },
}  # fmt: skip
SERIES = ("blue", "rust", "green", "plum", "ink")
DASHES = ("solid", "5px,3px", "2px,3px", "9px,4px", "9px,3px,2px,3px")
CONFIG: dict[str, Any] = {
    "displayModeBar": False, "responsive": True, "scrollZoom": False, "displaylogo": False, "doubleClick": "reset", "showTips": False,
    "topojsonURL": "/topo/",
}  # fmt: skip


def tokens(look: Look) -> dict[str, str]:
    """Colours of a look's theme."""
    return TOKENS[look.theme]


@functools.cache
def template(theme: str) -> go.layout.Template:
    """The plotly template of a theme."""
    t = TOKENS[theme]
    axis = {
        "showline": False, "zeroline": False, "gridcolor": t["grid"], "gridwidth": 1, "ticks": "", "automargin": False,
        "tickfont": {"size": 12.5, "color": t["mute"]}, "title": {"font": {"size": 12.5, "color": t["mute"]}, "standoff": 10},
    }  # fmt: skip
    across = {"showgrid": False, "showline": True, "linecolor": t["axis"], "ticks": "outside", "ticklen": 5, "tickcolor": t["axis"]}
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": t["ink"]},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [t[name] for name in SERIES],
            "showlegend": False,
            "hovermode": "closest",
            "dragmode": False,
            "separators": ".,",
            "margin": {"l": 64, "r": 24, "t": 28, "b": 48},
            "hoverlabel": {
                "bgcolor": t["panel"],
                "bordercolor": t["border"],
                "font": {"family": FONT, "size": 13, "color": t["ink"]},
                "align": "left",
            },  # fmt: skip
            "xaxis": axis | across,
            "yaxis": axis,
            "geo": {
                "bgcolor": "rgba(0,0,0,0)",
                "landcolor": t["panel"],
                "countrycolor": t["border"],
                "coastlinecolor": t["axis"],
                "lakecolor": t["page"],
                "oceancolor": t["page"],
                "showcountries": True,
                "showframe": False,
            },  # fmt: skip
        }
    )


def install() -> None:
    """Make the templates plotly's own and the light one its default: set once, it costs nothing a figure."""
    for theme in TOKENS:
        pio.templates[f"ridgepoint_{theme}"] = template(theme)
    pio.templates.default = "ridgepoint_light"


def new_figure(look: Look, *, height_px: int, **layout: Any) -> go.Figure:
    """An empty figure of a look. Cards get the page's colour behind them, since an image travels without a page."""
    figure = go.Figure(layout={"template": template(look.theme), "height": height_px} | layout)
    if look.phone:
        figure.update_layout(font_size=11.5, margin={"l": 52, "r": 12, "t": 26, "b": 40} | layout.get("margin", {}))
        figure.update_xaxes(tickfont_size=11)
        figure.update_yaxes(tickfont_size=11, title_text=None)
    if look.card:
        figure.update_layout(paper_bgcolor=TOKENS[look.theme]["page"])
    return figure


def halo(theme: str) -> str:
    """A text shadow in the page's colour, so that a note reads on lines and bands."""
    page = TOKENS[theme]["page"]
    return ", ".join(f"{x}px {y}px 1.5px {page}" for x in (-1.5, 0, 1.5) for y in (-1.5, 0, 1.5) if x or y)


install()
