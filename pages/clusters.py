"""Cluster buildouts: who has how much power, where and when."""

from pages._shell.chart_block import chart_block
from pages._shell.views import views

VIEWS = {"clusters.power": "Over time"}
CONTROLS = {"clusters.power": ["by", "quantity", "source", "voices"]}

shown = views(VIEWS)
chart_block(shown, controls=CONTROLS[shown])
