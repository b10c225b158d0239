"""What changed in AI compute: six figures, each opening its chart and its receipt, and the latest revisions."""

import streamlit as st

from charts import numbers
from charts.overview.cards import Card, cards
from charts.overview.spark import spark
from charts.registry import CHARTS
from charts.template import CONFIG
from data.process import the_store
from pages._shell import screen, url_state
from pages._shell.receipt_block import receipt_block
from pages._shell.style import safe

snapshot = the_store().snapshot(url_state.pin().rev)


def turn(topic: str) -> None:
    """Open or close the receipt of a card."""
    st.session_state["_card"] = None if st.session_state.get("_card") == topic else topic


def show(card: Card) -> None:
    """One card."""
    with st.container(border=True, height="stretch"):
        st.html(
            f'<div class="rp"><h3 style="margin:0">{safe(card.topic)}</h3><span class="rp-big">{safe(card.value)}</span>'
            f'<p style="font-size:.93rem;margin:.35rem 0 0;min-height:2.8em">{safe(card.sentence)}</p></div>'
        )
        st.plotly_chart(
            spark(card.shape, screen.look((80, 80))),
            theme=None,
            key=f"spark:{card.topic}",
            config=CONFIG | {"staticPlot": True},
            alt=f"{card.topic}: {card.value}. {card.sentence}",
        )
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            page = st.session_state["_pages"].get(CHARTS[card.chart].page)
            if page is not None:
                st.page_link(page, label=f"{card.to} →", query_params={"chart": card.chart, **{k: str(v) for k, v in card.params.items()}})
            st.button("Receipt", key=f"receipt:{card.topic}", type="tertiary", on_click=turn, args=(card.topic,))
        st.html(f'<div class="rp rp-cite">{safe(card.source)}</div>')


made = cards(snapshot)
st.html(
    f'<div class="rp"><h1>What changed in AI compute</h1><p class="rp-sub">{numbers.in_words(len(made)).capitalize()} figures; '
    f"each opens to its chart and its receipt. Revision {snapshot.rev}, {numbers.date(snapshot.today)}.</p></div>"
)
across = 1 if screen.width() == "phone" else 3
for start in range(0, len(made), across):
    row = made[start : start + across]
    for column, card in zip(st.columns(across, gap="small"), row):
        with column:
            show(card)
    for card in row:
        if st.session_state.get("_card") == card.topic:
            receipt_block(card.receipt(), snapshot.today, title=f"{card.topic}: {card.value}")

revisions = the_store().revisions().head(5)
rows = "".join(
    f"<tr><td>{r.rev}</td><td class='date'>{safe(numbers.date(r.today))}</td><td>{safe(r.note or r.kind)}</td>"
    f"<td>{safe(r.author or '')}</td>" + "".join(f"<td class='num'>{n:,}</td>" for n in (r.added, r.changed, r.removed)) + "</tr>"
    for r in revisions.itertuples()
)
st.html(
    "<div class='rp'><h3>Latest changes</h3><div class='rp-scroll'><table class='rp-table'><tr><th>Revision</th><th>Day</th><th>What</th>"
    "<th>By</th><th class='num'>Added</th><th class='num'>Changed</th><th class='num'>Removed</th></tr>"
    f"{rows}</table></div></div>"
)
