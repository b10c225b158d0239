"""The gate in front of every request: hosts, cross-site writes, sizes, types and unknown paths."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from data.settings import Settings
from web import site
from web.middleware import Gate


async def echo(request):
    body = await request.body()
    return PlainTextResponse(f"{request.url.path} {len(body)}")


def client(base="http://localhost:8501", **changes):
    app = Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST", "PUT", "DELETE"])])
    return TestClient(Gate(app, Settings(**changes)), base_url=base, raise_server_exceptions=False)


@pytest.fixture(autouse=True)
def two_pages(monkeypatch):
    monkeypatch.setattr(site, "pages", lambda: {k: site.EVERY_PAGE[k] for k in ("", "clusters", "data")})


CSV = {"Content-Type": "text/csv"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST"])
def test_loopback_names_are_answered(host):
    assert client().get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8501", "localhost.evil.example", "192.168.1.7", "", "127.0.0.1.evil.example"]
)
def test_other_names_are_refused_with_a_sentence(host):
    answer = client().get("/healthz", headers={"Host": host})
    assert answer.status_code == 421
    assert "RIDGEPOINT_ALLOWED_HOSTS" in answer.json()["error"]


def test_names_given_in_settings_are_answered():
    assert client(allowed_hosts=("ridge.example",)).get("/healthz", headers={"Host": "ridge.example"}).status_code == 200
    assert client(public_url="https://ridge.example").get("/healthz", headers={"Host": "ridge.example"}).status_code == 200
    assert client(allowed_hosts=("*",)).get("/healthz", headers={"Host": "any.example"}).status_code == 200


def test_an_open_server_answers_to_addresses_but_not_to_foreign_names():
    opened = client(host="0.0.0.0")
    assert opened.get("/healthz", headers={"Host": "192.168.1.7:8501"}).status_code == 200
    assert opened.get("/healthz", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost:8501", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:8501.evil.example"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_writes_from_other_sites_are_refused(headers, method):
    answer = client().request(method, "/api/uploads", content=b"a\n1\n", headers={**CSV, **headers})
    assert answer.status_code == 403
    assert "this server's own pages" in answer.json()["error"]


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://localhost:8501"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
def test_writes_from_own_pages_and_from_scripts_pass(headers):
    assert client().post("/api/uploads", content=b"a\n1\n", headers={**CSV, **headers}).text == "/api/uploads 4"


def test_writes_through_a_proxy_pass_when_the_public_address_is_known():
    behind = client(public_url="https://ridge.example")
    headers = {**CSV, "Host": "ridge.example", "Origin": "https://ridge.example"}
    assert behind.post("/api/uploads", content=b"a", headers=headers).status_code == 200
    assert (
        behind.post("/api/uploads", content=b"a", headers={**headers, "Host": "localhost", "Origin": "http://ridge.example"}).status_code
        == 403
    )


def test_reads_from_other_sites_pass():
    assert client().get("/api/charts", headers={"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_a_socket_from_another_site_is_closed():
    with pytest.raises(WebSocketDisconnect), client().websocket_connect("/_stcore/stream", headers={"Origin": "http://evil.example"}):
        pass


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
def test_types_a_form_can_send_are_refused(kind):
    answer = client().post("/api/uploads", content=b"a", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "text/csv" in answer.json()["error"]


def test_bodies_are_limited_whether_they_say_their_length_or_not():
    small = client(max_upload_mb=1)
    assert small.post("/api/links", content=b"x" * 70_000, headers=JSON).status_code == 413
    assert small.post("/api/uploads", content=b"x" * 999_999, headers=CSV).status_code == 200
    assert small.post("/api/uploads", content=b"x" * 1_000_001, headers=CSV).status_code == 413
    assert small.post("/api/uploads", content=iter([b"x" * 600_000] * 2), headers=CSV).status_code == 413


def test_a_long_query_is_refused():
    assert client().get("/api/charts?x=" + "y" * 40_000).status_code == 414


@pytest.mark.parametrize(
    "path", ["/nosuch", "/clusters/x", "/..%2f", "/index.html", "/wp-login.php", "/_stcore/metrics", "/_stcore/agent/mcp", "/clusters//"]
)
def test_unknown_paths_are_404(path):
    answer = client().get(path)
    assert answer.status_code == 404
    assert "there is no page" in answer.json()["error"]


def test_a_browser_gets_a_page_that_says_what_is_missing_and_runs_nothing():
    answer = client().get("/<script>alert(1)</script>", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "<script>" not in answer.text
    assert "Overview" in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/clusters", "/clusters/", "/api/charts", "/s/abc", "/healthz", "/feed.xml", "/_stcore/health", "/static/js/a.js"]
)
def test_known_paths_pass(path):
    assert client().get(path).status_code == 200


def test_metrics_open_only_when_asked():
    assert client(metrics=True).get("/_stcore/metrics").status_code == 200


def test_only_embedded_views_may_be_framed_and_never_the_page_that_writes():
    ask = client()
    assert "frame-ancestors" in ask.get("/clusters").headers["content-security-policy"]
    assert "content-security-policy" not in ask.get("/clusters?embed=true").headers
    assert "frame-ancestors" in ask.get("/data?embed=true").headers["content-security-policy"]
    assert ask.get("/clusters").headers["x-content-type-options"] == "nosniff"
