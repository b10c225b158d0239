"""Drawing of what a score costs over time: one score with the best model beside it, or all scores from a common start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.rates import trend_usd_per_mtok
from charts.labels import EndLabel, end_labels, margin_for, note
from charts.look import Look
from charts.numbers import date, dollars, log_ticks, share
from charts.prices.draw import Frame, name_points, stepped, y_unit
from charts.template import tokens
from charts.text import as_text


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """The chosen view drawn from the table alone."""
    return _together(table.attrs["pooled"], look) if params.view == "all" else _one(table, look)


def _one(table: pd.DataFrame, look: Look) -> go.Figure:
    t, facts = tokens(look), table.attrs
    records, best = table[table["record"]], table[table["best"]]
    low, high = (table["usd_per_task"].min() / 1.6, table["usd_per_task"].max() * 1.8) if len(table) else (0.001, 1.0)
    first = table["date"].iloc[0] if len(table) else "2023-01-01"
    start = (pd.Timestamp(first) - pd.Timedelta(days=40)).strftime("%Y-%m-%d")
    left, right = (62, 30) if not look.phone else (48, 12)
    frame = Frame(look, look.height(480, 430), left, right, 26, 36, (start, facts["end"]), (low, high), y_log=True)
    out = frame.figure()
    out.update_yaxes(**log_ticks(low, high, _usd, 12), title_text=None)
    out.update_xaxes(type="date", hoverformat="%d %b %Y", tickangle=0, nticks=4 if look.phone else 10)
    y_unit(out, frame, "$ per task")
    if (end := facts["scored_until"]) < facts["end"]:
        out.add_vrect(x0=end, x1=facts["end"], fillcolor=t["zone"], line_width=0, layer="below")
        text = "no runs" if look.phone else f"no runs recorded<br>after {date(end)}"
        note(out, look, text, x=end, xanchor="left", xshift=6, y=0, yref="paper", yanchor="bottom", yshift=6)
    others = table[~table["record"] & ~table["best"]]
    for reaches, face in ((False, t["page"]), (True, t["dot"])):
        own = others[others["reaches"].eq(reaches)]
        marks = {"size": 5.5, "color": face, "line": {"width": 1.2, "color": t["dot"]}}
        _marks(out, own, marks)
    for rows, ink, dash in ((best, t["plum"], "5px,3px"), (records, t["ink"], "solid")):
        if rows.empty:
            continue
        xs, ys = [*rows["date"], end], [*rows["usd_per_task"], rows["usd_per_task"].iloc[-1]]
        out.add_scatter(x=xs, y=ys, mode="lines", line={"shape": "hv", "color": ink, "width": 2, "dash": dash}, hoverinfo="skip")
        _marks(out, rows, {"size": 8, "color": ink, "line": {"width": 1.5, "color": t["page"]}})
    shown = [_few(records, look), _few(best[~best["record"]], look)]
    named = pd.concat(shown)
    texts = [f"{as_text(m, 26)} <b>{_usd(v)}</b>" for m, v in zip(named["model"], named["usd_per_task"])]
    inks = [t["ink"] if record else t["plum"] for record in named["record"]]
    around = [frame.pixels(table["date"].tolist(), table["usd_per_task"].tolist())]
    around += [stepped(frame, rows["date"], rows["usd_per_task"]) for rows in (records, best) if len(rows) > 1]
    name_points(
        out, frame, named["date"].tolist(), named["usd_per_task"].tolist(), texts, colors=inks, obstacles=np.vstack(around),
        first=range(len(shown[0])),
    )  # fmt: skip
    return out


def _few(rows: pd.DataFrame, look: Look) -> pd.DataFrame:
    return rows.iloc[sorted({0, len(rows) - 1})] if look.phone and len(rows) else rows


def _marks(out: go.Figure, rows: pd.DataFrame, marks: dict[str, Any]) -> None:
    out.add_scatter(
        x=rows["date"], y=rows["usd_per_task"], mode="markers", marker=marks, cliponaxis=False,
        text=[
            f"<b>{as_text(m)}</b>, {share(s)}<br>{_usd(v)} a task, out {date(d)}"
            for m, s, v, d in zip(rows["model"], rows["score"], rows["usd_per_task"], rows["date"])
        ],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _usd(value: float) -> str:
    return dollars(value) if value >= 0.01 else f"{100 * value:.2g} ¢"


def _together(pooled: dict[str, Any], look: Look) -> go.Figure:
    t, curves = tokens(look), pooled["curves"]
    low = min((min(c["ratio"]) for c in curves), default=0.1) / 1.5
    months = max((c["months"][-1] for c in curves), default=1.0) or 1.0
    labels = [EndLabel(c["ratio"][-1], share(c["level"]), t["point"]) for c in curves]
    right = margin_for(labels, look)
    frame = Frame(
        look, look.height(480, 430), 62 if not look.phone else 50, right, 26, 52, (0.0, months), (low, 1.5), y_log=True
    )  # fmt: skip
    out = frame.figure()
    out.update_yaxes(**log_ticks(low, 1.5, lambda v: f"{v:g}×", 10), title_text=None)
    out.update_xaxes(title_text="months since a model first reached the score")
    y_unit(out, frame, "lowest cost over the first")
    for c in curves:
        out.add_scatter(
            x=c["months"], y=c["ratio"], mode="lines", line={"shape": "hv", "color": t["point"], "width": 1.4},
            hovertemplate=f"{share(c['level'])} after %{{x:.0f}} months: %{{y:.3g}}×<extra></extra>",
        )  # fmt: skip
        out.add_scatter(
            x=[c["months"][-1]], y=[c["ratio"][-1]], mode="markers", marker={"size": 5, "color": t["point"]}, hoverinfo="skip"
        )  # fmt: skip
    if "major_axis_fold" in pooled:
        x = np.linspace(0, months, 60)
        line = trend_usd_per_mtok(1.0, pooled["major_axis_fold"], x / 12)
        line = np.where(line >= low, line, np.nan)
        out.add_scatter(x=x, y=line, mode="lines", line={"color": t["blue"], "width": 1.8, "dash": "5px,3px"}, hoverinfo="skip")
        head = f"<span style='color:{t['blue']}'><b>halves every {pooled['major_axis_months']:.2f} months</b></span>"
        small = f"least squares {pooled['ols_months']:.2f}, all error in time {pooled['inverse_months']:.2f}"
        where = {"x": 1, "xref": "paper", "xanchor": "right", "y": 1, "yref": "paper", "yanchor": "top", "yshift": -26}
        note(out, look, f"{head}<br>{small}", **where)
    if not look.phone:
        name_ends(out, curves, t["point"])
    else:
        end_labels(out, labels, look, x_end=months, y_range=(low, 1.5), log=True, plot_px=frame.plot_height)
    return out


def name_ends(out: go.Figure, curves: list[dict[str, Any]], ink: str) -> None:
    """Write each curve's score where the curve ends."""
    for c in curves:
        out.add_annotation(
            x=c["months"][-1], y=float(np.log10(c["ratio"][-1])), text=share(c["level"]), showarrow=False, xanchor="left", xshift=2, yshift=10,
            font={"size": 12, "color": ink},
        )  # fmt: skip
