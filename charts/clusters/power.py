"""Power, chips, H100 equivalents or capital online over time, by site, user, owner, country or chip."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.clusters.power import site_power_mw
from charts import numbers
from charts.labels import EndLabel, end_labels, margin_for, note
from charts.look import Look
from charts.params import ChartParams, choice, flag, number, pick
from charts.receipt import InputRow, Receipt, age_note, input_row, looked_up, worked
from charts.registry import Chart, Preset, register
from charts.template import SERIES, new_figure, tokens
from charts.text import as_text
from charts.words import Words
from data.queries import clusters, world
from data.snapshot import Snapshot

QUANTITIES = {
    "power_mw": ("IT power", "MW", numbers.power),
    "site_power_mw": ("Site power", "MW", numbers.power),
    "chip_count": ("Chips", "chips", numbers.count),
    "h100e": ("H100 equivalents, dense 8-bit", "H100e", numbers.count),
    "capex_usd": ("Capital", "USD", numbers.dollars),
}
GROUPS = {"site": "By site", "user": "By user", "owner": "By owner", "country": "By country", "chip": "By chip"}
GROUP_COLUMNS = {"user": "user_name", "owner": "owner_name", "country": "country", "chip": "chip_id"}


class Params(ChartParams):
    """What to add up, by what, from whom."""

    by: Literal["site", "user", "owner", "country", "chip"] = choice("site", label="Group", help="what each line stands for", labels=GROUPS)
    quantity: Literal["power_mw", "site_power_mw", "chip_count", "h100e", "capex_usd"] = choice(
        "power_mw",
        label="Quantity",
        help="what is counted",
        labels={k: f"{name}, {unit}" if unit != "chips" else name for k, (name, unit, _) in QUANTITIES.items()},
    )
    source: str = pick("", label="Source", help="whose testimony is drawn; empty takes the newest edition of the largest site table")
    lines: int = number(11, ge=1, le=40, label="Lines named", help="how many lines are named; the rest is pale context")
    log: bool = flag(True, label="Log scale", help="logarithmic or linear axis")
    claims: bool = flag(True, label="Claims", help="show single claims by other voices as hollow diamonds")


def table(params: Params, snapshot: Snapshot) -> pd.DataFrame:
    """Levels by line and day: line, day, value, planned, site facts; attrs hold the days and the claims."""
    source = params.source or clusters.default_source(snapshot)
    rows = clusters.history(snapshot, source, params.quantity)
    read = clusters.read_to(snapshot, source)
    out = _sites(rows) if params.by == "site" else _groups(rows, GROUP_COLUMNS[params.by])
    today = pd.Timestamp(snapshot.today)
    out["planned"] = out["day"] > (read if read is not None else today)
    totals = out[~out["planned"]].sort_values("day").groupby("line")["value"].last() if len(out) else pd.Series(dtype=float)
    out.attrs = {
        "quantity": params.quantity,
        "source": source,
        "today": snapshot.today.isoformat(),
        "read_to": None if read is None else read.date().isoformat(),
        "claims": _claims(snapshot, params) if params.claims and params.by == "site" else [],
        "world": world.coverage(snapshot, params.quantity, float(totals.sum()), snapshot.today),
    }
    return out


def _sites(rows: pd.DataFrame) -> pd.DataFrame:
    columns = {
        "line": rows["name"],
        "group": rows["user_name"],
        "cluster_id": rows["cluster_id"],
        "day": rows["online_day"],
        "value": rows["value"],
    }
    facts = {c: rows[c] for c in ("phase", "status", "chip_id", "as_of", "rung", "row_rev")} if len(rows) else {}
    return pd.DataFrame(columns | facts).sort_values(["line", "day"], kind="stable", ignore_index=True)


def _groups(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Sum over sites of each group's latest level, at every day one of them changes."""
    parts = []
    for name, own in rows.assign(group=rows[column].fillna("").replace("", "not stated")).groupby("group", sort=True):
        levels = own.pivot_table(index="online_day", columns="cluster_id", values="value", aggfunc="last").sort_index().ffill()
        value = levels.fillna(0).to_numpy().sum(axis=1)
        parts.append(
            pd.DataFrame(
                {"line": str(name), "group": str(name), "day": levels.index, "value": value, "sites": (levels > 0).sum(axis=1).to_numpy()}
            )
        )
    empty = pd.DataFrame({"line": [], "group": [], "day": pd.to_datetime([]), "value": [], "sites": []})
    return pd.concat(parts, ignore_index=True) if parts else empty


