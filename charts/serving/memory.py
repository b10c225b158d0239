"""How much memory a conversation takes, and how many fit: KV cache against context for models side by side."""

from __future__ import annotations

import functools
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.serving import Chip, Precision, Shape
from analytics.serving.cache import cache_bytes_per_token, cache_gb, latent_bytes_per_token
from analytics.serving.layout import rank_memory
from analytics.serving.search import layouts, most_sequences
from charts import numbers
from charts.labels import EndLabel, end_labels, margin_for, note, text_width
from charts.look import Look
from charts.params import ChartParams, choice, many, number, pick
from charts.receipt import InputRow, Receipt, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.serving import inputs
from charts.serving.draw import add, loose, tokens_text
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.snapshot import Snapshot

CONTEXTS = np.round(2.0 ** np.arange(10, 20.01, 0.25))
#: Contexts among which the one is sought at which a batch fills the memory.
FINE = 2.0 ** np.arange(0, 24.01, 1 / 64)
VIEWS = {"memory": "Cache memory", "users": "Users that fit"}
DEFAULT_MODELS = ("Llama-3.1-405B", "Llama-3.1-70B", "Qwen3-235B-A22B", "DeepSeek-V3", "gpt-oss-120b")


class Params(ChartParams):
    """Which models, how many conversations at once, on what."""

    view: Literal["memory", "users"] = choice("memory", label="Show", help="memory of the cache, or how many users fit", labels=VIEWS)
    models: tuple[str, ...] = many(DEFAULT_MODELS, label="Models", help="models side by side, the first one leads; at most five", most=5)
    batch: int = number(64, ge=1, le=4096, label="Batch", help="conversations held at once", unit="conversations", log=True)
    chip: str = pick("h100-sxm", label="Chip", help="chip whose memory is the reference")
    chips: int = inputs.chips_param()
    weights: inputs.Weights = inputs.weights_param()
    kv: inputs.Cache = inputs.cache_param()
    config: str = inputs.config_param()
    own_chip: str = inputs.chip_param()


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Cache and users of each model at each context; attrs hold the memory there is and what each model leaves of it."""
    if not params.models:
        return _empty()
    chip_row = inputs.chip_row(snapshot, params.chip, params.own_chip)
    chip = inputs.chip(snapshot, params.chip, params.own_chip)
    parts, facts = [], []
    for name in dict.fromkeys(params.models):
        shape = inputs.model(snapshot, name, params.config)
        precision = inputs.precision(shape, params.weights, params.kv)
        each = np.asarray(shape.kv_bytes_per_sequence(CONTEXTS, precision.kv), dtype=float)
        users, words_, _ = _held(shape, chip, params.chips, precision)
        plain = layouts(shape, params.chips, chip.domain)
        reserve = min((rank_memory(shape, chip, lay, precision, 8192).reserve for lay in plain), default=0.0)
        parts.append(
            pd.DataFrame(
                {
                    "model": shape.name,
                    "context_tokens": CONTEXTS.astype(int),
                    "cache_gb_per_conversation": each / 1e9,
                    "cache_gb": each * params.batch / 1e9,
                    "users_that_fit": users,
                    "layout": words_,
                    "past_trained_context": shape.max_position < CONTEXTS if shape.max_position else False,
                }
            )
        )
        facts.append(_facts(shape, precision, chip, params, reserve))
    out = pd.concat(parts, ignore_index=True)
    out.attrs = {
        "chip": inputs.chip_name(chip_row),
        "memory_gb": chip.memory_bytes / 1e9 * params.chips,
        "models": facts,
    }
    return out


@functools.lru_cache(maxsize=64)
def _held(shape: Shape, chip: Chip, chips: int, precision: Precision) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Conversations that fit at each context drawn with the layouts that hold them, and at each context sought; no batch is part of it."""
    users, layouts_in_words = most_sequences(shape, chip, chips, precision, CONTEXTS)
    return users, layouts_in_words, most_sequences(shape, chip, chips, precision, FINE)[0]


def idle(params: Params) -> frozenset[str]:
    """How many users fit is asked of the memory, not of a batch."""
    return frozenset({"batch"} if params.view == "users" else ())


