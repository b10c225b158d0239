"""Controls made from a chart's parameter model: one row in sight, the rest one click away.

Every widget gets its value as its default as well: what stands in a closed popover reaches the browser only when it is opened,
long after the run that set it.
"""

from __future__ import annotations

import datetime
import math
import re
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from charts.numbers import plain
from charts.params import extra
from charts.registry import Chart
from charts.state import bare
from data.snapshot import Snapshot
from pages._shell import screen, url_state

SEGMENTS_CHARS = 46
SLIDER_STEPS = 200
LISTED = 24
MOST_OPTIONS = 1000


def control_row(chart: Chart, params: Any, snapshot: Snapshot, names: Sequence[str] | None) -> None:
    """Draw the controls of what the chart draws now.

    Parameters: chart; its parameters now; the snapshot names are listed from; names of the parameters in the row (the first
    three by default). The others stand in a popover at its end. What is idle in this state has no control, but keeps its value.
    """
    idle = chart.idle(params)
    every = [name for name in chart.params.model_fields if name not in idle]
    row = [name for name in names if name not in idle] if names is not None else every[:3]
    rest = [name for name in every if name not in row]
    with st.container(horizontal=True, wrap=True, vertical_alignment="bottom", gap="small"):
        for name in row:
            control(chart, params, snapshot, name)
        if rest:
            with st.popover("More", icon=None if screen.width() == "phone" else ":material/tune:"):
                for name in rest:
                    control(chart, params, snapshot, name, labelled=True)


def control(chart: Chart, params: Any, snapshot: Snapshot, name: str, *, labelled: bool = False) -> None:
    """Draw one control. Its label is shown where the value does not speak for itself, or where asked."""
    told = extra(chart.params, name)
    field = chart.params.model_fields[name]
    key, label = url_state.key_of(chart, name), str(told.get("label") or name)
    common = {"key": key, "help": field.description if labelled else None, "on_change": url_state.mark_edited}
    value = getattr(params, name)
    if key not in st.session_state:
        st.session_state[key] = value
    kind = told.get("widget")
    quiet: Literal["visible", "collapsed"] = "visible" if labelled else "collapsed"
    if kind == "choice":
        _choice(label, told.get("labels") or {}, field.annotation, value, common, quiet)
    elif kind == "pick":
        options = dict(chart.options[name](snapshot)) if name in chart.options else {}
        if len(options) > MOST_OPTIONS:
            options = _narrowed(options, key)
        if value not in options:
            options = {value: str(value) or f"any {label.lower()}"} | options
        names = list(options)
        st.selectbox(label, names, names.index(value), format_func=lambda v: options.get(v, v), label_visibility=quiet, width=260, **common)
    elif kind == "many":
        _many(chart, name, label, tuple(value), chart.options[name](snapshot) if name in chart.options else {})
    elif kind == "number":
        _number(label, told, field, value, common)
    elif kind == "flag":
        st.toggle(label, value, **common)
    elif kind == "area":
        st.text_area(label, value, max_chars=_longest(field), **common)
    elif kind == "words":
        st.text_input(label, value, max_chars=_longest(field), placeholder=label, label_visibility=quiet, width=220, **common)
    elif kind == "day":
        st.date_input(
            label,
            value,
            format="YYYY-MM-DD",
            min_value=datetime.date(1990, 1, 1),
            max_value=datetime.date(2060, 12, 31),
            width=170,
            **common,
        )


def _narrowed(options: Mapping[str, str], key: str) -> dict[str, str]:
    """The first thousand names with the letters searched for: a longer list would weigh megabytes in the browser."""
    asked = st.text_input(
        "Search", key=f"{key}?", placeholder="search", label_visibility="collapsed", on_change=url_state.keep_state, width=160
    )
    found = [(v, w) for v, w in options.items() if asked.casefold() in w.casefold()]
    return dict(found[:MOST_OPTIONS])


