"""The cluster page in a real browser: every view and its controls, files of the claims, words where nothing is left, newer data."""

from __future__ import annotations

import urllib.request

import pytest
from playwright.sync_api import expect

from charts.clusters.views import GROUPS, VIEWS

ROW = (
    "cluster_id,name,owner,country,phase,status,as_of,online_date,chip_id,power_mw,source,confidence\n"
    "browser-test,Browser Test Site,Somebody,Norway,1,operational,2026-11-01,2026-10-01,h100-sxm,12,A test,claim\n"
)


def finding(tab) -> str:
    return tab.page.locator(".rp h2").first.inner_text()


def test_every_view_is_drawn_and_has_its_own_address(tab):
    tab.open("/clusters")
    for subject, charts in GROUPS.items():
        tab.page.get_by_role("radiogroup", name="Subject").get_by_text(subject, exact=True).click()
        if subject != next(iter(GROUPS)):
            tab.expect_address("chart=" + next(iter(charts)))
        tab.settle()
        for chart_id, words in charts.items():
            if chart_id != next(iter(charts)):
                tab.page.get_by_role("radiogroup", name="View").get_by_text(words, exact=True).click()
                tab.expect_address(f"chart={chart_id}")
                tab.settle()
            tab.no_trouble()
            expect(tab.page.locator("[data-failed], [data-problem]")).to_have_count(0)
            expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()
            assert finding(tab)


def test_controls_change_the_chart_and_the_address(tab):
    tab.open("/clusters")
    for label, words, part in (("Group", "By user", "by=user"), ("Quantity", "H100e, dense 8-bit", "quantity=h100e")):
        before = finding(tab)
        tab.choose(label, words)
        tab.expect_address(part)
        expect(tab.page.locator(".rp h2").first).not_to_have_text(before)
    tab.page.get_by_text("Newest voice a site", exact=True).click()
    tab.expect_address("voices=newest")
    tab.no_trouble()


def test_a_filter_that_leaves_nothing_says_so_and_offers_a_way_out(tab):
    tab.open("/clusters?find=nosuchplace")
    expect(tab.page.locator("[data-empty]")).to_contain_text("No dated IT power")
    tab.press("Show the nearest")
    tab.expect_address("find=&")
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()


def test_a_source_nobody_knows_is_left_out_and_named(tab):
    tab.open("/clusters?source=Nobody&owners=Amazn&owners=Google")
    said = tab.page.locator("[data-ignored]")
    expect(said).to_have_count(2)
    expect(said.filter(has_text="owners=Amazn")).to_contain_text("the nearest is Amazon")
    tab.sees("only owner Google")
    tab.expect_address("source=&")


def test_each_filter_narrows_what_is_drawn(tab):
    for query, said in (
        ("users=OpenAI", "only user OpenAI"),
        ("countries=China", "only country China"),
        ("chips=gb200", "only chip gb200"),
        ("statuses=operational", "only status operational"),
        ("evidences=filing", "only evidence filing"),
        ("rungs=modelled", "only confidence modelled"),
        ("editions=export+of+early+2026+%28786+rows%29&voices=all", "only edition export of early 2026"),
        ("find=memphis", "“memphis” in name or place"),
    ):
        tab.open(f"/clusters?{query}")
        tab.sees(said)
        expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()


def test_events_can_be_switched_off(tab):
    tab.open("/clusters")
    drawn = "((document.querySelector('.js-plotly-plot') || {}).data || [])"
    marks = f"{drawn}.filter(t => (t.marker || {{}}).symbol === 'triangle-up').length"
    tab.page.wait_for_function(f"{marks} === 1")
    tab.press("More")
    tab.page.get_by_text("Events", exact=True).click()
    tab.expect_address("events=false")
    tab.page.wait_for_function(f"{drawn}.length > 0 && {marks} === 0")


