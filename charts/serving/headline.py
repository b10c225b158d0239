"""The one number of each serving chart that two scenarios are compared by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from charts import numbers


@dataclass(frozen=True)
class Headline:
    """A number with its words."""

    label: str
    value: float
    text: str


def headline(chart_id: str, table: pd.DataFrame, params: Any) -> Headline | None:
    """A chart's number at these parameters; None where it has none (measured points, or nothing fits)."""
    found = _FINDERS.get(chart_id.removeprefix("serving."))
    if found is None or table.empty:
        return None
    label, value, write = found(table, params)
    return Headline(label, value, write(value)) if value == value else None


def _cost(table: pd.DataFrame, params: Any) -> tuple[str, float, Callable[[float], str]]:
    at = table[table["kind"] == f"at {params.speed:g}"]
    if params.measure == "cost":
        return (
            f"lowest cost of a million output tokens at {params.speed:g} tok/s per user",
            float(at["usd_per_mtok"].min()),
            numbers.dollars,
        )
    return (
        f"highest rate of a chip at {params.speed:g} tok/s per user",
        float(at["tokens_per_s_per_gpu"].max()),
        lambda v: f"{v:,.0f} tok/s",
    )


def _memory(table: pd.DataFrame, params: Any) -> tuple[str, float, Callable[[float], str]]:
    first = table[(table["model"] == table.attrs["models"][0]["model"]) & (table["context_tokens"] == 16_384)].iloc[0]
    if params.view == "users":
        return f"users of {first['model']} that fit at 16k tokens", float(first["users_that_fit"]), numbers.count
    return f"cache of the batch with {first['model']} at 16k tokens", float(first["cache_gb"]), lambda v: numbers.number_of_bytes(v * 1e9)


def _token_time(table: pd.DataFrame, params: Any) -> tuple[str, float, Callable[[float], str]]:
    decode = table[table["phase"] == "decode"]
    near = ((decode["batch"] / params.batch - 1).abs() + (decode["context_tokens"] / params.context - 1).abs()).argmin()
    row = decode.iloc[int(near)]
    return f"decode step, batch {row['batch']:,.0f}, context {row['context_tokens']:,.0f}", float(row["step_ms"]), lambda v: f"{v:,.3g} ms"


def _attention(table: pd.DataFrame, params: Any) -> tuple[str, float, Callable[[float], str]]:
    own = table[table["as_released"]].iloc[0]
    return "cache of a conversation as released", float(own["cache_gb"]), lambda v: numbers.number_of_bytes(v * 1e9)


def _experts(table: pd.DataFrame, params: Any) -> tuple[str, float, Callable[[float], str]]:
    if params.view == "hit":
        at = table[(table["line"] == table["line"].iloc[0]) & (table["tokens_of_a_step"] == 64)].iloc[0]
        return f"experts of {at['line']} read by 64 tokens", float(at["experts_read"]), lambda v: f"{v:,.0f}"
    own = table[table["line"] == ("mixture" if params.view == "dense" else "decode")]
    return f"highest rate of {table.attrs['model']}", float(own["tokens_per_s_per_gpu"].max()), lambda v: f"{v:,.0f} tok/s per chip"


def _thinking(table: pd.DataFrame, params: Any) -> tuple[str, float, Callable[[float], str]]:
    if params.view == "lengths":
        return "mean cost of an answer", float(table.attrs["usd"]["mean"]), numbers.dollars
    axis, at, line = ("samples", 64, "vote") if params.view == "samples" else ("steps", 100, "checked as set")
    row = table[(table["line"] == line) & (table[axis] == at)].iloc[0]
    return f"cost of a solved task, {at} {axis}, {line}", float(row["usd_per_solved"]), numbers.dollars


def _chips(table: pd.DataFrame, params: Any) -> tuple[str, float, Callable[[float], str]]:
    first = table[table["decode_heavy"].notna()].head(1)
    if first.empty:
        return "", float("nan"), str
    return f"rate of {first['chip'].iloc[0]}, the leading chip", float(first["decode_heavy"].iloc[0]), lambda v: f"{v:,.4g}"


_FINDERS: dict[str, Callable[[pd.DataFrame, Any], tuple[str, float, Callable[[float], str]]]] = {
    "cost": _cost,
    "memory": _memory,
    "token_time": _token_time,
    "attention": _attention,
    "experts": _experts,
    "thinking": _thinking,
    "chips": _chips,
}
