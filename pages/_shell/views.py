"""Several charts on one page, one in sight, by subject where there are many: only it is computed, and the address is its own."""

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


def grouped_views(groups: Mapping[str, Mapping[str, str]]) -> str:
    """A row of subjects above a row of views (one list on a phone); returns the id of the chart in focus.

    Parameters: groups, subject → (chart id → words on its button); the first chart of the first is where the page opens.
    """
    every = {chart: words for charts in groups.values() for chart, words in charts.items()}
    if screen.width() == "phone" or st.context.is_embedded:
        return views(every)
    focus = url_state.in_focus(list(every))
    key = f"_subject:{url_state.current().page}"
    st.session_state[key] = next(subject for subject, charts in groups.items() if focus in charts)

    def turned() -> None:
        url_state.show_chart(next(iter(groups[st.session_state[key]])))

    st.segmented_control("Subject", list(groups), key=key, on_change=turned, required=True, label_visibility="collapsed")
    return views(groups[st.session_state[key]])
