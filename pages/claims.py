"""What was said about AI compute, claim by claim, each with the charts that bear on it."""

import streamlit as st

from charts import numbers, state
from charts.registry import CHARTS
from data.process import the_store
from pages._shell import url_state
from pages._shell.style import safe

SUBJECTS = {"clusters": "Clusters", "chips": "Export controls", "prices": "Inference cost", "serving": "Serving"}

snapshot = the_store().snapshot(url_state.pin().rev)
rows = snapshot.table("claims")
order = {page: i for i, page in enumerate(SUBJECTS)}
rows = rows.assign(
    subject=rows["page"].map(order), letter=rows["claim_id"].str[0], number=rows["claim_id"].str[1:].astype(int)
).sort_values(["subject", "letter", "number"], kind="stable")


def opened(chart, preset) -> str:
    """The address of a preset: every parameter spelled out."""
    return f"/{chart.page}?chart={chart.id}&{state.encode(chart.params(**preset.params))}"


links: dict[str, list[str]] = {}
for chart in sorted(CHARTS.values(), key=lambda c: c.id):
    for preset in chart.presets:
        for claim in preset.claim.replace(",", " ").split():
            links.setdefault(claim, []).append(f'<a href="{safe(opened(chart, preset))}" target="_self">{safe(preset.label)}</a>')

shown = sum(claim in links for claim in rows["claim_id"])
source = rows["source"].iloc[0] if len(rows) else ""
st.html(
    f'<div class="rp"><h1>Claims, each beside the numbers that bear on it</h1><p class="rp-sub">{len(rows)} claims of one conversation '
    f"({safe(source)}), kept as claims with their date; {shown} open on a chart that holds them against other sources.</p></div>"
)
with st.container(horizontal=True, gap="small"):
    asked = st.text_input("Search", placeholder="H20, DeepSeek, power", label_visibility="collapsed", width=280, key="claims-search")
word = asked.casefold().strip()
found = rows[(rows["claim_id"] + " " + rows["claim"]).str.casefold().str.contains(word, regex=False)]
if found.empty:
    st.html('<div class="rp rp-empty" data-empty>No claim has these words. Shorten the search.</div>')
for page, subject in SUBJECTS.items():
    own = found[found["page"] == page]
    if own.empty:
        continue
    body = "".join(
        f"<tr id='{safe(c.claim_id)}'><td><b>{safe(c.claim_id)}</b></td><td>{safe(c.claim)}</td>"
        f"<td>{'<br>'.join(links.get(c.claim_id, []))}</td>"
        f"<td class='num date'>{safe(numbers.date(c.as_of))}</td></tr>"
        for c in own.itertuples()
    )
    head = (
        "<tr><th style='width:3rem'>Id</th><th>Claim</th><th style='width:14rem'>Open</th><th class='num' style='width:7rem'>Said</th></tr>"
    )
    st.html(f'<div class="rp"><h2>{subject}</h2><div class="rp-scroll"><table class="rp-table">{head}{body}</table></div></div>')
