"""GET /api/charts: the list of charts, each chart in every form, and its receipt."""

from __future__ import annotations

import difflib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

import charts
from charts import compute, registry, state
from web import context, site
from web.answers import Refused, guarded, json_answer
from web.shown import FORMS, LOOK_NAMES, Shown, answer, placeholder, preview

_NOT_PARAMETERS = (*state.RESERVED, "chart")


@guarded
def chart_list(request: Request) -> Response:
    """Answer with every chart: id, title, page and the JSON schema of its parameters."""
    listed = [{"id": c.id, "title": c.title, "page": c.page, "params": c.params.model_json_schema()} for c in every_chart()]
    return json_answer({"charts": listed}, headers={"Cache-Control": "no-cache"})


@guarded
def chart_file(request: Request) -> Response:
    """Answer with one chart in one form, at the revision and with the parameters of the query."""
    chart_id, _, form = request.path_params["name"].rpartition(".")
    if form not in FORMS:
        raise Refused(404, f"{request.path_params['name'][:80]!r} has no form; ask for a chart's id with one of .{', .'.join(FORMS)}")
    return answer(shown(chart_by_id(chart_id), request), form, request)


@guarded
def chart_receipt(request: Request) -> Response:
    """Answer with the receipt of one chart: formulas with values put in, inputs with sources, assumptions, measured error."""
    made = shown(chart_by_id(request.path_params["chart"]), request)
    return json_answer({"chart": made.chart.id, "revision": made.rev, "model": made.model, "receipt": made.receipt})


@guarded
def page_picture(request: Request) -> Response:
    """Answer with the preview picture of a page: the chart its address brings forward, else the one it opens on.

    The chart is drawn in the address's state; what cannot be read of it is left at its default.
    """
    name = request.path_params["page"]
    about = next((page for page in site.EVERY_PAGE.values() if page.file == name), None)
    if about is None:
        raise Refused(404, f"there is no page {name[:80]!r}; the pages are {', '.join(p.file for p in site.EVERY_PAGE.values())}")
    known = {chart.id: chart for chart in every_chart() if chart.page == name}
    own = known.get(request.query_params.get("chart", "")) or known.get(about.opens_on)
    if own is None:
        return placeholder(about.title, about.sentence)
    params, _ = state.decode(own.params, [pair for pair in own_pairs(own, request) if pair[0] in own.params.model_fields])
    rev = request.query_params.get("rev", "")
    there = rev.isascii() and rev.isdigit() and len(rev) < 15 and 1 <= int(rev) <= context.store().head()
    return preview(computed(own, params, int(rev) if there else None), kept_s=300)


def every_chart() -> list[Any]:
    """Return every registered chart, by id."""
    charts.load_all()
    return sorted(registry.CHARTS.values(), key=lambda chart: chart.id)


def chart_by_id(chart_id: str) -> Any:
    """Return one chart. Errors: Refused with 404 and the nearest id."""
    known = {chart.id: chart for chart in every_chart()}
    if chart_id in known:
        return known[chart_id]
    near = difflib.get_close_matches(chart_id, known, 1)
    raise Refused(404, f"there is no chart {chart_id[:80]!r}; {f'did you mean {near[0]}?' if near else 'GET /api/charts lists them'}")


def shown(chart: Any, request: Request) -> Shown:
    """Return a chart computed for a query. Errors: Refused for a parameter that cannot be read or found; UnknownRevision."""
    pairs = [pair for pair in own_pairs(chart, request) if pair[0] in chart.params.model_fields or pair[0] not in LOOK_NAMES]
    rev = revision_of(request)
    return computed(chart, read_params(chart, pairs, rev), rev)


def read_params(chart: Any, pairs: list[tuple[str, str]], rev: int | None) -> Any:
    """Return the parameters of pairs of name and text at a revision.

    A page goes on without what it cannot read; a program is refused. Errors: Refused with 400 for what cannot be read, with 422 for
    names that the store does not have; UnknownRevision.
    """
    params, ignored = state.decode(chart.params, pairs)
    if ignored:
        raise Refused(400, "; ".join(f"refused {what.removeprefix('ignored ')}" for what in ignored), ignored=ignored)
    if unknown := chart.unknown(params, context.store().snapshot(rev)):
        raise Refused(422, "; ".join(unknown.values()), unknown=list(unknown))
    return params


def own_pairs(chart: Any, request: Request) -> list[tuple[str, str]]:
    """Return the pairs of a query that are this chart's, read as a page reads its address.

    A page writes the chart it brings forward (`chart=ID`) by plain names and its other charts as `name.parameter`.
    """
    others = {other.id.split(".")[1] for other in every_chart() if other.page == chart.page}
    own, plain = chart.id.split(".")[1], request.query_params.get("chart", chart.id) == chart.id
    found = []
    for name, value in request.query_params.multi_items():
        prefix, dot, rest = name.partition(".")
        if dot and prefix in others:
            if prefix == own:
                found.append((rest, value))
        elif plain and name not in _NOT_PARAMETERS:
            found.append((name, value))
    return found


def computed(chart: Any, params: Any, rev: int | None) -> Shown:
    """Return a chart computed at a revision, the newest where none is given."""
    snapshot = context.store().snapshot(rev)
    made = compute.compute(chart, params, snapshot)
    words, receipt = made.words.to_json(), made.receipt.to_json()
    return Shown(chart, params, made.table, words, receipt, made.rev, made.model, snapshot.today)


def revision_of(request: Request) -> int | None:
    """Return the revision a query asks for. Errors: Refused where it is no whole number."""
    text = request.query_params.get("rev")
    if text is None or text == "":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Refused(400, f"rev={text[:40]!r}: a revision's number is accepted")
    return int(text)
