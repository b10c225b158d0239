"""Design a chip: every line it would meet or miss, and the best chip for reasoning that meets no clause over a stated space."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.design import NO_CLAUSE, Design, best_design, design_at, design_space, roofline_decode_rate
from analytics.chips.explain import change_words, single_changes
from analytics.chips.facts import needed
from analytics.chips.metrics import io_bandwidth, performance_density, processing_performance
from charts import numbers
from charts.chips import NOT_ADVICE, OUTCOME_WORDS, case
from charts.look import Look
from charts.params import ChartParams, choice, day, number
from charts.receipt import Receipt, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries import chips
from data.snapshot import Snapshot

# What a design may be in the search; its ends are the largest and smallest figures of the chips table, rounded out.
# One die is at most a reticle field, 26 x 33 mm = 858 mm2.
SPACE: dict[str, list[float]] = {
    "dies": [1.0, 2.0],
    "dense_8bit_tops_per_die": np.geomspace(50, 5000, 70).tolist(),
    "die_area_mm2": [100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 814.0, 858.0],
    "memory_bandwidth_gb_per_s": [
        300.0,
        450.0,
        600.0,
        864.0,
        1000.0,
        1200.0,
        1350.0,
        1399.0,
        1600.0,
        2000.0,
        3000.0,
        4000.0,
        4800.0,
        6000.0,
        6400.0,
        8000.0,
    ],
    "scale_up_bidirectional_gb_per_s": [0.0, 100.0, 200.0, 400.0, 600.0, 900.0, 1800.0],
}


class Params(ChartParams):
    """The design, the deal, and the work it is judged by."""

    dies: int = number(1, ge=1, le=16, label="Dies", help="logic dies in the package", step=1)
    tops: float = number(296, ge=0, le=100_000, label="Dense 8-bit", help="dense 8-bit rate of one die", unit="TOPS a die")
    area: float = number(814, ge=1, le=50_000, label="Die area", help="area of one logic die", unit="mm² a die")
    bandwidth: float = number(4000, ge=1, le=100_000, label="Memory bandwidth", help="of the package", unit="GB/s")
    memory: float = number(96, ge=1, le=10_000, label="Memory", help="of the package; no clause looks at it", unit="GB")
    link: float = number(900, ge=0, le=20_000, label="Link", help="scale-up link, both directions summed", unit="GB/s")
    pcie: float = number(128, ge=0, le=2000, label="PCIe", help="host link, both directions summed", unit="GB/s")
    vendor: Literal["NVIDIA", "AMD", "Intel", "another"] = choice(
        "NVIDIA", label="Vendor", help="letters bind only the companies they are addressed to",
        labels={"NVIDIA": "NVIDIA", "AMD": "AMD", "Intel": "Intel", "another": "Another vendor"},
    )  # fmt: skip
    marketing: Literal["datacenter", "not datacenter"] = choice(
        "datacenter",
        label="Market",
        help="what it is designed or marketed for",
        labels={"datacenter": "Data centre", "not datacenter": "Consumer"},
    )
    dest: chips.Destination = choice("CN", label="Destination", help="where the chip would go", labels=chips.DESTINATIONS)
    on: datetime.date | None = day(None, label="On", help="day asked about; empty takes today")
    users: int = number(16, ge=1, le=100_000, label="Users", help="requests decoded at once", step=1)
    weight_gb: float = number(70.6, ge=0.1, le=5000, label="Weights", help="weights read a step; 70.6: Llama 3.3 70B in 8 bits", unit="GB")
    kv_gb: float = number(
        1.34, ge=0, le=1000, label="KV cache", help="read a user and step; 1.34: Llama 3.3 70B, 8,192 tokens, 8 bits", unit="GB a user"
    )
    gflop: float = number(
        141, ge=0.1, le=1e6, label="Operations", help="of one token; 141: two a weight of 70.6 billion", unit="GFLOP a token"
    )


def _design(params: Params) -> Design:
    return Design(params.dies, params.tops, params.area, params.bandwidth, params.memory, params.link, params.pcie)


def _rate(params: Params, design: Design) -> Any:
    """Decode rate by roofline; NaN where weights and caches do not fit the memory."""
    rate = roofline_decode_rate(
        params.users, params.weight_gb, params.kv_gb, params.gflop, design.memory_bandwidth_gb_per_s, np.maximum(design.dense_tops, 1e-9)
    )
    return np.where(params.weight_gb + params.users * params.kv_gb > params.memory, np.nan, rate)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a term of every clause about the design; attrs hold the outcome, its decode rate and the best of the space."""
    book, on, own = chips.rule_book(snapshot), (params.on or snapshot.today).isoformat(), _design(params)
    facts = {k: float(v) if not isinstance(v, str) else v for k, v in own.facts(marketing=params.marketing, vendor=params.vendor).items()}
    answer = book.evaluate(facts, dest=params.dest, date=on)
    frame = case.term_rows(answer, book.question(facts, on, params.dest), book, chips.rule_rows(snapshot))
    space = design_space({**SPACE, "memory_gb": [params.memory], "pcie_bidirectional_gb_per_s": [params.pcie]})
    asked: dict[str, Any] = {"dest": params.dest, "date": on, "marketing": params.marketing, "vendor": params.vendor}
    # Where memory decides the rate many designs tie: more arithmetic wins, then the wider link.
    tie = 1 + 1e-6 * space.dense_tops / np.max(space.dense_tops) + 1e-11 * space.scale_up_bidirectional_gb_per_s
    at, outcome = best_design(space, _rate(params, space) * tie, book, **asked)
    changes = [change_words(c) + f": {OUTCOME_WORDS[c.outcome]}" for c in single_changes(book, facts, dest=params.dest, date=on)[:3]]
    frame.attrs = {
        "outcome": answer.outcome, "on": on, "deciding": answer.deciding.rule.rule_id if answer.deciding else "", "missing": list(answer.missing),
        "changes": changes, "rate": float(_rate(params, own)), "tpp": facts["tpp"], "pd": facts["pd"], "designs": int(outcome.size),
        "free": int((outcome == NO_CLAUSE).sum()), "best": None if at is None else _told(params, design_at(space, at)),
    }  # fmt: skip
    return frame


