"""The script every run starts with: menu, column, style, the page, and the address it leaves behind."""

from __future__ import annotations

import logging

import streamlit as st

from data.process import the_store
from data.store import StoreBusy
from pages._shell import components, menu, newer, screen, style, url_state
from pages._shell.chart_block import chart_block

ENTRIES = menu.entries()
PAGES = {entry.file: st.Page(entry.path, title=entry.title, url_path=entry.address, default=not entry.address) for entry in ENTRIES}

embedded = bool(st.context.is_embedded)
chosen = st.navigation(list(PAGES.values()), position="hidden" if embedded else "top")
entry = next(e for e in ENTRIES if PAGES[e.file] is chosen or e.address == chosen.url_path)
st.set_page_config(page_title=f"{chosen.title} · Ridgepoint" if entry.address else "Ridgepoint", layout="wide")
st.session_state["_pages"] = PAGES
st.html(style.sheet(screen.theme()))
if not embedded:
    st.logo(menu.FOLDER / "_shell" / "static" / f"ridgepoint-{screen.theme()}.svg", size="large")

column = st.container(horizontal_alignment="center").container(width=1160 if not embedded else "stretch")
with column:
    try:
        store = the_store()
    except (StoreBusy, ValueError) as wrong:
        st.html(f'<div class="rp"><h2>The store cannot be opened</h2><p>{style.safe(wrong)}</p></div>')
        st.stop()
    run = url_state.begin(entry.file)
    for sentence in url_state.pin().notes:
        st.html(f'<div class="rp rp-note">{style.safe(sentence)}</div>')
    try:
        if embedded and (chart_id := url_state.pin().chart or entry.chart):
            chart_block(chart_id)
        else:
            chosen.run()
    except Exception:  # whatever it is, the reader gets a sentence and the log the rest
        logging.getLogger(__name__).exception("page %s failed", entry.file)
        st.html('<div class="rp rp-note" data-failed>This page could not be drawn; what went wrong stands in the server\'s log.</div>')
    screen.ask()  # it may draw the page again: an edit must not count as written before its address is
    query = url_state.finish(run)
    shown_rev = url_state.pin().rev or store.head()
    if not embedded:
        newer.watch(shown_rev)
    components.write_address(query)
    st.html(f'<span hidden data-rev="{shown_rev}" data-page="{entry.file}" data-query="{style.safe(query)}"></span>')
