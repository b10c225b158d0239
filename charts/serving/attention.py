"""What MLA, GQA, MQA and sliding windows buy: the same model with each, by memory, users and cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.serving import Shape
from analytics.serving.cache import cache_bytes_per_token, latent_bytes_per_token
from analytics.serving.money import output_cost_usd_per_mtok
from analytics.serving.search import Limits, NoLayout, best, most_sequences
from analytics.serving.variants import ATTENTIONS, with_attention
from charts import numbers
from charts.look import Look
from charts.params import ChartParams, number, pick
from charts.receipt import Receipt, assumed, worked
from charts.registry import Chart, Preset, register
from charts.serving import fleets, inputs, work
from charts.serving.draw import add, label_margin, loose, tokens_text
from charts.serving.work import WorkParams
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.snapshot import Snapshot


class Params(ChartParams):
    """One model, given each attention, on one server; the prompt is what of the context the answer leaves."""

    model: str = pick("Llama-3.1-70B", label="Model", help="the model that is given each kind of attention")
    output_tokens: int = work.output_param()
    weights: inputs.Weights = inputs.weights_param()
    kv: inputs.Cache = inputs.cache_param("fp8")
    pools: work.Pools = work.pools_param()
    config: str = inputs.config_param()
    own_chip: str = inputs.chip_param()
    context: int = number(32_768, ge=256, le=1_048_576, label="Context", help="tokens of each conversation", unit="tokens", log=True)
    chip: str = pick("h100-sxm", label="Chip", help="chip of the server")
    gpus: int = inputs.chips_param(8)
    speed: float = number(20, ge=0, le=1000, label="Speed", help="least output tokens per second of a user", unit="tok/s per user", step=5)
    rent: float = work.rent_param()


def _asked(params: Params) -> WorkParams:
    """The case that is costed: the context, less the answer, is the prompt, none of it cached."""
    same = params.model_dump(include=set(WorkParams.model_fields))
    return WorkParams(**same, input_tokens=max(params.context - params.output_tokens, 1), cached_share=0.0)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row per kind of attention, the model's own among them: cache of a conversation, users that fit, cost."""
    shape = inputs.model(snapshot, params.model, params.config)
    chip = inputs.chip(snapshot, params.chip, params.own_chip)
    price = work.rent(snapshot, params.chip, params.rent)
    own = float(np.asarray(shape.kv_bytes_per_sequence(params.context, params.kv)))
    rows = []
    variants = {kind: with_attention(shape, kind) for kind in ATTENTIONS}
    sizes = {kind: float(np.asarray(v.kv_bytes_per_sequence(params.context, params.kv))) for kind, v in variants.items()}
    same = [kind for kind, size in sizes.items() if abs(size / own - 1) < 1e-9]
    if not same:
        variants = {"as released": shape} | variants
    for kind, variant in variants.items():
        rows.append(_row(params, snapshot, kind, variant, chip, price) | {"as_released": kind == "as released" or kind in same[:1]})
    out = pd.DataFrame(rows)
    out["share_of_mha"] = out["cache_gb"] / out.loc[out["attention"] == "MHA", "cache_gb"].iloc[0]
    out = out.sort_values("cache_gb", ascending=False, kind="stable", ignore_index=True)
    name = work.short(inputs.chip_name(inputs.chip_row(snapshot, params.chip, params.own_chip)))
    out.attrs = {"model": shape.name, "chip": name, "rent": price.usd_per_hour if price else None}
    out.attrs["nearest"] = work.nearest_words(snapshot, _asked(params), params.chip)
    return out


def _row(params: Params, snapshot: Snapshot, kind: str, shape: Shape, chip: Any, price: work.Rent | None) -> dict[str, Any]:
    """Memory, users and cost of one variant; blank where nothing fits or no layout is quick enough."""
    precision = inputs.precision(shape, params.weights, params.kv)
    users, _ = most_sequences(shape, chip, params.gpus, precision, params.context)
    cost = rate = float("nan")
    try:
        own, found = fleets.searched(snapshot, shape, chip, precision, _asked(params).workload, params.pools, params.gpus)
        rate = float(found.tokens_per_s_per_chip[best(own, found, Limits(params.speed, chips=params.gpus))])
        cost = float(output_cost_usd_per_mtok(price.usd_per_hour, rate, 1.0)) if price else cost
    except NoLayout:
        pass
    return {
        "attention": kind,
        "cache_gb": float(np.asarray(shape.kv_bytes_per_sequence(params.context, params.kv))) / 1e9,
        "cache_bytes_per_token": float(shape.kv_bytes_per_token(params.kv)),
        "users_that_fit": float(users[0]),
        "tokens_per_s_per_gpu": rate,
        "usd_per_mtok": cost,
    }


