"""Uploaded export rules: a malformed expression is rejected with row, column and position; good rows stay."""

import csv
import io

import pytest

from data import shipped

ROW = next(row for row in shipped.rows("export_rules") if row["rule_id"] == "2022-10-3A090")


def rules(**changes):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(ROW), lineterminator="\n")
    writer.writeheader()
    writer.writerow({**ROW, "rule_id": "good"})
    writer.writerow({**ROW, "rule_id": "changed", **changes})
    return out.getvalue()


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"expr": "tpp >== 4800"}, "expr", "position 7: '=' is not part of the grammar"),
        ({"expr": "tppp >= 4800"}, "expr", "position 1: tppp is not a known name; did you mean tpp?"),
        ({"destination_expr": "dest in group('D:9')"}, "destination_expr", "position 16: no country group 'D:9'; did you mean D:5?"),
        ({"goods_condition": "tpp"}, "goods_condition", "position 4:"),
        ({"expr": ""}, "expr", "position 1: the expression is empty"),
    ],
)
def test_a_malformed_expression_is_rejected_with_its_place(reading, changes, column, reason):
    read = reading(rules(**changes), table="export_rules")
    (reject,) = read.report.rejects
    assert (reject.row, reject.column) == (3, column) and reject.reason.startswith(reason)
    assert list(read.frame["rule_id"]) == ["good"]


def test_the_shipped_rules_are_accepted_as_they_are(reading):
    with open("data/sources/export_rules.csv", encoding="utf-8") as file:
        read = reading(file.read(), table="export_rules")
    assert read.report.rejects == [] and len(read.frame) == len(shipped.rows("export_rules"))
