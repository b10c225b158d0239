"""One cluster's file: what every source says of it over time, the ratio between them, and what follows from its own figures."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from charts import numbers
from charts.clusters.choices import QUANTITIES, QuantityName, facts_of, quantity, with_facts
from charts.clusters.power_figure import linear_ticks
from charts.clusters.power_receipt import derivations
from charts.labels import EndLabel, end_labels, margin_for, note
from charts.look import Look
from charts.params import ChartParams, flag, pick
from charts.receipt import Receipt, age_note, input_row, looked_up
from charts.registry import Chart, Preset, register
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import cluster_files, clusters
from data.snapshot import Snapshot

_KEPT = [
    "source", "phase", "status", "online_date", "as_of", "chip_id", "chip_count", "chip_count_low", "chip_count_high", "power_mw",
    "site_power_mw", "capex_usd", "capex_kind", "h100e", "count_basis", "power_basis", "capex_basis", "h100e_basis", "evidence", "rung",
    "edition", "source_url", "quote_or_note", "fleet", "first_known_rev",
]  # fmt: skip


class Params(ChartParams):
    """Which cluster, and which of its figures is drawn."""

    cluster: str = pick("xai-colossus1", label="Cluster", help="the cluster whose file is opened", missing_said=True)
    quantity: QuantityName = quantity()
    log: bool = flag(False, label="Log scale", help="logarithmic or linear axis")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Every testimony about the cluster, one row each; attrs hold each source's last word, implied figures and changes."""
    names = clusters.names(snapshot)
    own = cluster_files.testimonies(snapshot, params.cluster)
    voices = cluster_files.voices(snapshot, params.cluster, params.quantity) if len(own) else own
    out = own.assign(value=own[params.quantity] if len(own) else [], first_known_rev=own["row_rev"] if len(own) else [])
    out = out[["day", "value", *_KEPT]]
    first = own.iloc[0] if len(own) else None
    seen = voices[voices["seen"]] if len(voices) else voices
    told = seen if len(seen) else voices
    facts: dict[str, Any] = {
        "cluster": params.cluster,
        "name": names.get(params.cluster, params.cluster),
        "owner": "" if first is None else first["owner_name"],
        "user": "" if first is None else first["user_name"],
        "place": "" if first is None else ", ".join(str(p) for p in (first["city"], first["region"], first["country"]) if p),
        "today": snapshot.today.isoformat(),
        "sources": sorted({clusters.short_source(s) for s in clusters.newest_editions(own)["source"]}) if len(own) else [],
        "voices": [_voice(v) for _, v in voices.iterrows()],
        "ratio": float(told["value"].max() / told["value"].min()) if len(told) > 1 else None,
        "implied": cluster_files.consequences(snapshot, params.cluster),
        "changes": cluster_files.changes(snapshot, params.cluster),
        "known": params.cluster in names,
        "largest": next(iter(_largest(snapshot)), ""),
    }  # fmt: skip
    return with_facts(out.reset_index(drop=True), facts)


def _voice(row: pd.Series) -> dict[str, Any]:
    """A source's last word as JSON facts."""
    said = {"source": clusters.short_source(row["source"]), "value": float(row["value"]), "day": row["day"].date().isoformat()}
    return said | {"seen": bool(row["seen"]), "derived": bool(row["derived"]), "basis": row["basis"] or ""}


