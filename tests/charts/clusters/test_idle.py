"""Controls are offered where they change something: what a chart calls idle in a state changes neither drawing nor words there."""

from __future__ import annotations

from typing import get_args, get_origin

import pytest

import charts
from charts import compute, registry
from charts.clusters.views import CONTROLS
from charts.look import Look
from pages._shell import url_state

STATES = [
    ("chain", {}), ("chain", {"start": "site"}), ("chain", {"show": "generations"}),
    ("money", {}), ("money", {"basis": "server", "measure": "hour"}), ("money", {"basis": "section", "measure": "life"}),
    ("training", {}), ("training", {"compute": "flop", "show": "days"}),
    ("scale", {}), ("scale", {"show": "sites"}), ("scale", {"show": "hierarchy"}),
    ("whatif", {"count": 300_000, "it_mw": 500, "pue": 1.2}),
    ("power", {"voices": "all", "by": "owner"}), ("ranking", {"voices": "newest"}), ("concentration", {"voices": "all"}),
    ("quarters", {"voices": "all"}), ("growth", {}), ("map", {"voices": "newest"}),
    ("fleet", {"chips": ("h200-sxm",)}), ("fleet", {"limit": "power", "chips": ("h200-sxm",)}),
]  # fmt: skip
NAMES = {"source": "TOP500 list, June 2025", "chip": "b200", "chips": ("b200",), "compare": ("b200",), "country": "Norway"}


def moved(params, name):
    """The parameters with one of them set to something else."""
    value, field = getattr(params, name), type(params).model_fields[name]
    if get_origin(field.annotation) is not None and get_args(field.annotation)[0] is not str:
        return params.model_copy(update={name: next(v for v in get_args(field.annotation) if v != value)})
    if isinstance(value, bool):
        return params.model_copy(update={name: not value})
    if isinstance(value, (str, tuple)):
        return params.model_copy(update={name: NAMES[name]})
    high = next(m.le for m in field.metadata if hasattr(m, "le"))
    return params.model_copy(update={name: type(value)(value * 2 if 0 < value * 2 <= high else value / 2 or high / 4)})


@pytest.mark.parametrize(("name", "values"), STATES, ids=str)
def test_what_is_idle_changes_nothing(shipped, name, values):
    chart = registry.get(f"clusters.{name}")
    params = chart.params(**values)

    def shown(at):
        result = compute.compute(chart, at, shipped)
        return result.figure(Look()).to_json(), result.words

    idle, before = chart.idle(params), shown(params)
    assert idle and idle < set(chart.params.model_fields)
    for parameter in sorted(idle):
        assert shown(moved(params, parameter)) == before, parameter
    assert [c for c in CONTROLS[chart.id] if c not in idle], "something is left to choose"


@pytest.mark.parametrize(
    ("left", "values", "opened", "passed_on"),
    [
        ("consistency", {}, "fleet", {"chips": False}),  # no filter is not "no chips"
        ("consistency", {"chips": ("h20",)}, "fleet", {"chips": True}),
        ("scale", {"chips": 5000}, "consistency", {"chips": False}),  # a count is no list of names
        ("power", {"owners": ("Google",)}, "ranking", {"owners": True, "find": True}),
        ("power", {}, "growth", {"quantity": False}),
        ("power", {"quantity": "h100e"}, "growth", {"quantity": True}),
    ],
)
def test_from_view_to_view_goes_what_the_reader_set(left, values, opened, passed_on):
    charts.load_all()
    old, new = registry.get(f"clusters.{left}").params, registry.get(f"clusters.{opened}").params
    names = url_state.shared(old, new, old(**values).model_dump())
    assert {name: name in names for name in passed_on} == passed_on
