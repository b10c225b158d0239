"""Every chart, defined once: parameters, table, figure, receipt and words under one id."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.look import Look
from charts.params import ChartParams
from charts.receipt import Receipt
from charts.words import Words
from data.snapshot import Snapshot


@dataclass(frozen=True)
class Preset:
    """A state worth opening: its name in addresses, the words on its button, the claim it speaks to, its parameters."""

    name: str
    label: str
    params: Mapping[str, Any]
    claim: str = ""


def _none(params: Any) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class Chart:
    """One chart. `options` lists, for parameters made with pick() or many(), the names in the store and their words.

    `idle` names the parameters that change nothing in a state, so that a page offers no control for them there.
    """

    id: str
    page: str
    title: str
    params: type[ChartParams]
    table: Callable[[Any, Snapshot], pd.DataFrame]
    figure: Callable[[pd.DataFrame, Any, Look], go.Figure]
    receipt: Callable[[Any, Snapshot], Receipt]
    words: Callable[[pd.DataFrame, Any], Words]
    presets: tuple[Preset, ...] = ()
    options: Mapping[str, Callable[[Snapshot], Mapping[str, str]]] = field(default_factory=dict)
    heights: tuple[int, int] = (540, 430)
    idle: Callable[[Any], frozenset[str]] = _none

    def unknown(self, params: Any, snapshot: Snapshot) -> dict[str, str]:
        """Names that parameters hold and the store does not have at this revision: parameter → a sentence with the nearest."""
        out = {}
        for name, listed in self.options.items():
            given, default = getattr(params, name), self.params.model_fields[name].default
            asked = [value for value in (given if isinstance(given, tuple) else (given,)) if isinstance(value, str) and value]
            if not asked or given == default:
                continue
            known = listed(snapshot)
            if missing := [value for value in asked if value not in known]:
                out[name] = _unknown(name, missing[0], [value for value in known if value])
        return out


def _unknown(name: str, value: str, known: list[str]) -> str:
    """What is not there, and what is: the name most alike, else the first few."""
    short = {text.casefold(): text for text in known}
    alike = difflib.get_close_matches(value.casefold(), short, 1, 0.5) or [text for text in short if value.casefold() in text][:1]
    near = f"the nearest is {short[alike[0]]}" if alike else f"there are {numbers.listed(known, 3)}" if known else "there are none"
    return f"{name}={value[:60]}: the store has no such name at this revision; {near}"


CHARTS: dict[str, Chart] = {}


def register(chart: Chart) -> Chart:
    """Take a chart in; TypeError where its id, receipt or presets do not hold."""
    if not re.fullmatch(r"[a-z]+\.[a-z][a-z0-9_]*", chart.id) or chart.id.split(".")[0] != chart.page:
        raise TypeError(f"chart {chart.id}: an id is <page>.<name> in small letters, and its page is {chart.page}")
    if chart.id in CHARTS and CHARTS[chart.id].table.__module__ != chart.table.__module__:
        raise TypeError(f"chart {chart.id} is defined twice")
    for part in ("table", "figure", "receipt", "words"):
        if not callable(getattr(chart, part)):
            raise TypeError(f"chart {chart.id} has no {part}")
    for preset in chart.presets:
        chart.params(**preset.params)
    CHARTS[chart.id] = chart
    return chart


def get(chart_id: str) -> Chart:
    """The chart of an id; ValueError names the nearest."""
    if chart_id not in CHARTS:
        near = difflib.get_close_matches(chart_id, CHARTS, 1)
        raise ValueError(f"no chart {chart_id!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return CHARTS[chart_id]