def _largest(snapshot: Snapshot) -> list[str]:
    level = clusters.latest(clusters.selected(snapshot, clusters.Selection()), "power_mw", pd.Timestamp(snapshot.today))
    return level["cluster_id"].tolist()


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding: how many voices there are and how far apart."""
    q, a = QUANTITIES[params.quantity], facts_of(table)
    credit = numbers.listed(a["sources"], 3) + (" · CC BY 4.0" if any(s.startswith("Epoch") for s in a["sources"]) else "")
    if table.empty:
        return Words(
            f"No file of {params.cluster} at this revision",
            empty=f"No row names {params.cluster}: it may have come or gone with another revision.",
            way_out={"cluster": a["largest"]} if a["largest"] else None,
        )
    where = ", ".join(part for part in (a["owner"], a["place"]) if part)
    count, voices = len(a["sources"]), a["voices"]
    said = f"{numbers.in_words(count).capitalize()} {'source speaks' if count == 1 else 'sources speak'} of {a['name']}"
    if not voices:
        return Words(
            f"{said}; none gives {q.noun} with a day",
            f"{where}. {len(table)} rows.",
            empty=f"No row about {a['name']} gives {q.noun}.",
            way_out=_way_out(table, params),
            credit=credit,
        )
    seen = [v for v in voices if v["seen"]] or voices
    low, high = min(v["value"] for v in seen), max(v["value"] for v in seen)
    if a["ratio"] and a["ratio"] > 1.005:
        finding = f"{said}: {q.write(low)} to {q.of(high)}, a factor of {a['ratio']:.2f}"
    else:
        finding = f"{said}: {q.of(high)}"
    own = sum(not v["derived"] for v in voices)
    share = f"{'none' if own == 0 else numbers.in_words(own)} of {numbers.in_words(len(voices))}"
    subtitle = (
        f"{q.label} of {a['name']}, {where}. One colour a source; filled: said to run; hollow: planned or claimed. "
        f"Of the last words, {share} {'is' if own <= 1 else 'are'} the source's own figure, not derived from another."
    )
    odd = [f"{i['source']}, {i['phase']}: {o}" for i in a["implied"] for o in i["odd"]]
    notes = [f"{sentence}." for sentence in odd[:3]]
    if len({v["day"] for v in voices}) > 1:
        notes.append(f"Last words are of different days: {numbers.listed([numbers.date(v['day']) for v in voices], 4)}.")
    if a["changes"]:
        notes.append(f"{len(a['changes'])} values were changed by later revisions.")
    listed = numbers.listed([f"{v['source']} {q.write(v['value'])}" for v in voices], 4)
    return Words(finding, subtitle, f"Testimony about {a['name']}: {listed}. {finding}.", "", credit, tuple(notes))


def _way_out(table: pd.DataFrame, params: Params) -> dict[str, Any] | None:
    for name in ("chip_count", "power_mw", "site_power_mw", "h100e", "capex_usd"):
        if name != params.quantity and table[name].notna().any():
            return {"quantity": name}
    return None


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """A step line and marks a source; where last words differ, a thin bracket with the ratio."""
    height, t, q = look.height(), tokens(look), QUANTITIES[params.quantity]
    fig = new_figure(look, height_px=height)
    own = table[table["value"].notna()] if len(table) else table
    if own.empty:
        return fig
    own = own.assign(day=pd.to_datetime(own["day"]))
    own = own.groupby(["source", "phase", "day", "status"], sort=False)["value"].sum().reset_index().sort_values("day", kind="stable")
    by_size = own.groupby("source")["value"].max().sort_values(ascending=False, kind="stable").index
    today, end = pd.Timestamp(table.attrs["today"]), max(own["day"].max(), pd.Timestamp(table.attrs["today"])) + pd.Timedelta(days=45)
    labels = []
    for i, source in enumerate(by_size):
        tone = t[SERIES[i]] if i < len(SERIES) else t["point"]
        part = own[own["source"] == source]
        runs = part["status"].isin(["operational", "retired"])
        level = part[part["status"] != "superseded"]
        if len(level) > 1:
            fig.add_scatter(
                x=level["day"], y=level["value"], mode="lines", line={"color": tone, "width": 1.4, "shape": "hv"}, hoverinfo="skip"
            )
        fig.add_scatter(
            x=part["day"], y=part["value"], mode="markers", cliponaxis=False,
            marker={"size": 9, "color": [tone if r else t["page"] for r in runs], "line": {"color": tone, "width": 1.7}},
            text=[
                f"{as_text(r['phase'])}: {q.write(r['value'])}, {r['status']}<br>{numbers.date(r['day'].date())}<br>"
                f"{as_text(clusters.short_source(source))}"
                for _, r in part.iterrows()
            ],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
        last = float((level if len(level) else part)["value"].iloc[-1])
        name = as_text(clusters.short_source(str(source)), 16 if look.phone else 40)
        labels.append(EndLabel(last, f"{name} <b>{q.write(last)}</b>", tone))
    low, high = (
        (float(own["value"].min()) * 0.8, float(own["value"].max()) * 1.25) if params.log else (0.0, float(own["value"].max()) * 1.12)
    )
    margin = {"l": 52 if look.phone else 66, "r": margin_for(labels, look), "t": 36, "b": 40}
    upright = {"type": "line", "x0": today, "x1": today, "y0": 0, "y1": 1, "yref": "paper", "line": {"color": t["ink"], "width": 1}}
    fig.update_layout(margin=margin, shapes=[upright])
    start = own["day"].min() - pd.Timedelta(days=60)
    fig.update_xaxes(range=[start, end], tickformat="%Y", dtick="M12", tickangle=0)
    if params.log:
        fig.update_yaxes(range=[math.log10(low), math.log10(high)], **numbers.log_ticks(low, high, q.write))
    else:
        ticks = linear_ticks(high)
        fig.update_yaxes(range=[low, high], tickvals=ticks, ticktext=[q.write(v) for v in ticks])
    note(fig, look, "<b>Today</b>", x=today, y=1, yref="paper", yanchor="bottom", yshift=4, font_color=t["ink"])
    _bracket(fig, table.attrs, params, look)
    end_labels(fig, labels, look, x_end=end, y_range=(low, high), log=params.log, plot_px=height - margin["t"] - margin["b"], top_px=16)
    return fig


def _bracket(fig: go.Figure, facts: Any, params: Params, look: Look) -> None:
    """A thin bracket between the highest and the lowest last word, with the ratio."""
    told = [v for v in facts["voices"] if v["seen"]] or facts["voices"]
    if not facts["ratio"] or facts["ratio"] <= 1.005:
        return
    t = tokens(look)
    low, high = min(v["value"] for v in told), max(v["value"] for v in told)
    day = pd.Timestamp(facts["today"]) - pd.Timedelta(days=20)
    fig.add_scatter(
        x=[day, day],
        y=[low, high],
        mode="lines+markers",
        marker={"symbol": "line-ew-open", "size": 9},
        line={"color": t["mute"], "width": 1.2},
        hoverinfo="skip",
    )
    middle = math.sqrt(low * high) if params.log else (low + high) / 2
    note(fig, look, f"×{facts['ratio']:.2f}", x=day, y=math.log10(middle) if params.log else middle, xanchor="right", xshift=-6)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """Each source's last word with where it comes from, and the chain of derivations."""
    q = QUANTITIES[params.quantity]
    voices = cluster_files.voices(snapshot, params.cluster, params.quantity)
    if voices.empty:
        return Receipt(assumptions=(f"No row about this cluster gives {q.noun} by today.",))
    name = clusters.names(snapshot).get(params.cluster, params.cluster)
    lines = [
        looked_up(f"{q.label}, {name}", float(v["value"]), q.unit, f"{v['source']}, {v['phase']}") for _, v in voices.head(4).iterrows()
    ]
    rows = [
        input_row(v, f"{v['phase']}, {numbers.date(v['day'])}{' (derived)' if v['derived'] else ''}", q.write(v["value"]))
        for _, v in voices.iterrows()
    ]
    own = cluster_files.testimonies(snapshot, params.cluster)
    chain: list[str] = []
    for source in voices["source"].head(4):
        last = own[own["source"] == source].iloc[-1]
        chain += [f"{clusters.short_source(source)}: {step}" for step in derivations(last)]
    derived = int(voices["derived"].sum())
    counted = f"{len(voices)} voices, {derived} of them derived: figures derived from one another are one piece of evidence, not several."
    notes = [str(n) for n in voices["quote_or_note"].dropna().head(2)]
    return Receipt(lines, rows, (*chain, *notes), (counted, age_note(voices["as_of"].tolist(), snapshot.today)))


