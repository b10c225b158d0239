"""State and address of a page: which wins when both have changed, and what is written back.

A rerun after an edit takes the widgets' values; any other rerun takes the address where it is neither what was written last
nor what the browser sent last. Widgets are not bound to the address: Streamlit's binding writes labels and drops values equal to a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from pydantic import ValidationError

from charts import registry, state
from charts.params import ChartParams, extra
from charts.registry import Chart
from data.links import UnknownLink
from data.process import the_store

_HELD, _PIN, _WRITTEN, _RECEIVED, _EDITED, _RUN = "_held", "_pin", "_written", "_received", "_edited", "_run"


@dataclass
class Pin:
    """The revision and the link an address asks for, and sentences about what of them could not be had."""

    rev: int | None = None
    link_id: str | None = None
    chart: str | None = None
    notes: list[str] = field(default_factory=list)


@dataclass
class Held:
    """A chart's parameters in this session, and what of the address was ignored for it."""

    params: Any
    ignored: list[str] = field(default_factory=list)


@dataclass
class Run:
    """One run of a page."""

    page: str
    pairs: list[tuple[str, str]]
    address_wins: bool
    focus: str | None
    first: str | None = None
    drawn: dict[str, str] = field(default_factory=dict)


def begin(page: str) -> Run:
    """Start a run of a page: read the address and decide whether it or the widgets win."""
    pairs = [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]
    written = st.session_state.get(_WRITTEN)
    same_page = written is not None and written[0] == page
    asked, before = _as_dict(pairs), st.session_state.get(_RECEIVED)
    # The browser may send what it sent before although the address has been written since: that is no navigation.
    wins = not same_page or (not st.session_state.get(_EDITED) and asked not in (written[1], before))
    st.session_state[_RECEIVED] = asked
    if wins:
        st.session_state[_HELD] = {}
        st.session_state[_PIN] = _read_pin(page, pairs)
    run = Run(page, pairs, wins, pin().chart)
    st.session_state[_RUN] = run
    return run


def finish(run: Run) -> str:
    """End a run: the query string to put into the address bar."""
    pairs: list[tuple[str, str]] = []
    if run.focus in run.drawn and run.focus != run.first:
        pairs.append(("chart", str(run.focus)))
    held = st.session_state[_HELD]
    for chart_id in run.drawn:
        prefix = "" if chart_id == run.focus else chart_id.split(".")[1] + "."
        pairs += [(prefix + name, text) for name, text in state.pairs(held[chart_id].params.model_dump())]
    if pin().rev is not None:
        pairs.append(("rev", str(pin().rev)))
    if pin().link_id is not None:
        pairs.append(("s", str(pin().link_id)))
    if not run.drawn:
        pairs = run.pairs
    st.session_state[_WRITTEN] = (run.page, _as_dict(pairs))
    st.session_state[_EDITED] = False
    return urlencode(pairs)


def current() -> Run:
    """The run now under way."""
    return st.session_state[_RUN]


def pin() -> Pin:
    """What the address pins this session to."""
    return st.session_state.setdefault(_PIN, Pin())


def in_focus(charts: list[str]) -> str:
    """Which of a page's charts is in focus: the address's, the link's, else the first."""
    run = current()
    run.first = run.first or charts[0]
    if run.focus not in charts:
        run.focus = charts[0]
        pin().chart = charts[0]
    return run.focus


def params_of(chart: Chart) -> tuple[Any, list[str]]:
    """A chart's parameters in this run and what of the address was ignored."""
    run, held = current(), st.session_state[_HELD]
    run.first = run.first or chart.id
    if run.focus is None:
        run.focus = chart.id
    run.drawn[chart.id] = chart.id
    if chart.id not in held:
        params, ignored = state.decode(chart.params, _own_pairs(run, chart))
        params, unknown = _known(chart, params)
        ignored += unknown
        held[chart.id] = Held(params, ignored)
        _seed(chart, params)
    else:
        held[chart.id] = _from_widgets(chart, held[chart.id])
    return held[chart.id].params, held[chart.id].ignored


def _known(chart: Chart, params: Any) -> tuple[Any, list[str]]:
    """The parameters without names the store does not have at this revision, and a sentence for each left out."""
    unknown = {
        name: said
        for name, said in chart.unknown(params, the_store().snapshot(pin().rev)).items()
        if not extra(chart.params, name).get("missing_said")
    }
    known = {name: chart.options[name](the_store().snapshot(pin().rev)) for name in unknown}
    kept: dict[str, Any] = {
        name: tuple(v for v in getattr(params, name) if v in known[name])
        if isinstance(getattr(params, name), tuple)
        else chart.params.model_fields[name].default
        for name in unknown
    }
    return params.model_copy(update=kept), [f"ignored {said}" for said in unknown.values()]


