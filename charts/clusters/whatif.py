"""What if a cluster had other chips, more of them, other power, another site or other prices: base against changed, with ratios."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.clusters import goodput, power, training
from analytics.clusters.money import capital_recovery, electricity_usd, gpu_hour, gpu_hour_usd
from charts import numbers
from charts.clusters import whatif_figure
from charts.clusters.choices import with_facts
from charts.clusters.whatif_figure import QUANTITIES
from charts.params import ChartParams, choice, number, pick
from charts.receipt import FormulaLine, InputRow, Receipt, age_note, assumed, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.serving.inputs import chip_name
from charts.words import Words
from data.queries import chips, cluster_base, clusters
from data.queries.chip_costs import capital_row
from data.snapshot import Snapshot

SAME = ""


class Params(ChartParams):
    """A stored cluster and what is changed; 0 and an empty name keep what the cluster has."""

    cluster: str = pick("xai-colossus1", label="Cluster", help="the cluster that is changed")
    chip: str = pick(SAME, label="Chip", help="chips instead of its own")
    keep: Literal["chips", "power", "servers"] = choice(
        "power",
        label="Keep",
        help="what stays as it is where no count is given",
        labels={"power": "Keep its IT power", "chips": "Keep its chip count", "servers": "Keep its spending"},
    )
    count: float = number(0.0, ge=0, le=100_000_000, label="Count", help="how many chips instead; 0 follows what is kept", unit="chips")
    it_mw: float = number(
        0.0,
        ge=0,
        le=100_000,
        label="IT power",
        help="instead of its own, filled with chips; 0 keeps it; not used where a count is given",
        unit="MW",
    )
    country: str = pick(SAME, label="Site", help="a country whose stored sites give the PUE")
    pue: float = number(
        0.0, ge=0, le=3, label="PUE", help="site over IT power instead, from 1; 0 keeps it or takes the country's", step=0.01
    )
    usd_per_kwh: float = number(0.08, ge=0, le=5, label="Electricity", help="price where the cluster is now", unit="$/kWh", step=0.01)
    new_usd_per_kwh: float = number(
        0.08, ge=0, le=5, label="Electricity there", help="price after the change; the store has none by country", unit="$/kWh", step=0.01
    )
    chip_usd: float = number(
        0.0, ge=0, le=1_000_000, label="Price of a chip", help="with its share of the server; 0 takes the price on record", unit="$"
    )
    load: float = number(0.8, ge=0.01, le=1, label="Load", help="mean share of IT power drawn", step=0.05)
    mfu: float = number(0.4, ge=0.01, le=1, label="MFU", help="share of peak a training run reaches", step=0.01)
    rate: float = number(0.10, ge=0, le=1, label="Cost of capital", help="a year", step=0.01)
    life_years: float = number(5.0, ge=0.25, le=60, label="Life", help="years a server earns", unit="years", step=0.5)
    colocation: float = number(
        130.0, ge=0, le=2000, label="Colocation", help="building and cooling, without electricity", unit="$/kW-month"
    )


def _chip(snapshot: Snapshot, chip_id: str) -> dict[str, Any]:
    row = chips.chip(snapshot, chip_id)
    rate = row["bf16_tflops_dense"]
    return row | {"name": chip_name(row), "tflops": float(rate if rate == rate else row["fp16_tflops_dense"]), "tdp": float(row["tdp_w"])}


def _price(snapshot: Snapshot, chip_id: str) -> float:
    found = capital_row(snapshot, chip_id)
    return float(found["usd_per_chip"]) if found else float("nan")


def _base(params: Params, snapshot: Snapshot) -> dict[str, Any]:
    """Chips, watts a chip, PUE and dollars a chip of the cluster as the store has it, with where each is from."""
    told = cluster_base.base(snapshot, params.cluster)
    row = _chip(snapshot, told["chip_id"])
    count, it = told["chip_count"], told["power_mw"]
    if count == count and it == it:
        watts, why = float(power.power_per_chip_w(it, count)), "its IT power over its chips"
    elif row["tdp"] == row["tdp"]:
        watts, why = row["tdp"] * power.EPOCH_OVERHEAD, f"rated power × {power.EPOCH_OVERHEAD:g}"
    else:
        raise ValueError(f"{told['name']}: neither its power nor the rated power of {row['name']} is on record")
    n = count if count == count else float(np.floor(it * 1e6 / watts))
    pue, pue_why = (told["pue"], "its site over its IT power") if told["pue"] == told["pue"] else (1.12, "assumed: no site power is given")
    own = told["servers_usd"] / n if told["servers_usd"] == told["servers_usd"] else float("nan")
    usd, usd_why = (own, "its spending on servers") if own == own else (_price(snapshot, told["chip_id"]), "the price on record")
    facts = {"row": told, "chip": row, "chips": n, "watts": watts, "watts_why": why, "pue": max(pue, 1.0), "pue_why": pue_why}
    facts["count_why"] = "" if count == count else "Its count is not given: it is what its IT power feeds."
    return facts | {"chip_usd": usd, "usd_why": usd_why, "usd_per_kwh": params.usd_per_kwh}


def _changed(params: Params, snapshot: Snapshot, base: dict[str, Any]) -> dict[str, Any]:
    """The same after the change."""
    same = params.chip in (SAME, base["row"]["chip_id"])
    row = base["chip"] if same else _chip(snapshot, params.chip)
    watts = base["watts"]
    if not same:
        if not (row["tdp"] == row["tdp"] and base["chip"]["tdp"] == base["chip"]["tdp"]):
            raise ValueError(
                f"rated power of {row['name'] if row['tdp'] != row['tdp'] else base['chip']['name']} is not on record: choose another chip"
            )
        watts = row["tdp"] * base["watts"] / base["chip"]["tdp"]
    usd = params.chip_usd or (base["chip_usd"] if same else _price(snapshot, params.chip))
    if params.count:
        n = float(params.count)
    elif params.it_mw:
        n = float(power.site_to_chips(params.it_mw, watts, pue=1.0))
    elif params.keep == "power":
        n = base["chips"] if same else float(power.site_to_chips(base["chips"] * base["watts"] / 1e6, watts, pue=1.0))
    elif params.keep == "servers":
        if not (usd == usd and base["chip_usd"] == base["chip_usd"]):
            raise ValueError(
                "what is spent on servers cannot be kept: no price of one of the chips is on record; set a price or keep the power"
            )
        n = float(np.floor(base["chips"] * base["chip_usd"] / usd + 1e-6))
    else:
        n = base["chips"]
    if n < 1:
        raise ValueError(f"less than one chip of {watts:,.0f} W is left: give more power or chips")
    pue = base["pue"]
    if params.pue:
        if params.pue < 1:
            raise ValueError(f"PUE must be from 1 to 3, got {params.pue:g}: a site draws at least what its servers do")
        pue = params.pue
    elif params.country:
        found = cluster_base.country_pue(snapshot, params.country)
        if found is None:
            raise ValueError(f"no stored site in {params.country} gives both site and IT power: set the PUE itself")
        pue = found["pue"]
    return {"chip": row, "chips": n, "watts": watts, "pue": pue, "chip_usd": usd, "usd_per_kwh": params.new_usd_per_kwh}


def _worked_out(params: Params, state: dict[str, Any]) -> dict[str, float]:
    """Every quantity of one state; NaN where a fact is missing."""
    n, kw = state["chips"], state["watts"] / 1e3
    it = n * kw / 1e3
    flops, hbm = n * state["chip"]["tflops"] * 1e12, n * float(state["chip"]["memory_bandwidth_gb_per_s"]) * 1e9
    kept = float(goodput.daly_efficiency(n)["efficiency"])
    energy = float(power.energy_per_year_mwh(it, params.load, state["pue"]))
    out = {
        "chips": n, "it_mw": it, "site_mw": float(power.site_power_mw(it, state["pue"])), "eflops": flops / 1e18, "hbm_pb_s": hbm / 1e15,
        "goodput": kept, "servers_usd": n * state["chip_usd"], "energy_gwh": energy / 1e3,
        "electricity_usd": float(electricity_usd(energy, state["usd_per_kwh"] * 1e3)),
        "days_1e26": float(training.run_days(1e26, n, state["chip"]["tflops"] * 1e12, params.mfu, kept)) if kept > 0 else float("nan"),
    }  # fmt: skip
    if state["chip_usd"] == state["chip_usd"]:
        hour = gpu_hour(
            state["chip_usd"], kw, rate=params.rate, life_years=params.life_years, colocation_usd_per_kw_month=params.colocation, pue=state["pue"],
            load=params.load, usd_per_kwh=state["usd_per_kwh"],
        )  # fmt: skip
        out["usd_per_hour"] = float(hour.total_usd)
        out["usd_per_year"] = out["usd_per_hour"] * n * power.HOURS_PER_YEAR
        out["usd_per_eflop_day"] = out["usd_per_year"] / 365 / out["eflops"]
    return out


def idle(params: Params) -> frozenset[str]:
    """Nothing is kept where a count or a power is given; a PUE stands for the site's."""
    kept = {"keep"} if params.count or params.it_mw else set()
    return frozenset(kept | ({"country"} if params.pue else set()))


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a quantity: base, changed, ratio (NaN where a fact is missing)."""
    base = _base(params, snapshot)
    changed = _changed(params, snapshot, base)
    before, after = _worked_out(params, base), _worked_out(params, changed)
    rows = []
    for name, (label, _) in QUANTITIES.items():
        a, b = before.get(name, float("nan")), after.get(name, float("nan"))
        rows.append([name, label, a, b, b / a if a > 0 else float("nan")])
    facts = {
        "name": base["row"]["name"], "source": clusters.short_source(base["row"]["source"]), "as_of": str(base["row"]["as_of"]), "before": base["chip"]["name"],
        "after": changed["chip"]["name"], "watts": base["watts"], "watts_after": changed["watts"], "pue": base["pue"], "pue_after": changed["pue"],
        "later": cluster_base.later_without_chip(snapshot, base["row"]),
        "why": [base["watts_why"], base["pue_why"], base["usd_why"]], "phase": base["row"]["phase"], "mixed": base["row"]["mixed"], "count_why": base["count_why"],
    }  # fmt: skip
    return with_facts(pd.DataFrame(rows, columns=["quantity", "label", "base", "changed", "ratio"]), facts)


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: what the change does to chips, compute and money."""
    a = table.attrs
    ratio = table.set_index("quantity")["ratio"]
    what = f"{a['name']} with {a['after']}" if a["after"] != a["before"] else f"{a['name']}, changed,"
    moved = table[(table["ratio"] - 1).abs() > 0.005]
    if moved.empty:
        finding = (
            f"{a['name']} as it is: {numbers.count(table['base'].iloc[0])} {a['before']}, {numbers.power(table['base'].iloc[1])} of IT"
        )
    else:
        told = {"chips": "the chips", "eflops": "the 16-bit compute", "usd_per_year": "the cost of a year", "site_mw": "the site power"}
        parts = [f"{ratio[n]:.3g} × {words}" for n, words in told.items() if ratio[n] == ratio[n] and abs(ratio[n] - 1) > 0.005]
        parts = parts or [f"{moved['ratio'].iloc[0]:.3g} × {moved['label'].iloc[0].lower()}"]
        finding = (
            f"{what} has {numbers.listed(parts, 4)}"
            if "cost" not in parts[0]
            else f"{what} costs {parts[0].removesuffix(' the cost of a year')} a year"
        )
    subtitle = (
        f"Changed over base, log scale, from the line at 1 ×. Base: {a['source']}, {a['phase']}, {numbers.date(a['as_of'])}; {a['watts']:,.0f} W a chip, "
        f"PUE {a['pue']:.3g}. Changed: {a['watts_after']:,.0f} W, PUE {a['pue_after']:.3g}{_set(params)}."
    )
    notes = [
        f"Watts a chip of the base: {a['why'][0]}; PUE: {a['why'][1]}; price: {a['why'][2]}.",
        "A changed chip keeps the base's overhead over rated power. Electricity prices are yours: the store has none by country.",
    ]
    if a["count_why"]:
        notes.insert(0, a["count_why"])
    if later := a.get("later"):
        power_said = [numbers.power(later["it_mw"])] if later["it_mw"] else []
        said = power_said + ([f"{numbers.count(later['chips'])} chips"] if later["chips"] else [])
        notes.append(
            f"What was said later names no single chip, so it is not the base: {numbers.listed(said)}, {numbers.date(later['day'])}, {later['source']}."
        )
    if a["mixed"]:
        notes.append(f"The cluster holds several kinds of chip; all are taken as its most numerous, {a['before']}.")
    missing = table[table["ratio"].isna()]["label"]
    if len(missing):
        notes.append(f"No ratio for {numbers.listed([m[0].lower() + m[1:] for m in missing], 6)}: a price or rate is not on record.")
    shown = table[table["ratio"].notna()]
    alt = "; ".join(
        f"{r['label']} {QUANTITIES[r['quantity']][1](r['base'])} to {QUANTITIES[r['quantity']][1](r['changed'])}"
        for _, r in shown.iterrows()
    )
    return Words(
        finding, subtitle, f"{finding}. {alt}.", "", f"{a['source']}; datasheets; Ridgepoint power, money and failure models", tuple(notes)
    )


