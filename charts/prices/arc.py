"""ARC-AGI: cost of a task against score, with one run's two published costs side by side."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.tasks import cost_frontier, cost_per_solved_usd, marginal_cost_per_solved_usd, tokens_per_sample
from charts.labels import text_width
from charts.look import Look
from charts.numbers import date, dollars, log_ticks, share
from charts.params import ChartParams, choice, flag
from charts.prices.draw import Frame, name_points, round_dollars, stepped, y_unit
from charts.receipt import Receipt, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import halo, tokens
from charts.text import as_text
from charts.words import Words
from data.queries.tasks import arc_runs
from data.snapshot import Snapshot

SETS = {
    "ARC-AGI-1 semi-private": "ARC-AGI-1, semi-private",
    "ARC-AGI-2 semi-private": "ARC-AGI-2, semi-private",
    "ARC-AGI-1 public eval": "ARC-AGI-1, public",
}
FIRST = "o3-preview (high efficiency)"
SECOND = "o3-preview (low efficiency, 172x)"
CREDIT = "ARC Prize, leaderboard of 4 June 2026 and o3 report of 20 December 2024"


class Params(ChartParams):
    """State of the chart."""

    dataset: Literal["ARC-AGI-1 semi-private", "ARC-AGI-2 semi-private", "ARC-AGI-1 public eval"] = choice(
        "ARC-AGI-1 semi-private", label="Test", help="Set of puzzles.", labels=SETS
    )
    humans: bool = flag(True, label="People", help="Show the panels of people for comparison.")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a system: cost per task, score, cost per solved task, and along the frontier what each further task solved costs."""
    rows = arc_runs(snapshot, params.dataset)
    people = rows["system_type"].eq("Human")
    if not params.humans:
        rows, people = rows[~people], people[~people]
    rows = rows.assign(person=people)
    rows = rows[rows["usd_per_task"].notna() & (rows["usd_per_task"] > 0) & rows["score"].notna()].reset_index(drop=True)
    usual = rows[~rows["person"] & ~rows["implied"] & ~rows["restated"]]
    chosen = usual.index[cost_frontier(usual["usd_per_task"], usual["score"])]
    rows["frontier"] = rows.index.isin(chosen)
    rows["usd_per_solved"] = cost_per_solved_usd(rows["usd_per_task"], rows["score"].where(rows["score"] > 0))
    line = rows.loc[chosen].sort_values("usd_per_task", kind="stable")
    step = marginal_cost_per_solved_usd(line["usd_per_task"].shift(), line["score"].shift(), line["usd_per_task"], line["score"])
    rows["usd_per_further_solved"] = step.reindex(rows.index)
    kept = ["system", "developer", "system_type", "usd_per_task", "score", "usd_per_solved", "usd_per_further_solved", "frontier", "person",
            "implied", "restated", "samples_per_task", "n_tasks", "tokens_total", "total_cost_usd", "as_of", "rung", "single_source",
            "not_reread", "source", "source_url", "note"]  # fmt: skip
    out = rows[kept].sort_values("usd_per_task", kind="stable", ignore_index=True)
    found = out.set_index("system")
    out.attrs = {"dataset": SETS[params.dataset]}
    if FIRST in found.index and SECOND in found.index:
        a, b = (found.loc[[name]].iloc[0] for name in (FIRST, SECOND))
        out.attrs["pair"] = {
            "first_usd": float(a["usd_per_task"]),
            "second_usd": float(b["usd_per_task"]),
            "first_score": float(a["score"]),
            "second_score": float(b["score"]),
            "samples": [float(a["samples_per_task"]), float(b["samples_per_task"])],
            "further_usd": float(marginal_cost_per_solved_usd(a["usd_per_task"], a["score"], b["usd_per_task"], b["score"])),
            "restated_usd": [float(v) for v in out[out["restated"]]["usd_per_task"]],
        }
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Cost across (log), score up; frontier as steps; the restated run joined by a bracket; hollow: implied or people."""
    t = tokens(look)
    low, high = (table["usd_per_task"].min() / 1.6, table["usd_per_task"].max() * 2) if len(table) else (0.01, 100.0)
    frame = Frame(look, look.height(500, 440), 52 if not look.phone else 42, 24, 28, 52, (low, high), (0, 1.03), x_log=True)
    out = frame.figure()
    y_unit(out, frame, "score")
    out.update_xaxes(**log_ticks(low, high, round_dollars, 5 if look.phone else 11), title_text="$ per task")
    out.update_yaxes(tickformat=".0%", title_text=None)
    best = table[table["frontier"]]
    out.add_scatter(
        x=best["usd_per_task"], y=best["score"], mode="lines", line={"shape": "hv", "color": t["ink"], "width": 1.4}, hoverinfo="skip"
    )
    usual = table[~table["person"] & ~table["implied"] & ~table["restated"] & ~table["system"].eq(FIRST)]
    out.add_scatter(
        x=usual["usd_per_task"], y=usual["score"], mode="markers",
        marker={
            "size": [8 if f else 5.5 for f in usual["frontier"]], "color": [t["ink"] if f else t["dot"] for f in usual["frontier"]],
            "opacity": 1, "line": {"width": 0},
        },
        text=[_hover(r) for r in usual.to_dict("records")], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    people = table[table["person"]]
    out.add_scatter(
        x=people["usd_per_task"], y=people["score"], mode="markers", marker={"symbol": "square-open", "size": 10, "color": t["green"]},
        text=[_hover(r) for r in people.to_dict("records")], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    special = table[table["system"].isin([FIRST, SECOND]) | table["restated"]]
    if len(special):
        _special(out, special, t, look)
    reserved = _covered(special, frame, look)
    named = pd.concat([best.iloc[:0] if look.phone and len(special) else best.iloc[::-2], people.iloc[:0] if look.phone else people])
    texts = [as_text(name, 24) for name in named["system"]]
    inks = [t["green"] if person else t["ink"] for person in named["person"]]
    dots = np.vstack(
        [
            frame.pixels(table["usd_per_task"].tolist(), table["score"].tolist()),
            stepped(frame, best["usd_per_task"], best["score"]),
            *reserved,
        ]
    )
    name_points(out, frame, named["usd_per_task"].tolist(), named["score"].tolist(), texts, colors=inks, obstacles=dots)
    return out


def _covered(rows: pd.DataFrame, frame: Frame, look: Look) -> list[np.ndarray]:
    """Pixel positions along the names of o3's records, which other names keep off."""
    size, covered = (10.5 if look.phone else 12), []
    for r in rows.to_dict("records"):
        text, where = _label(r, look)
        wide = text_width(text, size)
        x, y = frame.pixels([r["usd_per_task"]], [r["score"]])[0] + [where.get("xshift", 0), -where.get("yshift", 0)]
        left = x - {"left": 0.0, "center": wide / 2, "right": wide}[where["xanchor"]]
        across = np.linspace(left, left + wide, max(2, int(wide / 12)))
        covered.append(np.column_stack([across, np.full(across.size, y)]))
    return covered


