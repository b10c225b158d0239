"""Every source: how many rows rest on it, in which tables, how old, on which rung of confidence."""

import streamlit as st

from charts import numbers
from charts.numbers import OLD_DAYS, age, age_days
from charts.text import web_address
from data.process import the_store
from data.queries import sources
from pages._shell import url_state
from pages._shell.style import safe

SHOWN = 100

snapshot = the_store().snapshot(url_state.pin().rev)
every, tables = sources.by_source(snapshot), sources.tables(snapshot)
st.html(
    f'<div class="rp"><h1>Where the numbers come from</h1><p class="rp-sub">{len(every):,} sources, {int(tables["rows"].sum()):,} rows in '
    f"{len(tables)} tables. Revision {snapshot.rev}, {numbers.date(snapshot.today)}.</p></div>"
)
st.html(
    '<div class="rp rp-cover"><p>Each row says who says so and when. On screen one ladder of confidence: <b>primary</b> (filing, '
    "datasheet, measured), <b>reported</b>, <b>modelled</b>, <b>claim</b>; with the flags <i>single source</i> and <i>not re-read</i> (its "
    "page was not opened again, so it is not linked). Rows older than 180 days turn grey with their age.</p></div>"
)
with st.container(horizontal=True, gap="small"):
    asked = st.text_input("Search", placeholder="source, address", label_visibility="collapsed", width=280, key="sources-search")
    names = ["", *tables["name"]]
    table = st.selectbox(
        "Table",
        names,
        format_func=lambda n: n.replace("_", " ") or "every table",
        label_visibility="collapsed",
        width=260,
        key="sources-table",
    )
word = asked.casefold().strip()
match = every["title"].fillna("").str.casefold().str.contains(word, regex=False) | every["url"].fillna("").str.casefold().str.contains(
    word, regex=False
)
found = every[match & every["tables"].str.split(", ").map(lambda held: not table or table in held)]


def line(row) -> str:
    """One source as a row of the table."""
    days = age_days(row.newest or None, snapshot.today)
    old = ' class="old"' if days is not None and days > OLD_DAYS else ""
    address = web_address(row.url)
    title = f'<a href="{safe(address)}" target="_blank" rel="noopener">{safe(row.title)}</a>' if address else safe(row.title)
    return (
        f"<tr{old}><td>{title}</td><td class='num'>{row.rows:,}</td><td>{safe(row.tables.replace('_', ' '))}</td><td>{safe(row.rungs)}</td>"
        f"<td class='num date'>{safe(numbers.date(row.newest) if row.newest else '')}</td><td class='num'>{age(days)}</td></tr>"
    )


if found.empty:
    st.html('<div class="rp rp-empty" data-empty>No source matches. Shorten the search, or take every table.</div>')
else:
    head = (
        "<tr><th>Source</th><th class='num'>Rows</th><th>Tables</th><th>Confidence</th>"
        "<th class='num'>Newest</th><th class='num'>Age</th></tr>"
    )
    rows = "".join(line(row) for row in found.head(SHOWN).itertuples())
    st.html(f"<div class='rp rp-scroll'><table class='rp-table'>{head}{rows}</table></div>")
    if len(found) > SHOWN:
        st.html(f'<div class="rp rp-quiet">The first {SHOWN} of {len(found):,}; the search narrows them.</div>')

st.html('<div class="rp"><h2 style="margin-top:1rem">Tables</h2></div>')
head = "<tr><th>Table</th><th>What a row is</th><th class='num'>Rows</th><th>Credit</th></tr>"
rows = "".join(
    f"<tr><td>{safe(t.title)}</td><td>{safe(t.about)}</td><td class='num'>{t.rows:,}</td><td>{safe(t.credit)}</td></tr>"
    for t in tables.itertuples()
)
st.html(f"<div class='rp rp-scroll'><table class='rp-table'>{head}{rows}</table></div>")