def _claims(snapshot: Snapshot, params: Params) -> list[dict]:
    """Single claims about sites by voices other than the source drawn."""
    rows = clusters.rows(snapshot)
    mine = params.source or clusters.default_source(snapshot)
    own = rows[(rows["rung"] == "claim") & (rows["source"] != mine) & ~rows["fleet"] & rows[params.quantity].notna()]
    own = own.assign(day=own["online_day"].fillna(own["as_of_day"])).dropna(subset=["day"])
    own = own[own["day"] <= pd.Timestamp(snapshot.today)].sort_values(["day", "fact_key"], kind="stable")
    return [
        {"name": r["name"], "day": r["day"].date().isoformat(), "value": float(r[params.quantity]), "source": r["source"]}
        for _, r in own.iterrows()
    ]


def _ranked(table: pd.DataFrame, params: Params) -> list[str]:
    """Names of lines by what they will reach, then by what they have, largest first."""
    peak = table.groupby("line")["value"].max().sort_values(ascending=False, kind="stable")
    return list(peak.index[: params.lines])


def words(table: pd.DataFrame, params: Params) -> Words:
    """Finding, subtitle, alt text and coverage, from the table alone."""
    name, unit, write = QUANTITIES[params.quantity]
    a = table.attrs
    if table.empty:
        return Words(
            finding=f"No dated {_noun(name)} from this source",
            empty=f"{a['source'] or 'No source'} gives no {_noun(name)} with a date. Other quantities of it, or another source, may.",
            way_out={"quantity": "power_mw", "source": ""},
        )
    seen = table[~table["planned"]].sort_values("day").groupby("line")["value"].last().sort_values(ascending=False)
    planned = table.groupby("line")["value"].max()
    finding = _finding(params, seen, planned, table, name, write)
    lines, named = table["line"].nunique(), min(params.lines, table["line"].nunique())
    kind = {"site": "sites", "user": "users", "owner": "owners", "country": "countries", "chip": "chip types"}[params.by]
    subtitle = (
        f"{name} online, {GROUPS[params.by].lower()}, {'log' if params.log else 'linear'} scale. {lines} {kind} in one source"
        + (f"; the {named} largest named. " if named < lines else ". ")
        + f"Solid line: seen up to {numbers.date(a['read_to'])}; dashed: planned"
        + ("; hollow diamonds: claims by one voice." if a["claims"] else ".")
    )
    due = (
        table[(table["day"] > pd.Timestamp(a["read_to"])) & (table["day"] <= pd.Timestamp(a["today"]))] if a["read_to"] else table.iloc[:0]
    )
    notes = []
    if len(due):
        notes.append(
            f"{numbers.in_words(len(due)).capitalize()} plans are due by today but unconfirmed: "
            + numbers.listed(sorted(set(due["line"])), 5)
            + "."
        )
    top = seen.head(3)
    alt = (
        f"Step lines of {_noun(name)} by {params.by}. Largest seen: "
        + numbers.listed([f"{n} {write(v)}" for n, v in top.items()])
        + ". "
        + finding
        + "."
    )
    return Words(finding, subtitle, alt, a["world"], _credit(a), tuple(notes))


def _credit(a: dict) -> str:
    read = f", read to {numbers.date(a['read_to'])}" if a["read_to"] else ""
    licence = " · CC BY 4.0" if "CC BY" in a["source"] else ""
    return f"{a['source'].split(' (')[0]}{read}{licence}"


