"""Which chip for reasoning: each chip's rate, prompts long or answers long, alone or per dollar, watt or export measure."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.metrics import PRECISION_BITS, total_processing_performance
from analytics.serving import Fleet, Workload
from analytics.serving.search import Limits, NoLayout, best
from charts import numbers
from charts.look import Look
from charts.params import choice, many, number, pick
from charts.receipt import Receipt, assumed, looked_up
from charts.registry import Chart, Preset, register
from charts.serving import fleets, inputs, work
from charts.serving.draw import add, label_margin, loose
from charts.serving.work import WorkParams
from charts.template import halo, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.snapshot import Snapshot

PER = {"chip": "Per chip", "dollar": "Per dollar", "watt": "Per watt", "tpp": "Per TPP"}
UNITS = {
    "chip": "output tok/s per chip",
    "dollar": "output tokens per dollar",
    "watt": "output tok/s per kW",
    "tpp": "output tok/s per 1,000 TPP",
}
DEFAULT_CHIPS = (
    "h20",
    "h800-sxm",
    "h100-sxm",
    "h200-sxm",
    "b200",
    "gb300",
    "mi300x",
    "mi355x",
    "ascend-910c",
    "tpu-v7",
    "trainium2",
)
H20_CHIPS = ("h20", "h20-141", "h100-sxm", "h200-sxm", "h800-sxm")
#: Input and output tokens of the two kinds of work.
LONG_PROMPT, LONG_ANSWER = (8192, 512), (1024, 8192)


class Params(WorkParams):
    """Which chips, against which, per what."""

    per: Literal["chip", "dollar", "watt", "tpp"] = choice("chip", label="Per", help="what the rate is divided by", labels=PER)
    chips: tuple[str, ...] = many(DEFAULT_CHIPS, label="Chips", help="chips side by side; at most sixteen", most=16)
    against: str = pick("h100-sxm", label="Against", help="the chip that counts as 1")
    speed: float = number(20, ge=0, le=1000, label="Speed", help="least output tokens per second of a user", unit="tok/s per user", step=5)
    rent: float = work.rent_param()


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row per chip: rate with long prompts and with long answers, its measures, and the ratio to the chip compared with."""
    wanted = list(dict.fromkeys((*params.chips, params.against))) if params.chips else []
    rows = [_row(params, snapshot, *named) for named in work.chip_names(snapshot, wanted, params.own_chip).items()]
    columns = (
        "chip_id",
        "chip",
        "measured",
        "why_not",
        "memory_gb",
        "bandwidth_gb_per_s",
        "scale_up_gb_per_s",
        "tflops",
        "usd_per_hour",
        "tdp_w",
        "tpp",
        "prefill_heavy",
        "decode_heavy",
    )
    out = pd.DataFrame(rows, columns=list(columns))
    base = out[out["chip_id"] == params.against]
    for kind in ("prefill_heavy", "decode_heavy"):
        own = float(base[kind].iloc[0]) if len(base) else float("nan")
        out[f"{kind}_ratio"] = out[kind].astype(float) / own
    out = out.sort_values("decode_heavy_ratio", ascending=False, kind="stable", na_position="last", ignore_index=True)
    shape = inputs.model(snapshot, params.model, params.config)
    error = work.error_band(snapshot)
    names = dict(zip(out["chip_id"], out["chip"]))
    out.attrs = {
        "model": shape.name,
        "against": str(names[params.against]) if len(out) else "",
        "band": work.band_facts(error),
        "wide_band": work.band_facts(work.error_band(snapshot, False)),
        "nearest": work.nearest_words(snapshot, params, params.against),
    }
    return out


