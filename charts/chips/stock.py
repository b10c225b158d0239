"""Stock of bought compute over time, in H100 equivalents, with the modeller's band: China's legal purchases and the large buyers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.chips import NOT_ADVICE
from charts.labels import EndLabel, end_labels, margin_for
from charts.look import Look
from charts.params import ChartParams, many
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import DASHES, SERIES, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot


class Params(ChartParams):
    """Whose stock."""

    owners: tuple[str, ...] = many(
        ("China", "Microsoft", "Meta"), label="Owners", help="buyers drawn; China is the only country the source gives", most=5
    )


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row an owner and year end: cumulative H100 equivalents, low, median, high."""
    rows = chips.compute_owned(snapshot)
    known = set(rows["owner"])
    unknown = [owner for owner in params.owners if owner not in known]
    if unknown:
        raise ValueError(f"no stock is recorded for {unknown[0]!r}; owners are {', '.join(sorted(known))}")
    return rows[rows["owner"].isin(params.owners)].reset_index(drop=True)


def words(table: pd.DataFrame, params: Params) -> Words:
    """The last stock of the first owner against the others."""
    if table.empty:
        return Words("No owner is chosen", empty="Choose at least one owner.", way_out={"owners": ["China", "Microsoft"]})
    last = table.sort_values("day", kind="stable").groupby("owner", sort=False).tail(1).set_index("owner")
    told = [
        f"{owner} {numbers.count(last.loc[owner, 'value'])} ({numbers.count(last.loc[owner, 'low'])} to {numbers.count(last.loc[owner, 'high'])})"
        for owner in params.owners
        if owner in last.index
    ]
    finding = f"Bought by {numbers.date(last['day'].max())}, in H100 equivalents: " + "; ".join(told)
    subtitle = (
        "Cumulative purchases since 2022, 8-bit rate of an H100 as the unit, log scale, no retirements. Line: the modeller's median; band: its 5 to 95 % interval. "
        "NVIDIA chips alone."
    )
    notes = (
        "The first quarter of 2026 was not complete when the source was read.",
        "China is legal sales of parts made for China: diverted, rented and Chinese-made chips are not in it.",
        "By 8-bit rate an H20 is 0.15 of an H100, blind to its memory bandwidth.",
        NOT_ADVICE,
    )
    return Words(
        finding,
        subtitle,
        f"Lines of stock by owner. {finding}.",
        "NVIDIA purchases alone; no domestic Chinese chips",
        "Epoch AI, AI chip sales (CC BY 4.0)",
        notes,
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A line and a band an owner."""
    t, height = tokens(look), look.height(480, 400)
    order = sorted(dict.fromkeys(table["owner"]), key=lambda o: o != "China")
    last = table.groupby("owner", sort=False).tail(1).set_index("owner")
    labels = [
        EndLabel(float(last.loc[o, "value"]), as_text(o, 18), t[SERIES[i % 5]], numbers.count(last.loc[o, "value"]))
        for i, o in enumerate(order)
    ]
    fig = new_figure(look, height_px=height, margin={"l": 52, "r": margin_for(labels, look), "t": 20, "b": 40})
    low, high = float(table["low"].min()) / 1.3, float(table["high"].max()) * 1.3
    for i, owner in enumerate(order):
        own, tone = table[table["owner"] == owner], t[SERIES[i % 5]]
        shade = "rgba({},{},{},.13)".format(*(int(tone[k : k + 2], 16) for k in (1, 3, 5)))
        fig.add_scatter(
            x=[*own["day"], *own["day"][::-1]], y=[*own["high"], *own["low"][::-1]], fill="toself", fillcolor=shade, line={"width": 0}, mode="lines", hoverinfo="skip"
        )  # fmt: skip
        fig.add_scatter(
            x=own["day"], y=own["value"], mode="lines+markers", line={"color": tone, "width": 2.2, "dash": DASHES[i % 5]}, marker={"size": 6, "color": tone},
            hovertemplate=as_text(owner) + " %{x}<br>%{y:,.3s} H100e<extra></extra>",
        )  # fmt: skip
    days = pd.to_datetime(table["day"])
    start, end = (d.date().isoformat() for d in (days.min(), days.max()))
    fig.update_xaxes(type="date", range=[start, end])
    fig.update_yaxes(
        range=np.log10([low, high]).tolist(),
        title_text="" if look.phone else "H100e",
        **numbers.log_ticks(low, high, numbers.count, 7),
    )
    end_labels(fig, labels, look, x_end=end, y_range=(low, high), log=True, plot_px=height - 60)
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Every year end drawn with its source."""
    shown = table(params, snapshot)
    records = chips.records(shown)
    lines = [
        looked_up(f"{r['owner']}, {r['day']}", float(r["value"]), "H100e", "the modeller's median of cumulative purchases")
        for r in records[-4:]
    ]
    inputs = [
        input_row(
            r,
            f"{r['owner']}, {numbers.date(r['day'])}",
            f"{numbers.plain(r['low'])} / {numbers.plain(r['value'])} / {numbers.plain(r['high'])}",
            "H100e",
        )
        for r in records
    ]
    band = "The band is the modeller's 5 to 95 % interval of revenue, product mix and price; it does not cover what the model leaves out."
    return Receipt(
        lines,
        inputs,
        ("Nothing is retired; nothing is added to what the source gives.",),
        tuple(filter(None, (band, age_note(shown["as_of"].tolist(), snapshot.today)))),
    )


CHART = register(
    Chart(
        id="chips.stock",
        page="chips",
        title="Stock of bought compute",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"owners": chips.owners},
        presets=(
            Preset("china", "China beside two buyers", {}, claim="E5"),
            Preset("buyers", "Five buyers", {"owners": ("China", "Microsoft", "Meta", "Amazon", "Google")}),
        ),
        heights=(480, 400),
    )
)