def _finding(params: Params, seen: pd.Series, planned: pd.Series, table: pd.DataFrame, name: str, write) -> str:  # noqa: ANN001
    """The title: what runs now, and what is planned beyond it."""
    if params.by != "site":
        leader = seen.index[0] if len(seen) else planned.idxmax()
        value = seen.iloc[0] if len(seen) else planned.max()
        total = seen.sum()
        part = f", {value / total:.0%} of what the source sees".replace("%", " %") if total and len(seen) > 1 else ""
        return f"{leader} leads with {write(value)}{part}"
    if seen.empty:
        return f"Nothing runs yet in this source; the largest plan is {planned.idxmax()} with {write(planned.max())}"
    mark = _round_down(float(seen.iloc[min(1, len(seen) - 1)]))
    above = int((seen >= mark).sum())
    target = _round_down(float(planned.max()))
    end = table.loc[table["value"] >= target, "day"].max().year
    reach = int((planned >= target).sum())
    running = f"{numbers.in_words(above).capitalize()} {'site runs' if above == 1 else 'sites run'} at least {write(mark)} of {_noun(name)}"
    if not table["planned"].any() or target <= mark:
        return running
    return f"{running}; {numbers.in_words(reach)} {'plans' if reach == 1 else 'plan'} to reach {write(target)} by the end of {end}"


def _noun(name: str) -> str:
    return {"Chips": "chips", "Capital": "capital", "IT power": "IT power", "Site power": "site power"}.get(name, "H100 equivalents")


def _round_down(value: float) -> float:
    """The nearest round figure below: one digit, or half of it."""
    step = 10 ** np.floor(np.log10(value))
    return float(np.floor(value / step) * step)


def figure(table: pd.DataFrame, params: Params, look: Look) -> go.Figure:
    """Step lines: solid up to the day the source was read to, dashed after it, dotted where nothing further is listed."""
    height = look.height()
    t, (_, _, write) = tokens(look), QUANTITIES[params.quantity]
    named = _ranked(table, params)[: 6 if look.phone else params.lines]
    a = table.attrs
    if table.empty:
        return new_figure(look, height_px=height)
    x0, x1 = table["day"].min(), max(table["day"].max(), pd.Timestamp(a["today"])) + pd.Timedelta(days=45)
    groups = table[table["line"].isin(named)].sort_values("value", ascending=False)["group"].drop_duplicates().tolist()
    colour = {g: t[SERIES[i]] if i < len(SERIES) else t["point"] for i, g in enumerate(groups)}
    read = pd.Timestamp(a["read_to"] or a["today"])
    fig = new_figure(look, height_px=height)
    for line, own in table[~table["line"].isin(named)].groupby("line"):
        _draw(fig, str(line), own, read, x1, t["context"], 1, look, write)
    labels = []
    for line in reversed(named):
        own = table[table["line"] == line]
        tone = colour[own["group"].iloc[0]]
        _draw(fig, line, own, read, x1, tone, 2, look, write)
        last = float(own.sort_values("day")["value"].iloc[-1])
        labels.append(
            EndLabel(
                last, f"{as_text(line, 30)} <b>{write(last)}</b>", tone, as_text(own["group"].iloc[0], 24) if params.by == "site" else ""
            )
        )
    _claim_marks(fig, a["claims"], look)
    _frame(fig, table, params, look, labels, (x0, x1), read, height)
    return fig


def _draw(
    fig: go.Figure, line: str, own: pd.DataFrame, read: pd.Timestamp, end: pd.Timestamp, tone: str, width: float, look: Look, write
) -> None:  # noqa: ANN001
    """One line in its three parts, with marks where a level begins."""
    own = own.sort_values("day")
    seen, later = own[~own["planned"]], own[own["planned"]]
    hover = f"{as_text(line)}<br>%{{x|%-d %b %Y}}: %{{customdata}}<extra></extra>"
    marks = {"size": 5 if look.phone else 6, "color": tone}
    if len(seen):
        x, y = [*seen["day"], max(read, seen["day"].iloc[-1])], [*seen["value"], seen["value"].iloc[-1]]
        fig.add_scatter(x=x, y=y, mode="lines", line={"color": tone, "width": width, "shape": "hv"}, hoverinfo="skip")
    if len(later):
        start = [(max(read, seen["day"].iloc[-1]), seen["value"].iloc[-1])] if len(seen) else []
        x, y = [*(s[0] for s in start), *later["day"]], [*(s[1] for s in start), *later["value"]]
        fig.add_scatter(x=x, y=y, mode="lines", line={"color": tone, "width": width, "shape": "hv", "dash": "5px,3px"}, hoverinfo="skip")
    last = own.iloc[-1]
    fig.add_scatter(
        x=[max(last["day"], read), end], y=[last["value"]] * 2, mode="lines", hoverinfo="skip",
        line={"color": tone, "width": max(width - 0.8, 0.8), "dash": "1px,3px" if not len(later) else "5px,3px"},
    )  # fmt: skip
    if width > 1:
        for part, fill in ((seen, tone), (later, tokens(look)["page"])):
            fig.add_scatter(
                x=part["day"], y=part["value"], mode="markers", customdata=[write(v) for v in part["value"]], hovertemplate=hover,
                cliponaxis=False,
                marker=marks | {"color": fill, "line": {"color": tone, "width": 1.5}},
            )  # fmt: skip


