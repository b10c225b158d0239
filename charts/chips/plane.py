"""Total processing performance against performance density, with the lines of October 2023 and each chip's outcome."""

from __future__ import annotations

import datetime
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.facts import chip_facts
from analytics.chips.metrics import PRECISION_BITS, PRECISION_NAMES, performance_density, processing_performance
from charts import numbers
from charts.chips import NOT_ADVICE, OUTCOME_WORDS
from charts.chips.names_on_plane import write_names
from charts.labels import note
from charts.look import Look
from charts.params import ChartParams, choice, day, many
from charts.receipt import Receipt, age_note, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

# 88 FR 73458 (2023-10-25), 3A090.a.1, a.2, b.1 and b.2: the corners of the regions drawn.
TPP_LINES, PD_LINES = (1600.0, 2400.0, 4800.0), (1.6, 3.2, 5.92)
X_RANGE, Y_RANGE = (700.0, 320_000.0), (1.45, 50.0)
SHOWN = {"all": "All chips", "china": "Sold to China", "nvidia": "NVIDIA", "amd": "AMD", "chinese": "Chinese makers"}
EARLIER = "The shaded regions are those of 17 Nov 2023; before that day the test was I/O of 600 GB/s and 4,800 together."
CHINESE = ("Huawei", "Cambricon", "Biren", "MetaX", "Hygon", "Moore Threads", "Baidu Kunlunxin", "Alibaba T-Head")


class Params(ChartParams):
    """Which day, which destination, which chips."""

    on: datetime.date = day(
        datetime.date(2023, 11, 17), label="On", help="day asked about; the lines of October 2023 bind from 17 Nov 2023"
    )
    dest: Literal["CN", "HK", "MO", "RU", "AE", "SA", "IN", "MY", "SG", "VN", "JP", "DE", "US"] = choice(
        "CN", label="Destination", help="where the chip would go", labels=chips.DESTINATIONS
    )
    show: Literal["all", "china", "nvidia", "amd", "chinese"] = choice("all", label="Chips", help="which chips are drawn", labels=SHOWN)
    named: tuple[str, ...] = many((), label="Named", help="chips named in front; empty names those cut down for China", most=40)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a chip with a known TPP: tpp, pd (NaN without a published die area), outcome and the clause that decides."""
    rows = chips.measured(snapshot)
    unknown = sorted(set(params.named) - set(rows["chip_id"]))
    if unknown:
        raise ValueError(
            f"named holds {', '.join(unknown)}: ids of the chips table such as {', '.join(rows['chip_id'].head(3))} are accepted"
        )
    rows = rows[rows["tpp"].notna() & _shown(rows, params.show)]
    book = chips.rule_book(snapshot)
    outcome, clause = [], []
    for row in chips.records(rows):
        answer = book.evaluate(chip_facts(row), dest=params.dest, date=params.on.isoformat())
        outcome.append(answer.outcome)
        clause.append(answer.deciding.rule.rule_id if answer.deciding else "")
    front = set(params.named) or set(rows.loc[rows["china_variant_of"].notna(), "chip_id"])
    out = pd.DataFrame(
        {
            "chip_id": rows["chip_id"], "name": rows["name"], "vendor": rows["vendor"], "tpp": rows["tpp"], "pd_per_mm2": rows["pd"],
            "die_area_mm2": rows["die_area_mm2"], "consumer": rows["marketing"].eq("not datacenter"), "outcome": outcome, "clause": clause,
            "front": rows["chip_id"].isin(front), "rung": rows["rung"], "source": rows["source"],
        }
    ).sort_values("tpp", kind="stable", ignore_index=True)  # fmt: skip
    out.attrs = {"on": params.on.isoformat(), "dest": params.dest, "today": snapshot.today.isoformat()}
    return out


def _shown(rows: pd.DataFrame, show: str) -> pd.Series:
    if show == "china":
        return rows["china_variant_of"].notna() | rows["market"].eq("china")
    if show == "chinese":
        return rows["vendor"].isin(CHINESE)
    return rows["vendor"].str.upper().eq(show.upper()) if show in ("nvidia", "amd") else pd.Series(True, index=rows.index)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding and how to read the marks, from the table."""
    where, on = chips.DESTINATIONS[params.dest], numbers.date(params.on)
    if table.empty:
        return Words(
            "No chip of this choice has a published rate", empty="None of these chips has a published dense rate.", way_out={"show": "all"}
        )
    open_, near = table[table["outcome"] == "no_clause_met"], table[(table["tpp"] < 4800) & (table["tpp"] >= 4800 * 0.95)]
    strong = open_[~open_["consumer"]] if (~open_["consumer"]).any() else open_
    largest = strong.sort_values("tpp").iloc[-1] if len(strong) else None
    finding = (
        f"Every chip drawn meets a clause {where} on {on}, or its answer is not known"
        if largest is None
        else f"{_many(len(open_), 'chip meets', 'chips meet')} no clause {where} on {on}; "
        f"the strongest for data centres is {largest['name']} at {numbers.plain(round(largest['tpp']))} TPP"
    )
    without = int(table["pd_per_mm2"].isna().sum())
    subtitle = (
        f"Total processing performance against performance density, log scales. {len(table)} chips"
        + (f"; {without} without a published die area stand in the strip below. " if without else ". ")
        + "Large marks: chips cut down for China or named; squares: consumer chips, under another clause; hollow: an outcome that is not known."
    )
    counts = table["outcome"].value_counts()
    alt = "Scatter of chips. " + "; ".join(f"{OUTCOME_WORDS[str(o)]}: {n}" for o, n in counts.items()) + f". {finding}."
    notes = (
        NOT_ADVICE,
        *([EARLIER] if params.on < datetime.date(2023, 11, 17) else []),
        *([f"Just short of 4,800: {numbers.listed(near['name'])}."] if len(near) else []),
    )
    return Words(
        finding,
        subtitle,
        alt,
        f"{len(table)} of the chips in the table have a published dense rate.",
        "15 CFR 774, 88 FR 73458; datasheets",
        notes,
    )


