"""Figures of a whole machine or run where the table holds those of one GPU: divided by what the file says, else asked about."""

from __future__ import annotations

import re

import numpy as np

from data.importing import numbers, resolve
from data.importing.mapping import Assigned
from data.importing.report import Refused
from data.importing.rows import Builder
from data.importing.text import clean

FIELDS = {"gpu_rental_prices": ("usd_per_gpu_hour",), "serving_measurements": ("output_tok_s_per_gpu", "input_tok_s_per_gpu")}
_ONE = r"(?:gpu|chip|accelerator|card|device|xpu|tpu)"
_HOLDER = r"(?![\s-]*(?:nodes?|servers?|instances?|machines?|hosts?|box|systems?|vms?)\b)"
EACH = re.compile(
    rf"(?:\bper|/|\ban?|\beach|\bpro|\bpar)[\s-]*(?:single[\s-]+)?{_ONE}\b{_HOLDER}|\b{_ONE}s?[\s-]*(?:hours?|hrs?|h)\b", re.IGNORECASE
)
WHOLE = re.compile(
    r"\b(?:nodes?|servers?|instances?|machines?|hosts?|systems?|box(?:es)?|vms?|racks?|cluster|total|overall|aggregated?|combined)\b",
    re.IGNORECASE,
)
COUNTED = re.compile(rf"(?<![\w.])(\d{{1,5}})(?:\s*[x×]\s*(?=[A-Za-z])|[\s-]*{_ONE}s?\b)", re.IGNORECASE)
MOST = 100_000
PER_GPU, TOTAL, BY, LEAVE = "per-gpu", "total", "gpus=", "leave-empty"


def settle(builder: Builder) -> None:
    """Divide rates of several GPUs by their number: said by the header, a column or the answer to `per_gpu:COLUMN`."""
    for field in FIELDS.get(builder.meta.name, ()):
        item = builder.item(field)
        if item is not None and not builder.sheet.canonical:
            _settle(builder, item, builder.column(field))


def _settle(builder: Builder, item: Assigned, values: np.ndarray) -> None:
    header = f"{item.column.name} {item.column.unit_hint}".replace("_", " ")
    filled = np.isfinite(values)
    if EACH.search(header) or not filled.any():
        return
    counts, where = _counts(builder)
    said = COUNTED.search(header)
    if said and 0 < int(said[1]) <= MOST:
        counts, where = np.full(builder.size, float(said[1])), "as its header says"
    whole = bool(said or (builder.meta.name == "gpu_rental_prices" and WHOLE.search(header)))
    if whole:
        unsure = filled & np.isnan(counts)
    elif builder.meta.name == "gpu_rental_prices":
        unsure = filled & (counts > 1)
    else:
        unsure = filled & ~(counts == 1)
    shared = filled & ~np.isnan(counts) & whole
    if unsure.any():
        answer = _ask(builder, item, whole, unsure)
        if answer == LEAVE:
            values[unsure] = np.nan
        elif answer.startswith(BY):
            counts[np.isnan(counts)] = _number(answer, item)
        if answer == TOTAL or answer.startswith(BY):
            shared = shared | unsure
    if shared.any():
        values[shared] = values[shared] / counts[shared]
        lost = shared & np.isnan(counts)
        if lost.any():
            builder.report.warn(f'column "{item.column.name}", {builder.line_list(lost)}: of how many GPUs is not said, left empty')
        if (shared & (counts != 1) & ~lost).any():
            builder.report.warn(f'column "{item.column.name}" is divided by the number of GPUs, {where or "as answered"}')


def _ask(builder: Builder, item: Assigned, whole: bool, unsure: np.ndarray) -> str:
    name = item.column.name
    row = int(np.flatnonzero(unsure)[0])
    example = item.column.texts[item.column.codes[row]].strip()[:20]
    if whole:
        text = f'Column "{name}" (such as {example}) is of a whole machine: how many GPUs has it? Stored is the figure of one GPU.'
        choices: tuple[str, ...] = (f"{BY}<number of GPUs>", PER_GPU, LEAVE)
    else:
        text = f'Is column "{name}" (such as {example}) of one GPU, or of all GPUs of the row? Stored is the figure of one GPU.'
        choices = (PER_GPU, TOTAL, f"{BY}<number of GPUs>", LEAVE)
    return builder.report.ask(f"per_gpu:{name}", text, choices, LEAVE)


def _number(answer: str, item: Assigned) -> float:
    found = numbers.parse(answer.removeprefix(BY))
    if found.error or found.missing or not 1 <= found.value <= MOST or found.value != int(found.value):
        raise Refused(f'the answer "{answer[:40]}" to question per_gpu:{item.column.name} needs a whole number of GPUs, such as gpus=8')
    return found.value


def _counts(builder: Builder) -> tuple[np.ndarray, str]:
    """Return how many GPUs each row is about (NaN where not said) and where that stands."""
    counts = np.full(builder.size, np.nan)
    told = ""
    for name in ("n_gpus", "GPUS_PER_NODE"):
        item = builder.item(name)
        if item is not None:
            found = [numbers.parse(clean(text)) for text in item.column.texts]
            by_code = np.array([value.value if not value.error and value.value > 0 else np.nan for value in found] or [np.nan])
            counts, told = by_code[item.column.codes], f'as column "{item.column.name}" says'
    hardware = builder.item("hardware")
    if hardware is not None:
        listed = [resolve.chips_with_counts(text) for text in hardware.column.texts]
        by_code = np.array([float(named[0].count or 0) if len(named) == 1 else np.nan for named in listed] or [np.nan])
        own = by_code[hardware.column.codes]
        if (np.isnan(counts) & ~np.isnan(own)).any():
            counts, told = np.where(np.isnan(counts), own, counts), told or f'as column "{hardware.column.name}" says'
    return counts, told
