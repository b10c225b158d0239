"""Why a clause is met or not: its terms in words, value against threshold, and the smallest change that would matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analytics.chips.facts import is_missing, needed
from analytics.chips.grammar import And, Compare, Condition, Constant, Leaf, Member, Name, Not, Or, Sum, Value, leaves, names
from analytics.chips.logic import Evaluator
from analytics.chips.names import NAMES
from analytics.chips.rules import OUTCOMES, Answer, Rule, RuleBook
from analytics.formula import number_text

_SIGN_WORDS = {"==": "is", "!=": "is not", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}


@dataclass(frozen=True)
class Term:
    """One comparison of a clause: in words, the chip's value, the threshold, and the margin.

    truth: true, false or unknown. margin = value - threshold in the unit, relative = margin / threshold; None unless both are numbers.
    """

    words: str
    name: str
    value: Any
    threshold: Any
    unit: str
    truth: str
    margin: float | None = None
    relative: float | None = None


@dataclass(frozen=True)
class Change:
    """A change of one fact alone: name, value now, the threshold where the outcome becomes another, and that outcome.

    reached: whether standing on the threshold is enough, or it must be passed.
    """

    name: str
    value: float
    becomes_at: float
    outcome: str
    reached: bool = True

    @property
    def difference(self) -> float:
        """How far the fact would have to move, in its unit."""
        return self.becomes_at - self.value


def value_words(value: Value) -> str:
    """A value in words: 'TPP', 'memory bandwidth + I/O bandwidth', '2,400'."""
    if isinstance(value, Sum):
        return " + ".join(value_words(part) for part in value.parts)
    if isinstance(value, Name):
        return NAMES[value.name].words
    if isinstance(value.value, bool):
        return "yes" if value.value else "no"
    return number_text(value.value) if isinstance(value.value, float) else value.value


def value_unit(value: Value) -> str:
    """The unit of a value's names; "" for texts and constants."""
    parts = value.parts if isinstance(value, Sum) else (value,)
    return next((NAMES[part.name].unit for part in parts if isinstance(part, Name)), "")


def in_words(condition: Condition) -> str:
    """A condition as a reader says it: 'TPP ≥ 1,600 and performance density ≥ 5.92 per mm²'."""
    if isinstance(condition, Constant):
        return "always" if condition.value else "never"
    if isinstance(condition, Name):
        return NAMES[condition.name].words
    if isinstance(condition, Not):
        return f"not ({in_words(condition.part)})"
    if isinstance(condition, And):
        return " and ".join(f"({in_words(p)})" if isinstance(p, Or) else in_words(p) for p in condition.parts)
    if isinstance(condition, Or):
        return " or ".join(f"({in_words(p)})" if isinstance(p, And) else in_words(p) for p in condition.parts)
    if isinstance(condition, Member):
        return f"{value_words(condition.left)} in {'group ' + condition.group if condition.group else ' or '.join(condition.choices)}"
    unit, right = value_unit(condition.left), value_words(condition.right)
    if condition.left == Name("year"):
        right = right.replace(",", "")
    return f"{value_words(condition.left)} {_SIGN_WORDS[condition.sign]} {right}{' ' + unit if unit else ''}"


def terms(condition: Condition | None, facts: Mapping[str, Any], book: RuleBook) -> list[Term]:
    """The terms of a condition for one chip, in reading order.

    Parameters: condition; facts, from `RuleBook.question`; book, for the country groups. Returns: one Term a comparison.
    """
    if condition is None:
        return []
    evaluate = Evaluator(facts, book.groups.members)
    return [_term(leaf, evaluate) for leaf in leaves(condition)]


def _term(leaf: Leaf, evaluate: Evaluator) -> Term:
    truth = evaluate(leaf).word
    value, known = evaluate.value(leaf.left)
    value = value if known is True else None
    words = in_words(leaf)
    if isinstance(leaf, Member):
        return Term(words, value_words(leaf.left), value, leaf.group or " or ".join(leaf.choices), "", truth)
    threshold, _ = evaluate.value(leaf.right)
    term = Term(words, value_words(leaf.left), value, threshold, value_unit(leaf.left), truth)
    if isinstance(value, float) and isinstance(threshold, float):
        margin = value - threshold
        return replace(term, margin=margin, relative=margin / threshold if threshold else None)
    return term


