"""Revisions: dense, append-only, undone by new ones, and always read back as they were."""

import datetime
import json
import os
import subprocess
import sys

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import integrity
from data.meta import table_names
from data.settings import Settings
from data.store import ReadOnly, Store, StoreBusy, TableChange, UnknownRevision

CLUSTER = {"cluster_id": "test-site", "name": "Test", "phase": "1", "chip_id": "h100-sxm", "source": "a test", "as_of": "2026-11-01"}


def row(**values):
    return pd.DataFrame([CLUSTER | values])


def power(snapshot, cluster="test-site"):
    rows = snapshot.table("clusters")
    return rows.loc[rows["cluster_id"] == cluster, "power_mw"].tolist()


def test_first_start_takes_in_every_shipped_fact(store):
    assert store.head() == 1
    assert len(store.snapshot().table("clusters")) == 268
    assert len(store.snapshot().table("chips")) == 97
    assert integrity.faults(store) == []
    assert store.snapshot().sources()["source_id"].is_unique


def test_an_old_revision_reads_as_it_was(store):
    store.apply([TableChange("clusters", row(power_mw=100.0))], author="a")
    store.apply([TableChange("clusters", row(power_mw=120.0))], author="b")
    assert [power(store.snapshot(r)) for r in (1, 2, 3)] == [[], [100.0], [120.0]]
    assert store.snapshot().table("clusters").query("cluster_id == 'test-site'")["origin"].tolist() == ["upload"]
    assert integrity.faults(store) == []


def test_a_store_in_the_storage_of_an_earlier_duckdb_is_read_and_written(tmp_path):
    duckdb.connect(str(tmp_path / "ridgepoint.duckdb"), config={"storage_compatibility_version": "v1.0.0"}).close()
    for head in (1, 2):
        store = Store.open(Settings(home=tmp_path))
        assert store.head() == head
        store.apply([TableChange("clusters", row(power_mw=100.0 + head))])
        assert power(store.snapshot()) == [100.0 + head]
        assert store.one("SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'ridgepoint'").startswith("v1.0.0")
        store.close()


def test_another_source_is_another_testimony(store):
    store.apply([TableChange("clusters", row(power_mw=100.0))])
    store.apply([TableChange("clusters", row(power_mw=90.0, source="another"))])
    assert sorted(power(store.snapshot())) == [90.0, 100.0]


def test_writing_what_is_there_already_is_refused_and_leaves_no_revision(store):
    store.apply([TableChange("clusters", row(power_mw=100.0))])
    with pytest.raises(ValueError, match="nothing to write"):
        store.apply([TableChange("clusters", row(power_mw=100.0))])
    assert store.head() == 2


def test_undo_restores_value_origin_and_absence(store):
    before = store.state("clusters", 1)
    shipped = before.iloc[[0]].assign(power_mw=1.0)
    gone = before.iloc[1]["fact_key"]
    store.apply([TableChange("clusters", pd.concat([shipped, row(power_mw=5.0)]), [gone])])
    undone = store.undo(2)
    assert undone.counts == {"clusters": {"added": 1, "changed": 1, "removed": 1}}
    pd.testing.assert_frame_equal(store.state("clusters", 3).drop(columns="row_rev"), before.drop(columns="row_rev"))
    assert integrity.faults(store) == []
    store.undo(3)  # an undo can be undone
    assert power(store.snapshot()) == [5.0]


def test_undo_leaves_what_was_changed_again(store):
    store.apply([TableChange("clusters", pd.concat([row(power_mw=5.0), row(phase="2", power_mw=7.0)]))])
    store.apply([TableChange("clusters", row(power_mw=6.0))])
    store.undo(2)
    assert power(store.snapshot()) == [6.0]
    assert "1 facts changed again" in store.revisions().iloc[0]["note"]
    with pytest.raises(ValueError, match="changed again"):
        store.undo(2)


def test_the_shipped_facts_cannot_be_undone(store):
    with pytest.raises(ValueError, match="shipped facts"):
        store.undo(1)


