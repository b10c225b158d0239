"""The page of inference cost: presets open on what they claim, controls reach the address, groups turn, phones fit."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import charts
from tests.browser.addresses import address
from tests.browser.conftest import WATCHDOG_MS

charts.load_all()
# Words a reader must find in the title when a preset's address is opened.
OPENINGS = {
    ("prices.level", "gpt4"): r"Reaching GPT-4's score cost \$37\.50 per million tokens in 2023",
    ("prices.level", "v3"): r"DeepSeek-V3 sits on a ten-fold-a-year line",
    ("prices.level", "gpt3"): r"Reaching GPT-3's score cost \$60\.00 per million tokens in 2020",
    ("prices.level", "gpt4_output"): r"Reaching GPT-4's score cost \$60\.00 per million tokens in 2023",
    ("prices.rates", "halving"): r"Prices halve every 2\.\d to 4\.\d months",
    ("prices.task_trend", "together"): r"halves every 2 months \(1\.6 to 2\.4",
    ("prices.task_trend", "weirdml"): r"30 % on WeirdML cost \$0\.25 a task in 2024",
    ("prices.ratios", "output"): r"Output over input went from a median of 1 in 2020 to 5 in 2026",
    ("prices.ratios", "cached"): r"0\.25 in 2025, 0\.1 in 2026",
    ("prices.hosts", "r1"): r"18\.2-fold for the same weights",
    ("prices.factors", "claim"): r"o1 costs 27\.4 times R1",
    ("prices.day", "disclosed"): r"546 % over its rent at R1 prices: a gross margin of 84\.5 %",
    ("prices.arc", "o3"): r"The same o3 run stands at \$20\.12 and at \$200 a task",
    ("prices.rent", "h100"): r"rents that the same seller re-listed",
    ("prices.rent", "blocks"): r"1 of 1 fell before 1 Oct 2025, 2 of 2 rose since",
    ("prices.rent_per", "mtok"): r"Cheapest per million Llama-3\.3-70B tokens",
    ("prices.margin", "llama"): r"Llama-3\.3-70B on rented H100 costs",
    ("prices.elasticity", "jevons"): r"spending, GPU-hours and rents all rise",
    ("prices.plan", "heavy"): r"loses \$149 a month per subscriber",
    ("prices.search", "gpt4"): r"would have cost \$666B a year in 2023",
}


@pytest.mark.parametrize(("chart_id", "preset"), OPENINGS, ids=lambda value: str(value).removeprefix("prices."))
def test_presets_open_on_what_they_claim(tab, chart_id, preset):
    tab.open(address(chart_id, preset))
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile(OPENINGS[chart_id, preset]), timeout=WATCHDOG_MS)
    expect(tab.page.locator(".js-plotly-plot, [data-empty]").first).to_be_visible(timeout=WATCHDOG_MS)
    tab.no_trouble()


def _turn(tab, words):
    """Press one of a row of choices."""
    tab.page.get_by_role("radio", name=words).or_(tab.page.get_by_role("button", name=words)).first.click()


def test_level_and_blend_reach_the_address_and_the_title(tab):
    tab.open("/prices")
    tab.expect_address("level=gpt4", "blend=b31", "buyable=false")
    tab.choose("Level", "o1 (GPQA Diamond ≥ 75.7 %)")
    tab.expect_address("level=o1")
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile("Reaching o1's score"), timeout=WATCHDOG_MS)


def test_too_few_records_say_why_there_is_no_rate(tab):
    tab.open("/prices?buyable=true")
    tab.sees("Only 3 price records reach this level; a rate needs 4.")


def test_nothing_to_draw_offers_a_way_out(tab):
    tab.open("/prices?level=own&benchmark=MMLU&threshold=1.0")
    expect(tab.page.locator("[data-empty]")).to_contain_text("No offer reaches MMLU ≥ 100 %", timeout=WATCHDOG_MS)
    tab.press("Show the nearest")
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible(timeout=WATCHDOG_MS)


def test_a_foreign_value_is_named(tab):
    tab.open("/prices?level=gpt9&cache_hit_share=2")
    tab.sees("ignored level=gpt9")
    tab.sees("ignored cache_hit_share=2")


def test_groups_and_views_turn_to_their_charts(tab):
    tab.open("/prices")
    _turn(tab, "GPU rental")
    tab.expect_address("chart=prices.rent")
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile("rents that the same seller re-listed"), timeout=WATCHDOG_MS)
    _turn(tab, "Payback by chip")
    tab.expect_address("chart=prices.payback")
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile("pays itself back soonest"), timeout=WATCHDOG_MS)


def test_the_best_models_own_price_is_a_switch(tab):
    tab.open("/prices?own=true")
    tab.sees("Best model of its day: GPT-4")
    expect(tab.page.locator(".js-plotly-plot").first).to_contain_text("gpt-5.2-pro", timeout=WATCHDOG_MS)


def test_a_score_is_set_and_kept_in_the_address(tab):
    tab.open("/prices?chart=prices.task_trend&benchmark=Aider+polyglot&threshold=0.6")
    expect(tab.page.locator(".rp h2").first).to_have_text(
        re.compile(r"60 % on Aider polyglot cost \$0\.83 a task in 2024"), timeout=WATCHDOG_MS
    )
    _turn(tab, "All scores together")
    tab.expect_address("view=all", "threshold=0.6")
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile("The cost of a score on Aider polyglot halves"), timeout=WATCHDOG_MS)


def test_the_receipt_shows_the_price_worked_out(tab):
    tab.open("/prices")
    tab.press("Receipt")
    tab.sees("Score choice")
    tab.sees("Leaving out one record holder at a time")


def test_a_phone_gets_figures_that_fit(phone):
    for chart in ("prices.level", "prices.rates", "prices.task_trend", "prices.arc"):
        phone.open(f"/prices?chart={chart}")
        assert phone.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
        phone.no_trouble()
