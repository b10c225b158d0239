"""Health, revisions, the feed, the OpenAPI document and pages' previews."""

import xml.etree.ElementTree as ET

import pytest

from web import site

ATOM = "{http://www.w3.org/2005/Atom}"


def test_health_names_the_revision_and_the_model(client):
    told = client.get("/healthz").json()
    assert told["status"] == "ok"
    assert told["revision"] >= 1
    assert told["model"]


def test_revisions_are_listed_newest_first(client):
    rows = client.get("/api/revisions").json()["revisions"]
    assert [row["rev"] for row in rows] == sorted((row["rev"] for row in rows), reverse=True)
    assert rows[-1]["kind"] == "shipped"
    assert {"time", "author", "file_name", "sha256", "note", "added", "changed", "removed"} <= set(rows[0])


def test_the_feed_is_atom_with_an_entry_for_each_revision(client):
    answer = client.get("/feed.xml")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    root = ET.fromstring(answer.content)
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == client.get("/healthz").json()["revision"]
    for entry in entries:
        assert all(entry.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated"))


def test_the_openapi_document_lists_every_chart_form_and_parameter(client):
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for chart in client.get("/api/charts").json()["charts"]:
        parameters = document["paths"][f"/api/charts/{chart['id']}.csv"]["get"]["parameters"]
        assert {p["name"] for p in parameters} == set(chart["params"]["properties"]) | {"rev"}
    assert "post" in document["paths"]["/api/uploads"]


def test_each_page_has_its_title_and_its_preview(client):
    for slug, page in site.pages().items():
        text = client.get(f"/{slug}?rev=1").text
        assert page.title in text.split("</title>")[0]
        assert f"/og/{page.file}.png?rev=1" in text
        assert '<div id="root">' in text


@pytest.mark.parametrize("query", ['x="><script>alert(1)</script>', "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"])
def test_what_stands_in_an_address_is_never_run(client, query):
    assert "<script>alert(1)" not in client.get(f"/clusters?{query}").text


def test_a_page_without_a_picture_says_so_with_one(client, monkeypatch):
    from web import context
    from web.images import ImageUnavailable

    def refuse(*_):
        raise ImageUnavailable("no Chromium here")

    monkeypatch.setattr(context.renderer(), "draw", refuse)
    answer = client.get("/og/clusters.png")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\x89PNG")
    assert answer.headers["x-ridgepoint-image"] == "placeholder"
    assert client.get("/og/nosuch.png").status_code == 404
    refused = client.get("/api/charts/clusters.power.png")
    assert (refused.status_code, refused.json()["error"]) == (503, "no Chromium here")
