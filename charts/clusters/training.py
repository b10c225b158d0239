"""Training runs: FLOP, days, dollars and energy, held against what was published, and the largest run a cluster can finish."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.clusters import goodput, training
from charts import numbers
from charts.clusters import training_figure
from charts.clusters.choices import facts_of, with_facts
from charts.clusters.training_receipt import receipt as receipt_of
from charts.params import ChartParams, choice, flag, number, pick
from charts.receipt import Receipt
from charts.registry import Chart, Preset, register
from charts.serving.inputs import chip_name
from charts.words import Words
from data.queries import chips, cluster_models
from data.snapshot import Snapshot

NO_RUN = ""
SIZES = np.geomspace(256, 2_000_000, 90)
# Threshold of the order of October 2023 that asked for reports of training runs; the order was rescinded in January 2025.
THRESHOLD = "report_threshold_flop"
QUANTITIES = {
    "flop": ("Training compute", "FLOP"),
    "gpu_hours": ("GPU-hours", "GPU-hours"),
    "days": ("Days", "days"),
    "mfu": ("MFU", "share"),
    "cost_usd": ("Cost", "USD"),
    "power_mw": ("Power", "MW"),
}


class Params(ChartParams):
    """A run and the cluster it runs on."""

    show: Literal["largest", "days", "published"] = choice(
        "largest",
        label="Show",
        help="the largest run by cluster size, how long this run takes by cluster size, or the model against published figures",
        labels={"largest": "Largest run", "days": "Days of this run", "published": "Against published"},
    )
    run: str = pick("llama-3-405b", label="Published run", help="the run the model is held against; none for your own")
    compute: Literal["model", "flop"] = choice(
        "model",
        label="Compute by",
        help="from a model and its tokens, or as an amount",
        labels={"model": "Model and tokens", "flop": "FLOP"},
    )
    parameters_b: float = number(
        405, ge=0.01, le=100_000, label="Active parameters", help="parameters each token passes through", unit="billion", log=True
    )
    tokens_t: float = number(15.6, ge=0.001, le=10_000, label="Tokens", help="tokens trained on", unit="trillion", log=True)
    attention: bool = flag(False, label="Count attention", help="add causal attention, by the layers, width and context below")
    layers: int = number(126, ge=1, le=2_000, label="Layers", help="layers with attention")
    width: int = number(16_384, ge=64, le=1_000_000, label="Attention width", help="heads times head size", unit="values")
    context: int = number(8_192, ge=16, le=10_000_000, label="Context", help="tokens of a training sequence", unit="tokens", log=True)
    moe_saving: float = number(
        0, ge=0, le=0.95, label="MoE saving", help="share of compute a mixture of experts saves at the same score", step=0.05
    )
    flop: float = number(1e26, ge=1e15, le=1e32, label="Compute", help="training compute, where it is given", unit="FLOP", log=True)
    chip: str = pick("h100-sxm", label="Chip", help="whose dense 16-bit rate is taken")
    chips: int = number(16_384, ge=1, le=10_000_000, label="Chips", help="chips of one synchronous job", log=True)
    mfu: float = number(0.4, ge=0.01, le=1, label="MFU", help="share of the dense 16-bit peak that reaches the model", step=0.01)
    days: float = number(90, ge=1, le=2_000, label="Days", help="for the largest run", step=10)
    failures: bool = flag(True, label="Failures", help="count time lost to failures, checkpoints and restarts")
    mtbf_gpu_hours: float = number(
        50_677, ge=100, le=1e9, label="MTBF a GPU", help="GPU-hours between interruptions of the job", unit="GPU-hours", log=True
    )
    checkpoint_s: float = number(60, ge=0.01, le=7_200, label="Checkpoint", help="seconds the job stands still for one", unit="s", log=True)
    restart_s: float = number(300, ge=0, le=86_400, label="Restart", help="seconds from a failure to running again", unit="s", step=30)
    usd_per_gpu_hour: float = number(2, ge=0, le=1_000, label="GPU-hour", help="what one costs", unit="$/GPU-hour", step=0.1)
    chip_w: float = number(1_390, ge=20, le=20_000, label="All-in power", help="IT power a chip", unit="W", step=10)
    pue: float = number(1.12, ge=1, le=3, label="PUE", help="site over IT energy", step=0.01)
    multiple: float = number(3, ge=0, le=50, label="Research", help="research and ablations, times the final run", unit="×", step=0.5)


def failing(params: Params) -> dict[str, float]:
    """What the goodput model takes: MTBF (infinite where failures are left out), checkpoint and restart."""
    mtbf = params.mtbf_gpu_hours if params.failures else float("inf")
    return {"mtbf_gpu_hours": mtbf, "checkpoint_s": params.checkpoint_s, "restart_s": params.restart_s}


def flop_of(params: Params) -> float:
    """FLOP of the run asked for."""
    if params.compute == "flop":
        return params.flop
    tokens = params.tokens_t * 1e12
    dense = training.training_flop(params.parameters_b * 1e9, tokens)
    if params.attention:
        dense += training.attention_flop(params.layers, params.width, params.context, tokens)
    return float(training.moe_flop(dense, params.moe_saving))


def peak(snapshot: Snapshot, chip_id: str) -> tuple[float, dict[str, Any]]:
    """Dense 16-bit FLOP/s of a chip and its row; ValueError where none is published."""
    row = chips.chip(snapshot, chip_id)
    rate = float(np.fmax(row["bf16_tflops_dense"], row["fp16_tflops_dense"]))
    if not rate > 0:
        raise ValueError(f"the dense 16-bit rate of {row['name']} is not published: choose another chip")
    return rate * 1e12, row


def plan_of(params: Params, rate: float) -> dict[str, float]:
    """Days, hours, dollars and energy of the run; ValueError where failures leave no time."""
    made = training.plan(
        flop_of(params), params.chips, rate, mfu=params.mfu, usd_per_gpu_hour=params.usd_per_gpu_hour, chip_kw=params.chip_w / 1e3,
        pue=params.pue, **failing(params),
    )  # fmt: skip
    if not made["goodput"] > 1e-6:
        raise ValueError(
            f"chips must be fewer, or failures rarer: {params.chips:,} chips fail faster than the job can restart in {params.restart_s:g} s"
        )
    return {name: float(value) for name, value in made.items()}


def idle(params: Params) -> frozenset[str]:
    """A run given as FLOP has no model, one given by its model no FLOP; shapes are asked for where attention is counted."""
    shape = {"layers", "width", "context"}
    if params.compute == "flop":
        return frozenset(shape | {"parameters_b", "tokens_t", "attention", "moe_saving"})
    return frozenset({"flop"} if params.attention else shape | {"flop"})


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """By cluster size: the largest run in the days given, or the days of this run; or each published figure with ours and the ratio."""
    rate, row = peak(snapshot, params.chip)
    made = plan_of(params, rate)
    ours = published_pairs(params, snapshot, made)
    one = {"mfu": params.mfu, **failing(params)}
    threshold = next(iter(cluster_models.parameters(snapshot, THRESHOLD)), None)
    limit = float(threshold["value"]) if threshold else None
    facts: dict[str, Any] = {"flop": flop_of(params), "chip": chip_name(row), **made, "today": snapshot.today.isoformat()}
    facts["largest_flop"] = float(training.largest_run_flop(params.chips, rate, params.days, **one))
    facts["ideal_flop"] = float(training.largest_run_flop(params.chips, rate, params.days, mfu=params.mfu, mtbf_gpu_hours=np.inf))
    facts["threshold_flop"] = limit
    facts["threshold_days"] = float(training.plan(limit, params.chips, rate, **one)["days"]) if limit else None
    facts["programme_usd"] = float(training.programme_cost_usd(made["usd"], params.multiple))
    facts["in_range"] = bool(goodput.daly_efficiency(params.chips, **failing(params))["in_range"])
    facts["runs"] = _runs(snapshot)
    facts["pairs"] = [{k: v for k, v in p.items() if v == v} for p in ours]
    if params.show == "published":
        columns = ["quantity", "unit", "stage", "ours", "published", "low", "high", "ratio", "source", "source_url", "rung"]
        return with_facts(pd.DataFrame(ours, columns=columns), facts)
    best = training.largest_run_flop(SIZES, rate, params.days, **one)
    frame = pd.DataFrame(
        {
            "chips": SIZES,
            "largest_flop": best,
            "ideal_flop": training.largest_run_flop(SIZES, rate, params.days, mfu=params.mfu, mtbf_gpu_hours=np.inf),
            "days": training.plan(facts["flop"], SIZES, rate, **one)["days"],
            "ideal_days": training.plan(facts["flop"], SIZES, rate, mfu=params.mfu)["days"],
            "threshold_days": training.plan(limit, SIZES, rate, **one)["days"] if limit else np.nan,
            "goodput": goodput.daly_efficiency(SIZES, **failing(params))["efficiency"],
        }
    )
    return with_facts(frame, facts)


def _runs(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Published runs with a number of chips and FLOP, given or by parameters and tokens: marks in the plane."""
    out: dict[str, dict[str, Any]] = {}
    for row in cluster_models.training_runs(snapshot).to_dict("records"):
        flop = row["flop"]
        if flop != flop and row["parameters_active_b"] == row["parameters_active_b"] and row["tokens_t"] == row["tokens_t"]:
            flop = float(training.training_flop(row["parameters_active_b"] * 1e9, row["tokens_t"] * 1e12))
        if flop == flop and row["chip_count"] == row["chip_count"] and row["run_id"] not in out:
            out[row["run_id"]] = {"name": row["name"], "chips": float(row["chip_count"]), "flop": float(flop), "source": row["source"]}
    return list(out.values())