def words(table: pd.DataFrame, params: Params) -> Words:
    """What the latent saves against MHA and against what the model has, what the bars are."""
    a, table = table.attrs, loose(table)
    cache = {str(name): float(gb) for name, gb in zip(table["attention"], table["cache_gb"])}
    saved, grouped = 1 - cache["MLA"] / cache["MHA"], cache["MLA"] / cache["GQA"]
    against = f"{100 * (1 - grouped):.0f} % less" if grouped < 1 else f"{100 * (grouped - 1):.0f} % more"
    own = table.loc[table["as_released"], "attention"].iloc[0]
    joined = "and" if grouped < 1 else "but"
    does = f"{a['model']}'s MLA keeps" if own == "MLA" else f"{a['model']} with MLA would keep"
    finding = f"At {tokens_text(params.context)} tokens, {does} {100 * saved:.0f} % less cache than MHA, {joined} {against} than GQA"
    server = f"{params.gpus} × {a['chip']}"
    subtitle = (
        f"Cache of one conversation of {params.context:,} tokens, {inputs.CACHES[params.kv].lower().removeprefix('cache in ').upper()}; "
        f"users that fit on {server}; $ per million output tokens at {params.speed:g} tok/s per user, {params.output_tokens:,} out. "
        "Filled: as released; hollow: the same model with another attention."
    )
    notes = ["Quality is not held equal: the kinds differ in how well a model can be trained with them."]
    if a["rent"] is None:
        notes.append(f"No rent is on record for {a['chip']}, so no cost is shown.")
    elif table["usd_per_mtok"].isna().any():
        slow = table.loc[table["usd_per_mtok"].isna(), "attention"].tolist()
        notes.append(f"No layout on {server} serves {numbers.listed(slow)} at {params.speed:g} tok/s per user with this context.")
    notes += a.get("nearest", [])
    ends = [f"{table['attention'].iloc[i]} {numbers.number_of_bytes(table['cache_gb'].iloc[i] * 1e9)}" for i in (0, -1)]
    alt = f"Bars of cache per conversation by attention. Largest {ends[0]}, smallest {ends[1]}. {finding}."
    return Words(finding, subtitle, alt, "", "Ridgepoint serving model; attention kinds after their papers", tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Bars of memory with users and cost in columns beside them."""
    height, t, table = look.height(440, 470), tokens(look), loose(table)
    fig = new_figure(look, height_px=height)
    names = [as_text(n, 20) for n in table["attention"]]
    y = np.arange(len(table))[::-1]
    left = label_margin([*names, "local-global"], look)
    margin = {"l": left, "r": 14, "t": 38, "b": 46}
    across = 0.5 if look.phone else 0.64
    fill = [t["blue"] if own else t["page"] for own in table["as_released"]]
    told = [
        f"{n}: {numbers.number_of_bytes(g * 1e9)} a conversation, {100 * s:.1f} % of MHA"
        for n, g, s in zip(names, table["cache_gb"], table["share_of_mha"])
    ]
    fig.add_bar(
        y=y,
        x=table["cache_gb"],
        orientation="h",
        width=0.55,
        marker={"color": fill, "line": {"color": t["blue"], "width": 1.6}},
        text=told,
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
    )
    high = float(table["cache_gb"].max())
    size = 11 if look.phone else 12.5
    written: list[dict[str, Any]] = []
    for i, gb, own in zip(y, table["cache_gb"], table["as_released"]):
        inside = gb > high * 0.72
        spot = {"x": gb, "xanchor": "right", "xshift": -6} if inside else {"x": gb, "xanchor": "left", "xshift": 6}
        font = {"size": size, "color": t["page"] if inside and own else t["ink"]}
        written.append(spot | {"y": i, "text": numbers.number_of_bytes(gb * 1e9), "showarrow": False, "font": font})
    heads = (("users", numbers.count, "users_that_fit", 0.78), ("$/Mtok", numbers.dollars, "usd_per_mtok", 1.0))
    for title, write, column, at in heads:
        common = {"x": at, "xref": "paper", "xanchor": "right", "showarrow": False}
        top = {"y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 8}
        written.append(common | top | {"text": title, "font": {"size": size, "color": t["mute"]}})
        written += [
            common | {"y": i, "text": write(value) if value == value else "–", "font": {"size": size + 0.5}}
            for i, value in zip(y, table[column])
        ]
    add(fig, written)
    fig.update_layout(margin=margin)
    fig.update_xaxes(domain=[0, across], range=[0, high * 1.02], title_text="GB per conversation")
    fig.update_yaxes(
        tickvals=y,
        ticktext=[f"<b>{n}</b>" if own else n for n, own in zip(names, table["as_released"])],
        showgrid=False,
        range=[-0.6, len(table) - 0.4],
    )
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Cache of a token with GQA, MHA and MLA, the model's configuration, and what is kept equal."""
    shape = inputs.model(snapshot, params.model, params.config)
    width = {"bf16": 2.0, "fp8": 1.0}[params.kv]
    lines = []
    for kind in ("MHA", "GQA"):
        v = with_attention(shape, kind)
        lines.append(
            worked(
                cache_bytes_per_token,
                layers=v.layers,
                kv_heads=v.kv_heads,
                head_width=(v.head_dim + v.width_v) / 2,
                bytes_per_element=width,
            )
        )
    lines.append(worked(latent_bytes_per_token, layers=shape.layers, latent=512, rope=64, bytes_per_element=width))
    kinds = tuple(f"{kind}: {why}." for kind, why in ATTENTIONS.items())
    rows = (
        work.model_input(snapshot, params),
        work.chip_input(snapshot, params.chip, params.own_chip),
        work.rent_row(snapshot, params.chip, params.chip, work.rent(snapshot, params.chip, params.rent)),
        assumed("Context", f"{params.context:,}", "tokens"),
    )
    kept = "Layers, heads and feed-forward parts stay; weights of attention change with the kind and are counted."
    whole = (
        "A latent stays whole on every tensor rank; dense models, which cannot spread experts, gain fewer users than their cache promises."
    )
    return Receipt(tuple(lines), rows, (*kinds, kept, whole), work.passport_words(snapshot, _asked(params), params.chip))


CHART = register(
    Chart(
        id="serving.attention",
        page="serving",
        title="What MLA, GQA, MQA and windows buy",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"model": inputs.model_options, "chip": inputs.chip_options},
        presets=(
            Preset("llama", "Llama 3.1 70B with each", {}, claim="R3"),
            Preset("deepseek", "DeepSeek-V3 with each", {"model": "DeepSeek-V3", "chip": "h200-sxm", "gpus": 16}, claim="R3"),
            Preset("short", "At 4k tokens", {"context": 4096, "output_tokens": 1024}, claim="R3"),
        ),
        heights=(440, 470),
    )
)
