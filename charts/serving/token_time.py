"""Where the time of one token goes: prefill and decode by what holds them up, over batches, over contexts, and as a map."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.serving import Chip, Deployment, Layout, Shape, critical_batch, critical_batch_moe, critical_context
from analytics.serving.fleet import PARTS
from analytics.serving.search import NoLayout
from charts.params import choice, number, pick
from charts.receipt import Receipt, assumed, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.serving import fleets, inputs, work
from charts.serving.token_time_figure import GROUPS, NAMES, figure
from charts.serving.work import WorkParams
from charts.text import as_text
from charts.words import Words
from data.snapshot import Snapshot

VIEWS = {"parts": "Prefill and decode", "batch": "Decode by batch", "context": "Decode by context", "map": "What holds it up"}
CRITICAL = {"view": "batch", "model": "Llama-3.1-405B", "chip": "h100-sxm", "context": 1024}
BATCHES = 2.0 ** np.arange(0, 13.01, 0.25)
CONTEXTS = 2.0 ** np.arange(8, 20.01, 0.25)


class Params(WorkParams):
    """One deployment at a batch and a context."""

    view: Literal["parts", "batch", "context", "map"] = choice("parts", label="Show", help="what the time is shown over", labels=VIEWS)
    chip: str = pick("h200-sxm", label="Chip", help="chip of the deployment")
    gpus: int = number(0, ge=0, le=576, label="Chips", help="chips of the deployment; 0 takes the fewest that hold it")
    batch: int = number(64, ge=1, le=8192, label="Batch", help="conversations decoded together", unit="conversations", log=True)
    context: int = number(
        4096, ge=16, le=1_048_576, label="Context", help="tokens each conversation has in the cache", unit="tokens", log=True
    )


def idle(params: Params) -> frozenset[str]:
    """A step has a context, not an answer, and one pool; the prompt is drawn where its pass is."""
    return frozenset({"output_tokens", "pools"} | (set() if params.view == "parts" else {"input_tokens", "cached_share"}))


def deployment(params: Params, snapshot: Snapshot) -> tuple[Shape, Chip, Deployment]:
    """The deployment looked at: of the layouts of this size the one with the quickest decode step at this batch and context."""
    shape, chip = inputs.model(snapshot, params.model, params.config), inputs.chip(snapshot, params.chip, params.own_chip)
    precision = inputs.precision(shape, params.weights, params.kv)
    if params.gpus:
        every = [Deployment(shape, chip, lay, precision) for lay in fleets.sensible_layouts(shape, chip, [params.gpus])]
        if not every:
            every = [Deployment(shape, chip, Layout(tensor=1, data=1, pipeline=params.gpus), precision)]
        good = [d for d in every if not d.shortage(1, params.context)]
        if not good:
            raise NoLayout(f"{shape.name} does not fit on {fleets.server(every[0])}: {every[0].shortage(1, params.context)}")
    else:
        good = fleets.fitting(shape, chip, precision, float(params.context))
        least = min(d.layout.chips for d in good)
        good = [d for d in good if d.layout.chips == least]
    own = fleets.fleet(snapshot, good)
    steps = own.decode_step_s(np.arange(len(good)), params.batch, params.context)
    return shape, chip, good[int(np.argmin(steps))]


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Milliseconds by part at points: of prefill and decode, or over batches, contexts or both; what is largest at each."""
    shape, chip, chosen = deployment(params, snapshot)
    own = fleets.fleet(snapshot, [chosen])
    context = np.asarray(float(params.context))
    if params.view == "parts":
        prompts = max(1.0, np.floor(8192 / max(params.input_tokens, 1))) * chosen.layout.data
        fill = own.prefill(0, prompts, params.input_tokens, params.workload.cached_tokens)
        computed = prompts * (params.input_tokens - float(params.workload.cached_tokens))
        step = own.decode_step(0, params.batch, context)
        # A token of the prompt and a token of the answer: time of the pass over the tokens it makes.
        parts = [
            _frame(fill, computed, "prefill", computed, params.input_tokens),
            _frame(step, params.batch, "decode", params.batch, params.context),
        ]
        out = pd.concat(parts, ignore_index=True)
    elif params.view == "batch":
        out = _frame(own.decode_step(0, BATCHES, context), BATCHES, "decode", BATCHES, params.context)
    elif params.view == "context":
        out = _frame(own.decode_step(0, float(params.batch), CONTEXTS), params.batch, "decode", params.batch, CONTEXTS)
    else:
        batch, contexts = (grid.ravel() for grid in np.meshgrid(BATCHES[::2], CONTEXTS[::2]))
        out = _frame(own.decode_step(0, batch, contexts), batch, "decode", batch, contexts)
        out["fits"] = out["batch"] <= own.largest_batch(np.zeros(len(out), dtype=int), out["context_tokens"].to_numpy(dtype=float))
    out.attrs = {
        "model": shape.name,
        "chip": work.short(inputs.chip_name(inputs.chip_row(snapshot, params.chip, params.own_chip))),
        "layout": chosen.layout.describe(),
        "gpus": chosen.layout.chips,
        "fits": float(own.largest_batch(0, context)),
        **_critical(shape, chip, chosen),
        "nearest": work.nearest_words(snapshot, _met(params), params.chip),
    }
    return out


