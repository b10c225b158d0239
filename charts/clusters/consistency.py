"""Do the stored figures of each cluster fit each other: watts and dollars a chip, dollars a megawatt, site over IT power."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.clusters import consistency as rule
from analytics.clusters.money import capital_per_chip_usd
from analytics.clusters.power import power_per_chip_w
from charts import numbers
from charts import params as ask
from charts.clusters.choices import with_facts
from charts.clusters.power_figure import short_name
from charts.labels import place
from charts.look import Look
from charts.params import ChartParams, choice, flag, many
from charts.receipt import FormulaLine, Receipt, age_note, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import halo, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data import consistency
from data.queries import chips, cluster_files, clusters
from data.snapshot import Snapshot

ROW_PX = 34
_NO_NAME = {"": "no chip named", "unknown": "chip not known", "none": "no chip", "mixed": "several kinds"}
# What is drawn: IT and site power a chip stand in one picture, the latter as squares.
SHOWN = {"power": ("power_per_chip_w", "site_power_per_chip_w")} | {
    name: (name,) for name in rule.RATIOS if "power_per_chip" not in name and name != "pue"
}
SHOWN["pue"] = ("pue",)
LABELS = {"power": "Watts a chip"} | {name: rule.RATIOS[name].label for name in SHOWN if name != "power"}
_KEPT = ["cluster_id", "name", "phase", "source", "as_of", "chip_id", "rung", "source_url", "single_source", "not_reread"]
MOST_MARKS, MOST_NAMES = 400, 60
_FIGURES = ["chip_count", "power_mw", "site_power_mw", "capex_usd", "h100e"]


class Params(ChartParams):
    """Which ratio, of which clusters."""

    ratio: Literal["power", "power_over_rated", "capex_per_chip_usd", "capex_per_mw_usd", "pue", "h100e_per_chip"] = choice(
        "power", label="Ratio", help="what two figures of one cluster imply", labels=LABELS
    )
    odd: bool = flag(
        False, label="Only questioned", help="only clusters with a figure outside its usual range or unlike others of the chip"
    )
    chips: tuple[str, ...] = many((), label="Chip", help="only clusters of these chips")
    find: str = ask.words("", label="Find", help="only clusters whose name has these letters", most=80)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a testimony with the ratio: cluster, chip, value, level (IT, site), the question it raises ("" for none)."""
    every, others = cluster_files.implied_by_all(snapshot)
    found = consistency.asked_of_all(every, others)
    asked = [
        f"{every['name'].iloc[place]}, {clusters.short_source(every['source'].iloc[place])}: {sentence}"
        for place, said in found.items()
        for sentence in said.values()
    ]
    wanted = every["name"].astype(str).str.casefold().str.contains(params.find.strip().casefold(), regex=False)
    if params.chips:
        wanted &= every["chip_id"].isin(params.chips)
    parts = []
    for name in SHOWN[params.ratio]:
        places = np.flatnonzero(wanted & every[name].notna())
        said = [found.get(int(place), {}).get(name, "") for place in places]
        own = every.iloc[places][[*_KEPT, *_FIGURES]].astype(dict.fromkeys(_FIGURES, float))
        parts.append(own.assign(ratio=name, value=every[name].to_numpy(float)[places], question=said, place=places))
    frame = pd.concat(parts).sort_values("place", kind="stable", ignore_index=True).drop(columns="place")
    if params.odd:
        frame = frame[frame["question"] != ""].reset_index(drop=True)
    middle = frame.groupby("chip_id")["value"].transform("median") if len(frame) else frame["value"]
    frame = frame.assign(middle=middle).sort_values(["middle", "chip_id", "value", "name"], kind="stable", ignore_index=True)
    names = chips.names(snapshot)
    whole = {name: int(every[name].notna().sum()) for name in rule.RATIOS}
    facts = {
        "matching": len(frame), "questioned": int((frame["question"] != "").sum()), "sites": int(frame["cluster_id"].nunique()),
        "testimonies": len(every), "asked": list(dict.fromkeys(asked)), "counts": whole,
        "names": {c: _NO_NAME.get(c) or names.get(c, c).split(" (")[0] for c in frame["chip_id"].unique()},
    }  # fmt: skip
    return with_facts(_few(frame.drop(columns="middle")), facts)


def _few(frame: pd.DataFrame) -> pd.DataFrame:
    """At most MOST_MARKS rows of a frame in the order of chip and value: the ends of each chip, questioned ones, then evenly the rest."""
    if len(frame) <= MOST_MARKS:
        return frame
    chip, count = frame["chip_id"], len(frame)
    first, last = ~chip.duplicated(), ~chip.duplicated(keep="last")
    rank = np.where(first | last, 0, np.where(frame["question"] != "", 1, 2))
    order = np.argsort(rank, kind="stable")
    kept: list[int] = []
    for group in range(3):
        own = order[rank[order] == group]
        room = MOST_MARKS - len(kept)
        kept += own.tolist() if len(own) <= room else own[np.linspace(0, len(own) - 1, room).astype(int)].tolist()
    assert len(kept) <= MOST_MARKS < count
    return frame.iloc[sorted(kept)].reset_index(drop=True)