def _row(params: Params, snapshot: Snapshot, chip_id: str, name: str) -> dict[str, Any]:
    """A chip's measures and its two rates divided by what was asked for; NaN where it does not fit or the divisor is not known."""
    row, chip = inputs.chip_row(snapshot, chip_id, params.own_chip), inputs.chip(snapshot, chip_id, params.own_chip)
    shape = inputs.model(snapshot, params.model, params.config)
    price = work.rent(snapshot, chip_id, params.rent)
    out: dict[str, Any] = {
        "chip_id": chip_id,
        "chip": name,
        "measured": fleets.measured(snapshot, chip),
        "why_not": "",
        "memory_gb": chip.memory_bytes / 1e9,
        "bandwidth_gb_per_s": chip.memory_bandwidth / 1e9,
        "scale_up_gb_per_s": chip.scale_up * 2 / 1e9,
        "tflops": chip.peak_flops["bf16"] / 1e12,
        "usd_per_hour": price.usd_per_hour if price else float("nan"),
        "tdp_w": _number(row.get("tdp_w")),
        "tpp": _tpp(row),
    }
    divisor = {"chip": 1.0, "dollar": out["usd_per_hour"] / 3600, "watt": out["tdp_w"] / 1e3, "tpp": out["tpp"] / 1e3}[params.per]
    for kind, (told_in, told_out) in _works(params).items():
        workload = Workload(told_in, told_out, np.floor(told_in * params.cached_share))
        try:
            own, found = _search(params, snapshot, shape, chip, workload)
            rate = float(found.tokens_per_s_per_chip[best(own, found, Limits(params.speed))])
        except NoLayout as wrong:
            rate = float("nan")
            out["why_not"] = str(wrong)
        out[kind] = rate / divisor
    if np.isnan(divisor):
        out["why_not"] = {"dollar": "no rent on record", "watt": "no power on record", "tpp": "no TPP on record"}[params.per]
    return out


def _works(params: Params) -> dict[str, tuple[int, int]]:
    return {"prefill_heavy": LONG_PROMPT, "decode_heavy": (params.input_tokens, params.output_tokens)}


def _search(params: Params, snapshot: Snapshot, shape: Any, chip: Any, workload: Workload) -> tuple[Fleet, Any]:
    return fleets.searched(snapshot, shape, chip, inputs.precision(shape, params.weights, params.kv), workload, params.pools)


def _number(value: Any) -> float:
    try:
        return float(value) if value is not None else float("nan")
    except (TypeError, ValueError):
        return float("nan")


def _tpp(row: dict[str, Any]) -> float:
    """Total processing performance of the dense peaks on record; NaN without any."""
    return float(total_processing_performance({name: _number(row.get(name)) for name in PRECISION_BITS}))


