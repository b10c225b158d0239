"""The case the serving charts share: one model, one kind of request, how it is served and what a chip-hour costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.serving import Workload
from analytics.serving.doubt import passport
from analytics.serving.residuals import Band, band, band_of_new_chip, errors, worst_left_out
from charts import numbers
from charts.params import ChartParams, choice, number, pick
from charts.receipt import InputRow, assumed, input_row
from charts.serving import inputs
from charts.serving.kept import kept
from data.queries.rentals import rents
from data.queries.serving import records, residuals
from data.snapshot import Snapshot

Pools = Literal["both", "shared", "separate"]
POOLS = {"both": "Best of both", "shared": "Prefill and decode together", "separate": "Prefill apart"}
#: Kind of published run whose errors stand for a prediction of throughput.
FAMILY = "TensorRT-LLM offline run"
#: Rents count from this many days before a chip's newest one.
RENT_DAYS = 365


def output_param() -> Any:
    """The parameter for the length of an answer."""
    return number(8192, ge=1, le=1_048_576, label="Output", help="tokens of an answer, reasoning included", unit="tokens", log=True)


def pools_param() -> Any:
    """The parameter for whether prefill has chips of its own."""
    return choice("both", label="Pools", help="prefill and decode on the same chips, or prefill on chips of its own", labels=POOLS)


class WorkParams(ChartParams):
    """One model, its requests and formats."""

    model: str = pick("DeepSeek-R1", label="Model", help="the model served")
    input_tokens: int = number(1024, ge=1, le=1_048_576, label="Input", help="tokens of a prompt", unit="tokens", log=True)
    output_tokens: int = output_param()
    cached_share: float = number(0, ge=0, le=0.99, label="Cached input", help="share of the prompt found in the prefix cache", step=0.05)
    weights: inputs.Weights = inputs.weights_param()
    kv: inputs.Cache = inputs.cache_param("fp8")
    pools: Pools = pools_param()
    config: str = inputs.config_param()
    own_chip: str = inputs.chip_param()

    @property
    def workload(self) -> Workload:
        """The requests."""
        return Workload(self.input_tokens, self.output_tokens, np.floor(self.input_tokens * self.cached_share))


def rent_param() -> Any:
    """The parameter for the price of a chip-hour."""
    return number(0, ge=0, le=10_000, label="Rent", help="price of a chip-hour; 0 takes the median rent on record", unit="$ an hour")


def use_param() -> Any:
    """The parameter for the share of hours in which a chip serves."""
    return number(1.0, ge=0.01, le=1, label="Utilisation", help="share of its hours in which a chip serves at this rate", step=0.01)


@dataclass(frozen=True)
class Rent:
    """What a chip-hour costs, and who says so."""

    usd_per_hour: float
    low: float
    high: float
    n: int
    newest: str
    basis: str


@kept
def rent(snapshot: Snapshot, chip_id: str, own: float = 0.0) -> Rent | None:
    """Rent of a chip: the reader's own, else the median of on-demand offers outside hyperscalers in the year before the newest one.

    Where there is none of these, of all on-demand offers, then of offers of any term; None where no rent is on record.
    """
    if own > 0:
        return Rent(own, own, own, 0, "", "set by you")
    rows = rents(snapshot)
    rows = rows[rows["chip_id"] == chip_id]
    demand = rows[rows["term"] == "on-demand"]
    wanted = (
        (demand[demand["provider_tier"] != "hyperscaler"], "on-demand offers outside hyperscalers"),
        (demand, "on-demand offers"),
        (rows, "offers of any term"),
    )
    for found, basis in wanted:
        if len(found):
            recent = found[found["day"] >= found["day"].max() - RENT_DAYS]
            value = recent["usd_per_gpu_hour"]
            return Rent(float(value.median()), float(value.min()), float(value.max()), len(recent), str(recent["date"].max()), basis)
    return None


def rent_row(snapshot: Snapshot, name: str, chip_id: str, found: Rent | None) -> InputRow:
    """The rent as a row of the receipt."""
    if found is None:
        return InputRow(f"Rent of {name}", "none on record")
    if found.n == 0:
        return assumed(f"Rent of {name}", f"${found.usd_per_hour:g}", "an hour")
    rows = rents(snapshot)
    newest = rows[(rows["chip_id"] == chip_id) & (rows["date"] == found.newest)].iloc[-1]
    value = numbers.dollars(found.usd_per_hour)
    told = f"an hour, median of {found.n} {found.basis}: {numbers.dollars(found.low)} to {numbers.dollars(found.high)}"
    return input_row(newest, f"Rent of {name}", value, told if found.n > 1 else f"an hour, {found.basis}", as_of="date")


def model_input(snapshot: Snapshot, params: Any) -> InputRow:
    """The model as a row of the receipt."""
    shape = inputs.model(snapshot, params.model, params.config)
    told = f"{shape.total_params / 1e9:,.0f}B parameters, {shape.active_params / 1e9:,.0f}B active"
    if params.model == inputs.OWN:
        return InputRow(shape.name, told, "", "the configuration you pasted", "", "assumption")
    return input_row(inputs.model_row(snapshot, params.model), shape.name, told, source="config_source")


def chip_input(snapshot: Snapshot, chip_id: str, own: str) -> InputRow:
    """A chip as a row of the receipt."""
    row = inputs.chip_row(snapshot, chip_id, own)
    told = f"{row['memory_gb']:,.0f} GB at {row['memory_bandwidth_gb_per_s']:,.0f} GB/s"
    return input_row(row, inputs.chip_name(row), told)


@kept
def error_band(snapshot: Snapshot, measured: bool = True) -> Band | None:
    """The band of measured over predicted throughput, of a chip with or without measured kernels; None where too few were compared."""
    return (band if measured else band_of_new_chip)(records(residuals(snapshot)), FAMILY)


def band_facts(found: Band | None) -> dict[str, float] | None:
    """A band as a table carries it."""
    return {"low": found.low, "high": found.high, "n": found.n, "share": found.share} if found else None


def band_words(kept: Mapping[str, Any]) -> str:
    """What a band a table carries says; tables kept without its share were made for 80 %."""
    return f"{100 * kept.get('share', 0.8):g} % of runs, by {kept['n']} measured runs"


def passport_words(snapshot: Snapshot, params: Any, chip_id: str) -> tuple[str, ...]:
    """Nearest measured run, its distance and error; runs of this chip and model and their error; the error of all."""
    return _passport(snapshot, params.model, params.config, params.input_tokens, params.output_tokens, chip_id)


def nearest_words(snapshot: Snapshot, params: Any, chip_id: str) -> list[str]:
    """The nearest measured run with its distance and error, and how many of this model on this chip, as a table carries them."""
    return list(passport_words(snapshot, params, chip_id)[:2])


@kept
def _passport(snapshot: Snapshot, model: str, config: str, input_tokens: int, output_tokens: int, chip_id: str) -> tuple[str, ...]:
    rows = residuals(snapshot)
    rows = rows[rows["measured"].notna() & rows["ratio"].notna()] if len(rows) else rows
    if rows.empty:
        return ("No measured run has been compared with the model at this revision, so no error is stated.",)
    shape = inputs.model(snapshot, model, config)
    same_model = rows["model"].map(lambda name: _same_shape(snapshot, name, shape))
    here = same_model & (rows["chip_id"] == chip_id)
    ratio = np.array([worst_left_out(row) for row in records(rows)])
    lengths = {"input tokens": input_tokens, "output tokens": output_tokens}
    points = {"input tokens": rows["input_tokens"], "output tokens": rows["output_tokens"]}
    # another model says less than another chip, and either less than other lengths of the same pair
    apart = np.where(same_model, 0, 8.0) + np.where(rows["chip_id"] == chip_id, 0, 4.0)
    stands = passport(lengths, points, ratio, np.ones_like(ratio), here, apart)
    near, step = rows.iloc[stands.nearest], stands.distance
    what = f"{near['model']} on {chip_label(snapshot, str(near['chip_id']))}, {near['input_tokens']:,.0f} in and {near['output_tokens']:,.0f} out"
    away = "the same lengths" if step < 0.05 else f"{numbers.plain(float(f'{2**step:.2g}'))} times away in length"
    said = [
        f"Nearest measured run: {what}, {away}; predicted over measured {ratio[stands.nearest]:.2f} with its model or chip left out of the fit."
    ]
    if stands.n:
        runs = "run" if stands.n == 1 else "runs"
        said.append(f"{stands.n} measured {runs} of this model on this chip, median error {100 * stands.median_error:.0f} %.")
    else:
        said.append("No measured run of this model on this chip: the error of others stands for it, and may be too small.")
    every = errors(ratio[rows["family"].to_numpy() == FAMILY])
    if every:
        said.append(
            f"All {every.n} {FAMILY}s, left out in turn: median error {100 * every.median_absolute_error:.0f} %, "
            f"{100 * every.within_25_percent:.0f} % within a quarter."
        )
    return tuple(said)


def _same_shape(snapshot: Snapshot, name: Any, shape: Any) -> bool:
    try:
        other = inputs.model(snapshot, str(name))
    except ValueError:
        return False
    return (other.layers, other.hidden, other.heads, other.experts) == (shape.layers, shape.hidden, shape.heads, shape.experts)


def short(name: str) -> str:
    """A chip's name as labels have it: "H200", "MI300X", "GB200"."""
    return name.replace("Instinct ", "").replace(" SXM5", "").replace(" SXM4", "").strip()


def chip_names(snapshot: Snapshot, chip_ids: Sequence[str], own: str = "") -> dict[str, str]:
    """What labels call these chips side by side: the memory is named too where two would be called alike ("H20, 141 GB")."""
    rows = {chip_id: inputs.chip_row(snapshot, chip_id, own) for chip_id in dict.fromkeys(chip_ids)}
    names = {chip_id: short(inputs.chip_name(row)) for chip_id, row in rows.items()}
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    return {i: f"{name}, {rows[i]['memory_gb']:,.0f} GB" if name in shared else name for i, name in names.items()}


@kept
def chip_label(snapshot: Snapshot, chip_id: str) -> str:
    """What labels call the chip of an id; the id itself where no such chip is on record."""
    try:
        return short(inputs.chip_name(inputs.chip_row(snapshot, chip_id)))
    except ValueError:
        return chip_id


def blank_table(columns: dict[str, str]) -> pd.DataFrame:
    """An empty table with typed columns."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