def published_pairs(params: Params, snapshot: Snapshot, made: dict[str, float]) -> list[dict[str, Any]]:
    """Each published figure of the run chosen with ours and the ratio of ours to it."""
    ours = {
        "flop": flop_of(params), "gpu_hours": made["gpu_hours"], "days": made["days"], "mfu": params.mfu, "cost_usd": made["usd"],
        "power_mw": params.chips * params.chip_w / 1e6,
    }  # fmt: skip
    out = []
    rows = cluster_models.training_runs(snapshot)
    for row in rows[rows["run_id"] == params.run].to_dict("records"):
        for name, (label, unit) in QUANTITIES.items():
            value = row[name]
            if not value > 0:
                continue
            stem, end = (name.rsplit("_", 1)[0], f"_{name.rsplit('_', 1)[1]}") if name in ("cost_usd", "power_mw") else (name, "")
            low, high = (float(row.get(f"{stem}_{side}{end}", np.nan)) for side in ("low", "high"))
            told = {
                "quantity": label,
                "unit": unit,
                "stage": row["stage"],
                "ours": ours[name],
                "published": float(value),
                "low": low,
                "high": high,
            }
            out.append(
                told | {"ratio": ours[name] / float(value), "source": row["source"], "source_url": row["source_url"], "rung": row["rung"]}
            )
    return out