def _range(params: Params) -> rule.Ratio:
    return rule.RATIOS[SHOWN[params.ratio][0]]


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: how many give the figures, how many are questioned, and the first question."""
    a, r = table.attrs, _range(params)
    filtered = bool(params.chips or params.find.strip() or params.odd)
    if table.empty:
        said = f"No cluster here gives two figures of its own that imply {LABELS[params.ratio].lower()}"
        said = f"No such figure is questioned: {said[0].lower()}{said[1:]} outside its range" if params.odd else said
        return Words(said, empty=said + ".", way_out={"odd": False, "chips": [], "find": ""} if filtered else {"ratio": "power"})
    odd = table[table["question"] != ""]
    spread = f"{r.write(table['value'].min())} to {r.written(table['value'].max())}"
    if len(odd):
        first = odd.iloc[-1]
        verb = "is" if a["questioned"] == 1 else "are"
        finding = f"{numbers.in_words(a['questioned']).capitalize()} of {a['matching']:,} testimonies {verb} questioned: "
        finding += f"{first['name']} {first['question']}"
    elif a["matching"] == 1:
        finding = (
            f"{table['name'].iloc[0]} implies {r.written(table['value'].iloc[0])}, within the usual {r.write(r.low)} to {r.write(r.high)}"
        )
    else:
        finding = f"None of {a['matching']:,} testimonies about {a['sites']:,} clusters is questioned: {spread}"
    square = " Squares: site power, where no IT power is given." if params.ratio == "power" else ""
    subtitle = (
        f"{LABELS[params.ratio]} from figures a source gave itself, log scale, by chip. Shaded: the usual {r.write(r.low)} to {r.written(r.high)}; "
        f"large and named: questioned.{square} A click opens the cluster's file."
    )
    notes = [f"{said}." for said in a["asked"][:6]]
    if len(a["asked"]) > 6:
        notes.append(f"{len(a['asked']) - 6} more questions are in the other ratios and in the clusters' files.")
    notes.append(
        f"Also questioned: a figure more than a tenth outside what at least {rule.PEERS} other clusters of its chip show. "
        "These are reading rules of this product, not a source's."
    )
    if a["matching"] > len(table):
        notes.append(f"{len(table):,} of {a['matching']:,} dots are drawn: the ends of each chip, questioned ones, and evenly of the rest.")
    total = sum(a["counts"][name] for name in SHOWN[params.ratio])
    coverage = f"{total} of {a['testimonies']} testimonies give both figures themselves; figures derived from another take no part."
    alt = f"Dots by chip: {spread}. {finding}."
    return Words(
        finding, subtitle, alt, coverage, numbers.listed(dict.fromkeys(map(clusters.short_source, table["source"])), 3), tuple(notes)
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A row a chip, a dot a testimony, the usual range shaded, questioned ones large and named."""
    t, r = tokens(look), _range(params)
    rows = list(dict.fromkeys(table["chip_id"]))
    height = max(110 + ROW_PX * len(rows), 200) if not look.card else look.height()
    fig = new_figure(look, height_px=height)
    if table.empty:
        return fig
    margin = {"l": 108 if look.phone else 190, "r": 18, "t": 34, "b": 44}
    low, high = min(table["value"].min(), r.low) * 0.8, max(table["value"].max(), r.high) * 1.25
    fig.update_layout(margin=margin)
    ticks = numbers.log_ticks(low, high, r.write, most=4 if look.phone else 8)
    unit = (
        "W" if params.ratio == "power" else "USD" if r.write(1e6).startswith("$") else "H100e" if params.ratio == "h100e_per_chip" else "×"
    )
    title = f"{'Power a chip' if params.ratio == 'power' else LABELS[params.ratio]} ({unit})"
    fig.update_xaxes(range=[math.log10(low), math.log10(high)], title_text=title, showgrid=True, gridcolor=t["grid"], tickangle=0, **ticks)
    names = [as_text(table.attrs["names"][c], 15 if look.phone else 28) for c in rows]
    fig.update_yaxes(tickmode="array", tickvals=list(range(len(rows))), ticktext=names, range=[len(rows) - 0.4, -0.6])
    fig.add_vrect(x0=r.low, x1=r.high, fillcolor=t["zone"], line_width=0, layer="below")
    y = [float(rows.index(c)) for c in table["chip_id"]]
    odd = (table["question"] != "").to_numpy()
    fig.add_scatter(
        x=table["value"], y=y, mode="markers", cliponaxis=False, customdata=table["cluster_id"].tolist(),
        text=[_hover(row) for row in table.to_dict("records")], hovertemplate="%{text}<extra></extra>",
        marker={
            "size": [12 if o else 9 for o in odd], "symbol": ["square" if n.startswith("site") else "circle" for n in table["ratio"]],
            "color": [t["rust"] if o else t["page"] if g not in ("primary", "reported") else t["blue"] for o, g in zip(odd, table["rung"])],
            "line": {"color": [t["rust"] if o else t["blue"] for o in odd], "width": 1.7},
        },
    )  # fmt: skip
    told = table if len(table) <= (0 if look.phone else 24) else table[odd].head(MOST_NAMES) if odd.any() else table.iloc[[0, -1]]
    told = told.drop_duplicates(["cluster_id", "value"])
    plot = (look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
    span = math.log10(high / low)

    def pixel(value: Any, row: Any) -> tuple[float, float]:
        return math.log10(value / low) / span * plot[0], (row + 0.6) / (len(rows) + 0.2) * plot[1]

    level = {c: float(i) for i, c in enumerate(rows)}
    at = [pixel(v, level[c]) for v, c in zip(told["value"], told["chip_id"])]
    texts = [f"{as_text(short_name(str(n)), 18 if look.phone else 30)} {r.write(v)}" for n, v in zip(told["name"], told["value"])]
    others = [pixel(v, w) for v, w in zip(table["value"], y)]
    size = 10.5 if look.phone else 12
    notes = []
    for row, text, spot in zip(chips.records(told), texts, place(at, texts, size, (0, -20, *plot), obstacles=others)):
        if spot is not None:
            font = {"size": size, "color": t["rust"] if row["question"] else t["mute"], "shadow": halo(look.theme)}
            notes.append(
                {
                    "x": math.log10(row["value"]),
                    "y": level[row["chip_id"]],
                    "text": text,
                    "showarrow": False,
                    "xshift": spot.dx,
                    "yshift": -spot.dy,
                    "font": font,
                }
            )
    fig.update_layout(annotations=[*fig.layout.annotations, *notes])
    return fig


def _hover(row: dict[Any, Any]) -> str:
    r = rule.RATIOS[row["ratio"]]
    said = f"{as_text(row['name'])}, {as_text(row['phase'])}: {r.written(row['value'])}<br>{as_text(clusters.short_source(row['source']))}, {numbers.date(row['as_of'])}"
    return said + (f"<br>{as_text(row['question'], 200)}" if row["question"] else "")


def _worked(row: dict[Any, Any], rated_w: float) -> FormulaLine:
    """The ratio of one row with its figures."""
    name = row["ratio"]
    if name == "power_per_chip_w":
        return worked(power_per_chip_w, it_power_mw=row["power_mw"], chip_count=row["chip_count"])
    if name == "power_over_rated" and rated_w == rated_w:
        return worked(rule.power_over_rated, it_power_mw=row["power_mw"], chip_count=row["chip_count"], rated_w=rated_w)
    if name == "capex_per_chip_usd":
        return worked(capital_per_chip_usd, capex_usd=row["capex_usd"], chip_count=row["chip_count"])
    r = rule.RATIOS[name]
    return looked_up(
        f"{r.label}, {row['name']}",
        row["value"],
        ("USD " if r.write(1e6).startswith("$") else "") + r.unit,
        "the quotient of the two figures below",
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The figures of every questioned cluster and of the extremes, with their sources."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No cluster gives both figures itself.",))
    odd = shown[shown["question"] != ""]
    told = odd if len(odd) else shown.iloc[[0, -1]].drop_duplicates(["cluster_id", "value"])
    rated = snapshot.table("chips").drop_duplicates("chip_id").set_index("chip_id")["tdp_w"]
    lines, inputs = [], []
    for row in chips.records(told.head(8)):
        lines.append(_worked(row, float(rated.get(row["chip_id"], float("nan")))))
        figures = [
            f"{row['chip_count']:,.0f} chips" if row["chip_count"] == row["chip_count"] else "",
            f"{row['power_mw']:g} MW of IT" if row["power_mw"] == row["power_mw"] else "",
            f"{row['site_power_mw']:g} MW at the site" if row["site_power_mw"] == row["site_power_mw"] else "",
            numbers.dollars(row["capex_usd"]) if row["capex_usd"] == row["capex_usd"] else "",
            f"{row['h100e']:,.0f} H100e" if row["h100e"] == row["h100e"] else "",
        ]
        inputs.append(input_row(row, f"{row['name']}, {row['phase']}", ", ".join(f for f in figures if f)))
    rules = tuple(
        f"{r.label}: usual {r.write(r.low)} to {r.written(r.high)}, a reading rule of this product." for r in rule.RATIOS.values()
    )
    errors = ("A ratio is as good as its two figures; a question is no error of either.", age_note(told["as_of"].tolist(), snapshot.today))
    return Receipt(lines, inputs, rules, errors)


def _chips(snapshot: Snapshot) -> dict[str, str]:
    return chips.names(snapshot) | {"mixed": "several kinds"}


CHART = register(
    Chart(
        id="clusters.consistency",
        page="clusters",
        title="Do figures fit each other",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"chips": _chips},
        presets=(
            Preset("watts", "Watts a chip", {}, claim="C4"),
            Preset("capital", "Capital a chip", {"ratio": "capex_per_chip_usd"}, claim="C2"),
            Preset("per-mw", "Capital per MW", {"ratio": "capex_per_mw_usd"}),
            Preset("meta", "Meta's 128,000 chips", {"find": "meta"}, claim="C4"),
        ),
        heights=(460, 420),
    )
)
