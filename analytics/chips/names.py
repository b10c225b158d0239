"""The names an export rule may use: type, unit, meaning, and what kind of fact each is.

A chip is asked about by its own facts and by the deal. A rule that turns on the facts of something else (a memory
stack, a computer, a cluster, a foundry order, a model, a running total) is not asked until one of those facts is given.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

NameType = Literal["number", "text", "boolean"]
Subject = Literal["chip", "deal", "memory part", "system", "cluster", "foundry order", "model", "running total"]


@dataclass(frozen=True)
class RuleName:
    """One name of the grammar: type, subject, unit, and its meaning in words."""

    name: str
    type: NameType
    subject: Subject
    unit: str
    words: str


def _table(*rows: tuple[str, NameType, Subject, str, str]) -> dict[str, RuleName]:
    return {row[0]: RuleName(*row) for row in rows}


NAMES = _table(
    ("tpp", "number", "chip", "", "TPP"),
    ("pd", "number", "chip", "per mm²", "performance density"),
    ("io_total_bidirectional_gb_per_s", "number", "chip", "GB/s", "I/O bandwidth"),
    ("memory_bandwidth_gb_per_s", "number", "chip", "GB/s", "memory bandwidth"),
    ("chip_id", "text", "chip", "", "chip"),
    ("marketing", "text", "chip", "", "marketed for"),
    ("designer_hq", "text", "chip", "", "designer's country"),
    ("item", "text", "chip", "", "item"),
    ("dest", "text", "deal", "", "destination"),
    ("hq", "text", "deal", "", "buyer's headquarters"),
    ("date", "text", "deal", "", "date"),
    ("year", "number", "deal", "", "year"),
    ("export_from_us", "boolean", "deal", "", "exported from the United States"),
    ("owned_by_listed_pct", "number", "deal", "%", "share owned by listed parties"),
    ("buyer_on_entity_list", "boolean", "deal", "", "buyer on the Entity List"),
    ("exported_by_fab_or_osat", "boolean", "deal", "", "exported by a foundry or packager"),
    ("remote_access", "boolean", "deal", "", "remote access"),
    ("gb300_equivalents", "number", "deal", "GB300", "GB300 equivalents"),
    ("hbm_density_gb_s_mm2", "number", "memory part", "GB/s per mm²", "memory bandwidth density"),
    ("contains_3a090", "boolean", "system", "", "contains a 3A090 chip"),
    ("contains_3a090a", "boolean", "system", "", "contains a 3A090.a chip"),
    ("cluster_fp64_pflops", "number", "cluster", "PFLOP/s", "cluster FP64 rate"),
    ("cluster_fp32_pflops", "number", "cluster", "PFLOP/s", "cluster FP32 rate"),
    ("cluster_flops", "number", "cluster", "FLOP/s", "cluster rate"),
    ("volume_ft3", "number", "cluster", "cubic feet", "machine volume"),
    ("network_gbit_s", "number", "cluster", "Gbit/s", "network rate"),
    ("transistors_bn", "number", "foundry order", "billion", "transistors"),
    ("has_hbm", "boolean", "foundry order", "", "has high-bandwidth memory"),
    ("node_nm", "number", "foundry order", "nm", "process node"),
    ("non_planar", "boolean", "foundry order", "", "non-planar transistors"),
    ("packaged_by_fab_outside_d5", "boolean", "foundry order", "", "packaged by the foundry outside D:5 and Macau"),
    ("packaged_by_approved_osat", "boolean", "foundry order", "", "packaged by an approved packager"),
    ("training_flop", "number", "model", "FLOP", "training compute"),
    ("open_weights", "boolean", "model", "", "open weights"),
    ("bio_data", "boolean", "model", "", "trained mainly on biological sequences"),
    ("china_units_share_of_us", "number", "running total", "", "units to China over units to US customers"),
    ("cumulative_tpp", "number", "running total", "TPP", "TPP shipped to the country so far"),
    ("annual_consignee_tpp", "number", "running total", "TPP", "TPP to the consignee this year"),
    ("company_country_tpp", "number", "running total", "TPP", "company's TPP in the country"),
    ("tier1_share", "number", "running total", "", "share held in tier 1"),
    ("max_tier2_share", "number", "running total", "", "largest share in a tier-2 country"),
)

# Facts of the README's table that hold unless the asker says otherwise.
DEFAULTS: dict[str, object] = {"item": "chip", "export_from_us": True, "owned_by_listed_pct": 0.0, "exported_by_fab_or_osat": False}


def nearest(word: str, known: Iterable[str]) -> str:
    """' (did you mean X?)' for the nearest known word, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
