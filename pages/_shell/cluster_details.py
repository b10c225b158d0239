"""What stands under a cluster's chart: its phases source by source, how figures hang together, what changed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from charts import numbers
from charts.clusters.choices import QUANTITIES
from charts.compute import Result
from charts.numbers import OLD_DAYS, age, age_days
from charts.text import web_address
from data.queries import cluster_base
from data.queries.clusters import short_source
from pages._shell import url_state
from pages._shell.style import safe

_FIGURES = ("power_mw", "site_power_mw", "chip_count", "h100e", "capex_usd")
_BASES = {"power_mw": "power_basis", "site_power_mw": "power_basis", "chip_count": "count_basis", "capex_usd": "capex_basis"}
_IMPLIED = {
    "power_per_chip_w": ("IT power a chip", lambda v: f"{v:,.0f} W"),
    "capex_per_chip_usd": ("Capital a chip", numbers.dollars),
    "capex_per_mw_usd": ("Capital per MW of IT", numbers.dollars),
    "power_over_rated": ("IT over rated power", lambda v: f"{v:.2f}"),
    "site_power_per_chip_w": ("Site power a chip", lambda v: f"{v:,.0f} W"),
    "pue": ("Site over IT power", lambda v: f"{v:.2f}"),
    "h100e_per_chip": ("H100e a chip", lambda v: f"{v:.3g}"),
}


def show(result: Result) -> None:
    """Draw the details of the cluster whose file is open."""
    facts: dict[str, Any] = {str(k): v for k, v in result.table.attrs.items()}
    if facts["cluster"] in cluster_base.names(result.snapshot):
        st.button("What if it had other chips, power or prices", key="whatif", on_click=_what_if, args=(facts["cluster"],))
    st.html(f'<div class="rp"><h2 style="margin-top:.6rem">What each source says, phase by phase</h2>{_phases(result)}</div>')
    chains = _chains(result)
    if chains:
        about = "A derived figure is no second witness of what it came from."
        st.html(f'<div class="rp"><h2>How the figures hang together</h2><p class="rp-cover">{about}</p>{chains}</div>')
    if facts["implied"]:
        st.html(f'<div class="rp"><h2>What its own figures imply</h2>{_consequences(facts["implied"])}</div>')
    if facts["changes"]:
        st.html(f'<div class="rp"><h2>What changed in this store</h2>{_changes(facts["changes"])}</div>')


def _what_if(cluster: str) -> None:
    """Open the cluster where its chips, power, site and prices can be changed."""
    url_state.show_chart("clusters.whatif")
    url_state.change("clusters.whatif", {"cluster": cluster})


def _phases(result: Result) -> str:
    head = "<th>Phase</th><th>Source</th><th>Status</th><th class='num'>Online</th>"
    head += "".join(f"<th class='num'>{safe(QUANTITIES[f].label)}</th>" for f in _FIGURES) + "<th>Chip</th><th class='num'>Age</th>"
    body = []
    for row in result.table.sort_values(["day", "source"], kind="stable").itertuples():
        days = age_days(row.as_of, result.snapshot.today)
        old = ' class="old"' if days is not None and days > OLD_DAYS else ""
        address = web_address(row.source_url)
        name = safe(short_source(row.source), 60)
        source = f'<a href="{safe(address)}" target="_blank" rel="noopener">{name}</a>' if address else name
        cells = "".join(f"<td class='num'>{_value(row, figure)}</td>" for figure in _FIGURES)
        body.append(
            f"<tr{old} title='{safe(row.quote_or_note or '', 500)}'><td>{safe(row.phase)}</td>"
            f"<td style='min-width:11rem'>{source} <span class='rp-pill'>{safe(row.rung)}</span></td>"
            f"<td>{safe(row.status)}</td><td class='num date'>{safe(numbers.date(row.online_date) if row.online_date else '')}</td>{cells}"
            f"<td>{safe(row.chip_id or '')}</td><td class='num'>{age(days)}</td></tr>"
        )
    return f"<div class='rp-scroll'><table class='rp-table'><tr>{head}</tr>{''.join(body)}</table></div>"


def _value(row: Any, figure: str) -> str:
    value = getattr(row, figure)
    if value != value:
        return ""
    basis = str(getattr(row, _BASES.get(figure, "h100e_basis")) or "")
    text = safe(QUANTITIES[figure].write(value).removesuffix(" H100e"))
    return f"<i title='{safe(basis)}'>{text}</i>" if basis.startswith("derived") else text


def _chains(result: Result) -> str:
    """What each source's derived figures come from, a line a source, figure and way, with the phases' values in it."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for row in result.table.itertuples():
        for figure, basis in _BASES.items():
            said = str(getattr(row, basis) or "")
            value = getattr(row, figure)
            if value == value and said.startswith("derived"):
                way = (short_source(row.source), QUANTITIES[figure].label, said.removeprefix("derived:").strip())
                found.setdefault(way, {})[f"{QUANTITIES[figure].write(value)} ({row.phase})"] = None
    lines = [
        f"<li>{safe(source)}: {safe(label)} from {safe(how)}: <b>{safe(numbers.listed(list(values), 8))}</b></li>"
        for (source, label, how), values in found.items()
    ]
    return f"<ul style='margin:0;padding-left:1.1rem'>{''.join(lines)}</ul>" if lines else ""


def _consequences(implied: list[dict[str, Any]]) -> str:
    told = {key: named for key, named in _IMPLIED.items() if any(row.get(key) is not None for row in implied)}
    doubted = any(row["odd"] for row in implied)
    head = "<th>Phase</th><th>Source</th>" + "".join(f"<th class='num'>{name}</th>" for name, _ in told.values())
    head += "<th>Odd</th>" if doubted else ""
    body = []
    for row in implied:
        cells = "".join(
            f"<td class='num'>{safe(write(row[key])) if row.get(key) is not None else ''}</td>" for key, (_, write) in told.items()
        )
        odd = "".join(f"<span class='rp-pill doubt' style='white-space:normal'>{safe(o)}</span> " for o in row["odd"])
        body.append(
            f"<tr><td>{safe(row['phase'])}</td><td>{safe(row['source'], 60)}</td>{cells}{f'<td>{odd}</td>' if doubted else ''}</tr>"
        )
    return f"<div class='rp-scroll'><table class='rp-table'><tr>{head}</tr>{''.join(body)}</table></div>"


def _changes(changes: list[dict[str, Any]]) -> str:
    def written(figure: str, value: Any) -> str:
        return "blank" if value is None else QUANTITIES[figure].write(value) if figure in QUANTITIES else str(value)

    body = "".join(
        f"<tr><td>{c['rev']}</td><td>{safe(c['phase'])}</td><td>{safe(c['source'], 60)}</td><td>{safe(c['figure'].replace('_', ' '))}</td>"
        f"<td class='num'>{safe(written(c['figure'], c['before']))}</td><td class='num'>{safe(written(c['figure'], c['after']))}</td></tr>"
        for c in changes[:40]
    )
    head = "<th>Revision</th><th>Phase</th><th>Source</th><th>Figure</th><th class='num'>Was</th><th class='num'>Is</th>"
    return f"<div class='rp-scroll'><table class='rp-table'><tr>{head}</tr>{body}</table></div>"
