"""Cluster buildouts: who has how much power, where and when; what was promised; and every cluster's file."""

from typing import Any

from charts.clusters.views import CONTROLS, GROUPS
from pages._shell import cluster_details, url_state
from pages._shell.chart_block import chart_block
from pages._shell.views import grouped_views


def open_file(picked: Any) -> None:
    """Open the file of a cluster whose mark was clicked."""
    cluster = picked[0] if isinstance(picked, list) else picked
    if isinstance(cluster, str) and cluster:
        url_state.show_chart("clusters.file")
        url_state.change("clusters.file", {"cluster": cluster})


shown = grouped_views(GROUPS)
result = chart_block(shown, controls=CONTROLS[shown], on_pick=None if shown == "clusters.file" else open_file)
if shown == "clusters.file" and result is not None and len(result.table):
    cluster_details.show(result)
