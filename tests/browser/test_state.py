"""State and address: what is set is in the address, what is in the address is set, and nothing is lost on the way."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect


def query(tab):
    return parse_qs(urlsplit(tab.page.url).query, keep_blank_values=True)


def test_an_address_sets_the_controls_and_is_spelled_out_in_full(tab):
    tab.open("/clusters?by=user&lines=5")
    tab.expect_address("by=user", "quantity=power_mw", "lines=5", "log=true")
    expect(tab.page.get_by_role("combobox", name="Group")).to_have_value("By user")
    tab.no_trouble()


def test_an_edit_writes_the_address_without_a_trail_in_the_history(tab):
    tab.open("/clusters")
    tab.expect_address("by=site")
    before = tab.page.evaluate("history.length")
    for words, value in (("By owner", "owner"), ("By country", "country"), ("By user", "user")):
        tab.choose("Group", words)
        tab.expect_address(f"by={value}")
    assert tab.page.evaluate("history.length") == before


def test_what_cannot_be_read_is_named(tab):
    tab.open("/clusters?by=planet&lines=999&rev=77&nosuch=1")
    tab.sees("ignored by=planet: one of site, owner, user, country, chip")
    tab.sees("ignored lines=999: a whole number from 1 to 40")
    tab.sees("ignored rev=77")
    tab.sees("ignored nosuch=1")
    tab.expect_address("by=site", "lines=11")


def test_a_chart_of_another_page_is_named(tab):
    tab.open("/chips?chart=prices.level")
    tab.sees("ignored chart=prices.level: it stands on /prices.")
    tab.no_trouble()


def test_rapid_steps_of_a_slider_lose_nothing(tab):
    tab.open("/clusters?lines=10")
    tab.expect_address("lines=10")
    tab.press("More")
    slider = tab.page.get_by_role("slider", name="Lines named")
    slider.focus()
    for _ in range(12):
        slider.press("ArrowRight")
    tab.expect_address("lines=22")
    tab.settle()
    assert slider.evaluate("e => e.value ?? e.getAttribute('aria-valuenow')") == "22"
    assert query(tab)["lines"] == ["22"]


def test_back_and_forward_restore_each_address(tab):
    tab.open("/clusters?by=user")
    tab.expect_address("by=user", "claims=true")
    tab.open("/clusters?by=country")
    tab.expect_address("by=country", "claims=true")
    tab.page.go_back()
    tab.expect_address("by=user")
    expect(tab.page.get_by_role("combobox", name="Group")).to_have_value("By user")
    tab.page.go_forward()
    tab.expect_address("by=country")
    expect(tab.page.get_by_role("combobox", name="Group")).to_have_value("By country")


def test_a_link_opens_in_a_clean_browser_on_what_it_showed(tab, browser, server):
    tab.open("/clusters?by=user&quantity=h100e")
    tab.press("Share")
    link = tab.page.locator("a[data-link]")
    expect(link).to_have_text(re.compile(r"/s/[a-z2-7]{8,}"))
    address = link.inner_text()
    finding = tab.page.locator(".rp h2").first.inner_text()
    context = browser.new_context()
    other = context.new_page()
    other.goto(address)
    other.wait_for_selector("[data-rev]", state="attached")
    expect(other.locator(".rp h2").first).to_have_text(finding)
    assert "by=user" in other.url and "s=" in other.url and "rev=" in other.url
    context.close()


def test_an_edit_leaves_the_link_but_not_the_revision(tab):
    tab.open("/clusters?by=user")
    tab.press("Share")
    address = tab.page.locator("a[data-link]").inner_text()
    tab.page.goto(address)
    tab.expect_address("s=", "by=user")
    tab.settle()
    tab.choose("Group", "By country")
    tab.expect_address("by=country", "rev=")
    assert "s" not in query(tab)


def test_the_line_under_a_chart_is_copied_with_a_link(tab):
    tab.open("/clusters?by=user")
    tab.press("Copy line")
    expect(tab.page.get_by_role("button", name="Copied")).to_be_visible()
    line = tab.page.evaluate("navigator.clipboard.readText()")
    assert "rev " in line and "Epoch AI" in line and re.search(r"http://\S+/s/[a-z2-7]{8,}$", line)


def test_an_embed_shows_the_chart_alone_with_its_credit(tab):
    tab.open("/clusters?by=user&embed=true")
    tab.expect_address("embed=true", "by=user")
    expect(tab.page.locator("[data-citation]")).to_contain_text("CC BY 4.0")
    expect(tab.page.get_by_role("combobox")).to_have_count(0)
    expect(tab.page.get_by_text("Export controls")).to_have_count(0)


def test_a_phone_gets_a_figure_that_fits(phone):
    phone.open("/clusters")
    assert phone.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    phone.no_trouble()


def test_a_window_made_narrow_keeps_the_state(tab):
    tab.open("/clusters?by=user&lines=7")
    tab.expect_address("by=user", "lines=7")
    tab.page.set_viewport_size({"width": 420, "height": 900})
    expect(tab.page.get_by_role("combobox", name="View")).to_be_visible()
    tab.settle()
    tab.expect_address("by=user", "lines=7")
    tab.choose("Group", "By country")
    tab.expect_address("by=country", "lines=7")
    tab.page.set_viewport_size({"width": 1300, "height": 900})
    expect(tab.page.get_by_role("radiogroup", name="View")).to_be_visible()
    tab.settle()
    tab.expect_address("by=country", "lines=7")
