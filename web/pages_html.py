"""Streamlit's page with our own title and what link previews read: Open Graph tags for each page's address and state."""

from __future__ import annotations

import functools
import html
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from data.links import is_id
from web import site
from web.addresses import public_url
from web.answers import guarded

CARD_WIDTH_PX, CARD_HEIGHT_PX = 1200, 630


@functools.cache
def _shell() -> str:
    import streamlit

    text = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    if "<title>" not in text:
        raise RuntimeError("Streamlit's index.html has no <title> to put the preview's tags at")
    return text


def tags(*, title: str, description: str, url: str, image: str, image_alt: str) -> str:
    """Return a `<title>` and the tags link previews read."""
    pairs = {
        "og:type": "website",
        "og:site_name": "Ridgepoint",
        "og:title": title,
        "og:description": description,
        "og:url": url,
        "og:image": image,
        "og:image:width": str(CARD_WIDTH_PX),
        "og:image:height": str(CARD_HEIGHT_PX),
        "og:image:alt": image_alt,
    }
    lines = [f"<title>{html.escape(title)}</title>", f'<meta name="description" content="{html.escape(description, quote=True)}">']
    lines += [f'<meta property="{name}" content="{html.escape(value, quote=True)}">' for name, value in pairs.items()]
    return "\n    ".join([*lines, '<meta name="twitter:card" content="summary_large_image">'])


def streamlit_page(head: str) -> HTMLResponse:
    """Return Streamlit's page with these tags in place of its title."""
    text = re.sub(r"<title>.*?</title>", lambda _: head, _shell(), count=1, flags=re.DOTALL)
    return HTMLResponse(text, headers={"Cache-Control": "no-cache"})


@guarded
def page(request: Request) -> Response:
    """Answer a page's address with its title, its sentence and the picture of its link, or of its chart in the address's own state."""
    slug = request.url.path.strip("/")
    about = site.pages()[slug]
    base = public_url(request)
    query = f"?{request.url.query}" if request.url.query else ""
    link = request.query_params.get("s", "")
    title = about.title if not slug else f"{about.title} · Ridgepoint"
    return streamlit_page(
        tags(
            title=title,
            description=about.sentence,
            url=f"{base}/{slug}{query}",
            image=f"{base}/s/{link}.png" if is_id(link) else f"{base}/og/{about.file}.png{query}",
            image_alt=about.sentence,
        )
    )
