"""What more chips bring: time lost to failures and exchange, training over several sites, and the links from chip to region."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.clusters import goodput
from charts import numbers
from charts.clusters import scale_figure
from charts.clusters.choices import with_facts
from charts.params import ChartParams, choice, number
from charts.receipt import FormulaLine, InputRow, Receipt, age_note, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.words import Words
from data.queries import cluster_models
from data.snapshot import Snapshot

GRID = np.round(2 ** np.linspace(8, 21, 53))
DISTANCES = np.geomspace(1, 12_500, 49)
PERIODS = (1, 10, 100, 500)
LEVELS = {
    "onchip": "On chip", "hbm": "HBM", "node": "Node", "cluster": "Cluster", "campus": "Campus", "region": "Region",
}  # fmt: skip
CAMPUS_MILES = 1.0


class Params(ChartParams):
    """A job on so many chips: how often it fails, what saving costs, what it exchanges, over how many sites."""

    show: Literal["goodput", "sites", "hierarchy"] = choice(
        "goodput",
        label="Show",
        help="time that counts by chip count, training over several sites, or the links from chip to region",
        labels={"goodput": "Goodput", "sites": "Several sites", "hierarchy": "Hierarchy"},
    )
    chips: int = number(16_384, ge=2, le=10_000_000, label="Chips", help="chips of one synchronous job", log=True)
    owned: int = number(
        0, ge=0, le=10_000_000, label="Chips there are", help="chips of the whole cluster; 0 says nothing of them", unit="chips"
    )
    mtbf_hours: float = number(
        50_677.0,
        ge=10,
        le=100_000_000,
        label="Time between failures",
        help="mean, of one chip with its share of the rest",
        unit="GPU-hours",
        log=True,
    )
    checkpoint_s: float = number(
        60.0, ge=0.001, le=86_400, label="Checkpoint", help="seconds the job stands still for a checkpoint", unit="s"
    )
    restart_s: float = number(300.0, ge=0, le=1_000_000, label="Restart", help="seconds from a failure to running again", unit="s")
    interval_min: float = number(
        0.0, ge=0, le=100_000, label="Interval", help="minutes between checkpoints; 0 takes Young's optimum", unit="min"
    )
    fast_checkpoint_s: float = number(
        10.0, ge=0.001, le=86_400, label="Fast checkpoint", help="the second choice: a checkpoint in memory", unit="s"
    )
    fast_restart_s: float = number(
        120.0, ge=0, le=1_000_000, label="Fast restart", help="the second choice: a restart from spares", unit="s"
    )
    repair_hours: float = number(24.0, ge=0.01, le=10_000, label="Repair", help="hours a failed chip is away", unit="h")
    step_s: float = number(6.0, ge=0.001, le=100_000, label="Step", help="seconds a step computes on the chips asked about", unit="s")
    batch: Literal["fixed", "grows"] = choice(
        "fixed",
        label="Batch",
        help="the same for any count, or more with more chips",
        labels={"fixed": "Fixed batch", "grows": "Batch grows"},
    )
    exchange_gb: float = number(6.3, ge=0.001, le=100_000, label="Exchange", help="gradients each chip exchanges in a step", unit="GB")
    link_gb_s: float = number(50.0, ge=0.001, le=100_000, label="Link", help="cluster network a chip, each way", unit="GB/s")
    copy_chips: int = number(128, ge=1, le=1_000_000, label="Chips a copy", help="chips that hold one copy of the model", unit="chips")
    overlap: float = number(0.5, ge=0, le=1, label="Overlap", help="share of the exchange that hides behind computing", step=0.05)
    sites: int = number(2, ge=2, le=100, label="Sites", help="sites that train together")
    miles: float = number(30.0, ge=0.1, le=12_500, label="Distance", help="fibre between two sites", unit="miles", log=True)
    site_gbit_s: float = number(
        100_000.0, ge=0.1, le=100_000_000, label="Fibre", help="rate between two sites, each way", unit="Gbit/s", log=True
    )
    model_gb: float = number(810.0, ge=0.001, le=1_000_000, label="Model", help="gradients that sites exchange", unit="GB")
    steps_between: int = number(
        1, ge=1, le=100_000, label="Steps between", help="steps between exchanges of the sites", unit="steps", log=True
    )


def failing(params: Params, chips: Any, *, fast: bool = False) -> dict[str, np.ndarray]:
    """Goodput of one checkpoint choice over chip counts, by Daly's exact form, with Young's first order beside it."""
    c, r = (params.fast_checkpoint_s, params.fast_restart_s) if fast else (params.checkpoint_s, params.restart_s)
    interval = params.interval_min * 60 or None
    return goodput.daly_efficiency(chips, params.mtbf_hours, c, r, interval)


def exchanging(params: Params, chips: Any) -> np.ndarray:
    """Share of a step that computes over chip counts: the ring of model copies, less what hides."""
    n = np.asarray(chips, dtype=float)
    compute = params.step_s * params.chips / n if params.batch == "fixed" else params.step_s + 0 * n
    ring = goodput.exchange_s(params.exchange_gb * 1e9, np.maximum(n / params.copy_chips, 1), params.link_gb_s)
    return goodput.scaling_efficiency(compute, ring, params.overlap)


def _facts(params: Params) -> dict[str, Any]:
    """What the chips asked about get, and what twice as many would bring."""
    n = float(params.chips)
    own, fast = failing(params, n), failing(params, n, fast=True)
    kept = float(exchanging(params, 2 * n) / exchanging(params, n))
    choices: dict[str, Any] = {"mtbf_gpu_hours": params.mtbf_hours, "checkpoint_s": params.checkpoint_s, "restart_s": params.restart_s}
    choices["interval_s"] = params.interval_min * 60 or None
    useful = GRID * failing(params, GRID)["efficiency"] * exchanging(params, GRID)
    best = int(np.argmax(useful))
    return {name: float(own[name]) for name in ("efficiency", "mtbf_s", "interval_s", "first_order_loss")} | {
        "in_range": bool(own["in_range"]), "fast": float(fast["efficiency"]), "communication": float(exchanging(params, n)),
        "spares": float(goodput.spares(n, params.repair_hours, params.mtbf_hours)),
        "double_failures": float(goodput.doubling_gain(n, 1.0, **choices)), "double": float(goodput.doubling_gain(n, min(kept, 1.0), **choices)),
        "peak": float(GRID[best]) if best < len(GRID) - 1 else None,
    }  # fmt: skip


def idle(params: Params) -> frozenset[str]:
    """What one site, several sites or the hierarchy do not ask for."""
    far = {"sites", "miles", "site_gbit_s", "model_gb", "steps_between"}
    if params.show == "goodput":
        return frozenset(far)
    if params.show == "hierarchy":  # its notes tell what doubling brings
        return frozenset(far - {"miles"} | {"owned", "fast_checkpoint_s", "fast_restart_s", "repair_hours"})
    failures = {
        "chips", "owned", "mtbf_hours", "checkpoint_s", "restart_s", "interval_min", "fast_checkpoint_s", "fast_restart_s", "repair_hours", "batch",
        "exchange_gb", "link_gb_s", "copy_chips",
    }  # fmt: skip
    return frozenset(failures)


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Goodput by chip count and checkpoint choice; or efficiency by distance and steps between; or a row a level."""
    if params.show == "hierarchy":
        return _hierarchy(params, snapshot)
    if params.show == "sites":
        return _sites(params)
    parts = []
    counts = np.unique(np.append(GRID, float(params.chips)))
    for choice_name, fast in (("set", False), ("fast", True)):
        told = failing(params, counts, fast=fast)
        shared = exchanging(params, counts)
        parts.append(
            pd.DataFrame(
                {
                    "chips": counts,
                    "choice": choice_name,
                    "efficiency": told["efficiency"],
                    "first_order": 1 - told["first_order_loss"],
                    "in_range": told["in_range"],
                    "communication": shared,
                    "useful_chips": counts * told["efficiency"] * shared,
                }
            )  # fmt: skip
        )
    seen = cluster_models.parameters(snapshot, "llama3_goodput")
    facts = _facts(params) | {"published": float(seen[0]["low"]) if seen else None}
    return with_facts(pd.concat(parts, ignore_index=True), facts)


