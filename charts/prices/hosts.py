"""The same weights over all hosts and time: what independent sellers ask for one model."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.blend import blended_usd_per_mtok, price_usd_per_mtok
from charts.labels import EndLabel, end_labels, margin_for
from charts.look import Look
from charts.numbers import date, dollars, listed, log_ticks
from charts.params import ChartParams, choice, day, number, pick
from charts.prices.draw import Frame, round_dollars, y_unit
from charts.prices.level import BLEND_LABELS
from charts.prices.levels import BLENDS, BlendName, bare_name, blend_text, day_text
from charts.receipt import Receipt, input_row, worked
from charts.registry import Chart, Preset, register
from charts.template import tokens
from charts.text import as_text
from charts.words import Words
from data.queries.prices import SEEN_WITHIN_DAYS, hosts_of, weights_with_hosts
from data.snapshot import Snapshot

CREDIT = "providers' price pages and dated price tables"
MOST_LINES = 600


class Params(ChartParams):
    """State of the chart."""

    weights: str = pick("deepseek-r1", label="Model", help="Weights whose hosts are compared.")
    blend: BlendName = choice("out", label="Price", help="How input and output are weighted into one price.", labels=BLEND_LABELS)
    ratio: float = number(3, ge=0, le=1000, label="Own ratio", help="Input tokens per output token of an own blend.")
    on: datetime.date | None = day(None, label="Spread on", help="The day whose dearest and cheapest offers are compared; empty is today.")

    def weight(self) -> float:
        """Input tokens per output token."""
        return BLENDS.get(self.blend, self.ratio)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Offers of the weights, ordered by start: provider, date, until, price_usd_per_mtok and what the row says."""
    rows = hosts_of(snapshot, params.weights)
    price = price_usd_per_mtok(rows["input_usd_per_mtok"], rows["output_usd_per_mtok"], input_per_output_token=params.weight())
    rows = rows.assign(price_usd_per_mtok=price)
    on = params.on or snapshot.today
    day_on = float((np.datetime64(on) - np.datetime64("1970-01-01")).astype(int))
    # Without an end an offer is known to the day it was last seen; the listing says no more.
    known_to = rows["end_day"].where(rows["end_day"].notna(), rows["seen_day"].where(rows["seen_day"].notna(), rows["start_day"]))
    still = ~(rows["end_day"] <= day_on) & (rows["end_day"].notna() | (known_to >= day_on - SEEN_WITHIN_DAYS))
    held = (rows["start_day"] <= day_on) & still & (rows["price_usd_per_mtok"] > 0)
    kept = [
        "input_usd_per_mtok", "output_usd_per_mtok", "tier", "quantised", "model_name", "developer", "effective_date", "end_date",
        "last_seen", "last_seen_basis", "rung", "single_source", "not_reread", "source", "source_url",
    ]  # fmt: skip
    out = pd.DataFrame(
        {
            "provider": rows["provider"],
            "date": day_text(rows["start_day"]),
            "until": day_text(known_to),
            "price_usd_per_mtok": rows["price_usd_per_mtok"],
            "on_day": held,
        }
    )
    out = pd.concat([out, rows[kept]], axis=1)
    names = rows["model_name"].dropna()
    out.attrs = {
        "name": bare_name(str(names.iloc[0])) if len(names) else params.weights,
        "blend": blend_text(params.weight()),
        "on": on.isoformat(),
        "today": snapshot.today.isoformat(),
    }
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A step line per host: the developer's own strong, quantised and turbo offers dashed, the rest pale."""
    t, facts = tokens(look), table.attrs
    paid = table[table["price_usd_per_mtok"] > 0]
    start = (pd.Timestamp(paid["date"].min()) - pd.Timedelta(days=20)).strftime("%Y-%m-%d") if len(paid) else facts["today"]
    low, high = (paid["price_usd_per_mtok"].min() / 1.5, paid["price_usd_per_mtok"].max() * 1.4) if len(paid) else (0.1, 10)
    labels = _labels(paid, facts, t, look)
    height = look.height(500, 440)
    frame = Frame(
        look, height, 62 if not look.phone else 46, margin_for(labels, look), 28, 36, (start, facts["today"]), (low, high), y_log=True
    )
    out = frame.figure()
    y_unit(out, frame, f"$ / Mtok, {facts['blend']}")
    out.update_yaxes(**log_ticks(low, high, round_dollars), title_text=None)
    out.update_xaxes(type="date", hoverformat="%d %b %Y", tickangle=0, nticks=3 if look.phone else 9)
    drawn = _drawn(paid)
    own = drawn["provider"].eq(drawn["developer"])
    cut = drawn["tier"].isin(["turbo", "off-peak"]) | drawn["quantised"].eq(1)
    for ours in (False, True):
        for dash, rows in (("solid", drawn[own.eq(ours) & ~cut]), ("5px,3px", drawn[own.eq(ours) & cut])):
            _lines(out, rows, t["blue"] if ours else t["point"], 2.4 if ours else 1.2, dash)
    if start < facts["on"] < facts["today"]:
        out.add_vline(x=facts["on"], line={"color": t["rust"], "width": 1, "dash": "2px,3px"})
        out.add_annotation(
            x=facts["on"],
            y=1,
            yref="paper",
            yanchor="bottom",
            text=date(facts["on"]),
            showarrow=False,
            font={"size": 11, "color": t["rust"]},
        )
    end_labels(out, labels, look, x_end=facts["today"], y_range=(low, high), log=True, plot_px=frame.plot_height)
    return out


def _drawn(paid: pd.DataFrame) -> pd.DataFrame:
    """The MOST_LINES cheapest offers, in order: the words say when some are not drawn."""
    return paid if len(paid) <= MOST_LINES else paid.loc[sorted(paid.nsmallest(MOST_LINES, "price_usd_per_mtok").index)]


