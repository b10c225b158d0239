"""Drawing of the price frontier: candidates as dots, records as steps, fit and band, the zone after the last scored model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.prices.rates import trend_usd_per_mtok, years_between
from charts.labels import note
from charts.look import Look
from charts.numbers import date, dollars, log_ticks
from charts.prices.draw import Frame, name_points, round_dollars, short_name, stepped, y_unit
from charts.prices.level_fit import BAND_LEVEL, stored_fit
from charts.template import halo, tokens
from charts.text import as_text

MOST_DOTS = 2000
Facts = dict[Any, Any]


def figure(table: pd.DataFrame, params: Any, look: Look) -> go.Figure:
    """The frontier drawn from its table alone."""
    facts: Facts = table.attrs
    t = tokens(look)
    paid = _drawn(table[table["price_usd_per_mtok"] > 0])
    records = paid[paid["record"]]
    end = min(facts["today"], params.until.isoformat()) if params.until else facts["today"]
    frame = _frame(paid, records, facts, look, end)
    out = frame.figure()
    out.update_yaxes(**log_ticks(frame.y[0], frame.y[1], round_dollars, 14 if not look.phone else 12), title_text=None)
    out.update_xaxes(type="date", dtick="M12", tickformat="%Y", hoverformat="%d %b %Y")
    y_unit(out, frame, "$ / Mtok" if look.phone else f"$ / Mtok, {facts['blend']}")
    if records.empty:
        return out
    zone = facts["zone_from"]
    # Where offers of scored models still set records after the last scored release, the line goes on to the last of them.
    scored_until = min(max(zone, records["date"].iloc[-1]), end) if zone else end
    if zone and zone < end:
        out.add_vrect(x0=max(zone, frame.x[0]), x1=end, fillcolor=t["zone"], line_width=0, layer="below")
        note(
            out,
            look,
            _zone_words(facts, look),
            x=max(zone, frame.x[0]),
            xanchor="left",
            xshift=6,
            y=1,
            yref="paper",
            yanchor="top",
            yshift=-4,
        )
    _fit(out, frame, facts, records, scored_until)
    _dots(out, paid, t, look)
    xs, ys = [*records["date"], scored_until], [*records["price_usd_per_mtok"], records["price_usd_per_mtok"].iloc[-1]]
    last = float(records["price_usd_per_mtok"].iloc[-1])
    out.add_scatter(x=xs, y=ys, mode="lines", line={"shape": "hv", "color": t["ink"], "width": 2}, hoverinfo="skip")
    if scored_until < end:
        out.add_scatter(
            x=[scored_until, end],
            y=[last, last],
            mode="lines",
            line={"color": t["mute"], "width": 1.2, "dash": "2px,3px"},
            hoverinfo="skip",
        )
    _own(out, frame, facts, scored_until)
    _tests(out, frame, facts, records, look)
    out.add_scatter(
        x=records["date"], y=records["price_usd_per_mtok"], mode="markers",
        marker={"size": 8, "color": t["ink"], "line": {"width": 1.5, "color": t["page"]}},
        text=_hover(records), hovertemplate="%{text}<extra></extra>", cliponaxis=False,
    )  # fmt: skip
    _names(out, frame, paid, records, xs, ys, facts)
    if not look.phone:
        out.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=8, y=np.log10(last), yanchor="middle", align="left", showarrow=False,
            text=f"<b>{dollars(last)}</b><br><span style='color:{t['mute']};font-size:11px'>{_end_words(records.iloc[-1], params)}</span>",
            font={"size": 13, "color": t["ink"]},
        )  # fmt: skip
    _free(out, table, frame, t)
    return out


def _drawn(paid: pd.DataFrame) -> pd.DataFrame:
    """All records and the MOST_DOTS cheapest other offers, in order: the words say when some are not drawn."""
    others = paid[~paid["record"]]
    if len(others) <= MOST_DOTS:
        return paid
    return paid.loc[sorted([*paid.index[paid["record"]], *others.nsmallest(MOST_DOTS, "price_usd_per_mtok").index])]


def _frame(paid: pd.DataFrame, records: pd.DataFrame, facts: Facts, look: Look, end: str) -> Frame:
    first = records["date"].iloc[0] if len(records) else "2023-01-01"
    start = min((pd.Timestamp(first) - pd.Timedelta(days=40)).strftime("%Y-%m-%d"), f"{first[:4]}-01-01")
    low = float(paid["price_usd_per_mtok"].min()) if len(paid) else 0.1
    high = float(paid["price_usd_per_mtok"].max()) if len(paid) else 100.0
    own = [step["price"] for step in (facts.get("own") or {}).get("steps", [])]
    low, high = min([low, *own]), max([high, *own])
    return Frame(
        look, look.height(540, 430), 62 if not look.phone else 48, 118 if not look.phone else 12, 28 if not look.phone else 46,
        34, (start, max(end, start)), (low / 2.4, high * 1.35), y_log=True,
    )  # fmt: skip


def _fit(out: go.Figure, frame: Frame, facts: Facts, records: pd.DataFrame, until: str) -> None:
    look, t, rate = frame.look, tokens(frame.look), facts["rate"]
    place = (
        {"x": 0, "xref": "paper", "xanchor": "left", "xshift": 10, "y": 0, "yref": "paper", "yanchor": "bottom", "yshift": 8}
        if not look.phone
        else {"x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 4}
    )
    line = stored_fit(rate)
    if line is None:
        note(out, look, f"no rate: {rate['why'][0].lower()}{rate['why'][1:]}", **place)
        return
    dates = pd.date_range(records["date"].iloc[0], max(until, records["date"].iloc[-1]), periods=60)
    days = (dates - pd.Timestamp(0)) / pd.Timedelta(days=1)
    low, high = line.band(days.to_numpy(), BAND_LEVEL)
    floor, ceiling = frame.y
    x = list(dates.strftime("%Y-%m-%d"))
    out.add_scatter(
        x=x + x[::-1], y=[*np.clip(high, floor, ceiling), *np.clip(low, floor, ceiling)[::-1]], mode="lines", line_width=0, fill="toself",
        fillcolor=t["band_blue"], hoverinfo="skip",
    )  # fmt: skip
    shown = line.price(days.to_numpy())
    shown = np.where((shown >= floor) & (shown <= ceiling), shown, np.nan)
    out.add_scatter(x=x, y=shown, mode="lines", line={"color": t["blue"], "width": 1.6, "dash": "5px,3px"}, hoverinfo="skip")
    head = f"<span style='color:{t['blue']}'><b>÷ {rate['fold']:.3g} a year</b>, {_halving(rate)}</span>"
    small = (
        f"n = {rate['n']} records, R² {rate['r_squared']:.2f}; band: 90 % prediction interval"
        if look.phone
        else f"line through the {rate['n']} records, R² {rate['r_squared']:.2f}; "
        f"90 %: ÷ {rate['fold_low']:.2g} to ÷ {rate['fold_high']:.2g}<br>band: 90 % prediction interval"
    )
    note(out, look, f"{head}<br><span style='font-size:{10 if look.phone else 11}px'>{small}</span>", **place)


def _halving(rate: Facts) -> str:
    months = rate["halving_months"]
    return f"halves every {months:.1f} months" if 0 < months < 600 else "does not halve"


def _dots(out: go.Figure, paid: pd.DataFrame, t: dict[str, str], look: Look) -> None:
    others = paid[~paid["record"]]
    out.add_scatter(
        x=others["date"], y=others["price_usd_per_mtok"], mode="markers", marker={"size": 5 if not look.phone else 4.5, "color": t["dot"]},
        text=_hover(others), hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _hover(rows: pd.DataFrame) -> list[str]:
    out = []
    for r in rows.to_dict("records"):
        ended = f", ended {date(r['end_date'])}" if isinstance(r["end_date"], str) else _seen(r)
        other = isinstance(r["weights_id"], str) and r["weights_id"] != r["model_id"]
        behind = f"<br>answered by {as_text(r['weights_id'])}" if other else ""
        out.append(
            f"<b>{as_text(r['model'])}</b>, {as_text(r['provider'])}<br>{dollars(r['price_usd_per_mtok'])} / Mtok "
            f"({dollars(r['input_usd_per_mtok'])} in, {dollars(r['output_usd_per_mtok'])} out)<br>from {date(r['date'])}{ended}{behind}"
            f"<br>score {r['score']:.4g}: {as_text(r['score_source'], 60)}"
        )
    return out


def _seen(r: dict[Any, Any]) -> str:
    return f", last seen {date(r['last_seen'])}" if isinstance(r["last_seen"], str) else ""


def _names(out: go.Figure, frame: Frame, paid: pd.DataFrame, records: pd.DataFrame, xs: list, ys: list, facts: Facts) -> None:
    look, t = frame.look, tokens(frame.look)
    price = records["price_usd_per_mtok"].to_numpy()
    chosen = list(range(len(records)))
    if look.phone:  # first, last and the deepest cut
        drop = np.concatenate([[0], np.log(price[:-1] / price[1:])]) if len(price) > 1 else np.zeros(1)
        chosen = sorted({0, len(records) - 1, int(drop.argmax())})
    shown = records.iloc[chosen]
    hosts = [
        f", {as_text(r['provider'], 18)}" if twice and not look.phone else ""
        for r, twice in zip(shown.to_dict("records"), shown["model"].duplicated(keep=False))
    ]
    texts = [f"{short_name(m)}{h} <b>{dollars(p)}</b>" for m, h, p in zip(shown["model"], hosts, shown["price_usd_per_mtok"])]
    points = [*zip(shown["date"], shown["price_usd_per_mtok"], texts, [t["ink"]] * len(texts))]
    around = [stepped(frame, xs, ys), frame.pixels(paid["date"].tolist(), paid["price_usd_per_mtok"].tolist())]
    if steps := (facts.get("own") or {}).get("steps"):  # the best model of its day: the last, and with room the dearest and cheapest
        days, own = _dates([s["date_day"] for s in steps]), [s["price"] for s in steps]
        picked = {len(steps) - 1} if look.phone else {len(steps) - 1, int(np.argmax(own)), int(np.argmin(own))}
        named = [(i, f"{short_name(steps[i]['model'], 22)} <b>{dollars(own[i])}</b>") for i in sorted(picked - {0})]
        points += [(days[i], own[i], text, t["plum"]) for i, text in named]
        around.append(stepped(frame, days, own))
    if points:
        dates, values, words, inks = (list(column) for column in zip(*points))
        name_points(out, frame, dates, values, words, colors=inks, obstacles=np.vstack(around))


def _own(out: go.Figure, frame: Frame, facts: Facts, until: str) -> None:
    """What the best model of its day cost, as steps."""
    steps = (facts.get("own") or {}).get("steps")
    if not steps:
        return
    ink = tokens(frame.look)["plum"]
    xs, ys = _dates([s["date_day"] for s in steps]), [s["price"] for s in steps]
    line = {"shape": "hv", "color": ink, "width": 1.8, "dash": "5px,3px"}
    out.add_scatter(x=[*xs, max(until, xs[-1])], y=[*ys, ys[-1]], mode="lines", line=line, hoverinfo="skip")
    out.add_scatter(
        x=xs, y=ys, mode="markers", marker={"size": 7, "color": ink},
        text=[f"<b>{as_text(s['model'])}</b>, best of its day<br>{dollars(s['price'])} / Mtok" for s in steps],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _tests(out: go.Figure, frame: Frame, facts: Facts, records: pd.DataFrame, look: Look) -> None:
    if not facts["test"]:
        return
    t = tokens(look)
    first_date, first = records["date"].iloc[0], float(records["price_usd_per_mtok"].iloc[0])
    start = (pd.Timestamp(first_date) - pd.Timestamp(0)).days
    until = max(f["date_day"] for f in facts["test"]) + 120
    days = np.linspace(start, until, 40)
    line = trend_usd_per_mtok(first, 10.0, years_between(start, days))
    out.add_scatter(x=_dates(days), y=line, mode="lines", line={"color": t["rust"], "width": 1.4, "dash": "2px,3px"}, hoverinfo="skip")
    xs, ys = _dates([f["date_day"] for f in facts["test"]]), [f["price"] for f in facts["test"]]
    out.add_scatter(
        x=xs, y=ys, mode="markers",
        marker={"symbol": "diamond", "size": 11, "color": t["rust"], "line": {"width": 1.5, "color": t["page"]}},
        text=[f"{as_text(facts['test_name'])}: {dollars(y)}" for y in ys], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    for i, (x, y, fact) in enumerate(zip(xs, ys, facts["test"])):
        out.add_annotation(
            x=x, y=np.log10(y), text=f"{dollars(y)}, {fact['tenfold_ratio']:.2g}× the ten-fold line", showarrow=False, xanchor="left",
            xshift=10, yshift=-10 if i % 2 == 0 else 8,
            font={"size": 10.5 if look.phone else 12, "color": t["rust"], "shadow": halo(look.theme)},
        )  # fmt: skip


def _dates(days: Any) -> list[str]:
    return [(pd.Timestamp(0) + pd.Timedelta(days=float(d))).strftime("%Y-%m-%d") for d in days]


def _zone_words(facts: Facts, look: Look) -> str:
    if look.phone:
        return "few<br>scored"
    day = date(facts["zone_from"])
    return f"models released<br>after {day}<br>{'are not scored' if not facts['zone_scored_later'] else 'are hardly scored'}"


def _end_words(last: pd.Series, params: Any) -> str:
    if params.until:
        return f"lowest by<br>{date(params.until.isoformat())}"
    if isinstance(last["end_date"], str):
        return f"lowest so far,<br>ended {date(last['end_date'][:7])}"
    return "lowest so far,<br>on sale" if last["buyable"] else f"lowest so far,<br>last seen {date(str(last['last_seen'])[:7])}"


def _free(out: go.Figure, table: pd.DataFrame, frame: Frame, t: dict[str, str]) -> None:
    free = table[table["price_usd_per_mtok"] <= 0]
    if free.empty:
        return
    out.add_scatter(
        x=free["date"], y=[frame.y[0]] * len(free), mode="markers",
        marker={"symbol": "triangle-down-open", "size": 10, "color": t["mute"]},
        text=[f"{as_text(m)}, {as_text(p)}: free" for m, p in zip(free["model"], free["provider"])],
        hovertemplate="%{text}<extra></extra>", cliponaxis=False,
    )  # fmt: skip
    note(
        out,
        frame.look,
        "▽ free: no place on a logarithmic axis",
        x=1,
        xref="paper",
        xanchor="right",
        y=0,
        yref="paper",
        yanchor="bottom",
        yshift=6,
    )
