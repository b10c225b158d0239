"""A plane of two facts shaded by the outcome of every point, shared by the charts that draw rules as regions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.chips.explain import thresholds
from analytics.chips.grammar import Condition
from analytics.chips.rules import OUTCOMES, RuleBook
from charts import numbers
from charts.chips import OUTCOME_WORDS
from charts.chips.names_on_plane import write_names
from charts.labels import note
from charts.look import Look
from charts.template import tokens
from charts.text import as_text

# fact -> (words, unit, low, high of the frame)
AXES: dict[str, tuple[str, str, float, float]] = {
    "tpp": ("Total processing performance, TPP", "", 700.0, 320_000.0),
    "pd": ("Performance density, TPP per mm² of die", "", 1.4, 60.0),
    "io_total_bidirectional_gb_per_s": ("I/O bandwidth, both directions, with PCIe", "GB/s", 40.0, 6_000.0),
    "memory_bandwidth_gb_per_s": ("Memory bandwidth", "GB/s", 200.0, 30_000.0),
}
PLANES = {
    "tpp_pd": ("tpp", "pd"),
    "io_tpp": ("io_total_bidirectional_gb_per_s", "tpp"),
    "memory_io": ("memory_bandwidth_gb_per_s", "io_total_bidirectional_gb_per_s"),
    "tpp_memory": ("tpp", "memory_bandwidth_gb_per_s"),
}
PLANE_LABELS = {
    "tpp_pd": "TPP × density",
    "io_tpp": "I/O × TPP",
    "memory_io": "Memory × I/O",
    "tpp_memory": "TPP × memory",
}
_TINT = {
    "licence_presumption_of_denial": "tint_denial",
    "licence_case_by_case": "band_blue",
    "licence_required": "tint_denial",
    "company_letter": "plum",
    "notification_nac": "tint_notice",
    "revenue_share_or_tariff": "tint_notice",
    "unknown": "zone",
}
_INK = {"tint_denial": "denial", "tint_notice": "notice", "band_blue": "blue", "plum": "plum"}
_CELLS = 110


@dataclass(frozen=True)
class Regions:
    """Outcomes over a plane: edges of the cells on both axes and a code a cell (rows from low to high)."""

    x: list[float]
    y: list[float]
    codes: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """As JSON values: a digit a cell, a text a row."""
        return {"x": self.x, "y": self.y, "rows": ["".join(map(str, row)) for row in self.codes.tolist()]}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Regions:
        """The regions a table carries."""
        return cls(list(kept["x"]), list(kept["y"]), np.array([[int(digit) for digit in row] for row in kept["rows"]], dtype=np.int8))


def regions(
    book: RuleBook,
    base: Mapping[str, Any],
    die_area_mm2: float,
    plane: str,
    *,
    dest: str,
    date: str,
    outcomes: Callable[..., np.ndarray],
    extra: Condition | None = None,
) -> Regions:
    """The outcome of every point of a plane, the other facts being those of a base chip.

    Parameters: book; base, facts of the base chip; die_area_mm2, its area, by which density follows TPP where it is not
    an axis; plane, a key of PLANES; dest, date; outcomes, called with facts, dest and date, gives a code a point; extra, a
    condition whose thresholds matter in place of the rules'. Cells end exactly on the thresholds.
    """
    x_name, y_name = PLANES[plane]
    conditions = [extra] if extra is not None else [rule.condition for rule in book.in_force(date) if rule.evaluable]
    question = book.question(base, date, dest)

    def edges(name: str) -> list[float]:
        low, high = AXES[name][2:]
        lines = [value for _, value in thresholds(name, question, conditions)]
        if name == "tpp" and y_name != "pd" and die_area_mm2 > 0:
            lines += [value * die_area_mm2 for _, value in thresholds("pd", question, conditions)]
        return sorted({*np.geomspace(low, high, _CELLS + 1).tolist(), *(v for v in lines if low < v < high)})

    x_edges, y_edges = edges(x_name), edges(y_name)
    x_mid, y_mid = (np.sqrt(np.array(e[:-1]) * np.array(e[1:])) for e in (x_edges, y_edges))
    facts = {**base, x_name: x_mid[None, :], y_name: y_mid[:, None]}
    if "pd" not in (x_name, y_name) and "tpp" in (x_name, y_name):
        facts["pd"] = facts["tpp"] / die_area_mm2
    codes = np.broadcast_to(outcomes(facts, dest=dest, date=date), (len(y_mid), len(x_mid)))
    return Regions(x_edges, y_edges, np.array(codes, dtype=np.int8))


def log_axis(name: str, look: Look) -> dict[str, Any]:
    """An axis over log10 of a fact, its ticks written 1-2-5."""
    words, unit, low, high = AXES[name]
    ticks = numbers.log_ticks(low, high, numbers.count, 5 if look.phone else 9)
    values = [float(v) for v in ticks["tickvals"]]
    return {
        "tickmode": "array", "tickvals": np.log10(values).tolist(), "ticktext": list(ticks["ticktext"]), "range": np.log10([low, high]).tolist(),
        "title": {"text": "" if look.phone else f"{words}{f' [{unit}]' if unit else ''}, log"}, "showgrid": False,
    }  # fmt: skip


def draw(fig: go.Figure, found: Regions, plane: str, look: Look, table: pd.DataFrame, labels: Mapping[str, str] = OUTCOME_WORDS) -> None:
    """Shade the regions, write each outcome where its region has most room beside the chips of `table`, and set both axes."""
    t, (x_name, y_name) = tokens(look), PLANES[plane]
    n = len(OUTCOMES)
    scale: list[list[Any]] = []
    for code, outcome in enumerate(OUTCOMES):
        tone = t.get(_TINT.get(outcome, ""), "rgba(0,0,0,0)")
        if tone.startswith("#"):
            tone = "rgba({},{},{},.11)".format(*(int(tone[i : i + 2], 16) for i in (1, 3, 5)))
        scale += [[code / n, tone], [(code + 1) / n, tone]]
    fig.add_heatmap(
        x=np.log10(found.x), y=np.log10(found.y), z=found.codes, zmin=-0.5, zmax=n - 0.5, colorscale=scale, showscale=False, hoverinfo="skip"
    )  # fmt: skip
    fig.update_layout(xaxis=log_axis(x_name, look), yaxis=log_axis(y_name, look))
    middle_x, middle_y = ((np.log10(e[:-1]) + np.log10(e[1:])) / 2 for e in (np.array(found.x), np.array(found.y)))
    wide, tall = np.ptp(middle_x), np.ptp(middle_y)
    mark_at = [
        (np.log10(table[name].fillna(edges[0])) - middle[0]) / span
        for name, edges, middle, span in (("x", found.x, middle_x, wide), ("y", found.y, middle_y, tall))
    ]
    marks = np.column_stack(mark_at)
    at_x, at_y = np.meshgrid((middle_x - middle_x[0]) / wide, (middle_y - middle_y[0]) / tall)
    clear = np.full(found.codes.shape, 1.0)
    for mark_x, mark_y in marks:  # a label is about three times as wide as it is high
        clear = np.minimum(clear, np.hypot((at_x - mark_x) / 2, at_y - mark_y))
    for code in np.unique(found.codes):
        own = found.codes == code
        ends = np.pad(own, 1)
        edge = ~own | ~(ends[:-2, 1:-1] & ends[2:, 1:-1] & ends[1:-1, :-2] & ends[1:-1, 2:])
        room = clear.copy()
        for row, column in np.argwhere(edge & own):
            room = np.minimum(room, np.hypot((at_x - at_x[row, column]) / 3, at_y - at_y[row, column]))
        room[~own] = 0
        if room.max() < 0.025:
            continue
        row, column = np.unravel_index(int(np.argmax(room)), room.shape)
        outcome = OUTCOMES[int(code)]
        tone = t[_INK.get(_TINT.get(outcome, ""), "mute")]
        size = 10 if look.phone else 11.5
        note(
            fig,
            look,
            labels.get(outcome, OUTCOME_WORDS[outcome]),
            x=float(middle_x[column]),
            y=float(middle_y[row]),
            font={"size": size, "color": tone},
        )


def points(fig: go.Figure, table: pd.DataFrame, look: Look, plane: str, margin: dict[str, int], height: int, *, most: int = 30) -> None:
    """Chips as marks with names beside those in front; a fact that is not published puts a hollow mark on the axis.

    `table` has chip_id, name, x, y (NaN unknown), front, hollow, square and told (a line for the hover).
    """
    t, (x_name, y_name) = tokens(look), PLANES[plane]
    (x_low, x_high), (y_low, y_high) = AXES[x_name][2:], AXES[y_name][2:]
    own = table[~((table["x"] > x_high) | (table["y"] > y_high) | (table["x"] < x_low) | (table["y"] < y_low))].reset_index(drop=True)
    x, y = np.log10(own["x"].fillna(x_low)), np.log10(own["y"].fillna(y_low))
    for front in (False, True):
        part = own["front"].eq(front)
        if not part.any():
            continue
        tone = t["blue"] if front else t["point"]
        shape = [("square" if s else "circle") + ("-open" if h else "") for s, h in zip(own["square"][part], own["hollow"][part])]
        size = (8 if look.phone else 10) if front else (5 if look.phone else 6)
        fig.add_scatter(
            x=x[part], y=y[part], mode="markers", cliponaxis=False, marker={"size": size, "symbol": shape, "color": tone, "line": {"color": tone, "width": 1.5}},
            customdata=np.column_stack([own["chip_id"][part], own["name"][part].map(as_text), own["told"][part].map(as_text)]),
            hovertemplate="%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
        )  # fmt: skip
    width, tall = look.width_px - margin["l"] - margin["r"], height - margin["t"] - margin["b"]

    def pixel(a: float, b: float) -> tuple[float, float]:
        return (a - np.log10(x_low)) / np.log10(x_high / x_low) * width, (1 - (b - np.log10(y_low)) / np.log10(y_high / y_low)) * tall

    spot = [pixel(a, b) for a, b in zip(x, y)]
    notes = [(*pixel(a.x, a.y), a.text) for a in fig.layout.annotations if isinstance(a.x, float) and isinstance(a.y, float)]
    ahead = sorted((i for i in range(len(own)) if own["front"][i]), key=lambda i: -float(y[i]))
    wanted = ahead[:: max(1, -(-len(ahead) // (5 if look.phone else most)))]
    first = len(wanted)
    if not look.phone:
        wanted += [i for i in range(len(own)) if not own["front"][i]][::3]
    write_names(fig, look, list(zip(x, y)), spot, list(own["name"]), list(own["front"]), wanted, first, (width, tall), notes)
