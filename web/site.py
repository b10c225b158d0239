"""The pages this server has: their addresses, titles and one sentence each, for previews, 404s and the list of charts."""

import functools
import html
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import HTMLResponse

_PAGES_FOLDER = Path(__file__).resolve().parent.parent / "pages"


@dataclass(frozen=True)
class Page:
    """One page: the name of its file, its title, what it answers, and the chart it opens on."""

    file: str
    title: str
    sentence: str
    opens_on: str = ""


EVERY_PAGE = {
    "": Page("overview", "Ridgepoint", "Who builds which AI cluster, which chips may be sold to whom, what a token costs and why."),
    "clusters": Page(
        "clusters", "Clusters", "IT power, cost and timing of AI clusters, site by site, every number with its source.", "clusters.power"
    ),
    "chips": Page("chips", "Export controls", "Which chips may be sold to whom, on which day, by which clause.", "chips.plane"),
    "prices": Page("prices", "Inference cost", "What a level of capability costs by the token, and how fast that falls.", "prices.level"),
    "serving": Page("serving", "Serving", "What serving a reasoning model takes: chips, memory, speed and money.", "serving.memory"),
    "measured": Page("measured", "Measured", "Benchmarks run by this project: bandwidths, kernels and throughput.", "measured.roofline"),
    "data": Page("data", "Data", "Bring a CSV, see what it would change, accept it or undo it."),
    "claims": Page("claims", "Claims", "Claims made about AI compute, each beside the numbers that bear on it."),
    "sources": Page("sources", "Sources", "Every source, with its date, its licence and the rows that rest on it."),
}


@functools.cache
def pages() -> dict[str, Page]:
    """Return the pages that exist, by address without its leading slash; the overview is the empty address."""
    return {slug: page for slug, page in EVERY_PAGE.items() if (_PAGES_FOLDER / f"{page.file}.py").is_file()}


def not_found_page(sentence: str) -> HTMLResponse:
    """Return a small HTML page with status 404 that says what was not found and links to the overview."""
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        "<title>Not found · Ridgepoint</title>"
        "<body style='font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem'>"
        f"<h1>Not found</h1><p>{html.escape(sentence)}.</p><p><a href='/'>Overview</a></p></body></html>",
        status_code=404,
    )
