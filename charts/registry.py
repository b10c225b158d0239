"""Every chart, defined once: parameters, table, figure, receipt and words under one id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import plotly.graph_objects as go

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


@dataclass(frozen=True)
class Chart:
    """One chart. `options` lists, for parameters made with pick() or many(), the names in the store and their words."""

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
    import difflib

    if chart_id not in CHARTS:
        near = difflib.get_close_matches(chart_id, CHARTS, 1)
        raise ValueError(f"no chart {chart_id!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return CHARTS[chart_id]
