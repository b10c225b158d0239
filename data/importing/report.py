"""What an import says about a file: rejects, warnings, questions, and the errors that stop it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LISTED_REJECTS = 5_000
LISTED_WARNINGS = 500
SHOWN_VALUE = 200


class Refused(ValueError):
    """The file as a whole cannot be imported; the message is one sentence for the user."""


class OpenQuestions(ValueError):
    """A commit was asked for while questions of the import are unanswered."""

    def __init__(self, questions: list[Question]) -> None:
        self.questions = questions
        named = "; ".join(f"{question.id}: {question.text}" for question in questions[:5])
        more = f" (and {len(questions) - 5} more)" if len(questions) > 5 else ""
        super().__init__(f"nothing was written: {len(questions)} question(s) are open: {named}{more}")


class Cancelled(Exception):
    """The user stopped the import; the store is as it was."""


@dataclass(frozen=True)
class Reject:
    """One row that was left out: its line in the file, the column and value at fault, and why."""

    row: int
    column: str
    value: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "value": self.value[:SHOWN_VALUE], "reason": self.reason}


@dataclass(frozen=True)
class Question:
    """Something the file does not say; `choices` are the accepted answers, `provisional` what the preview shows meanwhile."""

    id: str
    text: str
    choices: tuple[str, ...]
    provisional: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "text": self.text, "choices": list(self.choices), "provisional": self.provisional}


@dataclass
class Report:
    """Collects what is said while a file is read, and hands out the user's answers."""

    answers: dict[str, str] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    rejected_rows: set[int] = field(default_factory=set)
    rejects_unlisted: int = 0
    warnings: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    mapping: list[dict[str, Any]] = field(default_factory=list)
    used_answers: set[str] = field(default_factory=set)
    read: int = 0
    kept: int = 0

    def reject(self, row: int, column: str, value: str, reason: str) -> None:
        """List one reject; beyond the listed number only the count grows."""
        self.rejected_rows.add(row)
        if len(self.rejects) < LISTED_REJECTS:
            self.rejects.append(Reject(int(row), column, value, reason))
        else:
            self.rejects_unlisted += 1

    def warn(self, text: str) -> None:
        """Add a warning once; a file with very many kinds of warning says so at the end."""
        if text in self.warnings:
            return
        if len(self.warnings) < LISTED_WARNINGS:
            self.warnings.append(text)
        elif len(self.warnings) == LISTED_WARNINGS:
            self.warnings.append(f"more than {LISTED_WARNINGS} different warnings; the rest are not listed")

    def ask(self, id: str, text: str, choices: tuple[str, ...], provisional: str) -> str:
        """Return the user's answer, or list the question and return what the preview assumes meanwhile.

        A choice written `name=<...>` accepts any text after the equals sign.
        """
        answer = str(self.answers.get(id, "")).strip()
        if not answer:
            if all(question.id != id for question in self.questions):
                self.questions.append(Question(id, text, choices, provisional))
            return provisional
        self.used_answers.add(id)
        open_ended = [choice.split("=", 1)[0] + "=" for choice in choices if "=<" in choice]
        if answer not in choices and not any(answer.startswith(prefix) and len(answer) > len(prefix) for prefix in open_ended):
            raise Refused(f'the answer "{answer[:80]}" to question {id} is not one of: {", ".join(choices)}')
        return answer

    def check_answers(self) -> None:
        """Name the answers that no question asked for."""
        for id in sorted(set(self.answers) - self.used_answers):
            if id.startswith("same:"):
                continue  # used where the store is known
            self.warn(f'the answer to "{id}" was not needed: this file does not raise that question')

    def to_json(self) -> dict[str, Any]:
        return {
            "mapping": self.mapping,
            "questions": [question.to_json() for question in self.questions],
            "rejects": [reject.to_json() for reject in sorted(self.rejects, key=lambda reject: reject.row)],
            "warnings": self.warnings,
            "counts": {"read": self.read, "kept": self.kept, "rejected": len(self.rejected_rows)},
        }


def lines_text(lines: list[int], shown: int = 6) -> str:
    """Write line numbers for a sentence: "line 4", "lines 4, 7 and 12 more"."""
    head = ", ".join(str(line) for line in lines[:shown])
    more = f" and {len(lines) - shown} more" if len(lines) > shown else ""
    return f"{'line' if len(lines) == 1 else 'lines'} {head}{more}"
