"""From file to revision and back: kept, compared, asked, drafted, committed whole or not at all."""

import datetime
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from data import integrity
from data.importing import Cancelled, OpenQuestions, Refused, commit, prepare
from data.meta import SOURCES, load_meta, table_names
from data.settings import Settings
from data.store import Store

SAMPLES = Path(__file__).parent.parent / "cluster_samples"
DAY = datetime.date(2026, 11, 23)
HEADER = "cluster_id,name,owner,country,phase,status,as_of,online_date,chip_id,chip_count,power_mw,source,confidence\n"
ROW = "t-1,T One,Acme,United States,1,operational,2026-01-02,2025-09-02,h100-sxm,100000,140,a test,likely\n"


def test_shipped_clusters_import_without_a_change(store):
    prepared = prepare(SOURCES / "clusters.csv", store=store, today=DAY)
    told = prepared.to_json()
    assert told["diff"] == {"added": 0, "changed": [], "changed_count": 0, "same": 268, "conflicting": []}
    assert told["counts"] == {"read": 268, "kept": 268, "rejected": 0} and told["questions"] == []
    before = store.head()
    assert commit(prepared, store) is None and store.head() == before


@pytest.mark.parametrize("table", ["chips", "api_prices", "gpu_rental_prices", "capability", "serving_measurements"])
def test_other_shipped_tables_import_without_a_change(store, table):
    told = prepare(load_meta(table).path, table=table, store=store, today=DAY).to_json()
    assert told["diff"]["added"] == 0 and told["diff"]["changed"] == [] and told["rejects"] == []


def test_result_is_plain_json(store):
    told = prepare(SAMPLES / "excel_bom_junk.csv", store=store, today=DAY).to_json()
    assert set(told) == {"upload", "table", "mapping", "questions", "rejects", "warnings", "counts", "diff", "rows", "revision"}
    assert json.loads(json.dumps(told)) == told
    assert set(told["mapping"][0]) == {"column", "field", "unit", "confidence", "why"}
    assert list(told["rows"][0]) == list(load_meta("clusters").columns)


def test_a_second_time_adds_nothing(store):
    first = prepare(SAMPLES / "excel_bom_junk.csv", store=store, today=DAY)
    rev = commit(first, store, author="ann")
    assert rev == store.head()
    again = prepare(SAMPLES / "excel_bom_junk.csv", store=store, today=DAY)
    assert again.to_json()["diff"]["same"] == 6 and commit(again, store) is None
    assert integrity.faults(store) == []
    store.undo(rev)
    assert len(store.snapshot().table("clusters")) == 268


def test_a_changed_value_is_a_change_and_a_missing_column_keeps_what_is_known(store):
    commit(prepare((HEADER + ROW).encode(), store=store, today=DAY), store)
    small = "cluster_id,phase,as_of,online_date,chip_id,power_mw,source\nt-1,1,2026-01-02,2025-09-02,h100-sxm,150,a test\n"
    prepared = prepare(small.encode(), store=store, today=DAY)
    changed = prepared.to_json()["diff"]["changed"]
    assert [(item["column"], item["old"], item["new"]) for item in changed] == [("power_mw", 140.0, 150.0)]
    commit(prepared, store)
    rows = store.snapshot().table("clusters").query("cluster_id == 't-1'")
    assert rows[["owner", "chip_count", "power_mw"]].values.tolist() == [["Acme", 100000.0, 150.0]]


def test_a_corrected_date_replaces_the_row(store):
    commit(prepare((HEADER + ROW).encode(), store=store, today=DAY), store)
    prepared = prepare((HEADER + ROW.replace("2025-09-02", "2025-10-01")).encode(), store=store, today=DAY)
    assert [item["column"] for item in prepared.to_json()["diff"]["changed"]] == ["online_date"]
    commit(prepared, store)
    assert store.snapshot().table("clusters").query("cluster_id == 't-1'")["online_date"].tolist() == ["2025-10-01"]


def test_another_source_that_says_something_else_is_conflicting(store):
    commit(prepare((HEADER + ROW).encode(), store=store, today=DAY), store)
    other = prepare((HEADER + ROW.replace("a test", "another").replace("100000", "90000")).encode(), store=store, today=DAY)
    found = other.to_json()["diff"]["conflicting"]
    assert [(item["column"], item["upload"], item["store"], item["store_source"]) for item in found] == [
        ("chip_count", 90000, 100000, "a test")
    ]


