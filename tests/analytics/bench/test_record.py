"""Records: every rule of a row, and files that are refused whole with line and field."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.bench import fields
from analytics.bench import record as records


def ok_row(**changes):
    row = records.blank(
        session_id="s1",
        started_utc="2026-01-01T00:00:00+00:00",
        device_kind="cuda",
        device="NVIDIA H200",
        op="attn.decode",
        backend="triton",
        params={"B": 32, "S": 4096, "H": 32, "K": 8, "D": 128, "page": 64},
        dtype="bf16",
        timer="graph",
        n=30,
        min_us=1.0,
        p10_us=1.1,
        median_us=1.2,
        p90_us=1.3,
        max_us=2.0,
        pred_us=1.0,
        status="ok",
        **changes,
    )
    row["row_key"] = records.row_key(row)
    return row


def line(row):
    return json.dumps(row).encode() + b"\n"


def test_a_row_survives_a_file(tmp_path):
    path = tmp_path / "a.jsonl"
    records.append(path, ok_row())
    records.append(path, {**ok_row(), "session_id": "s2"})
    assert [row["session_id"] for row in records.read(path)] == ["s1", "s2"]
    assert records.read(path)[0] == ok_row()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"median_us": float("nan")}, "NaN"),
        ({"median_us": "fast"}, "'median_us'"),
        ({"median_us": 99.0}, "min <= p10"),
        ({"median_us": -1.0}, "'median_us'"),
        ({"n": 0}, "count of samples"),
        ({"n": True}, "'n'"),
        ({"timer": "sundial"}, "graph, events"),
        ({"status": "splendid"}, "ok, noisy"),
        ({"status": "oom"}, "no time"),
        ({"pred_us": None}, "prediction"),
        ({"device": ""}, "not empty"),
        ({"device": None}, "may not be missing"),
        ({"device": "a\nb"}, "control characters"),
        ({"message": "x" * 3000}, "2000 characters"),
        ({"params": [1]}, "object"),
        ({"params": {"B": {"deep": 1}}}, "params.B"),
        ({"params": {"B": 1e300}}, "params.B"),
        ({"params": {"B": 1, "S": 1, "H": 1, "K": 0, "D": 1, "page": 0}}, "params.K"),
        ({"params": {"B": 1, "S": 1, "H": 1, "K": 1, "D": 1}}, "params.page"),
        ({"params": {"B": 1, "S": "<b>", "H": 1, "K": 1, "D": 1, "page": 0}}, "because the operation is attn.decode"),
        ({"params": {"B": 1, "S": 1, "H": 1, "K": 1, "D": 192, "Dv": 0, "page": 0}}, "params.Dv"),
        ({"params": {"B": 1, "S": 1, "H": 1, "K": 1, "D": 1, "page": 0, "<b>": 1}}, "'params': got '<b>', accepted is names"),
        ({"started_utc": "banana"}, "a date and time such as"),
        ({"started_utc": "9999-99-99T00:00:00"}, "a date and time such as"),
        ({"op": "<b>op</b>"}, "'op': got '<b>op</b>', accepted is a name"),
        ({"backend": "=cmd|' /C calc'!A0"}, "accepted is a name"),
        ({"device": "NVIDIA \u202e002H"}, "without control characters"),
        ({"device": "NVIDIA \ud800"}, "without control characters"),
        ({"memory_bytes": 10**25}, "an integer of at most"),
        ({"median_us": 1e-300, "min_us": 1e-300, "p10_us": 1e-300}, "at least 1e-06"),
        ({"pred_us": 0.0}, "'pred_us'"),
        ({"ceiling_gb_per_s": 0.0}, "'ceiling_gb_per_s'"),
        ({"surprise": 1}, "not a field"),
        ({"row_key": "0" * 20}, "does not belong"),
        ({"schema_version": 99}, "'schema_version'"),
        ({"bytes_min": -5}, "at least 0"),
    ],
)
def test_one_bad_field_refuses_the_file_and_is_named(change, words):
    data = line(ok_row()) + line({**ok_row(), "session_id": "s2", **change})
    with pytest.raises(records.RecordError) as refused:
        records.parse_text(data, "upload.jsonl")
    assert "upload.jsonl, line 2" in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no record"),
        (b"\n\n", "holds no record"),
        (b"not json\n", "line 1: not JSON"),
        (b"[1, 2]\n", "expected a JSON object, got list"),
        (b"\xff\xfe{}\n", "not UTF-8"),
        (b'{"op": 1, "op": 2}\n', "given twice"),
        (b"[" * 40_000 + b"\n", "line 1"),
        (b'{"n": ' + b"9" * 5_000 + b"}\n", "line 1"),
        (b" " * 70_000 + b"x\n", "bytes, accepted are at most"),
        (b"PK\x03\x04\x00\x00", "not"),
    ],
)
def test_hostile_files_are_refused_with_a_sentence(data, words):
    with pytest.raises(records.RecordError, match=words):
        records.parse_text(data, "bad.jsonl")


def test_the_same_row_twice_is_refused():
    with pytest.raises(records.RecordError, match="already on line 1"):
        records.parse_text(line(ok_row()) * 2)


def test_statuses_that_carry_no_time():
    for status in ("oom", "unsupported", "timeout", "failed"):
        row = records.blank(**{k: v for k, v in ok_row().items() if v is not None and not k.endswith("_us") and k not in ("n", "timer")})
        row.update(status=status)
        with pytest.raises(records.RecordError, match="the reason"):
            records.validate(row)
        row.update(message="because")
        assert records.validate(row)["status"] == status
    row.update(status="wrong", message=None)
    with pytest.raises(records.RecordError, match="error found"):
        records.validate(row)
    row.update(err_rel_l2=0.5)
    assert records.validate(row)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(records.RecordError, match="no such file"):
        records.read(tmp_path / "none.jsonl")


def test_newest_prefers_a_time_over_a_later_failure():
    old = ok_row()
    failed = {**old, "status": "oom", "started_utc": "2026-02-01T00:00:00+00:00"}
    newer = {**old, "median_us": 1.25, "started_utc": "2026-03-01T00:00:00+00:00"}
    assert records.newest([old, failed]) == [old]
    assert records.newest([old, failed, newer]) == [newer]


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_record_error(data):
    with contextlib.suppress(records.RecordError):
        records.parse_text(data)


@given(
    st.dictionaries(
        st.sampled_from(sorted(fields.FIELD_BY_NAME)), st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.booleans())
    )
)
def test_no_object_raises_anything_but_a_record_error(changed):
    with contextlib.suppress(records.RecordError):
        records.validate({**ok_row(), **changed})


def ceiling_row(**changes):
    row = records.blank(
        session_id="s1",
        started_utc="2026-01-01T00:00:00+00:00",
        device_kind="cuda",
        device="NVIDIA H200",
        op="ceiling",
        backend="best",
        params={"what": "read_gb_per_s", "when": "start"},
        dtype="fp32",
        value_name="read_gb_per_s",
        value=4_300.0,
        status="ok",
    )
    row.update(changes)
    row["row_key"] = records.row_key(row)
    return row


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"params": {}}, "params.when"),
        ({"params": {"what": "read_gb_per_s", "when": "noon"}}, "params.when"),
        ({"params": {"what": ["x"], "when": "start"}}, "params.what"),
        ({"params": {"what": "gemm", "when": "start"}}, "params.what"),
        ({"value": 0.0}, "value"),
        ({"value": -3.0}, "value"),
        ({"value": None, "status": "failed", "message": "no"}, "value"),
        ({"value_name": "write_gb_per_s"}, "value"),
    ],
)
def test_a_ceiling_is_whole_or_the_file_is_refused(change, field):
    assert records.parse_text(line(ceiling_row()))[0]["value"] == 4_300.0
    with pytest.raises(records.RecordError, match=f"line 1, field '{field}'"):
        records.parse_text(line(ceiling_row(**change)))


@pytest.mark.parametrize(
    ("name", "told"),
    [("gb_per_s", 900.0), ("tflop_per_s", 1.0), ("ratio_pred", 1.1), ("intensity", 8.0), ("frac_ceiling", 0.99), ("frac_spec", 0.99)],
)
def test_rates_and_ratios_that_do_not_follow_from_their_row_are_refused(name, told):
    """1.2 us for 4,800 B and 9,600 FLOP is 4 GB/s and 0.008 TFLOP/s, at a ceiling of 5 and a stated 8 GB/s."""
    facts = {"bytes_min": 4_800.0, "flops": 9_600.0, "pred_bound": "mem", "ceiling_gb_per_s": 5.0, "spec_gb_per_s": 8.0}
    true = {"gb_per_s": 4.0, "tflop_per_s": 0.008, "ratio_pred": 1.2, "intensity": 2.0, "frac_ceiling": 0.8, "frac_spec": 0.5}
    assert records.validate(ok_row(**facts, **true))[name] == true[name]
    with pytest.raises(records.RecordError, match=f"line 1, field '{name}': got {told}, accepted is {true[name]:g}"):
        records.parse_text(line(ok_row(**facts, **{**true, name: told})))
    with pytest.raises(records.RecordError, match="field 'gb_per_s': got 4.0, accepted is nothing here"):
        records.validate(ok_row(gb_per_s=4.0))


def test_a_time_that_beats_the_vendor_s_figure_may_not_call_itself_ok():
    """4,800 B in 1.2 us is 4 GB/s: within 2 % of a stated 3.95 GB/s, impossible beside 3 GB/s."""
    facts = {"bytes_min": 4_800.0, "pred_bound": "mem"}
    assert records.validate(ok_row(**facts, spec_gb_per_s=3.95))
    with pytest.raises(
        records.RecordError, match="field 'status': got 'ok', accepted is impossible, because 4 GB/s is 1.33 times the vendor's 3"
    ):
        records.validate(ok_row(**facts, spec_gb_per_s=3.0))
    assert records.validate({**ok_row(**facts, spec_gb_per_s=3.0), "status": "impossible", "message": "4 GB/s is above the stated 3 GB/s"})
