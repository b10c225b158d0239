"""Measured: what our own benchmarks found, and how records come in."""

from __future__ import annotations

import streamlit as st

from analytics.bench.record import RecordError, parse_text
from analytics.bench.report import statuses
from data import bench_runs
from data.bench_records import import_records
from data.process import the_store
from pages._shell import url_state
from pages._shell.chart_block import chart_block
from pages._shell.style import safe
from pages._shell.views import views

CONTROLS = {
    "measured.roofline": ["device", "family"],
    "measured.decode": ["device", "op", "over"],
    "measured.predicted": ["device", "ops"],
    "measured.side_by_side": ["by", "device", "op"],
}


def say(sentence: str, mark: str) -> None:
    """A sentence of ours beside what it is about."""
    st.html(f'<div class="rp rp-note" {mark}>{safe(sentence)}</div>')


def counted(found: dict[str, int]) -> str:
    return ", ".join(f"{n} {status}" for status, n in found.items())


def take_in(content: bytes, name: str) -> None:
    """Records into the store; the answer is kept for the run that follows."""
    url_state.keep_state()
    try:
        outcome = import_records(the_store(), content, name)
    except (ValueError, OSError) as wrong:
        st.session_state["_bench_answer"] = str(wrong)
        return
    if outcome["revision"] is None:
        st.session_state["_bench_answer"] = f"The store has all {outcome['rows']} rows of {name} already; nothing was written."
    else:
        told = (
            f"Revision {outcome['revision']}: {outcome['added']} rows added, {outcome['changed']} changed, {outcome['known']} known before."
        )
        st.session_state["_bench_answer"] = told


def upload() -> None:
    """A record file: looked at whole, shown in numbers, taken in on request."""
    most = the_store().settings.max_page_upload_mb
    file = st.file_uploader("Record file (JSON Lines)", type=["jsonl", "json", "txt"], key="bench-file", max_upload_size=min(most, 64))
    if file is None:
        return
    content = file.getvalue()
    try:
        rows = parse_text(content, file.name)
    except RecordError as wrong:
        say(f"Refused, nothing was taken: {wrong}", "data-refused")
        return
    devices = sorted({row["device"] for row in rows})
    operations = sorted({row["op"] for row in rows})
    say(f"{len(rows)} rows of {', '.join(devices)}: {counted(statuses(rows))}. Operations: {', '.join(operations)}.", "data-preview")
    st.button("Take them into the store", key="bench-take", on_click=take_in, args=(content, file.name))


def begin(suite: str) -> None:
    url_state.keep_state()
    st.session_state.pop("_bench_answer", None)
    try:
        bench_runs.start(the_store().settings, suite)
    except (ValueError, OSError) as wrong:
        st.session_state["_bench_answer"] = str(wrong)


def stop() -> None:
    url_state.keep_state()
    bench_runs.cancel(the_store().settings)


@st.fragment(run_every=2.0)
def watch() -> None:
    """The run that is going: how far, what it does, how to end it."""
    now = bench_runs.state(the_store().settings)
    if now is None or not now.running:
        st.rerun()
        return
    share = now.done / now.total if now.total else 0.0
    how_far = f"{now.done} of {now.total} cases · {now.message}" if now.total else "Starting the measuring process"
    st.progress(share, text=how_far[:200])
    st.button("Cancel the run", key="bench-cancel", on_click=stop)


def run_here() -> None:
    """The suite on this machine, for administrators."""
    settings = the_store().settings
    if not settings.admin:
        st.html('<div class="rp rp-quiet" data-closed>Running the suite from this page is closed; RIDGEPOINT_ADMIN=true opens it.</div>')
        return
    now = bench_runs.state(settings)
    if now is not None and now.running:
        watch()
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        suite = st.selectbox("Suite", bench_runs.SUITES, index=1, key="bench-suite", label_visibility="collapsed", width=140)
        st.button("Run here", key="bench-run", on_click=begin, args=(suite,))
    if now is not None:
        ended = {
            0: "ran to its end",
            3: "ran to its end, with rows that are wrong or impossible",
            4: "was cut by its budget",
            -15: "was cancelled",
        }
        how = ended.get(now.ended or 0, f"ended with {now.ended}: {now.message}")
        told = f"The last run ({now.suite}) {how}; {now.rows} rows"
        say(told + (f": {counted(now.statuses)}." if now.rows else "."), "data-last-run")
        if now.rows:
            st.button(
                "Take its rows into the store", key="bench-take-run", on_click=take_in, args=(now.file.read_bytes(), f"{now.suite}.jsonl")
            )


focus = views(
    {
        "measured.roofline": "Roofline",
        "measured.decode": "Decode bandwidth",
        "measured.predicted": "Measured and expected",
        "measured.side_by_side": "Side by side",
    }
)
chart_block(focus, controls=CONTROLS[focus])

if not st.context.is_embedded:
    st.html(
        '<div class="rp" style="margin-top:1.2rem"><h3>Bring records</h3><p class="rp-quiet">Measure a machine with '
        "<code>python -m analytics.bench run --suite quick --out records.jsonl</code> and bring the file here. Each row holds its "
        "prediction, its check against a reference and the state of the machine; a file with one bad line is refused whole.</p></div>"
    )
    if answer := st.session_state.get("_bench_answer"):
        say(answer, "data-answer")
    upload()
    run_here()