def _many(n: int, one: str, more: str) -> str:
    return f"{numbers.in_words(n).capitalize()} {one if n == 1 else more}"


def _ranges(table: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """The axes' ends: those of the rule's own region, widened where a chip lies outside them."""
    x, y = table["tpp"][table["tpp"] > 0], table["pd_per_mm2"][table["pd_per_mm2"] > 0]
    return tuple(
        (min(low, float(v.min()) * 0.8), max(high, float(v.max()) * 1.25)) if len(v) else (low, high)
        for v, (low, high) in ((x, X_RANGE), (y, Y_RANGE))
    )  # type: ignore[return-value]


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """The plane with its regions, and a strip for chips whose density nobody can compute."""
    t, height = tokens(look), look.height(620, 470)
    margin = {"l": 58 if not look.phone else 44, "r": 18, "t": 30, "b": 56}
    fig = new_figure(look, height_px=height, margin=margin)
    split, (x_range, y_range) = 0.2, _ranges(table)
    fig.update_layout(
        xaxis=numbers.log_ticks(1000, 200_000, lambda v: numbers.count(v), 7)
        | {"range": np.log10(x_range).tolist(), "anchor": "free", "position": 0.0},
        yaxis={"type": "log", "range": np.log10(y_range).tolist(), "domain": [split, 1], "tickmode": "array", "tickvals": [*PD_LINES, 10, 20, 50],
               "ticktext": [f"<b>{v:g}</b>" for v in PD_LINES] + ["10", "20", "50"]},
        yaxis2={"domain": [0.02, split - 0.06], "range": [0, 1], "showgrid": False, "showticklabels": False, "fixedrange": True},
    )  # fmt: skip
    ticks = fig.layout.xaxis
    kept = [(v, x) for v, x in zip(ticks.tickvals, ticks.ticktext) if v > 6000 or v < 1200]
    if look.phone:
        kept = [(v, x) for v, x in kept if v > 9000]
    lines = [(v, f"<b>{v:,.0f}</b>") for v in ((1600.0, 4800.0) if look.phone else TPP_LINES)]
    fig.update_xaxes(tickvals=[v for v, _ in [*lines, *kept]], ticktext=[x for _, x in [*lines, *kept]])
    fig.update_xaxes(title_text="Total processing performance, TPP (TOPS × bit length, dense)" if not look.phone else "TPP")
    _regions(fig, t, x_range, y_range)
    fig.add_annotation(x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom", yshift=6, showarrow=False,
                       text="Performance density, TPP per mm² of die", font={"size": 12 if not look.phone else 10.5, "color": t["mute"]})  # fmt: skip
    _points(fig, table, look, t)
    _named(fig, table, look, (x_range, y_range), margin, height, split)
    note(
        fig,
        look,
        "licence, presumption of denial" if not look.phone else "licence",
        x=1,
        y=1,
        xref="paper",
        yref="paper",
        xanchor="right",
        yanchor="top",
        font={"size": 11.5, "color": t["denial"]},
    )
    note(
        fig,
        look,
        "notification (NAC)" if not look.phone else "NAC",
        x=np.log10(2500),
        y=np.log10(1.72),
        xanchor="left",
        font={"size": 11, "color": t["notice"]},
    )
    note(
        fig,
        look,
        "die area not published: only the TPP lines can be tested",
        x=0,
        y=split - 0.055,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        font={"size": 10.5, "color": t["mute"]},
    )
    return fig


def _regions(fig: go.Figure, t: dict[str, str], x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
    (bottom, top), right = y_range, x_range[1]
    fig.add_shape(type="rect", x0=4800, x1=right, y0=bottom, y1=top, fillcolor=t["tint_denial"], line_width=0, layer="below")
    fig.add_shape(type="rect", x0=1600, x1=4800, y0=5.92, y1=top, fillcolor=t["tint_denial"], line_width=0, layer="below")
    fig.add_shape(type="rect", x0=2400, x1=4800, y0=1.6, y1=5.92, fillcolor=t["tint_notice"], line_width=0, layer="below")
    fig.add_shape(type="rect", x0=1600, x1=2400, y0=3.2, y1=5.92, fillcolor=t["tint_notice"], line_width=0, layer="below")
    for x in TPP_LINES:
        fig.add_shape(
            type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line={"color": t["axis"], "width": 1, "dash": "2px,3px"}, layer="below"
        )


def _points(fig: go.Figure, table: pd.DataFrame, look: Look, t: dict[str, str]) -> None:
    inside = table["pd_per_mm2"].notna()
    for mask, axis in ((inside, "y"), (~inside, "y2")):
        for front in (False, True):
            own = table[mask & (table["front"] == front)]
            if own.empty:
                continue
            tone = t["blue"] if front else t["point"]
            symbol = [("square" if c else "circle") + ("-open" if o == "unknown" else "") for c, o in zip(own["consumer"], own["outcome"])]
            fig.add_scatter(
                x=own["tpp"], y=own["pd_per_mm2"] if axis == "y" else np.full(len(own), 0.5), yaxis=axis, mode="markers", cliponaxis=False,
                marker={"size": (8 if look.phone else 10) if front else (5 if look.phone else 6), "symbol": symbol, "color": tone, "line": {"color": tone, "width": 1.5}},
                customdata=np.column_stack([own["chip_id"], [as_text(n) for n in own["name"]], [OUTCOME_WORDS[o] for o in own["outcome"]], own["clause"],
                                            ["unknown" if p != p else f"{p:.3g}" for p in own["pd_per_mm2"]]]),
                hovertemplate="%{customdata[1]}<br>TPP %{x:,.0f} · density %{customdata[4]}<br>%{customdata[2]} %{customdata[3]}<extra></extra>",
            )  # fmt: skip


def _named(
    fig: go.Figure,
    table: pd.DataFrame,
    look: Look,
    ranges: tuple[tuple[float, float], tuple[float, float]],
    margin: dict[str, int],
    height: int,
    split: float,
) -> None:
    """Names beside the chips in front, and beside as many others as find room."""
    own = table[table["pd_per_mm2"].notna()].reset_index(drop=True)
    if own.empty:
        return
    w, h = look.width_px - margin["l"] - margin["r"], (height - margin["t"] - margin["b"]) * (1 - split)
    (x0, x1), (y0, y1) = (np.log10(r) for r in ranges)
    points = [((np.log10(a) - x0) / (x1 - x0) * w, (1 - (np.log10(b) - y0) / (y1 - y0)) * h) for a, b in zip(own["tpp"], own["pd_per_mm2"])]
    front = [i for i, f in enumerate(own["front"]) if f]
    wanted = front if look.phone else [*front, *[i for i in range(len(own)) if i not in front][::2]]
    at = list(zip(np.log10(own["tpp"]), np.log10(own["pd_per_mm2"])))
    notes = [(w - 70, 8.0, "licence, presumption")] if not look.phone else [(w - 20, 8.0, "licence")]
    nac = ((np.log10(2500) - x0) / (x1 - x0) * w, (1 - (np.log10(1.72) - y0) / (y1 - y0)) * h)
    notes.append((nac[0] + (50 if not look.phone else 12), nac[1], "notification (NAC)" if not look.phone else "NAC"))
    write_names(fig, look, at, points, list(own["name"]), list(own["front"]), wanted, len(front), (w, h), notes)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """How TPP and density of the strongest chip that meets no clause come about (H20 where it is drawn)."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=(NOT_ADVICE,))
    open_ = shown[shown["outcome"] == "no_clause_met"]
    pick = "h20" if "h20" in set(shown["chip_id"]) else str((open_ if len(open_) else shown)["chip_id"].iloc[-1])
    measured = chips.measured(snapshot)
    row = measured[measured["chip_id"] == pick].iloc[0]
    formulas = [worked(processing_performance, dense_tops=float(row[row["lead"]]), bit_length=PRECISION_BITS[row["lead"]])]
    inputs = [input_row(row, f"{row['name']}, {PRECISION_NAMES[row['lead']]} dense", numbers.plain(row[row["lead"]]), "TOPS")]
    if row["pd"] == row["pd"]:
        formulas.append(worked(performance_density, tpp=float(row["tpp"]), applicable_die_area_mm2=float(row["die_area_mm2"])))
        inputs.append(input_row(row, "Applicable die area", numbers.plain(row["die_area_mm2"]), "mm²"))
    own = shown[shown["chip_id"] == pick].iloc[0]
    formulas.append(
        looked_up(
            f"{row['name']}: {OUTCOME_WORDS[own['outcome']]}", None, "", own["clause"] or "every rule in force, none of which applies"
        )
    )
    rules = snapshot.table("export_rules")
    for rule_id in ("2023-10-3A090.a.1", "2023-10-3A090.a.2", "2023-10-3A090.b.1", "2023-10-3A090.b.2"):
        for _, rule in rules[rules["rule_id"] == rule_id].iterrows():
            inputs.append(input_row(rule, rule["eccn"] or rule_id, rule["expr"], as_of="announced_date"))
    assumptions = (
        "TPP is the largest dense rate × bit length over precisions, TF32 left out; density needs a published die area.",
        NOT_ADVICE,
    )
    error = (
        "A rate or an area that a vendor has not published moves a chip; nothing is guessed.",
        age_note([row["as_of"]], snapshot.today),
    )
    return Receipt(formulas, inputs, assumptions, tuple(e for e in error if e))


CHART = register(
    Chart(
        id="chips.plane",
        page="chips",
        title="TPP and performance density",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"named": chips.names},
        presets=(
            Preset("october-2023", "The lines of October 2023", {}, claim="E3"),
            Preset("october-2022", "Before: November 2022", {"on": "2022-11-15"}, claim="E2"),
            Preset("january-2026", "After January 2026", {"on": "2026-02-01"}),
            Preset("ascend", "Chinese makers", {"show": "chinese"}, claim="E10"),
        ),
        heights=(620, 470),
    )
)
