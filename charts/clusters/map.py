"""Where clusters stand: marks sized by their level on a map drawn from shipped shapes."""

from __future__ import annotations

import datetime
import math
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import (
    OPTIONS,
    QUANTITIES,
    QuantityName,
    SelectionParams,
    credit,
    facts_of,
    nothing,
    quantity,
    source_facts,
    unheard,
    voice_words,
    with_facts,
)
from charts.look import Look
from charts.params import choice, day, flag
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import clusters, world
from data.snapshot import Snapshot

# Longitude and latitude drawn, and the resolution of the shapes (1:110m, or 1:50m close up).
FRAMES: dict[str, tuple[tuple[float, float], tuple[float, float], int]] = {
    "world": ((-165, 178), (-42, 72), 110),
    "us": ((-126, -66), (24, 50), 50),
    "europe": ((-13, 34), (35, 67), 50),
    "east": ((65, 150), (-5, 50), 50),
}
LARGEST_PX = 44
MOST_MARKS = 400


class Params(SelectionParams):
    """What is mapped, where, when."""

    frame: Literal["world", "us", "europe", "east"] = choice(
        "world",
        label="Region",
        help="part of the world drawn",
        labels={"world": "World", "us": "United States", "europe": "Europe", "east": "Asia"},
    )
    quantity: QuantityName = quantity()
    on: datetime.date | None = day(None, label="As of", help="the day the levels are taken at; today when empty")
    plans: bool = flag(True, label="Plans too", help="show what is planned, hollow")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a site with a place: value seen or planned, coordinates, user; the level planned last where nothing runs."""
    on = pd.Timestamp(params.on or snapshot.today)
    rows = clusters.selected(snapshot, params.selection())
    now = clusters.latest(rows, params.quantity, on).assign(planned=False)
    if params.plans:
        later = clusters.latest(rows, params.quantity, pd.Timestamp("2100-01-01"), planned=True).assign(planned=True)
        now = pd.concat([now, later[~later["cluster_id"].isin(now["cluster_id"])]], ignore_index=True)
    now = now.drop_duplicates("cluster_id")
    placed = now.dropna(subset=["latitude", "longitude"])
    kept = ["cluster_id", "name", "user_name", "country", "latitude", "longitude", "value", "planned", "rung", "source", "as_of"]
    out = placed[kept].rename(columns={"user_name": "user"}).sort_values(["value", "cluster_id"], ascending=[False, True], kind="stable")
    unplaced = sorted(set(now["name"]) - set(placed["name"]))
    place = np.where(out["planned"].astype(bool), "planned ", "") + out["country"].fillna("").astype(object)
    facts = source_facts(params, snapshot, rows) | {
        "on": on.date().isoformat(),
        "world": world.coverage(snapshot, params.quantity, float(out.loc[~out["planned"].astype(bool), "value"].sum()), snapshot.today),
        "unplaced": unplaced[:5],
        "unplaced_count": len(unplaced),
        "running": int((~out["planned"].astype(bool)).sum()),
        "planned": int(out["planned"].astype(bool).sum()),
        "countries": {str(name): float(v) for name, v in out["value"].groupby(place).sum().items()},
    }
    return with_facts(out.head(MOST_MARKS).reset_index(drop=True), facts)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: the country with most, and its share."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    if table.empty:
        empty, way_out = nothing(params, a, q.noun, "No site has both a level and a place.")
        return Words("Nothing to place on the map", empty=empty, way_out=way_out | {"on": None, "frame": "world"}, credit=credit(a))
    seen = table[~table["planned"].astype(bool)]
    base = seen if len(seen) else table
    state, prefix = ("seen running", "") if a["running"] else ("planned", "planned ")
    sums = {name.removeprefix(prefix): v for name, v in a["countries"].items() if name.startswith("planned ") == bool(prefix)}
    by_country = pd.Series(sums, dtype=float).sort_values(ascending=False, kind="stable")
    share = by_country.iloc[0] / by_country.sum()
    finding = f"{by_country.index[0]} holds {100 * share:.0f} % of the {q.noun} {state} at sites with a place"
    subtitle = (
        f"{q.label} as of {numbers.date(a['on'])}, {voice_words(a)}: {a['running']} sites running (filled)"
        + (f", {a['planned']} only planned (hollow)" if params.plans else "")
        + f". Area of a mark: {q.noun}."
        + (f" Only {a['filters']}." if a["filters"] else "")
    )
    notes = ["Places are right to 1 to 5 km at best."]
    if a["unplaced"]:
        more = a["unplaced_count"] - len(a["unplaced"])
        notes.append(f"Without a place, so not drawn: {numbers.listed(a['unplaced'], 5)}{f' and {more:,} more' if more else ''}.")
    if a["running"] + a["planned"] > len(table):
        notes.append(f"The {len(table)} largest are drawn; shares count all.")
    top = numbers.listed([f"{r['name']} in {r['country']}, {q.write(r['value'])}" for _, r in base.head(3).iterrows()])
    return Words(finding, subtitle, f"Map of sites by {q.noun}. Largest: {top}. {finding}.", a.get("world", ""), credit(a), tuple(notes))


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Marks on shapes; the largest are named."""
    t, q = tokens(look), QUANTITIES[params.quantity]
    fig = new_figure(look, height_px=look.height(), margin={"l": 0, "r": 0, "t": 8, "b": 0})
    lon, lat, resolution = FRAMES[params.frame]
    fig.update_geos(
        projection_type="natural earth" if params.frame == "world" else "mercator",
        lonaxis_range=lon, lataxis_range=lat, resolution=resolution,
        showland=True, landcolor=t["panel"], showocean=False, showlakes=False, countrycolor=t["border"], coastlinecolor=t["axis"],
        showcountries=True, showframe=False, bgcolor="rgba(0,0,0,0)", showsubunits=params.frame == "us", subunitcolor=t["border"],
    )  # fmt: skip
    if table.empty:
        fig.add_scattergeo(lon=[], lat=[])
        return fig
    biggest = float(table["value"].max())
    size = (LARGEST_PX * (0.6 if look.phone else 1)) * np.sqrt(table["value"] / biggest)
    inside = table["longitude"].between(*lon) & table["latitude"].between(*lat)
    named = _apart(table[inside], lon, lat, 4 if look.phone else 10)
    for planned in (True, False):
        own = table[table["planned"].astype(bool) == planned]
        if own.empty:
            continue
        fig.add_scattergeo(
            lon=own["longitude"], lat=own["latitude"], mode="markers", customdata=own["cluster_id"].tolist(),
            text=[_hover(r, q.write(r["value"])) for _, r in own.iterrows()],
            hovertemplate="%{text}<extra></extra>",
            marker={
                "size": size[own.index].clip(lower=4), "sizemode": "diameter", "opacity": 0.85,
                "line": {"color": t["blue"], "width": 1.3}, "color": "rgba(0,0,0,0)" if planned else t["blue"],
            },
        )  # fmt: skip
    own = table.loc[named]
    fig.add_scattergeo(
        lon=own["longitude"], lat=own["latitude"], mode="text", hoverinfo="skip",
        text=[_clear(float(size[i])) + as_text(str(n).split(" (")[0], 22) for i, n in own["name"].items()], textposition="middle right",
        textfont={"size": 10 if look.phone else 11, "color": t["ink"]},
    )  # fmt: skip
    return fig


