"""What every request passes first: known hosts, no writes from other sites, limits on size and type, and 404 for unknown paths."""

import ipaddress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.settings import Settings
from web import site
from web.answers import error_answer

JSON_TYPES = frozenset({"application/json"})
CSV_TYPES = frozenset({"text/csv", "text/tab-separated-values", "application/csv", "application/vnd.ms-excel", "application/octet-stream"})
SMALL_BODY_BYTES = 65_536
QUERY_LIMIT_BYTES = 32_768
MEGABYTE = 1_000_000

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERY_ADDRESS = frozenset({"0.0.0.0", "::", ""})
# What Streamlit serves itself; anything else under its reserved names is refused by Streamlit.
_STREAMLIT_PREFIXES = ("/_stcore/", "/media/", "/component/", "/static/", "/app/static/")
_STREAMLIT_FILES = frozenset({"/favicon.png", "/manifest.json", "/oauth2callback", "/auth/login", "/auth/logout"})
_CLOSED_PREFIXES = ("/_stcore/metrics", "/_stcore/agent")
_OWN_PREFIXES = ("/api/", "/s/", "/og/", "/topo/")
_OWN_PATHS = frozenset({"/healthz", "/feed.xml", "/api", "/s", "/og"})


class Gate:
    """Let through what this server is for; answer the rest with one sentence.

    Parameters
    ----------
    app : the application behind
    settings : host names, limits, and whether metrics are open
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        public = urlsplit(settings.public_url)
        self.names = _LOOPBACK | set(settings.allowed_hosts) | {n for n in (settings.host.lower(), public.hostname) if n}
        self.names -= _EVERY_ADDRESS
        self.public_origin = (public.scheme, public.netloc.lower()) if public.netloc else None
        # A foreign site can point its own name at this machine, but never a bare address: addresses are safe once the server is open.
        self.bare_addresses = settings.host in _EVERY_ADDRESS or not _is_loopback(settings.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        limited = _Limited(receive, self._body_limit(scope["path"]))
        await self.app(scope, limited, _with_headers(send, scope))

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._known(host):
            return 421, f"this server does not answer to the host name {_short(host)}; RIDGEPOINT_ALLOWED_HOSTS adds names"
        writes = scope["type"] == "websocket" or scope["method"] not in _READS
        if writes and (sentence := self._cross_site(scope["type"], host, headers)):
            return 403, sentence
        if scope["type"] == "websocket":
            return None
        if len(scope.get("query_string", b"")) > QUERY_LIMIT_BYTES:
            return 414, f"the query is longer than {QUERY_LIMIT_BYTES:,} bytes"
        path = scope["path"]
        if not self._served(path):
            return 404, f"there is no page {_short(path)}; the pages are {', '.join('/' + slug for slug in site.pages())}"
        if writes and path.startswith("/api/"):
            return self._body_refusal(path, headers)
        return None

    def _known(self, host: str) -> bool:
        name = _host_name(host)
        if name in self.names or "*" in self.names:
            return True
        return self.bare_addresses and _is_address(name)

    def _cross_site(self, kind: str, host: str, headers: dict[str, str]) -> str | None:
        fetched_from = headers.get("sec-fetch-site", "")
        if kind == "http" and fetched_from not in ("", "same-origin", "none"):
            return f"writes are accepted from this server's own pages only, not from another site ({_short(fetched_from)})"
        origin = headers.get("origin")
        if origin is None:
            return None
        parts = urlsplit(origin)
        if parts.netloc.lower() == host.lower() or (parts.scheme, parts.netloc.lower()) == self.public_origin:
            return None
        return f"writes are accepted from this server's own pages only, not from {_short(origin)}"

    def _served(self, path: str) -> bool:
        if path.startswith(_CLOSED_PREFIXES):
            return self.settings.metrics
        if path.startswith((*_STREAMLIT_PREFIXES, *_OWN_PREFIXES)) or path in _STREAMLIT_FILES | _OWN_PATHS:
            return True
        return path.strip("/") in site.pages() and "//" not in path

    def _body_limit(self, path: str) -> int:
        if path == "/api/uploads":
            return self.settings.max_upload_mb * MEGABYTE
        if path.startswith("/_stcore/upload_file/"):
            return (self.settings.max_page_upload_mb + 1) * MEGABYTE  # the form around the file takes some room
        return SMALL_BODY_BYTES

    def _body_refusal(self, path: str, headers: dict[str, str]) -> tuple[int, str] | None:
        accepted = CSV_TYPES if path == "/api/uploads" else JSON_TYPES
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if kind not in accepted:
            return 415, f"the body's Content-Type is {_short(kind) or 'missing'}; accepted here: {', '.join(sorted(accepted))}"
        limit = self._body_limit(path)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > limit:
            return 413, f"the body has {int(length):,} bytes; at most {limit:,} are accepted"
        return None


class _Limited:
    """A body that ends with an error once it is longer than allowed, whatever its headers said."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self.receive = receive
        self.limit = limit
        self.seen = 0

    async def __call__(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.request":
            self.seen += len(message.get("body", b""))
            if self.seen > self.limit:
                from starlette.exceptions import HTTPException

                raise HTTPException(413, f"the body is longer than the {self.limit:,} bytes that are accepted")
        return message


def _with_headers(send: Send, scope: Scope) -> Send:
    """Add the headers that keep browsers from guessing types and other sites from framing what can be clicked."""
    framed = "embed" in parse_qs(scope.get("query_string", b"").decode("latin-1")) and scope["path"] != "/data"
    framed = framed or scope["path"].startswith(("/_stcore/", "/static/"))
    added = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"strict-origin-when-cross-origin")]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            extra = list(added)
            if not framed and b"content-security-policy" not in present:
                extra.append((b"content-security-policy", b"frame-ancestors 'self'"))
            message = {**message, "headers": [*message["headers"], *(h for h in extra if h[0] not in present)]}
        await send(message)

    return send_with_headers


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": sentence[:120]})
        return
    headers = dict(scope["headers"])
    if status == 404 and b"text/html" in headers.get(b"accept", b""):
        response: Any = site.not_found_page(sentence)
    else:
        response = error_answer(status, sentence, {"X-Content-Type-Options": "nosniff"})
    await response(scope, receive, send)


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].split("]")[0].lower()
    return host.rsplit(":", 1)[0].lower() if host.count(":") == 1 else host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _short(text: str) -> str:
    return repr(text[:80]) if text else ""


def middleware(settings: Settings | None = None) -> list[Middleware]:
    """Return the middleware of the server, outermost first."""
    return [Middleware(Gate, settings=settings or Settings.from_env())]
