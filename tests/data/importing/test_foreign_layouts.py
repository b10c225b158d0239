"""Layouts of other people, each in a file with what a careful reader takes from it: layouts/expected.yml."""

from pathlib import Path

import pytest

from data.meta import read_yaml

FOLDER = Path(__file__).parent / "layouts"
EXPECTED = read_yaml(FOLDER / "expected.yml")


def same(found, wanted):
    if wanted is None or found is None or found != found:
        return wanted is None and (found is None or found != found)
    return found == pytest.approx(wanted, rel=1e-9) if isinstance(wanted, (int, float)) else found == wanted


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_layout(reading, name):
    wanted = EXPECTED[name]
    found = reading((FOLDER / name).read_bytes(), table=wanted.get("table", "clusters"), name=name, answers=wanted.get("answers"))
    report = found.report
    assert sorted(question.id for question in report.questions) == sorted(wanted.get("questions", []))
    rows = found.frame.to_dict("records")
    assert len(rows) == len(wanted["rows"]), rows
    for row, cells in zip(rows, wanted["rows"]):
        assert {key: row.get(key) for key, value in cells.items() if not same(row.get(key), value)} == {}, (cells, row)
    for part in wanted.get("said", []):
        assert any(part in warning for warning in report.warnings), (part, report.warnings)
    first = {question.id: question.choices[0] for question in report.questions}
    assert {id: first.get(id) for id in wanted.get("proposed", {})} == wanted.get("proposed", {})
    shown = {told["column"]: told["unit"] for told in report.mapping}
    assert {column: shown.get(column) for column in wanted.get("units", {})} == wanted.get("units", {})
    assert [[reject.row, reject.column] for reject in report.rejects] == wanted.get("rejects", [])


def test_every_layout_has_its_expectation():
    assert {path.name for path in FOLDER.iterdir()} - {"expected.yml"} == set(EXPECTED)
