"""Three-valued truth over many chips at once: true, false, unknown.

A condition becomes two boolean arrays, where it is surely true and where it is surely false; where neither holds it is
unknown. A missing fact (absent, None or NaN) makes its comparison unknown; `and` with a false is false and `or` with a
true is true whatever the other side, so an unknown never turns into an answer.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from analytics.chips.grammar import And, Compare, Condition, Constant, Member, Name, Not, Or, Sum, Value, value_type

Groups = Callable[[str, str], frozenset[str]]
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Truth:
    """Where a condition is surely true and surely false: booleans or boolean arrays, never both true.

    Without `false` it is the exact opposite of `true`: every fact was known, and nothing is unknown.
    """

    __slots__ = ("_false", "complete", "true")

    def __init__(self, true: Any, false: Any = None):
        self.true, self._false, self.complete = true, false, false is None

    @property
    def false(self) -> Any:
        """Where it is surely false."""
        if self._false is None:
            self._false = ~self.true if isinstance(self.true, np.ndarray) else not self.true
        return self._false

    @property
    def unknown(self) -> Any:
        """Where it is neither."""
        return np.zeros(np.shape(self.true), dtype=bool) if self.complete else ~(np.asarray(self.true) | np.asarray(self.false))

    @property
    def word(self) -> str:
        """true, false or unknown, for one chip."""
        return "true" if bool(self.true) else "false" if bool(self.false) else "unknown"


TRUE, FALSE, UNKNOWN = Truth(True), Truth(False), Truth(False, False)


def negation(part: Truth) -> Truth:
    """not part; the three constants keep their identity."""
    if part is TRUE or part is FALSE or part is UNKNOWN:
        return FALSE if part is TRUE else TRUE if part is FALSE else UNKNOWN
    return Truth(part.false) if part.complete else Truth(part.false, part.true)


def conjunction(a: Truth, b: Truth) -> Truth:
    """a and b."""
    if a is FALSE or b is FALSE:
        return FALSE
    if a is TRUE or a is b:
        return b
    if b is TRUE:
        return a
    return Truth(a.true & b.true) if a.complete and b.complete else Truth(a.true & b.true, a.false | b.false)


def disjunction(a: Truth, b: Truth) -> Truth:
    """a or b."""
    if a is TRUE or b is TRUE:
        return TRUE
    if a is FALSE or a is b:
        return b
    if b is FALSE:
        return a
    return Truth(a.true | b.true) if a.complete and b.complete else Truth(a.true | b.true, a.false & b.false)


def _settle(true: Any, known: Any) -> Truth:
    """The truth of a comparison where it is known; for one chip one of the constants, so `and` and `or` can stop early."""
    if known is True:
        return Truth(true) if isinstance(true, np.ndarray) and true.ndim else TRUE if bool(true) else FALSE
    return Truth(true & known, ~true & known)


class Evaluator:
    """Evaluates conditions over one set of facts, each distinct comparison once.

    Parameters: facts, name to scalar or array (broadcast together; None and NaN are unknown; a name left out is unknown);
    groups, (group, date) to the countries in it. Texts are scalars, or arrays of str.
    """

    def __init__(self, facts: Mapping[str, Any], groups: Groups):
        self.facts, self.groups = facts, groups
        self._seen: dict[Condition, Truth] = {}
        self._values: dict[Value, tuple[Any, Any]] = {}

    def __call__(self, condition: Condition) -> Truth:
        """The truth of a condition."""
        known = self._seen.get(condition)
        if known is None:
            known = self._seen[condition] = self._evaluate(condition)
        return known

    def _evaluate(self, condition: Condition) -> Truth:
        if isinstance(condition, Constant):
            return TRUE if condition.value is True else FALSE
        if isinstance(condition, Name):
            return self._evaluate(Compare(condition, "==", Constant(True)))
        if isinstance(condition, Not):
            return negation(self(condition.part))
        if isinstance(condition, And):
            result = TRUE
            for part in condition.parts:
                result = conjunction(result, self(part))
                if result is FALSE:
                    break
            return result
        if isinstance(condition, Or):
            result = FALSE
            for part in condition.parts:
                result = disjunction(result, self(part))
                if result is TRUE:
                    break
            return result
        if isinstance(condition, Member):
            return self._member(condition)
        return self._compare(condition)

    def _compare(self, leaf: Compare) -> Truth:
        left, left_known = self.value(leaf.left)
        right, right_known = self.value(leaf.right)
        if left_known is False or right_known is False:
            return UNKNOWN
        true = _SIGNS[leaf.sign](left, right)
        return _settle(true, right_known if left_known is True else left_known if right_known is True else left_known & right_known)

    def _member(self, leaf: Member) -> Truth:
        value, known = self.value(leaf.left)
        if known is False:
            return UNKNOWN
        if leaf.group:
            date, date_known = self.value(Name("date"))
            if date_known is not True:
                return UNKNOWN
            choices = self.groups(leaf.group, str(date))
        else:
            choices = frozenset(leaf.choices)
        if not isinstance(value, np.ndarray):
            return TRUE if value in choices else FALSE
        true = np.isin(value, sorted(choices))
        return _settle(true, known)

    def value(self, value: Value) -> tuple[Any, Any]:
        """A value and where it is known: True, False, or a boolean array."""
        found = self._values.get(value)
        if found is None:
            found = self._values[value] = self._read(value)
        return found

    def _read(self, value: Value) -> tuple[Any, Any]:
        if isinstance(value, Constant):
            return value.value, True
        if isinstance(value, Sum):
            parts = [self.value(part) for part in value.parts]
            if any(known is False for _, known in parts):
                return None, False
            total, known = parts[0]
            for amount, amount_known in parts[1:]:
                total, known = total + amount, known if amount_known is True else known & amount_known
            return total, known
        return _known(self.facts.get(value.name), value_type(value))


def _known(raw: Any, kind: str) -> tuple[Any, Any]:
    if raw is None:
        return None, False
    if isinstance(raw, np.ndarray) and raw.ndim:
        if kind != "number" or raw.dtype.kind not in "fiu":
            known = np.array([item is not None and item == item and item != "" for item in raw.ravel()]).reshape(raw.shape)
            return (raw.astype(float) if kind == "number" else raw.astype(str) if kind == "text" else raw), True if known.all() else known
        unknown = np.isnan(raw)
        return raw, ~unknown if unknown.any() else True
    if kind == "number":
        number = float(raw)
        return (None, False) if np.isnan(number) else (number, True)
    if kind == "boolean":
        return (bool(raw), True) if raw == raw else (None, False)
    return (str(raw), True) if raw == raw and raw != "" else (None, False)
