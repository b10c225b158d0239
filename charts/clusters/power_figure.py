"""Step lines of levels over time: what is seen running, what is planned, today, and claims beside them."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import QUANTITIES
from charts.labels import EndLabel, end_labels, margin_for, note, place
from charts.look import Look
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text

_PHONE_LINES = 6
_DASHED, _DOTTED = "5px,3px", "1px,3px"


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """Solid up to the day the source was read to, dashed after it, dotted where a level is kept and nothing further is listed."""
    height, t = look.height(), tokens(look)
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    a, write = table.attrs, QUANTITIES[params.quantity].write
    table = table.assign(planned=table["planned"].astype(bool), day=pd.to_datetime(table["day"]))
    today, read = pd.Timestamp(a["today"]), pd.Timestamp(a["read_to"] or a["today"])
    start, end = table["day"].min(), max(table["day"].max(), today) + pd.Timedelta(days=45)
    named = _named(table, min(params.lines, _PHONE_LINES) if look.phone else params.lines)
    groups = table[table["line"].isin(named)].sort_values("value", ascending=False, kind="stable")["group"].drop_duplicates().tolist()
    tones = {g: t[SERIES[i]] if i < len(SERIES) else t["point"] for i, g in enumerate(groups)}
    lines = {str(line): own.sort_values("day", kind="stable") for line, own in table.groupby("line", sort=False)}
    _context(fig, [own for line, own in lines.items() if line not in named], read, end, look)
    labels = []
    for line in reversed(named):
        own = lines[line]
        tone, last = tones[own["group"].iloc[0]], float(own["value"].iloc[-1])
        _draw(fig, line, own, read, end, tone, look, write)
        aside = as_text(own["group"].iloc[0], 24) if params.by == "site" else ""
        labels.append(EndLabel(last, f"{as_text(short_name(line), 17 if look.phone else 30)} <b>{write(last)}</b>", tone, aside))
    low, high = _range(table, params.log, [label.y for label in labels if label.y > 0])
    margin = {"l": 52 if look.phone else 66, "r": margin_for(labels, look), "t": 44, "b": 40}
    fig.update_layout(margin=margin)
    fig.update_xaxes(
        range=[start, end], dtick=f"M{12 * (2 if look.phone and (end - start).days > 1500 else 1)}", tickformat="%Y", tickangle=0
    )
    if params.log:
        fig.update_yaxes(range=[math.log10(low), math.log10(high)], **numbers.log_ticks(low, high, write))
    else:
        ticks = linear_ticks(high)
        fig.update_yaxes(range=[0, high], tickvals=ticks, ticktext=[write(v) for v in ticks])
    _verticals(fig, today, read, end, look, [e["day"] for e in a["events"]])
    plot = (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
    _claims(fig, a["claims"], (start, end), (low, high), plot, params, look)
    if a["events"]:
        fig.add_scatter(
            x=[e["day"] for e in a["events"]], y=[low * 1.06 if params.log else high * 0.02] * len(a["events"]), mode="markers",
            marker={"symbol": "triangle-up", "size": 9, "color": t["mute"]}, cliponaxis=False,
            text=[f"{numbers.date(e['day'])}: {as_text(e['text'], 160)}" for e in a["events"]], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    end_labels(fig, labels, look, x_end=end, y_range=(low, high), log=params.log, plot_px=plot[1], top_px=20)
    return fig


def short_name(name: str) -> str:
    """A site's name without what stands in brackets and without words every reader adds."""
    bare = re.sub(r"\s*\([^)]*\)", "", name).strip() or name
    return re.sub(r"^(Microsoft|Stargate|Google|Meta|xAI|Project|Amazon)\s+(?=[A-Z]\S+.{3,})", "", bare)


def _named(table: pd.DataFrame, count: int) -> list[str]:
    """Half of the lines by what they will reach, half by what they have, in the order of what they will reach."""
    peak = table.groupby("line")["value"].max().sort_values(ascending=False, kind="stable")
    seen = table[~table["planned"]].drop_duplicates("line", keep="last").sort_values("value", ascending=False, kind="stable")["line"]
    wanted = list(peak.index[: math.ceil(count / 2)])
    for line in [*seen, *peak.index]:
        if len(wanted) >= count:
            break
        if line not in wanted:
            wanted.append(line)
    return [str(line) for line in peak.index if line in wanted]