def _over(params: Params, miles: Any, steps: Any) -> dict[str, np.ndarray]:
    return goodput.several_sites(
        params.step_s, params.model_gb * 1e9, params.site_gbit_s, miles, params.sites, steps_between=steps, overlap=params.overlap
    )


def _sites(params: Params) -> pd.DataFrame:
    periods = sorted({*PERIODS, params.steps_between})
    miles, steps = np.meshgrid(np.unique(np.append(DISTANCES, params.miles)), periods)
    told = _over(params, miles, steps)
    out = pd.DataFrame({"steps": steps.ravel(), "miles": miles.ravel(), **{name: v.ravel() for name, v in told.items()}})
    here = _over(params, params.miles, params.steps_between)
    every = _over(params, params.miles, 1)
    return with_facts(out, {name: float(v) for name, v in here.items()} | {"every_step": float(every["efficiency"])})


def _hierarchy(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    rows = {row["param_id"]: row for row in cluster_models.parameters(snapshot, *_hierarchy_ids())}
    out = []
    for level, label in LEVELS.items():
        band = rows.get(f"hierarchy_{level}")
        if band is None:
            continue
        late = rows.get(f"hierarchy_{level}_latency")
        miles = {"campus": CAMPUS_MILES, "region": params.miles}.get(level)
        travel = float(goodput.one_way_s(miles)) if miles else float("nan")
        latency = float(late["value"]) * 1e-6 if late else travel
        span = [float(late[k]) * 1e-6 if late else float("nan") for k in ("low", "high")]
        basis = str(late["description"]) if late else f"light in {miles:g} miles of fibre"
        out.append([level, label, float(band["value"]), latency, *span, str(band["description"]), basis, band["rung"], band["source"]])
    columns = ["level", "label", "tb_per_s", "latency_s", "latency_low_s", "latency_high_s", "what", "latency_basis", "rung", "source"]
    return with_facts(pd.DataFrame(out, columns=columns), _facts(params))


def _hierarchy_ids() -> list[str]:
    return [f"hierarchy_{level}{what}" for level in LEVELS for what in ("", "_latency")]


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding of the picture chosen, with the doubling and the form used."""
    if table.empty:
        return Words("No level on record", empty="The store holds no bandwidth of any level.", way_out={"show": "goodput"})
    return {"goodput": _goodput_words, "sites": _site_words, "hierarchy": _level_words}[params.show](table, params)


def _goodput_words(table: pd.DataFrame, params: Params) -> Words:
    a = table.attrs
    finding = (
        f"On {params.chips:,} chips {numbers.share(a['efficiency'])} of the time counts: a failure every {numbers.seconds(a['mtbf_s'])}; "
        f"twice the chips bring {a['double']:.2f} times the useful work"
    )
    subtitle = (
        f"Share of wall time on work that is kept, by chips of one synchronous job (log). Checkpoint {params.checkpoint_s:g} s, restart "
        f"{params.restart_s:g} s; second line {params.fast_checkpoint_s:g} s and {params.fast_restart_s:g} s. Solid: exact (Daly); dashed: Young's first order."
    )
    first = 1 - a["first_order_loss"]
    notes = []
    if a["in_range"]:
        notes.append(
            f"Young's first order gives {numbers.share(first)} here, within its range (a loss under 30 %); the exact form is used."
        )
    else:
        notes.append(
            f"Young's first order is past its range here: it would lose {numbers.share(a['first_order_loss'])} of the time. The exact form is used."
        )
    notes.append(
        f"Doubling: failures alone {a['double_failures']:.2f}×; with the exchange of a {'fixed' if params.batch == 'fixed' else 'growing'} batch {a['double']:.2f}×. "
        "Llama 3 405B, 8,192 to 16,384 GPUs: 1.86× by its paper's table."
    )
    if a["peak"]:
        notes.append(f"Past about {numbers.count(a['peak'])} chips more of them bring less useful work with these settings.")
    stand_by = f"{a['spares']:,.0f} chips are away for repair on average, in whole nodes of 8: spares to stand by."
    if params.owned:
        stand_by += (
            f" Of {params.owned:,} chips the job leaves {params.owned - params.chips:,} out."
            if params.owned >= params.chips
            else f" The job asks for more than the {params.owned:,} chips there are."
        )
    notes.append(stand_by)
    if a["published"]:
        notes.append(f"Ring: the Llama 3 paper reports more than {numbers.share(a['published'])} effective time on 16,384 GPUs.")
    alt = f"Lines falling with chip count. {finding}. With the second choice {numbers.share(a['fast'])}."
    return Words(finding, subtitle, alt, "", "Daly 2006; failure rate: Llama 3 paper (arXiv 2407.21783)", tuple(notes))


def _site_words(table: pd.DataFrame, params: Params) -> Words:
    a = table.attrs
    often = "every step" if params.steps_between == 1 else f"every {params.steps_between:,} steps"
    finding = (
        f"{numbers.in_words(params.sites).capitalize()} sites {params.miles:g} miles apart that exchange {often} keep {numbers.share(a['efficiency'])} of their "
        f"time: an exchange takes {numbers.seconds(a['exchange_s'])}, light there and back {a['round_trip_ms']:.3g} ms"
    )
    subtitle = (
        f"Share of a step that computes, by distance (log). {numbers.number_of_bytes(params.model_gb * 1e9)} of gradients over {params.site_gbit_s:,g} Gbit/s, "
        f"steps of {params.step_s:g} s, {numbers.share(params.overlap)} of the exchange hidden. A line for each number of steps between exchanges."
    )
    notes = [
        "Distance adds the travel of light in fibre, 204,000 km/s, at every hop of the ring; the rate of the fibre sets the rest.",
        f"Exchanging every step the sites would keep {numbers.share(a['every_step'])}. Fewer exchanges change what is learnt; that loss is not modelled.",
    ]
    alt = f"Lines of efficiency by distance. {finding}."
    return Words(finding, subtitle, alt, "", "Ring all-reduce: Patarasuk and Yuan 2009; the settings are yours", tuple(notes))


def _level_words(table: pd.DataFrame, params: Params) -> Words:
    first, last = table.iloc[0], table.iloc[-1]
    steps = table["tb_per_s"].to_numpy()[:-1] / table["tb_per_s"].to_numpy()[1:]
    finding = (
        f"From {first['label'].lower()} to {last['label'].lower()} a chip's bandwidth falls {first['tb_per_s'] / last['tb_per_s']:,.0f}-fold, by "
        f"{steps.min():.1f} to {steps.max():.0f} times a level"
    )
    subtitle = (
        "Left: bandwidth a chip; right: latency; both log. H100 generation. Filled: stated by a maker or paper; hollow: an order of magnitude or worked out. "
        f"Campus and region: light in {CAMPUS_MILES:g} and {params.miles:g} miles of fibre."
    )
    a = table.attrs
    notes = [
        f"Each level is slower, so doubling chips brings less than double: {a['double']:.2f}× at {params.chips:,} chips with the settings of the goodput picture.",
        "NVLink's figure counts both directions, the network's one; the region's is 100 Tbit/s shared by 100,000 chips, an assumption.",
    ]
    told = "; ".join(
        f"{r['label']} {numbers.number_of_bytes(r['tb_per_s'] * 1e12)}/s, {numbers.seconds(r['latency_s'])}" for _, r in table.iterrows()
    )
    return Words(finding, subtitle, f"{finding}. {told}.", "", numbers.listed(dict.fromkeys(table["source"]), 3), tuple(notes))


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Failure, interval and exact efficiency with the reader's numbers; the exchange; the rows of published figures."""
    n = float(params.chips)
    mtbf = float(goodput.job_mtbf_s(params.mtbf_hours, n))
    interval = params.interval_min * 60 or float(goodput.young_interval_s(params.checkpoint_s, mtbf))
    timing = {"interval_s": interval, "checkpoint_s": params.checkpoint_s, "restart_s": params.restart_s, "mtbf_s": mtbf}
    lines: list[FormulaLine] = []
    ids: list[str] = []
    if params.show == "goodput":
        lines.append(worked(goodput.job_mtbf_s, mtbf_gpu_hours=params.mtbf_hours, chips=n))
        if not params.interval_min:
            lines.append(worked(goodput.young_interval_s, checkpoint_s=params.checkpoint_s, mtbf_s=mtbf))
        lines += [worked(goodput.exact_efficiency, **timing), worked(goodput.first_order_loss, **timing)]
        a = _facts(params)
        lines.append(looked_up("Share of a step that computes", a["communication"], "", "step over step and exchange in sight"))
        lines.append(looked_up("Twice the chips", a["double"], "× useful work", "2 × efficiency after over before, failures and exchange"))
        ids = ["llama3_mtbf_gpu_h", "llama3_goodput", "doubling_gain", "doubling_gain_llama3"]
    if params.show == "sites":
        told = _over(params, params.miles, params.steps_between)
        lines.append(worked(goodput.one_way_s, miles=params.miles))
        lines.append(
            looked_up("Exchange between sites", float(told["exchange_s"]), "s", "the ring all-reduce over the fibre's rate and travel")
        )
        lines.append(looked_up("Share of time that computes", float(told["efficiency"]), "", "steps over steps and the exchange in sight"))
        ids = ["google_site_distance", "hierarchy_region"]
    if params.show == "hierarchy":
        lines += [worked(goodput.one_way_s, miles=miles) for miles in (CAMPUS_MILES, params.miles)]
        ids = _hierarchy_ids()
    rows = cluster_models.parameters(snapshot, *ids)
    inputs: list[InputRow] = [input_row(row, str(row["description"]), _value(row), str(row["unit"])) for row in rows]
    settings = {
        "goodput": ("checkpoint_s", "restart_s", "step_s", "exchange_gb", "link_gb_s", "overlap"),
        "sites": ("step_s", "model_gb", "site_gbit_s", "overlap"),
    }
    for name in settings.get(params.show, ()):
        field = Params.model_fields[name]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        inputs.append(assumed(str(extra["label"]), f"{getattr(params, name):g}", str(extra["unit"])))
    errors = {
        "goodput": "Failures are taken as independent and exponential; the one published check is Llama 3's more than 90 % with the second choice's timing.",
        "sites": "No published run over several sites gives these figures together, so no error is known.",
        "hierarchy": "Orders of magnitude: the sources give no range for bandwidth.",
    }
    notes = ("One synchronous job: any chip's failure stops all of them.",)
    return Receipt(lines, inputs, notes, (errors[params.show], age_note([r["as_of"] for r in rows], snapshot.today)))


def _value(row: dict[str, Any]) -> str:
    low, value, high = (numbers.plain(row[k]) for k in ("low", "value", "high"))
    if value == "unknown":
        return f"over {low}" if high == "unknown" else f"under {high}" if low == "unknown" else f"{low} to {high}"
    return value if low == "unknown" or high == "unknown" else f"{value} ({low} to {high})"


CHART = register(
    Chart(
        id="clusters.scale",
        page="clusters",
        title="What more chips bring",
        params=Params,
        table=table,
        figure=scale_figure.figure,
        receipt=receipt,
        words=words,
        idle=idle,
        presets=(
            Preset("llama-3", "Llama 3: 16,384 of 24,576", {"chips": 16_384, "owned": 24_576}, claim="C4"),
            Preset("arizona", "100,000 chips as one job", {"chips": 100_000}, claim="C5"),
            Preset("half-million", "500,000 chips as one job", {"chips": 500_000}, claim="C17"),
            Preset("google", "Sites 30 miles apart", {"show": "sites", "miles": 30.0}, claim="C9"),
            Preset(
                "iowa-ohio",
                "Iowa to Ohio over 1 Tbit/s",
                {"show": "sites", "miles": 700.0, "site_gbit_s": 1000.0, "steps_between": 100},
                claim="C9",
            ),
            Preset("hierarchy", "From chip to region", {"show": "hierarchy"}, claim="C17"),
        ),
        heights=(480, 430),
    )
)
