"""Serving a language model: memory, step times and throughput of a shape on chips in a layout, calibrated on published measurements.

    shape = Shape.from_row(row)                       # a row of models.csv, or Shape.from_config_json(text)
    chip = Chip.from_row(row)                         # a row of chips.csv
    kernels = KernelTable.from_rows(rows)             # kernel_efficiency.csv
    calibration = Calibration.from_rows(rows, engine) # serving_calibration.csv
    fleet = Fleet([Deployment(shape, chip, Layout(tensor=8), Precision.of("fp8")), ...], kernels, calibration)

Every question is then asked of arrays: `which` (index into the fleet, so chips, layouts and models vary freely), batch (sequences of a
replica), context or workload, all broadcast.

    evaluate(fleet, which, batch, Workload(1024, 1024))      prefill and decode step, fit, tokens/s; evaluate_many for millions
    fleet.decode_step(which, batch, context)                 the step with its parts: weights, kv, flops, activations,
                                                             communication, launch, host; .total; .bound()
    fleet.prefill(which, prompts, input_tokens, cached)      the same for prompts
    fleet.largest_batch(which, context)                      sequences that fit; deployment.shortage(batch, context) says what is short
    steady_state(fleet, which, batch, workload)              continuous batching: step, first token, tokens/s per chip
    best_under_limits(fleet, which, workload, tpot, ttft)    the best batch within latency limits
    replay(fleet, which, workload, requests)                 a finite run, all requests queued at the start
    disaggregated(fleet, prefill_which, decode_which, ...)   separate prefill and decode pools with the cache sent between

Modules: shapes and config_json (models), precision (formats), chips, kernels (measured efficiencies), layout (parallelism, memory),
collectives, step (operations of a pass), fleet (many deployments), run (steady state), finite_run (replay), pools (disaggregation),
calibration, fit and residuals (constants and their error), benchmark_rows and predict (published measurements), kernel_rows (published
kernels).
Built on these: cache (formulas of the KV cache), load (queues and percentiles), prefix_cache, speculative, search (layouts, best within limits,
front), money, lengths, sampling, agents, variants (another attention, no experts), doubt (bands, tornado, nearest measurement).
Times are seconds, memory bytes, GB 1e9.
"""

from analytics.serving.calibration import Calibration
from analytics.serving.chips import Chip
from analytics.serving.finite_run import replay
from analytics.serving.fleet import Deployment, Fleet, StepTime
from analytics.serving.kernels import KernelTable
from analytics.serving.layout import Layout
from analytics.serving.pools import disaggregated
from analytics.serving.precision import Precision
from analytics.serving.run import (
    Workload,
    best_under_limits,
    critical_batch,
    critical_batch_moe,
    critical_context,
    evaluate,
    evaluate_many,
    steady_state,
)
from analytics.serving.shapes import Shape

__all__ = [
    "Calibration",
    "Chip",
    "Deployment",
    "Fleet",
    "KernelTable",
    "Layout",
    "Precision",
    "Shape",
    "StepTime",
    "Workload",
    "best_under_limits",
    "critical_batch",
    "critical_batch_moe",
    "critical_context",
    "disaggregated",
    "evaluate",
    "evaluate_many",
    "replay",
    "steady_state",
]
