"""POST /api/links makes a link of a chart's state; /s/{id} opens it on what it showed, for people, previews and programs."""

from __future__ import annotations

import html
import textwrap
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from charts import pinned, state
from data import links
from web import context, site
from web.addresses import public_url
from web.answers import Refused, answer_of, guarded, json_answer
from web.charts_api import chart_by_id, every_chart, read_params
from web.exports import csv_bytes
from web.pages_html import tags
from web.shown import Shown, answer, placeholder, preview

_FIELDS = ("page", "chart", "params", "rev")
_PASSED_ON = ("embed", "embed_options", "theme")


@guarded
async def make_link(request: Request) -> Response:
    """Keep the chart of the body's state as it is now and answer with its id and address."""
    import orjson

    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"the body is not JSON: {error}") from None
    link = await run_in_threadpool(_make, asked)
    return json_answer({"id": link.id, "url": f"{public_url(request)}/s/{link.id}"})


def _make(asked: Any) -> links.Link:
    if not isinstance(asked, dict):
        raise Refused(400, f"the body must be a JSON object with {', '.join(_FIELDS)}, got {type(asked).__name__}")
    if unknown := [str(name) for name in asked if name not in _FIELDS]:
        raise Refused(400, f"{unknown[0][:60]!r} is not a field of a link; {', '.join(_FIELDS)} are")
    if not isinstance(asked.get("chart"), str):
        raise Refused(400, f"chart must be a chart's id, got {asked.get('chart')!r:.60}; GET /api/charts lists them")
    chart = chart_by_id(asked["chart"])
    if asked.get("page", chart.page) != chart.page:
        raise Refused(400, f"chart {chart.id} stands on page {chart.page!r}, got {asked['page']!r:.60}")
    given, rev = asked.get("params") or {}, asked.get("rev")
    if not isinstance(given, dict):
        raise Refused(400, f"params must be a JSON object, got {given!r:.60}")
    if rev is not None and (not isinstance(rev, int) or isinstance(rev, bool)):
        raise Refused(400, f"rev must be a revision's number, got {rev!r:.60}")
    return pinned.make(context.store(), chart, read_params(chart, state.pairs(given), rev), rev)


def _open(link_id: str, *, with_notice: bool) -> Shown:
    every_chart()
    store = context.store()
    found = pinned.opened(store, link_id)
    link = found.link
    said = pinned.notice(store, found) if with_notice else None
    return Shown(
        chart=found.chart,
        params=found.params,
        table=found.table,
        words=link.words,
        receipt=link.receipt,
        rev=link.rev,
        model=link.model,
        today=link.today,
        link_id=link.id,
        notice=said.to_json() if said else None,
    )


@guarded
def open_link(request: Request) -> Response:
    """Answer /s/{id} with a page for previews that goes on to the exact state, and /s/{id}.FORM with that form."""
    link_id, dot, form = request.path_params["name"].partition(".")
    if dot and form == "png":
        return _picture(link_id)
    if dot and form == "csv":  # also for links whose chart is gone
        store = context.store()
        link = links.load(store, link_id)
        return Response(
            csv_bytes(links.table_of(store, link)), media_type="text/csv; charset=utf-8", headers={"X-Ridgepoint-Revision": str(link.rev)}
        )
    if dot:
        return answer(_open(link_id, with_notice=form == "json"), form, request)
    try:
        return _landing(request, _open(link_id, with_notice=False))
    except ValueError as error:
        return site.not_found_page(str(error)) if "text/html" in request.headers.get("accept", "") else answer_of(error)


def _picture(link_id: str) -> Response:
    links.load(context.store(), link_id)  # an unknown link has no picture, not even a plain one
    try:
        shown = _open(link_id, with_notice=False)
    except links.UnknownLink as error:
        return placeholder("Ridgepoint", str(error))
    return preview(shown, kept_s=86_400)


def _landing(request: Request, shown: Shown) -> Response:
    base = public_url(request)
    passed = [(name, value) for name, value in request.query_params.multi_items() if name in _PASSED_ON]
    query = "&".join(part for part in (state.encode(shown.params), urlencode([("rev", shown.rev), ("s", shown.link_id), *passed])) if part)
    page = "" if shown.chart.page == "overview" else shown.chart.page
    target = f"/{page}?{query}"
    title = str(shown.words.get("finding") or shown.chart.title)
    said = " · ".join(str(shown.words[name]) for name in ("subtitle", "coverage", "credit") if shown.words.get(name))
    head = tags(
        title=title,
        description=textwrap.shorten(said or shown.chart.title, 220, placeholder=" …"),
        url=f"{base}/s/{shown.link_id}",
        image=f"{base}/s/{shown.link_id}.png",
        image_alt=str(shown.words.get("alt") or title),
    )
    safe = html.escape(target, quote=True)
    return HTMLResponse(
        f"<!doctype html>\n<html lang='en'>\n<head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>\n    {head}\n"
        f"    <meta http-equiv='refresh' content='0;url={safe}'></head>\n"
        f"<body style='font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem'>"
        f"<h1>{html.escape(title)}</h1><p>{html.escape(said)}</p><p><a href='{safe}'>Open the chart</a></p></body>\n</html>\n",
        headers={"Cache-Control": "no-cache"},
    )
