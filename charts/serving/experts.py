"""Why experts help and hurt: experts a batch reads, cost against dense models, and what imbalance takes."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.serving import Deployment, Shape
from analytics.serving.money import output_cost_usd_per_mtok
from analytics.serving.run import experts_read
from analytics.serving.search import NoLayout, candidates, pareto
from analytics.serving.variants import dense_of_active, dense_of_all
from charts import numbers
from charts.labels import EndLabel, end_labels, margin_for, text_width
from charts.look import Look
from charts.params import choice, many, number, pick
from charts.receipt import Receipt, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.serving import fleets, inputs, work
from charts.serving.draw import add, beside, log_axis, token_ticks
from charts.serving.kept import kept
from charts.serving.work import WorkParams
from charts.template import SERIES, halo, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.snapshot import Snapshot

VIEWS = {"hit": "Experts read", "dense": "Against dense", "imbalance": "Imbalance"}
DEFAULT_MODELS = ("DeepSeek-V3", "Kimi-K2", "Qwen3-235B-A22B", "Mixtral-8x7B")
TOKENS = 2.0 ** np.arange(0, 14.01, 0.25)
IMBALANCES = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
#: Names of the three models of the comparison, in the order of their colours.
KINDS = ("mixture", "dense, as large", "dense, as active")


class Params(WorkParams):
    """Which mixtures, on what."""

    view: Literal["hit", "dense", "imbalance"] = choice("hit", label="Show", help="experts a step reads, cost, or imbalance", labels=VIEWS)
    models: tuple[str, ...] = many(DEFAULT_MODELS, label="Mixtures", help="mixtures of experts side by side; at most five", most=5)
    model: str = pick("DeepSeek-V3", label="Model", help="the mixture that is compared with dense models and thrown out of balance")
    chip: str = pick("h200-sxm", label="Chip", help="chip that serves it")
    gpus: int = number(16, ge=1, le=128, label="Chips", help="chips of a replica", log=True)
    batch: int = number(
        512, ge=1, le=65_536, label="Batch", help="conversations of a replica, for imbalance", unit="conversations", log=True
    )
    rent: float = work.rent_param()


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Share of experts by tokens of a step, the fronts of a mixture and its dense counterparts, or rate by imbalance."""
    if params.view == "hit":
        names = [*params.models, inputs.OWN] if params.model == inputs.OWN else list(params.models)
        return _hit(params, snapshot, list(dict.fromkeys(names))[-5:])
    return _dense(params, snapshot) if params.view == "dense" else _imbalance(params, snapshot)


def idle(params: Params) -> frozenset[str]:
    """Parameters that the view does not draw: how many experts are read is a matter of the configurations alone."""
    if params.view == "hit":
        own = {"model"} if params.model == inputs.OWN else set()
        return frozenset(Params.model_fields) - {"view", "models", "config"} - own
    return frozenset({"models", "batch"} if params.view == "dense" else {"models", "pools", "rent"})


def _mixture(params: Params, snapshot: Snapshot, name: str) -> Shape:
    shape = inputs.model(snapshot, name, params.config)
    if not shape.moe_layers:
        raise ValueError(f"{shape.name} has no experts; models with experts are {numbers.listed(_mixtures(snapshot), 8)}")
    return shape


@kept
def _mixtures(snapshot: Snapshot) -> list[str]:
    rows = snapshot.table("models")
    return sorted(rows.loc[rows["moe_layers"] > 0, "model"])


def _hit(params: Params, snapshot: Snapshot, names: list[str]) -> pd.DataFrame:
    parts, facts = [], []
    for name in names:
        shape = _mixture(params, snapshot, name)
        read = experts_read(shape.experts, shape.top_k, TOKENS)
        parts.append(
            pd.DataFrame({"line": shape.name, "tokens_of_a_step": TOKENS, "experts_read": read, "share_of_experts": read / shape.experts})
        )
        facts.append({"line": shape.name, "experts": shape.experts, "top_k": shape.top_k, "ratio": shape.experts / shape.top_k})
    out = (
        pd.concat(parts, ignore_index=True)
        if parts
        else work.blank_table({"line": "str", "tokens_of_a_step": "float", "share_of_experts": "float"})
    )
    out.attrs = {"lines": facts, "chip": "", "rent": None}
    return out


