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


def require_positive(name: str, value: Any, unit: str = "") -> np.ndarray:
    """The value as an array; ValueError unless every element is finite and above 0."""
    array = np.asarray(value, dtype=float)
    require(np.isfinite(array) & (array > 0), name, array, f"above 0{_space(unit)}")
    return array


def require_within(name: str, value: Any, low: float, high: float, unit: str = "") -> np.ndarray:
    """The value as an array; ValueError unless every element lies in [low, high]."""
    array = np.asarray(value, dtype=float)
    require((array >= low) & (array <= high), name, array, f"from {low:g} to {high:g}{_space(unit)}")
    return array


def require_share(name: str, value: Any) -> None:
    """Raise ValueError unless every element lies in [0, 1]."""
    array = np.asarray(value, dtype=float)
    require((array >= 0) & (array <= 1), name, array, "in [0, 1]")


def _space(unit: str) -> str:
    return f" {unit}" if unit else ""
