"""A receipt on the page: how it is computed, from which rows, how far off it may be."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import streamlit as st

from charts.numbers import OLD_DAYS, age_days, date
from charts.receipt import FormulaLine, InputRow, Receipt
from charts.text import web_address
from pages._shell import screen
from pages._shell.style import safe

_DOUBTS = ("single source", "not re-read", "illustration")


def receipt_block(receipt: Receipt, today: datetime.date, title: str = "") -> None:
    """Draw a receipt in three columns, stacked on a phone; symbols of formulas are one click away."""
    with st.container(border=True):
        if title:
            st.html(f'<div class="rp"><b>{safe(title)}</b></div>')
        computed, rows, error = st.columns([1.15, 1.75, 1.0], gap="medium")
        with computed:
            lines = "".join(_formula(f) for f in receipt.formulas)
            notes = "".join(f'<p class="rp-quiet">{safe(a, 600)}</p>' for a in receipt.assumptions if a)
            st.html(f'<div class="rp"><h3>How it is computed</h3>{lines}{notes}</div>')
            symbols = [f for f in receipt.formulas if f.latex]
            if symbols:
                with st.expander("In symbols"):
                    for f in symbols:
                        st.latex(f.latex)
                        if f.source:
                            st.html(f'<div class="rp rp-quiet">{safe(f.source)}</div>')
        with rows:
            st.html(f'<div class="rp"><h3>From these rows</h3>{_rows(receipt.inputs, today)}</div>')
        with error:
            said = "".join(f"<p>{safe(e, 600)}</p>" for e in receipt.error if e) or "<p>No error is stated.</p>"
            st.html(f'<div class="rp"><h3>How far off it may be</h3>{said}</div>')


def _formula(line: FormulaLine) -> str:
    left, equals, right = line.text.rpartition("=")
    if equals and not line.latex and " from " in right:
        value, _, where = right.partition(" from ")
        return f'<p class="rp-formula">{safe(left)}= <b>{safe(value.strip())}</b></p><p class="rp-quiet">value from {safe(where)}</p>'
    if not equals:
        return f'<p class="rp-formula">{safe(line.text)}</p>'
    return f'<p class="rp-formula">{safe(left)}= <b>{safe(right.strip())}</b></p>'


def _rows(inputs: Sequence[InputRow], today: datetime.date) -> str:
    if not inputs:
        return '<p class="rp-quiet">No row of the store enters; every input is a setting of yours.</p>'
    narrow = screen.width() == "phone"
    head = "<tr><th>Input</th><th class='num'>Value</th><th>Source</th>" + ("" if narrow else "<th class='num'>As of</th>") + "</tr>"
    return f"<div class='rp-scroll'><table class='rp-table'>{head}{''.join(_row(i, today, narrow) for i in inputs)}</table></div>"


def _row(row: InputRow, today: datetime.date, narrow: bool) -> str:
    days = age_days(row.as_of or None, today)
    old = ' class="old"' if days is not None and days > OLD_DAYS else ""
    address = web_address(row.source_url)
    source = f'<a href="{safe(address)}" target="_blank" rel="noopener">{safe(row.source)}</a>' if address else safe(row.source)
    pills = f' <span class="rp-pill">{safe(row.rung)}</span>' if row.rung else ""
    pills += "".join(f' <span class="rp-pill{" doubt" if flag in _DOUBTS else ""}">{safe(flag)}</span>' for flag in row.flags)
    day = date(row.as_of) if row.as_of else ""
    value = f"{row.value} {row.unit}".strip()
    last = f"<br><span class='rp-quiet'>{safe(day)}</span>" if narrow and day else ""
    cells = f"<td>{safe(row.label)}</td><td class='num'>{safe(value)}</td><td>{source}{pills}{last}</td>"
    return f"<tr{old}>{cells}" + ("" if narrow else f"<td class='num date'>{safe(day)}</td>") + "</tr>"
