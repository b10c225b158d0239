"""Export controls: which chips meet which clause, for whom, on which day; what was cut, what if, what flowed."""

import streamlit as st

from charts.chips import NOT_ADVICE
from charts.chips.views import CONTROLS, GROUPS
from pages._shell.chart_block import chart_block
from pages._shell.style import safe
from pages._shell.views import grouped_views

shown = grouped_views(GROUPS)
chart_block(shown, controls=CONTROLS[shown])
st.html(f'<div class="rp rp-note">{safe(NOT_ADVICE)}</div>')
