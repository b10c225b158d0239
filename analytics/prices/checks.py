"""Refusals shared by the price models: what was given, where, and what is accepted."""

from __future__ import annotations

from typing import Any

import numpy as np


def require(condition: Any, name: str, value: Any, accepted: str) -> None:
    """Raise ValueError "NAME must be ACCEPTED, got VALUE" naming the first element that fails.

    Parameters: condition, bool or array of bool (broadcast with value); name of the quantity; value; accepted, in words.
    """
    ok = np.asarray(condition)
    if ok.all():
        return
    values, good = np.broadcast_arrays(np.asarray(value, dtype=float), ok)
    raise ValueError(f"{name} must be {accepted}, got {values[~good].ravel()[0]:g}")


def require_positive(name: str, value: Any) -> None:
    """Raise ValueError unless every element is finite and above 0."""
    array = np.asarray(value, dtype=float)
    require(np.isfinite(array) & (array > 0), name, array, "above 0")


def require_share(name: str, value: Any) -> None:
    """Raise ValueError unless every element lies in [0, 1]."""
    array = np.asarray(value, dtype=float)
    require((array >= 0) & (array <= 1), name, array, "in [0, 1]")