def _case(params: Params, snapshot: Snapshot) -> tuple[Shape, Any, str, work.Rent | None]:
    shape, chip = _mixture(params, snapshot, params.model), inputs.chip(snapshot, params.chip, params.own_chip)
    name = work.short(inputs.chip_name(inputs.chip_row(snapshot, params.chip, params.own_chip)))
    return shape, chip, name, work.rent(snapshot, params.chip, params.rent)


def _dense(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    shape, chip, name, price = _case(params, snapshot)
    parts, facts = [], []
    for kind, model in zip(KINDS, (shape, dense_of_all(shape), dense_of_active(shape))):
        precision = inputs.precision(model, params.weights, params.kv)
        told = {"line": kind, "parameters": model.total_params, "why_not": ""}
        facts.append(told)
        try:
            good = fleets.fitting(model, chip, precision, float(params.workload.final_context), params.gpus)
        except NoLayout as wrong:
            told["why_not"] = str(wrong)
            continue
        own = fleets.fleet(snapshot, good)
        found = candidates(own, params.workload, pools=params.pools)
        front = pareto(found)
        rate = found.tokens_per_s_per_chip[front]
        cost = output_cost_usd_per_mtok(price.usd_per_hour, rate, 1.0) if price else np.full(rate.shape, np.nan)
        columns = {
            "line": kind,
            "tokens_per_s_per_user": found.tokens_per_s_per_user[front],
            "tokens_per_s_per_gpu": rate,
            "usd_per_mtok": cost,
            "batch": found.batch[front],
        }
        parts.append(pd.DataFrame(columns))
    columns = {"line": "str", "tokens_per_s_per_user": "float", "tokens_per_s_per_gpu": "float", "usd_per_mtok": "float", "batch": "float"}
    out = pd.concat(parts, ignore_index=True) if parts else work.blank_table(columns)
    out.attrs = {"lines": facts, "model": shape.name, "chip": name, "rent": price.usd_per_hour if price else None}
    out.attrs["nearest"] = work.nearest_words(snapshot, params, params.chip)
    return out


def _imbalance(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    shape, chip, name, price = _case(params, snapshot)
    precision = inputs.precision(shape, params.weights, params.kv)
    every = [lay for lay in fleets.sensible_layouts(shape, chip, [params.gpus]) if lay.expert == params.gpus]
    good = [lay for lay in every if not Deployment(shape, chip, lay, precision).shortage(1, float(params.workload.final_context))]
    if not good:
        raise NoLayout(f"{shape.name} with its experts spread over {params.gpus} × {name} does not fit: take more chips")
    context = float(params.workload.mean_context)
    own = fleets.fleet(snapshot, [Deployment(shape, chip, lay, precision) for lay in good])
    quickest = good[int(np.argmin(own.decode_step_s(np.arange(len(good)), params.batch, context)))]
    skewed = [Deployment(shape, chip, dataclasses.replace(quickest, expert_imbalance=value), precision) for value in IMBALANCES]
    every_one = np.arange(len(skewed))
    thrown = fleets.fleet(snapshot, skewed)
    step = thrown.decode_step_s(every_one, params.batch, context)
    prompts = max(1.0, 8192 // max(params.input_tokens, 1)) * quickest.data
    fill = thrown.prefill_s(every_one, prompts, params.input_tokens, params.workload.cached_tokens)
    parts = []
    for phase, time, made in (("prefill", fill, prompts * params.input_tokens), ("decode", step, params.batch)):
        rate = made / time / params.gpus
        columns = {
            "line": phase,
            "imbalance": IMBALANCES,
            "pass_ms": time * 1e3,
            "tokens_per_s_per_gpu": rate,
            "share_of_balanced": rate / rate[0],
        }
        parts.append(pd.DataFrame(columns))
    out = pd.concat(parts, ignore_index=True)
    rent = price.usd_per_hour if price else None
    out.attrs = {"lines": [], "model": shape.name, "chip": name, "layout": quickest.describe(), "rent": rent}
    out.attrs["nearest"] = work.nearest_words(snapshot, params, params.chip)
    return out


def words(table: pd.DataFrame, params: Params) -> Words:
    """What the view shows, in numbers of its table."""
    a = table.attrs
    if params.view == "hit" and table.empty:
        return Words("No mixture chosen", empty="Choose at least one model with experts.", way_out={"models": list(DEFAULT_MODELS)})
    credit = "Ridgepoint serving model"
    if params.view == "hit":
        first = a["lines"][0]
        own = table[table["line"] == first["line"]]
        full = own.loc[own["share_of_experts"] >= 0.95, "tokens_of_a_step"]
        of_all = f"{first['top_k']} of {first['line']}'s {first['experts']} experts"
        finding = f"One token reads {of_all}; {full.iloc[0]:,.0f} together read nearly all"
        told = numbers.listed([f"{f['line']} {f['ratio']:g}×" for f in a["lines"]], 5)
        subtitle = (
            f"Share of a layer's experts that a step reads against tokens in the step (log), routing even. Experts for each used: {told}."
        )
        return Words(
            finding, subtitle, f"Rising curves of the share of experts read. {finding}.", "", f"{credit}; configurations as published"
        )
    if params.view == "dense":
        return _dense_words(table, params, credit)
    twice = table[table["imbalance"] == 2.0].set_index("line")["share_of_balanced"].to_dict()
    lost = {phase: f"{100 * (1 - float(twice[phase])):.0f} %" for phase in ("prefill", "decode")}
    losses = f"{lost['prefill']} of its prefill and {lost['decode']} of its decode"
    finding = f"With twice the mean load on the busiest rank, {a['model']} loses {losses}"
    subtitle = (
        f"Tokens per chip as a share of those under even load, against load of the busiest expert rank over the mean; {params.gpus} × "
        f"{a['chip']}, {a['layout']}, {params.batch:,} conversations decoding. Decode waits for weights, which imbalance does not add to."
    )
    notes = tuple(a.get("nearest", ()))
    return Words(finding, subtitle, f"A falling line of tokens per chip by imbalance. {finding}.", "", credit, notes)


def _dense_words(table: pd.DataFrame, params: Params, credit: str) -> Words:
    a = table.attrs
    known = {str(name): own for name, own in table.groupby("line")}
    without = [f"{f['line']}: {f['why_not']}." for f in a["lines"] if f["why_not"]]
    if "mixture" not in known:
        return Words(f"{a['model']} does not fit here", empty=without[0], way_out={"gpus": 64})
    best = {name: float(own["tokens_per_s_per_gpu"].max()) for name, own in known.items()}
    against = []
    if "dense, as large" in best:
        against.append(f"{best['mixture'] / best['dense, as large']:.3g} times the tokens of a dense model as large")
    if "dense, as active" in best:
        against.append(f"{best['mixture'] / best['dense, as active']:.2g} times those of one as large as its active part")
    finding = f"At its best batch, {a['model']} serves " + (" and ".join(against) if against else "where no dense counterpart fits")
    cost = a["rent"] is not None
    sizes = numbers.listed([f"{f['line']} {f['parameters'] / 1e9:,.0f}B" for f in a["lines"]])
    subtitle = (
        f"{'$ per million output tokens' if cost else 'Output tok/s per chip'} (log) against output tok/s per user, best layout on up to "
        f"{params.gpus} × {a['chip']}: {sizes} parameters. Dense models have the same attention and layers."
    )
    without += a.get("nearest", [])
    if not cost:
        without.append(f"No rent is on record for {a['chip']}, so rates are shown.")
    return Words(finding, subtitle, f"Three curves of {'cost' if cost else 'rate'} by speed. {finding}.", "", credit, tuple(without))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Lines of the view."""
    fig = new_figure(look, height_px=look.height())
    if table.empty:
        return fig
    {"hit": _hit_lines, "dense": _dense_lines, "imbalance": _imbalance_line}[params.view](fig, table, look)
    return fig


def _hit_lines(fig: go.Figure, table: pd.DataFrame, look: Look) -> None:
    t, height = tokens(look), look.height()
    margin = {"l": 52, "r": 20, "t": 20, "b": 46}
    size = 10.5 if look.phone else 12.5
    names = []
    for i, told in enumerate(table.attrs["lines"]):
        own = table[table["line"] == told["line"]]
        x, y = own["tokens_of_a_step"], own["share_of_experts"] * 100
        text = [f"{as_text(told['line'])}, {n:,.0f} tokens: {e:,.1f} of {told['experts']} experts" for n, e in zip(x, own["experts_read"])]
        fig.add_scatter(
            x=x, y=y, mode="lines", line={"color": t[SERIES[i]], "width": 2.2}, text=text, hovertemplate="%{text}<extra></extra>"
        )
        names.append((told["ratio"], f"{as_text(told['line'], 20)}, {told['top_k']} of {told['experts']}", t[SERIES[i]]))
    fig.update_layout(margin=margin)
    fig.update_xaxes(
        **token_ticks(1, TOKENS[-1], lambda v: f"{v:,.0f}", 8),
        range=[0, np.log10(TOKENS[-1])],
        title_text="Tokens in a step, of all conversations",
    )
    fig.update_yaxes(range=[0, 103], ticksuffix=" %")
    # The curves lie closer together than their names are long, and all rise to the same end: the names stand in a corner, in the
    # curves' order from left to right.
    step = size + 6
    wide, tall = look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"]
    reach = (max((text_width(name, size) for _, name, _ in names), default=0) + 24) / wide * np.log10(TOKENS[-1])
    right = table["tokens_of_a_step"] >= TOKENS[-1] / 10**reach
    low = float(table.loc[right, "share_of_experts"].min()) * 100 > (len(names) * step + 24) / tall * 103
    corner = {"x": 1, "y": 0, "xanchor": "right", "yanchor": "bottom"} if low else {"x": 0, "y": 1, "xanchor": "left", "yanchor": "top"}
    written = []
    for row, (_, name, tone) in enumerate(sorted(names)):
        down = (len(names) - 1 - row) * step + 10 if low else -row * step - 4
        font = {"size": size, "color": tone, "shadow": halo(look.theme)}
        at = corner | {"xref": "paper", "yref": "paper", "yshift": down, "xshift": -6 if low else 6}
        written.append(at | {"text": f"<b>━ {name}</b>", "showarrow": False, "font": font})
    add(fig, written)


def _dense_lines(fig: go.Figure, table: pd.DataFrame, look: Look) -> None:
    t, height = tokens(look), look.height()
    cost = table.attrs["rent"] is not None
    column, write = ("usd_per_mtok", numbers.dollars) if cost else ("tokens_per_s_per_gpu", lambda v: f"{v:,.0f}")
    axis, low, high = log_axis(table[column].to_numpy(dtype=float), write)
    ends, labels, tones, lines = [], [], [], []
    top = float(table["tokens_per_s_per_user"].max()) * 1.08
    for kind, own in table.groupby("line", sort=False):
        tone = t[SERIES[KINDS.index(str(kind))]]
        x, y = own["tokens_per_s_per_user"], own[column]
        text = [f"{kind}, {u:,.0f} tok/s per user: {write(v)}, batch {b:,.0f}" for u, v, b in zip(x, y, own["batch"])]
        fig.add_scatter(x=x, y=y, mode="lines", line={"color": tone, "width": 2.2}, text=text, hovertemplate="%{text}<extra></extra>")
        ends.append((float(x.iloc[len(x) // 2]), float(y.iloc[len(x) // 2])))
        labels.append(str(kind))
        tones.append(tone)
        lines.append((x, y))
    margin = {"l": 60, "r": 20, "t": 20, "b": 46}
    fig.update_layout(margin=margin)
    fig.update_xaxes(range=[0, top], title_text="Output tokens per second per user")
    fig.update_yaxes(**axis)
    box = (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
    beside(fig, look, ends, labels, tones, x=(0, top, False), y=(low, high, True), box_px=box, lines=lines)


def _imbalance_line(fig: go.Figure, table: pd.DataFrame, look: Look) -> None:
    t, height = tokens(look), look.height()
    labels = []
    for i, (phase, own) in enumerate(table.groupby("line", sort=False)):
        x, y = own["imbalance"], own["share_of_balanced"] * 100
        text = [
            f"{phase}, {m:g} times the mean: {r:,.0f} tok/s per chip, {s:.0f} % of even load"
            for m, r, s in zip(x, own["tokens_per_s_per_gpu"], y)
        ]
        line, marks = {"color": t[SERIES[i]], "width": 2.2}, {"size": 8, "color": t["page"], "line": {"color": t[SERIES[i]], "width": 2}}
        fig.add_scatter(
            x=x, y=y, mode="lines+markers", line=line, marker=marks, text=text, hovertemplate="%{text}<extra></extra>", cliponaxis=False
        )
        labels.append(EndLabel(float(y.iloc[-1]), f"{phase} <b>{y.iloc[-1]:.0f} %</b>", t[SERIES[i]]))
    margin = {"l": 60, "r": margin_for(labels, look), "t": 20, "b": 46}
    fig.update_layout(margin=margin)
    fig.update_xaxes(range=[0.95, 4.05], title_text="Load of the busiest expert rank over the mean", ticksuffix="×")
    fig.update_yaxes(range=[0, 105], ticksuffix=" %")
    end_labels(fig, labels, look, x_end=4.05, y_range=(0, 105), log=False, plot_px=height - margin["t"] - margin["b"])


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Experts read by the batch asked for, the model's configuration, and what is held equal."""
    name = params.model if params.view != "hit" else (params.models[0] if params.models else params.model)
    shape = _mixture(params, snapshot, name)
    lines = [worked(experts_read, experts=shape.experts, experts_per_token=shape.top_k, tokens=params.batch)]
    lines.append(looked_up("Parameters a token passes", shape.active_params / 1e9, "billion", "the configuration, both embeddings counted"))
    lines.append(looked_up("Parameters in memory", shape.total_params / 1e9, "billion", "the configuration"))
    case = params.model_copy(update={"model": name})
    rows = [work.model_input(snapshot, case), assumed("Experts", f"{shape.experts}, {shape.top_k} a token", "", "the same configuration")]
    if params.view != "hit":
        rows.append(work.chip_input(snapshot, params.chip, params.own_chip))
    price = work.rent(snapshot, params.chip, params.rent)
    if params.view == "dense" and price:
        shown = table(params, snapshot)
        rate = shown.loc[shown["line"] == KINDS[0], "tokens_per_s_per_gpu"].max()
        if rate == rate:  # nothing where the mixture does not fit
            lines.append(
                worked(output_cost_usd_per_mtok, usd_per_gpu_hour=price.usd_per_hour, tokens_per_s_per_gpu=float(rate), utilisation=1.0)
            )
        rows.append(work.rent_row(snapshot, str(shown.attrs["chip"]), params.chip, price))
    if params.view == "dense":
        known = snapshot.table("cluster_parameters")
        for _, said in known[known["param_id"] == "moe_saving"].iterrows():
            rows.append(input_row(said, str(said["description"]), f"{100 * said['value']:g} %", "of training compute; not in the curves"))
    assumptions = (
        "Routing is even for the experts read; real routing is skewed, so fewer are read and the busiest rank waits longer.",
        "Dense counterparts: every layer's feed-forward part as wide as all experts, or as those a token passes.",
        "Imbalance multiplies the routed products of the busiest rank; measured kernels already hold the skew of their own test routing.",
    )
    exact = ("The count of experts is exact for even routing.",)
    error = exact if params.view == "hit" else work.passport_words(snapshot, case, params.chip)
    return Receipt(tuple(lines), tuple(rows), assumptions, error)


def _mixture_options(snapshot: Snapshot) -> dict[str, str]:
    return {name: name for name in _mixtures(snapshot)} | {inputs.OWN: "Your pasted model"}


CHART = register(
    Chart(
        id="serving.experts",
        page="serving",
        title="Why experts help and hurt",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        idle=idle,
        options={"models": _mixture_options, "model": _mixture_options, "chip": inputs.chip_options},
        presets=(
            Preset("hit", "Experts a step reads", {}, claim="R6"),
            Preset("dense", "V3 against dense", {"view": "dense"}, claim="R6, C18"),
            Preset("imbalance", "Idle behind the busiest", {"view": "imbalance"}, claim="R6"),
        ),
    )
)