def _lines(out: go.Figure, rows: pd.DataFrame, ink: str, width: float, dash: str) -> None:
    """One trace for all level lines of one look: an offer from its first to its last day, then a gap."""
    if rows.empty:
        return
    ends = rows["until"].where(rows["until"] >= rows["date"], rows["date"])
    gap = np.full(len(rows), None, dtype=object)
    xs = np.column_stack([rows["date"].to_numpy(dtype=object), ends.to_numpy(dtype=object), gap]).ravel()
    ys = np.column_stack([rows["price_usd_per_mtok"], rows["price_usd_per_mtok"], gap]).ravel()
    out.add_scatter(
        x=xs.tolist(), y=ys.tolist(), mode="lines+markers", line={"color": ink, "width": width, "dash": dash},
        marker={"size": 5 if width > 2 else 4}, text=np.repeat([as_text(name) for name in rows["provider"]], 3).tolist(),
        connectgaps=False, hovertemplate="%{text}: $%{y:.3g} / Mtok, %{x}<extra></extra>",
    )  # fmt: skip


def _labels(paid: pd.DataFrame, facts: dict[Any, Any], t: dict[str, str], look: Look) -> list[EndLabel]:
    last = paid.sort_values("date", kind="stable").groupby("provider", sort=True).tail(1).sort_values("price_usd_per_mtok", kind="stable")
    most = 8 if look.phone else 20
    if len(last) > most:
        half = most // 2
        last = pd.concat([last.head(half), last.tail(most - half)])
    today = pd.Timestamp(facts["today"])
    labels = []
    for r in last.to_dict("records"):
        ink = t["blue"] if r["provider"] == r["developer"] else t["point"]
        # An offer not seen for long says when it was last seen: its label stands where the axis ends.
        gone = (today - pd.Timestamp(r["until"])).days > SEEN_WITHIN_DAYS
        when = f", {date(r['until'][:7])}" if gone else ""
        labels.append(EndLabel(r["price_usd_per_mtok"], as_text(r["provider"], 24), ink, dollars(r["price_usd_per_mtok"]) + when))
    return labels


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    facts = table.attrs
    held = table[table["on_day"]]
    hosts = table["provider"].nunique()
    drawn = f", the {MOST_LINES} cheapest drawn" if (table["price_usd_per_mtok"] > 0).sum() > MOST_LINES else ""
    marks = "Each line one host, as long as its price was seen; a month beside a price: last seen then; the developer's own strong, off-peak, turbo and quantised dashed."
    if held.empty:
        finding = f"No open offer of {facts['name']} on {date(facts['on'])}"
    else:
        low, high = held.iloc[held["price_usd_per_mtok"].argmin()], held.iloc[held["price_usd_per_mtok"].argmax()]
        fold = high["price_usd_per_mtok"] / low["price_usd_per_mtok"]
        finding = (
            f"On {date(facts['on'])} {facts['name']} sold from {dollars(low['price_usd_per_mtok'])} ({low['provider']}) to "
            f"{dollars(high['price_usd_per_mtok'])} ({high['provider']}) per million tokens: {fold:.3g}-fold for the same weights"
        )
    return Words(
        finding=finding,
        subtitle=f"$ / Mtok, {facts['blend']}, log scale. {hosts:,} hosts, {len(table):,} price rows{drawn}. {marks}",
        alt=f"{finding}. Hosts: {listed(sorted(set(table['provider'])), 40)}.",
        coverage=f"{len(held)} of {len(table)} price rows were in force and seen within {SEEN_WITHIN_DAYS} days of {date(facts['on'])}",
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The cheapest and the dearest offer of the day, with their rows."""
    made = table(params, snapshot)
    held = made[made["on_day"]]
    if held.empty:
        return Receipt(assumptions=("No offer was open on that day.",))
    ends = [held.iloc[held["price_usd_per_mtok"].argmin()], held.iloc[held["price_usd_per_mtok"].argmax()]]
    formulas = [
        worked(
            blended_usd_per_mtok,
            input_usd_per_mtok=r["input_usd_per_mtok"],
            output_usd_per_mtok=r["output_usd_per_mtok"],
            input_per_output_token=params.weight(),
        )
        for r in ends
    ]
    inputs = [
        input_row(r, f"{r['provider']}: {side}", f"{r[f'{side}_usd_per_mtok']:g}", "$/Mtok", as_of="effective_date")
        for r in ends
        for side in ("input", "output")
    ]
    return Receipt(
        formulas=tuple(formulas),
        inputs=tuple(inputs),
        assumptions=(
            f"An offer without an end counts as open for {SEEN_WITHIN_DAYS} days after it was last seen; its line stops that day.",
            "Weights are told apart, services are not: limits, speed and context differ.",
        ),
        error=("Rows marked not re-read or single source may be off by a price change that nobody recorded.",),
    )


def _weights(snapshot: Snapshot) -> dict[str, str]:
    rows = snapshot.table("api_prices")
    names = dict(zip(rows["weights_id"], rows["model_name"]))
    return {weights: bare_name(names.get(weights) or weights) for weights in weights_with_hosts(snapshot, 3)}


CHART = register(
    Chart(
        id="prices.hosts",
        page="prices",
        title="The same weights at every host",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"weights": _weights},
        presets=(
            Preset("r1", "R1 in February 2025", {"weights": "deepseek-r1", "on": datetime.date(2025, 2, 28)}, claim="I3"),
            Preset("llama33", "Llama 3.3 70B", {"weights": "llama-3.3-70b-instruct"}),
            Preset("v3", "DeepSeek V3", {"weights": "deepseek-v3", "blend": "b31"}, claim="I1"),
        ),
        heights=(500, 440),
    )
)