def test_two_editions_of_a_source_stand_side_by_side(tab):
    tab.open("/clusters?chart=clusters.editions")
    tab.sees("(Aug 2026) against Dec 2025: 8 sites revised, −86 % to +17 %")
    tab.page.get_by_text("Dated last, plans too", exact=True).click()
    tab.expect_address("at=last")
    tab.sees("the level each dates last")


def test_an_embed_keeps_its_credit(tab):
    tab.open("/clusters?by=user&embed=true")
    expect(tab.page.locator("[data-citation]")).to_contain_text("CC BY 4.0")


def test_filters_stay_set_from_view_to_view(tab):
    tab.open("/clusters?owners=Google")
    tab.page.get_by_role("radiogroup", name="View").get_by_text("Ranking", exact=True).click()
    tab.expect_address("chart=clusters.ranking", "owners=Google")
    tab.sees("only owner Google")


@pytest.mark.parametrize(
    ("cluster", "name"),
    [
        ("gpt4-iowa", "GPT-4 training cluster"),
        ("highflyer-ff2", "Fire-Flyer 2"),
        ("deepseek-fleet", "DeepSeek"),
        ("meta-llama4", "Meta Llama 4"),
        ("msft-goodyear", "Goodyear"),
        ("xai-colossus1", "Colossus 1"),
        ("stargate-abilene", "Stargate Abilene"),
        ("anthropic-rainier", "Rainier"),
        ("google-new-albany", "New Albany"),
        ("meta-hyperion", "Hyperion"),
        ("bytedance-fleet", "ByteDance"),
    ],
)
def test_a_claim_s_cluster_has_its_file(tab, cluster, name):
    tab.open(f"/clusters?chart=clusters.file&cluster={cluster}&quantity=chip_count")
    tab.expect_address(f"cluster={cluster}")
    tab.sees("What each source says, phase by phase")
    assert name in tab.page.locator(".rp h2, .rp-sub").all_inner_texts()[0] or name in finding(tab)
    tab.no_trouble()


def test_claims_open_on_their_charts(tab):
    tab.open("/claims")
    for claim in ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C16"):
        expect(tab.page.locator(f"#{claim} a").first).to_be_attached()
    tab.page.locator("#C6 a").first.click()
    tab.settle()
    tab.expect_address("cluster=xai-colossus1")


def test_a_click_on_a_mark_opens_the_cluster_s_file(tab):
    tab.open("/clusters?chart=clusters.secured&find=talen")
    marks = tab.page.locator(".js-plotly-plot .scatterlayer .trace .points path")
    expect(marks.first).to_be_visible()
    marks.last.click(force=True)
    tab.expect_address("chart=clusters.file", "cluster=amazon-talen")


def test_the_receipt_and_the_table_open_under_the_chart(tab):
    tab.open("/clusters")
    tab.press("Receipt")
    tab.sees("How it is computed")
    tab.sees("From these rows")
    tab.press("Table")
    expect(tab.page.get_by_test_id("stDataFrame")).to_be_visible()


def test_downloads_hold_the_state(tab):
    tab.open("/clusters?by=user")
    tab.press("Download")
    link = tab.page.get_by_role("link", name="CSV")
    expect(link).to_be_visible()
    with urllib.request.urlopen(tab.url + link.get_attribute("href")) as answer:
        assert answer.status == 200 and b"OpenAI" in answer.read()


def test_somebody_else_s_commit_shows_as_newer_data(tab, server):
    tab.open("/clusters")
    request = urllib.request.Request(
        f"{server.url}/api/uploads?table=clusters&commit=true", data=ROW.encode(), headers={"Content-Type": "text/csv"}, method="POST"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    expect(tab.page.locator("[data-newer]")).to_be_visible(timeout=60_000)
    tab.press("Show the newest")
    expect(tab.page.locator("[data-newer]")).to_have_count(0)


def test_a_phone_reads_every_view(phone):
    for chart_id in VIEWS:
        phone.open(f"/clusters?chart={chart_id}")
        phone.no_trouble()
        assert phone.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
