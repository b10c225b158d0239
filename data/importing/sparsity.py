"""Rates of chips with sparsity in a file whose table holds dense ones: noticed, asked, and flagged where they pass as dense."""

from __future__ import annotations

import re

import numpy as np

from analytics.chips.metrics import PRECISION_BITS, sparse_suspects
from data import shipped
from data.importing.columns import missing
from data.importing.rows import Builder
from data.importing.sheet import Column

RATES = tuple(name for name in PRECISION_BITS if "dense" in name)
_SAID = re.compile(r"spars|\b2:4\b", re.IGNORECASE)
_DENIED = re.compile(r"(?:without|no|non|not|w/o|excl\w*)[\s-]*(?:structured\s+|2:4\s+)?spars\w*", re.IGNORECASE)
_PARTS = re.compile(r"[()/;|\[\]]|,\s|\bor\b", re.IGNORECASE)
_RATIO = re.compile(r"\b2:4\b(?:\s+(?:structured\s+)?spars\w*)?", re.IGNORECASE)
_DENSE = re.compile(r"\bdense\b", re.IGNORECASE)
_MARK = re.compile(r"\s*([*†‡§¹²³⁴]+|\[\w{1,2}\]|\(\d\))")
HALVE, DENSE, LEAVE_OUT = "halve", "dense", "leave-empty"


def with_sparsity(text: str) -> bool:
    """Whether a header or a cell says its figure counts sparsity."""
    return bool(_SAID.search(_DENIED.sub(" ", text)))


def prefer_dense(builder: Builder) -> None:
    """Read the dense figure of cells that state both: of "2,614 (5,229 with sparsity)" the first, wherever it stands."""
    for item in builder.assigned:
        if item.field not in RATES or not any(_SAID.search(text) for text in item.column.texts):
            continue
        dense = [_dense_of(text) for text in item.column.texts]
        codes = [code for code, text in enumerate(dense) if text is not None]
        if codes:
            texts = [own if text is None else text for own, text in zip(item.column.texts, dense)]
            where = builder.line_list(np.isin(item.column.codes, codes))
            builder.report.warn(f'column "{item.column.name}", {where}: a dense rate and one with sparsity are given, the dense is stored')
            column = item.column
            item.column = Column(column.name, column.codes, texts, column.alternative, column.unit_hint)


def _dense_of(text: str) -> str | None:
    """Return the part of a cell that gives the dense rate where another part is said to be with sparsity; else None."""
    parts: list[str] = []
    for part in _PARTS.split(_RATIO.sub("sparsity", text)):
        if re.search(r"\d", part) or not parts:
            parts.append(part)
        elif part.strip():
            parts[-1] += f" {part}"  # a word behind its figure
    dense = [part.strip() for part in parts if re.search(r"\d", part) and not with_sparsity(part)]
    return _DENSE.sub(" ", dense[0]).strip() if len(parts) == 2 and len(dense) == 1 else None


def _marked(builder: Builder) -> tuple[list[re.Pattern[str]], str]:
    """Return the footnote marks whose notes say "with sparsity", and a note without a mark that says so of the whole table."""
    marks, whole = [], ""
    for note in builder.sheet.notes:
        if not with_sparsity(note):
            continue
        mark = _MARK.match(note)
        if mark:
            one = re.escape(mark[1])
            marks.append(re.compile(rf"(?<![*†‡§¹²³⁴]){one}(?![*†‡§¹²³⁴])"))
        else:
            whole = note
    return marks, whole or next((title for title in builder.sheet.caption if with_sparsity(title)), "")


def settle(builder: Builder) -> None:
    """Ask about rates said to be with sparsity and change them as answered; warn of dense ones that look doubled."""
    marks, whole = _marked(builder)
    asked = np.zeros((len(RATES), builder.size), dtype=bool)
    for item in builder.assigned:
        if item.field not in RATES or item.slot:
            continue
        name = item.column.name
        if with_sparsity(name):
            where, what = np.ones(builder.size, dtype=bool), "its header says so"
        elif any(mark.search(name) for mark in marks):
            where, what = np.ones(builder.size, dtype=bool), "the note its header is marked for says so"
        elif whole and not _DENSE.search(name) and not _SAID.search(name):
            where, what = np.ones(builder.size, dtype=bool), f'"{whole[:60]}" says so'
        else:
            said = np.array([with_sparsity(text) or any(mark.search(text) for mark in marks) for text in item.column.texts], dtype=bool)
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
