"""The stable names that scripts rely on, tried from outside on a real server with a throw-away home."""

import io
import json
import os
import shutil
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET

import pandas as pd
import pytest
from PIL import Image

from data.meta import load_meta
from tools.serving import running

CHROMIUM = bool(os.environ.get("RIDGEPOINT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome"))
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
CHART = "clusters.power"
ROW = {
    "cluster_id": "contract-check",
    "name": "Contract Check",
    "country": "France",
    "status": "operational",
    "as_of": "2026-11-01",
    "online_date": "2026-11-01",
    "chip_id": "h100-sxm",
    "chip_count": "123456",
    "power_mw": "777",
    "source": "contract check",
    "confidence": "claim",
}


@pytest.fixture(scope="module")
def server():
    with running() as started:
        yield started.url


def ask(server, path, body=None, headers=None):
    """Status, headers and body of one request, errors included."""
    try:
        with urllib.request.urlopen(urllib.request.Request(server + path, body, headers or {}), timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def told(server, path, body=None, headers=None):
    status, _, content = ask(server, path, body, headers)
    assert status == 200, (path, status, content[:500])
    return json.loads(content)


def upload_of(**changes):
    columns = list(load_meta("clusters").columns)
    row = ROW | changes
    return (",".join(columns) + "\n" + ",".join(row.get(column, "") for column in columns) + "\n").encode()


def test_health(server):
    health = told(server, "/healthz")
    assert health["status"] == "ok"
    assert health["revision"] >= 1 and health["model"]


def test_every_chart_answers_and_one_in_every_form(server):
    listed = told(server, "/api/charts")["charts"]
    assert CHART in {chart["id"] for chart in listed}
    for form in ("json", "csv", "parquet", "xlsx", "html"):
        status, _, body = ask(server, f"/api/charts/{CHART}.{form}")
        assert status == 200 and len(body) > 50, (form, status)
    for chart in listed:
        assert ask(server, f"/api/charts/{chart['id']}.csv")[0] == 200, chart["id"]
        assert ask(server, f"/api/charts/{chart['id']}/receipt.json")[0] == 200, chart["id"]


@pytest.mark.skipif(not CHROMIUM, reason="images need Chromium")
def test_images_have_the_asked_size(server):
    body = ask(server, f"/api/charts/{CHART}.png?width=800&height=500&theme=dark")[2]
    assert Image.open(io.BytesIO(body)).size == (800, 500)
    status, headers, body = ask(server, f"/api/charts/{CHART}.svg")
    assert status == 200 and body.startswith(b"<svg")
    assert headers["Content-Type"].startswith("image/svg+xml")
    assert Image.open(io.BytesIO(ask(server, "/og/clusters.png")[2])).size == (1200, 630)


def test_a_client_reads_a_chart_with_one_line(server):
    exact = pd.read_parquet(f"{server}/api/charts/{CHART}.parquet?rev=1")
    assert len(exact) == len(pd.read_csv(f"{server}/api/charts/{CHART}.csv?rev=1"))


def test_documents(server):
    assert told(server, "/api/openapi.json")["openapi"]
    assert told(server, "/api/revisions")["revisions"]
    assert ET.fromstring(ask(server, "/feed.xml")[2]).tag.endswith("feed")


@pytest.mark.parametrize(
    "path", ["/api/nosuch", "/s/nosuch", "/nosuch", "/clusters/nosuch", f"/api/charts/{CHART}.csv?rev=999999", "/api/charts/no.such.csv"]
)
def test_what_is_not_there_is_404_with_one_sentence(server, path):
    status, _, body = ask(server, path)
    assert status == 404
    assert json.loads(body)["error"]


def test_pages_answer_with_their_preview(server):
    for path in ("/", "/clusters"):
        status, _, body = ask(server, path)
        assert status == 200 and b"og:image" in body and b"og:title" in body


def test_a_link_holds_through_an_import_and_an_import_needs_no_more_than_a_csv(server):
    state = json.dumps({"page": "clusters", "chart": CHART, "params": {}, "rev": 1}).encode()
    link, again = (told(server, "/api/links", state, JSON) for _ in range(2))
    assert link["id"] == again["id"]
    assert link["url"].endswith(f"/s/{link['id']}")
    shown = ask(server, f"/s/{link['id']}.csv")[2]
    dry = told(server, "/api/uploads?table=clusters&today=2026-11-23", upload_of(), CSV)
    assert {"upload", "mapping", "questions", "rejects", "warnings", "diff", "rows"} <= set(dry)
    assert not dry["revision"]
    done = told(server, "/api/uploads?table=clusters&commit=true&today=2026-11-23", upload_of(), CSV)
    assert done["revision"] == told(server, "/healthz")["revision"]
    assert ask(server, f"/s/{link['id']}.csv")[2] == shown
    status, _, page = ask(server, f"/s/{link['id']}")
    assert status == 200 and b"og:image" in page and b"og:title" in page
    assert told(server, f"/s/{link['id']}.json")["link"] == link["id"]
    if CHROMIUM:
        assert Image.open(io.BytesIO(ask(server, f"/s/{link['id']}.png")[2])).size == (1200, 630)


def test_foreign_hosts_and_writes_from_other_sites_are_refused(server):
    assert ask(server, "/healthz", headers={"Host": "evil.example"})[0] == 421
    cross = {**CSV, "Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    before = told(server, "/healthz")["revision"]
    assert ask(server, "/api/uploads?table=clusters&commit=true", upload_of(cluster_id="evil"), cross)[0] == 403
    assert ask(server, "/api/links", b"{}", {**JSON, "Origin": "null"})[0] == 403
    assert told(server, "/healthz")["revision"] == before


def test_closed_doors_stay_closed(server):
    for path in ("/_stcore/metrics", "/_stcore/agent/openapi.json"):
        assert ask(server, path)[0] == 404
    assert ask(server, "/_stcore/agent/interact", b"{}", JSON)[0] == 404


@pytest.mark.parametrize("hostile", ["%00", "%0d%0aSet-Cookie:%20a=b", "..%2f..%2f", "%F0%9F%92%A3", "'%20OR%201=1--", "<script>"])
def test_hostile_values_get_an_answer_and_no_traceback(server, hostile):
    hostile = hostile.replace("<", "%3C").replace(">", "%3E").replace("'", "%27")
    for path in (
        f"/api/charts/{hostile}.csv",
        f"/api/charts/{CHART}.csv?rev={hostile}",
        f"/s/{hostile}",
        f"/{hostile}",
        f"/clusters?by={hostile}",
    ):
        status, headers, body = ask(server, path)
        assert status < 500, (path, status)
        assert b"Traceback" not in body
        assert "Set-Cookie" not in headers or "a=b" not in headers["Set-Cookie"]
