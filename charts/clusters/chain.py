"""What so many chips take at the site, and how many a site feeds: chip, server, rack, hall, IT load, meter, year, grid."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from analytics.clusters import power
from charts import numbers
from charts.clusters import chain_figure
from charts.clusters.choices import facts_of, with_facts
from charts.params import ChartParams, choice, flag, many, number, pick
from charts.receipt import FormulaLine, InputRow, Receipt, age_note, assumed, input_row, worked
from charts.registry import Chart, Preset, register
from charts.serving.inputs import chip_name
from charts.words import Words
from data.queries import chips, cluster_models
from data.snapshot import Snapshot

ALL_IN_ROWS = {"h100-sxm": ("h100_allin_w", "dgx_h100_w")}
CLAIMED_CHIP_W = {"a100-sxm-80": "a100_w", "h100-sxm": "h100_w", "gb200": "blackwell_w"}


class Params(ChartParams):
    """From chips to megawatts or back, with every factor on the way."""

    start: Literal["chips", "site"] = choice(
        "chips", label="From", help="what is given", labels={"chips": "Chips to megawatts", "site": "Megawatts to chips"}
    )
    show: Literal["chain", "generations"] = choice(
        "chain",
        label="Show",
        help="the steps from chip to site, or power a chip by generation",
        labels={"chain": "Chip to site", "generations": "By generation"},
    )
    chip: str = pick("h100-sxm", label="Chip", help="whose rated power is taken")
    chips: int = number(100_000, ge=1, le=10_000_000, label="Chips", help="how many, where chips are given", log=True)
    site_mw: float = number(150, ge=0.01, le=100_000, label="Site power", help="power at the meter, where it is given", unit="MW", log=True)
    own_all_in: bool = flag(False, label="All-in power given", help="take the all-in power below in place of rated power times overhead")
    all_in_w: float = number(
        1_400, ge=20, le=20_000, label="All-in power", help="IT power a chip with server and network", unit="W", step=10
    )
    overhead: float = number(
        power.EPOCH_OVERHEAD, ge=1, le=5, label="Overhead", help="IT power over chip power: server, network, storage", unit="×", step=0.01
    )
    peak_pue: float = number(
        1.3, ge=1, le=3, label="Peak PUE", help="site over IT power on the hottest day; sizes the connection", step=0.01
    )
    mean_pue: float = number(1.14, ge=1, le=3, label="Mean PUE", help="site over IT energy of a year; sets the bill", step=0.01)
    load: float = number(0.8, ge=0.01, le=1, label="Load", help="mean share of IT power that is drawn", step=0.01)
    region: Literal["US", "world"] = choice(
        "US", label="Grid", help="whose electricity the year is a share of", labels={"US": "United States", "world": "World"}
    )
    per_server: int = number(8, ge=1, le=512, label="Chips a server", help="chips that share a chassis")
    per_rack: int = number(4, ge=1, le=64, label="Servers a rack", help="servers in one rack")
    per_hall: int = number(200, ge=1, le=5_000, label="Racks a hall", help="racks in one data hall")
    compare: tuple[str, ...] = many(
        ("a100-sxm-80", "h100-sxm", "gb200", "gb300", "vr200", "trainium2"),
        label="Generations",
        help="chips side by side; those whose rated power is not published are named and left out",
        most=10,
    )


def _rated(snapshot: Snapshot, chip_id: str) -> dict[str, Any]:
    row = chips.chip(snapshot, chip_id)
    if not row["tdp_w"] > 0:
        raise ValueError(f"the rated power of {row['name']} is not published: choose another chip")
    return row


def _overhead(params: Params, chip_w: float) -> float:
    """IT power over chip power; ValueError where the all-in power given is below the chip's own."""
    if not params.own_all_in:
        return params.overhead
    if not chip_w <= params.all_in_w <= 5 * chip_w:
        raise ValueError(
            f"all_in_w must be from the chip's rated {chip_w:,.0f} W to five times that, {5 * chip_w:,.0f} W, got {params.all_in_w:,.0f} W"
        )
    return params.all_in_w / chip_w


