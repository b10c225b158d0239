"""A formula that is computed, shown and exported from one definition.

A leaf formula is one pure function of arithmetic. Its source is parsed once, when the module loads; the same
expression is then evaluated by Python (numpy broadcasts), rendered as LaTeX or text with the user's numbers put in,
and written as a spreadsheet cell. Whatever cannot be shown that way is refused at import, so no formula can be
computed by one rule and shown by another.
"""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# numpy name -> (LaTeX pattern, text pattern, spreadsheet pattern); {0}, {1}, {2} are the arguments.
_CALLS = {
    "minimum": (r"\min\left({0},\ {1}\right)", "min({0}, {1})", "MIN({0},{1})"),
    "maximum": (r"\max\left({0},\ {1}\right)", "max({0}, {1})", "MAX({0},{1})"),
    "where": (r"\begin{{cases}}{1} & {0}\\{2} & \text{{otherwise}}\end{{cases}}", "({1} if {0}, else {2})", "IF({0},{1},{2})"),
    "sqrt": (r"\sqrt{{{0}}}", "√({0})", "SQRT({0})"),
    "exp": (r"e^{{{0}}}", "e^({0})", "EXP({0})"),
    "expm1": (r"\left(e^{{{0}}}-1\right)", "(e^({0}) − 1)", "(EXP({0})-1)"),
    "log": (r"\ln\left({0}\right)", "ln({0})", "LN({0})"),
    "log2": (r"\log_2\left({0}\right)", "log₂({0})", "LOG({0},2)"),
    "log10": (r"\log_{{10}}\left({0}\right)", "log₁₀({0})", "LOG10({0})"),
    "ceil": (r"\left\lceil {0} \right\rceil", "⌈{0}⌉", "ROUNDUP({0},0)"),
    "floor": (r"\left\lfloor {0} \right\rfloor", "⌊{0}⌋", "ROUNDDOWN({0},0)"),
    "abs": (r"\left|{0}\right|", "|{0}|", "ABS({0})"),
}
_COMPARE = {
    ast.Lt: ("<", "<", "<"),
    ast.LtE: (r"\le", "≤", "<="),
    ast.Gt: (">", ">", ">"),
    ast.GtE: (r"\ge", "≥", ">="),
    ast.Eq: ("=", "=", "="),
}
# Binding strength of what a node renders to; a child weaker than its place is put in parentheses.
_ADD, _MULTIPLY, _NEGATE, _POWER, _ATOM = 1, 2, 3, 4, 5


def number_text(value: Any, *, thousands: str = ",") -> str:
    """A number as a reader writes it: at most six significant digits, thousands marked, no trailing zeros.

    Parameters: value, a scalar; thousands, the mark between groups. Returns: str.
    """
    x = float(value)
    if math.isnan(x):
        return "unknown"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x == 0:
        return "0"
    magnitude = abs(x)
    if magnitude >= 1e15 or magnitude < 1e-4:
        mantissa, exponent = f"{x:.5e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}".replace("-", "−")
    digits = max(0, 5 - math.floor(math.log10(magnitude)))
    text = f"{x:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(",", thousands).replace("-", "−")


def _number_latex(value: Any) -> str:
    text = number_text(value, thousands="{,}").replace("−", "-")
    if "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \times 10^{{{exponent}}}"
    return {"∞": r"\infty", "-∞": r"-\infty", "unknown": r"\text{unknown}"}.get(text, text)


