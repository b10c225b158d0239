"""Step lines of levels over time: what is seen running, what is planned, today, and claims beside them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import QUANTITIES
from charts.labels import EndLabel, annotate, end_labels, margin_for, place, quiet
from charts.look import Look
from charts.template import SERIES, halo, new_figure, tokens
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
    lines = {own.name: own for own in _lines(table)}
    fig.add_traces(_context([own for line, own in lines.items() if line not in named], read, end, look))
    fig.add_traces(_drawn([lines[line] for line in reversed(named)], tones, read, end, look, write))
    labels = []
    for line in reversed(named):
        own = lines[line]
        last = float(own.value[-1])
        aside = as_text(own.group, 24) if params.by == "site" else ""
        text = f"{as_text(short_name(line), 17 if look.phone else 30)} <b>{write(last)}</b>"
        labels.append(EndLabel(last, text, tones[own.group], aside))
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
    _verticals(fig, today, read, end, look, [] if look.phone else [e["day"] for e in a["events"]])
    plot = (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
    marks = table[table["line"].isin(named)]
    _claims(fig, a["claims"], marks, (start, end), (low, high), plot, params, look)
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


@dataclass(frozen=True)
class _Line:
    """One line: its name and group, and of each step the day, level, whether it is planned, and the cluster."""

    name: str
    group: str
    day: list[pd.Timestamp]
    value: list[float]
    planned: list[bool]
    cluster: list[str]

    def parts(self, read: pd.Timestamp, end: pd.Timestamp) -> tuple[list, list, list, list]:
        """Points of the solid part and of the dashed one."""
        seen = [i for i, planned in enumerate(self.planned) if not planned]
        later = [i for i, planned in enumerate(self.planned) if planned]
        solid_x, solid_y = [self.day[i] for i in seen], [self.value[i] for i in seen]
        dash_x, dash_y = [self.day[i] for i in later], [self.value[i] for i in later]
        if seen:
            turn = max(read, solid_x[-1])
            dash_x, dash_y = [turn, *dash_x], [solid_y[-1], *dash_y]
            solid_x, solid_y = [*solid_x, turn], [*solid_y, solid_y[-1]]
        return solid_x, solid_y, [*dash_x, end], [*dash_y, dash_y[-1]]


def _lines(table: pd.DataFrame) -> list[_Line]:
    """The lines of a table, in its order."""
    table = table.sort_values("day", kind="stable")
    cluster = table["cluster_id"] if "cluster_id" in table else pd.Series("", index=table.index)
    columns = [list(table[name]) for name in ("group", "day", "value", "planned")]
    steps = list(zip(*columns, cluster))
    out = []
    for name, rows in table.groupby("line", sort=False).indices.items():
        own = [steps[i] for i in rows]
        group, day, value, planned, ids = (list(column) for column in zip(*own))
        out.append(_Line(str(name), str(group[0]), day, value, planned, ids))
    return out


def _joined(parts: list[tuple[list, list]]) -> dict[str, list]:
    """Several lines as one trace's x and y, gaps between them."""
    return {"x": [v for x, _ in parts for v in (*x, None)], "y": [v for _, y in parts for v in (*y, None)]}


