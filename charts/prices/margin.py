"""List price against modelled cost: what hosts of open weights ask, and what the rent of the chips comes to."""

from __future__ import annotations

import datetime
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.provider import gross_margin, rented_usd_per_mtok
from charts.look import Look
from charts.numbers import date, dollars
from charts.params import ChartParams, choice, day, number
from charts.prices.draw import RangeRow, range_rows, round_dollars
from charts.prices.levels import blend_text
from charts.prices.modelled import RENT_WINDOW_DAYS, SERVED, Served, best_served, blended_cost_usd_per_mtok, model_error, rent_range
from charts.receipt import InputRow, Receipt, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries.prices import SEEN_WITHIN_DAYS, hosts_of
from data.queries.serving import serving_inputs
from data.snapshot import Snapshot

CHIPS = {"h100-sxm": "H100", "h200-sxm": "H200", "b200": "B200", "mi300x": "MI300X"}
CREDIT = "providers' price pages; rents: providers' lists; cost: Ridgepoint's serving model"
Weights = Literal[
    "deepseek-r1", "deepseek-v3", "llama-3.1-405b-instruct", "llama-3.3-70b-instruct", "llama-3.1-70b-instruct", "llama-3.1-8b-instruct",
    "gpt-oss-120b", "gpt-oss-20b", "qwen3-235b-a22b", "kimi-k2",
]  # fmt: skip


class Params(ChartParams):
    """State of the chart."""

    weights: Weights = choice(
        "deepseek-r1", label="Model", help="Weights sold by hosts.", labels={k: shape for k, (shape, _) in SERVED.items()}
    )
    chip: Literal["h100-sxm", "h200-sxm", "b200", "mi300x"] = choice("h200-sxm", label="Chip", help="Chip a host would rent.", labels=CHIPS)
    tok_s_per_user: float = number(20, ge=1, le=500, label="Speed", help="Least tokens a second each user gets.", unit="tok/s")
    input_tokens: int = number(3000, ge=1, le=200_000, label="Prompt", help="Tokens of a prompt.", unit="tokens")
    output_tokens: int = number(1000, ge=1, le=100_000, label="Answer", help="Tokens of an answer.", unit="tokens")
    busy_share: float = number(
        1, ge=0.05, le=1, label="Busy", help="Share of rented hours spent serving; 1 is the least cost there can be.", step=0.05
    )
    on: datetime.date | None = day(None, label="Prices of", help="Day whose offers are compared; empty is today.")

    def ratio(self) -> float:
        """Input tokens per output token of this workload."""
        return self.input_tokens / self.output_tokens


