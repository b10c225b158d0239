"""A chart on a page, whole: finding, subtitle, controls, figure, coverage, citation, table, downloads, receipt, link."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from charts import compute, numbers, pinned, registry, template
from charts.compute import Result
from charts.receipt import Receipt
from charts.registry import Chart
from charts.words import Words
from data.process import the_store
from data.snapshot import Snapshot
from pages._shell import components, controls, panels, screen, url_state
from pages._shell.receipt_block import receipt_block
from pages._shell.style import safe

_PANELS = (("table", "Table", ":material/table:"), ("receipt", "Receipt", ":material/receipt_long:"))


def chart_block(
    chart_id: str,
    controls: Sequence[str] | None = None,
    *,
    on_pick: Callable[[Any], None] | None = None,
    draft: Mapping[str, Any] | None = None,
    receipt_open: bool = False,
) -> Result | None:
    """Draw a chart with everything around it.

    Parameters: chart_id; controls, names of the parameters shown in its row (the first three by default, the others one click
    away); on_pick, called with the customdata of a mark the reader clicks; draft, uncommitted rows by table to show as well;
    receipt_open, whether the receipt is open at first. Returns: what is shown, None where it could not be computed.
    """
    chart = registry.get(chart_id)
    params, ignored = url_state.params_of(chart)
    snapshot = _snapshot(chart, draft)
    try:
        result, link_id, notice = _result(chart, params, snapshot)
    except ValueError as wrong:
        last: Result | None = st.session_state.get(f"_last:{chart.id}")
        _heading(last.words if last else Words(finding=chart.title))
        control_row(chart, params, snapshot, controls)
        aside = " The chart below is the last one that could be computed." if last else ""
        st.html(f'<div class="rp rp-note" data-problem>{safe(wrong)}{"" if str(wrong).endswith((".", "?")) else "."}{aside}</div>')
        if last and not last.words.empty:
            _draw(chart, last, None)
        return None
    st.session_state[f"_last:{chart.id}"] = result
    _heading(result.words)
    for sentence in ignored:
        st.html(f'<div class="rp rp-note" data-ignored>{safe(sentence)}</div>')
    if notice:
        _moved_on(notice)
    control_row(chart, params, snapshot, controls)
    if result.words.empty:
        _empty(chart, result.words)
    else:
        _draw(chart, result, on_pick)
    _below(result)
    _citation(result, link_id)
    _buttons(result, link_id, receipt_open, draft is not None)
    return result


def control_row(chart: Chart, params: Any, snapshot: Snapshot, names: Sequence[str] | None) -> None:
    """The controls, not in embeds."""
    if chart.params.model_fields and not st.context.is_embedded:
        controls.control_row(chart, params, snapshot, names)


def _snapshot(chart: Chart, draft: Mapping[str, Any] | None) -> Snapshot:
    snapshot = the_store().snapshot(url_state.pin().rev)
    return snapshot.with_draft(dict(draft)) if draft else snapshot


def _result(chart: Chart, params: Any, snapshot: Snapshot) -> tuple[Result, str | None, pinned.Notice | None]:
    """What to show: a link's own table where its state is on show, else the chart computed."""
    own = url_state.pin()
    if own.link_id and own.chart == chart.id and not snapshot.draft:
        found = pinned.opened(the_store(), own.link_id)
        if found.params == params:
            link = found.link
            result = Result(
                chart,
                params,
                the_store().snapshot(link.rev, today=link.today),
                found.table,
                Words.from_json(link.words),
                link.rev,
                link.model,
            )
            result.__dict__["receipt"] = Receipt.from_json(link.receipt)
            return result, link.id, _notice(found)
    return compute.compute(chart, params, snapshot), None, None


def _notice(found: pinned.Pinned) -> pinned.Notice | None:
    """What has changed since a link was made; worked out once a session, revision and day."""
    store = the_store()
    key = (found.link.id, store.head(), store.settings.day())
    kept: dict[Any, Any] = st.session_state.setdefault("_notices", {})
    if key not in kept:
        kept[key] = pinned.notice(store, found)
    return kept[key]


def _heading(words: Words) -> None:
    sub = f'<p class="rp-sub">{safe(words.subtitle)}</p>' if words.subtitle else ""
    st.html(f'<div class="rp"><h2>{safe(words.finding)}</h2>{sub}</div>')


