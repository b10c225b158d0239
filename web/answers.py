"""How every door answers: JSON with one sentence for each error, and never a traceback."""

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from web.images import ImageBusy, ImageUnavailable

log = logging.getLogger(__name__)

Handler = Callable[..., Any]


class Refused(Exception):
    """A request that is answered with a status of 4xx or 5xx and one sentence."""

    def __init__(self, status: int, sentence: str, *, headers: dict[str, str] | None = None, **details: Any) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers or {}
        self.details = details


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response; numbers that JSON has no word for (NaN, infinity) become null."""
    body = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS, default=str)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def error_answer(status: int, sentence: str, headers: dict[str, str] | None = None, **details: Any) -> Response:
    """Return the JSON of an error: `{"error": sentence, ...details}`."""
    return json_answer({"error": sentence, **details}, status, headers)


def guarded(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap an endpoint so that whatever it raises becomes a sentence with the right status.

    Endpoints that are plain functions run in a thread, so that a slow answer holds nobody up.
    """

    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        try:
            if inspect.iscoroutinefunction(handler):
                return await handler(request)
            return await run_in_threadpool(handler, request)
        except ClientDisconnect:
            raise
        except HTTPException as error:
            return error_answer(error.status_code, error.detail)
        except Exception as error:
            return answer_of(error)

    return answer


def answer_of(error: Exception) -> Response:
    """Return the response that tells a client about an exception."""
    from data.links import UnknownLink
    from data.schema import StoreTooNew
    from data.store import ReadOnly, StoreBusy, UnknownRevision

    if isinstance(error, Refused):
        return error_answer(error.status, error.sentence, error.headers, **error.details)
    if isinstance(error, (UnknownRevision, UnknownLink)):
        return error_answer(404, str(error))
    if isinstance(error, (ReadOnly, StoreBusy, StoreTooNew)):
        return error_answer(503, str(error))
    if isinstance(error, ImageBusy):
        return error_answer(503, str(error), {"Retry-After": "3"})
    if isinstance(error, ImageUnavailable):
        return error_answer(503, str(error))
    if isinstance(error, ValueError):
        return error_answer(400, str(error))
    if isinstance(error, OSError):
        log.exception("disk or network failed")
        return error_answer(
            507, f"the server could not write or read its files: {error.strerror or 'no reason given'}; nothing was changed"
        )
    log.exception("unexpected error")
    return error_answer(500, "the server could not answer this request; what went wrong stands in its log")
