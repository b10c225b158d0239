"""Drawing of where the time of a token goes: bars, shares over an axis, and the map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.serving.fleet import PARTS
from charts.labels import note, text_width
from charts.look import Look
from charts.serving.draw import label_margin, token_ticks
from charts.template import halo, new_figure, tokens

NAMES = {
    "weights": "reading weights", "kv": "reading the KV cache", "flops": "multiplying", "activations": "activations",
    "communication": "communication", "launch": "kernel launches", "host": "host",
}  # fmt: skip
TONES = {
    "weights": "blue",
    "kv": "rust",
    "flops": "green",
    "activations": "point",
    "communication": "plum",
    "launch": "dot",
    "host": "context",
}
#: What bounds a pass, for the map: parts that wait for memory, for arithmetic, for links, for the host.
GROUPS = {
    "weights": "memory: weights",
    "kv": "memory: KV cache",
    "flops": "arithmetic",
    "communication": "links",
    "launch": "host",
    "host": "host",
    "activations": "memory: weights",
}
GROUP_TONES = {"memory: weights": "blue", "memory: KV cache": "rust", "arithmetic": "green", "links": "plum", "host": "point"}


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """Two bars, shares over an axis, or the map."""
    if params.view == "parts":
        return _bars(table, look)
    return _map(table, params, look) if params.view == "map" else _shares(table, params, look)


def _bars(table: pd.DataFrame, look: Look) -> go.Figure:
    """Microseconds of a token by part, prefill above decode, with the largest parts named."""
    height, t = look.height(420, 380), tokens(look)
    fig = new_figure(look, height_px=height)
    labels = {"prefill": "a token of the prompt", "decode": "a token of the answer"}
    longest = float(table["token_us"].max())
    order = ["decode", "prefill"]
    for part in PARTS:
        per_token = {r["phase"]: r[f"{part}_ms"] * r["token_us"] / r["step_ms"] for _, r in table.iterrows()}
        values = [per_token[phase] for phase in order]
        told = [f"{labels[p]}: {NAMES[part]} {v:,.1f} µs" for p, v in zip(order, values)]
        fig.add_bar(
            y=[0, 1],
            x=values,
            orientation="h",
            width=0.42,
            marker={"color": t[TONES[part]], "line": {"width": 0}},
            text=told,
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )
    for i, phase in enumerate(order):
        row = table[table["phase"] == phase].iloc[0]
        fig.add_annotation(
            x=0,
            y=i,
            yshift=height * 0.12,
            text=f"<b>{labels[phase]}</b>, {row['token_us']:,.0f} µs",
            showarrow=False,
            xanchor="left",
            font={"size": 12 if look.phone else 14},
        )
        parts = sorted(PARTS, key=lambda p: -row[f"{p}_ms"])[:4]
        readable = {part: t["mute"] if TONES[part] in ("dot", "context") else t[TONES[part]] for part in PARTS}
        shares = {part: f"{NAMES[part]} {100 * row[f'{part}_ms'] / row['step_ms']:.0f} %" for part in parts[: 2 if look.phone else 4]}
        said = " · ".join(f'<span style="color:{readable[part]}">{text}</span>' for part, text in shares.items())
        note(fig, look, said, x=0, y=i, yshift=-height * 0.12, xanchor="left")
    fig.update_layout(barmode="stack", margin={"l": 14, "r": 20, "t": 20, "b": 44})
    fig.update_xaxes(range=[0, longest * 1.04], title_text="Microseconds per token, all chips together", tickformat=",d")
    fig.update_yaxes(visible=False, range=[-0.6, 1.6])
    return fig


def _shares(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """Stacked shares over batch or context, named inside the areas."""
    height, t, a = look.height(), tokens(look), table.attrs
    fig = new_figure(look, height_px=height)
    axis = "batch" if params.view == "batch" else "context_tokens"
    x = table[axis].to_numpy(dtype=float)
    foot = np.zeros(len(table))
    ticks = token_ticks(x[0], x[-1], _whole, 4 if look.phone else 7)
    # half of the last tick's label stands beyond the plot: without room there plotly drops it
    left, right = 54, max(22, int(text_width(ticks["ticktext"][-1], 12.5) / 2) + 6)
    fig.update_layout(margin={"l": left, "r": right, "t": 40, "b": 46})
    for part in PARTS:
        share = (table[f"{part}_ms"] / table["step_ms"]).to_numpy() * 100
        told = [f"{v:,.0f}: {NAMES[part]} {s:.0f} % of {m:,.1f} ms" for v, s, m in zip(x, share, table["step_ms"])]
        fig.add_scatter(
            x=x,
            y=share,
            stackgroup="one",
            mode="lines",
            line={"width": 0.5, "color": t["page"]},
            fillcolor=t[TONES[part]],
            text=told,
            hovertemplate="%{text}<extra></extra>",
        )
        at = int(np.argmax(share))
        if share[at] > 12:
            spot = _inside(np.log10(x[at]), np.log10(x[0]), np.log10(x[-1]), NAMES[part], look, left + right)
            at = int(np.argmin(np.abs(np.log10(x) - spot)))
            fig.add_annotation(
                x=spot,
                y=foot[at] + share[at] / 2,
                text=f"<b>{NAMES[part]}</b>",
                showarrow=False,
                font={"size": 11 if look.phone else 13, "color": t["ink"], "shadow": halo(look.theme)},
            )
        foot = foot + share
    fig.update_xaxes(
        **ticks,
        range=[np.log10(x[0]), np.log10(x[-1])],
        title_text="Batch, conversations" if axis == "batch" else "Context, tokens",
    )
    fig.update_yaxes(range=[0, 100], ticksuffix=" %")
    asked, critical = (params.batch, a["critical_batch"]) if axis == "batch" else (params.context, a["critical_context"])
    for value, text, level in (
        (asked, f"{'batch' if axis == 'batch' else 'context'} {_whole(asked)}", 16),
        (critical, f"critical {_whole(critical) if critical else ''}", 2),
    ):
        if value and x[0] <= value <= x[-1]:
            fig.add_vline(x=value, line={"color": t["ink"], "width": 1.4, "dash": "solid" if value == asked else "4px,3px"})
            fig.add_annotation(
                x=_inside(np.log10(value), np.log10(x[0]), np.log10(x[-1]), text, look, left + right),
                y=1,
                yref="paper",
                yanchor="bottom",
                yshift=level,
                text=text,
                showarrow=False,
                font={"size": 11 if look.phone else 12},
            )
    return fig


def _whole(value: float) -> str:
    """Batches and contexts are written as whole numbers everywhere in this chart: 4,096."""
    return f"{value:,.0f}"


def _inside(at: float, low: float, high: float, text: str, look: Look, beside_px: float) -> float:
    """Where a label's middle may stand so that it stays between the plot's edges; `beside_px` is the width outside the plot."""
    half = (text_width(text, 11.5 if look.phone else 13.5) / 2 + 4) / (look.width_px - beside_px) * (high - low)
    return float(np.clip(at, low + half, high - half))


def _map(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """Cells of batch and context coloured by what the step waits for."""
    height, t = look.height(), tokens(look)
    fig = new_figure(look, height_px=height)
    groups = list(GROUP_TONES)
    code = table["largest"].map(GROUPS).map(groups.index)
    grid = table.assign(code=code).pivot(index="context_tokens", columns="batch", values="code")
    fits = table.pivot(index="context_tokens", columns="batch", values="fits").to_numpy(dtype=bool)
    step = table.pivot(index="context_tokens", columns="batch", values="step_ms").to_numpy()
    scale = []
    for i, name in enumerate(groups):
        scale += [[i / len(groups), t[GROUP_TONES[name]]], [(i + 1) / len(groups), t[GROUP_TONES[name]]]]
    x, y = np.log2(grid.columns.to_numpy(dtype=float)), np.log2(grid.index.to_numpy(dtype=float))
    told = [
        [
            f"batch {2**b:,.0f}, context {_whole(2**c)}: {groups[int(v)]}, {m:,.1f} ms{'' if f else ', does not fit'}"
            for b, v, m, f in zip(x, row, ms, ok)
        ]
        for c, row, ms, ok in zip(y, grid.to_numpy(), step, fits)
    ]
    fig.add_heatmap(
        x=x,
        y=y,
        z=grid.to_numpy(),
        zmin=0,
        zmax=len(groups),
        colorscale=scale,
        showscale=False,
        text=told,
        hovertemplate="%{text}<extra></extra>",
        xgap=1,
        ygap=1,
    )
    fig.add_heatmap(
        x=x,
        y=y,
        z=np.where(fits, np.nan, 1.0),
        colorscale=[[0, t["page"]], [1, t["page"]]],
        opacity=0.68,
        showscale=False,
        hoverinfo="skip",
    )
    for i, name in enumerate(groups):
        at = np.argwhere(grid.to_numpy() == i)
        if len(at) >= 6:
            clear = at[np.abs(y[at[:, 0]] - np.log2(params.context)) > 1.2]
            at, middle = (clear if len(clear) else at), at.mean(axis=0)
            mid = at[np.argmin(((at - middle) ** 2).sum(axis=1))]
            fig.add_annotation(
                x=_inside(x[mid[1]], -0.25, 13.25, name, look, 90),
                y=y[mid[0]],
                text=f"<b>{name}</b>",
                showarrow=False,
                font={"size": 11 if look.phone else 13, "color": t["ink"], "shadow": halo(look.theme)},
            )
    fig.add_scatter(
        x=[np.log2(params.batch)],
        y=[np.log2(params.context)],
        mode="markers",
        marker={"size": 11, "color": t["page"], "line": {"color": t["ink"], "width": 2}},
        hovertemplate=f"batch {params.batch:,}, context {params.context:,}<extra></extra>",
        cliponaxis=False,
    )
    names = [_whole(2.0**e) for e in range(8, 21, 2)]
    fig.update_layout(margin={"l": label_margin(names, look) + 6, "r": 20, "t": 24, "b": 46})
    fig.update_xaxes(
        tickvals=list(range(0, 14, 2)),
        ticktext=[f"{2**e:,}" for e in range(0, 14, 2)],
        title_text="Batch, conversations",
        range=[-0.25, 13.25],
    )
    fig.update_yaxes(
        tickvals=list(range(8, 21, 2)),
        ticktext=names,
        title_text="" if look.phone else "Context, tokens",
        range=[7.75, 20.25],
        showgrid=False,
    )
    return fig