def _told(params: Params, best: Design) -> dict[str, float]:
    facts = best.facts()
    return {
        "dies": float(best.dies), "tops": float(best.dense_8bit_tops_per_die), "area": float(best.die_area_mm2),
        "bandwidth": float(best.memory_bandwidth_gb_per_s), "link": float(best.scale_up_bidirectional_gb_per_s),
        "tpp": float(facts["tpp"]), "pd": float(facts["pd"]), "rate": float(_rate(params, best)),
    }  # fmt: skip


def words(table: pd.DataFrame, params: Params) -> Words:
    """The design's outcome, and the best design that meets no clause."""
    a = table.attrs
    where, on, best = chips.DESTINATIONS[params.dest], numbers.date(a["on"]), a["best"]
    because = f", {needed(a['missing'])}" if a["missing"] else f", by {a['deciding']}" if a["deciding"] else ""
    finding = (
        f"This design {where} on {on}: {OUTCOME_WORDS[a['outcome']]}{because}; TPP {numbers.plain(round(a['tpp']))}, density {a['pd']:.3g}"
    )
    subtitle = (
        "Each mark is a term of a clause in force: the design's value over the threshold, log scale; the line is the threshold. "
        "Filled: the term holds; hollow: it does not. Clauses that only repeat these terms are in the table."
    )
    notes = [NOT_ADVICE, *(f"Would change it: {change}." for change in a["changes"])]
    fits = params.weight_gb + params.users * params.kv_gb
    if best is None:
        notes.append(f"Of {a['designs']:,} designs searched none meets no clause and holds {fits:.3g} GB.")
    else:
        own = (
            f"; this design {a['rate']:,.0f}"
            if a["rate"] == a["rate"]
            else f"; this design holds {params.memory:g} GB and the work needs {fits:.3g}"
        )
        notes.append(
            f"Best of {a['designs']:,} designs searched ({a['free']:,} meet no clause): {best['dies']:.0f} × {best['area']:.0f} mm² "
            f"with {best['tops']:,.0f} dense 8-bit TOPS a die, memory at {best['bandwidth']:,.0f} GB/s, link {best['link']:,.0f} GB/s: "
            f"TPP {best['tpp']:,.0f}, density {best['pd']:.3g}, at most {best['rate']:,.0f} tok/s{own}."
        )
        notes.append(
            "The rate is an upper bound of one chip by roofline. It says what the clauses leave room for, not what can be made or sold."
        )
    alt = f"Terms of clauses for a design. {finding}. " + " ".join(notes[1:])
    empty = f"No rule in force on {on} is about this design {where}." if table.empty else ""
    return Words(
        finding,
        subtitle,
        alt,
        "",
        "15 CFR 774 and the notices in the receipt; the design is yours",
        tuple(notes),
        empty,
        {"on": "2025-05-01", "dest": "CN"} if empty else None,
    )


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """The terms of the case file, for the design."""
    return case.terms_figure(table, look)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """TPP, density, I/O and the decode bound worked out; the clauses; the searched space."""
    shown, told, own = table(params, snapshot), chips.rule_rows(snapshot), _design(params)
    tpp = float(processing_performance(own.dense_tops, 8))
    formulas = [
        worked(processing_performance, dense_tops=float(own.dense_tops), bit_length=8),
        worked(performance_density, tpp=tpp, applicable_die_area_mm2=float(params.dies * params.area)),
        worked(io_bandwidth, scale_up_bidirectional_gb_per_s=params.link, pcie_bidirectional_gb_per_s=params.pcie),
    ]
    if params.tops > 0:
        formulas.append(
            worked(roofline_decode_rate, users=params.users, weight_gb=params.weight_gb, kv_gb_per_user=params.kv_gb, gflop_per_token=params.gflop,
                   memory_bandwidth_gb_per_s=params.bandwidth, dense_tops=float(own.dense_tops))
        )  # fmt: skip
    formulas.append(looked_up(OUTCOME_WORDS[shown.attrs["outcome"]], None, "", shown.attrs["deciding"] or "no rule in force that applies"))
    inputs = [
        input_row(told[rule_id], rule_id, str(told[rule_id]["expr"] or "not evaluated"), as_of="announced_date")
        for rule_id in dict.fromkeys(shown["clause"])
    ]
    inputs += [
        assumed(name.replace("_", " "), f"{values[0]:g} to {values[-1]:g}, {len(values)} values", why="searched space")
        for name, values in SPACE.items()
    ]
    return Receipt(
        formulas,
        inputs,
        (
            NOT_ADVICE,
            "The 8-bit rate is taken to lead TPP, as it does where 16 bits run at half of it.",
            "Headquarters of the buyer are taken to be in the destination.",
        ),
        ("The decode rate leaves out links, kernels and scheduling: real chips reach less.",),
    )


CHART = register(
    Chart(
        id="chips.design",
        page="chips",
        title="Design a chip",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("h20-sheet", "The H20's own sheet", {}),
            Preset("before-letters", "The same in March 2025", {"on": "2025-03-01"}, claim="E3"),
            Preset("under-letters", "Under the letters: 1.3 TB/s", {"bandwidth": 1300, "link": 200}),
        ),
        heights=(560, 560),
    )
)
