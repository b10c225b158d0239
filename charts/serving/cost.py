"""What a million tokens cost, on which chip, at which speed: a table at three speeds beside the front of the best layouts."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.serving import Fleet
from analytics.serving.money import output_cost_usd_per_mtok
from analytics.serving.search import Candidates, Limits, NoLayout, best, pareto
from charts import numbers
from charts.look import Look
from charts.params import choice, many, number
from charts.receipt import Receipt, assumed, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.serving import fleets, inputs, work
from charts.serving.draw import add, beside, log_axis, loose, text_table
from charts.serving.work import WorkParams
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.snapshot import Snapshot

SPEEDS = (30.0, 50.0, 100.0)
MEASURES = {"cost": "$ per million output tokens", "rate": "Output tok/s per chip"}
#: A front is drawn down to this part of its highest rate.
LEAST_SHARE = 300
DEFAULT_CHIPS = ("gb200", "b200", "h200-sxm", "h100-sxm", "mi300x")


#: DeepSeek's disclosed day: 608B tokens in, 56.3 % of them cached, 168B out, 4,989 tokens cached a step on average, 20 to 22 tok/s a
#: user and $2 an hour. Lengths follow from two of these: I / O = 608 / 168 and I + O / 2 = 4,989.
DAY_SIX = {
    "chips": ["h800-sxm"], "rent": 2.0, "input_tokens": 4383, "output_tokens": 1211, "cached_share": 0.55, "speed": 20, "kv": "bf16",
}  # fmt: skip


class Params(WorkParams):
    """What is served on which chips, at which speed and rent."""

    measure: Literal["cost", "rate"] = choice("cost", label="Show", help="cost of output tokens, or their rate", labels=MEASURES)
    chips: tuple[str, ...] = many(DEFAULT_CHIPS, label="Chips", help="chips side by side; at most five", most=5)
    speed: float = number(
        50, ge=1, le=1000, label="Speed", help="least output tokens per second of a user", unit="tok/s per user", log=True
    )
    rent: float = work.rent_param()
    utilisation: float = work.use_param()


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Best configurations: the front of each chip, and the best at 30, 50, 100 tok/s per user and at the speed asked for."""
    columns = {
        "chip": "str", "kind": "str", "tokens_per_s_per_user": "float", "tokens_per_s_per_gpu": "float", "usd_per_mtok": "float",
        "gpus": "float", "batch": "float", "ttft_s": "float", "layout": "str",
    }  # fmt: skip
    parts: list[pd.DataFrame] = []
    facts: list[dict[str, Any]] = []
    for chip_id, name in work.chip_names(snapshot, params.chips, params.own_chip).items():
        rows, told = _chip(params, snapshot, chip_id, name)
        parts.append(rows)
        facts.append(told)
    out = pd.concat(parts, ignore_index=True) if parts else work.blank_table(columns)
    shape = inputs.model(snapshot, params.model, params.config)
    error = work.error_band(snapshot)
    out.attrs = {
        "model": shape.name,
        "chips": facts,
        "band": work.band_facts(error),
        "wide_band": work.band_facts(work.error_band(snapshot, False)),
        "nearest": work.nearest_words(snapshot, params, params.chips[0]) if params.chips else [],
    }
    return out


