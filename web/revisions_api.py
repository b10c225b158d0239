"""GET /api/revisions: what changed when, by whom and from which file."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web import context
from web.answers import guarded, json_answer
from web.exports import json_rows


@guarded
def revisions(request: Request) -> Response:
    """Answer with all revisions, newest first."""
    return json_answer({"revisions": json_rows(context.store().revisions())["rows"]}, headers={"Cache-Control": "no-cache"})
