"""Where the time of one token goes: prefill and decode by what holds them up, over batches, over contexts, and as a map."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.serving import Chip, Deployment, Layout, Shape, critical_batch, critical_batch_moe, critical_context
from analytics.serving.fleet import PARTS
from analytics.serving.search import NoLayout
from charts.labels import note
from charts.look import Look
from charts.params import choice, number, pick
from charts.receipt import Receipt, assumed, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.serving import fleets, inputs, work
from charts.serving.draw import label_margin, token_ticks, tokens_text
from charts.serving.work import WorkParams
from charts.template import halo, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.snapshot import Snapshot

VIEWS = {"parts": "Prefill and decode", "batch": "Decode by batch", "context": "Decode by context", "map": "What holds it up"}
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
CRITICAL = {"view": "batch", "model": "Llama-3.1-405B", "chip": "h100-sxm", "context": 1024}
BATCHES = 2.0 ** np.arange(0, 13.01, 0.25)
CONTEXTS = 2.0 ** np.arange(8, 20.01, 0.25)


class Params(WorkParams):
    """One deployment at a batch and a context."""

    view: Literal["parts", "batch", "context", "map"] = choice("parts", label="Show", help="what the time is shown over", labels=VIEWS)
    chip: str = pick("h200-sxm", label="Chip", help="chip of the deployment")
    gpus: int = number(0, ge=0, le=576, label="Chips", help="chips of the deployment; 0 takes the fewest that hold it", unit="chips")
    batch: int = number(64, ge=1, le=8192, label="Batch", help="conversations decoded together", unit="conversations", log=True)
    context: int = number(
        4096, ge=16, le=1_048_576, label="Context", help="tokens each conversation has in the cache", unit="tokens", log=True
    )


def deployment(params: Params, snapshot: Snapshot) -> tuple[Shape, Chip, Deployment]:
    """The deployment looked at: of the layouts of this size the one with the quickest decode step at this batch and context."""
    shape, chip = inputs.model(snapshot, params.model, params.config), inputs.chip(snapshot, params.chip, params.own_chip)
    precision = inputs.precision(shape, params.weights, params.kv)
    if params.gpus:
        every = [Deployment(shape, chip, lay, precision) for lay in fleets.sensible_layouts(shape, chip, [params.gpus])]
        if not every:
            every = [Deployment(shape, chip, Layout(tensor=1, data=1, pipeline=params.gpus), precision)]
        good = [d for d in every if not d.shortage(1, params.context)]
        if not good:
            raise NoLayout(f"{shape.name} does not fit on {params.gpus} × {chip.chip_id}: {every[0].shortage(1, params.context)}")
    else:
        good = fleets.fitting(shape, chip, precision, float(params.context))
        least = min(d.layout.chips for d in good)
        good = [d for d in good if d.layout.chips == least]
    own = fleets.fleet(snapshot, good)
    steps = own.decode_step_s(np.arange(len(good)), params.batch, params.context)
    return shape, chip, good[int(np.argmin(steps))]


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Milliseconds by part at points: of prefill and decode, or over batches, contexts or both; what is largest at each."""
    shape, chip, chosen = deployment(params, snapshot)
    own = fleets.fleet(snapshot, [chosen])
    context = np.asarray(float(params.context))
    if params.view == "parts":
        prompts = max(1.0, np.floor(8192 / max(params.input_tokens, 1))) * chosen.layout.data
        fill = own.prefill(0, prompts, params.input_tokens, params.workload.cached_tokens)
        computed = prompts * (params.input_tokens - float(params.workload.cached_tokens))
        step = own.decode_step(0, params.batch, context)
        # A token of the prompt and a token of the answer: time of the pass over the tokens it makes.
        parts = [
            _frame(fill, computed, "prefill", computed, params.input_tokens),
            _frame(step, params.batch, "decode", params.batch, params.context),
        ]
        out = pd.concat(parts, ignore_index=True)
    elif params.view == "batch":
        out = _frame(own.decode_step(0, BATCHES, context), BATCHES, "decode", BATCHES, params.context)
    elif params.view == "context":
        out = _frame(own.decode_step(0, float(params.batch), CONTEXTS), params.batch, "decode", params.batch, CONTEXTS)
    else:
        batch, contexts = (grid.ravel() for grid in np.meshgrid(BATCHES[::2], CONTEXTS[::2]))
        out = _frame(own.decode_step(0, batch, contexts), batch, "decode", batch, contexts)
        out["fits"] = out["batch"] <= own.largest_batch(np.zeros(len(out), dtype=int), out["context_tokens"].to_numpy(dtype=float))
    out.attrs = {
        "model": shape.name,
        "chip": work.short(inputs.chip_name(inputs.chip_row(snapshot, params.chip, params.own_chip))),
        "layout": chosen.layout.describe(),
        "gpus": chosen.layout.chips,
        "fits": float(own.largest_batch(0, context)),
        **_critical(shape, chip, chosen),
    }
    return out


