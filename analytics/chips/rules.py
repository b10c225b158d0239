"""Export rules as data, and the question "would this chip have met a clause, for whom, on that day?".

A reading of published rules, not legal advice. A rule is in force on a day, binds a destination, a company and a kind
of goods, and has an expression; every part is true, false or unknown, and an unknown is never taken for an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analytics.chips.facts import is_missing
from analytics.chips.grammar import Condition, RuleSyntaxError, leaves, names, parse
from analytics.chips.groups import CountryGroups
from analytics.chips.logic import FALSE, TRUE, UNKNOWN, Evaluator, Truth, conjunction
from analytics.chips.names import DEFAULTS, NAMES, nearest
from analytics.chips.text import iso_day, plain

# Strictest first; of two rules with one precedence the stricter answer counts.
OUTCOMES = (
    "licence_presumption_of_denial",
    "licence_case_by_case",
    "licence_required",
    "company_letter",
    "notification_nac",
    "revenue_share_or_tariff",
    "no_clause_met",
    "unknown",
)
ROLES = ("primary", "exclusion", "exception", "condition", "letter", "guidance", "duty", "report", "foreign", "bill")
# Shown as rows, never part of the overall answer (a duty is, when the destination is the United States).
_BESIDE = frozenset(("duty", "condition", "guidance", "report", "foreign", "bill"))


@dataclass(frozen=True)
class Rule:
    """One row of the rules table, its three expressions parsed."""

    rule_id: str
    title: str
    eccn: str
    clause_text: str
    role: str
    jurisdiction: str
    announced: str
    effective: str
    compliance: str
    enforced_until: str
    revoked: str
    addressee: tuple[str, ...]
    destination: Condition
    goods: Condition
    condition: Condition | None
    evaluable: bool
    reason: str
    outcome: str
    else_outcome: str
    precedence: int
    consequence: str
    status_note: str
    source: str
    source_url: str
    confidence: str
    decided_by: str
    url_status: str
    expr: str

    @property
    def begins(self) -> str:
        """First day it binds: the compliance date, or else the effective date; "" for a bill."""
        return self.compliance or self.effective

    @property
    def ends(self) -> str:
        """First day it no longer binds: enforcement's end or revocation, whichever is earlier; "" while open."""
        return min((day for day in (self.enforced_until, self.revoked) if day), default="")

    def in_force(self, date: Any) -> bool:
        """Whether it binds on a day."""
        day = iso_day(date)
        return bool(self.begins) and self.begins <= day and not (self.ends and day >= self.ends)


@dataclass(frozen=True)
class Clause:
    """One rule asked about one chip.

    status: met, not met, unknown, not in force, other destination, other goods, other company, not asked (it turns on
    another kind of thing than was asked about), or cannot be evaluated. outcome: the rule's word for that status.
    """

    rule: Rule
    status: str
    outcome: str
    destination: Truth
    goods: Truth
    condition: Truth
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """All rules together: the outcome, the clause that decides it, and every clause of rules in force."""

    outcome: str
    deciding: Clause | None
    clauses: tuple[Clause, ...]
    facts: dict[str, Any]
    missing: tuple[str, ...] = ()


def read_rules(rows: Iterable[Mapping[str, Any]], groups: CountryGroups, *, file: str = "export_rules.csv") -> tuple[Rule, ...]:
    """Rules from table rows; ValueError names file, row (the header is row 1), column, position and what is accepted."""
    return tuple(_read(row, groups, f"{file}, row {number} ({plain(row.get('rule_id'))})") for number, row in enumerate(rows, start=2))


def _read(row: Mapping[str, Any], groups: CountryGroups, where: str) -> Rule:
    text = {column: plain(value) for column, value in row.items()}

    def expression(column: str) -> Condition:
        try:
            condition = parse(text[column])
            for leaf in leaves(condition):
                group = getattr(leaf, "group", "")
                if group and group not in groups.names:
                    raise RuleSyntaxError(f"no country group {group!r}{nearest(group, groups.names)}", text[column].find(group) + 1)
        except RuleSyntaxError as error:
            raise ValueError(f"{where}, column {column}, {error}") from error
        return condition

    def choice(column: str, accepted: Sequence[str]) -> str:
        if text[column] not in accepted:
            raise ValueError(f"{where}, column {column}: {text[column]!r} is not one of {', '.join(accepted)}")
        return text[column]

    def day(column: str) -> str:
        try:
            return iso_day(text[column]) if text.get(column) else ""
        except ValueError as error:
            raise ValueError(f"{where}, column {column}: {error}") from error

    try:
        precedence = int(float(text["precedence"]))
    except ValueError:
        raise ValueError(f"{where}, column precedence: a whole number is expected, got {text['precedence']!r}") from None
    evaluable = choice("evaluable", ("yes", "no")) == "yes"
    return Rule(
        rule_id=text["rule_id"],
        title=text["title"],
        eccn=text["eccn"],
        clause_text=text["clause_text"],
        role=choice("role", ROLES),
        jurisdiction=text["jurisdiction"],
        announced=day("announced_date"),
        effective=day("effective_date"),
        compliance=day("compliance_date"),
        enforced_until=day("enforced_until"),
        revoked=day("revoked_date"),
        addressee=tuple(name.strip() for name in text["addressee"].split("|") if name.strip()),
        destination=expression("destination_expr"),
        goods=expression("goods_condition"),
        condition=expression("expr") if evaluable or text["expr"] else None,
        evaluable=evaluable,
        reason=text["evaluable_reason"],
        outcome=choice("outcome", OUTCOMES),
        else_outcome=choice("else_outcome", OUTCOMES),
        precedence=precedence,
        consequence=text["consequence"],
        status_note=text["status_note"],
        source=text["source"],
        source_url=text["source_url"],
        confidence=text["confidence"],
        decided_by=text["decided_by"],
        url_status=text["url_status"],
        expr=text["expr"],
    )