def _set(params: Params) -> str:
    """What the reader set in place of what is kept: of a count and an IT power, the count."""
    if params.count:
        unused = f", so the IT power of {numbers.power(params.it_mw)} is not used" if params.it_mw else ""
        return f", {numbers.count(params.count)} chips as set{unused}"
    return f", {numbers.power(params.it_mw)} of IT power as set" if params.it_mw else ""


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The changed cluster worked out, base figures and chips with their sources."""
    base = _base(params, snapshot)
    new = _changed(params, snapshot, base)
    after = _worked_out(params, new)
    lines: list[FormulaLine] = [looked_up(f"Watts a chip, {base['chip']['name']}", base["watts"], "W", base["watts_why"])]
    if new["watts"] != base["watts"]:
        lines.append(looked_up(f"Watts a chip, {new['chip']['name']}", new["watts"], "W", "its rated power × the base's overhead"))
    lines.append(worked(power.it_power_mw, chip_count=new["chips"], chip_power_w=new["watts"], overhead=1))
    lines.append(worked(power.site_power_mw, it_power_mw=after["it_mw"], pue=new["pue"]))
    lines.append(worked(power.energy_per_year_mwh, it_power_mw=after["it_mw"], load=params.load, mean_pue=new["pue"]))
    if after["goodput"] > 0:
        peak = new["chip"]["tflops"] * 1e12
        lines.append(
            worked(training.run_days, flop=1e26, chips=new["chips"], peak_flop_per_s=peak, mfu=params.mfu, goodput=after["goodput"])
        )
    if new["chip_usd"] == new["chip_usd"]:
        lines.append(
            worked(
                gpu_hour_usd,
                capex_usd=new["chip_usd"],
                factor=capital_recovery(params.rate, params.life_years),
                chip_kw=new["watts"] / 1e3,
                colocation_usd_per_kw_month=params.colocation,
                pue=new["pue"],
                load=params.load,
                usd_per_kwh=params.new_usd_per_kwh,
                hours_used=8760,
            )  # fmt: skip
        )
    row = base["row"]
    inputs: list[InputRow] = []
    for label, value, unit in (
        ("chips", row["chip_count"], ""),
        ("IT power", row["power_mw"], "MW"),
        ("site power", row["site_power_mw"], "MW"),
        ("servers", row["servers_usd"], "USD"),
    ):
        if value == value:
            inputs.append(input_row(row, f"{row['name']}, {row['phase']}: {label}", numbers.plain(value), unit))
    for state in (base, new) if new["chip"]["chip_id"] != base["chip"]["chip_id"] else (base,):
        told = state["chip"]
        inputs.append(
            input_row(told, f"{told['name']}, rated power and dense 16-bit rate", f"{told['tdp']:g} W, {told['tflops']:,.0f}", "TFLOP/s")
        )
        price = capital_row(snapshot, told["chip_id"])
        if price:
            inputs.append(
                input_row(
                    price,
                    f"Capital a chip: {price['covers']}",
                    numbers.dollars(price["usd_per_chip"]),
                    as_of="date" if "date" in price else "as_of",
                )
            )
    country = cluster_base.country_pue(snapshot, params.country) if params.country and not params.pue else None
    if country:
        inputs.append(
            InputRow(
                f"PUE in {params.country}",
                f"{country['pue']:.3g}",
                "×",
                f"median of {country['n']} stored {'site' if country['n'] == 1 else 'sites'}: {country['low']:.3g} to {country['high']:.3g}",
            )
        )
    for label, told_value, unit in (
        ("Electricity", f"{params.usd_per_kwh:g}, then {params.new_usd_per_kwh:g}", "$/kWh"),
        ("Load", numbers.share(params.load), ""),
        ("Colocation", f"{params.colocation:g}", "$/kW-month"),
        ("MFU", numbers.share(params.mfu), ""),
    ):
        inputs.append(assumed(label, told_value, unit))
    errors = (
        "Ratios share their assumptions, so they are surer than the amounts; no source gives a range for either.",
        age_note([i.as_of for i in inputs if i.as_of], snapshot.today),
    )
    notes = (f"One synchronous job with the failure rate of Llama 3's run; PUE of the base: {base['pue_why']}; price: {base['usd_why']}.",)
    return Receipt(lines, inputs, notes, errors)


def _chips(snapshot: Snapshot) -> dict[str, str]:
    return {SAME: "Its own chips"} | chips.names(snapshot)


def _countries(snapshot: Snapshot) -> dict[str, str]:
    return {SAME: "Where it is"} | cluster_base.countries(snapshot)


CHART = register(
    Chart(
        id="clusters.whatif",
        page="clusters",
        title="What if",
        params=Params,
        table=table,
        figure=whatif_figure.figure,
        receipt=receipt,
        words=words,
        idle=idle,
        options={"cluster": cluster_base.names, "chip": _chips, "country": _countries},
        presets=(
            Preset("gb200", "Colossus 1 with GB200 in its power", {"chip": "gb200"}, claim="C6"),
            Preset("million", "Colossus 1 with a million chips", {"count": 1_000_000.0}, claim="C6"),
            Preset("rainier", "Rainier with GB200", {"cluster": "anthropic-rainier", "chip": "gb200"}, claim="C8"),
            Preset("goodyear", "Goodyear at 500,000 chips", {"cluster": "msft-goodyear", "count": 500_000.0}, claim="C16"),
        ),
        heights=(500, 560),
    )
)
