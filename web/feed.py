"""GET /feed.xml: the newest revisions as an Atom feed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from web import context
from web.addresses import public_url
from web.answers import guarded

ENTRIES = 50
_ATOM = "http://www.w3.org/2005/Atom"
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@guarded
def feed(request: Request) -> Response:
    """Answer with the newest revisions as Atom entries, each with what it added, changed and removed."""
    base = public_url(request)
    rows = context.store().revisions().head(ENTRIES)
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    _add(root, "title", "Ridgepoint: revisions of the facts")
    _add(root, "id", f"{base}/feed.xml")
    _add(root, "link", None, rel="self", href=f"{base}/feed.xml")
    _add(root, "link", None, rel="alternate", href=f"{base}/data")
    _add(root, "updated", _moment(rows["time"].iloc[0]) if len(rows) else "1970-01-01T00:00:00Z")
    for row in rows.to_dict("records"):
        entry = ET.SubElement(root, f"{{{_ATOM}}}entry")
        _add(entry, "title", f"Revision {row['rev']}: {_told(row)}")
        _add(entry, "id", f"{base}/api/revisions#{row['rev']}")
        _add(entry, "link", None, href=f"{base}/data?rev={row['rev']}")
        _add(entry, "updated", _moment(row["time"]))
        author = ET.SubElement(entry, f"{{{_ATOM}}}author")
        _add(author, "name", _text(row["author"]) or "unnamed")
        _add(
            entry, "summary", ". ".join(part for part in (_text(row["note"]), _text(row["file_name"]), f"tables: {row['tables']}") if part)
        )
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, media_type="application/atom+xml", headers={"Cache-Control": "no-cache"})


def _told(row: Mapping[Any, Any]) -> str:
    counts = [f"{int(row[word]):,} {word}" for word in ("added", "changed", "removed") if row[word]]
    return f"{row['kind']}, {', '.join(counts) or 'no fact touched'}"


def _add(parent: ET.Element, name: str, text: str | None, **attributes: str) -> None:
    element = ET.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = None if text is None else _NOT_IN_XML.sub("", text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: Any) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"