class RuleBook:
    """The rules and the country groups they name; the one place where a chip is asked against them."""

    def __init__(self, rules: Iterable[Rule], groups: CountryGroups):
        self.rules, self.groups = tuple(rules), groups
        self._by_id = {rule.rule_id: rule for rule in self.rules}

    @classmethod
    def from_rows(cls, rules: Iterable[Mapping[str, Any]], groups: Iterable[Mapping[str, Any]]) -> RuleBook:
        """A rule book from the rows of export_rules.csv and country_groups.csv; ValueError where a row cannot be read."""
        countries = CountryGroups(groups)
        return cls(read_rules(rules, countries), countries)

    def rule(self, rule_id: str) -> Rule:
        """A rule by its id; ValueError proposes the nearest."""
        if rule_id not in self._by_id:
            raise ValueError(f"no rule {rule_id!r}{nearest(rule_id, self._by_id)}; {len(self._by_id)} rules are known")
        return self._by_id[rule_id]

    def in_force(self, date: Any) -> list[Rule]:
        """Rules that bind on a day, in table order."""
        return [rule for rule in self.rules if rule.in_force(date)]

    def question(self, facts: Mapping[str, Any], date: Any, dest: str | None, hq: str | None = None) -> dict[str, Any]:
        """The facts of a question: the chip's own, the deal's, and the defaults a deal has; hq is dest unless given."""
        unknown = set(facts) - set(NAMES) - {"vendor"}
        if unknown:
            first = sorted(unknown)[0]
            raise ValueError(f"no fact is called {first}{nearest(first, NAMES)}")
        day = iso_day(date)
        deal = {"date": day, "year": float(day[:4]), "dest": dest or None, "hq": hq or dest or None}
        return {**DEFAULTS, **facts, **deal}

    def ask(self, rule: Rule, facts: Mapping[str, Any], *, any_destination: bool = False, evaluator: Evaluator | None = None) -> Clause:
        """Ask one rule about one chip.

        Parameters: rule; facts, from `question`; any_destination, take the destination condition as met; evaluator,
        one to share between rules. Returns: the clause with its status and the rule's outcome for it.
        """
        evaluate = evaluator or Evaluator(facts, self.groups.members)
        if not rule.in_force(facts["date"]):
            return Clause(rule, "not in force", "no_clause_met", UNKNOWN, UNKNOWN, UNKNOWN)
        destination = TRUE if any_destination else evaluate(rule.destination)
        goods = evaluate(rule.goods)
        company = _bound(rule, facts.get("vendor"))
        condition = evaluate(rule.condition) if rule.condition is not None else UNKNOWN
        clause = Clause(rule, "", "no_clause_met", destination, goods, condition)
        if destination is FALSE:
            return replace(clause, status="other destination")
        if company is FALSE:
            return replace(clause, status="other company")
        if goods is FALSE:
            return replace(clause, status="other goods")
        if not rule.evaluable:
            return replace(clause, status="cannot be evaluated", outcome="unknown")
        if condition is FALSE and destination is TRUE and goods is TRUE and company is TRUE:
            return replace(clause, status="not met", outcome=rule.else_outcome)
        if condition is FALSE and rule.else_outcome == "no_clause_met":
            return replace(clause, status="not met")
        if conjunction(conjunction(destination, goods), conjunction(company, condition)) is TRUE:
            return replace(clause, status="met", outcome=rule.outcome)
        missing = tuple(self._missing(rule, facts, any_destination, evaluate))
        return replace(clause, status="unknown" if _asked(rule, facts) else "not asked", outcome="unknown", missing=missing)

    def _missing(self, rule: Rule, facts: Mapping[str, Any], any_destination: bool, evaluate: Evaluator) -> list[str]:
        parts = [rule.goods, *([] if any_destination else [rule.destination]), *([rule.condition] if rule.condition else [])]
        wanted = [name for part in parts if evaluate(part) is UNKNOWN for name in names(part)]
        if rule.addressee:
            wanted.append("vendor")
        return [name for name in dict.fromkeys(wanted) if is_missing(facts.get(name))]

    def evaluate(self, facts: Mapping[str, Any], *, dest: str | None, date: Any, hq: str | None = None) -> Answer:
        """Ask every rule in force about one chip: the overall outcome and each clause.

        Parameters: facts of the chip (see `chip_facts`; further names of the grammar may be added); dest and hq, ISO
        country codes; date, the day asked about. Returns: Answer. Errors: ValueError for an unknown fact or a bad date.
        Of the rules that apply, the highest precedence decides, the stricter of two that are equal. A rule that would decide
        instead makes the answer unknown where it is unknown, or where it applies but cannot be evaluated.
        """
        question = self.question(facts, date, dest, hq)
        evaluator = Evaluator(question, self.groups.members)
        clauses = tuple(self.ask(rule, question, evaluator=evaluator) for rule in self.in_force(date))
        counted = [c for c in clauses if _counts(c.rule, dest)]
        best = min((c for c in counted if c.status == "met"), key=lambda c: _rank(c.rule), default=None)
        doubts = [c for c in counted if (c.status == "unknown" or _open(c, facts)) and (best is None or _rank(c.rule) < _rank(best.rule))]
        if doubts:
            worst = min(doubts, key=lambda c: _rank(c.rule))
            missing = tuple(dict.fromkeys(name for c in doubts for name in c.missing))
            return Answer("unknown", worst, clauses, question, missing)
        return Answer(best.outcome if best else "no_clause_met", best, clauses, question)

    def outcomes(self, facts: Mapping[str, Any], *, dest: str | None, date: Any, hq: str | None = None) -> np.ndarray:
        """The overall outcome of many chips or designs at once, as positions in OUTCOMES.

        Parameters: as for `evaluate`, with arrays that broadcast together. Returns: int8 array of that shape.
        """
        question = self.question(facts, date, dest, hq)
        shape = np.broadcast_shapes(*(np.shape(value) for value in question.values()))
        evaluate = Evaluator(question, self.groups.members)
        rules = sorted((rule for rule in self.in_force(date) if _counts(rule, dest)), key=_rank, reverse=True)
        result = np.full(shape, OUTCOMES.index("no_clause_met"), dtype=np.int8)
        unknown = OUTCOMES.index("unknown")
        level, hits = None, [np.False_]
        for rule in rules:  # from the one that counts least: a later answer overwrites an earlier one
            if _rank(rule) != level:
                level, hits = _rank(rule), [np.False_]
            truth = self._truth(rule, question, evaluate)
            if truth is FALSE:
                continue
            if not rule.evaluable:
                _write(result, unknown, truth.true & ~np.logical_or.reduce(np.broadcast_arrays(*hits)))
                continue
            if not truth.complete and _asked(rule, question):
                _write(result, unknown, truth.unknown & ~np.logical_or.reduce(np.broadcast_arrays(*hits)))
            _write(result, OUTCOMES.index(rule.outcome), truth.true)
            hits.append(truth.true)
        return result

    def _truth(self, rule: Rule, facts: Mapping[str, Any], evaluate: Evaluator) -> Truth:
        truth = evaluate(rule.destination)
        for part in (rule.goods, rule.condition):
            if truth is FALSE or part is None:
                return FALSE
            truth = conjunction(truth, evaluate(part))
        return truth if truth is FALSE else conjunction(truth, _bound(rule, facts.get("vendor")))