def words(table: pd.DataFrame, params: Params) -> Words:
    """Best and worst for long answers against the chip compared with, and who changes places with long prompts."""
    a, table = table.attrs, loose(table)
    if table.empty:
        return Words("No chip chosen", empty="Choose at least one chip to compare.", way_out={"chips": list(DEFAULT_CHIPS)})
    known = table[table["decode_heavy_ratio"].notna()]
    if known.empty:
        why = next((w for w in table["why_not"] if w), "nothing fits")
        return Words(
            f"No chip here serves {a['model']} as asked", empty=why[0].upper() + why[1:] + ".", way_out={"speed": 0.0, "per": "chip"}
        )
    first = known.iloc[0]
    per = {"chip": "", "dollar": " per dollar", "watt": " per watt", "tpp": " per TPP"}[params.per]
    others = known[known["chip"] != a["against"]]
    h20 = others[others["chip_id"] == "h20"]
    finding = f"For long answers, {first['chip']} serves {first['decode_heavy_ratio']:.2g} times the tokens{per} of {a['against']}"
    if len(h20) and h20["prefill_heavy_ratio"].notna().all() and first["chip_id"] != "h20":
        finding += (
            f"; H20 {float(h20['decode_heavy_ratio'].iloc[0]):.2g} times, with long prompts {float(h20['prefill_heavy_ratio'].iloc[0]):.2g}"
        )
    told_in, told_out = LONG_PROMPT
    hollow = "" if table["measured"].all() else " Hollow, hatched: no kernel of the chip itself was measured, so its band is wider."
    band = f" Whisker: {work.band_words(a['band'])}." if a["band"] else ""
    subtitle = (
        f"{UNITS[params.per].capitalize().replace('tpp', 'TPP').replace(' kw', ' kW')} over {a['against']} (log), {a['model']}, "
        f"at {params.speed:g} tok/s per user or more. "
        f"Dot: {params.input_tokens:,} in, {params.output_tokens:,} out; bar: {told_in:,} in, {told_out:,} out.{hollow}{band}"
    )
    notes = [f"{r['chip']}: {r['why_not']}." for r in table.to_dict("records") if r["why_not"]]
    notes += [f"{a['against']}, compared with: {a['nearest'][0]}", *a["nearest"][1:]] if a.get("nearest") else []
    alt = f"Marks by chip relative to {a['against']}. Order for long answers: {numbers.listed(known['chip'].tolist(), 12)}. {finding}."
    return Words(
        finding,
        subtitle,
        alt,
        f"{len(known)} of {len(table)} chips; TFLOP/s are BF16 without sparsity",
        "Ridgepoint serving model; chip figures as published",
        tuple(notes),
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """One row a chip: a dot for long answers, a short bar for long prompts, and the chip's own figures beside."""
    height, t = look.height(560, 600), tokens(look)
    fig = new_figure(look, height_px=height)
    facts, table = table.attrs, loose(table)
    shown = table[table["decode_heavy_ratio"].notna()].reset_index(drop=True)
    if shown.empty:
        return fig
    y = np.arange(len(shown))[::-1]
    values = shown[["decode_heavy_ratio", "prefill_heavy_ratio"]].to_numpy(dtype=float)
    known = values[np.isfinite(values)]
    low, high = known.min() * 0.72, known.max() * 1.5
    rows = shown.to_dict("records")
    both = [(i, r) for i, r in zip(y, rows) if r["prefill_heavy_ratio"] == r["prefill_heavy_ratio"]]
    band = facts["band"]
    names = [as_text(n, 18) for n in shown["chip"]]
    margin = {"l": label_margin(names, look), "r": 14, "t": 40, "b": 46}
    _strokes(fig, [(r["decode_heavy_ratio"], r["prefill_heavy_ratio"], i) for i, r in both], {"color": t["context"], "width": 2})
    if band:
        whiskers = [
            (r["decode_heavy_ratio"] * band["low"], r["decode_heavy_ratio"] * band["high"], i) for i, r in zip(y, rows) if r["measured"]
        ]
        _strokes(fig, whiskers, {"color": t["blue"], "width": 1.2})
    if wide := facts.get("wide_band"):
        unmeasured = [(i, r["decode_heavy_ratio"]) for i, r in zip(y, rows) if not r["measured"]]
        pattern = {"shape": "/", "size": 5, "solidity": 0.25, "fgcolor": t["blue"], "bgcolor": "rgba(0,0,0,0)"}
        fig.add_bar(
            base=[ratio * wide["low"] for _, ratio in unmeasured],
            x=[ratio * (wide["high"] - wide["low"]) for _, ratio in unmeasured],
            y=[i for i, _ in unmeasured],
            orientation="h",
            width=min(0.34, 13 / ((height - margin["t"] - margin["b"]) / (len(shown) + 0.4))),  # the value above stays clear of it
            marker={"color": "rgba(0,0,0,0)", "pattern": pattern, "line": {"width": 0}},
            hoverinfo="skip",
        )
    fig.add_scatter(
        x=[r["prefill_heavy_ratio"] for _, r in both],
        y=[i for i, _ in both],
        mode="markers",
        marker={"symbol": "line-ns", "size": 13, "line": {"color": t["rust"], "width": 3}},
        text=[_told(r, "prefill_heavy", "long prompts", params) for _, r in both],
        hovertemplate="%{text}<extra></extra>",
    )
    fig.add_scatter(
        x=shown["decode_heavy_ratio"],
        y=y,
        mode="markers+text",
        marker={"size": 12, "color": [t["blue"] if r["measured"] else t["page"] for r in rows], "line": {"color": t["blue"], "width": 2}},
        text=[f"{r['decode_heavy_ratio']:.2g}×" for r in rows],
        textposition="top center",
        textfont={"size": 10.5 if look.phone else 11.5, "color": t["blue"], "shadow": halo(look.theme)},
        customdata=[_told(r, "decode_heavy", "long answers", params) for r in rows],
        hovertemplate="%{customdata}<extra></extra>",
    )
    across = 1.0 if look.phone else 0.6
    fig.add_vline(x=1, line={"color": t["ink"], "width": 1})
    fig.update_layout(margin=margin)
    fig.update_xaxes(
        range=[np.log10(low), np.log10(high)],
        domain=[0, across],
        title_text=f"times {as_text(facts['against'])}",
        **numbers.log_ticks(low, high, lambda v: f"{v:g}×", 6),
    )
    fig.update_yaxes(tickvals=y, ticktext=names, range=[-0.7, len(shown) - 0.3], gridcolor=t["grid"])
    if not look.phone:
        _figures(fig, shown, y, look)
    return fig


def _told(row: Any, column: str, work_kind: str, params: Params) -> str:
    return f"{as_text(row['chip'])}, {work_kind}: {row[column + '_ratio']:.2g} times, {row[column]:,.3g} {UNITS[params.per]}"


def _strokes(fig: go.Figure, strokes: list[tuple[float, float, float]], line: dict[str, Any]) -> None:
    """Horizontal strokes (from, to, row) as one trace."""
    x = [v for start, end, _ in strokes for v in (start, end, None)]
    y = [v for _, _, row in strokes for v in (row, row, None)]
    fig.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip")


def _figures(fig: go.Figure, shown: pd.DataFrame, y: np.ndarray, look: Look) -> None:
    """Columns of what is behind it: memory, bandwidth, link, arithmetic, rent; one text trace on an axis of its own."""
    t = tokens(look)
    heads: tuple[tuple[str, str, Any, float], ...] = (
        ("memory", "memory_gb", lambda v: f"{v:,.0f} GB", 0.16),
        ("bandwidth", "bandwidth_gb_per_s", lambda v: f"{v / 1000:.2g} TB/s", 0.42),
        ("link", "scale_up_gb_per_s", lambda v: f"{v:,.0f} GB/s", 0.69),
        ("TFLOP/s", "tflops", lambda v: f"{v:,.0f}", 0.84),
        ("$/h", "usd_per_hour", numbers.dollars, 1.0),
    )
    x, rows, text = [], [], []
    for _, column, write, at in heads:
        for i, value in zip(y, shown[column]):
            x.append(at)
            rows.append(i)
            text.append(write(value) if value == value else "–")
    font = {"size": 12, "color": t["ink"]}
    fig.add_scatter(
        x=x,
        y=rows,
        text=text,
        mode="text",
        textposition="middle left",
        textfont=font,
        xaxis="x2",
        yaxis="y2",
        hoverinfo="skip",
        cliponaxis=False,
    )
    rows_as_drawn = {"range": [-0.7, len(shown) - 0.3], "visible": False, "anchor": "x2"}
    fig.update_layout(xaxis2={"domain": [0.64, 1.0], "range": [0, 1], "visible": False, "anchor": "y2"}, yaxis2=rows_as_drawn)
    titles = [
        {"x": at, "y": 1, "xref": "x2", "yref": "paper", "yanchor": "bottom", "yshift": 8, "xanchor": "right", "text": title, "showarrow": False,
         "font": {"size": 12, "color": t["mute"]}}
        for title, _, _, at in heads
    ]  # fmt: skip
    add(fig, titles)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Every chip's rate for long answers, its figures with their sources, and the nearest measured run."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No chip is chosen, so nothing is computed.",))
    known = shown[shown["decode_heavy"].notna()]
    lines = [
        looked_up(
            f"{r['chip']}, long answers", float(r["decode_heavy"]), UNITS[params.per], "the serving model, best layout within the limit"
        )
        for r in known.to_dict("records")
    ]
    rows = [work.model_input(snapshot, params)]
    rows += [work.chip_input(snapshot, str(c), params.own_chip) for c in shown["chip_id"]]
    if params.per == "dollar":
        rows += [
            work.rent_row(snapshot, r["chip"], r["chip_id"], work.rent(snapshot, r["chip_id"], params.rent))
            for r in shown.to_dict("records")
        ]
    rows.append(assumed("Speed of a user", f"{params.speed:g} or more", "tok/s"))
    unmeasured = shown.loc[~shown["measured"].astype(bool), "chip"].tolist()
    assumptions = [
        "Long answers take the lengths set; long prompts are 8,192 in and 512 out.",
        "Per watt divides by the chip's own thermal design power, not the server's or the site's; per TPP by that of export rules.",
    ]
    if unmeasured:
        assumptions.append(f"No kernel was measured of {numbers.listed(unmeasured, 12)}: efficiencies of a related chip stand in.")
    return Receipt(tuple(lines), tuple(rows), tuple(assumptions), work.passport_words(snapshot, params, params.against))


CHART = register(
    Chart(
        id="serving.chips",
        page="serving",
        title="Which chip for reasoning",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"model": inputs.model_options, "chips": inputs.chip_options, "against": inputs.chip_options},
        presets=(
            Preset("reasoning", "Eleven chips, long answers", {}, claim="R10"),
            Preset("h20", "H20 against H100, R1", {"chips": H20_CHIPS, "speed": 20}, claim="R10"),
            Preset("h20-gqa", "H20 against H100, Llama 70B", {"chips": H20_CHIPS, "speed": 20, "model": "Llama-3.3-70B"}, claim="R10"),
            Preset("dollar", "Per dollar", {"per": "dollar"}, claim="R10"),
            Preset("tpp", "Per export-control measure", {"per": "tpp"}, claim="E4"),
        ),
        heights=(560, 600),
    )
)
