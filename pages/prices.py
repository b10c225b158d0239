"""Inference cost: how fast intelligence gets cheaper, and why."""

from charts.prices.views import CONTROLS, GROUPS
from pages._shell.chart_block import chart_block
from pages._shell.views import grouped_views

shown = grouped_views(GROUPS)
chart_block(shown, controls=CONTROLS[shown])
