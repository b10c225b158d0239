"""Two scenarios of one chart: pin what is on show, change something, see both and the ratio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from charts import compute, state, template
from charts.compute import Result
from charts.params import extra
from pages._shell import screen, url_state
from pages._shell.style import safe

PINNED_PX = 340


def compare(result: Result, headline: Callable[[str, Any, Any], Any]) -> None:
    """A button that pins the scenario on show; once pinned, both numbers, what differs, their ratio, and the pinned figure.

    Parameters: result on show; headline, gives a chart's number (label, value, text) from its id, table and parameters, or None.
    """
    if st.context.is_embedded:
        return
    chart, key = result.chart, f"_scenario:{result.chart.id}"
    pinned: Any = st.session_state.get(key)

    def pin() -> None:
        url_state.keep_state()
        st.session_state[key] = result.params

    def unpin() -> None:
        url_state.keep_state()
        st.session_state.pop(key, None)

    if pinned is None:
        if headline(chart.id, result.table, result.params) is not None:
            st.button("Pin to compare", icon=None if screen.width() == "phone" else ":material/keep:", key=f"pin:{chart.id}", on_click=pin)
        return
    try:
        before = compute.compute(chart, pinned, result.snapshot)
    except ValueError as wrong:
        st.html(f'<div class="rp rp-note">The pinned scenario cannot be computed any more: {safe(wrong)}</div>')
        st.button("Unpin", key=f"unpin:{chart.id}", on_click=unpin)
        return
    with st.container(border=True):
        st.html(f'<div class="rp" data-compare>{_told(result, before, headline)}</div>')
        with st.container(horizontal=True, gap="xsmall"):
            st.button("Pin what is shown now", key=f"repin:{chart.id}", on_click=pin, disabled=pinned == result.params)
            st.button("Back to the pinned", key=f"back:{chart.id}", on_click=url_state.change, args=(chart.id, pinned.model_dump()))
            st.button("Unpin", key=f"unpin:{chart.id}", on_click=unpin)
        if pinned != result.params and not before.words.empty:
            st.html(f'<div class="rp rp-quiet">Pinned: {safe(before.words.finding)}</div>')
            narrow = screen.width() == "phone"
            figure = before.figure(screen.look((PINNED_PX, PINNED_PX + (120 if narrow else 0))))
            st.plotly_chart(figure, theme=None, key=f"pinned-figure:{chart.id}", config=template.CONFIG, alt=before.words.alt)


def _told(now: Result, before: Result, headline: Callable[[str, Any, Any], Any]) -> str:
    """Both numbers, their ratio, and the parameters that differ."""
    old, new = (headline(r.chart.id, r.table, r.params) for r in (before, now))
    changes = _changes(now, before)
    if not changes:
        return "Pinned. Change something, and both scenarios stand here with their ratio."
    if old is None or new is None:
        missing = "pinned scenario" if old is None else "scenario on show"
        return f"{changes}<br>The {missing} has no number to compare."
    ratio = f"{new.value / old.value:.3g} times" if old.value else "no ratio: the pinned value is zero"
    label = safe(new.label) if new.label == old.label else f"{safe(old.label)} → {safe(new.label)}"
    return f"{label}: pinned <b>{safe(old.text)}</b>, now <b>{safe(new.text)}</b>, <b data-ratio>{ratio}</b>.<br>{changes}"


def _changes(now: Result, before: Result) -> str:
    """The parameters that differ, as old → new."""
    told = []
    for name in type(now.params).model_fields:
        old, new = getattr(before.params, name), getattr(now.params, name)
        if old != new:
            words = extra(type(now.params), name)
            labels: dict[Any, str] = dict(words.get("labels") or {})
            shown = [safe(labels.get(v) or ", ".join(t for _, t in state.pairs({name: v})) or "none", 60) for v in (old, new)]
            told.append(f"{safe(words.get('label') or name)}: {shown[0]} → {shown[1]}")
    return "; ".join(told)
