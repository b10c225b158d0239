"""Uploads over HTTP: a dry run writes nothing, a commit is one revision, an open question stops it."""

import asyncio
import json
import threading

import pytest
from starlette.requests import ClientDisconnect, Request

from data import importing
from web import uploads_api
from web.answers import Refused
from web.uploads_api import read_query

CSV = {"Content-Type": "text/csv"}
COLUMNS = "cluster_id,name,status,as_of,online_date,chip_id,chip_count,power_mw,source,confidence,country"
ROW = "upload-check,Upload Check,operational,2026-11-01,2026-11-01,h100-sxm,123456,777,upload check,claim,France"
BODY = f"{COLUMNS}\n{ROW}\n".encode()


def upload(client, query="", body=BODY):
    return client.post(f"/api/uploads?table=clusters{query}", content=body, headers=CSV)


def test_a_dry_run_tells_everything_and_writes_nothing(client):
    before = client.get("/healthz").json()["revision"]
    told = upload(client).json()
    assert {"upload", "mapping", "questions", "rejects", "warnings", "diff", "rows", "revision"} <= set(told)
    assert told["revision"] is None
    assert told["rows"][0]["cluster_id"] == "upload-check"
    assert client.get("/healthz").json()["revision"] == before


def test_a_commit_is_one_revision_and_the_same_file_again_changes_nothing(client):
    before = client.get("/healthz").json()["revision"]
    told = upload(client, "&commit=true&name=new.csv&author=ann&note=why").json()
    assert told["revision"] == before + 1
    newest = client.get("/api/revisions").json()["revisions"][0]
    assert (newest["rev"], newest["author"], newest["file_name"], newest["added"]) == (before + 1, "ann", "new.csv", 1)
    again = upload(client, "&commit=true")
    assert not again.json().get("revision")
    assert client.get("/healthz").json()["revision"] == before + 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"commit": "maybe"}, "true or false"),
        ({"today": "tomorrow"}, "YYYY-MM-DD"),
        ({"answers": "{"}, "not JSON"),
        ({"answers": "[1]"}, "JSON object"),
        ({"tabel": "clusters"}, "'tabel' is not a parameter"),
    ],
)
def test_a_query_that_cannot_be_read_is_named(query, said):
    with pytest.raises(Refused, match=said):
        read_query(query)


def test_a_file_name_is_only_a_name():
    assert read_query({"name": "../../etc/passwd"}).name == "passwd"
    assert read_query({"name": "C:\\data\\x.csv"}).name == "x.csv"


def test_an_unknown_table_is_named(client):
    answer = client.post("/api/uploads?table=clutsers", content=BODY, headers=CSV)
    assert answer.status_code == 400
    assert "clutsers" in answer.json()["error"]


def test_no_upload_leaves_a_file_behind(client, home):
    upload(client)
    assert not list((home / "tmp").glob("*"))


def test_imports_at_once_become_one_revision_each_while_reading_goes_on(client):
    before = client.get("/healthz").json()["revision"]
    codes, read = [], []

    def write(number):
        answer = upload(client, "&commit=true", f"{COLUMNS}\n{ROW.replace('upload-check', f'at-once-{number}')}\n".encode())
        codes.append((answer.status_code, answer.json().get("revision")))

    def look():
        read.extend(client.get("/api/charts/clusters.power.csv").status_code for _ in range(3))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(2)] + [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [(200, before + 1), (200, before + 2)]
    assert set(read) == {200}


def test_more_imports_than_seats_are_asked_to_come_back(client, monkeypatch):
    monkeypatch.setattr("web.uploads_api._seats", threading.BoundedSemaphore(1))
    with uploads_api._seats:
        answer = upload(client)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert upload(client).status_code == 200


def test_a_chip_with_sparsity_is_asked_about_before_anything_is_written(client):
    body = b"GPU,Vendor,FP8 with sparsity (TFLOPS),BF16 (TFLOPS)\nHexa X1,Hexa,3958,989\n"
    address = "/api/uploads?table=chips&name=hexa.csv"
    told = client.post(address + "&commit=true", content=body, headers=CSV)
    (question,) = told.json()["questions"]
    assert told.status_code == 422 and question["id"].startswith("sparse:") and "halve" in question["choices"]
    answers = json.dumps({question["id"]: "halve"})
    told = client.post(address, params={"table": "chips", "answers": answers}, content=body, headers=CSV).json()
    assert told["questions"] == [] and told["rows"][0]["fp8_tflops_dense"] == 1979
    doubled = client.post(
        address, content=b"chip_id,name,bf16_tflops_dense,fp8_tflops_dense\nhexa-x1,Hexa X1,989,3958\n", headers=CSV
    ).json()
    assert any("twice what its neighbours" in sentence for sentence in doubled["warnings"])


def test_an_import_whose_client_has_gone_ends_and_frees_its_seat(client, monkeypatch):
    asked_to_stop = threading.Event()

    def wait_for_the_end(*_, cancel, **__):
        while not cancel():
            asked_to_stop.wait(0.02)
        asked_to_stop.set()
        raise importing.Cancelled

    monkeypatch.setattr(importing, "prepare", wait_for_the_end)
    monkeypatch.setattr("web.uploads_api.LOOK_EVERY_S", 0.02)
    told = [{"type": "http.request", "body": b"name\nA\n", "more_body": False}]

    async def receive():
        return told.pop() if told else {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/api/uploads", "query_string": b"", "headers": []}
    with pytest.raises(ClientDisconnect):
        asyncio.run(uploads_api.uploads(Request(scope, receive)))
    assert asked_to_stop.is_set()
    free = [uploads_api._seats.acquire(blocking=False) for _ in range(uploads_api.SIDE_BY_SIDE)]
    assert all(free)
    uploads_api._seats.release(len(free))
