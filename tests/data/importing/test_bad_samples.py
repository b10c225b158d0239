"""Nasty files get what bad_samples/README.md says: a sentence, a line, a reason, never a guess."""

import datetime
from pathlib import Path

import pytest

from data.importing.read import read
from data.importing.report import Refused

BAD = Path(__file__).parent.parent / "bad_samples"


def load(name):
    return read(BAD / name, "clusters", name, datetime.date(2026, 11, 23))


def ids(reading):
    return list(reading.frame["cluster_id"])


def rejected_lines(reading):
    return sorted(reading.report.rejected_rows)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("01_empty.csv", "the file is empty"),
        ("03_wrong_columns.csv", "date, ticker, open, close"),
        ("13_zip_renamed.csv", "zip"),
        ("15_unbalanced_quotes.csv", "line 3"),
    ],
)
def test_refused_with_a_sentence(name, words):
    with pytest.raises(Refused, match=words):
        load(name)


def test_header_alone_is_no_error():
    reading = load("02_header_only.csv")
    assert len(reading.frame) == 0 and any("no rows below it" in text for text in reading.report.warnings)


@pytest.mark.parametrize(
    ("name", "kept", "lines"),
    [
        ("04_nul_bytes.csv", ["x-1"], [3, 4]),
        ("06_huge_nan_inf.csv", ["ok", "nan"], [3, 5, 6, 7, 8]),
        ("07_negative_counts.csv", ["itgt", "ok"], [2, 3, 4, 5]),
        ("08_duplicate_ids.csv", ["dup", "other"], [4, 5]),
        ("12_mixed_dates.csv", ["d1", "d2", "d3", "d5", "d6", "d7"], [5, 9, 10]),
        ("14_very_long_line.csv", ["ok"], [3, 4]),
        ("16_ragged_rows.csv", ["r1"], [3, 4, 5]),
    ],
)
def test_rows_kept_and_lines_rejected(name, kept, lines):
    reading = load(name)
    assert ids(reading) == kept and rejected_lines(reading) == lines
    assert all(reject.reason for reject in reading.report.rejects)
    assert reading.report.kept == len(kept)


def test_not_a_number_is_missing_with_a_warning():
    reading = load("06_huge_nan_inf.csv")
    assert reading.frame.set_index("cluster_id").loc["nan", ["chip_count", "power_mw"]].isna().all()
    assert any("NaN" in text for text in reading.report.warnings)


def test_it_power_above_site_power_is_said():
    assert any("IT power 200 MW is above site power 100 MW" in text for text in load("07_negative_counts.csv").report.warnings)


def test_utf16_and_latin1_keep_their_letters():
    assert list(load("05_utf16.csv").frame["name"]) == ["Jülich"]
    latin = load("20_latin1_as_utf8.csv")
    assert (latin.frame["name"][0], latin.frame["city"][0]) == ("Jülich", "Zürich")
    assert any("Windows-1252" in text for text in latin.report.warnings)


def test_formulas_and_markup_are_text():
    assert load("09_formula_injection.csv").frame["name"][1:3].tolist() == ["+1+1", "@SUM(A1:A9)"]
    assert load("10_html_script.csv").frame["name"][0] == "<script>alert(1)</script>"
    assert load("10_html_script.csv").frame["name"][4] == "A &amp; B <3 GPUs"


def test_paths_and_sql_in_a_chip_are_an_unknown_chip():
    reading = load("11_path_in_chip.csv")
    assert list(reading.frame["chip_id"]) == ["unknown"] * 5 + ["h100-sxm"]
    assert sum("no chip that is known" in text for text in reading.report.warnings) == 5


def test_dates_that_can_be_read_two_ways_are_asked_about():
    reading = load("12_mixed_dates.csv")
    dates = dict(zip(reading.frame["cluster_id"], reading.frame["online_date"]))
    assert dates == {"d1": "2025-02-13", "d2": "2025-02-13", "d3": None, "d5": "2025-02-13", "d6": "2024-09-02", "d7": "2025-02-01"}
    assert [question.id for question in reading.report.questions] == ["date_order:online_date"]


def test_two_columns_of_one_meaning_are_asked_about():
    reading = load("17_duplicate_header.csv")
    assert len(reading.frame) == 0
    assert {question.id for question in reading.report.questions} == {"column:name", "column:POWER"}


def test_unicode_tricks():
    frame = load("18_unicode_tricks.csv").frame.set_index("cluster_id")
    assert frame.loc["u2", "name"] == "Colossus 1"
    assert frame.loc["u4", "name"] == frame.loc["u5", "name"] == "élan"
    assert frame.loc["u3", "name"] != "Colossus"
    assert (frame.loc["u7", "chip_count"], frame.loc["u8", "chip_count"]) == (100, 100_000)


def test_ids_stay_text_and_na_is_namibia():
    frame = load("19_scientific_ids.csv").frame
    assert list(frame["cluster_id"]) == ["1E5", "100000", "007", "TRUE", "NA", "null", "nan"]
    assert frame["country"][4] == "Namibia"
