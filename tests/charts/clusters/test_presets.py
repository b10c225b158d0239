"""States worth opening show something, and say it plainly."""

from __future__ import annotations

import pytest

from charts import compute, registry
from charts.clusters.views import VIEWS

QUICK = [chart for chart in VIEWS if chart != "clusters.fleet"]  # whose presets test_fleet opens


@pytest.mark.parametrize("chart_id", QUICK)
def test_a_preset_is_never_empty(shipped, chart_id):
    chart = registry.get(chart_id)
    for preset in chart.presets:
        words = compute.compute(chart, chart.params(**preset.params), shipped).words
        assert not words.empty, (preset.name, words.empty)


def test_two_ends_that_read_the_same_are_one(shipped):
    chart = registry.get("clusters.training")
    preset = next(p for p in chart.presets if p.name == "deepseek-v3")
    assert (
        compute.compute(chart, chart.params(**preset.params), shipped).words.finding == "The model is 0.90 × what was published of this run"
    )


def test_what_is_only_asked_for_is_told_beside_what_is_firm(shipped):
    # Abilene: 200 MW of grid runs; of 2.2 GW only the claim of February 2025 speaks.
    chart = registry.get("clusters.secured")
    preset = next(p for p in chart.presets if p.name == "abilene")
    said = compute.compute(chart, chart.params(**preset.params), shipped).words.finding
    assert said == "200 MW of grid for Stargate Abilene is the largest firm project; 2.2 GW of grid is not firm"
