"""What a demand takes, in words: finding, notes, and the receipt of the leading chip."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analytics.clusters import fleet as demand
from analytics.clusters.money import capital_recovery, gpu_hour_usd
from analytics.clusters.power import it_power_mw, site_power_mw
from charts import numbers
from charts.chips import NOT_ADVICE
from charts.receipt import Receipt, age_note, assumed, input_row, looked_up, worked
from charts.serving import inputs, work
from charts.words import Words
from data.queries import chips
from data.queries.chip_costs import capital_row
from data.queries.chips import DESTINATIONS
from data.snapshot import Snapshot

DEFAULT_CHIPS = ("gb200", "h200-sxm", "h100-sxm", "mi300x", "h20")
LIMITS = {"none": "Serve the demand", "power": "Power is the limit", "capital": "Capital is the limit", "chips": "Chips are the limit"}
MEASURES = {
    "chips": "Chips", "site_mw": "Site power, MW", "capital_usd": "Capital, $", "usd_per_year": "$ a year", "usd_per_query": "$ per 1,000 queries",
    "queries": "Queries a day within the limit",
}  # fmt: skip


def write(params: Any) -> Any:
    """How the bars' values are written."""
    if params.limit != "none" or params.measure == "chips":
        return numbers.count
    return numbers.power if params.measure == "site_mw" else numbers.dollars


def words(table: pd.DataFrame, params: Any) -> Words:
    """Finding: least and most of the chips compared, in chips, megawatts and dollars."""
    a, w = table.attrs, write(params)
    known = table[table["value"].notna()]
    if known.empty:
        why = next((str(r) for r in table["why_not"] if r), "choose at least one chip")
        slow = "tok/s per user" in why
        way_out: dict[str, Any] = (
            {"speed": 10.0} if slow and params.speed > 10 else {"chips": list(DEFAULT_CHIPS), "measure": "chips", "limit": "none"}
        )
        return Words(f"No chip here serves {a['model']} within these limits", empty=f"{why[0].upper()}{why[1:]}.", way_out=way_out)
    first, last = known.iloc[0], known.iloc[-1]
    if params.limit == "none":
        finding = f"{numbers.count(params.queries)} queries a day to {a['model']} take {numbers.count(first['chips'])} {first['chip']}"
        finding += f", {numbers.power(first['site_mw'])}" if first["site_mw"] == first["site_mw"] else ""
        finding += f" and {numbers.dollars(first['capital_usd'])} of servers" if first["capital_usd"] == first["capital_usd"] else ""
        if len(known) > 1:
            finding += f"; {numbers.count(last['chips'])} {last['chip']} would do the same"
    else:
        amount = {
            "power": numbers.power(params.limit_mw),
            "capital": numbers.dollars(params.limit_musd * 1e6),
            "chips": "1 chip" if params.limit_chips == 1 else f"{numbers.count(params.limit_chips)} chips",
        }
        finding = f"{amount[params.limit]} serve {numbers.count(first['value'])} queries a day to {a['model']} on {first['chip']}"
        if len(known) > 1:
            finding += f", {numbers.count(last['value'])} on {last['chip']}"
    shown = MEASURES["queries" if params.limit != "none" else params.measure]
    band = f" Whisker: {work.band_words(a['band'])}." if a["band"] else ""
    subtitle = (
        f"{shown}, by chip: {params.input_tokens:,} tokens in, {params.output_tokens:,} out, at least {params.speed:g} tok/s per user, first token within "
        f"{params.first_s:g} s, peak {params.peak:g} × the mean at {numbers.share(params.utilisation)} use. Pale: no kernel of the chip itself was measured.{band}"
    )
    notes = [f"{r['chip']}: {r['why_not']}." for r in chips.records(table) if r["why_not"]]
    notes.insert(0, f"{first['chip']}: {first['tok_s']:,.0f} output tok/s a chip, on {first['layout']}.")
    unmeasured = table[~table["measured"].astype(bool)]["chip"]
    if len(unmeasured):
        notes.append(f"No kernel of {numbers.listed(unmeasured)} itself was measured: these rest on other chips' efficiencies.")
    notes.append(
        f"Beside each bar, on a phone above it: what the fleet takes and the export outcome. "
        f"Capital is servers alone; building and cooling are in the colocation of a year. Export column {DESTINATIONS[params.dest]}: {NOT_ADVICE.lower()}"
    )
    alt = "; ".join(f"{r['chip']} {w(r['value'])}, {r['clause']}" for r in chips.records(known))
    return Words(
        finding,
        subtitle,
        f"Bars by chip: {alt}.",
        "",
        "Ridgepoint serving, power and money models; datasheets; prices as in the receipt",
        tuple(notes),
    )


