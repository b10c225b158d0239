"""What a chart shows at a revision, computed once and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from charts.look import Look
from charts.receipt import Receipt
from charts.registry import Chart
from charts.words import Words
from data.model_version import model_version
from data.snapshot import Snapshot

KEPT = 256
#: Results whose figures are kept: a figure is thousands of objects, and Streamlit has them all walked after every run.
FIGURES = 24


@dataclass(frozen=True)
class Result:
    """A chart's table at a revision, with its words; the receipt is worked out when it is first asked for."""

    chart: Chart
    params: Any
    snapshot: Snapshot
    table: pd.DataFrame
    words: Words
    rev: int
    model: str
    _drawn: dict[Look, go.Figure] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def receipt(self) -> Receipt:
        """Formulas, inputs, assumptions and error behind the chart."""
        return self.chart.receipt(self.params, self.snapshot)

    def figure(self, look: Look) -> go.Figure:
        """The chart drawn, once for each look; shared between callers, so its data are never to be changed."""
        found = self._drawn.get(look)
        if found is None:
            found = self._drawn[look] = self.chart.figure(self.table, self.params, look)
        with _lock:
            _drawn_last[id(self)] = self
            _drawn_last.move_to_end(id(self))
            while len(_drawn_last) > FIGURES:
                _drawn_last.popitem(last=False)[1]._drawn.clear()
        return found


_kept: OrderedDict[tuple, Result] = OrderedDict()
_drawn_last: OrderedDict[int, Result] = OrderedDict()
_lock = threading.Lock()


def compute(chart: Chart, params: Any, snapshot: Snapshot) -> Result:
    """The result for these parameters at this snapshot; drafts are never kept."""
    key = (id(snapshot.store), chart.id, params, snapshot.rev, snapshot.today, model_version())
    if not snapshot.draft:
        with _lock:
            if key in _kept:
                _kept.move_to_end(key)
                return _kept[key]
    table = chart.table(params, snapshot)
    result = Result(chart, params, snapshot, table, chart.words(table, params), snapshot.rev, model_version())
    if not snapshot.draft:
        with _lock:
            _kept[key] = result
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    return result