def _met(params: Params) -> Params:
    """Requests that have the context asked for on average while they decode: half of it prompt, half the answer so far."""
    return params.model_copy(update={"input_tokens": params.context // 2, "output_tokens": params.context})


def _frame(step: Any, made: Any, phase: str, batch: Any, context: Any) -> pd.DataFrame:
    """Parts of passes as a table: time of the pass [ms] and of a token [µs]."""
    values = {part: np.atleast_1d(np.asarray(getattr(step, part), dtype=float)) for part in PARTS}
    size = max(v.size for v in values.values())
    out = pd.DataFrame({"phase": phase, "batch": np.broadcast_to(batch, size), "context_tokens": np.broadcast_to(context, size)})
    for part in PARTS:
        out[f"{part}_ms"] = np.broadcast_to(values[part], size) * 1e3
    out["step_ms"] = out[[f"{part}_ms" for part in PARTS]].sum(axis=1)
    out["token_us"] = out["step_ms"] * 1e3 / np.broadcast_to(made, size)
    out["largest"] = [PARTS[i] for i in np.argmax(out[[f"{part}_ms" for part in PARTS]].to_numpy(), axis=1)]
    return out


def _critical(shape: Shape, chip: Chip, chosen: Deployment) -> dict[Hashable, Any]:
    """Critical batch and context of the roofline, of one chip's peaks."""
    part = "experts" if shape.moe_layers else "ffn"
    peak, width = chip.peak(getattr(chosen.precision, part)), chosen.precision.bytes_of(part)
    if shape.moe_layers:
        batch = float(critical_batch_moe(peak, chip.memory_bandwidth, width, shape.experts, shape.top_k))
    else:
        batch = float(critical_batch(peak, chip.memory_bandwidth, width))
    grows = float(shape.kv_bytes_per_sequence(2**21, chosen.precision.kv) - shape.kv_bytes_per_sequence(2**20, chosen.precision.kv)) / 2**20
    active = shape.active_params_without_input_embedding
    context = float(critical_context(active, chip.memory_bandwidth, peak, grows)) if grows > 0 else None
    return {"critical_batch": batch, "critical_context": context}


def words(table: pd.DataFrame, params: Params) -> Words:
    """What holds a token up, where that changes, and what the marks mean."""
    a = table.attrs
    server = f"{a['gpus']} × {a['chip']}" if a["gpus"] > 1 else a["chip"]
    decode = table[table["phase"] == "decode"]
    critical = f"{a['critical_batch']:,.0f}"
    if params.view == "parts":
        fill = table[table["phase"] == "prefill"].iloc[0]
        step = decode.iloc[0]
        ratio = step["token_us"] / fill["token_us"]
        finding = (
            f"On {server}, a token of the answer takes {ratio:,.3g} times as long as one of the prompt: "
            f"decode waits for {NAMES[step['largest']]}, prefill for {NAMES[fill['largest']]}"
        )
        what = f"Time of one token of {a['model']} by what it waits for, one bar each for prefill and decode"
    elif params.view == "batch":
        finding = _turn(decode, "batch", f"Decoding {a['model']} on {server}", f"{params.context:,} tokens of context")
        what = "Share of a decode step by what it waits for, over batches (log); vertical lines: the batch asked for and the critical batch"
    elif params.view == "context":
        finding = _turn(decode, "context_tokens", f"Decoding {a['model']} on {server}", f"a batch of {params.batch:,}")
        what = "Share of a decode step by what it waits for, over contexts (log); lines: the context asked for and the critical context"
    else:
        held = decode[decode["fits"]] if decode["fits"].any() else decode
        share = (held["largest"].map(GROUPS).str.startswith("memory")).mean()
        finding = f"Where it fits, decoding {a['model']} on {server} waits for memory in {100 * share:.0f} % of batches and contexts"
        what = "What the largest part of a decode step is, over batch and context (both log); pale: does not fit in memory"
    beyond = (
        f"critical context {a['critical_context']:,.0f} tokens" if a["critical_context"] else "no critical context: the cache stops growing"
    )
    layout = a["layout"][:1].upper() + a["layout"][1:]
    subtitle = f"{what}. {layout}; batch {params.batch:,}, context {params.context:,}. Roofline: critical batch {critical}, {beyond}."
    notes: tuple[str, ...] = ()
    if params.view == "context" and a["critical_context"]:
        notes = (
            "At the critical context a conversation's cache takes as long to read as its token's weights take to multiply, whatever the "
            "batch; the cache leads the step only where it also outlasts reading the weights, once for the whole batch.",
        )
    if params.batch > a["fits"] and params.view != "map":
        notes += (f"Only {a['fits']:,.0f} conversations of this context fit in memory; the step is shown as if {params.batch:,} did.",)
    return Words(
        finding,
        subtitle,
        f"{what}. {finding}.",
        "",
        "Ridgepoint serving model; kernel efficiencies measured by aiconfigurator-core 0.12.0",
        (*notes, *a.get("nearest", ())),
    )


def _turn(decode: pd.DataFrame, axis: str, subject: str, at: str) -> str:
    """The first and the last thing a step waits for along an axis, and where the last one takes over."""
    first, last = decode["largest"].iloc[0], decode["largest"].iloc[-1]
    if first == last and (decode["largest"] == first).all():
        return f"{subject} at {at} waits for {NAMES[first]} throughout"
    changes = decode.index[decode["largest"] != decode["largest"].shift()]
    turn = decode.loc[changes[-1], axis]
    where = f"a batch of {turn:,.0f}" if axis == "batch" else f"{turn:,.0f} tokens"
    return f"{subject} at {at} waits for {NAMES[first]} first, and for {NAMES[last]} from {where} on"


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Critical batch and context with this chip's peaks, and the step at the batch and context asked for."""
    shape, chip, chosen = deployment(params, snapshot)
    own = fleets.fleet(snapshot, [chosen])
    step = own.decode_step(0, float(params.batch), float(params.context))
    part = "experts" if shape.moe_layers else "ffn"
    peak, width = chip.peak(getattr(chosen.precision, part)), chosen.precision.bytes_of(part)
    roof = {"peak_flop_per_s": peak, "bandwidth_bytes_per_s": chip.memory_bandwidth, "bytes_per_weight": width}
    if shape.moe_layers:
        lines = [worked(critical_batch_moe, **roof, experts=shape.experts, experts_per_token=shape.top_k)]
    else:
        lines = [worked(critical_batch, **roof)]
    grows = float(shape.kv_bytes_per_sequence(2**21, chosen.precision.kv) - shape.kv_bytes_per_sequence(2**20, chosen.precision.kv)) / 2**20
    if grows > 0:
        lines.append(
            worked(
                critical_context,
                active_params=shape.active_params_without_input_embedding,
                bandwidth_bytes_per_s=chip.memory_bandwidth,
                peak_flop_per_s=peak,
                kv_bytes_per_token=grows,
            )
        )
    lines.append(
        looked_up(
            f"Decode step, batch {params.batch:,}, context {params.context:,}",
            float(step.total) * 1e3,
            "ms",
            f"the serving model: {chosen.layout.describe()}",
        )
    )
    lines += [looked_up(NAMES[name].capitalize(), float(getattr(step, name)) * 1e3, "ms", "the same step") for name in PARTS]
    rows = (
        work.model_input(snapshot, params),
        work.chip_input(snapshot, params.chip, params.own_chip),
        assumed("Batch", f"{params.batch:,}", "conversations"),
        assumed("Context", f"{params.context:,}", "tokens"),
    )
    assumptions = [
        "A pass waits for the larger of memory and arithmetic in every operation; parts are sums over operations.",
        "Critical batch and context are rooflines of the peaks; the parts use achieved rates, so they turn elsewhere.",
        *own.curves[0].kernels_from,
        *chosen.chip.assumed,
    ]
    return Receipt(
        tuple(lines), rows, tuple(as_text(s, 300) for s in assumptions), work.passport_words(snapshot, _met(params), params.chip)
    )


CHART = register(
    Chart(
        id="serving.token_time",
        page="serving",
        title="Where the time of one token goes",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"model": inputs.model_options, "chip": inputs.chip_options},
        idle=idle,
        presets=(
            Preset("parts", "Prompt against answer", {}, claim="R4"),
            Preset("critical-batch", "Critical batch of 405B", CRITICAL, claim="R1"),
            Preset("long", "Long contexts", {"view": "context", "model": "Llama-3.1-70B", "chip": "h100-sxm", "batch": 32}, claim="R5"),
            Preset("map", "Memory-bound or compute-bound", {"view": "map"}, claim="R4"),
        ),
    )
)  # fmt: skip
