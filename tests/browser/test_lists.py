"""Overview, claims and sources; and a link that stays what it was while the data move on."""

from __future__ import annotations

import re
import urllib.request

from playwright.sync_api import expect

ROW = (
    "cluster_id,name,owner,country,phase,status,as_of,online_date,chip_id,power_mw,source,confidence\n"
    "moved-on,Moved On Site,Somebody,Norway,1,operational,2026-11-02,2026-10-02,h100-sxm,17,Another test,likely\n"
)


def test_every_figure_of_the_overview_opens_its_receipt_and_its_chart(tab):
    tab.open("/")
    receipts = tab.page.get_by_role("button", name="Receipt", exact=True)
    count = receipts.count()
    assert count >= 5
    for i in range(count):
        tab.page.get_by_role("button", name="Receipt", exact=True).nth(i).click()
        tab.settle()
        expect(tab.page.get_by_text("How it is computed")).to_have_count(1)
        tab.no_trouble()
    tab.page.get_by_role("link", name=re.compile("Ranking of sites")).click()
    tab.expect_address("chart=clusters.ranking")
    tab.sees("leads with")


def test_sources_can_be_searched(tab):
    tab.open("/sources")
    box = tab.page.get_by_role("textbox", name="Search")
    box.fill("TOP500")
    box.press("Enter")
    tab.sees("TOP500 list, June 2025")
    box.fill("nosuchsource")
    box.press("Enter")
    expect(tab.page.locator("[data-empty]")).to_contain_text("No source matches")
    tab.no_trouble()


def test_a_page_that_is_not_there_is_404(tab):
    answer = tab.page.goto(tab.url + "/nosuch")
    assert answer is not None and answer.status == 404


def test_a_link_stays_while_the_data_move_on_and_says_so(tab, server):
    tab.open("/clusters?voices=all&countries=Norway")
    tab.press("Share")
    address = tab.page.locator("a[data-link]").inner_text()
    before = tab.page.locator(".rp h2").first.inner_text()
    headers = {"Content-Type": "text/csv"}
    request = urllib.request.Request(
        f"{server.url}/api/uploads?table=clusters&commit=true", data=ROW.encode(), headers=headers, method="POST"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    tab.page.goto(address)
    tab.expect_address("s=")
    tab.settle()
    expect(tab.page.locator("[data-notice]")).to_have_attribute("data-notice", re.compile("data"))
    expect(tab.page.locator(".rp h2").first).to_have_text(before)
    tab.press("Show what it is now")
    expect(tab.page.locator("[data-notice]")).to_have_count(0)
    tab.page.wait_for_function("!new URLSearchParams(location.search).has('s')")
    tab.page.goto(address)
    tab.settle()
    expect(tab.page.locator(".rp h2").first).to_have_text(before)