@pytest.mark.parametrize("rev", [0, 2, -1, 10**9])
def test_unknown_revisions_get_a_sentence(store, rev):
    with pytest.raises(UnknownRevision, match=f"revision {rev} does not exist; revisions 1 to 1 do"):
        store.snapshot(rev)


def test_a_key_twice_in_one_change_is_refused_whole(store):
    with pytest.raises(ValueError, match="stands twice"):
        store.apply([TableChange("clusters", pd.concat([row(power_mw=1.0), row(power_mw=2.0)]))])
    assert store.head() == 1 and integrity.faults(store) == []


def test_a_blank_key_meets_the_fact_whose_key_is_missing(store):
    unnamed = row(cluster_id=None, power_mw=1.0)
    store.apply([TableChange("clusters", unnamed)])
    blank = pa.table({name: pa.array([value], type=pa.string()) for name, value in (CLUSTER | {"cluster_id": ""}).items()})
    assert store.apply([TableChange("clusters", blank)]).counts["clusters"] == {"added": 0, "changed": 1, "removed": 0}
    assert integrity.faults(store) == []


def test_a_draft_is_seen_by_its_snapshot_alone(store):
    plain = store.snapshot()
    draft = plain.with_draft({"clusters": row(power_mw=3.0)})
    assert power(draft) == [3.0] and power(plain) == []
    assert list(draft.table("clusters").columns) == list(plain.table("clusters").columns)


texts = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), min_size=1, max_size=20)
numbers = st.one_of(st.none(), st.floats(0, 1e15, allow_nan=False), st.integers(0, 2**53))


@settings(max_examples=15)
@given(st.lists(st.tuples(texts, texts, numbers), min_size=1, max_size=6, unique_by=lambda t: t[0]))
def test_whatever_is_written_is_read_back(template_home, tmp_path_factory, rows):
    import shutil

    home = shutil.copytree(template_home, tmp_path_factory.mktemp("round") / "home")
    store = Store.open(Settings(home=home))
    put = pd.DataFrame([CLUSTER | {"cluster_id": i, "quote_or_note": note, "power_mw": value} for i, note, value in rows])
    store.apply([TableChange("clusters", put)])
    back = store.snapshot().table("clusters").set_index("cluster_id")
    for i, note, value in rows:
        assert back.loc[i, "quote_or_note"] == note
        assert (value is None and pd.isna(back.loc[i, "power_mw"])) or back.loc[i, "power_mw"] == float(value)
    store.close()