def key_of(chart: Chart, name: str) -> str:
    """The widget key of a parameter."""
    return f"{chart.id}:{name}"


def mark_edited() -> None:
    """To be called by every widget when it changes: this rerun's widgets win over the address."""
    st.session_state[_EDITED] = True
    own = pin()
    own.link_id = None
    own.notes = []
    for kept in st.session_state.get(_HELD, {}).values():
        kept.ignored = []


def keep_state() -> None:
    """To be called by buttons that change nothing shown: the address must not win over edits still on their way."""
    st.session_state[_EDITED] = True


def change(chart_id: str, values: Mapping[str, Any]) -> None:
    """Set parameters of a chart from a callback; others stay."""
    chart, held = registry.get(chart_id), st.session_state.setdefault(_HELD, {})
    params = held[chart_id].params if chart_id in held else chart.params()
    try:
        params = chart.params(**{**params.model_dump(), **values})
    except ValidationError:
        return
    held[chart_id] = Held(params)
    _seed(chart, params)
    mark_edited()


def show_chart(chart_id: str) -> None:
    """Bring a chart of the page into focus, from a callback; what both charts ask keeps what the reader set."""
    before = st.session_state.get(_HELD, {}).get(pin().chart or "")
    pin().chart = chart_id
    if before:
        for name in shared(type(before.params), registry.get(chart_id).params, before.params.model_dump()):
            change(chart_id, {name: getattr(before.params, name)})
    mark_edited()


def shared(left: type[ChartParams], opened: type[ChartParams], values: Mapping[str, Any]) -> list[str]:
    """Names of the values that go on from one chart to another: of the same kind, and set by the reader or by default alike in both."""
    old, new = left.model_fields, opened.model_fields
    both = [name for name in values if name in new and old[name].annotation == new[name].annotation]
    return [name for name in both if old[name].default == new[name].default or values[name] != old[name].default]


def show_newest() -> None:
    """Leave the pinned revision or link and show what the store holds now, from a callback."""
    mark_edited()
    own = pin()
    own.rev, own.link_id = None, None


def _as_dict(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name, value in pairs:
        out.setdefault(name, []).append(value)
    return out


def _read_pin(page: str, pairs: list[tuple[str, str]]) -> Pin:
    given = dict(pairs)
    own, store = Pin(), the_store()
    if text := given.get("s"):
        from charts import pinned

        try:
            found = pinned.opened(store, text)
            own.link_id, own.rev, own.chart = found.link.id, found.link.rev, found.chart.id
        except (UnknownLink, ValueError) as wrong:
            own.notes.append(f"Link not opened: {wrong}.")
    if (text := given.get("rev")) and own.link_id is None:
        if text.isascii() and text.isdigit() and len(text) < 15 and 1 <= int(text) <= store.head():
            own.rev = int(text)
        else:
            own.notes.append(f"ignored rev={text[:40]}: revisions 1 to {store.head()} exist. The newest is shown.")
    if text := given.get("chart"):
        known = registry.CHARTS.get(text)
        if known is None:
            own.notes.append(f"ignored chart={text[:60]}: no chart of this name.")
        elif known.page != page:
            own.notes.append(f"ignored chart={text[:60]}: it stands on /{known.page}.")
        else:
            own.chart = text
    return own


def _own_pairs(run: Run, chart: Chart) -> list[tuple[str, str]]:
    if not run.address_wins:
        return []
    if chart.id == run.focus:
        return [(name, value) for name, value in run.pairs if "." not in name and name not in state.RESERVED]
    prefix = chart.id.split(".")[1] + "."
    return [(name.removeprefix(prefix), value) for name, value in run.pairs if name.startswith(prefix)]


def _seed(chart: Chart, params: ChartParams) -> None:
    """Give the widgets of a chart the values of its parameters."""
    for name in chart.params.model_fields:
        st.session_state[key_of(chart, name)] = getattr(params, name)


def _from_widgets(chart: Chart, held: Held) -> Held:
    values, problems = held.params.model_dump(), []
    for name in chart.params.model_fields:
        if (key := key_of(chart, name)) not in st.session_state:
            continue
        given = st.session_state[key]
        try:
            values[name] = getattr(chart.params(**{name: given}), name)
        except ValidationError:
            problems.append(f"not taken: {name}={str(given)[:60]}: {state.accepted(chart.params, name)}")
            st.session_state[key] = values[name]
    return Held(chart.params(**values), problems or held.ignored)