def _special(out: go.Figure, rows: pd.DataFrame, t: dict[str, str], look: Look) -> None:
    same = rows[~rows["implied"]].sort_values("usd_per_task", kind="stable")
    if len(same) > 1:
        ends = [float(same["usd_per_task"].iloc[0]), float(same["usd_per_task"].iloc[-1])]
        height = float(same["score"].iloc[0])
        out.add_scatter(x=ends, y=[height, height], mode="lines", line={"color": t["rust"], "width": 1.2}, hoverinfo="skip")
        out.add_annotation(
            x=float(np.log10(ends).mean()), y=height, yshift=9, text=f"{ends[1] / ends[0]:.3g}×", showarrow=False,
            font={"size": 11, "color": t["rust"], "shadow": halo(look.theme)},
        )  # fmt: skip
    faces = [t["page"] if implied else t["rust"] for implied in rows["implied"]]
    marks = {"size": 10, "color": faces, "line": {"width": 2, "color": t["rust"]}, "opacity": 1}
    hover = [_hover(r) for r in rows.to_dict("records")]
    out.add_scatter(
        x=rows["usd_per_task"], y=rows["score"], mode="markers", marker=marks, text=hover, hovertemplate="%{text}<extra></extra>"
    )
    for r in rows.to_dict("records"):
        text, where = _label(r, look)
        font = {"size": 10.5 if look.phone else 12, "color": t["rust"], "shadow": halo(look.theme)}
        out.add_annotation(x=float(np.log10(r["usd_per_task"])), y=r["score"], text=text, showarrow=False, font=font, **where)


def _label(r: dict, look: Look) -> tuple[str, dict]:
    """What one of o3's records is called, and where that stands: the first below it, the restated beside it."""
    if r["restated"]:
        text = f"{'restated' if look.phone else 'the same run, restated'}: <b>{dollars(r['usd_per_task'])}</b>"
        return text, {"xanchor": "center", "yshift": 22} if look.phone else {"xanchor": "left", "xshift": 10}
    text = f"o3, {r['samples_per_task']:,.0f} samples <b>{dollars(r['usd_per_task'])}</b>"
    if r["implied"]:
        return text, {"xanchor": "right", "xshift": 10, "yshift": 16} if look.phone else {"xanchor": "right", "xshift": -10}
    return text, {"xanchor": "center", "yshift": -16}