def write(quantity: str, value: float) -> str:
    """A quantity as it is written: 3.79e25 FLOP, 54 days, $5.6M, 38 %."""
    if quantity == "Training compute":
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)} FLOP"
    if quantity == "GPU-hours":
        return f"{numbers.count(value)} GPU-hours"
    if quantity == "Days":
        return f"{value:.3g} days" if value < 1000 else f"{value / 365.25:,.3g} years"
    return {"MFU": numbers.share, "Cost": numbers.dollars, "Power": numbers.power}[quantity](value)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding by view; what the run costs and lasts is told in each."""
    a = facts_of(table)
    run = f"{write('Training compute', a['flop'])} on {numbers.chips(params.chips)} {a['chip']}"
    lost = f", {numbers.share(1 - a['goodput'])} of the time lost to failures" if params.failures else ", failures left out"
    told = f"{run} takes {write('Days', a['days'])}, {numbers.dollars(a['usd'])} and {numbers.plain(round(a['energy_mwh']))} MWh{lost}"
    if params.show == "published" and table.empty:
        return Words(
            "No published run is chosen", empty="Choose a published run to hold the model against.", way_out={"run": "llama-3-405b"}
        )
    subtitle = {
        "largest": f"Largest run in {params.days:g} days by cluster size, FLOP, log scales, MFU {numbers.share(params.mfu)}. Solid: failures counted; dashed: none. "
        "Dots: published runs.",
        "days": f"Days of this run by cluster size, log scales, MFU {numbers.share(params.mfu)}. Solid: failures counted; dashed: none; dotted: a run of 1e26 FLOP.",
        "published": f"Ours over published, log scale, at MFU {numbers.share(params.mfu)}. Filled: from the maker's own paper; hollow: reported or claimed.",
    }[params.show]
    if params.show == "largest":
        finding = f"{numbers.chips(params.chips)} {a['chip']} train at most {write('Training compute', a['largest_flop'])} in {params.days:g} days{lost}"
    elif params.show == "days":
        finding = told
    else:
        ratios = [p["ratio"] for p in a["pairs"] if p["quantity"] != "MFU" and p["stage"] == "pre-training"]
        ends = list(dict.fromkeys(f"{end:.2f}" for end in (min(ratios), max(ratios)))) if ratios else []
        finding = f"The model is {' to '.join(ends)} × what was published of this run" if ends else told
    notes = _notes(params, a, told)
    alt = f"{finding}. " + "; ".join(
        f"{p['quantity']} ours {write(p['quantity'], p['ours'])}, published {write(p['quantity'], p['published'])}" for p in a["pairs"][:6]
    )
    return Words(finding, subtitle, alt, "", "Ridgepoint training model; published reports named in the receipt", tuple(notes))


def _notes(params: Params, a: dict[str, Any], told: str) -> list[str]:
    notes = [f"This run: {told[0].upper()}{told[1:]}."] if params.show != "days" else []
    if a["threshold_days"] is not None:
        notes.append(
            f"1e26 FLOP, the US reporting threshold of October 2023 (rescinded January 2025), takes this cluster {write('Days', a['threshold_days'])}; "
            f"its largest run in {params.days:g} days is {a['largest_flop'] / a['threshold_flop']:.2g} × the threshold."
        )
    notes.append(
        f"Programme: {numbers.dollars(a['programme_usd'])} where research costs {params.multiple:g} × the run on top of it, "
        f"{numbers.dollars(max(params.multiple, 1) * a['usd'])} where {params.multiple:g} × is read as the whole."
    )
    if params.compute == "model" and params.moe_saving:
        notes.append(
            f"{numbers.share(params.moe_saving)} is taken off the dense model's compute for a mixture of experts at the same score."
        )
    if not a["in_range"] and params.failures:
        notes.append("So many failures lie past the range of Young's first-order loss: the exact form by Daly is used.")
    return notes


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """FLOP, goodput, days, dollars and energy with the reader's numbers; the published figures and the ratios."""
    rate, row = peak(snapshot, params.chip)
    made = plan_of(params, rate)
    return receipt_of(params, snapshot, row, rate, made, flop_of(params), failing(params), published_pairs(params, snapshot, made))


