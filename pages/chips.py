"""Export controls: which chips meet which clause, for whom, on which day; what was cut, what if, what flowed."""

import streamlit as st

from charts.chips.views import CONTROLS, GROUPS
from pages._shell.chart_block import chart_block
from pages._shell.clause_list import clause_list
from pages._shell.views import grouped_views

shown = grouped_views(GROUPS)
result = chart_block(shown, controls=CONTROLS[shown])
if shown == "chips.case" and result is not None and not result.table.empty and not st.context.is_embedded:
    clause_list(result.table)
