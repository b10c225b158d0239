"""Tokens per task, the restated ARC-AGI run, and speeds beside prices."""

import datetime

import pytest

from data.queries import tasks
from data.settings import Settings
from data.store import Store


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    store = Store.open(Settings(home=tmp_path_factory.mktemp("tasks")))
    yield store.snapshot(today=datetime.date(2026, 11, 23))
    store.close()


def test_reasoning_models_with_price_and_score(snapshot):
    rows = tasks.task_tokens(snapshot, "GPQA Diamond").set_index(["model_id", "effort"])
    o1 = rows.loc[("o1", "high")]
    assert o1["output_usd_per_mtok"] == 60 and o1["score"] == pytest.approx(0.7677) and o1["is_reasoning"]
    r1 = rows.loc[("deepseek-r1", None)] if ("deepseek-r1", None) in rows.index else rows.xs("deepseek-r1").iloc[0]
    assert r1["output_usd_per_mtok"] == 2.19 and r1["score"] == pytest.approx(0.715)


def test_the_same_run_at_20_and_at_200_dollars(snapshot):
    rows = tasks.arc_runs(snapshot, "ARC-AGI-1 semi-private").set_index("system")
    assert rows.at["o3-preview (high efficiency)", "usd_per_task"] == pytest.approx(20.12)
    restated = rows[rows["restated"]]
    assert restated["usd_per_task"].tolist() == [200] and restated["score"].tolist() == [0.757]
    big = rows.loc["o3-preview (low efficiency, 172x)"]
    # Withheld; 172 x 20.12 = 3,461 by the published multiple, 3,475 by the tokens.
    assert big["implied"] and big["usd_per_task"] == pytest.approx(3461, rel=0.01)
    assert rows["implied"].sum() == 1


def test_speed_beside_the_price_of_that_day(snapshot):
    rows = tasks.host_speeds(snapshot).set_index("row_id")
    assert rows.at["v3-deepseek-2024-12-26", "output_usd_per_mtok"] == 0.28
    assert rows.at["v3r1-deepseek-2025-02-28", "tok_s"] == 21
    assert rows.at["llama-3.1-70b-instruct-groq-2024-09", "output_usd_per_mtok"] == 0.79
    assert rows["output_usd_per_mtok"].isna().any()  # hosts nobody listed a price for stay blank


def test_unknown_names_are_refused(snapshot):
    with pytest.raises(ValueError, match="benchmark must be one of .*WeirdML.*, got 'nothing'"):
        tasks.task_tokens(snapshot, "nothing")
    with pytest.raises(ValueError, match="data set must be one of .*, got 'ARC'"):
        tasks.arc_runs(snapshot, "ARC")


def test_runs_are_dated_by_the_version_that_was_scored(snapshot):
    rows = tasks.dated_runs(snapshot, "WeirdML").drop_duplicates("model_as_named").set_index("model_as_named")
    # Gemini 1.5 Pro 002 came out on 24 September 2024, four months after the name; GPT-4 Turbo's final version on 9 April 2024.
    assert rows.at["gemini-1.5-pro-002", "released"] == "2024-09-24"
    assert rows.at["gpt-4-turbo-2024-04-09", "released"] == "2024-04-09"
    assert rows.at["gpt-5.1-2025-11-13", "released_from"] == "day in its name"
    assert rows["day"].is_monotonic_increasing and (rows["cost_usd_per_task"] > 0).all()
    assert len(rows) > 60