def test_open_questions_stop_a_commit(store):
    prepared = prepare(SAMPLES / "wikipedia_table.csv", store=store, today=DAY)
    before = store.head()
    with pytest.raises(OpenQuestions, match="3 question"):
        commit(prepared, store)
    assert store.head() == before
    answers = {"power:Power": "site", "rate:EUR": "rate=1.1@2026-06-30", "currency:¥": "leave-empty"}
    answered = prepare(SAMPLES / "wikipedia_table.csv", store=store, today=DAY, answers=answers)
    assert commit(answered, store) == before + 1


def test_mapping_and_answers_are_remembered_by_header(store):
    text = b"Place,Power\nAlpha,100 MW\n"
    mapping = {"columns": {"Place": "name"}}
    first = prepare(text, store=store, today=DAY, mapping=mapping, answers={"power:Power": "IT"})
    commit(first, store)
    again = prepare(b"Place,Power\nBeta,50 MW\n", store=store, today=DAY)
    assert again.questions == [] and again.frame[["name", "power_mw"]].values.tolist() == [["Beta", 50.0]]
    assert any("remembered" in text for text in again.report["warnings"])
    reused = prepare(b"Place,Power\nGamma,5 MW\n", store=store, today=DAY, mapping=json.loads(json.dumps(first.mapping_file())))
    assert reused.frame["power_mw"].tolist() == [5.0]


def test_strict_writes_nothing_when_a_row_is_rejected(store):
    text = (HEADER + ROW + ROW.replace("t-1", "t-2").replace(",140,", ",-1,")).encode()
    prepared = prepare(text, store=store, today=DAY, strict=True)
    with pytest.raises(Refused, match="strict"):
        commit(prepared, store)
    before = store.head()
    assert commit(prepare(text, store=store, today=DAY), store) == before + 1


def test_figures_that_do_not_fit_are_said(store):
    text = HEADER.replace("power_mw", "power_mw,capex_usd") + ROW.replace(",140,", ",340,30600000000,").replace("100000", "100000")
    warnings = prepare(text.encode(), store=store, today=DAY).report["warnings"]
    assert any("implies 3,400 W a chip" in said for said in warnings)
    assert any("implies $90M per MW" in said for said in warnings)
    assert any("implies $306,000 a chip" in said for said in warnings)


def test_derived_values_are_no_evidence(store):
    header = HEADER.replace("power_mw", "power_mw,power_basis")
    text = header + ROW.replace(",140,", ",340,derived:chip_count x 3400 W,")
    assert not any("implies" in said for said in prepare(text.encode(), store=store, today=DAY).report["warnings"])


def test_a_known_site_under_another_name_is_asked_and_answered(store):
    text = b"Name,Latitude,Longitude,GPUs\nColossus One,35.06,-90.156,100000\n"
    told = prepare(text, store=store, today=DAY)
    assert any("same site as" in said and "xai-colossus1" in said for said in told.report["warnings"])
    merged = prepare(text, store=store, today=DAY, answers={"same:colossus-one": "xai-colossus1"})
    assert merged.frame["cluster_id"].tolist() == ["xai-colossus1"]


def test_draft_is_seen_by_its_own_snapshot_alone(store):
    prepared = prepare((HEADER + ROW).encode(), store=store, today=DAY)
    drafted = store.snapshot().with_draft(prepared.draft()).table("clusters")
    assert "t-1" in set(drafted["cluster_id"]) and "t-1" not in set(store.snapshot().table("clusters")["cluster_id"])


def test_the_file_is_kept_before_it_is_read(store):
    with pytest.raises(Refused):
        prepare(b"PK\x03\x04 no text", store=store, name="x.csv", today=DAY)
    kept = store.frame("SELECT * FROM uploads")
    assert kept["name"].tolist() == ["x.csv"] and (store.home / "uploads" / kept["upload_id"][0][:2] / kept["upload_id"][0]).exists()
    assert integrity.faults(store) == []


def test_stages_are_told_and_an_import_can_be_cancelled(store):
    stages: list[str] = []
    before = store.head()
    prepare((HEADER + ROW).encode(), store=store, today=DAY, progress=stages.append)
    assert stages == ["keeping", "detecting", "splitting", "mapping", "parsing", "checking", "comparing"]
    with pytest.raises(Cancelled):
        prepare((HEADER + ROW).encode(), store=store, today=DAY, cancel=lambda: True)
    assert store.head() == before and list((store.home / "tmp").iterdir()) == []


