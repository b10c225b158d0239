"""Allowances by summed TPP: how many of each chip fit the country cap and the low-quantity exception of January 2025."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.explain import thresholds
from analytics.chips.totals import chips_within
from charts import numbers
from charts.chips import NOT_ADVICE
from charts.look import Look
from charts.params import ChartParams, choice, many, number
from charts.receipt import Receipt, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

# rule -> (the running total it limits, what it is, words)
ALLOWANCES = {
    "2025-01-diff-LPP": ("annual_consignee_tpp", "one buyer, a year, without a licence"),
    "2025-01-diff-cap": ("cumulative_tpp", "one country, 2025 to 2027"),
    "2025-01-diff-NVEU": ("company_country_tpp", "one company in one country, end of 2027"),
}
CHOICES = {
    "2025-01-diff-LPP": "Low-quantity exception",
    "2025-01-diff-cap": "Country cap",
    "2025-01-diff-NVEU": "National validated user",
    "own": "Your own",
}
DEFAULT = ("a100-sxm-80", "h20", "h100-sxm", "h200-sxm", "mi300x", "b200", "gb200", "gb300", "vr200", "l40s")


class Params(ChartParams):
    """Which allowance, which chips."""

    allowance: Literal["2025-01-diff-LPP", "2025-01-diff-cap", "2025-01-diff-NVEU", "own"] = choice(
        "2025-01-diff-LPP", label="Allowance", help="limit on summed TPP", labels=CHOICES
    )
    own_tpp: float = number(
        26.9e6, ge=1, le=1e13, label="Own allowance", help="limit on summed TPP where the allowance is your own", unit="TPP", log=True
    )
    chips: tuple[str, ...] = many(DEFAULT, label="Chips", help="chips counted", most=24)


def _allowance(params: Params, snapshot: Snapshot) -> float:
    if params.allowance == "own":
        return params.own_tpp
    rule = chips.rule_book(snapshot).rule(params.allowance)
    return thresholds(ALLOWANCES[params.allowance][0], {}, [rule.condition])[0][1]


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip with a known TPP: how many fit the allowance, rounded down."""
    allowance, rows = _allowance(params, snapshot), {r["chip_id"]: r for r in chips.records(chips.measured(snapshot))}
    out: list[dict[str, Any]] = []
    for chip_id in params.chips:
        chip = chips.chip(snapshot, chip_id)
        tpp = float(rows[chip_id]["tpp"])
        out.append(
            {
                "chip_id": chip_id,
                "name": chip["name"],
                "tpp": tpp,
                "chips": float(np.floor(chips_within(allowance, tpp))),
                "rung": rows[chip_id]["rung"],
                "source": chip["source"],
            }
        )
    frame = pd.DataFrame(out, columns=["chip_id", "name", "tpp", "chips", "rung", "source"])
    frame = frame[frame["tpp"] > 0].sort_values("chips", ascending=False, kind="stable", ignore_index=True)
    rule = chips.rule_rows(snapshot).get(params.allowance, {})
    frame.attrs = {"allowance": allowance, "binds": _binds(params, snapshot), "clause": str(rule.get("clause_text", ""))}
    return frame


def _binds(params: Params, snapshot: Snapshot) -> str:
    if params.allowance == "own":
        return ""
    rule = chips.rule_book(snapshot).rule(params.allowance)
    never = bool(rule.ends) and rule.begins >= rule.ends
    return (
        "It was never in force: enforcement ended before its compliance date." if never else f"In force from {numbers.date(rule.begins)}."
    )