def _run_options(snapshot: Snapshot) -> dict[str, str]:
    return {NO_RUN: "None"} | cluster_models.run_names(snapshot)


def _rated(snapshot: Snapshot) -> dict[str, str]:
    rows = snapshot.table("chips")
    rows = rows[(rows["bf16_tflops_dense"] > 0) | (rows["fp16_tflops_dense"] > 0)].sort_values("name", kind="stable")
    return dict(zip(rows["chip_id"], rows["name"]))


_GPT4 = {
    "run": "gpt-4", "compute": "flop", "flop": 2e25, "chip": "a100-sxm-80", "chips": 20_000, "chip_w": 728.0, "pue": 1.17, "usd_per_gpu_hour": 1.0,
}  # fmt: skip
_V3 = {"run": "deepseek-v3", "parameters_b": 37.0, "tokens_t": 14.8, "chip": "h800-sxm", "chips": 2048}

CHART = register(
    Chart(
        id="clusters.training",
        page="clusters",
        title="Training runs",
        params=Params,
        table=table,
        figure=training_figure.figure,
        receipt=receipt,
        words=words,
        idle=idle,
        options={"run": _run_options, "chip": _rated},
        presets=(
            Preset("deepseek-v3", "DeepSeek-V3 against its paper", {"show": "published"} | _V3, claim="C18"),
            Preset("gpt-4", "GPT-4 against what was said", {"show": "published"} | _GPT4, claim="C1"),
            Preset("llama-3", "Llama 3 405B against its paper", {"show": "published"}, claim="C4"),
            Preset("v3-cluster", "2,048 H800: how long for V3", {"show": "days"} | _V3, claim="C3"),
            Preset("threshold", "Who reaches 1e26 FLOP in 90 days", {"chips": 100_000}, claim="E7"),
        ),
        heights=(480, 420),
    )
)
