"""State and addresses: parameters → query string → parameters, exactly, and a sentence for what cannot be read."""

from __future__ import annotations

import datetime
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError

from charts.numbers import plain
from charts.params import ChartParams

RESERVED = ("rev", "s", "chart", "embed", "embed_options")
P = TypeVar("P", bound=ChartParams)


def pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and text of each value, as an address holds them; an empty list is one empty text, None is left out."""
    out: list[tuple[str, str]] = []
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, (list, tuple)):
            out += [(name, _text(v)) for v in value] or [(name, "")]
        else:
            out.append((name, _text(value)))
    return out


def encode(params: ChartParams) -> str:
    """Query string of every parameter, defaults included."""
    return urlencode(pairs(params.model_dump()))


def split(query: str) -> list[tuple[str, str]]:
    """Pairs of a query string, blanks kept."""
    return parse_qsl(query.lstrip("?"), keep_blank_values=True)


def decode(model: type[P], given: Iterable[tuple[str, str]]) -> tuple[P, list[str]]:
    """Parameters of the pairs; what is absent or unreadable is at its default, and the second says what was ignored."""
    texts: dict[str, list[str]] = {}
    ignored: list[str] = []
    for name, text in given:
        if name in RESERVED:
            continue
        if name not in model.model_fields:
            ignored.append(f"ignored {_short(name)}={_short(text)}: {_known(model)}")
            continue
        texts.setdefault(name, []).append(text)
    values: dict[str, Any] = {}
    for name, found in texts.items():
        kind = bare(model.model_fields[name].annotation)
        try:
            value = _read_list(kind, found) if typing.get_origin(kind) in (tuple, list) else _read(kind, found[-1])
            values[name] = getattr(model(**{name: value}), name)
        except (ValueError, ValidationError):
            ignored.append(f"ignored {name}={_short(','.join(found))}: {accepted(model, name)}")
    return model(**values), ignored


def accepted(model: type[ChartParams], name: str) -> str:
    """What a parameter accepts, in words."""
    field = model.model_fields[name]
    kind = bare(field.annotation)
    if typing.get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, typing.get_args(kind)))}"
    if typing.get_origin(kind) in (tuple, list):
        return "up to " + str(next((m.max_length for m in field.metadata if hasattr(m, "max_length")), 200)) + " names"
    if kind in (int, float):
        low = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
        high = next((m.le for m in field.metadata if hasattr(m, "le")), None)
        unit = (field.json_schema_extra or {}).get("unit") if isinstance(field.json_schema_extra, dict) else ""
        word = "a whole number" if kind is int else "a number"
        return f"{word} from {plain(low)} to {plain(high)}{f' {unit}' if unit else ''}" if low is not None and high is not None else word
    if kind is bool:
        return "true or false"
    if kind is datetime.date:
        return "a day as YYYY-MM-DD"
    return "a text of at most " + str(next((m.max_length for m in field.metadata if hasattr(m, "max_length")), 200)) + " characters"


def bare(kind: Any) -> Any:
    """The annotation without "or None"."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return next(k for k in typing.get_args(kind) if k is not type(None))
    return kind


def _read_list(kind: Any, texts: list[str]) -> tuple[Any, ...]:
    item = typing.get_args(kind)[0]
    return () if texts == [""] else tuple(_read(item, t) for t in texts)


def _read(kind: Any, text: str) -> Any:
    if typing.get_origin(kind) is Literal:
        return text
    if kind is bool:
        return {"true": True, "false": False}[text] if text in ("true", "false") else _refuse(text)
    if kind is int:
        number = float(text)
        return int(number) if number.is_integer() else _refuse(text)
    if kind is float:
        number = float(text)
        return number if abs(number) < float("inf") else _refuse(text)
    if kind is datetime.date:
        return datetime.date.fromisoformat(text)
    return text


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def _known(model: type[ChartParams]) -> str:
    return f"this chart's parameters are {', '.join(model.model_fields)}" if model.model_fields else "this chart has no parameters"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
