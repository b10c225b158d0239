"""What is particular to tables besides clusters: ids from names, by aliases where there are any."""

from __future__ import annotations

from functools import cache

import numpy as np

from data import shipped
from data.importing import per_gpu, rental_periods, resolve, sparsity
from data.importing.columns import missing
from data.importing.rows import Builder
from data.importing.text import clean, fold, slug

MODEL_TABLES = ("api_prices", "capability", "tokens_per_task", "host_speed")


@cache
def _model_ids() -> dict[str, str]:
    """Return folded spelling -> model id, from the price list and its aliases."""
    found = {fold(row["model_id"]): row["model_id"] for row in shipped.rows("api_prices")}
    for row in shipped.rows("api_prices"):
        found.setdefault(fold(row["model_name"]), row["model_id"])
    for row in shipped.rows("model_aliases"):
        if row["kind"] == "same_weights":
            found.setdefault(fold(row["alias"]), row["model_id"])
    return found


def finish(builder: Builder) -> None:
    """Give rows of a foreign file the ids that the table is keyed by; rates of chips are settled as dense."""
    name = builder.meta.name
    if name == "chips":
        if not builder.sheet.canonical:
            _chip_ids(builder)
        sparsity.settle(builder)
    elif name == "export_rules":
        from data.importing import rule_rows  # the rules' grammar, which no other table needs

        rule_rows.check(builder)
    elif builder.sheet.canonical:
        return
    elif name in per_gpu.FIELDS:
        rental_periods.settle(builder)
        per_gpu.settle(builder)
    elif name in MODEL_TABLES:
        _model_column(builder)
        if name == "capability":
            _fractions(builder)


def _chip_ids(builder: Builder) -> None:
    ids, names = builder.column("chip_id"), builder.column("name")
    for row in np.flatnonzero(missing(ids) & ~missing(names)):
        known = resolve.chip(names[row])
        ids[row] = known.chip_id if known and known.chip_id not in ("mixed", "none", "unknown") else slug(names[row])


def _fractions(builder: Builder) -> None:
    """Store scores in per cent as fractions, as the table holds them; scores above 1 that do not say what they are get asked about."""
    item, parsed = builder.item("score"), builder.parsed.get(("score", 0))
    if item is None or parsed is None:
        return
    percent = np.array(["%" in text for text in item.column.texts], dtype=bool)[parsed.codes] | (item.unit == "%")
    score, unit = builder.column("score"), builder.column("unit")
    with np.errstate(invalid="ignore"):
        large = (score > 1) & ~percent & missing(unit)
    if large.any():
        example = item.column.texts[parsed.codes[np.flatnonzero(large)[0]]].strip()
        answer = builder.report.ask(
            f"score:{item.column.name}",
            f'Is {example[:20]} in column "{item.column.name}" per cent, or points of an index? The table holds fractions right, or points.',
            ("percent", "points", "leave-empty"),
            "percent",
        )
        if answer == "leave-empty":
            score[large] = np.nan
        elif answer == "percent":
            percent |= large
        else:
            unit[large] = "index"
    score[percent] = np.round(score[percent] / 100, 12)
    unit[percent & missing(unit)] = "fraction"


def _model_column(builder: Builder) -> None:
    ids = builder.column("model_id")
    for row in np.flatnonzero(~missing(ids)):
        shown = clean(ids[row])
        ids[row] = _model_ids().get(fold(shown)) or (slug(shown) if " " in shown else shown)
    if "model_version" in builder.meta.columns:
        versions = builder.column("model_version")
        blank = missing(versions)
        versions[blank] = ids[blank]
