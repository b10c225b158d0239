"""Rates of chips with sparsity in a file whose table holds dense ones: noticed, asked, and flagged where they pass as dense."""

from __future__ import annotations

import re

import numpy as np

from analytics.chips.metrics import PRECISION_BITS, sparse_suspects
from data import shipped
from data.importing.columns import missing
from data.importing.rows import Builder

RATES = tuple(name for name in PRECISION_BITS if "dense" in name)
_SAID = re.compile(r"spars|\b2:4\b", re.IGNORECASE)
_DENIED = re.compile(r"(?:without|no|non|not|w/o|excl\w*)[\s-]*(?:structured\s+|2:4\s+)?spars\w*", re.IGNORECASE)
HALVE, DENSE, LEAVE_OUT = "halve", "dense", "leave-empty"


def with_sparsity(text: str) -> bool:
    """Whether a header or a cell says its figure counts sparsity."""
    return bool(_SAID.search(_DENIED.sub(" ", text)))


def settle(builder: Builder) -> None:
    """Ask about rates said to be with sparsity and change them as answered; warn of dense ones that look doubled."""
    asked = np.zeros((len(RATES), builder.size), dtype=bool)
    for item in builder.assigned:
        if item.field not in RATES or item.slot:
            continue
        if with_sparsity(item.column.name):
            where, what = np.ones(builder.size, dtype=bool), "its header says so"
        else:
            said = np.array([with_sparsity(text) for text in item.column.texts], dtype=bool)
            where = said[item.column.codes] if said.any() else np.zeros(builder.size, dtype=bool)
            what = builder.line_list(where) if where.any() else ""
        rate = builder.column(item.field)
        where = where & np.isfinite(rate)
        if not where.any():
            continue
        answer = builder.report.ask(
            f"sparse:{item.column.name[:60]}",
            f'Is column "{item.column.name[:60]}" with sparsity ({what})? Rates here are dense; 2:4 sparsity doubles a rate, '
            "other ratios hold for FP4 of Blackwell Ultra and Rubin",
            (HALVE, DENSE, LEAVE_OUT),
            HALVE,
        )
        if answer != DENSE:
            rate[where] = rate[where] / 2 if answer == HALVE else np.nan
        asked[RATES.index(item.field)] = where
    _flag(builder, asked)


def _flag(builder: Builder, asked: np.ndarray) -> None:
    """Warn of rates nobody was asked about that are twice their neighbours, or twice the stored dense rate of the same chip."""
    rates = {name: builder.column(name) for name in RATES}
    with np.errstate(invalid="ignore"):
        negative = {name: np.where(rate < 0, np.nan, rate) for name, rate in rates.items()}
    doubled = sparse_suspects(negative) if builder.size else {}
    known = {row["chip_id"]: row for row in shipped.rows("chips")}
    ids, names = builder.column("chip_id"), builder.column("name")
    stored = [known.get(str(chip_id), {}) if not empty else {} for chip_id, empty in zip(ids, missing(ids))]
    for position, name in enumerate(RATES):
        dense = np.array([float(row.get(name) or "nan") for row in stored])
        with np.errstate(invalid="ignore", divide="ignore"):
            twice = np.abs(rates[name] / dense - 2) < 0.02
        by_neighbour = doubled.get(name, np.zeros(builder.size, dtype=bool)) & ~(rates[name] == dense)
        for row in np.flatnonzero((twice | by_neighbour) & ~asked[position] & ~builder.bad)[:20]:
            why = f"twice the {dense[row]:g} stored" if twice[row] else "about twice what its neighbours at 8 and 16 bits imply"
            builder.report.warn(
                f"line {builder.lines[row]}: {name} {rates[name][row]:g} of {names[row] or ids[row]} is {why}: "
                "is it with sparsity? Rates here are dense"
            )