def _chip(params: Params, snapshot: Snapshot, chip_id: str, name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Front and chosen points of one chip, and what the words need of it."""
    shape = inputs.model(snapshot, params.model, params.config)
    chip = inputs.chip(snapshot, chip_id, params.own_chip)
    precision = inputs.precision(shape, params.weights, params.kv)
    price = work.rent(snapshot, chip_id, params.rent)
    told: dict[str, Any] = {
        "chip": name, "chip_id": chip_id, "measured": fleets.measured(snapshot, chip),
        "rent": price.usd_per_hour if price else None, "why_not": "", "at": {},
    }  # fmt: skip
    try:
        own, found = fleets.searched(snapshot, shape, chip, precision, params.workload, params.pools)
    except NoLayout as wrong:
        told["why_not"] = str(wrong)
        return _rows([], name), told
    front = pareto(found)
    front = front[found.tokens_per_s_per_chip[front] >= found.tokens_per_s_per_chip[front].max() / LEAST_SHARE]
    rows = [_row(own, found, i, "front", price, params) for i in front]
    for speed in dict.fromkeys((*SPEEDS, params.speed)):
        try:
            at = best(own, found, Limits(speed))
        except NoLayout as wrong:
            told["at"][f"{speed:g}"] = None
            told["why_not"] = told["why_not"] or (str(wrong) if speed == params.speed else "")
            continue
        rows.append(_row(own, found, at, f"at {speed:g}", price, params))
        told["at"][f"{speed:g}"] = rows[-1]["usd_per_mtok" if params.measure == "cost" else "tokens_per_s_per_gpu"]
    return _rows(rows, name), told


def _rows(rows: list[dict[str, Any]], name: str) -> pd.DataFrame:
    columns = ("kind", "tokens_per_s_per_user", "tokens_per_s_per_gpu", "usd_per_mtok", "gpus", "batch", "ttft_s", "layout")
    out = pd.DataFrame(rows, columns=list(columns))
    out.insert(0, "chip", name)
    return out


def _row(own: Fleet, found: Candidates, at: int, kind: str, price: work.Rent | None, params: Params) -> dict[str, Any]:
    deployment = own.deployments[found.which[at]]
    words = fleets.layout_words(deployment, found.batch[at])
    if found.prefill_which[at] >= 0:
        share = found.prefill_chips_per_chip[at]
        many = f"{share:.2g} further chips for each" if share >= 0.5 else f"one further chip for every {1 / max(share, 1e-9):,.0f}"
        words += f", prompts on {many} of these"
    rate = float(found.tokens_per_s_per_chip[at])
    return {
        "kind": kind,
        "tokens_per_s_per_user": float(found.tokens_per_s_per_user[at]),
        "tokens_per_s_per_gpu": rate,
        "usd_per_mtok": float(output_cost_usd_per_mtok(price.usd_per_hour, rate, params.utilisation)) if price else float("nan"),
        "gpus": float(deployment.layout.chips),
        "batch": float(found.batch[at]),
        "ttft_s": float(found.ttft_s[at]),
        "layout": words,
    }


def idle(params: Params) -> frozenset[str]:
    """A rate has no price."""
    return frozenset({"rent", "utilisation"} if params.measure == "rate" else ())


def _column(params: Params) -> str:
    return "usd_per_mtok" if params.measure == "cost" else "tokens_per_s_per_gpu"


def _rate(value: float) -> str:
    return f"{value:,.0f}"


def _write(params: Params) -> Any:
    return numbers.dollars if params.measure == "cost" else _rate


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding at the speed asked for, what the marks mean, which chips cannot, how far off it may be."""
    a, table, write = table.attrs, loose(table), _write(params)
    if not a["chips"]:
        return Words("No chip chosen", empty="Choose at least one chip to compare.", way_out={"chips": list(DEFAULT_CHIPS)})
    key = f"{params.speed:g}"
    reached = {c["chip"]: c["at"].get(key) for c in a["chips"]}
    known = {name: value for name, value in reached.items() if value is not None and np.isfinite(value)}
    if not known:
        fitting = [c for c in a["chips"] if c["at"]]
        without_rent = [c["chip"] for c in a["chips"] if c["rent"] is None]
        if params.measure == "cost" and without_rent and any(v is not None for v in reached.values()):
            return Words(
                "No rent on record",
                empty=f"No rent is on record for {numbers.listed(without_rent)}; one can be set under More.",
                way_out={"measure": "rate"},
            )
        front = table[table["kind"] == "front"]
        top = front["tokens_per_s_per_user"]
        sentence = next((c["why_not"] for c in a["chips"] if c["why_not"]), "Nothing fits.")
        if len(a["chips"]) > 1 and len(top):  # the quickest chip speaks for all
            quickest = str(front["chip"].iloc[int(np.nanargmax(top.to_numpy()))])
            sentence = next((c["why_not"] for c in a["chips"] if c["chip"] == quickest and c["why_not"]), sentence)
            sentence = f"{sentence.replace('on this chip', 'on any of these chips')} on {quickest}"
        nearest = max(1.0, float(np.floor(top.max()))) if fitting and len(top) else None
        return Words(
            f"No chip here serves {a['model']} at {key} tokens a second per user",
            empty=sentence[0].upper() + sentence[1:] + ".",
            way_out={"speed": nearest} if nearest else None,
        )
    best_first = sorted(known, key=lambda name: known[name], reverse=params.measure == "rate")
    first, last = best_first[0], best_first[-1]
    if params.measure == "cost":
        ends = f"{write(known[first])} on {first}" + (f", {write(known[last])} on {last}" if last != first else "")
        finding = f"At {key} tokens a second per user, a million output tokens of {a['model']} cost {ends}"
    else:
        ends = f"{first} serves {write(known[first])} tok/s of {a['model']} per chip" + (
            f", {last} {write(known[last])}" if last != first else ""
        )
        finding = f"At {key} tokens a second per user, {ends}"
    requests = f"{params.input_tokens:,} tokens in, {params.output_tokens:,} out"
    told = a["band"]
    first_name = a["chips"][0]["chip"]
    doubt = f" Band on {first_name}: {work.band_words(told)}." if told and a["chips"][0]["measured"] else ""
    if a.get("wide_band") and not all(c["measured"] for c in a["chips"]):
        doubt += " Hatched: the wider band of a chip without measured kernels."
    subtitle = (
        f"{MEASURES[params.measure]} (log) against output tok/s per user; {requests}; best layout at every point. "
        f"Line: model; dashed where no kernel of the chip itself was measured; ring: at {key} tok/s per user.{doubt}"
    )
    notes = [f"{c['chip']}: {c['why_not']}." for c in a["chips"] if c["why_not"]]
    without = [c["chip"] for c in a["chips"] if c["rent"] is None]
    if params.measure == "cost" and without:
        notes.append(f"No rent is on record for {numbers.listed(without)}, so no cost is drawn; a rent can be set under More.")
    chosen = table[(table["kind"] == f"at {key}") & (table["chip"] == first)].iloc[0]
    notes.insert(0, f"On {first}: {chosen['layout']}.")
    notes += a.get("nearest", [])
    costs = "all cost on output tokens" if params.measure == "cost" else "output tokens only"
    alt = f"Curves by chip: {MEASURES[params.measure].lower()} against speed per user. {finding}."
    return Words(finding, subtitle, alt, "", f"Ridgepoint serving model; {costs}", tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Fronts by chip, the speed asked for as a vertical with rings, and the table of three speeds."""
    height, t, write = look.height(), tokens(look), _write(params)
    fig = new_figure(look, height_px=height)
    facts, table = table.attrs, loose(table)
    column = _column(params)
    front = table[(table["kind"] == "front") & table[column].notna()]
    if front.empty:
        return fig
    margin = {"l": 58 if look.phone else 66, "r": 14, "t": 34, "b": 46}
    wide, tall = look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"]
    chips = [c for c in facts["chips"] if (front["chip"] == c["chip"]).any()]
    rows = len(facts["chips"]) + 2
    bottom = (rows * 20 + 46) / tall if look.phone else 0.0
    across = 1.0 if look.phone else 0.62
    colour = {c["chip"]: t[SERIES[i % len(SERIES)]] for i, c in enumerate(facts["chips"])}
    axis, low, high = log_axis(front[column].to_numpy(dtype=float), write)
    top = min(float(front["tokens_per_s_per_user"].max()) * 1.06, 400.0)
    fig.update_layout(margin=margin)
    fig.update_xaxes(
        range=[0, top],
        domain=[0, across],
        title_text="Output tok/s per user" if look.phone else "Output tokens per second per user → faster for the user",
        anchor="y",
    )
    fig.update_yaxes(domain=[bottom, 1.0], **axis)
    ends, texts, tones, lines = [], [], [], []
    for c in chips:
        own = front[front["chip"] == c["chip"]].sort_values("tokens_per_s_per_user")
        own = own[own["tokens_per_s_per_user"] <= top]
        x, y = own["tokens_per_s_per_user"], own[column]
        band = facts["band"] if c["measured"] else facts.get("wide_band")
        if band and (c is chips[0] or not c["measured"]):
            factors = (band["low"], band["high"])
            edge = [y / f for f in factors] if params.measure == "cost" else [y * f for f in factors]
            hatch = {"shape": "/", "size": 7, "solidity": 0.12, "fgcolor": colour[c["chip"]], "bgcolor": "rgba(0,0,0,0)"}
            fill = {"fillcolor": t["band_blue"]} if c["measured"] else {"fillpattern": hatch}
            fig.add_scatter(
                x=[*x, *x[::-1]],
                y=[*edge[0], *edge[1][::-1]],
                fill="toself",
                **fill,
                mode="lines",
                line={"width": 0},
                hoverinfo="skip",
            )
        dash = "solid" if c["measured"] else "6px,3px"
        told = [f"{as_text(c['chip'])}, {u:.0f} tok/s per user: {write(v)}<br>{as_text(w, 200)}" for u, v, w in zip(x, y, own["layout"])]
        fig.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": colour[c["chip"]], "width": 2.2, "dash": dash, "shape": "spline", "smoothing": 0.4},
            text=told,
            hovertemplate="%{text}<extra></extra>",
        )
        ends.append((float(x.iloc[-1]), float(y.iloc[-1])))
        texts.append(as_text(c["chip"], 20))
        tones.append(colour[c["chip"]])
        lines.append((x, y))
    key = f"at {params.speed:g}"
    at = table[(table["kind"] == key) & table[column].notna()]
    words = {"text": f"{params.speed:g} tok/s per user", "showarrow": False, "font": {"size": 11 if look.phone else 12}}
    upright = {"type": "line", "x0": params.speed, "x1": params.speed, "y0": 0, "y1": 1, "yref": "y domain"}
    add(
        fig,
        [words | {"x": params.speed, "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 4}],
        [upright | {"line": {"color": t["ink"], "width": 1}}],
    )
    fig.add_scatter(
        x=[params.speed] * len(at), y=at[column], mode="markers", hoverinfo="skip",
        marker={"size": 10, "color": t["page"], "line": {"color": [colour[c] for c in at["chip"]], "width": 2}},
    )  # fmt: skip
    box = (wide * across, tall * (1 - bottom))
    beside(fig, look, ends, texts, tones, x=(0, top, False), y=(low, high, True), box_px=box, lines=lines)
    _side_table(fig, facts["chips"], params, look, colour, tall, bottom)
    return fig


def _side_table(
    fig: go.Figure, chips: list[dict[str, Any]], params: Params, look: Look, colour: dict[str, str], tall: float, bottom: float
) -> None:
    write = _write(params)

    def cell(c: dict[str, Any], speed: float) -> str:
        value = c["at"].get(f"{speed:g}")
        return write(value) if value is not None and np.isfinite(value) else "–"

    rows = [["tok/s per user", *(f"{s:g}" for s in SPEEDS)]]
    rows += [[as_text(c["chip"], 18), *(cell(c, s) for s in SPEEDS)] for c in chips]
    tones = [colour[c["chip"]] for c in chips]
    title = f"{MEASURES[params.measure]}, at a speed of"
    if look.phone:
        text_table(fig, look, rows, left=-0.12, right=1.0, top=bottom - 62 / tall, plot_px=tall, colors=tones)
    else:
        text_table(fig, look, rows, left=0.69, right=1.0, top=1.0, plot_px=tall, colors=tones, title=title)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The leading chip at the speed asked for: its rate, its cost, its rent, and the nearest measured run."""
    shown = table(params, snapshot)
    key = f"at {params.speed:g}"
    at = shown[shown["kind"] == key]
    shape_row = work.model_input(snapshot, params)
    if at.empty:
        return Receipt((), (shape_row,), ("No configuration reaches this speed, so nothing is computed.",))
    column = _column(params)
    order = at[column].fillna(np.inf if params.measure == "cost" else -np.inf)
    chosen = at.iloc[int(order.argmin() if params.measure == "cost" else order.argmax())]
    told = next(c for c in shown.attrs["chips"] if c["chip"] == chosen["chip"])
    price = work.rent(snapshot, told["chip_id"], params.rent)
    lines = [
        looked_up(
            f"Output tokens per second and chip, {chosen['chip']}",
            chosen["tokens_per_s_per_gpu"],
            "tok/s",
            f"the serving model: {chosen['layout']}",
        )
    ]
    if price:
        lines.append(
            worked(
                output_cost_usd_per_mtok,
                usd_per_gpu_hour=price.usd_per_hour,
                tokens_per_s_per_gpu=chosen["tokens_per_s_per_gpu"],
                utilisation=params.utilisation,
            )
        )
    rows = [
        shape_row,
        work.chip_input(snapshot, told["chip_id"], params.own_chip),
        *(work.rent_row(snapshot, c["chip"], c["chip_id"], work.rent(snapshot, c["chip_id"], params.rent)) for c in shown.attrs["chips"]),
        assumed("Requests", f"{params.input_tokens:,} in, {params.output_tokens:,} out", "tokens"),
    ]
    assumptions: tuple[str, ...] = (
        "All cost is put on output tokens; the prompt is computed for it too.",
        f"First token after {chosen['ttft_s']:.2g} s without waiting.",
        f"Every chip runs at this load for {100 * params.utilisation:.0f} % of the hours it is paid for.",
        "Search: tensor parallelism to 8, conversations and experts spread over the rest, replicas of up to 128 chips.",
    )  # fmt: skip
    if not told["measured"]:
        assumptions += (f"No kernel of the {chosen['chip']} itself was measured: a related chip's efficiencies stand in.",)
    return Receipt(tuple(lines), tuple(rows), assumptions, work.passport_words(snapshot, params, told["chip_id"]))


CHART = register(
    Chart(
        id="serving.cost",
        page="serving",
        title="Cost of a million tokens, by chip and speed",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"model": inputs.model_options, "chips": inputs.chip_options},
        presets=(
            Preset("r1", "R1 on five chips", {}, claim="R2"),
            Preset("sixteen", "$16 an hour", {"chips": ["h100-sxm", "h200-sxm"], "rent": 2.0, "speed": 30}, claim="R2"),
            Preset("day-six", "R1 on H800, day 6", DAY_SIX, claim="R9"),
            Preset("h20", "H20 against H100", {"chips": ["h20", "h100-sxm", "h200-sxm"], "measure": "rate", "speed": 20}, claim="R10"),
        ),
        heights=(540, 560),
        idle=idle,
    )
)  # fmt: skip