def _offers(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    rows = hosts_of(snapshot, params.weights)
    at = float((np.datetime64(params.on or snapshot.today) - np.datetime64("1970-01-01")).astype(int))
    known_to = rows["seen_day"].where(rows["seen_day"].notna(), rows["start_day"])
    open_row = ~(rows["end_day"] <= at) & (rows["end_day"].notna() | (known_to >= at - SEEN_WITHIN_DAYS))
    r = params.ratio()
    rows = rows.assign(price=(r * rows["input_usd_per_mtok"] + rows["output_usd_per_mtok"]) / (r + 1))
    kept = rows[(rows["start_day"] <= at) & open_row & (rows["price"] > 0)]
    return kept.sort_values(["price", "fact_key"], kind="stable", ignore_index=True)


def _cost(params: Params, snapshot: Snapshot) -> tuple[Served | None, pd.DataFrame, tuple[float, float] | None]:
    served = best_served(
        serving_inputs(snapshot), params.weights, params.chip, params.input_tokens, params.output_tokens, params.tok_s_per_user
    )
    rents = rent_range(snapshot, params.chip)
    if served is None or rents.empty:
        return served, rents, None
    ends = (float(rents["usd_per_gpu_hour"].min()), float(rents["usd_per_gpu_hour"].max()))
    low, high = (blended_cost_usd_per_mtok(rent, served, params.ratio(), params.busy_share) for rent in ends)
    return served, rents, (low, high)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row an offer: list price under this workload and the gross margin at the highest and the lowest rent."""
    rows = _offers(params, snapshot)
    served, rents, cost = _cost(params, snapshot)
    low, high = cost or (np.nan, np.nan)
    kept = ["input_usd_per_mtok", "output_usd_per_mtok", "tier", "quantised", "developer", "effective_date", "last_seen", "rung",
            "single_source", "not_reread", "source", "source_url"]  # fmt: skip
    out = pd.DataFrame(
        {
            "provider": rows["provider"],
            "price_usd_per_mtok": rows["price"],
            "margin_low": gross_margin(rows["price"], high),
            "margin_high": gross_margin(rows["price"], low),
        }
    )
    out = pd.concat([out, rows[kept]], axis=1)
    out.attrs = {
        "name": SERVED[params.weights][0],
        "chip": CHIPS[params.chip],
        "on": (params.on or snapshot.today).isoformat(),
        "cost_low": None if cost is None else low,
        "cost_high": None if cost is None else high,
        "rents": len(rents),
        "rent_low": None if rents.empty else float(rents["usd_per_gpu_hour"].min()),
        "rent_high": None if rents.empty else float(rents["usd_per_gpu_hour"].max()),
        "layout": None if served is None else served.layout,
        "batch": None if served is None else served.batch,
        "output_tok_s_per_chip": None if served is None else served.output_tok_s_per_chip,
    }
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """The modelled cost as a bar over the range of rents, the offers as dots below it, cheapest first."""
    f = table.attrs
    rows = []
    if f["cost_low"] is not None:
        rents = f"{dollars(f['rent_low'])} to {dollars(f['rent_high'])} an hour"
        rows.append(RangeRow(f"modelled cost, {f['chip']}", f["cost_low"], None, f["cost_high"], "rust", note=rents))
    for r in table.head(10 if look.phone else 20).to_dict("records"):
        own = r["provider"] == r["developer"]
        note = "" if f["cost_low"] is None else f"margin {_span(r['margin_low'], r['margin_high'])}"
        rows.append(RangeRow(r["provider"], None, r["price_usd_per_mtok"], None, "blue" if own else "point", r["quantised"] == 1, note))
    return range_rows(rows, look, round_dollars, unit=f"$ / Mtok, {blend_text(params.ratio())}")


def _span(low: float, high: float) -> str:
    first, last = (f"{v:.0%}".replace("%", "").replace("-", "−") for v in (low, high))
    return f"{first} %" if first == last else f"{first} to {last} %"


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    f = table.attrs
    if table.empty:
        return Words(
            finding=f"No open offer of {f['name']} on {date(f['on'])}",
            empty=f"No host's price for {f['name']} was seen within {SEEN_WITHIN_DAYS} days of {date(f['on'])}.",
            way_out={"on": "2025-02-28", "weights": "deepseek-r1"},
            credit=CREDIT,
        )
    if f["cost_low"] is None:
        why = (
            f"{f['chip']} cannot give each user {params.tok_s_per_user:g} tok/s"
            if f["layout"] is None
            else f"no rent of {f['chip']} is a year old or younger"
        )
        finding = f"No modelled cost for {f['name']}: {why}"
    else:
        below, above = int((table["price_usd_per_mtok"] < f["cost_low"]).sum()), int((table["price_usd_per_mtok"] > f["cost_high"]).sum())
        finding = (
            f"{f['name']} on rented {f['chip']} costs {dollars(f['cost_low'])} to {dollars(f['cost_high'])} per million tokens; "
            f"{above} of {len(table)} hosts ask more, {below} less"
        )
    return Words(
        finding=finding,
        subtitle=f"$ / Mtok, {blend_text(params.ratio())}, log scale. Bar: modelled cost over the range of {f['rents']} rents of "
        "the last year; "
        "dots: list prices; strong: the developer's own; hollow: known quantised.",
        alt=finding + ". " + "; ".join(f"{p} {dollars(v)}" for p, v in zip(table["provider"], table["price_usd_per_mtok"])),
        coverage=f"{len(table)} offers seen within {SEEN_WITHIN_DAYS} days of {date(f['on'])}",
        credit=CREDIT,
        notes=(
            ()
            if f["layout"] is None
            else (f"Best layout tried: {f['layout']}, batch {f['batch']:.0f}, {f['output_tok_s_per_chip']:,.0f} output tok/s per chip.",)
        ),
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Cost at the lowest rent, margin of the cheapest offer, and the rows behind both."""
    served, rents, cost = _cost(params, snapshot)
    offers = _offers(params, snapshot)
    formulas, inputs = [], []
    if served is not None:
        name = f"best layout tried for {SERVED[params.weights][0]} on {CHIPS[params.chip]} ({served.layout}, batch {served.batch:.0f})"
        formulas.append(looked_up("Output rate of a chip", served.output_tok_s_per_chip, "tok/s", name))
    if served is not None and cost is not None:
        tokens = served.output_tok_s_per_chip * (1 + params.ratio()) * params.busy_share
        formulas.append(worked(rented_usd_per_mtok, usd_per_hour=float(rents["usd_per_gpu_hour"].min()), tokens_per_s=tokens))
        if len(offers):
            formulas.append(worked(gross_margin, price_usd=float(offers["price"].iloc[0]), cost_usd=cost[0]))
    for _, r in offers.head(8).iterrows():
        for side in ("input", "output"):
            inputs.append(input_row(r, f"{r['provider']}: {side}", f"{r[f'{side}_usd_per_mtok']:g}", "$/Mtok", as_of="effective_date"))
    for _, r in rents.iterrows():
        label = f"{CHIPS[params.chip]} at {r['provider']}, {r['term']}"
        inputs.append(input_row(r, label, f"{r['usd_per_gpu_hour']:g}", "$/h", as_of="date"))
    inputs += [
        assumed("Prompt and answer", f"{params.input_tokens:,} and {params.output_tokens:,}", "tokens"),
        assumed("Busy share", f"{params.busy_share:g}"),
    ]
    return Receipt(
        formulas=tuple(formulas),
        inputs=_no_blanks(inputs),
        assumptions=(
            "Cost is rent only, of a fleet that serves without pause unless the busy share says otherwise: staff, idle hours and "
            "network come on top.",
            f"Rents of sellers in the last {RENT_WINDOW_DAYS} days without spot prices and without averages of many sellers.",
            "No prompt caching is modelled, so a host with cache hits serves cheaper than this.",
        ),
        error=model_error(snapshot),
    )


def _no_blanks(rows: list[InputRow]) -> tuple[InputRow, ...]:
    return tuple(row for row in rows if row.value not in ("", "nan"))


CHART = register(
    Chart(
        id="prices.margin",
        page="prices",
        title="List price against modelled cost",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("r1", "R1 hosts, February 2025", {"on": datetime.date(2025, 2, 28)}, claim="I3"),
            Preset("llama", "Llama 3.3 70B on H100", {"weights": "llama-3.3-70b-instruct", "chip": "h100-sxm"}, claim="R2"),
            Preset("oss", "gpt-oss-120b on H100", {"weights": "gpt-oss-120b", "chip": "h100-sxm"}),
        ),
        heights=(460, 480),
    )
)