def _frame(step: Any, made: Any, phase: str, batch: Any, context: Any) -> pd.DataFrame:
    """Parts of passes as a table: time of the pass [ms] and of a token [µs]."""
    values = {part: np.atleast_1d(np.asarray(getattr(step, part), dtype=float)) for part in PARTS}
    size = max(v.size for v in values.values())
    out = pd.DataFrame({"phase": phase, "batch": np.broadcast_to(batch, size), "context_tokens": np.broadcast_to(context, size)})
    for part in PARTS:
        out[f"{part}_ms"] = np.broadcast_to(values[part], size) * 1e3
    out["step_ms"] = out[[f"{part}_ms" for part in PARTS]].sum(axis=1)
    out["token_us"] = out["step_ms"] * 1e3 / np.broadcast_to(made, size)
    out["largest"] = [PARTS[i] for i in np.argmax(out[[f"{part}_ms" for part in PARTS]].to_numpy(), axis=1)]
    return out


def _critical(shape: Shape, chip: Chip, chosen: Deployment) -> dict[Hashable, Any]:
    """Critical batch and context of the roofline, of one chip's peaks."""
    part = "experts" if shape.moe_layers else "ffn"
    peak, width = chip.peak(getattr(chosen.precision, part)), chosen.precision.bytes_of(part)
    if shape.moe_layers:
        batch = float(critical_batch_moe(peak, chip.memory_bandwidth, width, shape.experts, shape.top_k))
    else:
        batch = float(critical_batch(peak, chip.memory_bandwidth, width))
    grows = float(shape.kv_bytes_per_sequence(2**21, chosen.precision.kv) - shape.kv_bytes_per_sequence(2**20, chosen.precision.kv)) / 2**20
    active = shape.active_params_without_input_embedding
    context = float(critical_context(active, chip.memory_bandwidth, peak, grows)) if grows > 0 else None
    return {"critical_batch": batch, "critical_context": context}


