"""How a synchronous training run swings a site's power, and what flattening the swing takes: storage, dummy work, a floor."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.clusters import swings
from charts import numbers
from charts.clusters import swings_figure
from charts.clusters.choices import facts_of, with_facts
from charts.params import ChartParams, choice, number
from charts.receipt import Receipt, age_note, assumed, input_row, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries import cluster_models
from data.queries.chips import records
from data.snapshot import Snapshot

SHOWN_STEPS = 3
FLOORS = 61
LIMITS = ("swing_band", "rack_storage_cut", "ercot_load_loss", "llama3_swing")


class Params(ChartParams):
    """Chips that compute and exchange together, their two levels of power, and the means of flattening."""

    show: Literal["time", "floor", "spectrum"] = choice(
        "time",
        label="Show",
        help="power over a few steps; what a floor leaves and costs; or at which frequencies the swing sits",
        labels={"time": "Over time", "floor": "By floor", "spectrum": "By frequency"},
    )
    chips: int = number(100_000, ge=1, le=10_000_000, label="Chips", help="chips in step", log=True)
    compute_w: float = number(1_300, ge=1, le=20_000, label="Computing", help="all-in IT power a chip while computing", unit="W", step=10)
    exchange_w: float = number(500, ge=0, le=20_000, label="Exchanging", help="all-in IT power a chip while exchanging", unit="W", step=10)
    duty: float = number(0.8, ge=0.01, le=0.99, label="Computing share", help="share of a step that computes", step=0.01)
    step_s: float = number(10, ge=0.05, le=600, label="Step", help="seconds from one exchange to the next", unit="s", log=True)
    edge_s: float = number(
        0.1, ge=0.001, le=60, label="Edge", help="seconds the load takes from one level to the other", unit="s", log=True
    )
    floor_w: float = number(900, ge=0, le=20_000, label="Floor", help="all-in IT power a chip is not let fall below", unit="W", step=10)
    usd_per_mwh: float = number(70, ge=0, le=2_000, label="Electricity", help="price of the energy dummy work burns", unit="$/MWh", step=5)
    round_trip: float = number(0.9, ge=0.1, le=1, label="Round trip", help="energy out of the store over energy in", step=0.01)
    depth: float = number(0.8, ge=0.05, le=1, label="Depth", help="share of the store that may be used", step=0.01)
    limit_mw: float = number(0, ge=0, le=10_000, label="Allowed swing", help="your utility's; 0 for none", unit="MW", step=5)
    limit_mw_per_s: float = number(0, ge=0, le=10_000, label="Allowed ramp", help="your utility's; 0 for none", unit="MW/s", step=0.5)


def _flat(params: Params, floor_w: Any = None) -> swings.Flattening:
    return swings.flattening(
        params.chips, params.compute_w, params.exchange_w, params.duty, params.step_s, edge_s=params.edge_s, floor_w=floor_w,
        usd_per_mwh=params.usd_per_mwh, round_trip=params.round_trip, depth=params.depth,
    )  # fmt: skip


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Power over time by way of flattening; or swing, energy and dollars by floor; or amplitude by frequency."""
    flat = _flat(params)
    at_floor = _flat(params, params.floor_w) if params.exchange_w <= params.floor_w <= params.compute_w else None
    facts: dict[str, Any] = {name: float(value) for name, value in vars(flat).items()} | {"today": snapshot.today.isoformat()}
    facts["floor"] = None if at_floor is None else {"swing_mw": float(at_floor.floor_swing_mw), "share": float(at_floor.floor_share)}
    facts["floor_usd_per_year"] = None if at_floor is None else float(at_floor.floor_usd_per_year)
    facts["stop_s"] = facts["high_mw"] / params.limit_mw_per_s if params.limit_mw_per_s else None
    facts["stop_kwh"] = float(swings.ramp_energy_kwh(flat.high_mw, facts["stop_s"])) if params.limit_mw_per_s else None
    facts["limits"] = [
        {
            k: (None if isinstance(row[k], float) and row[k] != row[k] else row[k])
            for k in ("param_id", "description", "low", "high", "unit", "source")
        }
        for row in cluster_models.parameters(snapshot, *LIMITS)
    ]
    draw = {"time": _over_time, "floor": _by_floor, "spectrum": _by_frequency}[params.show]
    return with_facts(draw(params, facts), facts)


