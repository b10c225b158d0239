"""What the serving charts are about: models and chips out of the facts, or the reader's own, and their formats."""

from __future__ import annotations

import re
from typing import Any, Literal

import pandas as pd

from analytics.serving.chips import Chip
from analytics.serving.precision import PRESETS, Precision, nearest
from analytics.serving.shapes import Shape
from charts.params import choice, number, words
from charts.serving.kept import kept
from data.snapshot import Snapshot

#: Name by which a pasted configuration or an own chip is chosen.
OWN = "own"
Weights = Literal["released", "bf16", "fp8", "fp4"]
WEIGHTS = {"released": "Weights as released", "bf16": "Weights in BF16", "fp8": "Weights in FP8", "fp4": "Weights in FP4"}
Cache = Literal["bf16", "fp8"]
CACHES = {"bf16": "Cache in BF16", "fp8": "Cache in FP8"}
CONFIG_HELP = "a model's Hugging Face config.json; the model named 'own' is then this one"
CHIP_HELP = (
    "a chip of your own as name=value pairs: memory_gb, memory_bandwidth_gb_per_s, bf16_tflops_dense; also fp8_tflops_dense, "
    "fp4_tflops_dense, scale_up_bidirectional_gb_per_s, scale_out_gbit_per_s, tdp_w and, for fleets, price_usd; the chip named 'own' is then this one"
)
CHIP_FIELDS = {
    "memory_gb": (0.1, 100_000),
    "memory_bandwidth_gb_per_s": (1, 1_000_000),
    "bf16_tflops_dense": (0.1, 1_000_000),
    "fp8_tflops_dense": (0.1, 1_000_000),
    "fp4_tflops_dense": (0.1, 1_000_000),
    "int8_tops_dense": (0.1, 1_000_000),
    "scale_up_bidirectional_gb_per_s": (0.1, 1_000_000),
    "scale_out_gbit_per_s": (0.1, 1_000_000),
    "tdp_w": (1, 1_000_000),
    "price_usd": (1, 100_000_000),
}
CHIP_NEEDS = ("memory_gb", "memory_bandwidth_gb_per_s", "bf16_tflops_dense")


def weights_param(default: str = "fp8") -> Any:
    """The parameter for the format of weights."""
    return choice(default, label="Weights", help="number format of the weights; a model released smaller keeps its own", labels=WEIGHTS)


def cache_param(default: str = "bf16") -> Any:
    """The parameter for the format of the cache."""
    return choice(default, label="Cache", help="number format of the KV cache", labels=CACHES)


def config_param() -> Any:
    """The parameter that holds a pasted config.json."""
    return words(label="Your model", help=CONFIG_HELP, most=20_000, area=True)


def chip_param() -> Any:
    """The parameter that holds an own chip."""
    return words(label="Your chip", help=CHIP_HELP, most=600)


def chips_param(default: int = 8) -> Any:
    """The parameter for how many chips serve the model together."""
    return number(default, ge=1, le=576, label="Chips", help="chips that hold the model together", log=True)


@kept
def model_row(snapshot: Snapshot, name: str) -> pd.Series:
    """A model's row; ValueError proposes the nearest names."""
    rows = snapshot.table("models")
    found = rows[rows["model"].str.lower() == name.strip().lower()]
    if found.empty:
        raise ValueError(f"no model {name!r} on record{nearest(name, list(rows['model']))}")
    return found.iloc[0]


@kept
def model(snapshot: Snapshot, name: str, config: str = "") -> Shape:
    """The shape of a model by name; 'own' is the pasted configuration. ValueError says what is missing."""
    if name == OWN:
        if not config.strip():
            raise ValueError(f"model 'own' needs a configuration: paste {CONFIG_HELP.split(';')[0]}")
        return Shape.from_config_json(config, "your model")
    return Shape.from_row({str(k): v for k, v in model_row(snapshot, name).items()})


@kept
def chip_row(snapshot: Snapshot, name: str, own: str = "") -> dict[str, Any]:
    """A chip's row; 'own' is the reader's. ValueError proposes the nearest names."""
    if name == OWN:
        return own_chip(own)
    rows = snapshot.table("chips")
    found = rows[rows["chip_id"] == name]
    if found.empty:
        raise ValueError(f"no chip {name!r} on record{nearest(name, list(rows['chip_id']))}")
    return {str(k): v for k, v in found.iloc[0].items()}


def own_chip(text: str) -> dict[str, Any]:
    """A chip's row from the reader's name=value pairs, separated by spaces, commas or semicolons."""
    row: dict[str, Any] = {"chip_id": OWN, "name": "your chip", "vendor": "", "source": "set by you"}
    for part in filter(None, re.split(r"[\s,;]+", text.strip())):
        name, _, value = part.partition("=")
        if name == "like":
            row["chip_id"] = f"{value}-own"
            continue
        if name not in CHIP_FIELDS:
            raise ValueError(f"your chip: {name!r} is not known{nearest(name, list(CHIP_FIELDS))}")
        try:
            number_given = float(value)
        except ValueError:
            raise ValueError(f"your chip: {name} must be a number, got {value!r}") from None
        low, high = CHIP_FIELDS[name]
        if not low <= number_given <= high:
            raise ValueError(f"your chip: {name} must be from {low:g} to {high:g}, got {value}")
        row[name] = number_given
    missing = [name for name in CHIP_NEEDS if name not in row]
    if missing:
        raise ValueError(
            f"your chip needs {' and '.join(missing)}, as in memory_gb=141 memory_bandwidth_gb_per_s=4800 bf16_tflops_dense=989"
        )
    return row


@kept
def chip(snapshot: Snapshot, name: str, own: str = "") -> Chip:
    """The chip of a name as the serving model needs it."""
    return Chip.from_row(chip_row(snapshot, name, own))


def chip_name(row: dict[str, Any] | pd.Series) -> str:
    """A chip's name without its note in brackets and its memory: "H100 SXM5"."""
    return re.sub(r"\s*(\(.*\)|\d+GB)\s*", " ", str(row["name"])).strip()


def precision(shape: Shape, weights: str, kv: str = "") -> Precision:
    """Formats of a deployment: the one asked for, or the released one where that is smaller or asked for."""
    native = next((word for word in ("mxfp4", "int4") if shape.native_weights.startswith(word)), shape.native_weights)
    native = native if native in PRESETS else "bf16"
    chosen = native if weights == "released" else weights
    by_size = min((Precision.of(native, kv), Precision.of(chosen, kv)), key=shape.weight_bytes)
    return by_size if weights in ("fp8", "fp4") else Precision.of(chosen, kv)


@kept
def model_options(snapshot: Snapshot) -> dict[str, str]:
    """Names of models there are, and the pasted one."""
    return {name: name for name in sorted(snapshot.table("models")["model"], key=str.lower)} | {OWN: "Your pasted model"}


@kept
def chip_options(snapshot: Snapshot) -> dict[str, str]:
    """Chips the serving model can hold, and the reader's own."""
    rows = snapshot.table("chips")
    usable = rows[rows["memory_gb"].notna() & rows["memory_bandwidth_gb_per_s"].notna()]
    usable = usable[usable["bf16_tflops_dense"].notna() | usable["fp16_tflops_dense"].notna()]
    return dict(zip(usable["chip_id"], usable["name"])) | {OWN: "Your own chip"}