def _empty() -> pd.DataFrame:
    columns = ("model", "context_tokens", "cache_gb_per_conversation", "cache_gb", "users_that_fit", "layout", "past_trained_context")
    out = pd.DataFrame({name: [] for name in columns})
    out.attrs = {"chip": "", "memory_gb": None, "models": []}
    return out


def _facts(shape: Any, precision: Any, chip: Any, params: Params, reserve: float) -> dict[str, Any]:
    """What the words and the figure need of a model: its weights, and the context at which the batch fills what they leave."""
    weights = shape.weight_bytes(precision)
    fits = _held(shape, chip, params.chips, precision)[2]
    holds = FINE[fits >= params.batch]
    return {
        "model": shape.name,
        "weights_gb": weights / 1e9,
        "reserve_gb_per_chip": reserve / 1e9,
        "precision": precision.experts if shape.moe_layers else precision.ffn,
        "fits_alone": bool(np.any(fits > 0)),
        "full_at_tokens": float(holds.max()) if holds.size else None,
        "full_beyond": bool(holds.size and holds.max() == FINE[-1]),
        "max_position": shape.max_position or None,
        "weights_equal_cache_tokens": weights / shape.kv_bytes_per_token(precision.kv),
    }


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding about the first model, subtitle, alt text."""
    if table.empty:
        return Words("No model chosen", empty="Choose at least one model to see its cache.", way_out={"models": list(DEFAULT_MODELS)})
    a, table = table.attrs, loose(table)
    first = a["models"][0]
    server = f"{params.chips} × {a['chip']}" if params.chips > 1 else a["chip"]
    own = table[table["model"] == first["model"]]
    users = {context: own.loc[own["context_tokens"] == context, "users_that_fit"].iloc[0] for context in (4096, 131_072)}
    if not first["fits_alone"]:
        finding = f"{first['model']} does not fit on {server}: its weights take {first['weights_gb']:,.0f} of {a['memory_gb']:,.0f} GB"
    elif params.view == "users":
        finding = f"{server} holds {users[4096]:,.0f} users of {first['model']} at 4k tokens of context, {users[131_072]:,.0f} at 128k"
    elif first["full_at_tokens"] is None:
        finding = f"{params.batch} conversations with {first['model']} do not fit on {server}, however short"
    elif first["full_beyond"]:
        finding = f"{params.batch} conversations with {first['model']} fit on {server} at any context shown"
    else:
        finding = f"{params.batch} conversations with {first['model']} fill {server} at {tokens_text(first['full_at_tokens'])} tokens of context each"
    drawn = {
        "memory": f"Memory of the KV cache of {params.batch} conversations against context, both logarithmic. "
        f"Dot: the cache fills what the weights leave of {a['memory_gb']:,.0f} GB on {server}",
        "users": f"Conversations that fit on {server} in the best layout, against context, both logarithmic",
    }[params.view]
    dashed = "; dashed: longer than the model was released for." if table["past_trained_context"].any() else "."
    subtitle = f"{drawn}{dashed} {inputs.CACHES[params.kv]}."
    at = own.loc[own["context_tokens"] == 131_072].iloc[0]
    alt = (
        f"Rising lines of cache memory by context for {numbers.listed([m['model'] for m in a['models']], 5)}. "
        f"At 128k tokens {first['model']} takes {numbers.number_of_bytes(at['cache_gb_per_conversation'] * 1e9)} a conversation. {finding}."
    )
    cannot = [m["model"] for m in a["models"][1:] if not m["fits_alone"]]
    notes = tuple([f"The weights of {numbers.listed(cannot)} alone do not fit on {server}."] if cannot else [])
    return Words(finding, subtitle, alt, "", "Model configurations as published; computed, exact up to the engine's block size", notes)


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Lines by model, the memory there is as a reference, a dot where a line meets what the weights leave."""
    height, t = look.height(), tokens(look)
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    a, table = table.attrs, loose(table)
    memory = params.view == "memory"
    column = "cache_gb" if memory else "users_that_fit"
    shown = table[table[column] > 0] if memory else table[table[column] >= 1]
    write = (lambda v: numbers.number_of_bytes(v * 1e9)) if memory else numbers.count
    low = max(float(shown[column].min()), 1.0 if not memory else 0.1) * 0.8 if len(shown) else 0.5
    low = min(low, 0.8 * a["memory_gb"]) if memory else low
    high = max(float(shown[column].max()) if len(shown) else 1.0, a["memory_gb"] if memory else 1.0) * 1.4
    labels, full = [], []
    for i, facts in enumerate(a["models"]):
        own = shown[shown["model"] == facts["model"]]
        if own.empty:
            continue
        x, y = own["context_tokens"].to_numpy(dtype=float), own[column].to_numpy(dtype=float)
        _line(fig, facts["model"], x, y, own["past_trained_context"].to_numpy(dtype=bool), t[SERIES[i]], write)
        labels.append(EndLabel(float(y[-1]), as_text(facts["model"], 22), t[SERIES[i]]))
        at = facts["full_at_tokens"]
        if memory and at and x[0] <= at <= CONTEXTS[-1]:
            height_there = float(np.exp(np.interp(np.log(at), np.log(x), np.log(y))))
            told = f"{as_text(facts['model'])}: the batch fills the memory at {tokens_text(at)} tokens"
            full.append((at, height_there, t[SERIES[i]], told))
    if full:
        at_x, at_y, tones, texts = zip(*full)
        fig.add_scatter(
            x=at_x, y=at_y, mode="markers", marker={"size": 9, "color": tones}, cliponaxis=False, text=texts,
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    margin = {"l": 56 if look.phone else 70, "r": margin_for(labels, look) if labels else 24, "t": 30, "b": 44}
    fig.update_layout(margin=margin)
    contexts = [1024, 4096, 16384, 65536, 262144, 1048576] if not look.phone else [1024, 8192, 65536, 1048576]
    fig.update_xaxes(
        type="log", range=[np.log10(CONTEXTS[0]), np.log10(CONTEXTS[-1])], tickvals=contexts, ticktext=[tokens_text(c) for c in contexts]
    )
    fig.update_xaxes(title_text="Context of each conversation, tokens")
    title = "" if memory or look.phone else "Conversations that fit"
    fig.update_yaxes(range=[np.log10(low), np.log10(high)], title_text=title, **numbers.log_ticks(low, high, write))
    if memory:
        whole = a["memory_gb"]
        level = {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": whole, "y1": whole}
        add(fig, [], [level | {"line": {"color": t["ink"], "width": 1}}])
        server = f"{params.chips} × {as_text(a['chip'], 30)}" if params.chips > 1 else as_text(a["chip"], 30)
        said = f"all memory of {server}: {whole:,.0f} GB"
        where = {"x": 0, "xref": "paper", "y": np.log10(whole), "xanchor": "left", "yanchor": "bottom", "xshift": 4}
        if text_width(said, 10.5 if look.phone else 12) + 12 > _free_px(shown, whole, look.width_px - margin["l"] - margin["r"]):
            said, where = f"line: {said}", where | {"y": 1, "yref": "paper", "yshift": 8}
        note(fig, look, said, **where)
    end_labels(fig, labels, look, x_end=np.log10(CONTEXTS[-1]), y_range=(low, high), log=True, plot_px=height - margin["t"] - margin["b"])
    return fig


def _free_px(shown: pd.DataFrame, level: float, wide: float) -> float:
    """Width left of the first curve that comes near above a level, where a label on it covers none [px]."""
    near = shown[shown["cache_gb"].between(level * 0.9, level * 2)]
    after = shown[shown["cache_gb"] >= level]
    first = min((float(rows["context_tokens"].min()) for rows in (near, after) if len(rows)), default=float(CONTEXTS[-1]))
    return float(np.log(first / CONTEXTS[0]) / np.log(CONTEXTS[-1] / CONTEXTS[0])) * wide


def _line(fig: go.Figure, model: str, x: np.ndarray, y: np.ndarray, past: np.ndarray, tone: str, write: Any) -> None:
    """A line, dashed past the context the model was released for."""
    name = as_text(model)
    beyond = past | np.append(past[1:], False) if past.any() else past
    for rows, dash in ((~past, "solid"), (beyond, "5px,3px")):
        if rows.any():
            fig.add_scatter(
                x=x[rows], y=y[rows], mode="lines", line={"color": tone, "width": 2, "dash": dash},
                text=[f"{name}, {tokens_text(c)}: {write(v)}" for c, v in zip(x[rows], y[rows])],
                hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The cache of the first model at 16k tokens, its configuration, and what the memory is taken to hold."""
    if not params.models:
        return Receipt(assumptions=("No model is chosen, so nothing is computed.",))
    name = params.models[0]
    shape = inputs.model(snapshot, name, params.config)
    shown = table(params, snapshot)
    facts = shown.attrs["models"][0]
    element = {"bf16": 2.0, "fp8": 1.0}[params.kv]
    context = 16_384
    formulas = []
    layers = shape.layers - shape.linear_layers
    if shape.is_mla:
        formulas.append(
            worked(latent_bytes_per_token, layers=layers, latent=shape.mla_kv_lora, rope=shape.mla_rope_dim, bytes_per_element=element)
        )
    else:
        width = (shape.head_dim + shape.width_v) / 2
        formulas.append(worked(cache_bytes_per_token, layers=layers, kv_heads=shape.kv_heads, head_width=width, bytes_per_element=element))
    if shape.local_layers or shape.linear_layers or shape.index_dim:
        gb = float(np.asarray(shape.kv_bytes_per_sequence(context, params.kv))) * params.batch / 1e9
        why = f"{shape.local_layers} layers that keep {shape.window:,} tokens at most" if shape.local_layers else "its constant states"
        why = "its index of keys" if shape.index_dim and not shape.local_layers else why
        formulas.append(looked_up("KV cache of the batch at 16k", gb, "GB", f"the same, with {why} counted"))
    else:
        formulas.append(worked(cache_gb, batch=params.batch, context=context, bytes_per_token=shape.kv_bytes_per_token(params.kv)))
    rows: list[InputRow] = []
    if name == inputs.OWN:
        rows.append(
            InputRow("Your model", f"{shape.layers} layers, {shape.hidden} wide", "", "the configuration you pasted", "", "assumption")
        )
    else:
        row = inputs.model_row(snapshot, name)
        told = f"{shape.layers} layers, {shape.heads} heads, {shape.kv_heads} for keys and values"
        rows.append(input_row(row, shape.name, told, source="config_source"))
    chip_row = inputs.chip_row(snapshot, params.chip, params.own_chip)
    rows.append(input_row(chip_row, f"Memory of {inputs.chip_name(chip_row)}", f"{chip_row['memory_gb']:,.0f}", "GB"))
    rows.append(assumed("Batch", f"{params.batch}", "conversations"))
    crossing = facts["weights_equal_cache_tokens"]
    assumptions = (
        f"Weights of {shape.name} at {facts['precision']}: {facts['weights_gb']:,.0f} GB, scales included.",
        f"Each chip holds back {facts['reserve_gb_per_chip']:.1f} GB for the runtime and live activations, and "
        "90 % of the rest is given to the cache.",
        "The layout is the one that holds most: heads split over chips, or conversations, or whole replicas.",
        f"Beyond {crossing:,.0f} cached tokens in the batch, a decode step reads more cache than weights.",
    )
    error = ("Exact arithmetic of the configuration; engines round contexts up to blocks of 16 to 64 tokens, under 1 % at 8k.",)
    return Receipt(tuple(formulas), tuple(rows), assumptions, error)


CHART = register(
    Chart(
        id="serving.memory",
        page="serving",
        title="Memory of a conversation, and how many fit",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"models": inputs.model_options, "chip": inputs.chip_options},
        idle=idle,
        presets=(
            Preset("405b-batch-64", "405B at batch 64", {"models": ["Llama-3.1-405B"], "batch": 64}, claim="R1"),
            Preset("side-by-side", "Five models at batch 64", {}, claim="R1"),
            Preset("users", "Users that fit", {"view": "users"}, claim="R1"),
            Preset(
                "reasoning",
                "R1 on eight H200",
                {"models": ["DeepSeek-R1", "Llama-3.1-405B"], "chip": "h200-sxm", "view": "users"},
                claim="R5",
            ),
        ),
    )
)