def _over_time(params: Params, facts: dict[str, Any]) -> pd.DataFrame:
    # Edges are drawn upright: each level from its first to its last instant.
    starts = np.arange(SHOWN_STEPS)[:, None] + np.array([0.0, params.duty, params.duty, 1.0])
    mean, high = facts["mean_mw"], facts["high_mw"]
    levels = {"raw": facts["low_mw"], "floor": params.chips * params.floor_w / 1e6 if facts["floor"] else None}
    rows = []
    for way, low in levels.items():
        if low is None:
            continue
        mw = np.tile([high, high, low, low], SHOWN_STEPS)
        rows.append(pd.DataFrame({"way": way, "seconds": starts.ravel() * params.step_s, "mw": mw}))
    for way, level in (("dummy", high), ("storage", mean)):
        rows.append(pd.DataFrame({"way": way, "seconds": [0.0, SHOWN_STEPS * params.step_s], "mw": [level, level]}))
    return pd.concat(rows, ignore_index=True)


def _by_floor(params: Params, facts: dict[str, Any]) -> pd.DataFrame:
    floors = np.linspace(params.exchange_w, params.compute_w, FLOORS)
    flat = _flat(params, floors)
    return pd.DataFrame(
        {
            "floor_w": floors,
            "swing_left_mw": flat.floor_swing_mw,
            "extra_energy_share": flat.floor_share,
            "extra_mwh_per_year": flat.floor_mwh_per_year,
            "extra_usd_per_year": flat.floor_usd_per_year,
        }
    )


def _by_frequency(params: Params, facts: dict[str, Any]) -> pd.DataFrame:
    frequency, amplitude = swings.harmonics(facts["swing_mw"], params.duty, params.step_s, 40)
    return pd.DataFrame({"frequency_hz": frequency, "amplitude_mw": amplitude})


