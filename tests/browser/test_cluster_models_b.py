"""Scale, consistency, fleets and what-if in a real browser; every preset of the claims about clusters opens."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import charts
from charts import registry
from tests.browser.addresses import address
from tests.browser.conftest import WATCHDOG_MS

charts.load_all()
CLAIMS = [f"C{i}" for i in range(1, 19)]
PRESETS = {
    claim: [(c.id, p.name) for c in registry.CHARTS.values() if c.page == "clusters" for p in c.presets if p.claim == claim]
    for claim in CLAIMS
}


def finding(tab) -> str:
    return tab.page.locator(".rp h2").first.inner_text()


@pytest.mark.parametrize("claim", CLAIMS)
def test_each_claim_about_clusters_opens_on_the_page(tab, claim):
    assert PRESETS[claim], f"no preset on the cluster page speaks to {claim}"
    for chart_id, name in PRESETS[claim]:
        tab.open(address(chart_id, name))
        expect(tab.page.locator(".js-plotly-plot, [data-empty]").first).to_be_visible(timeout=WATCHDOG_MS)
        tab.no_trouble()
        expect(tab.page.locator("[data-failed], [data-problem]")).to_have_count(0)
        assert finding(tab)


def test_the_claims_page_links_every_claim_about_clusters(tab):
    tab.open("/claims")
    for claim in CLAIMS:
        expect(tab.page.get_by_text(re.compile(rf"\b{claim}\b")).first).to_be_attached()
    shown = tab.page.locator("a[href*='clusters']").count()
    assert shown >= len(CLAIMS)


def test_past_young_s_range_the_exact_form_is_used_and_said(tab):
    tab.open(address("clusters.scale", "half-million"))
    tab.sees("is past its range here")
    tab.page.get_by_text("Several sites", exact=True).click()
    tab.expect_address("show=sites")
    expect(tab.page.locator(".rp h2").first).to_contain_text("miles apart")
    tab.page.get_by_text("Hierarchy", exact=True).click()
    tab.expect_address("show=hierarchy")
    expect(tab.page.locator(".rp h2").first).to_contain_text("bandwidth falls")
    tab.no_trouble()


def test_a_click_on_an_outlier_opens_the_cluster_s_file(tab):
    tab.open(address("clusters.consistency"))
    expect(tab.page.locator(".rp h2").first).to_contain_text("questioned")
    mark = tab.page.locator(".js-plotly-plot .scatterlayer .point").last
    mark.click(force=True)
    tab.expect_address("chart=clusters.file")
    expect(tab.page.get_by_text("What each source says, phase by phase")).to_be_visible()


def test_a_fleet_answers_to_demand_and_to_a_limit(tab):
    tab.open(address("clusters.fleet"))
    before = finding(tab)
    assert "queries a day" in before
    tab.choose("Question", "Power is the limit")
    tab.expect_address("limit=power")
    expect(tab.page.locator(".rp h2").first).to_contain_text("100 MW serve")
    tab.press("Receipt")
    tab.sees("Queries a day")
    tab.no_trouble()


def test_a_cluster_s_file_leads_to_what_if_and_a_bad_pue_is_a_sentence(tab):
    tab.open(address("clusters.file", "xai-colossus1"))
    tab.press("What if it had other chips, power or prices")
    tab.expect_address("chart=clusters.whatif", "cluster=xai-colossus1")
    expect(tab.page.locator(".rp h2").first).to_contain_text("Colossus 1")
    tab.open(address("clusters.whatif", pue=0.5))
    tab.sees("PUE must be from 1 to 3, got 0.5")
    tab.no_trouble()