def _steps(params: Params, chip_w: float) -> dict[str, Any]:
    """Every step as plain numbers, with the count the site feeds where its power is given."""
    over = _overhead(params, chip_w)
    n = float(params.chips)
    if params.start == "site":
        n = float(power.site_to_chips(params.site_mw, chip_w * over, pue=params.peak_pue))
        if n < 1:
            raise ValueError(f"site_mw must feed at least one chip of {chip_w * over:,.0f} W all-in, got {params.site_mw:g} MW")
    sizes = {"chips_per_server": params.per_server, "servers_per_rack": params.per_rack, "racks_per_hall": params.per_hall}
    steps = power.chip_to_site(n, chip_w, overhead=over, pue=params.peak_pue, **sizes)
    energy = float(power.energy_per_year_mwh(steps["it_mw"], params.load, params.mean_pue)) / 1e6
    return {name: float(value) for name, value in steps.items()} | {"chips": n, "overhead": over, "energy_twh": energy}


def _grid(params: Params, snapshot: Snapshot) -> tuple[float, list[dict[str, Any]]]:
    rows = cluster_models.grid_rows(snapshot, params.region)
    if rows is None:
        return float("nan"), []
    return float(power.grid_twh(rows[0]["value"], rows[1]["value"] / 100)), list(rows)


