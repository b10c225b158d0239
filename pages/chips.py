"""Export controls: which chips meet which clause, for whom, on which day; what was cut, what if, what flowed."""

import streamlit as st

from charts.chips import NOT_ADVICE
from charts.chips.views import CONTROLS, GROUPS, VIEWS
from pages._shell import screen, url_state
from pages._shell.chart_block import chart_block
from pages._shell.style import safe
from pages._shell.views import views

GROUP_KEY = "_chips_group"


def turn() -> None:
    """Open the first chart of the group chosen."""
    url_state.show_chart(next(iter(GROUPS[st.session_state[GROUP_KEY]])))


focus = url_state.in_focus(list(VIEWS))
group = next(name for name, charts in GROUPS.items() if focus in charts)
if screen.width() == "phone" or st.context.is_embedded:
    shown = views(VIEWS)
else:
    st.session_state[GROUP_KEY] = group
    st.segmented_control("Subject", list(GROUPS), key=GROUP_KEY, on_change=turn, required=True, label_visibility="collapsed")
    shown = views(GROUPS[group])
chart_block(shown, controls=CONTROLS[shown])
st.html(f'<div class="rp rp-note">{safe(NOT_ADVICE)}</div>')
