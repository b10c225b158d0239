"""What an import found, shown: numbers, columns, rejects, what would change. Every cell of a file is text here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from charts.numbers import count
from data.importing import Prepared
from pages._shell.style import safe

FEW = 30
WORDS = {
    "LOCATION": "address: country, region, city",
    "COORDINATES": "latitude and longitude",
    "POWER": "power, IT or site",
    "CHIP_COUNT_TOTAL": "chips of all types",
    "ACCELERATOR_CORES": "accelerator cores, counted as chips",
    "FALLBACK_NAME": "name where the name is empty",
    "RETIRED_DATE": "day of retirement",
    "ROW_UNIT": "unit of the row",
    "ROW_CURRENCY": "currency of the row",
    "NODE": "machine",
    "NODE_STATE": "state of the machine",
    "PARTITION": "partition",
    "GPUS_PER_NODE": "chips in a machine",
    "MEASURE": "what the row measures",
    "VALUE": "value of the measure",
}


def say(sentence: str, mark: str = "") -> None:
    """A sentence of ours beside what it is about."""
    st.html(f'<div class="rp rp-note" {mark}>{safe(sentence)}</div>')


def head(text: str) -> None:
    """The heading of a step."""
    st.html(f'<div class="rp" style="margin-top:.9rem"><h3>{safe(text)}</h3></div>')


def rows(columns: Sequence[str], cells: Sequence[Sequence[Any]], mark: str = "") -> None:
    """A table of text: as markup when short, as a grid when long."""
    if not cells:
        return
    if len(cells) > FEW:
        st.dataframe(pd.DataFrame([[_text(cell) for cell in row] for row in cells], columns=list(columns)), hide_index=True, height=320)
        return
    top = "".join(f"<th>{safe(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{safe(_text(cell), 200)}</td>" for cell in row) + "</tr>" for row in cells)
    st.html(f'<div class="rp rp-scroll" {mark}><table class="rp-table"><tr>{top}</tr>{body}</table></div>')


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.12g}" if isinstance(value, float) else str(value)


def numbers(prepared: Prepared) -> None:
    """How many rows were read, kept and rejected, and what they would change."""
    counts, found = prepared.report["counts"], prepared.difference
    layout = f" Layout: {prepared.layout}." if prepared.layout else ""
    st.html(
        f'<div class="rp" data-summary><h2>{count(found.added)} added, {count(found.changed_count)} changed, {count(found.same)} the same'
        f"{f', {count(len(found.conflicting))} contradicted' if found.conflicting else ''}</h2>"
        f'<p class="rp-sub">{count(counts["read"])} rows read, {count(counts["kept"])} kept, {count(counts["rejected"])} rejected in '
        f"{safe(prepared.name, 120)}.{safe(layout)}</p></div>"
    )


def mapping(prepared: Prepared) -> None:
    """Which column was taken for which field, how surely and why."""
    used = [item for item in prepared.report["mapping"] if item["field"]]
    unused = [item["column"] for item in prepared.report["mapping"] if not item["field"]]
    cells = [
        (item["column"], WORDS.get(item["field"], item["field"]), item["unit"], f"{100 * item['confidence']:.0f} %", item["why"])
        for item in used
    ]
    rows(("Column in the file", "Field", "Unit", "Sure", "Why"), cells, "data-mapping")
    if unused:
        st.html(f'<div class="rp rp-quiet">Left out: {safe(", ".join(unused), 1500)}</div>')


def rejects(prepared: Prepared) -> None:
    """Rows that were left out: line, column, value, reason."""
    found = prepared.report["rejects"]
    if found:
        head(f"Rejected rows ({prepared.report['counts']['rejected']})")
        rows(
            ("Line", "Column", "Value", "Reason"),
            [(item["row"], item["column"], item["value"], item["reason"]) for item in found],
            "data-rejects",
        )


def warnings(prepared: Prepared) -> None:
    """What was assumed, left out or looks odd."""
    asked = {site.sentence for site in prepared.same_sites}  # these stand above, each with its button
    said = [text for text in prepared.report["warnings"] if text not in asked]
    if said:
        head(f"Notes ({len(said)})")
        items = "".join(f"<li>{safe(text, 500)}</li>" for text in said[:100])
        more = f"<li>and {len(said) - 100} more</li>" if len(said) > 100 else ""
        st.html(f'<div class="rp rp-quiet" data-warnings><ul>{items}{more}</ul></div>')


def differences(prepared: Prepared) -> None:
    """What would be added, what changes from old to new, what other sources say otherwise."""
    found = prepared.difference
    if found.changed:
        head(f"Changed values ({len(found.changed)})")
        cells = [
            (item["line"], " · ".join(_text(part) for part in item["key"].values() if part), item["column"], item["old"], item["new"])
            for item in found.changed
        ]
        rows(("Line", "Row", "Column", "In the store", "In the file"), cells, "data-changed")
    if found.conflicting:
        head(f"Other sources say otherwise ({len(found.conflicting)}): both are kept")
        cells = [
            (item["cluster_id"], item["column"], item["upload"], item["store"], item["store_source"], item["ratio"])
            for item in found.conflicting
        ]
        rows(("Cluster", "Column", "In the file", "In the store", "By", "Ratio"), cells, "data-conflicting")
    kept = prepared.frame.drop(columns="_line")
    filled = kept.loc[:, kept.notna().any()]
    if len(filled):
        head(f"Accepted rows ({count(len(filled))})")
        st.dataframe(filled.head(1_000), hide_index=True, height=min(320, 38 + 35 * len(filled)))