def idle(params: Params) -> frozenset[str]:
    """What the drawing leaves out: the other end of the ladder, or all that one kind of chip in one site is asked."""
    if params.show == "generations":
        once = ("start", "chip", "chips", "site_mw", "mean_pue", "load", "region", "per_server", "per_rack", "per_hall")
        return frozenset({*once, "own_all_in", "all_in_w"})
    unset = set() if params.own_all_in else {"all_in_w"}
    return frozenset(unset | {"compare", "site_mw" if params.start == "chips" else "chips"})


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a step of the chain (count, power of one and of all), or one row a generation and published cluster."""
    row = _rated(snapshot, params.chip)
    steps = _steps(params, float(row["tdp_w"]))
    grid, _ = _grid(params, snapshot)
    facts: dict[str, Any] = {"chip": chip_name(row), "tdp_w": float(row["tdp_w"]), "region": cluster_models.GRIDS[params.region][0]}
    facts |= steps | {"today": snapshot.today.isoformat()}
    facts |= {
        "grid_twh": grid if grid == grid else None,
        "share": float(power.share_of_grid(steps["energy_twh"], grid)) if grid == grid else None,
    }
    facts |= {"published": _published(params, snapshot), "error": _error(params, snapshot)}
    facts |= _thinned(params, snapshot)
    if params.show == "generations":
        return with_facts(_generations(params, snapshot, facts), facts)
    all_in = steps["chip_w"] * steps["overhead"]
    chain = [
        ("Chip", steps["chips"], "chips", steps["chip_w"] / 1e6, "rated power"),
        ("Chip, all-in", steps["chips"], "chips", all_in / 1e6, "with its share of server, network and storage"),
        ("Server", steps["servers"], "servers", steps["server_kw"] / 1e3, f"{params.per_server:,} chips"),
        ("Rack", steps["racks"], "racks", steps["rack_kw"] / 1e3, f"{params.per_rack:,} servers"),
        ("Hall", steps["halls"], "halls", steps["hall_mw"], f"{params.per_hall:,} racks, full"),
        ("IT load", 1, "", steps["it_mw"], "all chips, all-in"),
        ("Site, peak", 1, "", steps["site_mw"], f"PUE {params.peak_pue:g}"),
        (
            "Site, mean",
            1,
            "",
            steps["energy_twh"] * 1e6 / power.HOURS_PER_YEAR,
            f"load {numbers.share(params.load)}, PUE {params.mean_pue:g}",
        ),
    ]
    return with_facts(pd.DataFrame(chain, columns=["step", "count", "unit", "each_mw", "basis"]), facts)


def _published(params: Params, snapshot: Snapshot) -> list[dict[str, Any]]:
    """Published all-in watts of the chip chosen: stated ranges and clusters with a power of their own."""
    out = []
    for row in cluster_models.parameters(snapshot, *ALL_IN_ROWS.get(params.chip, ())):
        low, value, high = (float(row[k]) for k in ("low", "value", "high"))
        low, high = (v if v == v else value for v in (low, high))
        out.append(_stated(row, str(row["description"]), low, value, high))
    for row in chips.records(cluster_models.training_runs(snapshot)):
        if row["chip_id"] == params.chip and row["power_mw"] > 0 and row["chip_count"] > 0:
            ends = (float(power.power_per_chip_w(row[k], row["chip_count"])) for k in ("power_low_mw", "power_mw", "power_high_mw"))
            out.append(_stated(row, f"{row['name']}, power over its chips", *ends))
    rows = cluster_models.watts_per_chip(snapshot)
    for row in chips.records(cluster_models.spread(rows[rows["chip_id"] == params.chip])):
        out.append(_stated(row, str(row["name"]), *[float(row["watts"])] * 3))
    return out


def _thinned(params: Params, snapshot: Snapshot) -> dict[str, str]:
    """What to say where a chip has more clusters with a power of their own than are drawn; empty otherwise."""
    shown = params.compare if params.show == "generations" else (params.chip,)
    counts = cluster_models.watts_per_chip(snapshot)["chip_id"].value_counts().reindex(shown).fillna(0)
    if counts.max() <= cluster_models.DRAWN:
        return {}
    return {"thinned": f"Of {counts.sum():,.0f} clusters {cluster_models.DRAWN} a chip are drawn, spread evenly over their watts."}


def _stated(row: dict[str, Any], label: str, low: float, value: float, high: float) -> dict[str, Any]:
    return {"label": label, "low": low, "value": value, "high": high, "rung": str(row["rung"]), "source": str(row["source"])}


def _error(params: Params, snapshot: Snapshot) -> dict[str, Any] | None:
    """How far rated power times overhead lies from clusters with a power of their own: median and range of the ratio."""
    rows = cluster_models.watts_per_chip(snapshot)
    rated = snapshot.table("chips").set_index("chip_id")["tdp_w"]
    own = rows.assign(ratio=rows["chip_id"].map(rated) * params.overhead / rows["watts"]).dropna(subset=["ratio"])
    own = own[~own["measured"].astype(bool)].drop_duplicates(["chip_id", "name"], keep="last")
    if own.empty:
        return None
    ratio = own["ratio"].to_numpy(float)
    return {"n": len(ratio), "median": float(np.median(ratio)), "low": float(ratio.min()), "high": float(ratio.max())}


def _generations(params: Params, snapshot: Snapshot, facts: dict[str, Any]) -> pd.DataFrame:
    clusters = cluster_models.watts_per_chip(snapshot)
    out: list[dict[str, Any]] = []
    facts["unrated"] = []
    for chip_id in dict.fromkeys(params.compare):
        row = chips.chip(snapshot, chip_id)
        tdp = float(row["tdp_w"])
        if not tdp > 0:
            facts["unrated"].append(chip_name(row))
            continue
        name, all_in = chip_name(row), tdp * params.overhead
        base = {"chip_id": chip_id, "chip": name, "low_w": np.nan, "high_w": np.nan, "label": "", "measured": False}
        out.append(base | {"kind": "chip", "watts": tdp, "rung": row["rung"], "source": row["source"]})
        out.append(base | {"kind": "all-in", "watts": all_in, "rung": "modelled", "source": "rated power × overhead"})
        out.append(base | {"kind": "site", "watts": all_in * params.peak_pue, "rung": "modelled", "source": "× peak PUE"})
        for stated in _published(params.model_copy(update={"chip": chip_id}), snapshot):
            if stated["low"] < stated["high"]:
                told = {
                    "low_w": stated["low"],
                    "high_w": stated["high"],
                    "label": stated["label"],
                    "rung": stated["rung"],
                    "source": stated["source"],
                }
                out.append(base | {"kind": "range", "watts": stated["value"]} | told)
        for seen in chips.records(cluster_models.spread(clusters[clusters["chip_id"] == chip_id])):
            told = {"label": seen["name"], "measured": bool(seen["measured"]), "rung": seen["rung"], "source": seen["source"]}
            out.append(base | {"kind": "cluster", "watts": float(seen["watts"])} | told)
    columns = ["chip_id", "chip", "kind", "watts", "low_w", "high_w", "label", "measured", "rung", "source"]
    return pd.DataFrame(out, columns=columns)


def energy(twh: float) -> str:
    """1.2 TWh, 340 GWh, 12 MWh."""
    return f"{twh:.3g} TWh" if twh >= 1 else f"{twh * 1e3:.3g} GWh" if twh >= 1e-3 else f"{twh * 1e6:.3g} MWh"


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: megawatts of the chips or chips of the megawatts, the year and its share; or the spread by generation."""
    a = facts_of(table)
    name = a["chip"]
    if params.show == "generations":
        return _generation_words(table, params)
    year = f"{energy(a['energy_twh'])} a year"
    share = f", {numbers.share(a['share'])} of {a['region']}" if a["share"] is not None else ""
    if params.start == "chips":
        finding = f"{numbers.chips(a['chips'])} {name} take {numbers.power(a['site_mw'])} at the site: {numbers.power(a['it_mw'])} of IT, {year}{share}"
    else:
        finding = (
            f"{numbers.power(params.site_mw)} at the site feed {a['chips']:,.0f} {name}: {numbers.power(a['it_mw'])} of IT, {year}{share}"
        )
    all_in = a["chip_w"] * a["overhead"]
    subtitle = (
        f"Power of one of each, log scale: {a['chip_w']:,.0f} W rated, {all_in:,.0f} W all-in at IT level, "
        f"peak PUE {params.peak_pue:g}. Tick marks beside the all-in chip: published figures."
    )
    notes = []
    for row in a["published"][:4]:
        span = f"{row['low']:,.0f} to {row['high']:,.0f}" if row["low"] < row["high"] else f"{row['value']:,.0f}"
        notes.append(
            f"{row['label']}: {span} W a chip ({row['source'].split(' (')[0]}), {row['value'] / all_in:.2f} × the {all_in:,.0f} W here."
        )
    if a["share"] is not None:
        notes.append("The year is at mean PUE and mean load, the megawatts at peak PUE and full load: two different questions.")
    else:
        notes.append("The store gives no electricity of this region: no share is shown.")
    notes += [a["thinned"]] if "thinned" in a else []
    alt = f"Power from chip to site. {finding}. One server {a['server_kw']:.3g} kW, one rack {a['rack_kw']:.3g} kW, one hall {a['hall_mw']:.3g} MW."
    return Words(finding, subtitle, alt, _coverage(a), "Ridgepoint power model; chip datasheets; Epoch AI (CC BY 4.0)", tuple(notes))


