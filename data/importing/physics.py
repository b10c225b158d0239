"""Do the figures of an upload make sense together, and is a new cluster one the store knows under another name?"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from data.importing.diff import is_derived
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
    found: list[str] = []
    columns = ["cluster_id", "chip_count", "power_mw", "site_power_mw", "capex_usd", "count_basis", "power_basis", "capex_basis", "_line"]
    used = frame[columns]
    some = used["power_mw"].notna() | used["site_power_mw"].notna() | used["capex_usd"].notna()
    first = frame.duplicated(["cluster_id", "phase", "source", "as_of", "online_date"], keep=False).to_numpy()
    for row, several in zip(used[some].to_dict("records"), first[some.to_numpy()]):
        found += [f"line {row['_line']}, {row['cluster_id']}: {sentence}" for sentence in _row(row, bool(several))]
        if len(found) >= LISTED:
            return [*found[:LISTED], "more rows than these have figures that do not fit together"]
    return found


def _row(row: dict[Any, Any], several_chips: bool) -> list[str]:
    count, power, site, cost = (row[name] for name in ("chip_count", "power_mw", "site_power_mw", "capex_usd"))
    own_count, own_power = not is_derived(row, "chip_count"), not is_derived(row, "power_mw")
    own_cost = not is_derived(row, "capex_usd")
    said: list[str] = []
    machine = power if not np.isnan(power) else site
    kind = "IT" if not np.isnan(power) else "site"
    if count > 0 and machine > 0 and own_count and own_power and not several_chips:
        watts = machine * 1e6 / count
        low, high = WATTS_PER_CHIP[0], WATTS_PER_CHIP[1] * (1.0 if kind == "IT" else SITE_OVER_IT[1])
        if not low <= watts <= high:
            said.append(
                f"{machine:g} MW of {kind} power for {count:,.0f} chips implies {watts:,.0f} W a chip (usual: {low:,.0f} to {high:,.0f} W)"
            )
    if count > 0 and cost > 0 and own_count and own_cost and not several_chips:
        each = cost / count
        if not USD_PER_CHIP[0] <= each <= USD_PER_CHIP[1]:
            said.append(f"${cost / 1e6:,.0f}M for {count:,.0f} chips implies ${each:,.0f} a chip (usual: $10,000 to $120,000)")
    if machine > 0 and cost > 0 and own_power and own_cost:
        each = cost / machine
        if not USD_PER_MW[0] <= each <= USD_PER_MW[1]:
            said.append(f"${cost / 1e6:,.0f}M for {machine:g} MW of {kind} power implies ${each / 1e6:,.3g}M per MW (usual: $5M to $80M)")
    if power > 0 and site > 0 and own_power and site > power and site / power > SITE_OVER_IT[1]:
        said.append(f"site power over IT power is {site / power:.2f} (usual: 1.0 to 1.6)")
    return said


def same_sites(frame: pd.DataFrame, existing: pd.DataFrame) -> list[str]:
    """Return questions about new clusters that may be known ones under another name: near by place and alike by name or owner."""
    known = existing.drop_duplicates("cluster_id")
    new = frame[~frame["cluster_id"].isin(known["cluster_id"])].drop_duplicates("cluster_id")
    if not len(new) or not len(known):
        return []
    folded = {str(row.cluster_id): _words(str(row.name_ or row.cluster_id)) for row in known.rename(columns={"name": "name_"}).itertuples()}
    said: list[str] = []
    places = known[["latitude", "longitude"]].to_numpy(dtype=float)
    owners = [fold(str(owner or "")) for owner in known["owner"]]
    ids = known["cluster_id"].to_numpy()
    names = dict(zip(known["cluster_id"], known["name"]))
    for row in new.head(5_000).to_dict("records"):
        found = None
        if not np.isnan(row["latitude"]) and not np.isnan(row["longitude"]):
            distance = np.hypot(places[:, 0] - row["latitude"], (places[:, 1] - row["longitude"]) * np.cos(np.radians(row["latitude"])))
            near = [int(position) for position in np.flatnonzero(distance < SAME_PLACE_DEGREES)]
            owner = fold(str(row["owner"] or row["operator"] or ""))
            alike = [
                position for position in near if fuzz.token_set_ratio(_words(str(row["name"] or "")), folded[str(ids[position])]) >= 60
            ]
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
                _words(str(row["name"] or row["cluster_id"])), folded, scorer=fuzz.token_sort_ratio, score_cutoff=NAME_LIKENESS
            )
            match = str(best[2]) if best else None
        if match:
            own = row["cluster_id"]
            said.append(
                f'is "{row["name"] or own}" ({own}) the same site as "{names[match]}" ({match}) under another name? '
                f"The answer same:{own} = {match} stores it there"
            )
        if len(said) >= LISTED:
            break
    return said


def _words(name: str) -> str:
    """Return a name without words every cluster has and without the number's sign."""
    return " ".join(
        re.sub(r"\b(?:data ?cent(?:er|re)|cluster|supercomputer|campus|site|project|ai|the|phase)\b", " ", fold(name)).split()
    ) or fold(name)
