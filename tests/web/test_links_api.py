"""Links over HTTP: made from a state, opened on what they showed, with a notice once data moved on."""

import pytest

CHART = "clusters.power"
STATE = {"page": "clusters", "chart": CHART, "params": {}, "rev": 1}
ROW_COLUMNS = "cluster_id,name,status,as_of,online_date,chip_id,chip_count,power_mw,source,confidence,country"
ROW = "link-check,Link Check,operational,2026-11-01,2026-11-01,h100-sxm,900000,9999,link check,claim,France"


def make(client, **changes):
    return client.post("/api/links", json=STATE | changes)


def test_the_same_state_gives_the_same_link(client):
    first, again = make(client), make(client)
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.json()["url"] == f"http://localhost:8501/s/{first.json()['id']}"


def test_defaults_left_out_and_written_out_are_the_same_state(client):
    params = client.get(f"/api/charts/{CHART}.json?rev=1").json()["params"]
    assert params
    assert make(client, params=params).json()["id"] == make(client).json()["id"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"chart": "clusters.nosuch"}, 404, "no chart"),
        ({"chart": 7}, 400, "chart must be"),
        ({"page": "chips"}, 400, "stands on page"),
        ({"params": [1]}, 400, "params must be"),
        ({"params": {"no_such": 1}}, 400, "no_such"),
        ({"rev": "1"}, 400, "rev must be"),
        ({"rev": True}, 400, "rev must be"),
        ({"rev": 999_999}, 404, "revision 999999"),
        ({"table": "x"}, 400, "is not a field"),
        (
            {"params": {"owners": ["Google", "Amazn"]}},
            422,
            "owners=Amazn: the store has no such name at this revision; the nearest is Amazon",
        ),
        ({"params": {"source": "Nobody"}}, 422, "source=Nobody"),
        ({"chart": "clusters.file", "params": {"cluster": "xai-colosus1"}}, 422, "the nearest is xai-colossus1"),
    ],
)
def test_a_state_that_cannot_be_kept_is_named(client, body, status, said):
    answer = make(client, **body)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]


def test_a_link_is_refused_in_the_words_of_the_chart_s_own_address(client):
    for params in ({"chips": ["h100-smx"]}, {"by": "planet"}, {"no_such": "1"}):
        asked = client.get(f"/api/charts/{CHART}.json", params={**params, "rev": 1})
        refused = make(client, params=params)
        assert (refused.status_code, refused.json()) == (asked.status_code, asked.json()) and refused.status_code in (400, 422)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"x"', b"\xff"])
def test_a_body_that_is_no_state_is_refused(client, body):
    answer = client.post("/api/links", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "body" in answer.json()["error"]


def test_the_page_carries_the_preview_and_goes_on_to_the_exact_state(client):
    link = make(client).json()["id"]
    page = client.get(f"/s/{link}?embed=true")
    assert page.status_code == 200
    for tag in ("og:title", "og:description", "og:image", "og:url", "twitter:card"):
        assert tag in page.text
    assert f"/s/{link}.png" in page.text
    for part in ("/clusters?", "rev=1", f"s={link}", "embed=true"):
        assert part in page.text


@pytest.mark.parametrize("path", ["/s/nosuch", "/s/nosuch.csv", "/s/nosuch.png", "/s/aaaaaaaaaaaa.json", "/s/", "/s/a/b"])
def test_an_unknown_link_is_404_for_programs_and_people(client, path):
    assert client.get(path).status_code == 404
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 404


def test_a_link_holds_when_the_data_move_on_and_says_so(client):
    link = make(client, rev=None).json()["id"]
    shown = client.get(f"/s/{link}.csv").content
    told = client.get(f"/s/{link}.json").json()
    assert told["notice"] is None
    csv = f"{ROW_COLUMNS}\n{ROW}\n".encode()
    done = client.post("/api/uploads?table=clusters&commit=true", content=csv, headers={"Content-Type": "text/csv"})
    assert done.status_code == 200, done.text
    assert done.json()["revision"], done.text
    assert client.get(f"/s/{link}.csv").content == shown
    after = client.get(f"/s/{link}.json").json()
    assert after["rows"] == told["rows"]
    if client.get(f"/api/charts/{CHART}.csv").content != shown:
        assert after["notice"]["causes"] == ["data"]
        assert f"revision {told['revision']} → {done.json()['revision']}" in after["notice"]["sentence"]
