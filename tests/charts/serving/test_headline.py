"""The number two scenarios are compared by."""

import pytest

from charts import registry
from charts.serving.headline import headline
from charts.serving.views import VIEWS


@pytest.mark.parametrize("chart_id", [c for c in VIEWS if c not in ("serving.error", "serving.versions")])
def test_every_preset_with_a_model_has_a_number(snapshot, chart_id):
    chart = registry.get(chart_id)
    for preset in chart.presets:
        params = chart.params(**preset.params)
        found = headline(chart_id, chart.table(params, snapshot), params)
        assert found is not None and found.value > 0 and found.label and found.text


def test_measured_points_have_none(snapshot):
    chart = registry.get("serving.error")
    assert headline("serving.error", chart.table(chart.params(), snapshot), chart.params()) is None
