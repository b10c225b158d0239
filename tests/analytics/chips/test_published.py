"""The published answers, every one of them, through the command line an outsider uses."""

import json

import pytest

from analytics import export_rules

EXPECTED = "tests/data/export_expected.csv"


def test_every_published_answer_agrees(capsys):
    assert export_rules.main([EXPECTED, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row for row in report["rows"] if not row["agrees"]] == []
    assert report["summary"]["compared"] == len(report["rows"]) >= 57
    assert set(report["rows"][0]) >= {"row", "chip", "rule_id", "expected", "outcome", "agrees"}


def test_the_days_before_and_after_each_change_agree_with_what_was_published(capsys):
    """tests/data/export_boundaries.csv: each row cites the notice, filing or report that sets its day or line."""
    assert export_rules.main(["tests/data/export_boundaries.csv", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row for row in report["rows"] if not row["agrees"]] == []
    assert report["summary"]["compared"] >= 150


def test_text_output_names_counts_and_says_it_is_no_advice(capsys):
    assert export_rules.main([EXPECTED]) == 0
    assert "not legal advice" in capsys.readouterr().out


def test_rows_that_cannot_be_read_say_why_and_the_rest_is_answered(tmp_path, capsys):
    file = tmp_path / "asked.csv"
    file.write_text(
        "scope,chip_id,rule_id,destination,hq,date,expected\n"
        "rule,h10O-sxm,2023-10-3A090.a.1,CN,,2023-12-01,licence_presumption_of_denial\n"
        "rule,h100-sxm,2023-10-3A090.a1,CN,,2023-12-01,licence_presumption_of_denial\n"
        "all_rules,h100-sxm,,China,,2023-12-01,licence_presumption_of_denial\n"
        "all_rules,h100-sxm,,CN,,01/12/2023,licence_presumption_of_denial\n"
        "some,h100-sxm,,CN,,2023-12-01,licence_presumption_of_denial\n"
        "all_rules,h100-sxm,,cn,,2023-12-01,\n"
    )
    assert export_rules.main([str(file), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    notes = [row["note"] for row in report["rows"]]
    assert "did you mean h100-sxm?" in notes[0]
    assert "did you mean 2023-10-3A090.a.1?" in notes[1]
    assert "two-letter ISO 3166" in notes[2]
    assert "YYYY-MM-DD" in notes[3]
    assert "scope must be rule or all_rules" in notes[4]
    assert report["rows"][5]["outcome"] == "licence_presumption_of_denial" and report["rows"][5]["agrees"] is None
    assert report["summary"]["not_read"] == 5


def test_a_blank_destination_asks_the_rule_for_any_destination(tmp_path, capsys):
    file = tmp_path / "asked.csv"
    file.write_text("scope,chip_id,rule_id,destination,hq,date,expected\nrule,h100-sxm,2023-10-3A090.a.1,,,2024-01-01,\n")
    export_rules.main([str(file), "--json"])
    assert json.loads(capsys.readouterr().out)["rows"][0]["outcome"] == "licence_presumption_of_denial"


@pytest.mark.parametrize("content", [None, b"", b"a,b\n1,2\n", b"chip_id,date\n\xff\xfe\x00,1\n"])
def test_a_file_that_cannot_be_read_exits_2_with_a_sentence(tmp_path, capsys, content):
    file = tmp_path / "asked.csv"
    if content is not None:
        file.write_bytes(content)
    assert export_rules.main([str(file)]) == 2
    error = capsys.readouterr().err
    assert str(file) in error and "Traceback" not in error


WRONG = "scope,chip_id,rule_id,destination,hq,date,expected,reason\nall_rules,h100-sxm,,CN,,2024-01-01,{expected},{reason}\n"


@pytest.mark.parametrize(
    ("expected", "reason", "status", "said"),
    [
        ("licence_presumption_of_denial", "", 0, "1 of 1 agree, 0 differ;"),
        ("no_clause_met", "", 1, "0 of 1 agree, 1 differ;"),
        ("no_clause_met", "the page predates the rule", 0, "0 of 1 agree, 1 differ (1 with a written reason);"),
    ],
)
def test_an_answer_that_differs_without_a_written_reason_fails_the_check(tmp_path, capsys, expected, reason, status, said):
    file = tmp_path / "asked.csv"
    file.write_text(WRONG.format(expected=expected, reason=reason))
    assert export_rules.main([str(file)]) == status
    text = capsys.readouterr().out
    assert said in text and reason in text
    assert export_rules.main([str(file), "--json"]) == status
