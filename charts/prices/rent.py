"""GPU rents by chip, seller's tier and term: points as listed, no mean across tiers."""

from __future__ import annotations

import datetime
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from analytics.prices.rental import implied_depreciation_per_year
from charts.look import Look
from charts.numbers import date, dollars, share
from charts.params import ChartParams, choice, day, pick
from charts.prices.draw import Frame, log_price_ticks, name_points, round_dollars, y_unit
from charts.receipt import Receipt, input_row, worked
from charts.registry import Chart, Preset, register
from charts.template import tokens
from charts.text import as_text
from charts.words import Words
from data.queries.prices import day_number
from data.queries.rentals import chip_rates, left_out, rents
from data.snapshot import Snapshot

TIERS = {"all": "All sellers", "hyperscaler": "Hyperscalers", "neocloud": "Neoclouds", "marketplace": "Marketplaces", "index": "Indices"}
TERMS = {"all": "All terms", "on-demand": "On demand", "reserved": "Reserved", "block": "Capacity blocks", "spot": "Spot"}
COLOURS = {"hyperscaler": "blue", "neocloud": "green", "marketplace": "plum", "index": "point"}
SYMBOLS = {"on-demand": "circle", "reserved": "diamond", "block": "square", "spot": "triangle-down", "marketplace": "circle"}
CREDIT = "providers' price lists and dated tables; indices as named"


class Params(ChartParams):
    """State of the chart."""

    chip: str = pick("h100-sxm", label="Chip", help="Chip that is rented.")
    tier: Literal["all", "hyperscaler", "neocloud", "marketplace", "index"] = choice(
        "all", label="Seller", help="Kind of seller.", labels=TIERS
    )
    term: Literal["all", "on-demand", "reserved", "block", "spot"] = choice("all", label="Term", help="Kind of contract.", labels=TERMS)
    turn: datetime.date = day(datetime.date(2025, 10, 1), label="Turn", help="Re-listed rents are counted before and after this day.")


