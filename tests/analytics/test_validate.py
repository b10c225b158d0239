"""The validation command: what it promises about its output, how it takes bad files, and the errors it reports."""

import csv
import json

import pytest

from analytics import validate
from analytics.serving.report import write_whole
from analytics.serving.residuals import band, errors, worst_left_out
from data import shipped

COLUMNS = list(shipped.rows("serving_measurements")[0])


def write(tmp_path, *rows):
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def row(**changes):
    base = {
        "source": "a test",
        "engine": "TensorRT-LLM (PyTorch backend)",
        "model": "Llama-3.3-70B",
        "hardware": "H200",
        "n_gpus": "2",
        "tp": "2",
        "weights_precision": "fp8",
        "isl": "1024",
        "osl": "1024",
        "concurrency_or_batch": "max load (all requests queued)",
        "phase": "end2end",
        "output_tok_s_per_gpu": "2582",
    }
    return base | changes


@pytest.fixture(scope="module")
def shipped_result():
    return validate.run(None)


def test_one_item_per_filled_cell_and_none_left_blank(shipped_result):
    rows = shipped.rows("serving_measurements")
    filled = sum(bool(r[q]) for r in rows for q in validate.QUANTITIES)
    assert len(shipped_result["rows"]) == filled
    assert all(item["predicted"] and item["predicted"] > 0 for item in shipped_result["rows"])
    assert {"row", "quantity", "predicted", "measured", "ratio", "assumed", "note"} <= set(shipped_result["rows"][0])


def test_errors_left_out_stay_within_what_the_page_says():
    """TensorRT-LLM runs predicted without their model, and without their chip: median under 10 %, nine in ten within 25 %."""
    figures = validate.left_out_summary()["TensorRT-LLM offline run"]
    for kind in ("without_model", "without_chip"):
        assert figures[kind]["n"] == 69
        assert figures[kind]["median_absolute_error"] <= 0.10
        assert figures[kind]["within_25_percent"] >= 0.90
        assert 0.95 <= figures[kind]["geometric_mean_ratio"] <= 1.05


def test_shipped_residuals_belong_to_the_shipped_constants(shipped_result):
    now = {item["row"]: item["ratio"] for item in shipped_result["rows"] if item["quantity"] == "output_tok_s_per_gpu"}
    for kept in shipped.rows("serving_residuals"):
        assert now[int(kept["row"])] == pytest.approx(float(kept["ratio"]), rel=0.02)


def test_kernel_rows_are_compared_too(shipped_result):
    ratios = [item["ratio"] for item in shipped_result["kernels"] if item["ratio"]]
    assert len(ratios) >= 15
    assert errors(ratios).median_absolute_error < 0.25


def test_a_blank_layout_is_the_best_that_fits(tmp_path):
    blank = validate.run(write(tmp_path, row(tp="", n_gpus="8"), row(tp="8", n_gpus="8")))["rows"]
    assert any(word.startswith("layout ") and "best that fits" in word for word in blank[0]["assumed"])
    assert blank[0]["predicted"] >= blank[1]["predicted"] * 0.999
    assert not any("layout" in word for word in blank[1]["assumed"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "Llama-3.3-7OB"}, "unknown model 'Llama-3.3-7OB', did you mean 'Llama-3.3-70B'"),
        ({"hardware": "H2000"}, "unknown chip 'H2000'"),
    ],
)
def test_only_unknown_names_give_null(tmp_path, changes, says):
    item = validate.run(write(tmp_path, row(**changes)))["rows"][0]
    assert item["predicted"] is None and item["ratio"] is None
    assert says in item["note"]


@pytest.mark.parametrize(
    "changes",
    [
        {"isl": "", "osl": "", "weights_precision": "", "kv_precision": "", "n_gpus": "", "tp": "", "engine": ""},
        {"model": "Llama-3.1-405B", "hardware": "L40S", "n_gpus": "1", "tp": "1"},  # does not fit: still an answer, with a note
        {"isl": "9400 (dataset mean, recalled)", "concurrency_or_batch": "Server", "notes": "latency LIMIT p99 TPOT 1 ms, TTFT 1 ms"},
        {"tp": "3", "ep": "7", "dp": "5"},
        {"weights_precision": "q4_k_m"},
        {"phase": "decode", "concurrency_or_batch": "128 per GPU"},
        {"phase": "prefill", "output_tok_s_per_gpu": "", "input_tok_s_per_gpu": "16,594", "osl": ""},
        {"model": "DeepSeek-V3/R1", "tp": "", "n_gpus": "144 (decode unit: 18 nodes)", "hardware": "H800"},
        {"hardware": "AMD Instinct MI300X 192GB HBM3", "concurrency_or_batch": "Offline"},
        {"output_tok_s_per_gpu": "0"},
    ],
)
def test_odd_rows_get_a_number(tmp_path, changes):
    items = validate.run(write(tmp_path, row(**changes)))["rows"]
    assert len(items) == 1
    assert items[0]["predicted"] > 0


def test_what_does_not_fit_says_so(tmp_path):
    item = validate.run(write(tmp_path, row(model="Llama-3.1-405B", hardware="L40S", n_gpus="1", tp="1")))["rows"][0]
    assert "needs" in item["note"] and "more chip" in item["note"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "columns model, hardware"),
        (b"a,b\n1,2\n", "columns model, hardware"),
        (b"\xff\xfe\x00", "cannot be read as CSV in UTF-8"),
        (None, "no file"),
    ],
)
def test_files_that_are_not_measurements(tmp_path, capsys, content, says):
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    assert validate.main([str(path)]) == 2
    assert says in capsys.readouterr().err


def test_json_on_the_command_line(tmp_path, capsys):
    assert validate.main([write(tmp_path, row()), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["summary"]["cells"] == 1
    assert printed["rows"][0]["measured"] == 2582
    assert validate.main([write(tmp_path, row())]) == 0
    assert "TensorRT-LLM offline run" in capsys.readouterr().out


def test_bands_need_enough_rows_and_take_the_worse_error():
    rows = [
        {"family": "f", "ratio": 1.0, "ratio_without_model": r, "ratio_without_chip": 1.0} for r in (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.0, 1.0)
    ]
    assert worst_left_out(rows[0]) == 0.8
    found = band(rows, "f")
    assert found.low < 1 < found.high and found.n == 8
    assert band(rows[:7], "f") is None
    assert errors([]) is None


def test_reports_that_cannot_be_written(tmp_path, capsys):
    rows = write(tmp_path, row())
    assert validate.main([rows, "--report", str(tmp_path / "nowhere" / "page.md")]) == 2
    said = capsys.readouterr()
    assert "cannot be written: No such file or directory" in said.err and "Traceback" not in said.err
    assert validate.main([rows, "--report", str(tmp_path / "page.svg")]) == 2
    assert "must be a file that ends in .md" in capsys.readouterr().err


def test_files_are_replaced_whole_or_not_at_all(tmp_path):
    old, missing = tmp_path / "a.csv", tmp_path / "nowhere" / "b.csv"
    old.write_text("as it was")
    with pytest.raises(ValueError, match="cannot be written"):
        write_whole({old: "new", missing: "new"})
    assert old.read_text() == "as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    write_whole({old: "new"})
    assert old.read_text() == "new"


def test_a_report_says_how_many_runs_the_bands_cover(tmp_path):
    page = tmp_path / "page.md"
    assert validate.main([write(tmp_path, row()), "--report", str(page)]) == 0
    assert "## Bands" in page.read_text()
    assert page.with_suffix(".svg").read_text().startswith("<svg")