def _energy(mj: float) -> str:
    kwh = mj / 3.6
    return f"{kwh / 1e3:.3g} MWh" if kwh >= 1000 else f"{kwh:.3g} kWh" if kwh >= 1 else f"{mj * 1e3:.3g} kJ"


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: how far power swings, and what hiding it takes."""
    a = facts_of(table)
    finding = (
        f"{numbers.chips(params.chips)} chips in step swing {numbers.power(a['swing_mw'])} every {numbers.seconds(params.step_s)}; "
        f"storage of {numbers.power(a['buffer_mw'])} and {_energy(a['buffer_mj'])} would flatten it, dummy work {numbers.share(a['dummy_share'])} more energy"
    )
    subtitle = {
        "time": f"IT power over {SHOWN_STEPS} steps, MW: {params.compute_w:,.0f} W a chip computing, {params.exchange_w:,.0f} W exchanging.",
        "floor": "What a floor under each chip's power leaves of the swing, MW, against the energy it adds, % of the mean.",
        "spectrum": "Amplitude of the rectangular wave by frequency, MW, log scales; shaded: frequencies utilities limit, as published.",
    }[params.show]
    notes = [
        f"Ramp: {numbers.power(a['swing_mw'])} in {numbers.seconds(params.edge_s)} is {a['ramp_mw_per_s']:,.3g} MW/s.",
        f"Dummy work burns {numbers.plain(round(a['dummy_mwh_per_year']))} MWh a year, {numbers.dollars(a['dummy_usd_per_year'])} at ${params.usd_per_mwh:g}/MWh.",
    ]
    if a["floor"]:
        notes.append(
            f"A floor of {params.floor_w:,.0f} W leaves {numbers.power(a['floor']['swing_mw'])} of swing for {numbers.share(a['floor']['share'])} more energy, "
            f"{numbers.dollars(a['floor_usd_per_year'])} a year."
        )
    else:
        notes.append(
            f"The floor of {params.floor_w:,.0f} W lies outside the two levels, {params.exchange_w:,.0f} to {params.compute_w:,.0f} W: it is not drawn."
        )
    notes += _limit_notes(params, a)
    alt = f"Power of {params.chips:,} chips between {numbers.power(a['low_mw'])} and {numbers.power(a['high_mw'])}. {finding}."
    return Words(finding, subtitle, alt, "", "Ridgepoint model of a rectangular wave", tuple(notes))


def _limit_notes(params: Params, a: dict[str, Any]) -> list[str]:
    out = []
    if params.limit_mw:
        verdict = "keeps within" if a["swing_mw"] <= params.limit_mw else f"is {a['swing_mw'] / params.limit_mw:.1f} times"
        out.append(f"The bare swing {verdict} the {numbers.power(params.limit_mw)} you allow.")
    if params.limit_mw_per_s:
        verdict = (
            "keeps within" if a["ramp_mw_per_s"] <= params.limit_mw_per_s else f"is {a['ramp_mw_per_s'] / params.limit_mw_per_s:,.0f} times"
        )
        out.append(
            f"The bare ramp {verdict} the {params.limit_mw_per_s:g} MW/s you allow; a job that stops needs {numbers.seconds(a['stop_s'])} and "
            f"{numbers.plain(round(a['stop_kwh']))} kWh of storage to come down."
        )
    known = {row["param_id"]: row for row in a["limits"]}
    if "llama3_swing" in known:
        out.append(f"{known['llama3_swing']['source']}: {known['llama3_swing']['description']}.")
    if "swing_band" in known:
        band = known["swing_band"]
        inside = band["low"] <= 1 / params.step_s <= band["high"]
        out.append(
            f"The swing repeats at {1 / params.step_s:.3g} Hz, {'inside' if inside else 'its harmonics reach'} the {band['low']:g} to {band['high']:g} Hz "
            f"that utilities limit ({band['source']}). Megawatts and ramps are set in each site's own agreement: no general figure is published."
        )
    if "rack_storage_cut" in known:
        row = known["rack_storage_cut"]
        out.append(
            f"{row['description']} {numbers.share(row['high'])} ({row['source'].split(',')[0]}); flattening this wave cuts its peak by "
            f"{numbers.share(1 - a['mean_mw'] / a['high_mw'])}."
        )
    if "ercot_load_loss" in known:
        row = known["ercot_load_loss"]
        out.append(
            f"A job that stops drops {numbers.power(a['high_mw'])}; {row['description'][0].lower()}{row['description'][1:]}: {numbers.power(row['high'])} ({row['source']})."
        )
    return out


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Swing, mean, store and ramp with the reader's numbers; published limits and the claim."""
    flat = _flat(params)
    levels = {"chip_count": params.chips, "compute_w": params.compute_w, "exchange_w": params.exchange_w}
    lines = [
        worked(swings.swing_mw, **levels),
        worked(swings.mean_power_mw, **levels, duty=params.duty),
        worked(swings.buffer_energy_mj, swing_mw=float(flat.swing_mw), duty=params.duty, step_s=params.step_s),
        worked(
            swings.store_as_bought_mj,
            energy_mj=float(flat.buffer_mj) * params.round_trip * params.depth,
            round_trip=params.round_trip,
            depth=params.depth,
        ),
        worked(swings.dummy_energy_mwh, swing_mw=float(flat.swing_mw), duty=params.duty),
        worked(swings.ramp_mw_per_s, swing_mw=float(flat.swing_mw), edge_s=params.edge_s),
    ]
    if params.limit_mw_per_s:
        lines.append(worked(swings.ramp_energy_kwh, power_mw=float(flat.high_mw), ramp_s=float(flat.high_mw) / params.limit_mw_per_s))
    inputs = []
    for row in cluster_models.parameters(snapshot, *LIMITS):
        ends = [numbers.plain(row[k]) for k in ("low", "high") if row[k] == row[k]]
        inputs.append(input_row(row, str(row["description"]), " to ".join(ends), str(row["unit"])))
    inputs += [input_row(r, r["claim"], "stated") for r in records(snapshot.table("claims")) if r["claim_id"] == "C15"]
    inputs += [
        assumed("Power computing and exchanging", f"{params.compute_w:g} and {params.exchange_w:g}", "W a chip"),
        assumed("Share of a step that computes", numbers.share(params.duty)),
        assumed("Step and edge", f"{params.step_s:g} and {params.edge_s:g}", "s"),
    ]
    assumptions = (
        "Every chip changes level at once and the two levels are flat: a real run is rounder, so this is the worst case.",
        "The store makes good the difference to the mean; losses and unusable depth enlarge it as bought.",
    )
    errors = [
        "No metered swing of a whole cluster is published: the error is not known.",
        age_note([i.as_of for i in inputs if i.as_of], snapshot.today),
    ]
    return Receipt(lines, inputs, assumptions, [e for e in errors if e])


CHART = register(
    Chart(
        id="clusters.swings",
        page="clusters",
        title="Power swings of training",
        params=Params,
        table=table,
        figure=swings_figure.figure,
        receipt=receipt,
        words=words,
        presets=(
            Preset("llama-3", "“Tens of megawatts” at 16,384 GPUs", {"chips": 16_384, "compute_w": 1390.0, "step_s": 5.0}, claim="C15"),
            Preset("floor", "What a power floor costs", {"show": "floor"}),
            Preset("spectrum", "At which frequencies", {"show": "spectrum", "step_s": 2.0}),
        ),
        heights=(460, 400),
    )
)