def _coverage(facts: dict[str, Any]) -> str:
    e = facts["error"]
    if not e:
        return ""
    return f"Rated power × overhead is {e['low']:.2f} to {e['high']:.2f} × what {e['n']} clusters state or are modelled to draw, median {e['median']:.2f}."


def _generation_words(table: pd.DataFrame, params: Params) -> Words:
    a = facts_of(table)
    all_in = table[table["kind"] == "all-in"]
    left_out = f"Rated power not published: {numbers.listed(a['unrated'], 5)}." if a["unrated"] else ""
    if all_in.empty:
        return Words(
            "No rated power to compare",
            empty=f"No chip with a published power is chosen. {left_out}".strip(),
            way_out={"compare": ["a100-sxm-80", "h100-sxm", "gb200"]},
        )
    ordered = chips.records(all_in.sort_values("watts", kind="stable"))
    first, last = ordered[0], ordered[-1]
    finding = f"All-in power runs from {first['watts']:,.0f} W for {first['chip']} to {last['watts']:,.0f} W for {last['chip']}"
    if len(all_in) == 1:
        finding = f"{last['chip']} takes {last['watts']:,.0f} W all-in, {last['watts'] * params.peak_pue:,.0f} W at the site"
    subtitle = (
        f"Watts a chip: dark bar, rated; light bar, × {params.overhead:g} for server, network and storage; outline, × peak PUE {params.peak_pue:g}. "
        "Dots: clusters whose power is not worked out from their count, hollow where modelled or claimed; brackets: stated ranges."
    )
    notes = [
        w
        for w in (
            a.get("thinned", ""),
            left_out,
            "One overhead for all is crude: racks built as one machine need less than 1.82, which is a DGX H100's.",
        )
        if w
    ]
    alt = f"Bars of watts a chip. {finding}."
    return Words(finding, subtitle, alt, _coverage(a), "Chip datasheets; Epoch AI (CC BY 4.0); TOP500", tuple(notes))


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Each step with the reader's numbers; the rows behind rated power, published watts, PUE and the grid."""
    row = _rated(snapshot, params.chip)
    chip_w = float(row["tdp_w"])
    steps = _steps(params, chip_w)
    over = steps["overhead"]
    lines: list[FormulaLine] = []
    if params.start == "site":
        lines.append(worked(power.chips_fed, site_mw=params.site_mw, pue=params.peak_pue, power_per_chip=chip_w * over))
    lines.append(worked(power.it_power_mw, chip_count=steps["chips"], chip_power_w=chip_w, overhead=over))
    lines.append(worked(power.site_power_mw, it_power_mw=steps["it_mw"], pue=params.peak_pue))
    lines.append(worked(power.power_per_chip_w, it_power_mw=steps["it_mw"], chip_count=steps["chips"]))
    lines.append(worked(power.energy_per_year_mwh, it_power_mw=steps["it_mw"], load=params.load, mean_pue=params.mean_pue))
    grid, rows = _grid(params, snapshot)
    if grid == grid:
        lines.append(worked(power.grid_twh, energy_twh=rows[0]["value"], share=rows[1]["value"] / 100))
        lines.append(worked(power.share_of_grid, energy_twh=steps["energy_twh"], total_twh=grid))
    inputs: list[InputRow] = [input_row(row, f"{row['name']}, rated power", numbers.plain(chip_w), "W")]
    claimed = cluster_models.parameters(
        snapshot, CLAIMED_CHIP_W.get(params.chip, ""), *ALL_IN_ROWS.get(params.chip, ()), "epoch_overhead", "peak_pue", "mean_pue"
    )
    for told in claimed:
        span = f" ({numbers.plain(told['low'])} to {numbers.plain(told['high'])})" if told["low"] == told["low"] else ""
        inputs.append(input_row(told, str(told["description"]), numbers.plain(told["value"]) + span, str(told["unit"])))
    seen = cluster_models.watts_per_chip(snapshot)
    for cluster in chips.records(cluster_models.spread(seen[seen["chip_id"] == params.chip])):
        inputs.append(
            input_row(
                cluster,
                f"{cluster['name']}, {numbers.count(cluster['chip_count'])} chips",
                f"{cluster['power_mw']:g} MW, {cluster['watts']:,.0f}",
                "W a chip",
            )
        )
    inputs += [input_row(r, f"{r['metric']}, {r['region']}", numbers.plain(r["value"]), str(r["unit"])) for r in rows]
    inputs.append(assumed("Load", numbers.share(params.load)))
    inputs.append(assumed("Server, rack, hall", f"{params.per_server} chips, {params.per_rack} servers, {params.per_hall} racks"))
    error = _error(params, snapshot)
    errors = ["No cluster with a power of its own is stored: the error is not known."]
    if error:
        errors = [
            f"Rated power × {params.overhead:g} over the IT power {error['n']} clusters state or are modelled to draw: median {error['median']:.2f}, "
            f"from {error['low']:.2f} to {error['high']:.2f}. Benchmark runs metered by TOP500 are left out: they draw less than the site is built for."
        ]
    errors.append(age_note([i.as_of for i in inputs if i.as_of], snapshot.today))
    return Receipt(lines, inputs, ("Peak PUE sizes the connection; mean PUE and mean load make the year.",), [e for e in errors if e])


def _rated_chips(snapshot: Snapshot) -> dict[str, str]:
    rows = snapshot.table("chips")
    rows = rows[rows["tdp_w"] > 0].sort_values("name", kind="stable")
    return dict(zip(rows["chip_id"], rows["name"]))


CHART = register(
    Chart(
        id="clusters.chain",
        page="clusters",
        title="What chips take at the site",
        params=Params,
        table=table,
        figure=chain_figure.figure,
        receipt=receipt,
        words=words,
        idle=idle,
        options={"chip": _rated_chips, "compare": chips.names},
        presets=(
            Preset("llama-4", "128,000 H100 at 1,400 W", {"chips": 128_000, "own_all_in": True, "all_in_w": 1400.0}, claim="C4"),
            Preset("gpt-4", "20,000 A100", {"chip": "a100-sxm-80", "chips": 20_000, "peak_pue": 1.17}, claim="C1"),
            Preset("generations", "Power a chip by generation", {"show": "generations"}, claim="C12"),
            Preset("abilene", "2.2 GW to chips", {"start": "site", "site_mw": 2200.0, "chip": "gb200", "overhead": 1.74, "peak_pue": 1.22}),
        ),
        heights=(470, 430),
    )
)