def _file(cluster: str, label: str, claim: str = "", **more: Any) -> Preset:
    return Preset(cluster, label, {"cluster": cluster} | more, claim=claim)


CHART = register(
    Chart(
        id="clusters.file",
        page="clusters",
        title="A cluster's file",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"cluster": clusters.names},
        presets=(
            _file("gpt4-iowa", "GPT-4 in Iowa", "C1", quantity="chip_count"),
            _file("highflyer-ff2", "High-Flyer Fire-Flyer 2", "C2", quantity="chip_count"),
            _file("deepseek-fleet", "DeepSeek's fleet", "C3", quantity="chip_count"),
            _file("deepseek-h800", "DeepSeek's H800", "C3", quantity="chip_count"),
            _file("meta-llama4", "Meta, Llama 4", "C4"),
            _file("meta-fleet", "Meta, bought in 2024", "C4", quantity="chip_count"),
            _file("msft-goodyear", "Goodyear, Arizona", "C5"),
            _file("xai-colossus1", "Colossus 1", "C6"),
            _file("xai-colossus2", "Colossus 2", "C6"),
            _file("stargate-abilene", "Stargate Abilene", "C7"),
            _file("stargate-programme", "Stargate, the programme", "C7", quantity="capex_usd"),
            _file("anthropic-rainier", "Rainier, New Carlisle", "C8", quantity="chip_count"),
            _file("google-new-albany", "Google New Albany", "C9"),
            _file("google-omaha", "Google Omaha", "C9"),
            _file("meta-hyperion", "Hyperion, Louisiana", "C10"),
            _file("amazon-talen", "Talen, Pennsylvania", "C10", quantity="site_power_mw"),
            _file("bytedance-fleet", "ByteDance's fleet", "C11", quantity="chip_count"),
            _file("bytedance-ulanqab", "ByteDance Ulanqab", "C11"),
            _file("next-mega", "Next mega-clusters", "C16", quantity="chip_count"),
        ),
        heights=(460, 380),
    )
)