def _write(result: np.ndarray, code: int, where: Any) -> None:
    """Put a code where a mask holds, in place; by bits, which costs a tenth of a masked assignment over scattered places."""
    mask = -np.asarray(where, dtype=bool).view(np.int8)
    np.bitwise_xor(result, (result ^ np.int8(code)) & mask, out=result)


def _counts(rule: Rule, dest: str | None) -> bool:
    return rule.role not in _BESIDE or (rule.role == "duty" and dest == "US")


def _rank(rule: Rule) -> tuple[int, int]:
    """Order in which rules that apply decide, first the least."""
    return -rule.precedence, OUTCOMES.index(rule.outcome)


def _open(clause: Clause, facts: Mapping[str, Any]) -> bool:
    """Whether a clause surely applies by its expressions and still cannot be evaluated."""
    parts = (clause.destination, clause.goods, clause.condition, _bound(clause.rule, facts.get("vendor")))
    return clause.status == "cannot be evaluated" and all(part is TRUE for part in parts)


def _bound(rule: Rule, vendor: Any) -> Truth:
    """Whether the rule binds the chip's vendor."""
    if not rule.addressee:
        return TRUE
    if isinstance(vendor, np.ndarray) and vendor.ndim:
        known = vendor.astype(str) != ""
        true = np.isin(vendor.astype(str), rule.addressee)
        return Truth(true, ~true & known)
    return UNKNOWN if is_missing(vendor) else TRUE if vendor in rule.addressee else FALSE


def _asked(rule: Rule, facts: Mapping[str, Any]) -> bool:
    """Whether the question is about the kind of thing the rule turns on: a fact of that kind was given."""
    given = {"deal"} | {
        NAMES[name].subject for name, value in facts.items() if name in NAMES and name not in DEFAULTS and not is_missing(value)
    }
    parts = [part for part in (rule.goods, rule.condition) if part is not None]
    return all(NAMES[name].subject in given for part in parts for name in names(part))