def _parts(own: pd.DataFrame, read: pd.Timestamp, end: pd.Timestamp) -> tuple[list, list, list, list, bool]:
    """Points of the solid and the dashed part of a line, and whether the dashed one is only a level kept."""
    seen, later = own[~own["planned"]], own[own["planned"]]
    solid_x, solid_y = list(seen["day"]), list(seen["value"])
    dash_x, dash_y = list(later["day"]), list(later["value"])
    if solid_x:
        turn = max(read, solid_x[-1])
        dash_x, dash_y = [turn, *dash_x], [solid_y[-1], *dash_y]
        solid_x, solid_y = [*solid_x, turn], [*solid_y, solid_y[-1]]
    return solid_x, solid_y, [*dash_x, end], [*dash_y, dash_y[-1]], not len(later)


def _context(fig: go.Figure, lines: list[pd.DataFrame], read: pd.Timestamp, end: pd.Timestamp, look: Look) -> None:
    """All unnamed lines in two traces: hundreds of sites cost no more than one."""
    tone = tokens(look)["context"]
    drawn: dict[str, tuple[list, list]] = {"solid": ([], []), _DASHED: ([], [])}
    for own in lines:
        solid_x, solid_y, dash_x, dash_y, _ = _parts(own, read, end)
        for dash, x, y in (("solid", solid_x, solid_y), (_DASHED, dash_x, dash_y)):
            if x:
                drawn[dash][0].extend([*x, None])
                drawn[dash][1].extend([*y, None])
    for dash, (x, y) in drawn.items():
        if x:
            fig.add_scatter(x=x, y=y, mode="lines", hoverinfo="skip", line={"color": tone, "width": 1, "shape": "hv", "dash": dash})


def _draw(fig: go.Figure, line: str, own: pd.DataFrame, read: pd.Timestamp, end: pd.Timestamp, tone: str, look: Look, write: Any) -> None:
    """One named line, with a mark where each level begins: filled where seen, hollow where planned."""
    solid_x, solid_y, dash_x, dash_y, kept = _parts(own, read, end)
    style = {"color": tone, "width": 2, "shape": "hv"}
    if solid_x:
        fig.add_scatter(x=solid_x, y=solid_y, mode="lines", line=style, hoverinfo="skip")
    later = {"dash": _DOTTED, "width": 1.2} if kept else {"dash": _DASHED, "width": 1.6}
    fig.add_scatter(x=dash_x, y=dash_y, mode="lines", line=style | later, hoverinfo="skip")
    for planned, fill in ((False, tone), (True, tokens(look)["page"])):
        part = own[own["planned"] == planned]
        if part.empty:
            continue
        told = "planned" if planned else "seen"
        fig.add_scatter(
            x=part["day"], y=part["value"], mode="markers", cliponaxis=False,
            customdata=part["cluster_id"].tolist() if "cluster_id" in part else None,
            text=[f"{as_text(line)}<br>{numbers.date(d)}: {write(v)}, {told}" for d, v in zip(part["day"].dt.date, part["value"])],
            hovertemplate="%{text}<extra></extra>",
            marker={"size": 5 if look.phone else 6, "color": fill, "line": {"color": tone, "width": 1.5}},
        )  # fmt: skip


def _range(table: pd.DataFrame, log: bool, ends: list[float]) -> tuple[float, float]:
    """Lower and upper end of the axis: a logarithmic one holds every label's level, but no more than 2.5 decades."""
    high = float(table["value"].max()) * (1.35 if log else 1.08)
    if not log:
        return 0.0, high or 1.0
    positive = table.loc[table["value"] > 0, "value"]
    if positive.empty:
        return 1.0, 10.0
    return max(min(max(float(positive.min()), high / 60), *(0.9 * end for end in ends)), high / 300) * 0.85, high