def _hover(r: dict) -> str:
    head = f"<b>{as_text(r['system'])}</b><br>{share(r['score'])} at {dollars(r['usd_per_task'])} a task"
    return f"{head}<br>{date(r['as_of'])} {as_text(r['note'], 90)}"


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    f = table.attrs
    best = table[table["frontier"]]
    pair = f.get("pair")
    if pair and pair["restated_usd"]:
        finding = (
            f"The same o3 run stands at {dollars(pair['first_usd'])} and at {dollars(pair['restated_usd'][0])} a task; going from "
            f"{pair['samples'][0]:,.0f} to {pair['samples'][1]:,.0f} samples cost about {dollars(pair['further_usd'])} per further "
            "task solved"
        )
    elif pair:
        finding = (
            f"From {pair['samples'][0]:,.0f} to {pair['samples'][1]:,.0f} samples o3 went from {share(pair['first_score'])} to "
            f"{share(pair['second_score'])}, at about {dollars(pair['further_usd'])} per further task solved"
        )
    else:
        last = best.iloc[-1]
        finding = f"On {f['dataset']} the best, {last['system']}, scores {share(last['score'])} at {dollars(last['usd_per_task'])} a task"
    further = best.dropna(subset=["usd_per_further_solved"]).tail(3)
    return Words(
        finding=finding,
        subtitle=f"{f['dataset']}: score against $ per task, log scale. {len(table)} systems; line: what no other beats on both. "
        "Coloured dots: o3's runs, a bracket joins one run's two published costs; hollow: cost implied by tokens. Squares: people.",
        alt=finding
        + ". Frontier: "
        + "; ".join(f"{s} {share(v)} at {dollars(c)}" for s, v, c in best[["system", "score", "usd_per_task"]].itertuples(index=False)),
        coverage=f"{len(table)} systems with a cost and a score",
        credit=CREDIT,
        notes=tuple(
            f"{r['system']}: each further task solved costs {dollars(r['usd_per_further_solved'])}, against the next cheaper on the line."
            for r in further.to_dict("records")
        ),
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Cost per solved task and per further one, tokens of a sample, and the rows of both records."""
    made = table(params, snapshot)
    found = made.set_index("system")
    formulas = []
    if "pair" in made.attrs:
        a, b = (found.loc[[name]].iloc[0] for name in (FIRST, SECOND))
        for r in (a, b):
            formulas.append(
                worked(
                    tokens_per_sample,
                    total_tokens=float(r["tokens_total"]),
                    tasks=float(r["n_tasks"]),
                    samples_per_task=float(r["samples_per_task"]),
                )
            )
        formulas.append(
            looked_up("Withheld cost of a task", float(b["usd_per_task"]), "USD", "the first run's price per token times this run's tokens")
        )
        pair = {
            "cheap_usd_per_task": a["usd_per_task"],
            "cheap_score": a["score"],
            "dear_usd_per_task": b["usd_per_task"],
            "dear_score": b["score"],
        }
        formulas.append(worked(marginal_cost_per_solved_usd, **{k: float(v) for k, v in pair.items()}))
    shown = made[made["system"].isin([FIRST, SECOND]) | made["restated"] | made["frontier"]]
    for _, r in shown[shown["frontier"]].tail(1).iterrows():
        formulas.append(worked(cost_per_solved_usd, cost_usd_per_task=float(r["usd_per_task"]), score=float(r["score"])))
    return Receipt(
        formulas=tuple(formulas),
        inputs=tuple(
            input_row(r, f"{r['system']}: {share(r['score'])} at", f"{r['usd_per_task']:.4g}", "$/task") for _, r in shown.iterrows()
        ),
        assumptions=(
            "The frontier leaves out people, implied costs and restated records.",
            "A claim of “1,000 samples at $5 to 20 a puzzle” joins two rows: $20 is the run of six samples.",
        ),
        error=("Costs of the leaderboard follow the list prices of its day; a later price change does not move them.",),
    )


CHART = register(
    Chart(
        id="prices.arc",
        page="prices",
        title="ARC-AGI: cost against score",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("o3", "o3 at $20 and $200", {}, claim="I5"),
            Preset("public", "Public set: 86×, not 172×", {"dataset": "ARC-AGI-1 public eval"}, claim="I5"),
            Preset("arc2", "ARC-AGI-2", {"dataset": "ARC-AGI-2 semi-private"}, claim="I5"),
        ),
        heights=(500, 440),
    )
)