def _moved_on(notice: pinned.Notice) -> None:
    old_new = (
        f"<br>Then: {safe(notice.old_finding)}.<br>Now: {safe(notice.new_finding)}." if notice.old_finding != notice.new_finding else ""
    )
    st.html(f'<div class="rp rp-note" data-notice="{safe(",".join(notice.causes))}">{safe(notice.sentence)}{old_new}</div>')
    st.button("Show what it is now", key="link-newest", on_click=url_state.show_newest)


def _empty(chart: Chart, words: Words) -> None:
    with st.container(border=True, horizontal_alignment="center", vertical_alignment="center", height=260, gap="small"):
        st.html(f'<div class="rp" data-empty style="text-align:center"><b>Nothing to draw.</b> {safe(words.empty)}</div>')
        if words.way_out:
            st.button("Show the nearest", key=f"way-out:{chart.id}", on_click=url_state.change, args=(chart.id, words.way_out))


def _draw(chart: Chart, result: Result, on_pick: Callable[[Any], None] | None) -> None:
    figure = result.figure(screen.look(chart.heights))
    key = f"figure:{chart.id}"
    picked: dict[str, Any] = {}
    if on_pick is not None:

        def chosen() -> None:
            url_state.keep_state()
            points = (st.session_state.get(key) or {}).get("selection", {}).get("points", [])
            data = next((p.get("customdata") for p in points if p.get("customdata")), None)
            if data is not None:
                on_pick(data)

        picked = {"on_select": chosen, "selection_mode": "points"}
    st.plotly_chart(figure, theme=None, key=key, config=template.CONFIG, alt=result.words.alt or result.words.finding, **picked)


def _below(result: Result) -> None:
    lines = [f'<div class="rp-cover">{safe(result.words.coverage)}</div>'] if result.words.coverage else []
    lines += [f'<div class="rp-cover">{safe(note)}</div>' for note in result.words.notes]
    if lines:
        st.html(f'<div class="rp">{"".join(lines)}</div>')


def _citation(result: Result, link_id: str | None) -> None:
    day = result.snapshot.today
    parts = [result.chart.title, result.words.finding, f"rev {result.rev}", numbers.date(day), result.words.credit]
    if link_id:
        parts.append(f"{panels.public_url()}/s/{link_id}")
    shown = [result.chart.title, *parts[2:]]
    link = {"page": result.chart.page, "chart": result.chart.id, "params": result.params.model_dump(mode="json"), "rev": result.rev}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<div class="rp rp-cite" data-citation>{safe(" · ".join(p for p in shown if p))}</div>', width="content")
        if not st.context.is_embedded:
            components.copy_button(
                " · ".join(p for p in parts if p),
                label="Copy line",
                hint="Copies title, finding, revision, day, credit and a short link",
                key=f"copy:{result.chart.id}",
                link=None if link_id else link,
            )


def _buttons(result: Result, link_id: str | None, receipt_open: bool, draft: bool) -> None:
    if st.context.is_embedded:
        page = "" if result.chart.page == "overview" else result.chart.page
        own = f"{panels.public_url()}/s/{link_id}" if link_id else f"{panels.public_url()}/{page}?{panels.query_of(result)}"
        st.html(f'<div class="rp rp-cite"><a href="{safe(own)}" target="_blank" rel="noopener">Open in Ridgepoint</a></div>')
        return
    chart_id, narrow = result.chart.id, screen.width() == "phone"
    opened: dict[str, bool] = st.session_state.setdefault(f"_open:{chart_id}", {"receipt": receipt_open})

    def turn(panel: str) -> None:
        url_state.keep_state()
        opened[panel] = not opened.get(panel, False)

    def share() -> None:
        panels.make_link(result)

    with st.container(horizontal=True, gap="xsmall"):
        for name, label, icon in _PANELS:
            shown_icon = None if narrow else ":material/expand_less:" if opened.get(name) else icon
            st.button(label, icon=shown_icon, key=f"{name}:{chart_id}", on_click=turn, args=(name,))
        if not draft:
            with st.popover("Download", icon=None if narrow else ":material/download:"):
                panels.downloads(result, link_id)
            st.button("Share", icon=None if narrow else ":material/link:", key=f"share:{chart_id}", on_click=share)
    if not draft:
        panels.share_panel(result, link_id)
    if opened.get("table"):
        panels.table_view(result.table)
    if opened.get("receipt"):
        try:
            receipt_block(result.receipt, result.snapshot.today)
        except ValueError as wrong:
            st.html(f'<div class="rp rp-note">{safe(wrong)}</div>')