def receipt(shown: pd.DataFrame, params: Any, snapshot: Snapshot) -> Receipt:
    """The leading chip: rate, chips, megawatts, a chip-hour and a year with the reader's numbers; rows of chip, price, rent and model."""
    known = shown[shown["value"].notna()]
    model = work.model_input(snapshot, params)
    if known.empty:
        return Receipt((), (model,), ("No chip here serves the model within these limits, so nothing is computed.",))
    first = chips.records(known)[0]
    row = inputs.chip_row(snapshot, first["chip_id"], params.own_chip)
    lines = [
        looked_up(f"Output tokens per second and chip, {first['chip']}", first["tok_s"], "tok/s", f"the serving model: {first['layout']}")
    ]
    if params.limit == "none":
        demanded = {"queries_per_day": params.queries, "output_tokens": params.output_tokens, "peak_over_mean": params.peak}
        lines.append(worked(demand.chips_for_demand, **demanded, tok_s_per_chip=first["tok_s"], utilisation=params.utilisation))
        if first["chips"] == first["layout_chips"]:
            lines.append(looked_up("Chips", first["chips"], "chips", "one layout at least, or the model is not held at all"))
    else:
        lines.append(looked_up("Chips within the limit", first["chips"], "chips", f"{LIMITS[params.limit].lower()}, whole chips"))
        lines.append(
            looked_up(
                "Queries a day", first["queries"], "a day", "chips × rate × utilisation over peak, 86,400 s, over the answer's tokens"
            )
        )
    rows = [model, work.chip_input(snapshot, first["chip_id"], params.own_chip)]
    if first["it_mw"] == first["it_mw"]:
        lines.append(worked(it_power_mw, chip_count=first["chips"], chip_power_w=row["tdp_w"], overhead=params.overhead))
        lines.append(worked(site_power_mw, it_power_mw=first["it_mw"], pue=params.pue))
        rows.append(input_row(row, f"{first['chip']}, rated power", numbers.plain(row["tdp_w"]), "W"))
    if first["usd_per_year"] == first["usd_per_year"]:
        lines.append(
            worked(
                gpu_hour_usd,
                capex_usd=first["usd_per_chip"],
                factor=capital_recovery(params.rate, params.life_years),
                chip_kw=row["tdp_w"] * params.overhead / 1e3,
                colocation_usd_per_kw_month=params.colocation,
                pue=params.pue,
                load=params.load,
                usd_per_kwh=params.usd_per_kwh,
                hours_used=8760,
            )  # fmt: skip
        )
        lines.append(looked_up("Cost of a year", first["usd_per_year"], "USD", "chips × chip-hour × 8,760 h"))
        lines.append(looked_up("Cost of a query", first["usd_per_query"], "USD", "the year over 365 days of queries"))
    price = None if first["chip_id"] == inputs.OWN else capital_row(snapshot, first["chip_id"])
    if price:
        rows.append(
            input_row(
                price,
                f"Capital a chip: {price['covers']}",
                numbers.dollars(price["usd_per_chip"]),
                as_of="date" if "date" in price else "as_of",
            )
        )
    rows.append(work.rent_row(snapshot, first["chip"], first["chip_id"], work.rent(snapshot, first["chip_id"])))
    for label, value, unit in (
        ("Peak over mean", f"{params.peak:g}", "×"), ("Utilisation at the peak", numbers.share(params.utilisation), ""), ("PUE", f"{params.pue:g}", ""),
        ("Colocation", f"{params.colocation:g}", "$/kW-month"), ("Electricity", f"{params.usd_per_kwh:g}", "$/kWh"),
    ):  # fmt: skip
        rows.append(assumed(label, value, unit))
    errors = list(work.passport_words(snapshot, params, first["chip_id"]))
    errors.append(age_note([r.as_of for r in rows if r.as_of], snapshot.today))
    return Receipt(
        lines, rows, ("Every chip of the fleet serves this model alone; nothing stands by for failures.",), [e for e in errors if e]
    )
