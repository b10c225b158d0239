"""Our own markup's style sheet: one block, one prefix, colours of the theme. Streamlit's elements are left alone, but on paper.

On paper the page is what it says: heading, figure, notes, lists. Menus, controls and buttons are left off, the width of
a screen is fitted to the sheet, and a dark theme is turned light.
"""

from __future__ import annotations

import functools

from charts.template import TOKENS
from charts.text import shown

_OFF_PAPER = ", ".join(
    f'[data-testid="{name}"]'
    for name in (
        "stHeader", "stToolbar", "stSidebar", "stStatusWidget", "stButtonGroup", "stButton", "stDownloadButton", "stPopover", "stSelectbox",
        "stMultiSelect", "stDateInput", "stNumberInput", "stSlider", "stCheckbox", "stTextArea", "stTextInput", "stBidiComponentIsolated", "stElementToolbar",
    )
)  # fmt: skip
SERIF = "'Source Serif', 'Source Serif 4', Georgia, serif"


@functools.cache
def sheet(theme: str) -> str:
    """The style sheet of a theme, as markup for st.html."""
    t = TOKENS[theme]
    return f"""<style>
.rp h1, .rp h2 {{ font-family: {SERIF}; font-weight: 650; line-height: 1.25; letter-spacing: -.005em; color: {t["ink"]}; margin: 0; padding: 0; text-wrap: pretty }}
.rp h1 {{ font-size: 1.6rem }} .rp h2 {{ font-size: 1.45rem }}
.rp h3 {{ font-family: inherit; font-size: .87rem; font-weight: 600; color: {t["mute"]}; margin: 0 0 .5rem; padding: 0; letter-spacing: 0 }}
.rp {{ color: {t["ink"]}; line-height: 1.5; overflow-wrap: break-word; font-variant-numeric: tabular-nums }}
.rp p {{ margin: 0 0 .6rem }} .rp p:last-child {{ margin-bottom: 0 }}
.rp a {{ color: {t["primary"]}; text-underline-offset: 3px }}
.rp-sub {{ color: {t["mute"]}; font-size: 1rem; margin: .4rem 0 0; max-width: 60rem }}
.rp-quiet {{ color: {t["mute"]}; font-size: .87rem }}
.rp-cite {{ color: {t["mute"]}; font-size: .8rem }}
.rp-cover {{ color: {t["mute"]}; font-size: .87rem; max-width: 60rem }}
.rp-note {{ border-left: 3px solid {t["notice"]}; background: {t["tint_notice"]}; padding: .5rem .8rem; border-radius: 0 6px 6px 0; font-size: .93rem }}
.rp-pill {{ display: inline-block; font-size: .73rem; line-height: 1; padding: .2rem .45rem; border: 1px solid {t["border"]}; border-radius: 999px; color: {t["mute"]}; white-space: nowrap; vertical-align: 1px }}
.rp-pill.doubt {{ color: {t["notice"]}; border-color: {t["notice"]} }}
.rp-table {{ border-collapse: collapse; width: 100%; font-size: .9rem; border: 0 }}
.rp-table th, .rp-table td {{ text-align: left; padding: .45rem .7rem .45rem 0; border: 0; border-bottom: 1px solid {t["border"]}; vertical-align: top; color: inherit; background: none }}
.rp-table th {{ font-size: .8rem; font-weight: 600; color: {t["mute"]} }}
.rp-table .num {{ text-align: right; white-space: nowrap }} .rp-table .date {{ white-space: nowrap; color: {t["mute"]} }}
.rp-table tr.old td {{ color: {t["mute"]} }}
.rp-scroll {{ overflow-x: auto; max-width: 100% }}
.rp-formula {{ font-family: {SERIF}; font-size: 1.08rem; line-height: 1.7; margin: 0 0 .35rem }}
.rp-formula b {{ font-weight: 650; border-bottom: 2px solid {t["rust"]} }}
.rp-empty {{ border: 1px solid {t["border"]}; border-radius: 6px; min-height: 240px; display: flex; align-items: center; justify-content: center; text-align: center; padding: 2rem }}
.rp-big {{ font-family: {SERIF}; font-size: 1.95rem; font-weight: 650; line-height: 1.15; border-bottom: 2px dotted {t["axis"]}; display: inline-block; text-decoration: none }}
.rp-links a {{ display: block; padding: .3rem 0; white-space: nowrap }}
.rp-links small {{ color: {t["mute"]}; margin-left: .35rem }}
.rp-clauses .rp-table {{ font-size: .84rem }} .rp-clauses td:first-child {{ min-width: 13rem }} .rp-clauses td:last-child {{ min-width: 8rem }}
@media screen and (max-width: 640px) {{ .rp h1, .rp h2 {{ font-size: 1.35rem }} .rp-clauses th {{ display: none }}
  .rp-clauses td {{ display: block; border-bottom: 0; padding: .1rem 0 }} .rp-clauses td:first-child {{ border-top: 1px solid {t["border"]}; padding-top: .5rem }} }}
@page {{ size: A4; margin: 9mm }}
@media print {{
  {_OFF_PAPER} {{ display: none !important }}
  html {{ zoom: .6{"; filter: invert(1) hue-rotate(180deg)" if theme == "dark" else ""} }}
  html, body, .stApp, [data-testid="stMain"], [data-testid="stAppViewContainer"] {{ background: none !important }}
  [data-testid="stMainBlockContainer"] {{ padding: 0 !important; max-width: none !important }}
  .rp-clauses .rp-table {{ font-size: .78rem }} .rp-clauses .rp-table td {{ padding: .18rem .6rem .18rem 0 }} .rp-scroll {{ overflow: visible }}
  [data-testid="stPlotlyChart"], .rp-clauses tr {{ break-inside: avoid }}
}}
</style>"""  # noqa: E501 - rules read best on one line


def safe(value: object, most: int = 2000) -> str:
    """A value as text inside our markup."""
    return shown(value, most)
