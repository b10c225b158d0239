"""What opens under a chart: its table, its files, its link."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from charts import pinned, state
from charts.compute import Result
from data.process import the_store
from data.settings import Settings
from data.store import ReadOnly
from pages._shell import components, url_state
from pages._shell.style import safe

_FORMS = (
    ("csv", "CSV", "safe in spreadsheets"),
    ("xlsx", "Excel", "with receipt and sources"),
    ("parquet", "Parquet", "exact"),
    ("json", "JSON", "rows, words, facts"),
    ("png", "Image, PNG", "with title and credit"),
    ("svg", "Image, SVG", "to edit"),
    ("html", "Chart, HTML", "stands alone"),
)
_MOST_ROWS = 5_000


def public_url() -> str:
    """The address readers reach this server by: the setting, else the browser's own."""
    set_one = Settings.from_env().public_url
    if set_one:
        return set_one.rstrip("/")
    host = (st.context.headers or {}).get("Host", "")
    scheme = "https" if str(st.context.url or "").startswith("https") else "http"
    return f"{scheme}://{host}" if host else ""


def query_of(result: Result) -> str:
    """The chart's state and revision as a query string."""
    return f"{state.encode(result.params)}&rev={result.rev}".lstrip("&")


def downloads(result: Result, link_id: str | None) -> None:
    """Links to the chart in every form; an opened link's own files where one is on show."""
    chart, query = result.chart, query_of(result)
    rows = []
    for form, name, about in _FORMS:
        address = f"/s/{link_id}.{form}" if link_id else f"/api/charts/{chart.id}.{form}?{query}"
        rows.append(f'<a href="{safe(address)}" download>{name}<small>{about}</small></a>')
    receipt = f"/api/charts/{chart.id}/receipt.json?{query}"
    rows.append(f'<a href="{safe(receipt)}" download>Receipt, JSON<small>formulas, inputs</small></a>')
    st.html(f'<div class="rp rp-links">{"".join(rows)}</div>')
    st.html('<div class="rp rp-quiet">For a script or a spreadsheet\'s import by address:</div>')
    st.code(f"{public_url()}/api/charts/{chart.id}.csv?{query}", language=None, wrap_lines=True)


def table_view(table: pd.DataFrame) -> None:
    """The chart's rows, same as its CSV."""
    shown = table.head(_MOST_ROWS).copy()
    for column in shown.select_dtypes("datetime"):
        if (shown[column].dropna() == shown[column].dropna().dt.normalize()).all():
            shown[column] = shown[column].dt.date
    st.dataframe(shown, hide_index=True, width="stretch", height=min(420, 38 + 35 * max(len(shown), 1)))
    if len(table) > _MOST_ROWS:
        st.caption(f"The first {_MOST_ROWS:,} of {len(table):,} rows; the CSV has all.")


def make_link(result: Result) -> None:
    """From a callback: keep what is on show as a link, and remember it for `share_panel`."""
    url_state.keep_state()
    key = f"_shared:{result.chart.id}"
    try:
        link = pinned.make(the_store(), result.chart, result.params, result.rev)
        st.session_state[key] = {"id": link.id, "params": result.params, "rev": result.rev}
    except (ReadOnly, ValueError, OSError) as wrong:
        st.session_state[key] = {"error": str(wrong), "params": result.params, "rev": result.rev}


def share_panel(result: Result, link_id: str | None) -> None:
    """The link made for this state, with the address to copy and the lines that embed it."""
    kept: dict[str, Any] | None = st.session_state.get(f"_shared:{result.chart.id}")
    if kept is None or kept["params"] != result.params or kept["rev"] != result.rev:
        if link_id is None:
            return
        kept = {"id": link_id}
    if "error" in kept:
        st.html(f'<div class="rp rp-note">No link was made: {safe(kept["error"])}.</div>')
        return
    address = f"{public_url()}/s/{kept['id']}"
    page = "" if result.chart.page == "overview" else result.chart.page
    pairs = [*state.pairs(result.params.model_dump()), ("rev", str(result.rev)), ("s", str(kept["id"])), ("embed", "true")]
    source = f"{public_url()}/{page}?{urlencode(pairs)}"
    frame = f'<iframe src="{source}" width="100%" height="760" style="border:0" title="{result.chart.title}"></iframe>'
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(
                f'<div class="rp">This link keeps this table, at revision {result.rev}: '
                f'<a data-link href="/s/{safe(kept["id"])}">{safe(address)}</a></div>',
                width="content",
            )
            components.copy_button(address, label="Copy link", hint="Copy the link", key=f"copy-link:{result.chart.id}")
        st.html('<div class="rp rp-quiet">To embed it:</div>')
        st.code(frame, language=None, wrap_lines=True)