def words(table: pd.DataFrame, params: Params) -> Words:
    """How many H100, or the first chip, fit."""
    if table.empty:
        return Words(
            "No chip with a known TPP is chosen", empty="None of these chips has a published dense rate.", way_out={"chips": list(DEFAULT)}
        )
    h100 = table[table["chip_id"] == "h100-sxm"]
    row = (h100 if len(h100) else table).iloc[0]
    a = table.attrs
    whom = ALLOWANCES[params.allowance][1] if params.allowance in ALLOWANCES else "your own limit"
    finding = f"{numbers.plain(a['allowance'])} TPP ({whom}) hold {numbers.plain(row['chips'])} {row['name']}, or {numbers.plain(table['chips'].iloc[-1])} {table['name'].iloc[-1]}"
    subtitle = f"Chips whose TPP adds up to the allowance, rounded down, log scale. {len(table)} chips. {a['binds']}"
    notes = [NOT_ADVICE, *([f"Clause: {a['clause']}."] if a["clause"] else [])]
    if params.allowance == "2025-01-diff-LPP":
        notes.append("A claim of 2025 says about 1,500 to 1,700 bought, or about 2,000 rented, without a licence.")
    return Words(finding, subtitle, f"Bars of chip counts. {finding}.", "", "90 FR 4544; datasheets", tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A dot a chip on a log axis."""
    t, n = tokens(look), len(table)
    fig = new_figure(
        look, height_px=look.height_px or max(240, 90 + 30 * n), margin={"l": 130 if look.phone else 210, "r": 70, "t": 20, "b": 48}
    )
    y = np.arange(n)[::-1]
    shown = table["chips"].clip(lower=0.5)
    low, high = float(shown.min()) / 1.5, float(shown.max()) * 1.5
    for i, value in zip(y, shown):
        fig.add_shape(type="line", x0=low, x1=float(value), y0=int(i), y1=int(i), line={"color": t["context"], "width": 2}, layer="below")
    fig.add_scatter(
        x=shown, y=y, mode="markers+text", marker={"size": 11, "color": t["blue"]}, text=[numbers.plain(v) for v in table["chips"]], textposition="middle right",
        textfont={"size": 11 if look.phone else 12, "color": t["blue"]}, cliponaxis=False, customdata=table[["name", "tpp"]].to_numpy(),
        hovertemplate="%{customdata[0]}: TPP %{customdata[1]:,.0f}, %{x:,.0f} chips<extra></extra>",
    )  # fmt: skip
    fig.update_xaxes(
        range=np.log10([low, high]).tolist(), title_text="chips", **numbers.log_ticks(low, high, numbers.count, 5 if look.phone else 8)
    )
    fig.update_yaxes(
        tickmode="array",
        tickvals=y,
        ticktext=[as_text(name, 16 if look.phone else 28) for name in table["name"]],
        range=[-0.7, n - 0.3],
        showgrid=False,
    )
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The division for each chip, and the clause."""
    shown, told = table(params, snapshot), chips.rule_rows(snapshot)
    lines = [worked(chips_within, allowance_tpp=shown.attrs["allowance"], chip_tpp=r["tpp"]) for r in chips.records(shown)[:4]]
    rule = told.get(params.allowance)
    inputs = (
        [input_row(rule, params.allowance, rule["expr"], "TPP", as_of="announced_date")]
        if rule
        else [assumed("Own allowance", numbers.plain(params.own_tpp), "TPP")]
    )
    inputs += [
        input_row(chips.chip(snapshot, r["chip_id"]), f"{r['name']}, TPP", numbers.plain(round(r["tpp"]))) for r in chips.records(shown)
    ]
    lines = lines or [looked_up("chips", None, "", "no chip with a known TPP")]
    return Receipt(lines, inputs, (NOT_ADVICE, "The allowance is filled with one kind of chip alone."), ())


CHART = register(
    Chart(
        id="chips.caps",
        page="chips",
        title="Caps and the low-quantity exception",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"chips": chips.names},
        presets=(
            Preset("exception", "Low-quantity exception", {}, claim="E6"),
            Preset("country", "Country cap", {"allowance": "2025-01-diff-cap"}, claim="E6"),
        ),
        heights=(420, 420),
    )
)
