"""The receipt of a training run: compute, goodput, days, dollars, energy, and every published figure with its ratio."""

from __future__ import annotations

from typing import Any

from analytics.clusters import goodput, training
from charts import numbers
from charts.receipt import FormulaLine, InputRow, Receipt, age_note, assumed, input_row, looked_up, worked
from data.queries import cluster_models
from data.snapshot import Snapshot

ROWS = ("report_threshold_flop", "ablation_multiple", "moe_saving", "llama3_mtbf_gpu_h")


def receipt(
    params: Any,
    snapshot: Snapshot,
    chip: dict[str, Any],
    rate: float,
    made: dict[str, float],
    flop: float,
    failing: dict[str, float],
    pairs: list[dict[str, Any]],
) -> Receipt:
    """Lines in the order they are worked out.

    Parameters: the chart's parameters; chip's row and dense rate [FLOP/s]; made, the plan; flop; failing, arguments of the
    goodput model; pairs of ours and published.
    """
    lines = [*_compute(params), *_time(params, rate, made, flop, failing)]
    lines.append(worked(training.run_cost_usd, gpu_hours=made["gpu_hours"], usd_per_gpu_hour=params.usd_per_gpu_hour))
    lines.append(worked(training.run_energy_mwh, gpu_hours=made["gpu_hours"], chip_kw=params.chip_w / 1e3, pue=params.pue))
    lines.append(worked(training.programme_cost_usd, run_usd=made["usd"], multiple=params.multiple))
    lines.append(
        worked(training.largest_flop, chips=params.chips, peak_flop_per_s=rate, mfu=params.mfu, goodput=made["goodput"], days=params.days)
    )
    hours = next((p["published"] for p in pairs if p["quantity"] == "GPU-hours" and p["stage"] == "pre-training"), None)
    if hours:
        lines.append(worked(training.mfu_of, flop=flop, gpu_hours=hours, peak_flop_per_s=rate))
    inputs = [input_row(chip, f"{chip['name']}, dense 16-bit", numbers.plain(rate / 1e12), "TFLOP/s"), *_published(params, snapshot)]
    for row in cluster_models.parameters(snapshot, *ROWS):
        span = f" ({numbers.plain(row['low'])} to {numbers.plain(row['high'])})" if row["low"] == row["low"] else ""
        value = f"{row['value']:.0e}".replace("e+", "e") if row["value"] >= 1e15 else numbers.plain(row["value"])
        inputs.append(input_row(row, str(row["description"]), value + span, str(row["unit"])))
    inputs.append(assumed("MFU", f"{numbers.share(params.mfu)}", "", "set by you; 38 to 43 % were published for Llama 3 405B"))
    if params.failures:
        inputs.append(assumed("Checkpoint and restart", f"{params.checkpoint_s:g} and {params.restart_s:g}", "s"))
    inputs.append(assumed("A GPU-hour, all-in power, PUE", f"${params.usd_per_gpu_hour:g}, {params.chip_w:g} W, {params.pue:g}"))
    assumptions = [
        "One synchronous job: any chip's failure stops all of them. Spares and partial restarts are not counted.",
        "MFU is of the dense 16-bit peak, also where a run used 8-bit arithmetic.",
    ]
    if not params.attention and params.compute == "model":
        assumptions.append("Attention is left out of the FLOP, as in the published counts.")
    errors = [
        f"{p['quantity']} of {p['stage']}: ours is {p['ratio']:.2f} × published ({p['source']})." for p in pairs if p["quantity"] != "MFU"
    ]
    errors = errors or ["No published run is chosen: the error is not known."]
    errors.append(age_note([i.as_of for i in inputs if i.as_of], snapshot.today))
    return Receipt(lines, inputs, assumptions, [e for e in errors if e])


def _compute(params: Any) -> list[FormulaLine]:
    if params.compute == "flop":
        return [looked_up("Training compute", params.flop, "FLOP", "your setting")]
    tokens = params.tokens_t * 1e12
    lines = [worked(training.training_flop, active_parameters=params.parameters_b * 1e9, tokens=tokens)]
    dense = lines[0].result or 0.0
    if params.attention:
        lines.append(worked(training.attention_flop, layers=params.layers, width=params.width, context=params.context, tokens=tokens))
        dense += lines[-1].result or 0.0
    if params.moe_saving:
        lines.append(worked(training.moe_flop, dense_flop=dense, saving=params.moe_saving))
    return lines


def _time(params: Any, rate: float, made: dict[str, float], flop: float, failing: dict[str, float]) -> list[FormulaLine]:
    lines = []
    if params.failures:
        told = goodput.daly_efficiency(params.chips, **failing)
        mtbf, interval = float(told["mtbf_s"]), float(told["interval_s"])
        lines.append(worked(goodput.job_mtbf_s, mtbf_gpu_hours=params.mtbf_gpu_hours, chips=params.chips))
        lines.append(worked(goodput.young_interval_s, checkpoint_s=params.checkpoint_s, mtbf_s=mtbf))
        rest = {"interval_s": interval, "checkpoint_s": params.checkpoint_s, "restart_s": params.restart_s, "mtbf_s": mtbf}
        lines.append(worked(goodput.exact_efficiency, **rest))
    lines.append(worked(training.run_days, flop=flop, chips=params.chips, peak_flop_per_s=rate, mfu=params.mfu, goodput=made["goodput"]))
    return lines


def _published(params: Any, snapshot: Snapshot) -> list[InputRow]:
    rows = cluster_models.training_runs(snapshot)
    own = rows[rows["run_id"] == params.run]
    return [input_row(row, f"{row['name']}, {row['stage']}", str(row["quote_or_note"])) for row in own.to_dict("records")]
