"""The command line: refusals are one sentence and exit code 2."""

import json

import pytest

from analytics.bench.__main__ import chip_of_device, main, spec_of
from tests.analytics.bench.test_record import line, ok_row


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(line(ok_row()))
    return path


def test_table_fit_and_compare_read_a_file(file, capsys):
    assert main(["table", str(file)]) == 0
    assert "| attn.decode | B=32 S=4096 H=32 K=8 D=128 page=64 |" in capsys.readouterr().out
    assert main(["fit", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["statuses"] == {"ok": 1}
    assert main(["compare", str(file), str(file)]) == 0
    assert capsys.readouterr().out.startswith("SAME")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["table", "nowhere.jsonl"], "no such file"),
        (["run", "--ops", "atn", "--device", "cpu", "--out", "x"], "is not known"),
        (["run", "--device", "cpu", "--plan-only", "--shard", "3/2"], "1 <= i <= n"),
        (["run", "--device", "cpu"], "--out FILE.jsonl is needed"),
        (["run", "--device", "cpu", "--backend", "cudnn", "--out", "x"], "backend 'cudnn' is not one of"),
        (["run", "--device", "cpu", "--out", "x", "--budget-s", "-3"], "--budget-s must be from 0 to 10,000,000 s, got -3"),
        (["run", "--device", "cpu", "--out", "x", "--budget-s", "nan"], "--budget-s must be from 0"),
        (["run", "--device", "cpu", "--out", "x", "--case-limit-s", "0"], "--case-limit-s must be above 0"),
        (["run", "--device", "cpu", "--out", "x", "--threads", "0"], "--threads must be 1 to 1,024, got 0"),
        (["table", "."], "not a file of records"),
    ],
)
def test_refusals(arguments, words, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_an_interrupted_run_says_how_to_go_on(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("analytics.bench.__main__.run", interrupted)
    assert main(["run", "--suite", "smoke", "--device", "cpu", "--out", "x"]) == 130
    assert "--resume goes on" in capsys.readouterr().err


def test_plan_only_prints_the_cases_and_runs_none(capsys):
    assert main(["run", "--device", "cuda", "--suite", "quick", "--ops", "attn.mla", "--plan-only"]) == 0
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert lines[0] == {
        "op": "attn.mla",
        "params": {"B": 64, "S": 8192, "H": 16, "latent": 512, "rope": 64, "page": 64},
        "dtype": "bf16",
        "dtype_kv": None,
    }


def test_device_names_of_the_driver_lead_to_chips():
    assert chip_of_device("NVIDIA H200") == "h200-sxm"
    assert chip_of_device("NVIDIA H100 80GB HBM3") == "h100-sxm"
    assert chip_of_device("cpu: AMD EPYC") is None
    spec = spec_of("NVIDIA H200")
    assert spec.bytes_per_s == 4.8e12 and spec.flop_per_s == {"bf16": 989.4e12, "fp8": 1979e12}  # H200 datasheet, dense
    assert spec_of("cpu: AMD EPYC").bytes_per_s is None