def linear_ticks(high: float) -> np.ndarray:
    """About five round ticks from zero to below `high`."""
    raw = high / 5
    step = 10.0 ** math.floor(math.log10(raw))
    return np.arange(0, high, next(m * step for m in (1, 2, 5, 10) if m * step >= raw))


def _verticals(fig: go.Figure, today: pd.Timestamp, read: pd.Timestamp, end: pd.Timestamp, look: Look, events: list[str]) -> None:
    """Today, the day the source was read to, the days of events and the zone of plans, in one go: a shape at a time is slow."""
    t = tokens(look)
    upright = {"type": "line", "xref": "x", "yref": "paper", "y0": 0, "y1": 1}
    shapes: list[dict[str, Any]] = [
        upright | {"type": "rect", "x0": today, "x1": end, "fillcolor": t["zone"], "line": {"width": 0}, "layer": "below"},
        upright | {"x0": today, "x1": today, "line": {"color": t["ink"], "width": 1}},
    ]  # fmt: skip
    quiet = {"color": t["axis"], "width": 1, "dash": "1px,4px"}
    shapes += [upright | {"x0": day, "x1": day, "line": quiet, "layer": "below"} for day in events]
    if read < today:
        shapes.append(upright | {"x0": read, "x1": read, "line": {"color": t["mute"], "width": 1, "dash": "2px,3px"}})
    fig.update_layout(shapes=shapes)
    day = "<b>Today</b>" if look.phone else f"<b>Today</b>, {numbers.date(today.date())}"
    fig.add_annotation(
        x=today, y=1, yref="paper", yanchor="bottom", yshift=12, text=day, showarrow=False, font_size=11 if look.phone else 12
    )
    if read < today:
        note(fig, look, "seen running ◂", x=read, y=1, yref="paper", yanchor="top", xanchor="right", xshift=-6)
        if not look.phone:
            to = f"source read<br>to {numbers.date(read.date()).rsplit(' ', 1)[0]}"
            note(fig, look, to, x=read, y=0, yref="paper", yanchor="bottom", xanchor="right", xshift=-6, yshift=4, align="right")
    note(fig, look, "▸ planned", x=today, y=1, yref="paper", yanchor="top", xanchor="left", xshift=6)


def _claims(
    fig: go.Figure,
    claims: list[dict[str, Any]],
    x_range: tuple,
    y_range: tuple[float, float],
    plot: tuple[float, float],
    params: Any,
    look: Look,
) -> None:
    """Hollow diamonds, named beside them on a wide screen."""
    t, write = tokens(look), QUANTITIES[params.quantity].write
    inside = [c for c in claims if y_range[0] <= c["value"] <= y_range[1] and x_range[0] <= pd.Timestamp(c["day"])]
    if not inside:
        return
    fig.add_scatter(
        x=[c["day"] for c in inside], y=[c["value"] for c in inside], mode="markers", cliponaxis=False,
        text=[f"{as_text(c['name'])}: {write(c['value'])}<br>claim: {as_text(c['source'])}" for c in inside],
        hovertemplate="%{text}<extra></extra>",
        marker={"symbol": "diamond-open", "size": 9 if look.phone else 10, "color": t["ink"], "line": {"width": 1.5}},
    )  # fmt: skip
    if look.phone:
        return
    span = (x_range[1] - x_range[0]).days
    low, high = (math.log10(v) for v in y_range) if params.log else y_range
    xs = [(pd.Timestamp(c["day"]) - x_range[0]).days / span * plot[0] for c in inside]
    ys = [plot[1] * (1 - ((math.log10(c["value"]) if params.log else c["value"]) - low) / (high - low)) for c in inside]
    texts = [f"{short_name(c['name'])}: {write(c['value'])}" for c in inside]
    for c, text, spot in zip(inside, texts, place(list(zip(xs, ys)), texts, 11, (0, 0, *plot))):
        if spot is not None:
            value = math.log10(c["value"]) if params.log else c["value"]
            note(fig, look, as_text(text, 40), x=c["day"], y=value, xshift=spot.dx, yshift=-spot.dy, font_size=11)