def words(table: pd.DataFrame, params: Params) -> Words:
    """What holds a token up, where that changes, and what the marks mean."""
    a = table.attrs
    server = f"{a['gpus']} × {a['chip']}" if a["gpus"] > 1 else a["chip"]
    decode = table[table["phase"] == "decode"]
    critical = f"{a['critical_batch']:,.0f}"
    if params.view == "parts":
        fill = table[table["phase"] == "prefill"].iloc[0]
        step = decode.iloc[0]
        ratio = step["token_us"] / fill["token_us"]
        finding = (
            f"On {server}, a token of the answer takes {ratio:,.3g} times as long as one of the prompt: "
            f"decode waits for {NAMES[step['largest']]}, prefill for {NAMES[fill['largest']]}"
        )
        what = f"Time of one token of {a['model']} by what it waits for, one bar each for prefill and decode"
    elif params.view == "batch":
        finding = _turn(decode, "batch", f"Decoding {a['model']} on {server}", f"{params.context:,} tokens of context")
        what = "Share of a decode step by what it waits for, over batches (log); vertical lines: the batch asked for and the critical batch"
    elif params.view == "context":
        finding = _turn(decode, "context_tokens", f"Decoding {a['model']} on {server}", f"a batch of {params.batch:,}")
        what = "Share of a decode step by what it waits for, over contexts (log); lines: the context asked for and the critical context"
    else:
        held = decode[decode["fits"]] if decode["fits"].any() else decode
        share = (held["largest"].map(GROUPS).str.startswith("memory")).mean()
        finding = f"Where it fits, decoding {a['model']} on {server} waits for memory in {100 * share:.0f} % of batches and contexts"
        what = "What the largest part of a decode step is, over batch and context (both log); pale: does not fit in memory"
    beyond = (
        f"critical context {a['critical_context']:,.0f} tokens" if a["critical_context"] else "no critical context: the cache stops growing"
    )
    subtitle = f"{what}. {a['layout']}; batch {params.batch:,}, context {params.context:,}. Roofline: critical batch {critical}, {beyond}."
    notes: tuple[str, ...] = ()
    if params.batch > a["fits"] and params.view != "map":
        notes = (f"Only {a['fits']:,.0f} conversations of this context fit in memory; the step is shown as if {params.batch:,} did.",)
    return Words(
        finding,
        subtitle,
        f"{what}. {finding}.",
        "",
        "Ridgepoint serving model; kernel efficiencies measured by aiconfigurator-core 0.12.0",
        notes,
    )


def _turn(decode: pd.DataFrame, axis: str, subject: str, at: str) -> str:
    """The first and the last thing a step waits for along an axis, and where the last one takes over."""
    first, last = decode["largest"].iloc[0], decode["largest"].iloc[-1]
    if first == last and (decode["largest"] == first).all():
        return f"{subject} at {at} waits for {NAMES[first]} throughout"
    changes = decode.index[decode["largest"] != decode["largest"].shift()]
    turn = decode.loc[changes[-1], axis]
    where = f"a batch of {turn:,.0f}" if axis == "batch" else f"{tokens_text(turn)} tokens"
    return f"{subject} at {at} waits for {NAMES[first]} first, and for {NAMES[last]} from {where} on"


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
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


