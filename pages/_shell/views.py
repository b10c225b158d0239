"""Several charts on one page, one in sight: only it is computed, and the address is its own."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages._shell import screen, url_state


def views(names: Mapping[str, str]) -> str:
    """A row of views; returns the id of the chart in focus, to be given to `chart_block`.

    Parameters: names, chart id → words on its button; the first is where the page opens.
    """
    ids = list(names)
    focus = url_state.in_focus(ids)
    if st.context.is_embedded:
        return focus
    page = url_state.current().page
    key = f"_view:{page}"
    if st.session_state.get(key) != focus:
        st.session_state[key] = focus

    def turned() -> None:
        url_state.show_chart(st.session_state[key])

    if screen.width() == "phone":
        st.selectbox("View", ids, ids.index(focus), format_func=names.__getitem__, key=key, on_change=turned, label_visibility="collapsed")
    else:
        st.segmented_control(
            "View",
            ids,
            default=focus,
            format_func=names.__getitem__,
            key=key,
            on_change=turned,
            required=True,
            label_visibility="collapsed",
        )
    return focus
