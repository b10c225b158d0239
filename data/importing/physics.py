"""Do the figures of an upload make sense together, and is a new cluster one the store knows under another name?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from data import consistency
from data.importing.text import fold

LISTED = 200
SAME_PLACE_DEGREES = 0.05
NAME_LIKENESS = 88
MOST_PAIRS = 4_000_000  # names held against names at once

COMMON = re.compile(r"\b(?:data ?cent(?:er|re)|cluster|supercomputer|campus|site|project|ai|the|phase)\b")


def implausible(frame: pd.DataFrame, others: dict[tuple[str, str], consistency.Peers], chips: pd.DataFrame) -> list[str]:
    """Return sentences about rows whose figures do not fit together; a derived value is never evidence.

    `others`, from consistency.peers, is what clusters of the store show, beside which a figure is held; `chips`, the table
    of chips.
    """
    if not len(frame):
        return []
    said: list[str] = []
    odd = 0
    for row in consistency.ratios(frame, chips).to_dict("records"):
        found = consistency.questions({str(name): value for name, value in row.items()}, others)
        odd += bool(found)
        if odd <= LISTED:
            said += [f"line {int(row['_line'])}, {row['cluster_id']}: {_figures(name, row)} {sentence}" for name, sentence in found.items()]
    if odd > LISTED:
        said.append(f"{odd - LISTED:,} more rows have figures that do not fit together")
    return said


def _figures(name: str, row: dict[Any, Any]) -> str:
    """The figures that imply a ratio: "340 MW of IT power for 100,000 chips"."""
    told = {
        "it": f"{row['power_mw']:g} MW of IT power",
        "site": f"{row['site_power_mw']:g} MW of site power",
        "chips": f"{row['chip_count']:,.0f} chips",
        "usd": f"${row['capex_usd'] / 1e6:,.0f}M",
        "h100e": f"{row['h100e']:,.0f} H100e",
    }
    pairs = {
        "power_per_chip_w": ("it", "chips"), "site_power_per_chip_w": ("site", "chips"), "power_over_rated": ("it", "chips"),
        "capex_per_chip_usd": ("usd", "chips"), "capex_per_mw_usd": ("usd", "it"), "pue": ("site", "it"), "h100e_per_chip": ("h100e", "chips"),
    }  # fmt: skip
    return " for ".join(told[part] for part in pairs[name])


@dataclass(frozen=True)
class SameSite:
    """A new cluster that may be a known one under another name."""

    cluster_id: str
    name: str
    known_id: str
    known_name: str

    @property
    def sentence(self) -> str:
        return (
            f'is "{self.name}" ({self.cluster_id}) the same site as "{self.known_name}" ({self.known_id}) under another name? '
            f"The answer same:{self.cluster_id} = {self.known_id} stores it there"
        )


def same_sites(frame: pd.DataFrame, existing: pd.DataFrame) -> list[SameSite]:
    """Return new clusters that may be known ones under another name: near by place and alike by name or owner, or alike by name."""
    known = existing.drop_duplicates("cluster_id")
    new = frame[~frame["cluster_id"].isin(known["cluster_id"])].drop_duplicates("cluster_id")
    new = new.reindex(columns=["cluster_id", "name", "owner", "operator", "latitude", "longitude"]).astype(object)
    if not len(new) or not len(known):
        return []
    folded = {str(row.cluster_id): _words(str(row.name_ or row.cluster_id)) for row in known.rename(columns={"name": "name_"}).itertuples()}
    said: list[SameSite] = []
    places = known[["latitude", "longitude"]].to_numpy(dtype=float)
    owners = [fold(str(owner or "")) for owner in known["owner"]]
    ids = known["cluster_id"].to_numpy()
    names = dict(zip(known["cluster_id"], known["name"]))
    rows = new.head(5_000).to_dict("records")
    at_once = max(1, MOST_PAIRS // len(known))
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        for row, like in zip(part, _likest(part, list(folded.values()))):
            near = _near(row, places)
            owner = fold(_first(row["owner"], row["operator"]))
            alike = [place for place in near if fuzz.token_set_ratio(_words(_first(row["name"])), folded[str(ids[place])]) >= 60]
            found = next(iter(alike), None)
            if found is None and owner:
                found = next((place for place in near if owners[place] and fuzz.partial_ratio(owner, owners[place]) >= 90), None)
            if found is None:
                found = like
            if found is not None:
                own, match = row["cluster_id"], str(ids[found])
                said.append(SameSite(own, _first(row["name"], own), match, _first(names[match], match)))
            if len(said) >= LISTED:
                return said
    return said


def _near(row: dict[Any, Any], places: np.ndarray) -> list[int]:
    """Return the places (n, 2; degrees) next to that of a row; none where it has no place."""
    if pd.isna(row["latitude"]) or pd.isna(row["longitude"]):
        return []
    east = (places[:, 1] - row["longitude"]) * np.cos(np.radians(row["latitude"]))
    return [int(place) for place in np.flatnonzero(np.hypot(places[:, 0] - row["latitude"], east) < SAME_PLACE_DEGREES)]


def _likest(rows: list[dict[Any, Any]], known: list[str]) -> list[int | None]:
    """Return for each row which of the known names is most like its own; None where none is like it."""
    own = [_words(_first(row["name"], row["cluster_id"])) for row in rows]
    alike = process.cdist(own, known, scorer=fuzz.token_sort_ratio, score_cutoff=NAME_LIKENESS, workers=-1)
    return [int(best) if scores[best] else None for best, scores in zip(alike.argmax(axis=1), alike)]


def _first(*texts: object) -> str:
    """Return the first text that is there, or an empty one."""
    return next((text for text in texts if isinstance(text, str) and text), "")


def _words(name: str) -> str:
    """Return a name without words every cluster has and without the number's sign."""
    folded = fold(name)
    return " ".join(COMMON.sub(" ", folded).split()) or folded
