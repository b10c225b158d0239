"""Compare the export-rule reading with published answers: python -m analytics.export_rules FILE.csv [--json].

FILE has one question a row: scope (`rule`, ask rule_id alone; `all_rules`, ask everything), chip_id, destination, hq,
date and the expected outcome. A column `reason` may say why a published answer is wrong. Exit status: 0 when every answer
agrees or has such a reason, 1 when one differs or a row could not be read, 2 when the file could not be. A reading of
published rules, not legal advice.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analytics.chips.countries import ISO_COUNTRIES
from analytics.chips.facts import chip_facts, needed
from analytics.chips.names import nearest
from analytics.chips.rules import OUTCOMES, RuleBook
from data import shipped

REQUIRED = ("chip_id", "date")
CLAIM = "A reading of published rules, not legal advice."


def answer(row: Mapping[str, str], book: RuleBook, chips: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """The outcome of one question and a note; ValueError where chip, rule, country or date cannot be read."""
    chip_id = (row.get("chip_id") or "").strip()
    if chip_id not in chips:
        raise ValueError(f"no chip {chip_id!r}{nearest(chip_id, chips)}")
    destination, hq = ((row.get(name) or "").strip().upper() or None for name in ("destination", "hq"))
    for name, country in (("destination", destination), ("hq", hq)):
        if country and country not in ISO_COUNTRIES:
            raise ValueError(f"{name} must be a two-letter ISO 3166 country code, got {country!r}")
    facts, date, rule_id = chip_facts(chips[chip_id]), row.get("date"), (row.get("rule_id") or "").strip()
    scope = (row.get("scope") or "").strip() or ("rule" if rule_id else "all_rules")
    if scope == "rule":
        rule = book.rule(rule_id)
        clause = book.ask(rule, book.question(facts, date, destination, hq), any_destination=destination is None)
        return clause.outcome, "; ".join(filter(None, (clause.status, needed(list(clause.missing)))))
    if scope != "all_rules":
        raise ValueError(f"scope must be rule or all_rules, got {scope!r}")
    result = book.evaluate(facts, dest=destination, date=date, hq=hq)
    decided = f"decided by {result.deciding.rule.rule_id}" if result.deciding else "no rule in force applies"
    return result.outcome, "; ".join(filter(None, (decided, needed(list(result.missing)))))


def compare(questions: list[dict[str, str]], book: RuleBook, chips: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Every question answered beside its expected outcome, with a summary; a row that cannot be read says why."""
    rows: list[dict[str, Any]] = []
    for number, question in enumerate(questions, start=2):
        expected = (question.get("expected") or "").strip()
        item: dict[str, Any] = {
            "row": number,
            "case": question.get("case_id") or "",
            "chip": question.get("chip_id") or "",
            "rule_id": question.get("rule_id") or "",
            "expected": expected,
            "reason": (question.get("reason") or "").strip(),
        }
        try:
            outcome, note = answer(question, book, chips)
            if expected and expected not in OUTCOMES:
                note = f"expected {expected!r} is not one of {', '.join(OUTCOMES)}; {note}"
            item |= {"outcome": outcome, "agrees": outcome == expected if expected else None, "note": note}
        except ValueError as error:
            item |= {"outcome": None, "agrees": False if expected else None, "note": str(error)}
        rows.append(item)
    compared = [item for item in rows if item["agrees"] is not None]
    summary = {
        "rows": len(rows),
        "compared": len(compared),
        "agree": sum(item["agrees"] for item in compared),
        "disagree": sum(not item["agrees"] for item in compared),
        "differ_with_reason": sum(not item["agrees"] and bool(item["reason"]) for item in compared),
        "not_read": sum(item["outcome"] is None for item in rows),
        "claim": CLAIM,
    }
    return {"rows": rows, "summary": summary}


def _questions(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in REQUIRED if name not in (reader.fieldnames or [])]
            if missing:
                raise ValueError(
                    f"{path} has no column {', '.join(missing)}; it needs scope, chip_id, rule_id, destination, hq, date, expected"
                )
            return list(reader)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a CSV in UTF-8: {error}") from error


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 when every answer agrees or has a written reason, 1 when one differs or was not read, 2 for a bad file."""
    parser = argparse.ArgumentParser(prog="python -m analytics.export_rules", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, help="CSV of questions in the layout of export_expected.csv")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    try:
        questions = _questions(options.file)
        book = RuleBook.from_rows(shipped.rows("export_rules"), shipped.rows("country_groups"))
        report = compare(questions, book, {row["chip_id"]: row for row in shipped.rows("chips")})
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    open_rows = [item for item in report["rows"] if not item["reason"] and (item["outcome"] is None or item["agrees"] is False)]
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return int(bool(open_rows))
    for item in report["rows"]:
        mark = {True: "agrees", False: "DIFFERS", None: "-"}[item["agrees"]]
        outcome = item["outcome"] or "-"
        note = "; ".join(filter(None, (item["note"], item["reason"])))
        print(f"{item['row']:>4}  {item['chip']:<16} {item['rule_id']:<28} {item['expected']:<30} {outcome:<30} {mark:<8} {note}")
    summary = report["summary"]
    explained = f" ({summary['differ_with_reason']} with a written reason)" if summary["differ_with_reason"] else ""
    print(
        f"{summary['agree']} of {summary['compared']} agree, {summary['disagree']} differ{explained}; "
        f"{summary['not_read']} could not be read. {CLAIM}"
    )
    return int(bool(open_rows))


if __name__ == "__main__":
    raise SystemExit(main())
