"""Refusals every model shares: what was given, where, which value, and what is accepted."""

from __future__ import annotations

from typing import Any

import numpy as np


def require(condition: Any, name: str, value: Any, accepted: str) -> None:
    """Raise ValueError "NAME must be ACCEPTED, got VALUE" naming the first element that fails.

    Parameters: condition, bool or array of bool (broadcast with value); name of the quantity; value; accepted, in words.
    """
    good = np.asarray(condition)
    if good.all():
        return
    values, good = np.broadcast_arrays(np.asarray(value, dtype=float), good)
    raise ValueError(f"{name} must be {accepted}, got {values[~good].ravel()[0]:g}")


def numbers(name: str, value: Any) -> np.ndarray:
    """The value as an array of floats; ValueError naming the quantity where it is text or a ragged list."""
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number or an array of numbers, got {str(value)[:60]!r}") from None


def one_number(name: str, value: Any) -> float:
    """The value as a float; ValueError unless it is a single number."""
    array = numbers(name, value)
    if array.size != 1:
        raise ValueError(f"{name} must be one number, got {array.size}")
    return float(array.reshape(()))


def require_positive(name: str, value: Any, unit: str = "") -> np.ndarray:
    """The value as an array; ValueError unless every element is finite and above 0."""
    array = numbers(name, value)
    require(np.isfinite(array) & (array > 0), name, array, f"above 0{_space(unit)}")
    return array


def require_at_least(name: str, value: Any, low: float, unit: str = "") -> np.ndarray:
    """The value as an array; ValueError unless every element is finite and `low` or more."""
    array = numbers(name, value)
    require(np.isfinite(array) & (array >= low), name, array, f"{low:g}{_space(unit)} or more")
    return array


def require_whole(name: str, value: Any, low: int, high: int) -> int:
    """The value as an int; ValueError unless it is one whole number in [low, high]."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not low <= value <= high or value != int(value):
        raise ValueError(f"{name} must be a whole number from {low:,} to {high:,}, got {str(value)[:60]}")
    return int(value)


def require_within(name: str, value: Any, low: float, high: float, unit: str = "") -> np.ndarray:
    """The value as an array; ValueError unless every element lies in [low, high]."""
    array = numbers(name, value)
    require((array >= low) & (array <= high), name, array, f"from {low:g} to {high:g}{_space(unit)}")
    return array


def require_share(name: str, value: Any) -> None:
    """Raise ValueError unless every element lies in [0, 1]."""
    array = numbers(name, value)
    require((array >= 0) & (array <= 1), name, array, "in [0, 1]")


def _space(unit: str) -> str:
    return f" {unit}" if unit else ""
