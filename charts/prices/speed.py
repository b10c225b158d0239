"""Host speed beside price: tokens a second each user gets, and what a million of them costs there."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from charts.look import Look
from charts.numbers import date, dollars, log_ticks, plain
from charts.params import ChartParams, flag, pick
from charts.prices.draw import Frame, name_points, round_dollars, y_unit
from charts.prices.levels import bare_name
from charts.receipt import Receipt, age_note, input_row
from charts.registry import Chart, Preset, register
from charts.template import tokens
from charts.text import as_text
from charts.words import Words
from data.queries.tasks import host_speeds
from data.snapshot import Snapshot

CREDIT = "Artificial Analysis as quoted by hosts and press, host statements; prices: providers' pages"


class Params(ChartParams):
    """State of the chart."""

    model: str = pick("", label="Model", help="One model, or all.")
    claims: bool = flag(False, label="Claims too", help="Show speeds that a host or vendor states about itself without a measurement.")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Speeds per user with the output price at the same host on that day; priced rows first, then by speed."""
    rows = host_speeds(snapshot)
    rows = rows[rows["tok_s"].notna() & ~rows["host"].str.contains("dedicated cluster")]
    if params.model:
        rows = rows[rows["model_id"].eq(params.model)]
    if not params.claims:
        rows = rows[rows["rung"].ne("claim")]
    suspect = rows["note"].fillna("").str.contains("suspect")
    rows = rows.assign(suspect=suspect, unpriced=rows["output_usd_per_mtok"].isna())
    rows = rows.sort_values(["unpriced", "tok_s"], ascending=[True, False], kind="stable", ignore_index=True)
    kept = ["model_as_named", "model_id", "host", "tok_s", "output_usd_per_mtok", "as_of", "price_date", "low", "high", "precision",
            "hardware", "method", "suspect", "unpriced", "rung", "single_source", "not_reread", "source", "source_url", "note"]  # fmt: skip
    sold = snapshot.table("api_prices")
    known = dict(zip(sold["model_id"], [bare_name(name or model) for name, model in zip(sold["model_name"], sold["model_id"])]))
    names = [known.get(model, named) for model, named in zip(rows["model_id"], rows["model_as_named"])]
    out = rows[kept].assign(model=names)
    out.attrs = {"today": snapshot.today.isoformat(), "model": params.model}
    return out


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Speed across, price up, both logarithmic; rows without a price as ticks under the plot."""
    t, table = tokens(look), _named(table)
    priced = table[~table["unpriced"]].reset_index(drop=True)
    low_x, high_x = (table["tok_s"].min() / 1.3, table["tok_s"].max() * 1.5) if len(table) else (10, 1000)
    low, high = (priced["output_usd_per_mtok"].min() / 2.2, priced["output_usd_per_mtok"].max() * 1.6) if len(priced) else (0.1, 10)
    frame = Frame(look, look.height(460, 430), 62 if not look.phone else 46, 24, 28, 50, (low_x, high_x), (low, high), True, True)
    out = frame.figure()
    y_unit(out, frame, "$ / Mtok out")
    out.update_xaxes(
        **log_ticks(low_x, high_x, lambda v: f"{v:g}", 6 if look.phone else 12), title_text="output tokens a second for one user"
    )
    out.update_yaxes(**log_ticks(low, high, round_dollars), title_text=None)
    doubt = priced["suspect"] | priced["rung"].eq("claim")
    out.add_scatter(
        x=priced["tok_s"], y=priced["output_usd_per_mtok"], mode="markers",
        marker={"size": 9, "color": [t["page"] if d else t["blue"] for d in doubt], "line": {"width": 1.8, "color": t["blue"]}},
        text=[_hover(r) for r in priced.to_dict("records")], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    bare = table[table["unpriced"]]
    out.add_scatter(
        x=bare["tok_s"], y=[low * 1.08] * len(bare), mode="markers", marker={"symbol": "line-ns-open", "size": 12, "color": t["mute"]},
        text=[_hover(r) for r in bare.to_dict("records")], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    # One name for the runs of one model at one host: the fastest carries it.
    told = priced.sort_values("tok_s", ascending=False, kind="stable").drop_duplicates(["host", "model"])
    if look.phone and not params.model and len(told):  # the ends of the field
        ends = [pick for column in (told["tok_s"], told["output_usd_per_mtok"]) for pick in (column.idxmax(), column.idxmin())]
        told = told.loc[list(dict.fromkeys(ends))]
    names = [as_text(h, 18) if params.model else f"{as_text(h, 18)}, {as_text(m, 22)}" for h, m in zip(told["host"], told["model"])]
    dots = frame.pixels(priced["tok_s"].tolist(), priced["output_usd_per_mtok"].tolist())
    name_points(out, frame, told["tok_s"].tolist(), told["output_usd_per_mtok"].tolist(), names, obstacles=dots)
    return out


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """The table with `model`, the name to print: tables of older links have only the source's own."""
    return table if "model" in table else table.assign(model=table["model_as_named"])


