"""The revisions there are, and taking one back."""

from __future__ import annotations

import streamlit as st

from charts import numbers
from data.process import the_store
from pages._import.show import head, rows, say
from pages._shell import url_state

SHOWN = 25
_ANSWER = "_undo_answer"


def undo(rev: int) -> None:
    """Take a revision back by a new one, and keep what to say about it."""
    url_state.keep_state()
    try:
        done = the_store().undo(rev)
    except (ValueError, OSError) as wrong:
        st.session_state[_ANSWER] = str(wrong)
        return
    st.session_state[_ANSWER] = f"Revision {rev} is taken back by revision {done.rev}."


def history() -> None:
    """The newest revisions with who, what and how much, and a way back from each."""
    store = the_store()
    found = store.revisions()
    head("History")
    if answer := st.session_state.get(_ANSWER):
        say(answer, "data-undone")
    cells = [
        (
            row.rev,
            numbers.date(row.time.date()),
            row.kind,
            row.author or "",
            row.file_name or "",
            f"{row.added:,}",
            f"{row.changed:,}",
            f"{row.removed:,}",
            row.note or "",
        )
        for row in found.head(SHOWN).astype(object).where(found.head(SHOWN).notna(), None).itertuples(index=False)
    ]
    rows(("Revision", "Day", "Kind", "Author", "File", "Added", "Changed", "Removed", "Note"), cells, "data-history")
    if len(found) > SHOWN:
        st.html(f'<div class="rp rp-quiet">The newest {SHOWN} of {len(found):,}; <a href="/api/revisions">all as JSON</a>.</div>')
    revisions = [int(rev) for rev in found.loc[found["kind"] != "shipped", "rev"].head(SHOWN)]
    if revisions:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            chosen = st.selectbox("Revision to take back", revisions, key="undo-rev", label_visibility="collapsed", width=120)
            st.button("Take this revision back", key="undo-button", on_click=undo, args=(chosen,))
