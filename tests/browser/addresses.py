"""Addresses of charts as links on pages write them."""

from charts import registry, state


def address(chart_id: str, preset: str = "", **values) -> str:
    """The page's address with a chart in a preset's state, `values` changed; every parameter is written."""
    chart = registry.get(chart_id)
    params = dict(next(p.params for p in chart.presets if p.name == preset)) if preset else {}
    return f"/{chart.page}?chart={chart_id}&{state.encode(chart.params(**params | values))}"