def test_the_store_reads_no_file_and_cannot_be_unlocked(store, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    for sql in (
        f"SELECT * FROM read_csv('{secret}')",
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
        f"ATTACH '{tmp_path / 'other.duckdb'}'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ):
        with pytest.raises(duckdb.Error):
            store.one(sql)


def test_a_second_process_is_told_who_holds_the_store(store, home):
    code = "from data.settings import Settings; from data.store import Store; Store.open(Settings.from_env())"
    environment = {**os.environ, "RIDGEPOINT_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "is in use by another process" in done.stderr
    assert issubclass(StoreBusy, ValueError)


def test_a_store_from_a_newer_version_is_not_touched(home):
    with duckdb.connect(str(home / "ridgepoint.duckdb")) as con:
        con.execute("INSERT INTO schema_version VALUES (9999)")
    with pytest.raises(ValueError, match="schema version 9999"):
        Store.open(Settings(home=home))


def test_a_server_that_only_reads_says_so(home):
    store = Store.open(Settings(home=home, read_only=True))
    with pytest.raises(ReadOnly, match="RIDGEPOINT_READ_ONLY"):
        store.apply([TableChange("clusters", row(power_mw=1.0))])
    assert len(store.snapshot().table("chips")) == 97
    store.close()


@pytest.mark.skipif(
    os.geteuid() == 0 and not os.path.exists("/proc/self/ns/mnt"), reason="root writes anywhere unless a file stands in the way"
)
def test_a_home_that_cannot_be_made_is_read_from_memory(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = Store.open(Settings(home=tmp_path / "file" / "home"))
    assert len(store.snapshot().table("clusters")) == 268
    with pytest.raises(ReadOnly, match="cannot be written: nothing was written; reading goes on"):
        store.apply([TableChange("clusters", row(power_mw=1.0))])
    store.close()


def test_a_new_shipped_edition_leaves_what_a_user_changed(home, monkeypatch):
    from data import shipped

    store = Store.open(Settings(home=home))
    shipped_rows = store.state("chips", 1)
    mine = shipped_rows[shipped_rows["chip_id"] == "h20"].assign(tdp_w=401.0)
    store.apply([TableChange("chips", mine)])
    store.close()

    original = shipped.frame("chips")
    edition = original[original["chip_id"] != "t4"].reset_index(drop=True)
    edition.loc[edition["chip_id"] == "h20", "tdp_w"] = 405.0
    edition.loc[edition["chip_id"] == "h100-sxm", "tdp_w"] = 701.0
    monkeypatch.setattr(shipped, "frame", lambda name: edition.copy() if name == "chips" else original)
    real = shipped.digest
    monkeypatch.setattr(shipped, "digest", lambda meta: "new" if meta.name == "chips" else real(meta))
    store = Store.open(Settings(home=home))
    chips = store.snapshot().table("chips").set_index("chip_id")
    assert chips.loc["h20", "tdp_w"] == 401.0 and chips.loc["h100-sxm", "tdp_w"] == 701.0 and "t4" not in chips.index
    waiting = store.unsettled()
    assert waiting["fact_key"].tolist() == ['["h20"]'] and json.loads(waiting["shipped_row"][0])["tdp_w"] == 405.0
    assert integrity.faults(store) == []
    store.close()
    Store.open(Settings(home=home)).close()  # a third start changes nothing


@pytest.fixture
def another_edition(monkeypatch):
    """A function that makes the next start see other shipped chips."""
    from data import shipped

    original, real = shipped.frame("chips"), shipped.digest

    def ship(change, name):
        edition = change(original.copy()).reset_index(drop=True)
        frame = shipped.frame
        monkeypatch.setattr(shipped, "frame", lambda table: edition.copy() if table == "chips" else frame(table))
        monkeypatch.setattr(shipped, "digest", lambda meta: name if meta.name == "chips" else real(meta))

    return ship


def tdp(store, chip="h20"):
    rows = store.snapshot().table("chips").set_index("chip_id")
    return rows.loc[chip, "tdp_w"] if chip in rows.index else None


def test_an_undo_lets_the_edition_in_that_waited_behind_it(home, another_edition):
    store = Store.open(Settings(home=home))
    rows = store.state("chips", 1)
    store.apply([TableChange("chips", rows[rows["chip_id"] == "h20"].assign(tdp_w=401.0))])
    store.close()
    another_edition(lambda f: f.assign(tdp_w=f["tdp_w"].where(f["chip_id"] != "h20", 405.0)), "new")
    store = Store.open(Settings(home=home))
    assert tdp(store) == 401.0 and len(store.unsettled()) == 1
    store.undo(2)
    assert tdp(store) == 405.0 and store.unsettled().empty and integrity.faults(store) == []
    store.close()


def test_an_undo_whose_process_ended_early_lets_the_edition_in_at_the_next_start(home, another_edition, monkeypatch):
    store = Store.open(Settings(home=home))
    rows = store.state("chips", 1)
    store.apply([TableChange("chips", rows[rows["chip_id"] == "h20"].assign(tdp_w=401.0))])
    store.close()
    another_edition(lambda f: f.assign(tdp_w=f["tdp_w"].where(f["chip_id"] != "h20", 405.0)), "new")
    store = Store.open(Settings(home=home))
    with monkeypatch.context() as ended:
        ended.setattr("data.editions.retake", lambda store: None)
        store.undo(2)
    store.close()
    store = Store.open(Settings(home=home))
    assert tdp(store) == 405.0 and store.unsettled().empty and integrity.faults(store) == []
    store.close()


def test_a_fact_added_and_undone_does_not_keep_a_shipped_one_out(home, another_edition):
    store = Store.open(Settings(home=home))
    chip = store.state("chips", 1).iloc[[0]].assign(chip_id="new-chip", tdp_w=1.0)
    store.apply([TableChange("chips", chip)])
    store.undo(2)
    store.close()
    another_edition(lambda f: pd.concat([f, f.iloc[[0]].assign(chip_id="new-chip", tdp_w=2.0)]), "new")
    store = Store.open(Settings(home=home))
    assert tdp(store, "new-chip") == 2.0 and store.unsettled().empty
    store.close()


def test_a_row_an_edition_drops_but_a_user_changed_waits_to_be_settled(home, another_edition):
    store = Store.open(Settings(home=home))
    rows = store.state("chips", 1)
    store.apply([TableChange("chips", rows[rows["chip_id"] == "h20"].assign(tdp_w=401.0))])
    store.close()
    another_edition(lambda f: f[f["chip_id"] != "h20"], "new")
    store = Store.open(Settings(home=home))
    assert tdp(store) == 401.0 and store.unsettled()["shipped_row"].isna().tolist() == [True]
    store.close()


def test_a_server_that_only_reads_starts_on_a_new_home(tmp_path):
    store = Store.open(Settings(home=tmp_path / "fresh", read_only=True))
    assert store.head() == 1 and len(store.snapshot().table("chips")) == 97
    store.close()


def test_a_refused_store_is_let_go_of(home):
    with duckdb.connect(str(home / "ridgepoint.duckdb")) as con:
        con.execute("INSERT INTO schema_version VALUES (9999)")
    with pytest.raises(ValueError, match="schema version 9999"):
        Store.open(Settings(home=home))
    duckdb.connect(str(home / "ridgepoint.duckdb")).close()


def test_an_older_store_that_cannot_be_written_says_what_to_do(home):
    from data.schema import refuse_other_versions

    with duckdb.connect(str(home / "ridgepoint.duckdb")) as con:
        con.execute("DELETE FROM schema_version")
        with pytest.raises(ValueError, match="make the folder writable for one start"):
            refuse_other_versions(con)


def test_a_store_of_the_version_before_is_brought_up_to_date(home):
    store = Store.open(Settings(home=home))
    store.apply([TableChange("clusters", row(power_mw=100.0))])
    store.apply([TableChange("clusters", row(power_mw=120.0))])
    before = [store.state("clusters", rev) for rev in (1, 2, 3)]
    store.close()
    with duckdb.connect(str(home / "ridgepoint.duckdb")) as con:  # as version 1 kept it: every current fact a second time
        for name in table_names():
            con.execute(f"CREATE TABLE kept AS FROM now_{name}")
            con.execute(f"DROP VIEW now_{name}")
            con.execute(f"ALTER TABLE kept RENAME TO now_{name}")
        con.execute("DROP TABLE superseded")
        con.execute("DELETE FROM schema_version WHERE version > 1")
    store = Store.open(Settings(home=home))
    for rev, rows in zip((1, 2, 3), before):
        pd.testing.assert_frame_equal(store.state("clusters", rev), rows)
    store.undo(3)
    assert integrity.faults(store) == []
    pd.testing.assert_frame_equal(store.state("clusters", 4).drop(columns="row_rev"), before[1].drop(columns="row_rev"))
    store.close()


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE superseded SET ended_in = 4 WHERE rev = 2",
        "INSERT INTO superseded FROM superseded",
        "INSERT INTO superseded SELECT 'clusters', 'no such fact', 1, 2",
    ],
)
def test_wrong_ends_of_facts_are_a_fault_though_the_current_state_is_right(store, harm):
    for mw in (100.0, 120.0, 140.0):
        store.apply([TableChange("clusters", row(power_mw=mw))])
    assert integrity.faults(store) == []
    with store.cursor() as cursor:
        cursor.execute(harm)
    assert any("ends of facts" in fault for fault in integrity.faults(store))


def test_today_can_be_given(store):
    assert store.snapshot().today == datetime.date(2026, 11, 23)
    assert store.snapshot(today=datetime.date(2030, 1, 1)).today.year == 2030
