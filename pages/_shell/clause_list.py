"""The clauses of a case file as a list to read and to print: its words, each term with its value and margin, the answer."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from charts import numbers
from charts.chips import OUTCOME_WORDS
from pages._shell.style import safe

_MARKS = {"true": "✓", "false": "✗", "unknown": "?"}


def clause_list(table: pd.DataFrame) -> None:
    """Draw the clauses of a case file's table, the deciding one first; those that cannot be evaluated end it in one line."""
    clauses = [list(part.to_dict("records")) for _, part in table.groupby("clause", sort=False)]
    asked = [rows for rows in clauses if not str(rows[0]["status"]).startswith("not evaluated")]
    aside = [f"{rows[0]['clause']} ({str(rows[0]['status']).removeprefix('not evaluated: ')})" for rows in clauses if rows not in asked]
    body = "".join(_clause(rows) for rows in asked)
    left = (
        f'<p class="rp-quiet" style="margin-top:.5rem">Shown in the table and never used for an answer: {safe("; ".join(aside))}.</p>'
        if aside
        else ""
    )
    st.html(
        '<div class="rp rp-clauses" data-clauses><h3>Every clause in force about this chip and destination</h3><div class="rp-scroll">'
        f"<table class='rp-table'><tr><th>Clause</th><th>Terms: value, margin</th><th>Answer</th></tr>{body}</table></div>{left}</div>"
    )


def _clause(rows: list[dict[Any, Any]]) -> str:
    first = rows[0]
    doubt = "" if first["rung"] == "primary" else f' <span class="rp-pill doubt">{safe(first["rung"])}</span>'
    if first.get("not_reread"):
        doubt += ' <span class="rp-pill">not re-read</span>'
    terms = "; ".join(_term(row) for row in rows if row["term"] == row["term"] and row["term"])
    met = first["status"] == "met"
    answer = f"<b>met</b>: {safe(OUTCOME_WORDS[first['outcome']])}" if met else safe(first["status"])
    return f"<tr><td><b>{safe(first['clause'])}</b> {safe(first['title'])}{doubt}</td><td>{terms or '–'}</td><td>{answer}</td></tr>"


def _term(row: dict[Any, Any]) -> str:
    """'TPP ≥ 2,400: 2,368 (−32) ✗': one term with its value and margin."""
    margin = ""
    if row["margin"] == row["margin"] and row["margin"] is not None:
        size = abs(float(row["margin"]))
        shown = numbers.plain(float(format(size, ".3g")) if size < 1000 else float(round(size)))
        margin = f" ({'+' if row['margin'] >= 0 else '−'}{shown})"
    return f"{safe(row['term'])}: {safe(row['value'])}{safe(margin)} {_MARKS.get(str(row['holds']), '?')}"
