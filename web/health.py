"""GET /healthz: whether the store answers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from data.model_version import model_version
from web import context
from web.answers import Refused, guarded, json_answer


@guarded
def healthz(request: Request) -> Response:
    """Answer 200 with the newest revision and the model's version, and only when the store could be asked."""
    try:
        revision = context.store().head()
    except ValueError as error:  # no store that this version can open
        raise Refused(503, str(error)) from error
    return json_answer({"status": "ok", "revision": revision, "model": model_version()}, headers={"Cache-Control": "no-store"})
