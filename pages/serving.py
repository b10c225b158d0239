"""Serving economics: what a reasoning model takes, and why."""

from charts.serving.headline import headline
from charts.serving.views import CONTROLS, VIEWS
from pages._shell import picked_run
from pages._shell.chart_block import chart_block
from pages._shell.compare import compare
from pages._shell.presets import presets_row
from pages._shell.views import views

shown = views(VIEWS)
presets_row(shown)
if shown == "serving.error":
    result = chart_block(shown, controls=CONTROLS[shown], on_pick=picked_run.pick)
    picked_run.show(result)
else:
    result = chart_block(shown, controls=CONTROLS[shown])
if result is not None:
    compare(result, headline)