def _claim_marks(fig: go.Figure, claims: list[dict], look: Look) -> None:
    t, write = tokens(look), numbers.plain
    if not claims:
        return
    fig.add_scatter(
        x=[c["day"] for c in claims], y=[c["value"] for c in claims], mode="markers", cliponaxis=False,
        text=[f"{as_text(c['name'])}: {write(c['value'])}<br>claim: {as_text(c['source'])}" for c in claims],
        hovertemplate="%{text}<extra></extra>",
        marker={"symbol": "diamond-open", "size": 9 if look.phone else 10, "color": t["ink"], "line": {"width": 1.5}},
    )  # fmt: skip


def _frame(
    fig: go.Figure, table: pd.DataFrame, params: Params, look: Look, labels: list[EndLabel], ends: tuple, read: pd.Timestamp, height: int
) -> None:
    """Axes, the two verticals, notes and end labels."""
    t, (_, _, write) = tokens(look), QUANTITIES[params.quantity]
    today = pd.Timestamp(table.attrs["today"])
    high = float(table["value"].max()) * (1.35 if params.log else 1.08)
    low = max(float(table["value"][table["value"] > 0].min()), high / 50) * 0.8 if params.log else 0.0
    margin = {"l": 52 if look.phone else 66, "r": margin_for(labels, look), "t": 44, "b": 40}
    fig.update_layout(margin=margin)
    fig.update_xaxes(range=list(ends), dtick="M12", tickformat="%Y")
    if params.log:
        fig.update_yaxes(range=[np.log10(low), np.log10(high)], **numbers.log_ticks(low, high, write))
    else:
        ticks = np.linspace(0, high, 6)
        step = 10 ** np.floor(np.log10(ticks[1])) if high else 1
        ticks = np.arange(0, high, max(step, np.ceil(ticks[1] / step) * step))
        fig.update_yaxes(range=[0, high], tickvals=ticks, ticktext=[write(v) for v in ticks])
    if not look.phone:
        fig.update_yaxes(title_text="")
    fig.add_vrect(x0=today, x1=ends[1], fillcolor=t["zone"], line_width=0, layer="below")
    fig.add_vline(x=today, line={"color": t["ink"], "width": 1})
    day = f"<b>Today</b>, {numbers.date(today.date())}" if not look.phone else "<b>Today</b>"
    fig.add_annotation(
        x=today, y=1, yref="paper", yanchor="bottom", yshift=12, text=day, showarrow=False, font={"size": 12 if not look.phone else 11}
    )
    if read < today:
        fig.add_vline(x=read, line={"color": t["mute"], "width": 1, "dash": "2px,3px"})
        note(fig, look, "seen running ◂", x=read, y=1, yref="paper", yanchor="top", xanchor="right", xshift=-6)
    note(fig, look, "▸ planned", x=today, y=1, yref="paper", yanchor="top", xanchor="left", xshift=6)
    end_labels(fig, labels, look, x_end=ends[1], y_range=(low, high), log=params.log, plot_px=height - margin["t"] - margin["b"], top_px=20)