def _shares(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Stacked shares over batch or context, named inside the areas."""
    height, t, a = look.height(), tokens(look), table.attrs
    fig = new_figure(look, height_px=height)
    axis = "batch" if params.view == "batch" else "context_tokens"
    x = table[axis].to_numpy(dtype=float)
    foot = np.zeros(len(table))
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
            fig.add_annotation(
                x=np.log10(np.clip(x[at], x[0] * 2.2, x[-1] / 2.2)),
                y=foot[at] + share[at] / 2,
                text=f"<b>{NAMES[part]}</b>",
                showarrow=False,
                font={"size": 11 if look.phone else 13, "color": t["ink"], "shadow": halo(look.theme)},
            )
        foot = foot + share
    write = tokens_text if axis == "context_tokens" else (lambda v: f"{v:,.0f}")
    fig.update_layout(margin={"l": 54, "r": 22, "t": 40, "b": 46})
    fig.update_xaxes(
        **token_ticks(x[0], x[-1], write),
        range=[np.log10(x[0]), np.log10(x[-1])],
        title_text="Batch, conversations" if axis == "batch" else "Context, tokens",
    )
    fig.update_yaxes(range=[0, 100], ticksuffix=" %")
    asked, critical = (params.batch, a["critical_batch"]) if axis == "batch" else (params.context, a["critical_context"])
    for value, text, level in (
        (asked, f"{'batch' if axis == 'batch' else 'context'} {write(asked)}", 16),
        (critical, f"critical {write(critical) if critical else ''}", 2),
    ):
        if value and x[0] <= value <= x[-1]:
            fig.add_vline(x=value, line={"color": t["ink"], "width": 1.4, "dash": "solid" if value == asked else "4px,3px"})
            fig.add_annotation(
                x=np.log10(value),
                y=1,
                yref="paper",
                yanchor="bottom",
                yshift=level,
                text=text,
                showarrow=False,
                font={"size": 11 if look.phone else 12},
            )
    return fig


def _map(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
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
            f"batch {2**b:,.0f}, context {tokens_text(2**c)}: {groups[int(v)]}, {m:,.1f} ms{'' if f else ', does not fit'}"
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
            mid = at[np.argmin(((at - at.mean(axis=0)) ** 2).sum(axis=1))]
            fig.add_annotation(
                x=x[mid[1]],
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
    names = [tokens_text(2.0**e) for e in range(8, 21, 2)]
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


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Critical batch and context with this chip's peaks, and the step at the batch and context asked for."""
    shape, chip, chosen = deployment(params, snapshot)
    own = fleets.fleet(snapshot, [chosen])
    step = own.decode_step(0, float(params.batch), float(params.context))
    part = "experts" if shape.moe_layers else "ffn"
    peak, width = chip.peak(getattr(chosen.precision, part)), chosen.precision.bytes_of(part)
    roof = {"peak_flop_per_s": peak, "bandwidth_bytes_per_s": chip.memory_bandwidth, "bytes_per_weight": width}
    if shape.moe_layers:
        lines = [worked(critical_batch_moe, **roof, experts=shape.experts, experts_per_token=shape.top_k)]
    else:
        lines = [worked(critical_batch, **roof)]
    grows = float(shape.kv_bytes_per_sequence(2**21, chosen.precision.kv) - shape.kv_bytes_per_sequence(2**20, chosen.precision.kv)) / 2**20
    if grows > 0:
        lines.append(
            worked(
                critical_context,
                active_params=shape.active_params_without_input_embedding,
                bandwidth_bytes_per_s=chip.memory_bandwidth,
                peak_flop_per_s=peak,
                kv_bytes_per_token=grows,
            )
        )
    lines.append(
        looked_up(
            f"Decode step, batch {params.batch:,}, context {params.context:,}",
            float(step.total) * 1e3,
            "ms",
            f"the serving model: {chosen.layout.describe()}",
        )
    )
    lines += [looked_up(NAMES[name].capitalize(), float(getattr(step, name)) * 1e3, "ms", "the same step") for name in PARTS]
    rows = (
        work.model_input(snapshot, params),
        work.chip_input(snapshot, params.chip, params.own_chip),
        assumed("Batch", f"{params.batch:,}", "conversations"),
        assumed("Context", f"{params.context:,}", "tokens"),
    )
    assumptions = [
        "A pass waits for the larger of memory and arithmetic in every operation; parts are sums over operations.",
        "Critical batch and context are rooflines of the peaks; the parts use achieved rates, so they turn elsewhere.",
        *own.curves[0].kernels_from,
        *chosen.chip.assumed,
    ]
    return Receipt(tuple(lines), rows, tuple(as_text(s, 300) for s in assumptions), work.passport_words(snapshot, params, params.chip))


CHART = register(
    Chart(
        id="serving.token_time",
        page="serving",
        title="Where the time of one token goes",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"model": inputs.model_options, "chip": inputs.chip_options},
        presets=(
            Preset("parts", "Prompt against answer", {}, claim="R4"),
            Preset("critical-batch", "Critical batch of 405B", CRITICAL, claim="R1"),
            Preset("long", "Long contexts", {"view": "context", "model": "Llama-3.1-70B", "chip": "h100-sxm", "batch": 32}, claim="R5"),
            Preset("map", "Memory-bound or compute-bound", {"view": "map"}, claim="R4"),
        ),
    )
)  # fmt: skip
