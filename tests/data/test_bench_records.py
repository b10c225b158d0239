"""Benchmark records into the store: exact, whole or not at all, and once."""

import json

import pytest

from analytics.bench import fields
from data.bench_records import TABLE, from_frame, import_records, to_frame
from data.frames import typed
from data.meta import load_meta
from data.queries import bench
from tests.analytics.bench.test_fit import SWEEP, gqa, made


def lines(rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_the_table_has_the_columns_of_a_record():
    meta = load_meta(TABLE)
    assert list(meta.columns) == [*fields.FIELD_BY_NAME, "measured_on"]
    for field in fields.FIELDS:
        column = meta.columns[field.name]
        assert column.type == (field.kind if field.kind in ("integer", "number") else "text")
        assert (column.unit, column.minimum, column.maximum, column.required) == (field.unit, field.minimum, field.maximum, field.required)
        if field.choices:
            assert column.choices == field.choices


def test_records_survive_the_table():
    rows = [*SWEEP, made("attn.decode", gqa(1, 1024), kv="fp8", checked_after=True, git_dirty=False, message='x, "y"')]
    assert from_frame(typed(to_frame(rows), load_meta(TABLE))) == rows


def test_an_import_is_one_revision_and_the_same_file_again_is_none(store):
    before = store.head()
    outcome = import_records(store, lines(SWEEP), "run.jsonl", note="nine shapes")
    assert outcome == {"revision": before + 1, "rows": 9, "added": 9, "changed": 0, "known": 0}
    assert import_records(store, lines(SWEEP), "run.jsonl")["revision"] is None
    assert store.head() == before + 1
    more = [*SWEEP, made("attn.decode", gqa(2, 2048))]
    outcome = import_records(store, lines(more), "run.jsonl")
    assert (outcome["added"], outcome["known"]) == (1, 9)
    assert len([row for row in bench.rows(store.snapshot()) if row["session_id"] == "s1"]) == 10


def test_a_bad_line_writes_nothing(store):
    before = store.head()
    bad = lines(SWEEP) + b"\n" + json.dumps({**SWEEP[0], "session_id": "s9", "median_us": -1}).encode()
    with pytest.raises(ValueError, match="run.jsonl, line 10, field 'median_us'"):
        import_records(store, bad, "run.jsonl")
    assert store.head() == before


def test_records_reach_the_serving_model_as_efficiencies(store):
    rows = [made("attn.decode", row["params"], device="NVIDIA H200", session="g1") for row in SWEEP]
    import_records(store, lines(rows), "gpu.jsonl")
    snapshot = store.snapshot()
    assert bench.default_device(snapshot) == "NVIDIA H200"
    assert bench.chips_of_devices(snapshot)["NVIDIA H200"] == "h200-sxm"
    own = bench.own_efficiencies(snapshot)
    assert len(own) == 9 and {row["chip_id"] for row in own} == {"h200-sxm"}

    from analytics.serving.kernels import KernelTable

    shipped = snapshot.table("kernel_efficiency").to_dict("records")
    with_own = KernelTable.from_rows(shipped, own)
    key = with_own.key("attention_decode", "h200-sxm", "h100-sxm", "bf16")
    point = {"streams": 64 * 8, "context": 16384, "group": 4, "head_dim": 128}
    measured = next(row for row in rows if row["params"] == gqa(64, 16384))
    expected = measured["bytes_min"] / measured["spec_gb_per_s"] / 1e3 / measured["median_us"]
    assert with_own.fraction(key, **point) == pytest.approx(expected)
    assert with_own.fraction(key, **point) != pytest.approx(float(KernelTable.from_rows(shipped).fraction(key, **point)), rel=1e-6)


def test_queries_give_typed_frames_even_of_nothing(store):
    snapshot = store.snapshot()
    frame = bench.measurements(snapshot, "no such device")
    assert len(frame) == 0 and frame["median_us"].dtype == float and frame["B"].dtype == float
    assert len(bench.ceilings(snapshot, "no such device")) == 0
    import_records(store, lines(SWEEP), "run.jsonl")
    frame = bench.measurements(store.snapshot(), "made up GPU")
    assert list(frame["B"].dropna()) and frame["shape"].str.contains("S=16384").any()
    assert (frame["ratio_pred"] > 0).all()


def test_the_serving_model_of_the_store_takes_our_own_measurements(store):
    from data.queries.serving import kernel_table

    before = kernel_table(store.snapshot())
    rows = [made("attn.decode", row["params"], device="NVIDIA H200", session="g1") for row in SWEEP]
    outcome = import_records(store, lines(rows), "gpu.jsonl")
    after = kernel_table(store.snapshot())
    key = ("attention_decode", "h200-sxm", "bf16")
    assert "own benchmark" in after.sources[key] and "own benchmark" not in before.sources.get(key, "")
    assert kernel_table(store.snapshot(outcome["revision"] - 1)) is before  # an older revision keeps what it had


def test_the_command_line_imports_a_file_and_refuses_a_bad_one(home, tmp_path):
    import os
    import subprocess
    import sys
    from pathlib import Path

    def run(file):
        environment = {**os.environ, "RIDGEPOINT_HOME": str(home), "RIDGEPOINT_TODAY": "2026-11-23"}
        command = [sys.executable, "-m", "analytics.bench", "import", str(file)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[2], timeout=120)

    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_bytes(lines(SWEEP))
    bad.write_text("{}")
    done = run(good)
    assert done.returncode == 0 and json.loads(done.stdout)["added"] == 9, done.stderr
    done = run(bad)
    assert done.returncode == 2 and "bad.jsonl, line 1, field" in done.stderr and "Traceback" not in done.stderr
    assert "no such file" in run(tmp_path / "absent.jsonl").stderr
