"""Every address this server answers beside Streamlit's own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from web import charts_api, feed, health, links_api, openapi, pages_html, revisions_api, site, uploads_api
from web.answers import error_answer
from web.images import TOPO_FOLDER


async def not_found(request: Request) -> Response:
    """Answer an address under /api or /s that nothing else answers."""
    sentence = f"there is nothing at {request.method} {request.url.path[:80]}; /api/openapi.json lists the addresses"
    if "text/html" in request.headers.get("accept", ""):
        return site.not_found_page(sentence)
    return error_answer(404, sentence)


def routes() -> list[BaseRoute]:
    """Return the routes of the server, those that match first coming first."""
    named: list[BaseRoute] = [
        Route("/healthz", health.healthz),
        Route("/api/charts", charts_api.chart_list),
        Route("/api/charts/{chart}/receipt.json", charts_api.chart_receipt),
        Route("/api/charts/{name}", charts_api.chart_file),
        Route("/api/links", links_api.make_link, methods=["POST"]),
        Route("/api/uploads", uploads_api.uploads, methods=["POST"]),
        Route("/api/revisions", revisions_api.revisions),
        Route("/api/openapi.json", openapi.document),
        Route("/feed.xml", feed.feed),
        Route("/s/{name}", links_api.open_link),
        Route("/og/{page}.png", charts_api.page_picture),
        Mount("/topo", StaticFiles(directory=TOPO_FOLDER)),
    ]
    pages: list[BaseRoute] = [Route(f"/{slug}", pages_html.page) for slug in site.pages()]
    every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    unknown: list[BaseRoute] = [Route(f"/{start}{{rest:path}}", not_found, methods=every) for start in ("api/", "s/", "og/")]
    bare: list[BaseRoute] = [Route(f"/{start}", not_found, methods=every) for start in ("api", "s", "og")]
    return [*named, *pages, *unknown, *bare]