def term_kind(term: str) -> str:
    """on-demand, reserved, block, spot or marketplace, of a term as the table writes it."""
    if "block" in term:
        return "block"
    return "reserved" if term.startswith("reserved") else term


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """One row a listed rent, ordered by day; the same seller's previous rent for the same chip, term and region beside it."""
    rows = rents(snapshot)
    rows = rows[rows["chip_id"].eq(params.chip)]
    rows = rows.assign(kind=rows["term"].map(term_kind))
    if params.tier != "all":
        rows = rows[rows["provider_tier"].eq(params.tier)]
    if params.term != "all":
        rows = rows[rows["kind"].eq(params.term)]
    rows = rows.sort_values(["day", "fact_key"], kind="stable")
    seller = rows["provider"].str.replace(r"\.io$", "", regex=True)
    # "us" and "us-east" are one market; another instance under the same roof ("AWS (p5en)") is another product.
    line = seller + "|" + rows["term"] + "|" + rows["region"].fillna("").str.split("-").str[0]
    rows = rows.assign(line=line)
    groups = rows.groupby("line", sort=False)
    rows["previous_usd"], rows["previous_day"] = groups["usd_per_gpu_hour"].shift(), groups["day"].shift()
    moved = rows["previous_usd"].notna() & (rows["previous_usd"] != rows["usd_per_gpu_hour"]) & (rows["day"] > rows["previous_day"])
    years = (rows["day"] - rows["previous_day"]).where(moved) / 365.25
    # A yearly rate over less than half a year says more about the day of listing than about depreciation.
    rate = implied_depreciation_per_year(rows["previous_usd"], rows["usd_per_gpu_hour"], years.where(years >= 0.5))
    kept = [
        "provider", "provider_tier", "term", "kind", "region", "usd_per_gpu_hour", "previous_usd", "rung", "single_source", "not_reread",
        "source", "source_url", "note", "line",
    ]  # fmt: skip
    out = pd.concat([rows[["date"]], rows[kept]], axis=1).assign(moved=moved, depreciation_per_year=rate).reset_index(drop=True)
    turn = params.turn.isoformat()
    changed = out[out["moved"]]
    after = changed["date"] >= turn
    rose = changed["usd_per_gpu_hour"] > changed["previous_usd"]
    out.attrs = {
        "chip": str(chip_rates(snapshot)["name"].get(params.chip, params.chip)),
        "today": snapshot.today.isoformat(),
        "turn": turn,
        "before": [int((~after & ~rose).sum()), int((~after & rose).sum())],
        "after": [int((after & ~rose).sum()), int((after & rose).sum())],
        "suspect": int(left_out(snapshot)["chip_id"].eq(params.chip).sum()),
    }
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Each listed rent a mark: colour by seller's tier, shape by term; one seller's re-listed rents of one term joined."""
    t, f = tokens(look), table.attrs
    low, high = (table["usd_per_gpu_hour"].min() / 1.25, table["usd_per_gpu_hour"].max() * 1.25) if len(table) else (1, 10)
    start = (pd.Timestamp(table["date"].min()) - pd.Timedelta(days=30)).strftime("%Y-%m-%d") if len(table) else "2023-01-01"
    frame = Frame(
        look,
        look.height(500, 440),
        56 if not look.phone else 44,
        120 if not look.phone else 14,
        28,
        36,
        (start, f["today"]),
        (low, high),
        y_log=True,
    )
    out = frame.figure()
    y_unit(out, frame, "$ per GPU-hour")
    out.update_yaxes(**log_price_ticks(low, high, round_dollars, 12), title_text=None)
    out.update_xaxes(type="date", hoverformat="%d %b %Y", tickangle=0, nticks=4 if look.phone else 10)
    for _, own in table.groupby("line", sort=True):
        if own["date"].nunique() > 1:
            strong = own["kind"].iloc[0] in ("block", "reserved")
            ink = t[COLOURS[own["provider_tier"].iloc[0]]] if strong else t["context"]
            line = {"color": ink, "width": 1.6 if strong else 1}
            out.add_scatter(x=own["date"], y=own["usd_per_gpu_hour"], mode="lines", line=line, hoverinfo="skip")
    for (tier, kind), own in table.groupby(["provider_tier", "kind"], sort=True):
        ink = t[COLOURS[str(tier)]]
        face = t["page"] if tier == "index" else ink
        out.add_scatter(
            x=own["date"], y=own["usd_per_gpu_hour"], mode="markers",
            marker={"symbol": SYMBOLS.get(str(kind), "circle"), "size": 8, "color": face, "line": {"width": 1.5, "color": ink}},
            text=[_hover(r) for r in own.to_dict("records")], hovertemplate="%{text}<extra></extra>", cliponaxis=False,
        )  # fmt: skip
    named = _to_name(table, look)
    dots = frame.pixels(table["date"].tolist(), table["usd_per_gpu_hour"].tolist())
    inks = [t[COLOURS[tier]] for tier in named["provider_tier"]]
    texts = [f"{as_text(p, 24)} <b>{dollars(v)}</b>" for p, v in zip(named["provider"], named["usd_per_gpu_hour"])]
    name_points(out, frame, named["date"].tolist(), named["usd_per_gpu_hour"].tolist(), texts, colors=inks, obstacles=dots)
    return out


def _to_name(table: pd.DataFrame, look: Look) -> pd.DataFrame:
    """The last rent of each tier's joined lines, and the extremes."""
    if table.empty:
        return table
    last = table.groupby("line", sort=True).tail(1)
    several = last[last["line"].isin(table["line"][table["line"].duplicated()])].sort_values("date", kind="stable")
    ends = table.iloc[[int(table["usd_per_gpu_hour"].argmin()), int(table["usd_per_gpu_hour"].argmax())]]
    return pd.concat([ends, several.tail(2 if look.phone else 9)]).drop_duplicates(["date", "provider", "term", "usd_per_gpu_hour"])


def _hover(r: dict) -> str:
    before = f"<br>before: {dollars(r['previous_usd'])}" if r["moved"] else ""
    head = f"<b>{as_text(r['provider'])}</b>, {as_text(r['term'])}, {as_text(r['region'])}"
    return f"{head}<br>{dollars(r['usd_per_gpu_hour'])} an hour, {date(r['date'])}{before}"