def _context(lines: list[_Line], read: pd.Timestamp, end: pd.Timestamp, look: Look) -> list[dict[str, Any]]:
    """All unnamed lines in two traces: hundreds of sites cost no more than one."""
    tone = tokens(look)["context"]
    parts = [own.parts(read, end) for own in lines]
    drawn = {"solid": [(x, y) for x, y, _, _ in parts if x], _DASHED: [(x, y) for _, _, x, y in parts]}
    return [
        {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": tone, "width": 1, "shape": "hv", "dash": dash}}
        | _joined(those)
        for dash, those in drawn.items()
        if those
    ]


def _drawn(
    lines: list[_Line], tones: dict[str, str], read: pd.Timestamp, end: pd.Timestamp, look: Look, write: Any
) -> list[dict[str, Any]]:
    """The named lines, those of one colour and dash in one trace, and a mark where each level begins: filled seen, hollow planned."""
    strokes: dict[tuple[str, str, float], list[tuple[list, list]]] = {}
    for own in lines:
        solid_x, solid_y, dash_x, dash_y = own.parts(read, end)
        tone = tones[own.group]
        if solid_x:
            strokes.setdefault((tone, "solid", 2), []).append((solid_x, solid_y))
        dash, width = (_DASHED, 1.6) if any(own.planned) else (_DOTTED, 1.2)
        strokes.setdefault((tone, dash, width), []).append((dash_x, dash_y))
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": tone, "dash": dash, "width": width, "shape": "hv"}}
        | _joined(those)
        for (tone, dash, width), those in strokes.items()
    ]
    marks = [(own, i) for own in lines for i in range(len(own.day))]
    page, colors = tokens(look)["page"], [tones[own.group] for own, _ in marks]
    said = {own.name: as_text(own.name) for own in lines}
    traces.append({
        "type": "scatter", "mode": "markers", "cliponaxis": False, "hovertemplate": "%{text}<extra></extra>",
        "x": [own.day[i] for own, i in marks], "y": [own.value[i] for own, i in marks],
        "customdata": [own.cluster[i] for own, i in marks],
        "text": [
            f"{said[own.name]}<br>{numbers.date(own.day[i].date())}: {write(own.value[i])}, {'planned' if own.planned[i] else 'seen'}"
            for own, i in marks
        ],
        "marker": {
            "size": 5 if look.phone else 6, "line": {"color": colors, "width": 1.5},
            "color": [page if own.planned[i] else tone for (own, i), tone in zip(marks, colors)],
        },
    })  # fmt: skip
    return traces


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
    faint = {"color": t["axis"], "width": 1, "dash": "1px,4px"}
    shapes += [upright | {"x0": day, "x1": day, "line": faint, "layer": "below"} for day in events]
    if read < today:
        shapes.append(upright | {"x0": read, "x1": read, "line": {"color": t["mute"], "width": 1, "dash": "2px,3px"}})
    day = "<b>Today</b>" if look.phone else f"<b>Today</b>, {numbers.date(today.date())}"
    top = {"y": 1, "yref": "paper", "yanchor": "top"}
    font = {"size": 11 if look.phone else 12, "color": t["ink"]}
    said = [quiet(look, day, x=today, **top | {"yanchor": "bottom"}, yshift=12, font=font)]
    if read < today:
        said.append(quiet(look, "seen running ◂", x=read, **top, xanchor="right", xshift=-6))
        if not look.phone:
            to = f"source read<br>to {numbers.date(read.date()).rsplit(' ', 1)[0]}"
            said.append(
                quiet(
                    look,
                    to,
                    x=read,
                    y=0,
                    yref="paper",
                    yanchor="bottom",
                    xanchor="right",
                    xshift=-6,
                    yshift=18 if events else 4,
                    align="right",
                )
            )
    said.append(quiet(look, "▸ planned", x=today, **top, xanchor="left", xshift=6))
    fig.update_layout(shapes=shapes)
    annotate(fig, said)


def _claims(
    fig: go.Figure,
    claims: list[dict[str, Any]],
    marks: pd.DataFrame,
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

    def at_px(days: Any, values: Any) -> list[tuple[float, float]]:
        levels = [math.log10(max(v, 1e-9)) if params.log else v for v in values]
        return [
            ((pd.Timestamp(d) - x_range[0]).days / span * plot[0], plot[1] * (1 - (v - low) / (high - low))) for d, v in zip(days, levels)
        ]

    points = at_px([c["day"] for c in inside], [c["value"] for c in inside])
    drawn = at_px(marks["day"], marks["value"])
    texts = [f"{short_name(c['name'])}: {write(c['value'])}" for c in inside]
    spots = zip(inside, texts, place(points, texts, 11, (0, 0, *plot), obstacles=drawn))
    at = [(c, text, spot, math.log10(c["value"]) if params.log else c["value"]) for c, text, spot in spots if spot is not None]
    small = {"size": 11, "color": t["mute"], "shadow": halo(look.theme)}
    annotate(fig, [quiet(look, as_text(text, 40), x=c["day"], y=y, xshift=s.dx, yshift=-s.dy, font=small) for c, text, s, y in at])