def thresholds(name: str, facts: Mapping[str, Any], conditions: Iterable[Condition | None]) -> list[tuple[str, float]]:
    """(sign, threshold) of every comparison of a numeric fact in these conditions; in a sum the other parts are taken as they are."""
    found: dict[tuple[str, float], None] = {}
    for condition in conditions:
        for leaf in leaves(condition) if condition is not None else []:
            if not isinstance(leaf, Compare) or not isinstance(leaf.right, Constant) or not isinstance(leaf.right.value, float):
                continue
            parts = leaf.left.parts if isinstance(leaf.left, Sum) else (leaf.left,)
            if Name(name) not in parts:
                continue
            others = [facts.get(p.name) if isinstance(p, Name) else p.value for p in parts if p != Name(name)]
            if not any(is_missing(other) for other in others):
                found[(leaf.sign, leaf.right.value - sum(float(other or 0) for other in others))] = None
    return list(found)


def single_changes(
    book: RuleBook, facts: Mapping[str, Any], *, dest: str | None, date: Any, hq: str | None = None, within: tuple[str, ...] = ()
) -> list[Change]:
    """For each numeric fact of a chip, the nearest value below and above at which the overall outcome changes.

    The other facts stay as they are (TPP and density are moved apart from each other), so this says how close a line is,
    not how a chip would be redesigned. Parameters: as for `RuleBook.evaluate`; within, fact names, default all known
    numeric chip facts. Returns: changes, nearest (relative to the value) first.
    """
    question = book.question(facts, date, dest, hq)
    now = int(book.outcomes(facts, dest=dest, date=date, hq=hq))
    conditions = [rule.condition for rule in book.in_force(date) if rule.evaluable]
    changes = []
    for name in within or [n for n, known in NAMES.items() if known.subject == "chip" and known.type == "number"]:
        if is_missing(question.get(name)):
            continue
        value = float(question[name])
        lines: dict[float, float] = {}  # point to try -> the threshold it stands at or just beside
        for sign, threshold in thresholds(name, question, conditions):
            if threshold >= 0:
                lines[float(np.nextafter(threshold, -np.inf if sign in (">=", "<") else np.inf))] = threshold
        lines |= {threshold: threshold for threshold in lines.values()}
        if not lines:
            continue
        tried = np.array(sorted(lines))
        outcome = book.outcomes({**facts, name: tried}, dest=dest, date=date, hq=hq)
        for side in (tried < value, tried > value):
            different = np.flatnonzero(side & (outcome != now))
            if different.size:
                at = different[np.argmin(np.abs(tried[different] - value))]
                threshold = lines[float(tried[at])]
                reached = bool(np.any(tried[different] == threshold))
                changes.append(Change(name, value, threshold, OUTCOMES[int(outcome[at])], reached))
    return sorted(changes, key=lambda c: abs(c.difference) / c.value if c.value else abs(c.difference))


def change_words(change: Change) -> str:
    """'TPP 32 higher (2,400 or more)': a change as a reader says it."""
    known = NAMES[change.name]
    unit = f" {known.unit}" if known.unit else ""
    line, far, up = f"{number_text(change.becomes_at)}{unit}", abs(change.difference), change.difference > 0
    bound = (f"{line} or {'more' if up else 'less'}") if change.reached else f"{'over' if up else 'under'} {line}"
    return f"{known.words} {number_text(float(f'{far:.3g}') if far < 100 else round(far))}{unit} {'higher' if up else 'lower'} ({bound})"


def unknown_words(answer: Answer) -> str:
    """Why an overall answer is unknown: 'needs die area', or the clause that applies and cannot be evaluated; "" where it is known."""
    if answer.outcome != "unknown" or answer.deciding is None:
        return ""
    rule = answer.deciding.rule
    return needed(list(answer.missing)) or f"{rule.rule_id} {status_words(answer.deciding.status, (), rule)}"


def status_words(status: str, missing: tuple[str, ...] | list[str], rule: Rule) -> str:
    """A clause's status with what it lacks: 'unknown: needs die area'."""
    if status == "unknown":
        return f"unknown: {needed(list(missing))}"
    if status == "not asked":
        subjects = sorted({NAMES[n].subject for p in (rule.goods, rule.condition) if p is not None for n in names(p)} - {"deal", "chip"})
        return f"not asked: about a {subjects[0]}" if subjects else "not asked"
    if status == "cannot be evaluated":
        return f"not evaluated: {rule.reason}"
    if status == "other company":
        return f"binds {', '.join(rule.addressee)} only"
    return status
