"""A quiet watch on the store: says when somebody has committed a newer revision than the one on show."""

from __future__ import annotations

import streamlit as st

from data.process import the_store
from pages._shell import style, url_state

EVERY_S = 20


@st.fragment(run_every=EVERY_S)
def watch(shown_rev: int) -> None:
    """Look every 20 seconds; offer the newest where there is one, never reload by itself."""
    head = the_store().head()
    if head <= shown_rev:
        return
    pinned = url_state.pin().rev is not None
    said = (
        f"You see revision {shown_rev}; the newest is {head}."
        if pinned
        else f"Newer data: revision {head} has come since this page was drawn."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="newer-data"):
        st.html(f'<div class="rp rp-note" data-newer="{head}">{style.safe(said)}</div>', width="content")
        if st.button("Show the newest", key="show-newest", on_click=url_state.show_newest):
            st.rerun(scope="app")
