"""Cluster buildouts: who has how much power, where and when; what was promised; and every cluster's file."""

from charts.clusters.views import CONTROLS, VIEWS
from pages._shell.chart_block import chart_block
from pages._shell.views import views

shown = views(VIEWS)
chart_block(shown, controls=CONTROLS[shown])
