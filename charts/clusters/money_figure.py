"""The drawing of a cluster's cost: a bar a part, the total with its range, and published totals as lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.labels import note
from charts.look import Look
from charts.template import new_figure, tokens
from charts.text import as_text

UNITS = {"year": "USD a year", "capital": "USD", "life": "USD", "hour": "USD a GPU-hour"}
TONES = {"capital": "blue", "running": "plum", "electricity": "rust", "total": "ink"}


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """Horizontal bars of the measure, largest part first as built, the total below a rule."""
    key, t = params.measure, tokens(look)
    own = table[(table[f"{key}_usd"] > 0) | (table["kind"] == "total")].reset_index(drop=True)
    n = len(own)
    height = look.height_px or 130 + 50 * n
    margin = {"l": 104 if look.phone else 160, "r": 20, "t": 34, "b": 52}
    fig = new_figure(look, height_px=height, margin=margin)
    y = np.arange(n)[::-1]
    value = own[f"{key}_usd"].to_numpy(float)
    low, high = (own[f"{key}_{end}_usd"].to_numpy(float) for end in ("low", "high"))
    spread = high > low * 1.0001
    write = (lambda v: f"${v:,.2f}") if key == "hour" else numbers.dollars
    fig.add_bar(
        x=value, y=y, orientation="h", width=0.56, marker={"color": [t[TONES[k]] for k in own["kind"]]},
        error_x={
            "type": "data", "array": np.where(spread, high - value, 0), "arrayminus": np.where(spread, value - low, 0),
            "color": t["mute"], "thickness": 1.6, "width": 6,
        },
        text=[f"{p}: {write(v)}" + (f"<br>{write(a)} to {write(b)}" if s else "") for p, v, a, b, s in zip(own["part"], value, low, high, spread)],
        textposition="none", hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    total = max(float(value[-1]), 1e-12)
    reach = max([float(high.max()), float(value.max()), *(p["value"] for p in table.attrs["published"])])
    for place, row, v, far in zip(y, own.to_dict("records"), value, np.where(spread, high, value)):
        part = "" if row["kind"] == "total" else f" · {numbers.share(v / total)}"
        note(
            fig,
            look,
            f"<b>{write(v)}</b>{part}",
            x=float(far),
            y=int(place),
            xanchor="left",
            xshift=8,
            font={"size": 11 if look.phone else 12.5, "color": t["ink"]},
        )
    for published in table.attrs["published"]:
        fig.add_vline(x=published["value"], line={"color": t["plum"], "width": 1.4, "dash": "5px,3px"})
        said = f"stated: {write(published['value'])}"
        note(
            fig,
            look,
            as_text(said),
            x=published["value"],
            y=1,
            yref="paper",
            yanchor="bottom",
            yshift=4,
            font={"size": 11 if look.phone else 12, "color": t["plum"]},
        )
    fig.update_xaxes(
        range=[0, reach * (1.5 if look.phone else 1.2)],
        title_text=UNITS[key],
        tickprefix="$",
        nticks=4 if look.phone else 7,
        tickformat=".2f" if key == "hour" else "~s",
    )
    if key != "hour":
        fig.update_xaxes(**_dollar_ticks(reach, look))
    fig.update_yaxes(
        tickvals=y, ticktext=[as_text(p, 16 if look.phone else 22) for p in own["part"]], range=[-0.6, n - 0.4], showgrid=False
    )
    if n > 1:
        fig.add_hline(y=0.5, line={"color": t["axis"], "width": 1})
    return fig


def _dollar_ticks(reach: float, look: Look) -> dict[str, Any]:
    step = 10.0 ** np.floor(np.log10(reach))
    step = next(s * step for s in (0.2, 0.5, 1, 2, 5) if reach * 1.2 / (s * step) <= (4 if look.phone else 8))
    ticks = np.arange(0, reach * 1.5, step)
    return {"tickvals": ticks, "ticktext": [numbers.dollars(v) if v else "$0" for v in ticks], "tickprefix": ""}