def test_an_import_that_needs_too_much_memory_is_stopped(home):
    store = Store.open(Settings(home=home, import_memory_mb=256, today=DAY))
    text = (HEADER + "".join(ROW.replace("t-1", f"t-{number}") for number in range(700_000))).encode()
    before = store.head()
    with pytest.raises(Refused, match="memory"):
        prepare(text, store=store, today=DAY)
    assert store.head() == before
    store.close()


def test_a_killed_import_process_leaves_the_store_as_it_was(store):
    text = (HEADER + "".join(ROW.replace("t-1", f"t-{number}") for number in range(60_000))).encode()

    def kill(stage):
        if stage == "splitting":
            for entry in Path("/proc").iterdir():
                command = (entry / "cmdline").read_bytes() if entry.name.isdigit() and (entry / "cmdline").exists() else b""
                if b"data.importing.child" in command and int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == os.getpid():
                    os.kill(int(entry.name), signal.SIGKILL)

    before = store.head()
    with pytest.raises(Refused):
        prepare(text, store=store, today=DAY, progress=kill)
    assert store.head() == before and integrity.faults(store) == []


def test_command_line(home, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(HEADER + ROW + ROW.replace("t-1", "t-2").replace("140", "lots"))

    def run(*arguments):
        environment = {**os.environ, "RIDGEPOINT_HOME": str(home), "RIDGEPOINT_TODAY": "2026-11-23"}
        return subprocess.run(
            [sys.executable, "-m", "data", "import", *arguments], capture_output=True, text=True, env=environment, check=False
        )

    dry = json.loads(run(str(path), "--json").stdout)
    assert dry["diff"]["added"] == 1 and dry["revision"] is None and [item["row"] for item in dry["rejects"]] == [3]
    assert json.loads(run(str(path), "--json", "--commit").stdout)["revision"] >= 2
    refused = run(str(Path(__file__).parent.parent / "bad_samples" / "13_zip_renamed.csv"))
    assert refused.returncode == 2 and "zip" in refused.stderr and "Traceback" not in refused.stderr


def test_command_line_takes_answers_and_mappings_written_out_or_in_a_file(home, tmp_path, monkeypatch, capsys):
    from data.__main__ import main

    monkeypatch.setenv("RIDGEPOINT_HOME", str(home))
    monkeypatch.setenv("RIDGEPOINT_TODAY", "2026-11-23")
    path, kept = tmp_path / "list.csv", tmp_path / "answers.json"
    path.write_text("Cluster,Power (MW),Quantity\nA,10,100\n")
    kept.write_text('{"power:Power (MW)": "IT"}')

    def run(*arguments):
        code = main(["import", str(path), "--json", *arguments])
        out = capsys.readouterr()
        return code, json.loads(out.out) if out.out else {}, out.err

    for given in ('{"power:Power (MW)": "IT"}', str(kept)):
        code, found, _ = run("--answers", given)
        assert code == 0 and found["rows"][0]["power_mw"] == 10 and not found["questions"]
    mapping = '{"columns": {"Power (MW)": "power_mw"}}'
    assert run("--mapping", mapping)[1]["rows"][0]["power_mw"] == 10
    assert run("--mapping", json.dumps(run("--mapping", mapping)[1]["mapping"]))[1]["rows"][0]["power_mw"] == 10
    for given in ('{"power', '["IT"]', str(tmp_path / "nothing.json"), "IT", "", "{" * 50_000, str(tmp_path)):
        code, _, said = run("--answers", given)
        assert code == 2 and "--answers" in said and "accepted is a JSON object" in said and "Errno" not in said and said.count("\n") == 1


def test_two_commits_at_once_both_land(store):
    before = store.head()
    prepared = [prepare((HEADER + ROW.replace("t-1", f"t-{number}")).encode(), store=store, today=DAY) for number in range(3)]
    threads = [threading.Thread(target=commit, args=(one, store)) for one in prepared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert store.head() == before + 3 and integrity.faults(store) == []


def test_nothing_waits_longer_than_it_may(home):
    store = Store.open(Settings(home=home, import_seconds=5, today=DAY))
    began = time.monotonic()
    text = HEADER.encode() + b'"' + b"a,\n" * 10
    with pytest.raises(Refused):
        prepare(text, store=store, today=DAY)
    assert time.monotonic() - began < 60
    store.close()


def test_every_table_can_be_named(store):
    with pytest.raises(ValueError, match="no table"):
        prepare(b"a,b\n1,2\n", table="nosuch", store=store, today=DAY)
    assert "clusters" in table_names() and isinstance(store.revisions(), pd.DataFrame)