def _depreciation(table: pd.DataFrame) -> tuple[str, ...]:
    rates = table["depreciation_per_year"].dropna()
    if rates.empty:
        return ()
    lost, gained = (rates > 0).sum(), (rates < 0).sum()
    low, high = share(rates.min()), share(rates.max())
    return (
        f"Implied depreciation between rents of one seller half a year or more apart: {lost} fell, {gained} rose, "
        f"{low if low == high else f'{low} to {high}'} of the rent a year.".replace(" -", " −"),
    )


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    f = table.attrs
    if table.empty:
        return Words(
            finding=f"No listed rent of {f['chip']} under these switches",
            empty=f"No listed rent of {f['chip']} under these switches"
            + (f"; {f['suspect']} suspect or assumed row is kept out." if f["suspect"] else "."),
            way_out={"chip": "h100-sxm", "tier": "all", "term": "all"},
            credit=CREDIT,
        )
    (fell0, rose0), (fell1, rose1) = f["before"], f["after"]
    if fell0 + rose0 + fell1 + rose1:
        before = f"{fell0} of {fell0 + rose0} fell before {date(f['turn'])}" if fell0 + rose0 else f"none before {date(f['turn'])}"
        since = f"{rose1} of {fell1 + rose1} rose since" if fell1 + rose1 else "none since"
        finding = f"{f['chip']} rents that the same seller re-listed: {before}, {since}"
    else:
        low, high = table["usd_per_gpu_hour"].min(), table["usd_per_gpu_hour"].max()
        finding = f"{f['chip']} is listed from {dollars(low)} to {dollars(high)} an hour; no seller re-listed it at another rent"
    rents, sellers = len(table), table["provider"].nunique()
    return Words(
        finding=finding,
        subtitle=f"$ per GPU-hour, log scale. {rents} listed {'rent' if rents == 1 else 'rents'} of {sellers} "
        f"{'seller' if sellers == 1 else 'sellers'}. Colour: "
        "hyperscaler, neocloud, marketplace; "
        "hollow: an index or average. Dots: on demand; diamonds: reserved; squares: capacity blocks; triangles: spot. Lines join "
        "one seller and term.",
        alt=f"Rents from {dollars(table['usd_per_gpu_hour'].min())} to {dollars(table['usd_per_gpu_hour'].max())} between "
        f"{date(table['date'].min())} "
        f"and {date(table['date'].max())}.",
        notes=_depreciation(table),
        coverage=f"{len(table)} rows; {f['suspect']} suspect or assumed kept out" if f["suspect"] else f"{len(table)} rows",
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """The latest re-listed rent as a yearly rate, and every row."""
    made = table(params, snapshot)
    formulas = []
    dated = made[made["depreciation_per_year"].notna()]
    for r in dated.tail(1).to_dict("records"):
        own = made[made["line"].eq(r["line"])]
        ends = day_number(own["date"].tail(2)).tolist()
        formulas.append(
            worked(
                implied_depreciation_per_year,
                first_usd_per_hour=float(r["previous_usd"]),
                last_usd_per_hour=float(r["usd_per_gpu_hour"]),
                years=(ends[-1] - ends[0]) / 365.25,
            )
        )
    inputs = tuple(
        input_row(
            r, f"{r['provider']}, {r['term']}, {r['region'] or 'region not stated'}", f"{r['usd_per_gpu_hour']:g}", "$/h", as_of="date"
        )
        for _, r in made.sort_values("date", ascending=False, kind="stable").head(15).iterrows()
    )
    rates = dated["depreciation_per_year"]
    return Receipt(
        formulas=tuple(formulas),
        inputs=inputs,
        assumptions=(
            "No mean is drawn: sellers, terms and regions differ by more than the trend.",
            "A seller's tier is read from its name; averages, medians and ranges over sellers count as indices.",
        ),
        error=(
            *(
                (f"Implied yearly fall between re-listed rents: {share(rates.min())} to {share(rates.max())} (n {len(rates)}).",)
                if len(rates)
                else ()
            ),
            "Catalogue rows carry the day a catalogue was generated, up to four months off.",
        ),
    )


def chips(snapshot: Snapshot) -> dict[str, str]:
    """Chips with a listed rent, most rows first, by name."""
    counts = rents(snapshot)["chip_id"].value_counts()
    names = chip_rates(snapshot)["name"]
    return {str(c): str(names.get(c, c)) for c in sorted(counts.index, key=lambda c: (-counts[c], str(c)))}


CHART = register(
    Chart(
        id="prices.rent",
        page="prices",
        title="GPU rents",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"chip": chips},
        presets=(
            Preset("h100", "H100: the V of 2023 to 2026", {}, claim="I7"),
            Preset("blocks", "H200 capacity blocks", {"chip": "h200-sxm", "term": "block"}, claim="I7"),
            Preset("reserved", "H100 reserved", {"term": "reserved"}, claim="I7"),
            Preset("a100", "A100 80 GB", {"chip": "a100-sxm-80"}, claim="I7"),
        ),
        heights=(500, 440),
    )
)
