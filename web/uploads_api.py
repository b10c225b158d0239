"""POST /api/uploads: a CSV in, what it would change out, and with commit=true one new revision."""

from __future__ import annotations

import asyncio
import datetime
import json
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from data.meta import load_meta
from web import context
from web.answers import Refused, guarded, json_answer

LOOK_EVERY_S = 0.5
SIDE_BY_SIDE = 2  # imports that may run at once; each has a process of its own
_seats = threading.BoundedSemaphore(SIDE_BY_SIDE)
PARAMETERS: list[dict[str, Any]] = [
    {"name": name, "in": "query", "description": meaning, "schema": {"type": kind}}
    for name, kind, meaning in (
        ("table", "string", "table of facts the rows belong to; clusters by default"),
        ("name", "string", "name of the file, kept with the revision"),
        ("commit", "boolean", "write the accepted rows as one revision; without it nothing is written"),
        ("strict", "boolean", "accept nothing where any row is rejected"),
        ("today", "string", "the day taken as today, YYYY-MM-DD"),
        ("answers", "string", "JSON object: answers to open questions, by question id"),
        ("mapping", "string", "JSON: which column is which field, as a dry run returned it"),
        ("author", "string", "name kept with the revision"),
        ("note", "string", "note kept with the revision"),
    )
]
_KNOWN = tuple(parameter["name"] for parameter in PARAMETERS)
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no", ""})


@dataclass(frozen=True)
class Asked:
    """What the query of an upload asks for."""

    table: str = "clusters"
    name: str = "upload.csv"
    commit: bool = False
    strict: bool = False
    today: datetime.date | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    mapping: Any = None
    author: str = ""
    note: str = ""


@guarded
async def uploads(request: Request) -> Response:
    """Prepare the CSV in the body; commit it where the query says so and no question is open."""
    asked = read_query(request.query_params)
    load_meta(asked.table)
    await run_in_threadpool(context.store)  # opening it sweeps the folder this upload is about to use
    if not _seats.acquire(blocking=False):
        raise Refused(503, f"{SIDE_BY_SIDE} imports are running; try again in a minute", headers={"Retry-After": "30"})
    try:
        folder = context.settings().home.resolve() / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".csv") as file:
            async for chunk in request.stream():
                file.write(chunk)
            file.flush()
            gone = threading.Event()
            watch = asyncio.create_task(_watch(request, gone))
            try:
                return await run_in_threadpool(_import, Path(file.name), asked, gone.is_set)
            finally:
                watch.cancel()
    finally:
        _seats.release()


def read_query(query: Mapping[str, str]) -> Asked:
    """Return what a query asks for. Errors: Refused naming the parameter, its value and what is accepted."""
    unknown = [name for name in query if name not in _KNOWN]
    if unknown:
        raise Refused(400, f"{unknown[0][:60]!r} is not a parameter of an upload; {', '.join(_KNOWN)} are")
    values: dict[str, Any] = {name: query[name] for name in ("table", "author", "note") if name in query}
    if "name" in query:
        values["name"] = PurePosixPath(query["name"].replace("\\", "/")).name[:200] or "upload.csv"
    for name in ("commit", "strict"):
        if name in query:
            values[name] = _flag(name, query[name])
    if query.get("today"):
        values["today"] = _day(query["today"])
    for name, kind in (("answers", dict), ("mapping", (dict, list))):
        if query.get(name):
            values[name] = _json(name, query[name], kind)
    return Asked(**values)


async def _watch(request: Request, gone: threading.Event) -> None:
    """Say when the client has gone: nobody waits for that import any more, so it ends and frees its seat."""
    while not await request.is_disconnected():
        await asyncio.sleep(LOOK_EVERY_S)
    gone.set()


def _import(path: Path, asked: Asked, gone: Callable[[], bool]) -> Response:
    from data import importing

    store = context.store()
    try:
        prepared = importing.prepare(
            path,
            table=asked.table,
            store=store,
            name=asked.name,
            today=asked.today or store.settings.day(),
            mapping=asked.mapping,
            answers=asked.answers or None,
            strict=asked.strict,
            cancel=gone,
        )
    except importing.Cancelled:
        raise ClientDisconnect() from None
    told = prepared.to_json()
    if asked.commit:
        if told["questions"]:
            count = len(told["questions"])
            sentence = f"{count} question{'s are' if count > 1 else ' is'} open: answer by &answers=<json>; nothing was written"
            return json_answer({"error": sentence, **told}, 422)
        told["revision"] = importing.commit(prepared, store, author=asked.author, note=asked.note)
    return json_answer(told)


def _flag(name: str, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise Refused(400, f"{name}={text[:60]!r}: true or false is accepted")


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise Refused(400, f"today={text[:60]!r}: a day as YYYY-MM-DD is accepted") from None


def _json(name: str, text: str, kind: Any) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        raise Refused(400, f"{name} is not JSON: {text[:60]!r}") from None
    if not isinstance(value, kind):
        raise Refused(400, f"{name} must be a JSON object, got {text[:60]!r}")
    return value
