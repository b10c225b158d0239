"""A price ratio between two models as named factors: margin, architecture, host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.checks import require, require_positive
from analytics.formula import formula


@formula(
    name="Cost behind a list price",
    symbol="C",
    unit="USD/Mtok",
    inputs={"list_usd_per_mtok": ("P", "USD/Mtok"), "gross_margin": ("m", "")},
    source="gross margin on revenue: m = (P - C) / P",
)
def cost_usd_per_mtok(list_usd_per_mtok, gross_margin):
    """Cost that leaves this gross margin on a list price [USD/Mtok]."""
    return list_usd_per_mtok * (1 - gross_margin)


@formula(
    name="Margin factor",
    symbol="M",
    unit="",
    inputs={"gross_margin": ("m", "")},
    source="list over cost: P / C = 1 / (1 - m)",
)
def margin_factor(gross_margin):
    """How many times its cost a product sells for."""
    return 1 / (1 - gross_margin)


@formula(
    name="Architecture factor",
    symbol="A",
    unit="",
    inputs={
        "dear_list_usd_per_mtok": ("P_1", "USD/Mtok"),
        "gross_margin": ("m", ""),
        "host_usd_per_mtok": ("P_h", "USD/Mtok"),
    },
    source="cost of the dear model over the price at which an independent host of the cheap one makes money",
)
def architecture_factor(dear_list_usd_per_mtok, gross_margin, host_usd_per_mtok):
    """Architecture, size and engineering: cost of the dear model over the host's price of the cheap one."""
    return dear_list_usd_per_mtok * (1 - gross_margin) / host_usd_per_mtok


@formula(
    name="Host factor",
    symbol="H",
    unit="",
    inputs={"host_usd_per_mtok": ("P_h", "USD/Mtok"), "cheap_list_usd_per_mtok": ("P_2", "USD/Mtok")},
    source="independent host over the developer's own price: its efficiency and its lower margin",
)
def host_factor(host_usd_per_mtok, cheap_list_usd_per_mtok):
    """How many times dearer an independent host sells the same weights."""
    return host_usd_per_mtok / cheap_list_usd_per_mtok


@dataclass(frozen=True)
class PriceRatio:
    """ratio = margin x architecture x host; arrays of one shape. Log shares add up to 1 and may leave [0, 1]."""

    ratio: np.ndarray
    margin: np.ndarray
    architecture: np.ndarray
    host: np.ndarray

    @property
    def log_shares(self) -> np.ndarray:
        """Shares (3, ...) of the logarithm of the ratio: margin, architecture, host; NaN where the ratio is 1."""
        logs = np.log(np.stack([self.margin, self.architecture, self.host]))
        total = np.log(self.ratio)
        return logs / np.where(total == 0, np.nan, total)


def by_host_price(dear_usd_per_mtok: Any, cheap_usd_per_mtok: Any, gross_margin: Any, host_usd_per_mtok: Any) -> PriceRatio:
    """Split a ratio, reading "hosts at 5 to 7" as dollars per million tokens.

    Parameters (broadcast): list prices of the dear and the cheap model [USD/Mtok]; gross margin of the dear one, below 1;
    price at which an independent host of the cheap one makes money [USD/Mtok]. Returns: PriceRatio. Errors: ValueError.
    """
    dear, cheap, host = (np.asarray(v, dtype=float) for v in (dear_usd_per_mtok, cheap_usd_per_mtok, host_usd_per_mtok))
    margin = _margin(gross_margin)
    for name, value in (("dear price", dear), ("cheap price", cheap), ("host price", host)):
        require_positive(name, value)
    parts = np.broadcast_arrays(dear / cheap, margin_factor(margin), architecture_factor(dear, margin, host), host_factor(host, cheap))
    return PriceRatio(*parts)


def by_host_multiple(dear_usd_per_mtok: Any, cheap_usd_per_mtok: Any, gross_margin: Any, host_multiple: Any) -> PriceRatio:
    """Split a ratio, reading "hosts at 5 to 7" as a multiple of the cheap model's own price; what is left is architecture.

    Parameters (broadcast): as by_host_price; host_multiple, above 0. Returns: PriceRatio. Errors: ValueError.
    """
    require_positive("host multiple", host_multiple)
    require_positive("cheap price", cheap_usd_per_mtok)
    host = np.asarray(cheap_usd_per_mtok, dtype=float) * np.asarray(host_multiple, dtype=float)
    return by_host_price(dear_usd_per_mtok, cheap_usd_per_mtok, gross_margin, host)


def _margin(gross_margin: Any) -> np.ndarray:
    margin = np.asarray(gross_margin, dtype=float)
    require(np.isfinite(margin) & (margin < 1), "gross margin", margin, "below 1")
    return margin
