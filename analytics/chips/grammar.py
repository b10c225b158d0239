"""The grammar of export-rule expressions: text in, a checked tree out, or a refusal with its position.

    condition  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation   = "not" negation | "(" condition ")" | comparison | "true" | "false" | boolean name
    comparison = sum ("==" | "!=" | "<" | "<=" | ">" | ">=") sum  |  text name "in" (list | group)
    sum        = value { "+" value }
    value      = number | 'text' | "true" | "false" | name
    list       = "[" 'text' { "," 'text' } "]"          group = "group" "(" 'text' ")"

Types are checked here, so evaluation cannot meet a number compared with a word. Nothing is ever executed as Python.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from analytics.chips.names import NAMES, NameType, nearest

MAX_LENGTH, MAX_DEPTH = 4000, 40
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?P<text>'[^']*')|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|==|!=|<|>|\+|\(|\)|\[|\]|,))",
    re.ASCII,
)
_KEYWORDS = frozenset(("and", "or", "not", "in", "group", "true", "false"))
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


class RuleSyntaxError(ValueError):
    """An expression that is not in the grammar; `position` is the 1-based character where it fails."""

    def __init__(self, message: str, position: int):
        super().__init__(f"position {position}: {message}")
        self.message, self.position = message, position


@dataclass(frozen=True)
class Constant:
    """A number, a text or a truth value."""

    value: float | str | bool


@dataclass(frozen=True)
class Name:
    """A fact looked up by name."""

    name: str


@dataclass(frozen=True)
class Sum:
    """The sum of numbers."""

    parts: tuple[Constant | Name, ...]


Value = Constant | Name | Sum


@dataclass(frozen=True)
class Compare:
    """left sign right."""

    left: Value
    sign: str
    right: Value


@dataclass(frozen=True)
class Member:
    """A text that is in a list, or in a dated country group."""

    left: Name | Constant
    choices: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    part: Condition


@dataclass(frozen=True)
class And:
    """All of the parts."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """Any of the parts."""

    parts: tuple[Condition, ...]


Condition = Constant | Name | Compare | Member | Not | And | Or
Leaf = Compare | Member


def value_type(value: Value) -> NameType:
    """number, text or boolean."""
    if isinstance(value, Sum):
        return "number"
    if isinstance(value, Name):
        return NAMES[value.name].type
    if isinstance(value.value, bool):
        return "boolean"
    return "text" if isinstance(value.value, str) else "number"


class _Parser:
    def __init__(self, text: str):
        if len(text) > MAX_LENGTH:
            raise RuleSyntaxError(f"an expression of {len(text):,} characters; at most {MAX_LENGTH:,} are accepted", MAX_LENGTH + 1)
        self.text, self.at, self.depth = text, 0, 0
        self.tokens = list(self._tokens())

    def _tokens(self) -> Iterator[tuple[str, str, int]]:
        at = 0
        while self.text[at:].strip():
            match = _TOKEN.match(self.text, at)
            start = at + len(self.text[at:]) - len(self.text[at:].lstrip())
            if match is None:
                if self.text[start] == "'":
                    raise RuleSyntaxError("a text begins here and its closing ' is missing", start + 1)
                raise RuleSyntaxError(f"{self.text[start]!r} is not part of the grammar", start + 1)
            kind = str(match.lastgroup)
            token = match.group(kind)
            if kind == "word" and token in _KEYWORDS:
                kind = "sign"
            yield kind, token, match.start(str(match.lastgroup)) + 1
            at = match.end()
        yield "end", "", len(self.text.rstrip()) + 1

    @property
    def token(self) -> str:
        kind, token, _ = self.tokens[self.at]
        return token if kind == "sign" else ""

    def fail(self, wanted: str) -> RuleSyntaxError:
        kind, token, position = self.tokens[self.at]
        return RuleSyntaxError(f"{wanted} is expected, " + ("the expression ends" if kind == "end" else f"got {token}"), position)

    def take(self, sign: str) -> None:
        if self.token != sign:
            raise self.fail(sign)
        self.at += 1

    def parse(self) -> Condition:
        if self.tokens[0][0] == "end":
            raise RuleSyntaxError("the expression is empty", 1)
        condition = self.condition()
        if self.tokens[self.at][0] != "end":
            raise self.fail("and, or, or the end")
        return condition

    def condition(self) -> Condition:
        parts = [self.conjunction()]
        while self.token == "or":
            self.at += 1
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def conjunction(self) -> Condition:
        parts = [self.negation()]
        while self.token == "and":
            self.at += 1
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negation(self) -> Condition:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise RuleSyntaxError(f"nested more than {MAX_DEPTH} deep", self.tokens[self.at][2])
        try:
            if self.token == "not":
                self.at += 1
                return Not(self.negation())
            if self.token == "(":
                self.at += 1
                condition = self.condition()
                self.take(")")
                return condition
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Condition:
        start = self.tokens[self.at][2]
        left = self.sum()
        if self.token == "in":
            self.at += 1
            return self.membership(left, start)
        if self.token not in COMPARISONS:
            if value_type(left) == "boolean" and not isinstance(left, Sum):
                return left
            raise self.fail("a comparison (== != < <= > >=) or in")
        sign, at = self.token, self.tokens[self.at][2]
        self.at += 1
        right = self.sum()
        kinds = value_type(left), value_type(right)
        if kinds[0] != kinds[1]:
            raise RuleSyntaxError(f"a {kinds[0]} cannot be compared with a {kinds[1]}", at)
        if kinds[0] == "boolean" and sign not in ("==", "!="):
            raise RuleSyntaxError(f"true and false have no order for {sign}; use == or !=", at)
        if self.token in (*COMPARISONS, "in"):
            raise RuleSyntaxError("one comparison at a time; join two with and", self.tokens[self.at][2])
        return Compare(left, sign, right)

    def membership(self, left: Value, start: int) -> Member:
        if isinstance(left, Sum) or value_type(left) != "text":
            raise RuleSyntaxError("only a text can be in a list or a group", start)
        if self.token == "group":
            self.at += 1
            self.take("(")
            group = self.quoted()
            self.take(")")
            return Member(left, group=group)
        if self.token != "[":
            raise self.fail("a list ['a','b'] or group('X')")
        self.at += 1
        choices = [self.quoted()]
        while self.token == ",":
            self.at += 1
            choices.append(self.quoted())
        self.take("]")
        return Member(left, choices=tuple(choices))

    def quoted(self) -> str:
        kind, token, _ = self.tokens[self.at]
        if kind != "text":
            raise self.fail("a text in single quotes")
        self.at += 1
        return token[1:-1]

    def sum(self) -> Value:
        start = self.tokens[self.at][2]
        parts = [self.value()]
        while self.token == "+":
            self.at += 1
            parts.append(self.value())
        if len(parts) == 1:
            return parts[0]
        if any(value_type(part) != "number" for part in parts):
            raise RuleSyntaxError("+ adds numbers only", start)
        return Sum(tuple(parts))

    def value(self) -> Constant | Name:
        kind, token, position = self.tokens[self.at]
        if kind == "number":
            if math.isinf(float(token)):
                raise RuleSyntaxError(f"{token} is too large to be a number here", position)
            value: Constant | Name = Constant(float(token))
        elif kind == "text":
            value = Constant(token[1:-1])
        elif kind == "sign" and token in ("true", "false"):
            value = Constant(token == "true")
        elif kind == "word":
            if token not in NAMES:
                raise RuleSyntaxError(f"{token} is not a known name{nearest(token, NAMES)}", position)
            value = Name(token)
        else:
            raise self.fail("a number, a 'text', a name, true, false, not or (")
        self.at += 1
        return value


@lru_cache(maxsize=1024)
def parse(text: str) -> Condition:
    """Parse one expression.

    Parameters: text, an expression of the grammar above. Returns: its tree.
    Errors: RuleSyntaxError (a ValueError) with the 1-based position of what cannot be read.
    """
    return _Parser(text).parse()


def leaves(condition: Condition) -> list[Leaf]:
    """The comparisons and memberships of a condition, in reading order, each once."""
    found: dict[Leaf, None] = {}
    stack = [condition]
    while stack:
        part = stack.pop()
        if isinstance(part, (Compare, Member)):
            found[part] = None
        elif isinstance(part, Name):
            found[Compare(part, "==", Constant(True))] = None
        elif isinstance(part, Not):
            stack.append(part.part)
        elif isinstance(part, (And, Or)):
            stack.extend(reversed(part.parts))
    return list(found)


def names(condition: Condition) -> list[str]:
    """Names a condition reads, in reading order, each once."""
    found: dict[str, None] = {}
    for leaf in leaves(condition):
        sides: tuple[Value, ...] = (leaf.left, leaf.right) if isinstance(leaf, Compare) else (leaf.left,)
        for side in sides:
            for part in side.parts if isinstance(side, Sum) else (side,):
                if isinstance(part, Name):
                    found[part.name] = None
    return list(found)