def receipt(params: Params, snapshot: Snapshot) -> Receipt:
    """How the largest level seen comes about: its row, and what else is said of that site."""
    shown = table(params, snapshot)
    name, unit, write = QUANTITIES[params.quantity]
    seen = shown[~shown["planned"]].sort_values("day").groupby("line").last().sort_values("value", ascending=False) if len(shown) else shown
    if seen.empty:
        return Receipt(assumptions=("No row of this source has a date and this quantity, so nothing is added up.",))
    top, line = seen.iloc[0], str(seen.index[0])
    if params.by != "site":
        members = clusters.history(snapshot, shown.attrs["source"], params.quantity)
        members = members[members[GROUP_COLUMNS[params.by]].fillna("").replace("", "not stated") == line]
        members = members[members["online_day"] <= top["day"]].groupby("cluster_id").last().sort_values("value", ascending=False)
        rows = [input_row(r, str(r["name"]), write(r["value"])) for _, r in members.head(12).iterrows()]
        total = looked_up(f"{name}, {line}", float(top["value"]), unit, f"the sum of the latest level of {len(members)} sites")
        return Receipt(
            (total,),
            rows,
            ("Rows are cumulative snapshots of whole sites; each site counts once, at its latest level.",),
            (_no_band(members),),
        )
    facts = clusters.rows(snapshot)
    own = facts[
        (facts["cluster_id"] == top["cluster_id"]) & (facts["source"] == shown.attrs["source"]) & (facts["online_day"] == top["day"])
    ]
    row = own.iloc[-1]
    formulas = [looked_up(f"{name}, {line}, {numbers.date(top['day'])}", float(top["value"]), unit, str(row["source"]))]
    if params.quantity == "power_mw" and row["site_power_mw"] == row["site_power_mw"] and row["power_mw"] > 0:
        formulas.append(worked(site_power_mw, it_power_mw=row["power_mw"], pue=round(row["site_power_mw"] / row["power_mw"], 4)))
    others = facts[(facts["cluster_id"] == top["cluster_id"]) & (facts["source"] != shown.attrs["source"])]
    return Receipt(
        formulas,
        _inputs(row, write),
        ("Rows are cumulative snapshots: phases are never added up.",),
        (*_disagreement(others, params, write), age_note(own["as_of"].tolist(), snapshot.today)),
    )


def _inputs(row: pd.Series, write) -> list[InputRow]:  # noqa: ANN001
    out = []
    for column, label, how in (
        ("power_mw", "IT power", numbers.power), ("site_power_mw", "Site power", numbers.power), ("chip_count", "Chips", numbers.count),
        ("h100e", "H100 equivalents", numbers.count), ("capex_usd", "Capital", numbers.dollars),
    ):  # fmt: skip
        if row[column] == row[column]:
            basis = row.get(
                {
                    "power_mw": "power_basis",
                    "site_power_mw": "power_basis",
                    "chip_count": "count_basis",
                    "h100e": "h100e_basis",
                    "capex_usd": "capex_basis",
                }[column]
            )
            out.append(input_row(row, f"{label} ({basis})" if basis else label, how(row[column])))
    return out


def _disagreement(others: pd.DataFrame, params: Params, write) -> tuple[str, ...]:  # noqa: ANN001
    told = others[others[params.quantity].notna()]
    if told.empty:
        return (f"No range is given by the source, so none is drawn. {len(others)} other rows name this site, none with this quantity.",)
    said = numbers.listed(
        [
            f"{r['source'].split(' (')[0]}: {write(r[params.quantity])} ({numbers.date(r['online_date'] or r['as_of'])})"
            for _, r in told.iterrows()
        ],
        3,
    )
    return ("No range is given by the source, so none is drawn.", f"Other voices on this site: {said}.")


def _no_band(members: pd.DataFrame) -> str:
    return f"No range is given by the source for these {len(members)} sites, so no band is drawn."


CHART = register(
    Chart(
        id="clusters.power",
        page="clusters",
        title="IT power online, by site",
        params=Params,
        table=table,
        figure=figure,
        receipt=receipt,
        words=words,
        options={"source": clusters.sources},
        presets=(
            Preset("by-site", "IT power by site", {}),
            Preset("by-user", "By user", {"by": "user"}),
            Preset("by-country", "By country", {"by": "country"}, claim="C9"),
            Preset("h100e", "H100 equivalents by user", {"by": "user", "quantity": "h100e"}),
        ),
    )
)
