"""Subsidies: what public programmes for chips and AI were announced for, beside a claim's three figures."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.totals import amount_a_year, in_dollars
from charts import numbers
from charts.chips import NOT_ADVICE
from charts.look import Look
from charts.params import ChartParams, choice, number
from charts.receipt import FormulaLine, InputRow, Receipt, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

COUNTRIES = {"CN": "China", "US": "United States"}
RATE_WORDS = "7.2449: the rate Reuters printed beside Big Fund III on 27 May 2024"
# The claim's own figures, in its own currency and years (2025-02-03); the first states no years, the second no total.
CLAIM = (
    ("CN", "AI", "claim: AI", "CNY", 1000.0, None),
    ("CN", "chips", "claim: chips, a year", "USD", 200.0, 1.0),
    ("US", "chips", "claim: CHIPS Act", "USD", 50.0, 6.0),
)
COLUMNS = (
    "subsidy_id", "country", "subject", "programme", "kind", "announced", "years", "bn_usd", "low_bn_usd", "high_bn_usd", "basis", "inside",
    "source", "source_url", "as_of", "rung", "note",
)  # fmt: skip


class Params(ChartParams):
    """Whole amounts or a year's, which country, and at which exchange rate."""

    per: Literal["total", "year"] = choice(
        "total", label="Amount", help="as announced, or spread evenly over the years its source states", labels={"total": "Announced", "year": "A year"}
    )  # fmt: skip
    country: Literal["both", "CN", "US"] = choice(
        "both", label="Country", help="whose programmes", labels={"both": "Both", "CN": "China", "US": "United States"}
    )
    yuan: float = number(7.2449, ge=1, le=20, label="Yuan per dollar", help=RATE_WORDS, unit="CNY")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a programme in billions of dollars, then the claim's figures; attrs say how many state no years."""
    out: list[dict[str, Any]] = []
    for row in chips.records(chips.subsidies(snapshot)):
        rate = params.yuan if row["currency"] == "CNY" else 1.0
        ends = {
            name: float(in_dollars(row[key], rate)) for name, key in (("bn_usd", "central"), ("low_bn_usd", "low"), ("high_bn_usd", "high"))
        }
        out.append({**{name: row.get(name) for name in COLUMNS}, **ends})
    for country, subject, words_of, currency, amount, years in CLAIM:
        value = amount / params.yuan if currency == "CNY" else amount
        out.append(
            {
                "subsidy_id": words_of, "country": country, "subject": subject, "programme": words_of, "kind": "claim", "announced": "2025-02-03",
                "years": years, "bn_usd": value, "basis": "the claim's own words", "source": "Lex Fridman Podcast #459 (2025-02-03)",
                "as_of": "2025-02-03", "rung": "claim",
            }
        )  # fmt: skip
    frame = pd.DataFrame(out, columns=list(COLUMNS))
    frame[["years", "bn_usd", "low_bn_usd", "high_bn_usd"]] = frame[["years", "bn_usd", "low_bn_usd", "high_bn_usd"]].astype(float)
    if params.country != "both":
        frame = frame[frame["country"] == params.country]
    without = int(frame["years"].isna().sum())
    if params.per == "year":
        frame = frame[frame["years"].notna()]
        for name in ("bn_usd", "low_bn_usd", "high_bn_usd"):
            frame[name] = amount_a_year(frame[name], frame["years"])
    frame = frame.sort_values("country", kind="stable", ignore_index=True)
    funds = frame[frame["subsidy_id"].str.startswith("cn-bigfund-")]
    frame.attrs = {"without_years": without, "funds": float(funds["bn_usd"].sum()), "n_funds": len(funds)}
    return frame


def words(table: pd.DataFrame, params: Params) -> Words:
    """What was found beside what the claim says."""
    found = table[table["rung"] != "claim"]
    per = " a year" if params.per == "year" else ""
    bank = found[found["kind"] == "bank financing"]
    if params.per == "total" and table.attrs["n_funds"] and len(bank):
        finding = (
            f"China's {numbers.in_words(table.attrs['n_funds'])} national chip funds hold {_bn(table.attrs['funds'])}; its trillion yuan for AI is one bank's "
            f"financing over {bank['years'].iloc[0]:g} years; nothing found reaches the claim's $200bn a year"
        )
    elif len(found):
        top = max(chips.records(found), key=_shown)
        finding = f"The largest programme found is {top['programme']}, {COUNTRIES[top['country']]}: {_bn(_shown(top))}{per}, {top['kind']}"
    else:
        finding = "No programme of this country states its years"
    subtitle = (
        f"Billions of dollars{per}, log scale, at {params.yuan:g} yuan. {len(found)} programmes. Filled: as reported; hollow: a claim; "
        "diamond: under discussion. Line: the range its source gives. Words: what sort of money it is."
    )
    notes = [
        "Funds, loans, grants and tax credits are different things: no sum of them is drawn. The AI fund is paid out of Big Fund III.",
        "Local governments' support and tax relief in China are not in any row: no dated figure was found.",
    ]
    if params.per == "year" and table.attrs["without_years"]:
        notes.append(f"{table.attrs['without_years']} figures state no years and are not drawn.")
    notes.append(NOT_ADVICE)
    alt = f"Dots of {len(table)} amounts by country. {finding}."
    return Words(
        finding,
        subtitle,
        alt,
        "programmes found, not all there are",
        "press and a section-by-section summary named in the table",
        tuple(notes),
    )


def _shown(row: Any) -> float:
    return float(row["bn_usd"] if row["bn_usd"] == row["bn_usd"] else row["high_bn_usd"])


