"""What a row of published measurements says: model, chip, layout, precision, load, and what had to be assumed because it is blank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics.serving.chips import Chip
from analytics.serving.layout import Layout
from analytics.serving.precision import Precision, nearest
from analytics.serving.shapes import Shape

QUANTITIES = ("output_tok_s_per_gpu", "input_tok_s_per_gpu", "tpot_ms", "ttft_ms")
#: Lengths assumed where a row states none and no other row of its data set does.
ASSUMED_TOKENS = 1024
#: Mean prompt of the OpenOrca set as stated by the rows that give it (MLPerf Llama-2-70B: 294 tokens).
OPENORCA_INPUT = 294


def number(text: Any) -> float | None:
    """The number a cell means: "9400 (dataset mean)" 9400, "45-50" 47.5, "3k" 3000, blank None."""
    match = re.search(r"(\d[\d,]*\.?\d*)\s*(k\b)?(?:\s*[-–]\s*(\d[\d,]*\.?\d*))?", str(text or ""), re.IGNORECASE)
    if not match:
        return None
    first = float(match[1].replace(",", "")) * (1000 if match[2] else 1)
    if match[3]:
        second = float(match[3].replace(",", ""))
        if second > first:
            return (first + second) / 2
    return first


@dataclass
class Case:
    """One row, read; `problem` says why it cannot be predicted (unknown model or chip), `assumed` what was filled in."""

    row: int
    source: str
    engine: str
    model: str
    hardware: str
    phase: str
    measured: dict[str, float]
    shape: Shape | None = None
    chip: Chip | None = None
    precision: Precision | None = None
    layouts: list[Layout] = field(default_factory=list)
    total_chips: int = 1
    input_tokens: float = ASSUMED_TOKENS
    output_tokens: float = ASSUMED_TOKENS
    batch_per_chip: float | None = None
    requests: float | None = None
    tpot_limit_s: float = np.inf
    ttft_limit_s: float = np.inf
    mlperf: str = ""
    kernel_note: str = ""
    assumed: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def family(self) -> str:
        """The kind of measurement its error is reported with."""
        if self.kernel_note:
            return "kernel"
        if self.mlperf:
            return f"MLPerf {self.mlperf}"
        engine = "TensorRT-LLM" if self.engine.startswith("TensorRT") else self.engine.split(" ")[0]
        return f"{engine} {'offline run' if self.requests else self.phase}"

    @property
    def engine_id(self) -> str:
        """Engine name the calibration goes by; the harness of MLPerf submissions is tuned by its submitters and counts as one."""
        if self.mlperf:
            return "MLPerf"
        for known in ("TensorRT-LLM", "vLLM", "SGLang", "DeepSeek"):
            if self.engine.startswith(known):
                return known
        return ""


class Names:
    """Spellings of models and chips resolved to the shapes and chips of the shipped tables."""

    def __init__(
        self,
        models: Iterable[Mapping[str, Any]],
        chips: Iterable[Mapping[str, Any]],
        shape_aliases: Iterable[Mapping[str, Any]] = (),
        chip_aliases: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self.shapes = {_plain(row["model"]): Shape.from_row(row) for row in models}
        self.chips: dict[str, Chip | str] = {}
        for row in chips:
            try:
                self.chips[str(row["chip_id"])] = Chip.from_row(row)
            except ValueError as error:
                self.chips[str(row["chip_id"])] = str(error)
        self.chip_names: dict[str, str] = {_plain(chip_id): chip_id for chip_id in self.chips}
        self.chip_names |= {_plain(row["name"]): row["chip_id"] for row in chips if row.get("name")}
        self.chip_names |= {_plain(row["alias"]): row["chip_id"] for row in chip_aliases}
        self.model_names: dict[str, str] = {}
        for row in shape_aliases:
            kind, target = row.get("kind"), str(row.get("target") or row.get("shape") or row.get("maps_to") or "")
            if kind == "hardware":
                self.chip_names.setdefault(_plain(row["alias"]), target)
            elif target and target != "none":
                self.model_names[_plain(row["alias"])] = _plain(target)

    def shape(self, name: str) -> Shape:
        """The shape a spelling means; ValueError with the nearest names."""
        for spelling in (_plain(name), _plain(re.sub(r"[-_ ](instruct|chat|it|hf|fp8|fp4|nvfp4)\b.*", "", name, flags=re.IGNORECASE))):
            key = self.model_names.get(spelling, spelling)
            if key in self.shapes:
                return self.shapes[key]
        raise ValueError(f"unknown model {name!r}{nearest(name, [shape.name for shape in self.shapes.values()])}")

    def chip(self, name: str) -> Chip:
        """The chip a spelling means; ValueError with the nearest names, or saying which figure is missing."""
        plain = _plain(name)
        chip_id = self.chip_names.get(plain)
        if chip_id is None:  # a longer product name that contains a known one, the longest first
            inside = [key for key in self.chip_names if len(key) >= 3 and re.search(rf"(?<![a-z0-9]){re.escape(key)}(?![a-z0-9])", plain)]
            chip_id = self.chip_names[max(inside, key=len)] if inside else None
        chip = self.chips.get(str(chip_id))
        if isinstance(chip, Chip):
            return chip
        raise ValueError(chip if chip else f"unknown chip {name!r}{nearest(name, list(self.chips))}")


def _plain(name: Any) -> str:
    return re.sub(r"[\s_\-]+", "-", str(name or "").strip().lower())


def read_cases(rows: Iterable[Mapping[str, Any]], names: Names) -> list[Case]:
    """Every row of a measurements table as a Case, rows numbered from 1 after the header."""
    return [_case(index, row, names) for index, row in enumerate(rows, start=1)]


def _case(index: int, row: Mapping[str, Any], names: Names) -> Case:
    measured = {name: value for name in QUANTITIES if (value := number(row.get(name))) is not None}
    notes = str(row.get("notes") or "")
    case = Case(
        row=index,
        source=str(row.get("source") or ""),
        engine=str(row.get("engine") or ""),
        model=str(row.get("model") or ""),
        hardware=str(row.get("hardware") or ""),
        phase=str(row.get("phase") or "").strip() or "end2end",
        measured=measured,
        kernel_note=notes if "KERNEL" in notes else "",
    )
    if case.kernel_note:
        try:
            case.chip = names.chip(case.hardware)
        except ValueError as error:
            case.problem = str(error)
        return case
    try:
        case.shape, case.chip = names.shape(case.model), names.chip(case.hardware)
    except ValueError as error:
        case.problem = str(error)
        return case
    scenario = str(row.get("concurrency_or_batch") or "").strip()
    if scenario.lower() in ("offline", "server", "interactive"):
        case.mlperf = scenario.capitalize()
    _lengths(case, row, notes)
    _load(case, row, scenario, notes)
    case.precision = _precision(case, row)
    case.total_chips = int(number(row.get("n_gpus")) or 0)
    case.layouts = _layouts(case, row)
    return case


def _lengths(case: Case, row: Mapping[str, Any], notes: str) -> None:
    isl, osl = number(row.get("isl")), number(row.get("osl"))
    context = number(str(row.get("osl"))) if "avg KV" in str(row.get("isl")) or "avg KV" in str(row.get("osl")) else None
    if context is not None:  # a mean cache length instead of prompt and answer
        isl, osl = context, 1.0
    if isl is None:
        isl = OPENORCA_INPUT if "OpenOrca" in notes else ASSUMED_TOKENS
        case.assumed.append(f"input {isl:,} tokens (not stated)")
    if osl is None:
        osl = 1 if case.phase == "prefill" else ASSUMED_TOKENS
        if case.phase != "prefill":
            case.assumed.append(f"output {osl:,} tokens (not stated)")
    case.input_tokens, case.output_tokens = max(isl, 1.0), max(osl, 1.0)


def _load(case: Case, row: Mapping[str, Any], scenario: str, notes: str) -> None:
    if "queued" in scenario:
        total = case.input_tokens + case.output_tokens
        case.requests = 30_000 if total <= 300 else 3_000 if total <= 3_100 else 1_500 if total <= 11_000 else 1_000
        case.assumed.append(f"{case.requests:,} requests queued at once (reproduction recipe of the source)")
    elif not case.mlperf and (batch := number(scenario)) is not None:
        case.batch_per_chip = batch if "per GPU" in scenario else batch / max(number(row.get("n_gpus")) or 1.0, 1.0)
    if match := re.search(r"TPOT\s+([\d.]+)\s*ms,?\s*TTFT\s+([\d.]+)\s*ms", notes):
        case.tpot_limit_s, case.ttft_limit_s = float(match[1]) / 1e3, float(match[2]) / 1e3


def _precision(case: Case, row: Mapping[str, Any]) -> Precision:
    """Formats of a row: the word of the source, filled by what released checkpoints of the family do."""
    shape, chip = case.shape, case.chip
    assert shape is not None and chip is not None
    word = str(row.get("weights_precision") or "").strip().lower()
    kv_word = str(row.get("kv_precision") or "").strip().lower()
    native = shape.native_weights
    if not word:
        word = "fp8" if "fp8" in native else "mxfp4" if "mxfp4" in native else "bf16"
        case.assumed.append(f"weights {word} (not stated)")
    weights = "nvfp4" if "fp4" in word and "mx" not in word else "fp8" if "fp8" in word else word.split(" ")[0]
    if "mxfp4" in native and weights in ("nvfp4", "fp8", "mxfp4"):
        weights = "mxfp4"
        case.assumed.append("experts MXFP4, the rest bf16 (as released)")
    elif shape.is_mla and weights == "nvfp4":
        case.assumed.append("NVFP4 but for the inner attention projections in bf16 (as released)")
    elif "fp8" in native and weights == "fp8":
        weights = "fp8_block"
        case.assumed.append("fp8 with 128x128 block scales (as released)")
    if kv_word in ("auto",):
        kv = "bf16"
    elif "fp8" in kv_word:
        kv = "fp8"
    elif "bf16" in kv_word:
        kv = "bf16"
    else:
        kv = "bf16" if weights in ("bf16", "fp16") or chip.math_of("fp8") == "bf16" else "fp8"
        case.assumed.append(f"cache {kv} (not stated)")
    try:
        precision = Precision.of(weights, kv)
    except ValueError:
        case.assumed.append(f"weights bf16 ({word!r} is not a known format)")
        precision = Precision.of("bf16", kv)
    if shape.is_mla and weights == "nvfp4":
        return Precision("bf16", "nvfp4", "nvfp4", "bf16", kv, attention_out="nvfp4")
    return precision


def _layouts(case: Case, row: Mapping[str, Any]) -> list[Layout]:
    """The stated layout, or every sensible one that the stated number of chips allows."""
    shape, chip = case.shape, case.chip
    assert shape is not None and chip is not None
    stated = {name: int(number(row.get(name)) or 0) for name in ("tp", "ep", "dp")}
    if any(stated.values()):
        tensor, data, expert = max(stated["tp"], 1), max(stated["dp"], 1), max(stated["ep"], 1)
        expert = expert if shape.moe_layers and (tensor * data) % expert == 0 else 1
        if tensor * data < expert:
            data = expert // tensor
        layout = Layout(tensor=tensor, data=data, expert=expert)
        if not layout.problem(shape):
            return [layout]
        case.assumed.append(f"stated layout impossible: {layout.problem(shape)}")
    most = case.total_chips or 8
    if not case.total_chips:
        case.assumed.append("up to 8 chips (number not stated)")
    sizes = [size for size in (1, 2, 4, 8, 16, 32, 64, 128, 256) if size <= most]
    if most not in sizes and most <= 1024:
        sizes.append(most)
    candidates: list[Layout] = []
    for size in sizes:
        candidates.append(Layout(tensor=size))
        if shape.moe_layers and size > 1:
            candidates.append(Layout(data=size, expert=size))
            candidates.append(Layout(tensor=size, expert=size))
        elif size > 1:
            candidates.append(Layout(pipeline=size))
            if size > 8:
                candidates.append(Layout(tensor=8, data=size // 8, expert=size) if size % 8 == 0 else Layout(data=size, expert=size))
    wide = case.phase in ("prefill", "decode") and case.total_chips > 8
    if wide and shape.moe_layers:
        candidates = [layout for layout in candidates if layout.data > 1]
    return [layout for layout in candidates if not layout.problem(shape)]