def _hover(r: dict) -> str:
    price = f"{dollars(r['output_usd_per_mtok'])} / Mtok out" if not r["unpriced"] else "no price listed there"
    head = f"<b>{as_text(r['model'])}</b> at {as_text(r['host'])}"
    return f"{head}<br>{plain(r['tok_s'])} tok/s, {price}<br>{date(r['as_of'])}, {as_text(r['method'])}"


def words(table: pd.DataFrame, params: Params) -> Words:
    """Title and the rest, from the table."""
    if table.empty:
        return Words(
            finding="No measured speed under these switches",
            empty="No speed of this model was measured at a named host; claims by hosts themselves may be.",
            way_out={"model": "", "claims": True},
            credit=CREDIT,
        )
    table = _named(table)
    priced = table[~table["unpriced"]]
    fast, slow = table.iloc[table["tok_s"].argmax()], table.iloc[table["tok_s"].argmin()]
    finding = f"Hosts give one user {plain(slow['tok_s'])} ({slow['host']}) to {plain(fast['tok_s'])} tok/s ({fast['host']})"
    per_model = priced.groupby("model")["tok_s"].agg(["min", "max", "size"])
    several = per_model[per_model["size"] > 1].assign(fold=lambda d: d["max"] / d["min"])
    if len(several):
        name = str(several.index[int(several["fold"].argmax())])
        prices = priced[priced["model"].eq(name)]["output_usd_per_mtok"]
        finding = (
            f"For {name} speed differs {several['fold'].max():.2g}-fold between hosts, price {prices.max() / prices.min():.2g}-fold: "
            "fast is not in proportion dear"
        )
    return Words(
        finding=finding,
        subtitle="Output tokens a second for one user against $ / Mtok of output, log scales. "
        f"{len(priced)} of {len(table)} speeds have a listed price at that host that day; the rest are ticks at the bottom. Hollow: "
        "claimed or suspect.",
        alt="; ".join(
            f"{h} {m} {plain(s)} tok/s" for h, m, s in table.head(20)[["host", "model_as_named", "tok_s"]].itertuples(index=False)
        ),
        coverage=f"{len(table)} speeds of {table['model'].nunique()} models at {table['host'].nunique()} hosts",
        credit=CREDIT,
    )


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Every speed with its method and source."""
    made = table(params, snapshot)
    rows = []
    for _, r in made.iterrows():
        span = f"{r['low']:g} to {r['high']:g}" if r["low"] == r["low"] and r["high"] == r["high"] else plain(r["tok_s"])
        rows.append(input_row(r, f"{r['model_as_named']} at {r['host']} ({r['method']})", span, "tok/s"))
    note = age_note(list(made["as_of"]), snapshot.today)
    return Receipt(
        inputs=tuple(rows),
        assumptions=(
            "Where a source gives a range, its middle is drawn. Dedicated clusters at a stated load are left out: another quantity.",
            "A date given as a year or month takes the price in force on its last day.",
        ),
        error=("Speeds move by the hour with load; each is one source at one time.", *((note,) if note else ())),
    )


def _models(snapshot: Snapshot) -> dict[str, str]:
    rows = snapshot.table("host_speed")
    rows = rows[rows["model_id"].notna()]
    return {"": "All models"} | dict(sorted(zip(rows["model_id"], rows["model_id"])))


CHART = register(
    Chart(
        id="prices.speed",
        page="prices",
        title="Host speed beside price",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"model": _models},
        presets=(
            Preset("all", "All models", {}),
            Preset("deepseek", "DeepSeek R1, claims too", {"model": "deepseek-r1", "claims": True}, claim="R9"),
            Preset("oss", "gpt-oss-120b", {"model": "gpt-oss-120b", "claims": True}),
        ),
        heights=(460, 430),
    )
)