class _Renderer:
    """Turns one expression into a notation: 0 LaTeX, 1 text, 2 spreadsheet."""

    def __init__(self, notation: int, names: Mapping[str, str], weak: frozenset[str] = frozenset()):
        self.notation, self.names, self.weak = notation, names, weak

    def __call__(self, node: ast.expr) -> str:
        return self._render(node)[0]

    def _child(self, node: ast.expr, place: int) -> str:
        text, strength = self._render(node)
        if strength >= place:
            return text
        return rf"\left({text}\right)" if self.notation == 0 else f"({text})"

    def _render(self, node: ast.expr) -> tuple[str, int]:
        if isinstance(node, ast.Constant):
            return (_number_latex, number_text, repr)[self.notation](node.value), _ATOM
        if isinstance(node, ast.Name):
            text = self.names[node.id]
            return text, _NEGATE if node.id in self.weak else _ATOM
        if isinstance(node, ast.UnaryOp):
            # A spreadsheet binds unary minus tighter than ^: the operand keeps its parentheses there.
            return ("-" if self.notation != 1 else "−") + self._child(node.operand, _ATOM if self.notation == 2 else _POWER), _NEGATE
        if isinstance(node, ast.Compare):
            sign = _COMPARE[type(node.ops[0])][self.notation]
            return f"{self._child(node.left, _ADD)} {sign} {self._child(node.comparators[0], _ADD)}", _ADD
        if isinstance(node, ast.Call):
            pattern = _CALLS[_call_name(node)][self.notation]
            return pattern.format(*(self(a) for a in node.args)), _POWER if pattern.startswith("e^") else _ATOM
        if not isinstance(node, ast.BinOp):
            raise TypeError(ast.dump(node))
        return self._binary(node)

    def _binary(self, node: ast.BinOp) -> tuple[str, int]:
        latex, sheet = self.notation == 0, self.notation == 2
        if isinstance(node.op, ast.Add):
            return f"{self._child(node.left, _ADD)} + {self._child(node.right, _ADD)}", _ADD
        if isinstance(node.op, ast.Sub):
            minus = "-" if latex or sheet else "−"
            return f"{self._child(node.left, _ADD)} {minus} {self._child(node.right, _MULTIPLY)}", _ADD
        if isinstance(node.op, ast.Mult):
            times = r" \times " if latex else "*" if sheet else " × "
            return f"{self._child(node.left, _MULTIPLY)}{times}{self._child(node.right, _MULTIPLY)}", _MULTIPLY
        if isinstance(node.op, ast.Div):
            if latex:
                return rf"\frac{{{self(node.left)}}}{{{self(node.right)}}}", _MULTIPLY
            divide = "/" if sheet else " ÷ "
            return f"{self._child(node.left, _MULTIPLY)}{divide}{self._child(node.right, _NEGATE)}", _MULTIPLY
        if latex:
            return f"{self._child(node.left, _ATOM)}^{{{self(node.right)}}}", _POWER
        return f"{self._child(node.left, _ATOM)}^{self._child(node.right, _ATOM)}", _POWER


def _call_name(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "np":
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


class _Substitute(ast.NodeTransformer):
    """Puts intermediate assignments into the returned expression."""

    def __init__(self, values: dict[str, ast.expr]):
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)


