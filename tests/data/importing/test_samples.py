"""Layouts of real sources come out as their expected files say (cluster_samples/README.md gives the rules)."""

import datetime
import importlib.util
from pathlib import Path

import pytest

from data.importing.read import read

_spec = importlib.util.spec_from_file_location("compare", Path(__file__).parent / "compare.py")
compare = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(compare)

FILES = sorted(path.name for path in compare.SAMPLES.glob("*.?sv") if ".expected" not in path.name)


@pytest.mark.parametrize("name", FILES)
def test_sample_is_read_as_expected(name):
    reading = read(compare.SAMPLES / name, "clusters", name, datetime.date(2026, 11, 23))
    assert compare.differences(name, reading.frame.to_dict("records")) == []


def test_there_are_samples():
    assert len(FILES) == 8


def test_broken_row_of_a_spreadsheet_is_listed_and_totals_are_left_out():
    reading = read(compare.SAMPLES / "excel_bom_junk.csv", "clusters", "x.csv", datetime.date(2026, 11, 23))
    assert [(reject.row, reject.value) for reject in reading.report.rejects] == [(12, "#REF!")]
    assert any(text.startswith("line 13 left out: a total") for text in reading.report.warnings)


def test_what_an_encyclopaedia_leaves_open_is_asked():
    reading = read(compare.SAMPLES / "wikipedia_table.csv", "clusters", "x.csv", datetime.date(2026, 11, 23))
    assert {question.id for question in reading.report.questions} == {"power:Power", "rate:EUR", "currency:¥"}


def test_publishers_that_document_their_power_are_not_asked_about_it():
    for name in ("epoch_gpu_clusters.csv", "epoch_data_centers.csv", "top500_june2025.csv"):
        assert read(compare.SAMPLES / name, "clusters", name, datetime.date(2026, 11, 23)).report.questions == []


def test_values_the_publisher_computed_say_so():
    frame = read(compare.SAMPLES / "epoch_gpu_clusters.csv", "clusters", "x.csv", datetime.date(2026, 11, 23)).frame
    basis = dict(zip(zip(frame["cluster_id"], frame["phase"]), frame["capex_basis"]))
    assert basis[("oak-ridge-nl-frontier", None)] == "reported"
    assert basis[("google-oklahoma-tpu-v4-pods", None)].startswith("derived:")
