"""The published run whose mark a reader clicked, with its source."""

from __future__ import annotations

from typing import Any

import streamlit as st

from charts.compute import Result
from pages._shell.style import safe

_KEY = "_picked_run"


def pick(data: Any) -> None:
    """Keep the run a clicked mark stands for: its row on record, first in the mark's data."""
    st.session_state[_KEY] = str(data[0]) if isinstance(data, (list, tuple)) else str(data)


def show(result: Result | None) -> None:
    """Write the run picked last: what was measured and predicted, by which engine, when, and who says so."""
    row = st.session_state.get(_KEY)
    if result is None or row is None or result.table.empty:
        return
    found = result.table[result.table["row"].astype(str) == row]
    if found.empty:
        return
    run = found.iloc[0]
    address = next((part for part in str(run["source"]).split() if part.startswith("https://")), "")
    linked = f' <a href="{safe(address)}" target="_blank" rel="noopener">Open the source</a>' if address else ""
    st.html(
        f'<div class="rp rp-note" data-run="{safe(row)}"><b>{safe(run["model"])} on {safe(run["chip_id"])}</b>, '
        f"{run['input_tokens']:,.0f} tokens in and {run['output_tokens']:,.0f} out: measured {run['measured_tok_s_per_gpu']:,.0f}, "
        f"predicted {run['predicted_tok_s_per_gpu']:,.0f} output tok/s per GPU. "
        f"{safe(run['engine'])}, {safe(run['day_text'])}. {safe(run['source'])}.{linked}</div>"
    )
