"""Whatever goes wrong becomes one sentence with the right status, and never a traceback."""

import json

import duckdb
import pytest

from data.links import UnknownLink
from data.schema import StoreTooNew
from data.settings import Settings
from data.store import ReadOnly, Store, StoreBusy, UnknownRevision
from web import context
from web.answers import Refused, answer_of, json_answer
from web.images import ImageBusy, ImageUnavailable


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused(418, "no"), 418),
        (UnknownRevision("revision 9 does not exist"), 404),
        (UnknownLink("no link"), 404),
        (ReadOnly("disk full: nothing was written"), 503),
        (StoreBusy("in use"), 503),
        (StoreTooNew("newer"), 503),
        (ImageBusy("busy"), 503),
        (ImageUnavailable("none"), 503),
        (ValueError("mw must be positive, got -1"), 400),
        (OSError(28, "No space left on device"), 507),
        (duckdb.InternalException("boom"), 500),
        (RuntimeError("secret detail"), 500),
    ],
)
def test_each_error_has_its_status_and_one_sentence(error, status):
    answer = answer_of(error)
    said = json.loads(answer.body)["error"]
    assert answer.status_code == status
    assert said and "Traceback" not in said
    assert "secret detail" not in said


def test_numbers_json_has_no_word_for_become_null():
    assert json.loads(json_answer({"a": float("nan"), "b": [float("inf")], "c": (1, None)}).body) == {
        "a": None,
        "b": [None],
        "c": [1, None],
    }


def test_a_store_from_a_newer_version_is_said_by_health_and_by_every_door(client, home, tmp_path, monkeypatch):
    store = Store.open(Settings(home=tmp_path), shipped=False)
    store.connection.execute("INSERT INTO schema_version VALUES (999)")
    store.close()
    monkeypatch.setattr(context, "settings", lambda: Settings(home=tmp_path))
    for path in ("/healthz", "/api/revisions", "/api/charts/clusters.power.csv", "/feed.xml"):
        answer = client.get(path)
        assert answer.status_code == 503, path
        assert "999" in answer.json()["error"]