def _choice(
    label: str, labels: Mapping[str, str], annotation: Any, value: Any, common: dict[str, Any], quiet: Literal["visible", "collapsed"]
) -> None:
    options = list(typing.get_args(bare(annotation)))
    words = [labels.get(o, str(o)) for o in options]
    short = sum(map(len, words)) <= (26 if screen.width() == "phone" else SEGMENTS_CHARS) and len(options) <= 4
    if short:
        st.segmented_control(
            label, options, default=value, format_func=lambda v: labels.get(v, str(v)), required=True, label_visibility=quiet, **common
        )
    else:
        width = min(360, 70 + 8 * max(map(len, words)))
        st.selectbox(
            label, options, options.index(value), format_func=lambda v: labels.get(v, str(v)), label_visibility=quiet, width=width, **common
        )


def _number(label: str, told: dict[str, Any], field: Any, value: Any, common: dict[str, Any]) -> None:
    low = next(m.ge for m in field.metadata if hasattr(m, "ge"))
    high = next(m.le for m in field.metadata if hasattr(m, "le"))
    whole = bare(field.annotation) is int
    unit = str(told.get("unit") or "")
    shown = f"{label}, {unit}" if unit else label
    step = told.get("step") or (1 if whole else None)
    if told.get("log"):
        exponents = range(math.floor(math.log10(low)) if low > 0 else -9, math.ceil(math.log10(high)) + 1)
        steps = sorted(
            {
                low,
                high,
                value,
                *(s for e in exponents for m in (1, 2, 5) if low < (s := float(f"{m}e{e}")) < high and (not whole or s >= 1)),
            }
        )
        options = [int(s) for s in steps] if whole else [float(s) for s in steps]
        _hold(common["key"], int(value) if whole else float(value))
        st.select_slider(shown, options, value=int(value) if whole else float(value), format_func=plain, width=240, **common)
        return
    kind = int if whole else float
    _hold(common["key"], kind(value))
    if step and (high - low) / step <= SLIDER_STEPS:
        st.slider(
            shown,
            value=kind(value),
            min_value=kind(low),
            max_value=kind(high),
            step=kind(step),
            width=240,
            format=None if whole else "%g",
            **common,
        )
    else:
        st.number_input(
            shown,
            value=kind(value),
            min_value=kind(low),
            max_value=kind(high),
            step=kind(step) if step else None,
            width=180,
            format=None if whole else "%g",
            **common,
        )


def _many(chart: Chart, name: str, label: str, chosen: tuple[str, ...], options: Mapping[str, str]) -> None:
    """Checkboxes in a popover: chips of a multiselect are unreadable on a dark page."""
    words = {**{v: v for v in chosen}, **options}
    said = (
        f"{label}: all"
        if not chosen
        else f"{label}: {words[chosen[0]]}"
        if len(chosen) == 1
        else f"{label}: {len(chosen)} of {len(options)}"
    )
    with st.popover(_letters(said[:48])):
        found = words
        if len(words) > 12:
            key = f"{url_state.key_of(chart, name)}?"
            asked = st.text_input("Search", key=key, placeholder="search", label_visibility="collapsed", on_change=url_state.keep_state)
            found = {v: w for v, w in words.items() if asked.casefold() in w.casefold() or v in chosen}
        if chosen:
            st.button("All", key=f"{url_state.key_of(chart, name)}!", on_click=url_state.change, args=(chart.id, {name: ()}))
        for value, word in list(found.items())[:LISTED]:
            key = f"{url_state.key_of(chart, name)}={value}"
            _hold(key, value in chosen)
            st.checkbox(_letters(word), value in chosen, key=key, on_change=_toggle, args=(chart.id, name, value, chosen))
        if len(found) > LISTED:
            st.caption(f"{len(found) - LISTED} more: search narrows the list.")


def _toggle(chart_id: str, name: str, value: str, chosen: tuple[str, ...]) -> None:
    kept = tuple(v for v in chosen if v != value) if value in chosen else (*chosen, value)
    url_state.change(chart_id, {name: kept})


def _letters(text: str) -> str:
    """Text from files as a label that Streamlit shows letter for letter: it reads labels as Markdown."""
    return re.sub(r"([\\`*_\[\]()<>:$#!~|{}])", r"\\\1", text)


def _hold(key: str, value: Any) -> None:
    """Give a widget a value only where it has another: a value set by us goes back to the browser and undoes the reader's next step."""
    held = st.session_state.get(key)
    if held != value or type(held) is not type(value):
        st.session_state[key] = value


def _longest(field: Any) -> int | None:
    return next((m.max_length for m in field.metadata if hasattr(m, "max_length")), None)