def _apart(table: pd.DataFrame, lon: tuple[float, float], lat: tuple[float, float], most: int) -> list[int]:
    """The largest sites whose names do not run into each other."""
    wide, high = (lon[1] - lon[0]) / 8, (lat[1] - lat[0]) / 22
    kept: list[int] = []
    for i, row in table.iterrows():
        near = (
            abs(table.at[k, "longitude"] - row["longitude"]) < wide and abs(table.at[k, "latitude"] - row["latitude"]) < high for k in kept
        )
        if len(kept) < most and not any(near):
            kept.append(int(i))  # type: ignore[call-overload]
    return kept


def _clear(size_px: float) -> str:
    """Spaces as wide as half a mark: a name starts beside its mark, not on it."""
    return "\u2002" * math.ceil(size_px / 2 / 5.5)


def _hover(row: pd.Series, written: str) -> str:
    return f"{as_text(row['name'])}: {written}{', planned' if row['planned'] else ''}<br>{as_text(row['user'])}"


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The largest sites on the map."""
    shown = table(params, snapshot)
    if shown.empty:
        return Receipt(assumptions=("No site has both a level and a place.",))
    q, first = QUANTITIES[params.quantity], shown.iloc[0]
    line = looked_up(f"{q.label}, {first['name']}", float(first["value"]), q.unit, str(first["source"]))
    rows = [input_row(r, f"{r['name']}{' (planned)' if r['planned'] else ''}", q.write(r["value"])) for _, r in shown.head(10).iterrows()]
    shapes = "Shapes: Natural Earth, public domain, as plotly ships them; nothing is fetched from outside."
    return Receipt((line,), rows, (shapes,), ("Places are right to 1 to 5 km at best.", age_note(shown["as_of"].tolist(), snapshot.today)))


CHART = register(
    Chart(
        id="clusters.map",
        page="clusters",
        title="Map of sites",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        idle=unheard,
        options=OPTIONS,
        presets=(
            Preset("us", "United States", {"frame": "us"}),
            Preset("google", "Google's sites", {"frame": "us", "owners": ("Google",)}, claim="C9"),
        ),
        heights=(560, 320),
    )
)
