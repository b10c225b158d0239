"""A chart's presets as a row: one click opens the state that makes the point."""

from __future__ import annotations

import streamlit as st

from charts import registry
from pages._shell import screen, url_state


def presets_row(chart_id: str) -> None:
    """Buttons for a chart's presets; not in embeds. The one on show is disabled."""
    chart = registry.get(chart_id)
    if not chart.presets or st.context.is_embedded:
        return
    now, _ = url_state.params_of(chart)
    narrow = screen.width() == "phone"
    with st.popover("Start from") if narrow else st.container(horizontal=True, wrap=True, gap="xsmall"):
        for preset in chart.presets:
            values = chart.params(**preset.params)
            st.button(
                preset.label,
                key=f"preset:{chart_id}:{preset.name}",
                type="tertiary",
                disabled=values == now,
                on_click=url_state.change,
                args=(chart_id, values.model_dump()),
            )