def _expression(function: Callable[..., Any]) -> ast.expr:
    """The single expression a formula's function returns; TypeError where it is more than arithmetic."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    values: dict[str, ast.expr] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
            values[statement.targets[0].id] = _Substitute(dict(values)).visit(statement.value)
            continue
        if isinstance(statement, ast.Return) and statement.value is not None and statement is tree.body[-1]:
            return _Substitute(values).visit(statement.value)
        raise TypeError(f"formula {function.__name__}, line {statement.lineno}: only assignments and one final return are allowed")
    raise TypeError(f"formula {function.__name__}: a return is missing")


def _refuse(name: str, node: ast.expr, known: set[str]) -> None:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id not in known and part.id != "np" and part.id not in _CALLS:
            raise TypeError(f"formula {name}: {part.id} is not a parameter")
        if isinstance(part, ast.Call) and _call_name(part) not in _CALLS:
            raise TypeError(f"formula {name}: a call to {ast.unparse(part.func)} cannot be shown; allowed are {', '.join(sorted(_CALLS))}")
        if isinstance(part, ast.Compare) and (len(part.ops) != 1 or type(part.ops[0]) not in _COMPARE):
            raise TypeError(f"formula {name}: one comparison by <, <=, >, >= or == at a time")
        if isinstance(part, ast.BinOp) and not isinstance(part.op, (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)):
            raise TypeError(f"formula {name}: the operator {type(part.op).__name__} cannot be shown")
        if isinstance(part, ast.Constant) and (isinstance(part.value, bool) or not isinstance(part.value, (int, float))):
            raise TypeError(f"formula {name}: the constant {part.value!r} is not a number")


@dataclass(frozen=True)
class Formula:
    """What a formula is: its name, symbol, unit, inputs and source, and how it is written."""

    name: str
    symbol: str
    unit: str
    inputs: dict[str, tuple[str, str]]
    source: str
    function: Callable[..., Any]
    expression: ast.expr

    def latex(self) -> str:
        """The formula in symbols, as LaTeX."""
        return f"{self.symbol} = {_Renderer(0, {k: v[0] for k, v in self.inputs.items()})(self.expression)}"

    def latex_with(self, **values: Any) -> str:
        """The formula with numbers put in and its result, as LaTeX. Values are scalars in the units of `inputs`."""
        names, weak = self._numbers(_number_latex, values)
        return f"{self.symbol} = {_Renderer(0, names, weak)(self.expression)} = {_number_latex(self.value(**values))}"

    def text_with(self, **values: Any) -> str:
        """The formula with numbers and units put in and its result, as plain text."""
        names, weak = self._numbers(number_text, values)
        for key, (_, unit) in self.inputs.items():
            if unit and unit not in ("1", "-"):
                names[key] = f"{names[key]}\u00a0{unit}"
        unit = f"\u00a0{self.unit}" if self.unit not in ("", "1", "-") else ""
        return f"{self.name} = {_Renderer(1, names, weak)(self.expression)} = {number_text(self.value(**values))}{unit}"

    def spreadsheet(self, cells: Mapping[str, str]) -> str:
        """The formula as a spreadsheet cell ("=B2*B3"). `cells` gives each input's address."""
        missing = set(self.inputs) - set(cells)
        if missing:
            raise ValueError(f"formula {self.name}: no cell for {', '.join(sorted(missing))}")
        return "=" + _Renderer(2, cells)(self.expression)

    def value(self, **values: Any) -> Any:
        """The result for these inputs (arrays broadcast); ValueError where an input is missing or unknown."""
        if set(values) != set(self.inputs):
            raise ValueError(f"formula {self.name} takes {', '.join(self.inputs)}; got {', '.join(values) or 'nothing'}")
        return self.function(**values)

    def _numbers(self, write: Callable[[Any], str], values: Mapping[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
        self.value(**values)
        return {k: write(v) for k, v in values.items()}, frozenset(k for k, v in values.items() if float(v) < 0 or "e" in number_text(v))


def formula(*, name: str, symbol: str, unit: str, inputs: dict[str, tuple[str, str]], source: str) -> Callable[[F], F]:
    """Declare a pure arithmetic function as a formula; the function stays callable as it is.

    Parameters: name, for readers; symbol, LaTeX of the result; unit of the result; inputs, parameter name to
    (LaTeX symbol, unit); source, where the formula is published. Returns: the decorator; the function gains `.formula`.
    Errors: TypeError at import where the function is not one expression of arithmetic or its inputs do not match.
    """

    def declare(function: F) -> F:
        parameters = list(inspect.signature(function).parameters)
        if parameters != list(inputs):
            raise TypeError(f"formula {function.__name__}: parameters {parameters} and inputs {list(inputs)} differ")
        expression = _expression(function)
        _refuse(function.__name__, expression, set(inputs))
        function.formula = Formula(name, symbol, unit, dict(inputs), source, function, expression)  # type: ignore[attr-defined]
        return function

    return declare
