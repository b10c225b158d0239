"""The facts a rule may ask of a chip, from its row or from a design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analytics.chips.metrics import PRECISION_BITS, performance_density, total_processing_performance
from analytics.chips.names import NAMES, RuleName
from analytics.chips.text import plain

# Seat of the company that designed the chip. A vendor not listed leaves designer_hq unknown.
DESIGNER_HQ = {
    "NVIDIA": "US",
    "AMD": "US",
    "Intel": "US",
    "Google": "US",
    "AWS": "US",
    "Meta": "US",
    "Microsoft": "US",
    "Tesla": "US",
    "Groq": "US",
    "Cerebras": "US",
    "SambaNova": "US",
    "Huawei": "CN",
    "Cambricon": "CN",
    "Biren": "CN",
    "MetaX": "CN",
    "Hygon": "CN",
    "Moore Threads": "CN",
    "Baidu Kunlunxin": "CN",
    "Alibaba T-Head": "CN",
}
# What to look for when a fact is missing.
NEEDED = {
    "tpp": "a dense rate",
    "pd": "die area",
    "io_total_bidirectional_gb_per_s": "I/O bandwidth with PCIe",
    "memory_bandwidth_gb_per_s": "memory bandwidth",
    "designer_hq": "the designer's country",
    "vendor": "the vendor",
    "marketing": "whether it is marketed for data centres",
}


def number(value: Any) -> float:
    """A cell as a number, NaN where blank; ValueError where it is not one."""
    text = plain(value)
    if not text:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"a number is expected, got {text!r}") from None


def chip_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of one chip from its row of the chips table.

    Parameters: row with the columns of chips.csv (dense rates in TFLOPS or TOPS, die_area_mm2, bandwidths in GB/s).
    Returns: name of the grammar (and vendor) to value; a fact that is not known is NaN or left out.
    """
    rates = {name: number(row.get(name)) for name in PRECISION_BITS}
    tpp = float(total_processing_performance(rates))
    facts: dict[str, Any] = {
        "chip_id": plain(row.get("chip_id")),
        "vendor": plain(row.get("vendor")),
        "marketing": plain(row.get("marketing")),
        "designer_hq": DESIGNER_HQ.get(plain(row.get("vendor"))),
        "tpp": tpp,
        "pd": float(performance_density(tpp, number(row.get("die_area_mm2")))),
        "io_total_bidirectional_gb_per_s": number(row.get("io_total_bidirectional_gb_per_s")),
        "memory_bandwidth_gb_per_s": number(row.get("memory_bandwidth_gb_per_s")),
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def is_missing(value: Any) -> bool:
    """Whether a scalar fact is unknown."""
    return value is None or (isinstance(value, str) and not value) or (np.ndim(value) == 0 and value != value)


def needed(names: list[str]) -> str:
    """'needs die area and memory bandwidth': what would have to be known."""
    words: list[str] = []
    for name in names:
        known: RuleName | None = NAMES.get(name)
        word = NEEDED.get(name) or (known.words if known else name)
        if word not in words:
            words.append(word)
    if "a dense rate" in words and "die area" in words:
        words.remove("die area")  # without a rate there is no density to speak of
    return "needs " + (" and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]) if words else ""