def _bn(value: float) -> str:
    return f"${numbers.plain(float(format(value, '.3g')))}bn"


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A row a programme, grouped by country, on a log axis."""
    t, own, n = tokens(look), table.reset_index(drop=True), len(table)
    fig = new_figure(
        look, height_px=look.height_px or max(260, 100 + 30 * n), margin={"l": 136 if look.phone else 290, "r": 24, "t": 20, "b": 48}
    )
    ends = own[["bn_usd", "low_bn_usd", "high_bn_usd"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(ends)) / 1.6, float(np.nanmax(ends)) * (6 if look.phone else 3.2)
    y, size = np.arange(n)[::-1], 10 if look.phone else 12
    labels = []
    for i, row in enumerate(own.to_dict("records")):
        first = i == 0 or own["country"][i - 1] != row["country"]
        if first and i:
            fig.add_shape(type="line", x0=-0.4, x1=1, xref="paper", y0=y[i] + 0.5, y1=y[i] + 0.5, line={"color": t["grid"], "width": 1})
        name = as_text(row["programme"], 20 if look.phone else 30)
        whose = row["country"] if look.phone else COUNTRIES[row["country"]]
        labels.append(f"<b>{whose}</b>  {name}" if first else name)
        tone = t["rust"] if row["rung"] == "claim" else t["blue"]
        ranged = (
            row["low_bn_usd"] == row["low_bn_usd"] and row["high_bn_usd"] == row["high_bn_usd"] and row["low_bn_usd"] < row["high_bn_usd"]
        )
        if ranged:
            fig.add_shape(
                type="line", x0=row["low_bn_usd"], x1=row["high_bn_usd"], y0=int(y[i]), y1=int(y[i]), line={"color": tone, "width": 3}
            )
        at = _shown(row)
        bound = "≥ " if row["low_bn_usd"] == at else "≤ " if row["high_bn_usd"] == at else ""
        said = f"{_bn(row['low_bn_usd'])} to {_bn(row['high_bn_usd'])}" if ranged else bound + _bn(at)
        fig.add_annotation(
            x=float(np.log10(at)), y=int(y[i]), xshift=10, xanchor="left", showarrow=False, font={"size": size, "color": tone},
            text=said if look.phone else f"{said}  <span style='color:{t['mute']}'>{as_text(row['kind'])}</span>",
        )  # fmt: skip
    tones = [t["rust"] if rung == "claim" else t["blue"] for rung in own["rung"]]
    claim, open_ = own["rung"].eq("claim").to_numpy(), own["kind"].eq("proposal").to_numpy()
    fig.add_scatter(
        x=[_shown(row) for row in own.to_dict("records")], y=y, mode="markers", cliponaxis=False,
        marker={"size": 11, "color": tones, "symbol": ["circle-open" if c else "diamond" if o else "circle" for c, o in zip(claim, open_)], "line": {"width": 2, "color": tones}},
        customdata=own[["programme", "kind", "basis", "source"]].map(as_text).to_numpy(),
        hovertemplate="%{customdata[0]}: %{x:,.3g} bn $<br>%{customdata[1]}; %{customdata[2]}<br>%{customdata[3]}<extra></extra>",
    )  # fmt: skip
    unit = "bn $ a year" if params.per == "year" else "bn $"
    fig.update_xaxes(
        range=np.log10([low, high]).tolist(), title_text=unit, **numbers.log_ticks(low, high, lambda v: f"{v:g}", 4 if look.phone else 7)
    )
    fig.update_yaxes(tickmode="array", tickvals=y, ticktext=labels, range=[-0.7, n - 0.3], showgrid=False, tickfont={"size": size})
    return fig


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The exchange and the spread over years, and every amount in its own currency with its source."""
    rows = [r for r in chips.records(chips.subsidies(snapshot)) if params.country in ("both", r["country"])]
    lines: list[FormulaLine] = []
    inputs: list[InputRow] = []
    for row in rows:
        amount = row["central"] if row["central"] == row["central"] else row["high"]
        if row["currency"] == "CNY" and len(lines) < 3:
            lines.append(worked(in_dollars, amount_bn_cny=float(amount), yuan_per_dollar=params.yuan))
        if params.per == "year" and row["years"] == row["years"] and len(lines) < 4:
            dollars = float(in_dollars(amount, params.yuan)) if row["currency"] == "CNY" else float(amount)
            lines.append(worked(amount_a_year, amount_bn_usd=dollars, years=float(row["years"])))
        span = (
            f"{numbers.plain(row['low'])} to {numbers.plain(row['high'])}"
            if row["central"] != row["central"]
            else numbers.plain(row["central"])
        )
        inputs.append(input_row(row, f"{row['programme']} ({row['kind']})", span, f"bn {row['currency']}"))
    inputs.append(assumed("Yuan per dollar", f"{params.yuan:g}", "CNY", why=RATE_WORDS if params.yuan == 7.2449 else "set by you"))
    lines = lines or [looked_up("amounts", None, "", "the rows below, in their own currency")]
    return Receipt(
        lines, inputs, ("One exchange rate for all years.", "A year's amount is an even spread."), ("No source gives an error.",)
    )


CHART = register(
    Chart(
        id="chips.subsidies",
        page="chips",
        title="Subsidies for chips and AI",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("announced", "As announced", {}, claim="E9"),
            Preset("a-year", "A year, where years are stated", {"per": "year"}, claim="E9"),
        ),
        heights=(440, 440),
    )
)
