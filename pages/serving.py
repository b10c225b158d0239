"""Serving economics: what a reasoning model takes, and why."""

from charts.serving.views import CONTROLS, VIEWS
from pages._shell.chart_block import chart_block
from pages._shell.views import views

shown = views(VIEWS)
chart_block(shown, controls=CONTROLS[shown])
