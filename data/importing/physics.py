"""Do the figures of an upload make sense together, and is a new cluster one the store knows under another name?"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from data.importing.diff import BASES
from data.importing.text import fold

LISTED = 200
# Outside these a claim is questioned. All-in power a chip: lowest and highest seen are 700 W (A100) and 2,600 W (GB200);
# dollars a chip 10k to 120k; dollars a MW of IT 20M to 70M (servers and site); site over IT power 1.0 to 1.6.
WATTS_PER_CHIP = (300.0, 3_000.0)
USD_PER_CHIP = (10_000.0, 120_000.0)
USD_PER_MW = (5e6, 80e6)
SITE_OVER_IT = (1.0, 1.6)
SAME_PLACE_DEGREES = 0.05
NAME_LIKENESS = 88


def implausible(frame: pd.DataFrame) -> list[str]:
    """Return sentences about rows whose figures do not fit together; a derived value is never evidence."""
    count, power, site, cost = (_own(frame, name) for name in ("chip_count", "power_mw", "site_power_mw", "capex_usd"))
    key = [name for name in ("cluster_id", "phase", "source", "as_of", "online_date") if name in frame]
    one_chip = ~frame.duplicated(key, keep=False).to_numpy()
    machine = np.where(np.isnan(power), site, power)
    kind = np.where(np.isnan(power), "site", "IT")
    with np.errstate(invalid="ignore", divide="ignore"):
        watts = np.where(one_chip & (count > 0), machine * 1e6 / count, np.nan)
        each = np.where(one_chip & (count > 0), cost / count, np.nan)
        per_mw = np.where(machine > 0, cost / machine, np.nan)
        overhead = np.where(power > 0, site / power, np.nan)
        top = WATTS_PER_CHIP[1] * np.where(kind == "IT", 1.0, SITE_OVER_IT[1])
        odd = {
            "watts": ((watts < WATTS_PER_CHIP[0]) | (watts > top)) & (machine > 0),
            "each": ((each < USD_PER_CHIP[0]) | (each > USD_PER_CHIP[1])) & (cost > 0),
            "per_mw": ((per_mw < USD_PER_MW[0]) | (per_mw > USD_PER_MW[1])) & (cost > 0),
            "overhead": overhead > SITE_OVER_IT[1],
        }
    rows = np.flatnonzero(odd["watts"] | odd["each"] | odd["per_mw"] | odd["overhead"])
    lines, ids = frame["_line"].to_numpy(), frame["cluster_id"].to_numpy()
    said: list[str] = []
    for row in rows[:LISTED]:
        begin = f"line {int(lines[row])}, {ids[row]}: "
        if odd["watts"][row]:
            said.append(
                f"{begin}{machine[row]:g} MW of {kind[row]} power for {count[row]:,.0f} chips implies {watts[row]:,.0f} W a chip "
                f"(usual: {WATTS_PER_CHIP[0]:,.0f} to {top[row]:,.0f} W)"
            )
        if odd["each"][row]:
            said.append(
                f"{begin}${cost[row] / 1e6:,.0f}M for {count[row]:,.0f} chips implies ${each[row]:,.0f} a chip (usual: $10,000 to $120,000)"
            )
        if odd["per_mw"][row]:
            said.append(
                f"{begin}${cost[row] / 1e6:,.0f}M for {machine[row]:g} MW of {kind[row]} power implies ${per_mw[row] / 1e6:,.3g}M per MW "
                "(usual: $5M to $80M)"
            )
        if odd["overhead"][row]:
            said.append(f"{begin}site power over IT power is {overhead[row]:.2f} (usual: 1.0 to 1.6)")
    if len(rows) > LISTED:
        said.append(f"{len(rows) - LISTED:,} more rows have figures that do not fit together")
    return said


def _own(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column without the values that were computed from others."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    values = frame[name].to_numpy(dtype=float)
    basis = frame.get(BASES[name])
    if basis is None or basis.isna().all():
        return values
    return np.where(basis.fillna("").astype(str).str.startswith("derived"), np.nan, values)


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
    for row in new.head(5_000).to_dict("records"):
        found = None
        if pd.notna(row["latitude"]) and pd.notna(row["longitude"]):
            distance = np.hypot(places[:, 0] - row["latitude"], (places[:, 1] - row["longitude"]) * np.cos(np.radians(row["latitude"])))
            near = [int(position) for position in np.flatnonzero(distance < SAME_PLACE_DEGREES)]
            owner = fold(_first(row["owner"], row["operator"]))
            alike = [position for position in near if fuzz.token_set_ratio(_words(_first(row["name"])), folded[str(ids[position])]) >= 60]
            found = next(iter(alike), None)
            if found is None and owner:
                found = next(
                    (position for position in near if owners[position] and fuzz.partial_ratio(owner, owners[position]) >= 90), None
                )
        match = None
        if found is not None:
            match = str(ids[found])
        else:
            best = process.extractOne(
                _words(_first(row["name"], row["cluster_id"])), folded, scorer=fuzz.token_sort_ratio, score_cutoff=NAME_LIKENESS
            )
            match = str(best[2]) if best else None
        if match:
            own = row["cluster_id"]
            said.append(SameSite(own, _first(row["name"], own), match, _first(names[match], match)))
        if len(said) >= LISTED:
            break
    return said


def _first(*texts: object) -> str:
    """Return the first text that is there, or an empty one."""
    return next((text for text in texts if isinstance(text, str) and text), "")


def _words(name: str) -> str:
    """Return a name without words every cluster has and without the number's sign."""
    return " ".join(
        re.sub(r"\b(?:data ?cent(?:er|re)|cluster|supercomputer|campus|site|project|ai|the|phase)\b", " ", fold(name)).split()
    ) or fold(name)
