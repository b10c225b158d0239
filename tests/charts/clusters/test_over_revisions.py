"""What the store itself said over its revisions: every promise ever told, and everything that happened to a cluster."""

from __future__ import annotations

import pandas as pd

from data.queries.cluster_files import changes
from data.queries.promises import promises
from data.revisions import TableChange
from tests.charts.clusters.conftest import cluster

PLAN = {"phase": "plan", "status": "planned", "as_of": "2025-01-01", "online_date": "2026-01-01"}


def test_a_promise_stays_on_record_however_many_revisions_follow(of_rows):
    of_rows(cluster("a", **PLAN, power_mw=500))
    of_rows(cluster("a", **PLAN, power_mw=400))
    for n in range(70):
        snapshot = of_rows(cluster("other", power_mw=n + 1))
    assert snapshot.rev == 72
    assert set(promises(snapshot, "power_mw")["promised"]) == {400, 500}
    assert [(c["rev"], c["before"], c["after"]) for c in changes(snapshot, "a")] == [(2, 500, 400)]


def test_a_plan_whose_day_alone_is_moved_is_a_second_promise(of_rows):
    of_rows(cluster("a", **PLAN, power_mw=500))
    later = of_rows(cluster("a", **PLAN | {"online_date": "2026-09-01"}, power_mw=500))
    days = promises(later, "power_mw")["promised_day"].dt.date.astype(str).tolist()
    assert days == ["2026-01-01", "2026-09-01"]


def test_a_file_tells_of_a_value_taken_back_and_of_a_row_withdrawn(of_rows):
    of_rows(cluster("a", power_mw=100))
    store = of_rows(cluster("a", power_mw=120), cluster("a", phase="2", power_mw=300)).store
    store.undo(2)
    found = [(c["rev"], c["phase"], c["figure"], c["before"], c["after"]) for c in changes(store.snapshot(), "a")]
    assert found == [
        (3, "1", "power_mw", 120, 100),
        (3, "2", "status", "operational", "withdrawn"),
        (2, "1", "power_mw", 100, 120),
    ]


def test_a_draft_counts_as_the_newest_testimony(of_rows):
    snapshot = of_rows(cluster("a", **PLAN, power_mw=500))
    store = snapshot.store
    drafted = store.snapshot().with_draft({"clusters": pd.DataFrame([cluster("a", **PLAN, power_mw=450)])})
    assert set(promises(drafted, "power_mw")["promised"]) == {450, 500}
    assert [(c["before"], c["after"]) for c in changes(drafted, "a")] == [(500, 450)]


def test_nothing_withdrawn_is_promised_twice(of_rows):
    snapshot = of_rows(cluster("a", **PLAN, power_mw=500))
    key = snapshot.table("clusters")["fact_key"].tolist()
    snapshot.store.apply([TableChange("clusters", None, key)], kind="import", author="test")
    assert promises(snapshot.store.snapshot(), "power_mw")["promised"].tolist() == [500]
