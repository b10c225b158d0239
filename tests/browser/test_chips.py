"""The export controls page: opens on a case, presets say what they claim, controls reach the address, a draft is a link."""

from __future__ import annotations

import re
import urllib.parse

import pytest
from playwright.sync_api import expect

import charts
from tests.browser.addresses import address

charts.load_all()
# Words a reader must find in the title when a preset's address is opened.
OPENINGS = {
    ("chips.case", "h20-china-today"): r"H20 SXM5 96GB to China on 23 Nov 2026: company letter, by 2025-04-letters",
    ("chips.case", "h800-2022"): r"H800 SXM5 80GB to China on 15 Nov 2022: no clause met",
    ("chips.plane", "october-2023"): r"no clause to China on 17 Nov 2023",
    ("chips.regime", "letters-2025"): r"fell under a clause \(H20",
    ("chips.clauses", "china-2023"): r"To China on 1 Dec 2023",
    ("chips.compare", "hopper"): r"H20 SXM5 96GB cuts TPP to 0\.15×",
    ("chips.design", "before-letters"): r"This design to China on 1 Mar 2025: no clause met",
    ("chips.draft", "overwatch"): r"GeForce RTX 4090 D",
    ("chips.flows", "chips-2024"): r"To China for 2024, chips",
    ("chips.stock", "china"): r"China 402k \(325k to 497k\)",
    ("chips.resale", "claim"): r"resold at 1\.2 times the price keeps \$45,000",
    ("chips.subsidies", "announced"): r"three national chip funds hold \$94\.8bn",
    ("chips.caps", "exception"): r"hold 1,699 H100 SXM5 80GB",
    ("chips.reporting", "order"): r"take 101k H100 SXM5 80GB",
}


@pytest.mark.parametrize(("chart_id", "preset"), OPENINGS, ids=lambda value: str(value).removeprefix("chips."))
def test_presets_open_on_what_they_claim(tab, chart_id, preset):
    tab.open(address(chart_id, preset))
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile(OPENINGS[chart_id, preset]), timeout=60_000)
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()
    expect(tab.page.get_by_text("A reading of published rules, not legal advice.")).to_have_count(1)
    tab.no_trouble()


@pytest.mark.parametrize("asked", ["", "&chip=h100-sxm", "&chip=mi308x", "&chip=a100-sxm-80&on=2024-06-01&dest=AE"])
def test_a_case_file_prints_on_one_page(tab, asked):
    tab.open("/chips?chart=chips.case" + asked)
    expect(tab.page.locator("[data-clauses] tr").nth(1)).to_be_visible(timeout=60_000)
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()
    sheet = tab.page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page[^s]", sheet)) == 1
    tab.page.emulate_media(media="print")
    expect(tab.page.get_by_test_id("stSelectbox").first).to_be_hidden()
    expect(tab.page.locator("[data-clauses]")).to_be_visible()


def test_the_clauses_stand_in_words_with_value_margin_and_doubt(tab):
    tab.open("/chips?chart=chips.case")
    row = tab.page.locator("[data-clauses] tr", has_text="2023-10-3A090.b.1")
    expect(row).to_contain_text("TPP ≥ 2,400: 2,368 (−32) ✗")
    expect(tab.page.locator("[data-clauses] tr", has_text="2025-04-letters")).to_contain_text("reported")


def test_a_chip_with_sparsity_is_asked_about_on_the_data_page(tab):
    tab.open("/data")
    tab.choose("Table", "Chips")
    body = b"GPU,Vendor,FP8 with sparsity (TFLOPS),BF16 (TFLOPS)\nHexa X1,Hexa,3958,989\n"
    tab.page.locator('input[type="file"]').last.set_input_files(files=[{"name": "hexa.csv", "mimeType": "text/csv", "buffer": body}])
    expect(tab.page.locator("[data-question]").first).to_contain_text("Rates here are dense", timeout=60_000)
    tab.choose("Answer to sparse:FP8 with sparsity (TFLOPS)", "halve")
    tab.press("Use these answers")
    expect(tab.page.locator("[data-question]")).to_have_count(0, timeout=60_000)
    tab.sees("1 added, 0 changed")
    tab.no_trouble()


def test_the_page_opens_on_one_case_and_its_destination_reaches_the_address(tab):
    tab.open("/chips")
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile("H20 SXM5 96GB to China on 23 Nov 2026"))
    tab.choose("Destination", "to Japan")
    tab.expect_address("dest=JP")
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile("to Japan on 23 Nov 2026: no clause met"))


def test_subjects_and_views_turn_to_their_charts(tab):
    tab.open("/chips")
    tab.page.get_by_role("radio", name="Limits").or_(tab.page.get_by_role("button", name="Limits")).first.click()
    tab.expect_address("chart=chips.caps")
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile("hold 1,699 H100"))


def test_a_draft_is_a_link_and_a_malformed_one_says_where(tab):
    tab.open("/chips?chart=chips.draft&expr=" + urllib.parse.quote("memory_bandwidth_gb_per_s >= 4000"))
    expect(tab.page.locator(".rp h2").first).to_have_text(re.compile("This draft catches"))
    tab.open("/chips?chart=chips.draft&expr=" + urllib.parse.quote("memory_bandwith >= 4000"))
    tab.sees("position 1: memory_bandwith is not a known name; did you mean memory_bandwidth_gb_per_s?")
    expect(tab.page.locator("[data-problem]")).not_to_contain_text("?.")
    tab.no_trouble()


def test_a_foreign_value_is_named(tab):
    tab.open("/chips?chart=chips.case&dest=ZZ")
    tab.sees("ignored dest=ZZ")
