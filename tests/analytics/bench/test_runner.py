"""A session from plan to file: order, shards, resume, budget, hung and dead cases, and the smoke suite end to end."""

import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from analytics.bench import fields
from analytics.bench import record as records
from analytics.bench.operation import Backend, Call, Case, Operation, Work
from analytics.bench.ops import operations
from analytics.bench.runner import EXIT_CUT, EXIT_OK, EXIT_WRONG, Child, Options, Refused, plan, run

pytestmark = pytest.mark.bench
STAND_IN = Path(__file__).parent / "stand_in_worker.py"
ROOT = Path(__file__).resolve().parents[3]


def toy(*acts):
    cases = [Case("toy", {"act": act, "i": i}, "fp32", priority=i % 2) for i, act in enumerate(acts)]
    backend = Backend("b", lambda case, inputs, device: Call(lambda: None))
    return [Operation("toy", "Toy", lambda suite, kind: cases, lambda case: Work(1e6), lambda *a: {}, None, [backend])]


@pytest.fixture
def child(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return lambda: Child("cpu", (sys.executable, str(STAND_IN)))


def cases_of(path):
    return [row for row in records.read(path) if row["op"] != "ceiling"]


def test_the_most_informative_shape_of_every_operation_comes_first():
    order = [(case.priority, operation.name) for operation, case in plan(list(operations().values()), "quick", "cuda")]
    assert [p for p, _ in order] == sorted(p for p, _ in order)
    first = [name for p, name in order if p == 0]
    assert set(first) == set(operations())


def test_shards_cover_the_plan_without_overlap():
    every = [case.text() for _, case in plan(list(operations().values()), "full", "cuda")]
    shards = [[case.text() for _, case in plan(list(operations().values()), "full", "cuda", (i, 4))] for i in (1, 2, 3, 4)]
    assert len(set(every)) == len(every)
    assert Counter(sum(shards, [])) == Counter(every)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    with pytest.raises(Refused, match="1 <= i <= n, got 5/4"):
        plan(list(operations().values()), "full", "cuda", (5, 4))
    with pytest.raises(Refused, match="smoke, quick, full"):
        plan(list(operations().values()), "huge", "cuda")


def test_a_hung_and_a_dead_case_are_rows_and_the_session_goes_on(tmp_path, child):
    out = tmp_path / "a.jsonl"
    code = run(toy("fine", "hang", "fine", "die", "fine"), Options(out=out, case_limit_s=2.0), child=child())
    assert code == EXIT_OK
    status = {row["params"]["act"] + str(row["params"]["i"]): row["status"] for row in cases_of(out)}
    assert status == {"fine0": "ok", "hang1": "timeout", "fine2": "ok", "die3": "failed", "fine4": "ok"}
    assert "not done after 2 s" in next(row["message"] for row in cases_of(out) if row["status"] == "timeout")
    assert "ended with 9" in next(row["message"] for row in cases_of(out) if row["status"] == "failed")


def test_a_wrong_row_shows_in_the_exit_code(tmp_path, child):
    assert run(toy("fine", "wrong"), Options(out=tmp_path / "a.jsonl"), child=child()) == EXIT_WRONG


def test_budget_then_resume_measures_everything_once(tmp_path, child):
    out = tmp_path / "a.jsonl"
    acts = ["fine"] * 6
    assert run(toy(*acts), Options(out=out, budget_s=0.0), child=child()) == EXIT_CUT
    assert cases_of(out) == []
    with pytest.raises(Refused, match="--resume"):
        run(toy(*acts), Options(out=out), child=child())
    assert run(toy(*acts[:4]), Options(out=out, resume=True), child=child()) == EXIT_OK
    assert run(toy(*acts), Options(out=out, resume=True), child=child()) == EXIT_OK
    assert Counter(row["params"]["i"] for row in cases_of(out)) == Counter(range(6))


def test_a_file_that_is_whole_is_continued_without_measuring_anything(tmp_path, child):
    """Not even the ceilings: the file stays as it was, and the progress says why."""
    out, seen = tmp_path / "a.jsonl", []
    assert run(toy("fine", "fine"), Options(out=out), child=child()) == EXIT_OK
    whole = out.read_bytes()
    again = Options(out=out, resume=True, budget_s=0.0)
    assert run(toy("fine", "fine"), again, lambda done, total, text: seen.append((done, total, text)), child()) == EXIT_OK
    assert out.read_bytes() == whole
    assert seen == [(2, 2, f"nothing left to measure: {out} holds every case asked for")]
    assert run(toy("fine", "fine", "fine"), Options(out=out, resume=True), child=child()) == EXIT_OK
    assert Counter(row["params"]["i"] for row in cases_of(out)) == Counter(range(3))


def test_progress_tells_how_far_it_is(tmp_path, child):
    seen = []
    run(toy("fine", "fine"), Options(out=tmp_path / "a.jsonl"), lambda done, total, text: seen.append((done, total)), child())
    assert seen[0] == (0, 2) and seen[-1] == (2, 2)


def test_a_worker_that_refuses_is_a_sentence(tmp_path):
    script = tmp_path / "w.py"
    script.write_text('print(\'{"refused": "device cuda was asked for, but there is none"}\')')
    with pytest.raises(Refused, match="device cuda was asked for"):
        run(toy("fine"), Options(out=tmp_path / "a.jsonl"), child=Child("cuda", (sys.executable, str(script))))
    assert not (tmp_path / "a.jsonl").exists()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("pass", "the measuring process ended with 0 while naming the device"),
        ('print(\'{"facts": {"device": "d"}}\', flush=True); input(); sys.exit(7)', "ended with 7 while measuring the ceilings"),
    ],
)
def test_a_worker_that_ends_before_the_first_case_is_a_sentence(tmp_path, answers, said):
    script = tmp_path / "w.py"
    script.write_text("import sys\nprint('{\"ready\": true}', flush=True)\ninput()\n" + answers + "\n")
    with pytest.raises(Refused, match=said):
        run(toy("fine"), Options(out=tmp_path / "a.jsonl"), child=Child("cpu", (sys.executable, str(script))))


def test_the_smoke_suite_end_to_end(tmp_path):
    pytest.importorskip("torch", reason="the benchmarks need torch (requirements-bench.txt)")
    import subprocess

    out = tmp_path / "smoke.jsonl"
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    command = [sys.executable, "-m", "analytics.bench", "run", "--suite", "smoke", "--device", "cpu", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, env=environment)
    assert done.returncode == EXIT_OK, done.stderr[-2000:]
    rows = records.read(out)
    assert {row["op"] for row in rows} == set(operations()) | {"ceiling"}
    keys = Counter((row["session_id"], row["row_key"]) for row in rows)
    assert max(keys.values()) == 1
    assert {row["status"] for row in rows} <= {"ok", "noisy", "unsupported"}
    wanted = {
        (b.name, op.name, case.text())
        for op, case in plan(list(operations().values()), "smoke", "cpu")
        for b in op.backends
        if not b.tuning
    }
    assert len([row for row in rows if row["op"] != "ceiling"]) == len(wanted)  # no row is left out
    for row in rows:
        if row["median_us"]:
            assert row["pred_us"] and row["device"].startswith("cpu: ")
            assert row["backend"] != "triton"
    timed = {row["op"] for row in rows if row["status"] in fields.TIMED}
    assert timed >= set(operations()) - {"graph", "energy"}  # those two need a GPU and say so
    capacity = next(row for row in rows if row["op"] == "capacity")
    assert capacity["value"] == pytest.approx(capacity["value_pred"], rel=0.1)
    assert json.loads(json.dumps(rows)) == rows
