"""The row a measurement becomes: its fields, its key, and a reader that refuses a malformed file whole."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from analytics.bench import SUITE_VERSION
from analytics.bench.fields import (
    DIVIDED_BY,
    FIELD_BY_NAME,
    FIELDS,
    LEAST,
    MOST_OF_SPEC,
    NAME,
    SCHEMA_VERSION,
    SHAPE_WORDS,
    SHAPES,
    TIMED,
    Field,
)

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
MAX_TEXT = 2_000
MAX_INTEGER = 2**63 - 1  # what the store holds


class RecordError(ValueError):
    """A record file that is refused; the sentence names the line, the field, the value and what is accepted."""


def row_key(record: dict[str, Any]) -> str:
    """A hash of the case, the backend and the device, the same for repeats of one measurement."""
    parts = [
        record["op"],
        dict(sorted(record["params"].items())),
        record["backend"],
        record["dtype"],
        record.get("dtype_kv"),
        record["device"],
    ]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()[:20]


def blank(**values: Any) -> dict[str, Any]:
    """A record with every field in order: the given values, and None for what is unknown."""
    unknown = sorted(set(values) - set(FIELD_BY_NAME))
    if unknown:
        raise RecordError(f"field {unknown[0]!r} is not a field of a record")
    record: dict[str, Any] = dict.fromkeys(FIELD_BY_NAME)
    record.update(suite_version=SUITE_VERSION, schema_version=SCHEMA_VERSION, timer="none")
    record.update(values)
    return record


def validate(record: Any, where: str = "record") -> dict[str, Any]:
    """Return the record with every field present, or raise `RecordError` with place, field, value and what is accepted."""
    if not isinstance(record, dict):
        raise RecordError(f"{where}: expected a JSON object, got {type(record).__name__}")
    for name in record:
        if name not in FIELD_BY_NAME:
            raise RecordError(f"{where}, field {str(name)[:60]!r}: not a field of a record")
    full = {name: record.get(name) for name in FIELD_BY_NAME}
    for field in FIELDS:
        _check_field(field, full[field.name], where)
    for name in DIVIDED_BY:
        value: Any = full[name]
        if value is not None and value < LEAST:
            _refuse(where, name, value, f"at least {LEAST:g}, or nothing")
    _check_shape(full, where)
    _check_status(full, where)
    _check_derived(full, where)
    expected = row_key(full)
    if full["row_key"] != expected:
        raise RecordError(f"{where}, field 'row_key': {full['row_key']!r} does not belong to this case, expected {expected!r}")
    return full


def _refuse(where: str, name: str, value: Any, accepted: str) -> None:
    raise RecordError(f"{where}, field {name!r}: got {_short(value)}, accepted is {accepted}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def printable(text: str) -> bool:
    """Whether a text holds no control, formatting, private or broken character and no line break."""
    return all(unicodedata.category(c)[0] != "C" and unicodedata.category(c) not in ("Zl", "Zp") for c in text)


def clean(text: str, most: int = 500) -> str:
    """A text as a record may hold it: without the characters that are not printable, cut to `most`."""
    return "".join(c for c in text if printable(c))[:most]


def _check_field(field: Field, value: Any, where: str) -> None:
    if value is None:
        if field.required:
            _refuse(where, field.name, value, f"a {field.kind}; it may not be missing")
        return
    if field.kind == "params":
        _check_params(value, where)
    elif field.kind == "text":
        if not isinstance(value, str) or len(value) > MAX_TEXT or not printable(value):
            _refuse(where, field.name, value, f"text of at most {MAX_TEXT} characters without control characters")
        if field.required and not value:
            _refuse(where, field.name, value, "a text that is not empty")
        if field.choices and value not in field.choices:
            _refuse(where, field.name, value, "one of " + ", ".join(field.choices))
    elif field.kind == "name":
        if not isinstance(value, str) or not NAME.fullmatch(value):
            _refuse(where, field.name, value, "a name of at most 60 letters, digits and . _ + -")
    elif field.kind == "moment":
        if not _is_moment(value):
            _refuse(where, field.name, value, "a date and time such as 2026-11-23T09:30:00+00:00")
    elif field.kind == "boolean":
        if not isinstance(value, bool):
            _refuse(where, field.name, value, "true or false")
    else:
        _check_number(field, value, where)


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > 40 or not re.match(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T", value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _check_number(field: Field, value: Any, where: str) -> None:
    kinds = (int,) if field.kind == "integer" else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or abs(value) > 1e30 or not math.isfinite(value):
        _refuse(where, field.name, value, f"a finite {field.kind}")
    if field.kind == "integer" and abs(value) > MAX_INTEGER:
        _refuse(where, field.name, value, f"an integer of at most {MAX_INTEGER:,}")
    if field.minimum is not None and value < field.minimum or field.maximum is not None and value > field.maximum:
        high = "" if field.maximum is None else f" and at most {field.maximum:g}"
        _refuse(where, field.name, value, f"at least {field.minimum:g}{high}")


def _check_params(value: Any, where: str) -> None:
    if not isinstance(value, dict) or len(value) > 32:
        _refuse(where, "params", value, "an object of at most 32 names")
    for name, item in value.items():
        good = isinstance(item, (str, bool, int)) or item is None or (isinstance(item, float) and math.isfinite(item))
        if not NAME.fullmatch(name) or len(name) > 40:
            _refuse(where, "params", name, "names of at most 40 letters, digits and . _ + -")
        if not good or (isinstance(item, str) and (len(item) > 200 or not printable(item))):
            _refuse(where, f"params.{name[:40]}", item, "a number, text, true, false or null")
        if isinstance(item, (int, float)) and not isinstance(item, bool) and abs(item) > 1e15:
            _refuse(where, f"params.{name[:40]}", item, "a number of at most 1e15 in size")


def _check_shape(record: dict[str, Any], where: str) -> None:
    """The shape of a known operation is whole: what reads a record later need not ask whether it is."""
    op, params = record["op"], record["params"]
    positive, natural = SHAPES.get(op, ((), ()))
    for name in (*positive, *natural):
        value = params.get(name)
        least = 1 if name in positive else 0
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            _refuse(where, f"params.{name}", value, f"a whole number of at least {least}, because the operation is {op}")
    for (owner, name), words in SHAPE_WORDS.items():
        if op == owner and params.get(name) not in words:
            _refuse(where, f"params.{name}", params.get(name), "one of " + ", ".join(words))
    if op == "ceiling" and (record["value"] is None or record["value"] <= 0 or record["value_name"] != params["what"]):
        _refuse(where, "value", record["value"], f"the rate or time of {params['what']}, above 0, under that name, as for every ceiling")
    for name, least in (("window", 0), ("Dv", 1)):  # may be absent
        value = params.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            _refuse(where, f"params.{name}", value, f"a whole number of at least {least}")


def _check_status(record: dict[str, Any], where: str) -> None:
    """Which fields a status demands and which it forbids."""
    status = record["status"]
    times = [record[name] for name in ("min_us", "p10_us", "median_us", "p90_us", "max_us")]
    if status in TIMED:
        if record["median_us"] is None and record["value"] is None:
            _refuse(where, "median_us", None, f"a time or a value, because the status is {status}")
        known = [time for time in times if time is not None]
        if known != sorted(known):
            _refuse(where, "median_us", record["median_us"], "times in the order min <= p10 <= median <= p90 <= max")
        if record["median_us"] is not None:
            if not record["n"] or record["timer"] == "none" or record["median_us"] <= 0:
                _refuse(where, "n", record["n"], "a count of samples, a timer and a time above 0, because a time is given")
            if record["pred_us"] is None:
                _refuse(where, "pred_us", None, "a prediction, because every time is stored next to one")
    else:
        if any(time is not None for time in times) or record["value"] is not None:
            _refuse(where, "median_us", record["median_us"], f"no time and no value, because the status is {status}")
        if status == "wrong":
            if record["err_rel_l2"] is None and not record["message"]:
                _refuse(where, "err_rel_l2", None, "the error found, because the status is wrong")
        elif not record["message"]:
            _refuse(where, "message", record["message"], f"the reason, because the status is {status}")


def _check_derived(record: dict[str, Any], where: str) -> None:
    """Rates and ratios are those of the bytes, FLOPs and times beside them, to a millionth: nobody has to trust a figure twice."""
    us, by_flops = record["median_us"], record["pred_bound"] == "flop"
    if us is None:
        return
    scale = {"gb_per_s": ("bytes_min", 1e-3 / us), "tflop_per_s": ("flops", 1e-6 / us)}
    derived = {name: (record[of] or 0.0) * factor for name, (of, factor) in scale.items()}
    derived["ratio_pred"] = us / record["pred_us"] if record["pred_us"] else 0.0
    derived["intensity"] = (record["flops"] or 0.0) / record["bytes_min"] if record["bytes_min"] else 0.0
    rate, unit = (derived["tflop_per_s"], "tflop_per_s") if by_flops else (derived["gb_per_s"], "gb_per_s")
    for share, limit in (("frac_ceiling", "ceiling"), ("frac_spec", "spec")):
        known = record[f"{limit}_{unit}"]
        derived[share] = rate / known if known else 0.0
    for name, value in derived.items():
        given = record[name]
        if given is None or given == value == 0 and name in ("tflop_per_s", "intensity"):
            continue
        if not value or abs(given / value - 1) > 1e-6:
            _refuse(where, name, given, f"{value:.6g}, as the times, bytes and FLOPs of the row make it" if value else "nothing here")
    if record["status"] in ("ok", "noisy") and derived["frac_spec"] > MOST_OF_SPEC:
        said, most = "TFLOP/s" if by_flops else "GB/s", record[f"spec_{unit}"]
        accepted = f"impossible, because {rate:,.4g} {said} is {derived['frac_spec']:.3g} times the vendor's {most:,.4g}"
        _refuse(where, "status", record["status"], accepted)


def _no_constant(name: str) -> Any:
    raise RecordError(f"{name} is not a number that a record may hold")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in pairs:
        if name in out:
            raise RecordError(f"field {name[:60]!r} is given twice")
        out[name] = value
    return out


def parse_line(line: str, where: str) -> dict[str, Any]:
    """One JSON line -> one validated record."""
    try:
        value = json.loads(line, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except RecordError as error:
        raise RecordError(f"{where}: {error}") from None
    except RecursionError:
        raise RecordError(f"{where}: nested too deeply to be a record") from None
    except ValueError as error:
        raise RecordError(f"{where}: not JSON ({str(error)[:120]})") from None
    return validate(value, where)


def parse_text(data: bytes, name: str = "file") -> list[dict[str, Any]]:
    """The bytes of a record file -> its records; the whole file is refused for one bad line."""
    if len(data) > MAX_FILE_BYTES:
        raise RecordError(f"{name}: {len(data):,} bytes, accepted are at most {MAX_FILE_BYTES:,}")
    records: list[dict[str, Any]] = []
    seen: dict[tuple[str, str], int] = {}
    for number, raw in enumerate(data.split(b"\n"), start=1):
        where = f"{name}, line {number}"
        if not raw.strip():
            continue
        if len(raw) > MAX_LINE_BYTES:
            raise RecordError(f"{where}: {len(raw):,} bytes, accepted are at most {MAX_LINE_BYTES:,} a line")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RecordError(f"{where}: not UTF-8 at byte {error.start}") from None
        record = parse_line(text, where)
        key = (record["session_id"], record["row_key"])
        if key in seen:
            raise RecordError(f"{where}, field 'row_key': {record['row_key']!r} is already on line {seen[key]} of the same session")
        seen[key] = number
        records.append(record)
    if not records:
        raise RecordError(f"{name}: holds no record; expected one JSON object a line")
    return records


def read(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read a record file, or raise `RecordError` naming line and field."""
    file = Path(path)
    if not file.is_file():
        raise RecordError(f"{file.name}: {'not a file of records' if file.exists() else 'no such file'}")
    if file.stat().st_size > MAX_FILE_BYTES:
        raise RecordError(f"{file.name}: {file.stat().st_size:,} bytes, accepted are at most {MAX_FILE_BYTES:,}")
    return parse_text(file.read_bytes(), file.name)


def append(path: str | os.PathLike[str], record: dict[str, Any]) -> None:
    """Validate one record and append it as one flushed line, so that a cut run keeps what it measured."""
    line = json.dumps(validate(record), allow_nan=False, separators=(",", ":"))
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def newest(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest timed record of each key, in the order of the keys' first appearance."""
    best: dict[str, dict[str, Any]] = {}
    for record in records:
        known = best.get(record["row_key"])
        if known is None or (record["status"] in TIMED, record["started_utc"]) >= (known["status"] in TIMED, known["started_utc"]):
            best[record["row_key"]] = record
    return list(best.values())
