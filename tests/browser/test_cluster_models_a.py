"""Power, money and training runs in a real browser: presets of the claims, controls, what cannot be, receipts, a phone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from charts import registry, state
from charts.clusters import chain, money, swings, training

CHARTS = (chain.CHART, swings.CHART, money.CHART, training.CHART)
WATCHDOG_MS = 60_000
PRESETS = [(chart.id, preset) for chart in CHARTS for preset in chart.presets]


def finding(tab) -> str:
    return tab.page.locator(".rp h2").first.inner_text()


def address(chart_id: str, params: dict) -> str:
    return f"/clusters?chart={chart_id}&" + state.encode(registry.get(chart_id).params(**params))


@pytest.mark.parametrize(("chart_id", "preset"), PRESETS, ids=[f"{c}-{p.name}" for c, p in PRESETS])
def test_every_preset_is_drawn_and_says_what_it_finds(tab, chart_id, preset):
    tab.open(address(chart_id, dict(preset.params)))
    tab.no_trouble()
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible(timeout=WATCHDOG_MS)
    expect(tab.page.locator("[data-failed], [data-problem], [data-empty]")).to_have_count(0)
    assert finding(tab)


def test_claims_lead_to_these_charts(tab):
    tab.open("/claims")
    for claim, chart_id in (("C4", "clusters.chain"), ("C7", "clusters.money"), ("C12", "clusters.chain"), ("C14", "clusters.money"),
                            ("C15", "clusters.swings"), ("C18", "clusters.training"), ("E7", "clusters.training")):  # fmt: skip
        expect(tab.page.locator(f"#{claim} a[href*='{chart_id}']").first).to_be_attached()


def test_megawatts_turn_into_chips_and_back_by_the_back_button(tab):
    tab.open("/clusters?chart=clusters.chain")
    before = finding(tab)
    tab.page.get_by_text("Megawatts to chips", exact=True).click()
    tab.expect_address("start=site")
    expect(tab.page.locator(".rp h2").first).to_contain_text("150 MW at the site feed", timeout=WATCHDOG_MS)
    tab.page.get_by_text("Chips to megawatts", exact=True).click()
    expect(tab.page.locator(".rp h2").first).to_have_text(before, timeout=WATCHDOG_MS)


def test_controls_change_the_finding_and_the_address(tab):
    for chart_id, words, part in (
        ("clusters.swings", "By floor", "show=floor"),
        ("clusters.money", "Capital", "measure=capital"),
        ("clusters.training", "Against published", "show=published"),
    ):
        tab.open(f"/clusters?chart={chart_id}")
        picture = tab.page.locator(".rp-sub").first.inner_text()
        if tab.page.get_by_text(words, exact=True).count():
            tab.page.get_by_text(words, exact=True).first.click()
        else:
            tab.choose("Show", words)
        tab.expect_address(part)
        expect(tab.page.locator(".rp-sub").first).not_to_have_text(picture, timeout=WATCHDOG_MS)
        tab.no_trouble()


def test_what_cannot_be_gets_a_sentence_in_place_of_the_figure(tab):
    tab.open("/clusters?chart=clusters.swings&exchange_w=1400.0")
    tab.sees("exchange_w must be no more than compute_w, got 1400")
    tab.no_trouble()


def test_an_address_out_of_range_is_named_and_the_rest_is_shown(tab):
    tab.open("/clusters?chart=clusters.chain&peak_pue=0.8&chips=5000")
    tab.sees("peak_pue=0.8")
    expect(tab.page.locator(".rp h2").first).to_contain_text("5,000 H100", timeout=WATCHDOG_MS)


@pytest.mark.parametrize(
    "query",
    ["clusters.chain.json?chips=0", "clusters.money.json?pue=0.9", "clusters.money.json?life_years=0", "clusters.training.json?mfu=2"],
)
def test_the_api_refuses_with_the_range(server, query):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.url}/api/charts/{query}")
    assert 400 <= refused.value.code < 500
    assert any(word in json.dumps(json.load(refused.value)) for word in ("from", "at least", "to "))


def test_the_receipt_opens_to_formulas_and_rows_with_addresses(tab):
    tab.open("/clusters?chart=clusters.money")
    tab.press("Receipt")
    tab.sees("How it is computed")
    tab.sees("Price at which electricity is a share")
    expect(tab.page.locator("a[href='https://epoch.ai/data/data-centers']").first).to_be_attached()


def test_a_phone_reads_every_state(phone):
    for chart in CHARTS:
        for params in ({}, dict(chart.presets[-1].params)):
            phone.open(address(chart.id, params))
            phone.no_trouble()
            assert phone.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
