"""Data: bring a CSV as it is, see what it would change, commit it or take it back."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from charts import registry
from data.importing import OpenQuestions, Refused, commit
from data.importing.mapping import accepted_fields
from data.meta import load_meta, table_names
from data.process import the_store
from pages._import import history, job, show
from pages._shell import menu, url_state
from pages._shell.chart_block import chart_block
from pages._shell.style import safe

FIRST_TABLES = ("clusters", "chips", "api_prices", "gpu_rental_prices", "capability", "serving_measurements")
CHARTS_OF = {
    "clusters": "clusters", "power_projects": "clusters", "chips": "chips", "api_prices": "prices", "gpu_rental_prices": "prices",
    "capability": "prices", "serving_measurements": "serving",
}  # fmt: skip
DRAWN = ("power_mw", "site_power_mw", "chip_count")


def title_of(table: str) -> str:
    return load_meta(table).title


def read_mapping(file: Any) -> dict[str, Any] | None:
    """A mapping file the reader kept from an earlier import."""
    if file is None:
        return None
    try:
        found = json.loads(file.getvalue().decode("utf-8"))
    except ValueError:
        show.say("The mapping file is not JSON; it is left aside.", "data-refused")
        return None
    return found if isinstance(found, dict) else None


def choose_file() -> None:
    """Table, file and, for those who have one, the mapping kept from before."""
    store = the_store()
    names = [*FIRST_TABLES, *(name for name in table_names() if name not in FIRST_TABLES)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        table = st.selectbox(
            "Table",
            names,
            format_func=title_of,
            key="import-table",
            label_visibility="collapsed",
            width=300,
            on_change=url_state.keep_state,
        )
        with st.popover("Mapping file"):
            kept = st.file_uploader("Mapping kept from an earlier import (JSON)", type=["json"], key="import-mapping")
    file = st.file_uploader(
        "CSV file, as it is",
        key=f"import-file-{st.session_state.get('_uploader', 0)}",
        max_upload_size=store.settings.max_page_upload_mb,
        help="Any delimiter and encoding; titles, units, footnotes and totals may stay in it",
    )
    if file is None:
        return
    before = job.current()
    if before is None or before.file_id != file.file_id or before.table != table:
        job.start(file.getvalue(), file.name, table, file.file_id, read_mapping(kept))


@st.fragment(run_every=0.5)
def watch() -> None:
    """How far the reading is, and how to stop it."""
    now = job.current()
    if now is None or not now.running:
        st.rerun()
        return
    st.progress(now.progress, text=f"{job.STAGES.get(now.stage, now.stage)} ...")
    st.button("Cancel", key="import-cancel", on_click=stop)


def stop() -> None:
    url_state.keep_state()
    now = job.current()
    if now is not None:
        now.cancelled = True


def again(**said: Any) -> None:
    """Read the file again with what the reader said."""
    url_state.keep_state()
    now = job.current()
    if now is not None:
        now.answers = {**now.answers, **said.get("answers", {})}
        now.mapping = said.get("mapping", now.mapping)
        now.begin(the_store())


def answer_all(ids: list[str]) -> None:
    """Take the answers as they stand in the boxes."""
    found = {}
    for id in ids:
        choice = st.session_state.get(f"answer:{id}", "")
        if "=<" in choice:
            choice = choice.split("=", 1)[0] + "=" + st.session_state.get(f"words:{id}", "").strip()
        if choice and not choice.endswith("="):
            found[id] = choice
    again(answers=found)


def questions(now: job.Job) -> None:
    """What the file does not say, each with its choices."""
    asked = now.prepared.questions if now.prepared else []
    if not asked:
        return
    show.head(f"{len(asked)} question{'s' if len(asked) > 1 else ''} before this can be committed")
    for question in asked:
        with st.container(border=True):
            st.html(f'<div class="rp" data-question="{safe(question.id)}">{safe(question.text)}</div>')
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                start = question.choices.index(question.provisional) if question.provisional in question.choices else 0
                chosen = st.selectbox(
                    f"Answer to {question.id}",
                    question.choices,
                    index=start,
                    key=f"answer:{question.id}",
                    label_visibility="collapsed",
                    width=340,
                    on_change=url_state.keep_state,
                )
                if chosen and "=<" in chosen:
                    hint = chosen.split("=", 1)[1].replace("<", "").replace(">", "")
                    st.text_input(
                        f"Words for {question.id}",
                        value=question.provisional.split("=", 1)[1]
                        if question.provisional.startswith(chosen.split("=", 1)[0] + "=")
                        else "",
                        key=f"words:{question.id}",
                        placeholder=hint,
                        label_visibility="collapsed",
                        width=340,
                    )
    st.button("Use these answers", key="import-answers", on_click=answer_all, args=([question.id for question in asked],))


def correct(prepared_fields: dict[str, str | None]) -> None:
    """Send one column to another field and read the file again."""
    column, field = st.session_state["map-column"], st.session_state["map-field"]
    fields = {name: target for name, target in prepared_fields.items() if target and "(" not in target}
    fields[column] = None if field == "(leave out)" else field
    for name, target in list(fields.items()):
        if name != column and target == fields[column] and target is not None:
            fields[name] = None
    again(mapping={"columns": fields})


def columns(now: job.Job) -> None:
    """The mapping with its confidence, a way to correct it and to keep it."""
    assert now.prepared
    show.head("Columns")
    show.mapping(now.prepared)
    named = [item["column"] for item in now.prepared.report["mapping"]]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox("Column", named, key="map-column", width=260, on_change=url_state.keep_state)
        st.selectbox(
            "is",
            ["(leave out)", *accepted_fields(now.table)],
            key="map-field",
            format_func=lambda field: show.WORDS.get(field, field),
            width=220,
            on_change=url_state.keep_state,
        )
        st.button("Read again", key="map-apply", on_click=correct, args=(now.prepared.fields,))
        st.download_button(
            "Keep this mapping",
            json.dumps(now.prepared.mapping_file(), ensure_ascii=False, indent=1),
            file_name="mapping.json",
            mime="application/json",
            key="map-keep",
            on_click=url_state.keep_state,
        )


def charts_of(table: str) -> list[str]:
    """The charts a table's rows can be seen in, the page's own first."""
    page = CHARTS_OF.get(table, "")
    first = next((entry.chart for entry in menu.entries() if entry.file == page), "")
    return sorted((id for id, chart in registry.CHARTS.items() if chart.page == page), key=lambda id: (id != first, registry.get(id).title))


def turn_draft() -> None:
    """Show or hide the upload in a chart."""
    url_state.keep_state()
    now = job.current()
    if now is None or now.prepared is None:
        return
    now.drafted = not now.drafted
    if now.drafted:
        ids = charts_of(now.table)
        st.session_state["draft-chart"] = ids[0]
        start_on_upload(ids[0])


def start_on_upload(chart_id: str) -> None:
    """Let a chart start on what the upload holds: its source and the quantity it gives most of."""
    now = job.current()
    if now is None or now.prepared is None or now.table != "clusters" or not len(now.prepared.frame):
        return
    frame, fields = now.prepared.frame, registry.get(chart_id).params.model_fields
    if "source" in fields:
        url_state.change(chart_id, {"source": frame["source"].mode().iloc[0]})
    filled = {name: int(frame[name].notna().sum()) for name in DRAWN if name in frame}
    if "quantity" in fields and filled and max(filled.values()):
        url_state.change(chart_id, {"quantity": max(filled, key=lambda name: filled[name])})


def turn_chart() -> None:
    url_state.keep_state()
    start_on_upload(st.session_state["draft-chart"])


def same_sites(now: job.Job) -> None:
    """New clusters that may be known ones: one press stores them there."""
    found = now.prepared.same_sites[:10] if now.prepared else []
    if not found:
        return
    show.head("The same site under another name?")
    for site in found:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f'<div class="rp">{safe(site.name)} may be {safe(site.known_name)} ({safe(site.known_id)})</div>', width="content")
            st.button("Store it there", key=f"same:{site.cluster_id}", on_click=same, args=(site.cluster_id, site.known_id))


def same(own: str, known: str) -> None:
    again(answers={f"same:{own}": known})


def draft(now: job.Job) -> None:
    """The upload in a chart, before anything is written and for this reader alone."""
    assert now.prepared
    ids = charts_of(now.table)
    if not ids or not len(now.prepared.frame):
        return
    st.button("Hide the draft" if now.drafted else "See it in a chart", key="import-draft", on_click=turn_draft)
    if now.drafted:
        st.html('<div class="rp rp-note" data-draft>A draft: these rows are on your screen only and nothing is written yet.</div>')
        chosen = st.selectbox(
            "Chart",
            ids,
            format_func=lambda id: registry.get(id).title,
            key="draft-chart",
            label_visibility="collapsed",
            width=340,
            on_change=turn_chart,
        )
        chart_block(chosen, draft=now.prepared.draft())


def write() -> None:
    """Commit what was accepted; what to say about it is kept for the run that follows."""
    url_state.keep_state()
    now = job.current()
    if now is None or now.prepared is None:
        return
    try:
        rev = commit(
            now.prepared,
            the_store(),
            author=st.session_state.get("import-author", ""),
            note=st.session_state.get("import-note", "") or None,
        )
    except (OpenQuestions, Refused, ValueError, OSError) as wrong:
        now.told = str(wrong)
        return
    now.committed, now.drafted = rev, False
    now.told = f"Written as revision {rev}." if rev else "Nothing to write: no row differs from what the store has."


def last_step(now: job.Job) -> None:
    """Commit or discard; after a commit, the way back."""
    assert now.prepared
    show.head("Commit")
    if now.told:
        show.say(now.told, "data-told")
    if now.committed:
        with st.container(horizontal=True, gap="small"):
            st.button("Take it back", key="import-undo", on_click=take_back, args=(now.committed,))
            st.button("Next file", key="import-next", on_click=job.forget)
        return
    changes = now.prepared.difference.added + now.prepared.difference.changed_count
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Your name", key="import-author", width=200)
        st.text_input("Note", key="import-note", width=300)
        st.button(
            f"Commit {changes:,} row{'' if changes == 1 else 's'}",
            key="import-commit",
            on_click=write,
            disabled=bool(now.prepared.questions) or not changes,
        )
        st.button("Discard", key="import-discard", on_click=job.forget)


def take_back(rev: int) -> None:
    history.undo(rev)
    now = job.current()
    if now is not None:
        now.committed, now.told = None, ""
        now.begin(the_store())


st.html(
    '<div class="rp"><h2>Bring a CSV as it is</h2><p class="rp-sub">An export, a spreadsheet, a list: it is read, compared with what is '
    "known, and written only when you commit. The file itself is kept as it came.</p></div>"
)
choose_file()
now = job.current()
if now is not None:
    if now.running:
        watch()
    elif now.refused:
        show.say(now.refused, "data-refused")
        st.button("Another file", key="import-again", on_click=job.forget)
    elif now.prepared:
        show.numbers(now.prepared)
        questions(now)
        columns(now)
        same_sites(now)
        show.rejects(now.prepared)
        show.warnings(now.prepared)
        show.differences(now.prepared)
        draft(now)
        last_step(now)
history.history()
