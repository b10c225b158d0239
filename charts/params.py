"""Parameters of a chart: one model gives the address, the widgets, the API's schema and the checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ChartParams(BaseModel):
    """Base of every chart's parameters: frozen, so a state can be a key; nothing unknown is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def choice(default: str, *, label: str, help: str, labels: Mapping[str, str]) -> Any:
    """One of a few values; annotate the field with Literal[...]. `labels` gives the words each value is shown by."""
    return Field(default=default, description=help, json_schema_extra={"widget": "choice", "label": label, "labels": dict(labels)})


def pick(default: str, *, label: str, help: str, missing_said: bool = False) -> Any:
    """One name out of the store (annotate with str); the chart's `options` lists the names there are.

    A page leaves out a name the store does not have; with `missing_said` it stays, for a chart whose words say that it is gone.
    """
    extra: dict[str, Any] = {"widget": "pick", "label": label, "missing_said": missing_said}
    return Field(default=default, description=help, max_length=200, json_schema_extra=extra)


def many(default: tuple[str, ...] = (), *, label: str, help: str, most: int = 200) -> Any:
    """Several names out of the store (annotate with tuple[str, ...]); the chart's `options` lists them."""
    return Field(default=default, description=help, max_length=most, json_schema_extra={"widget": "many", "label": label})


def number(
    default: float, *, ge: float, le: float, label: str, help: str, unit: str = "", step: float | None = None, log: bool = False
) -> Any:
    """A number in a range; annotate with float or int. `log` asks for a slider of 1-2-5 steps."""
    extra: dict[str, Any] = {"widget": "number", "label": label, "unit": unit, "log": log}
    return Field(default=default, ge=ge, le=le, description=help, json_schema_extra=extra | ({"step": step} if step else {}))


def flag(default: bool, *, label: str, help: str) -> Any:
    """On or off; annotate with bool."""
    return Field(default=default, description=help, json_schema_extra={"widget": "flag", "label": label})


def words(default: str = "", *, label: str, help: str, most: int = 200, area: bool = False) -> Any:
    """Free text; annotate with str. `area` asks for several lines."""
    return Field(
        default=default, description=help, max_length=most, json_schema_extra={"widget": "area" if area else "words", "label": label}
    )


def day(default: Any, *, label: str, help: str) -> Any:
    """A day; annotate with datetime.date (or datetime.date | None, None meaning today)."""
    return Field(default=default, description=help, json_schema_extra={"widget": "day", "label": label})


def extra(params: type[ChartParams], name: str) -> dict[str, Any]:
    """What a field says about its widget: widget, label, labels, unit, step, log."""
    told = params.model_fields[name].json_schema_extra
    return dict(told) if isinstance(told, dict) else {}
