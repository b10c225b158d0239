"""The wizard from file to revision and back: a question answered, a column corrected, a draft looked at, committed, undone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

WIKI = """Name,Owner,Location,Opened,GPUs,Power,Standort
Wizard One[1],Acme,"Abilene, Texas, U.S.",2025-02-13,"100,000 H100",~150 MW,first
Wizard Two,Acme,"Reno, Nevada, U.S.",2027,5k GB200,20 MW,second
Broken,Acme,,2025-02-30,1,1 MW,third
"""


def upload(tab, text, name="wizard.csv"):
    tab.open("/data")
    tab.page.locator('input[type="file"]').last.set_input_files(files=[{"name": name, "mimeType": "text/csv", "buffer": text.encode()}])
    return tab


def shows(tab, mark):
    return expect(tab.page.locator(f"[{mark}]").first).to_be_visible(timeout=60_000)


def test_the_whole_way(tab):
    upload(tab, WIKI)
    shows(tab, "data-summary")
    tab.sees("2 added, 0 changed")
    tab.sees("there is no such day in the calendar")
    commit = tab.page.get_by_role("button", name="Commit 2 rows")
    expect(commit).to_be_disabled()

    tab.choose("Answer to power:Power", "IT")
    tab.press("Use these answers")
    expect(tab.page.locator("[data-question]")).to_have_count(0, timeout=60_000)
    shows(tab, "data-summary")
    expect(commit).to_be_enabled(timeout=60_000)

    tab.choose("Column", "Standort")
    field = tab.page.get_by_role("combobox", name="is", exact=True)
    field.click()
    field.press_sequentially("quote_or")  # a long list: only options in sight exist
    tab.page.get_by_role("option", name="quote_or_note", exact=True).click()
    tab.press("Read again")
    expect(tab.page.locator("[data-mapping] tr", has_text="Standort").filter(has_text="quote_or_note")).to_have_count(1, timeout=60_000)
    shows(tab, "data-summary")

    tab.press("See it in a chart")
    shows(tab, "data-draft")
    expect(tab.page.get_by_test_id("stPlotlyChart").first).to_be_visible(timeout=60_000)
    other = tab.page.context.browser.new_context().new_page()
    other.goto(tab.url + "/clusters?source=Upload%3A+wizard.csv")
    other.wait_for_selector("[data-rev]", state="attached", timeout=60_000)
    expect(other.get_by_text("Wizard One")).to_have_count(0)
    other.context.close()

    tab.page.get_by_role("textbox", name="Your name").fill("ann")
    tab.page.get_by_role("textbox", name="Your name").press("Enter")
    tab.settle()
    commit.click()
    shows(tab, "data-told")
    tab.sees("Written as revision")
    expect(tab.page.locator("[data-history] tr", has_text="wizard.csv").filter(has_text="ann")).to_have_count(1, timeout=60_000)

    tab.press("Take it back")
    shows(tab, "data-undone")
    tab.sees("2 added, 0 changed")
    tab.no_trouble()


def test_a_file_that_is_no_table_is_refused_with_a_sentence(tab):
    upload(tab, "PK\x03\x04 not a table", "sheet.csv")
    shows(tab, "data-refused")
    tab.sees("not text")
    tab.press("Another file")
    tab.settle()
    expect(tab.page.locator("[data-refused]")).to_have_count(0)
    tab.no_trouble()


@pytest.mark.parametrize(
    "value", ["<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "[x](javascript:window.hit=1)", "$\\frac{1}{0}$"]
)
def test_cells_are_text(tab, value):
    upload(tab, f'Name,GPUs,Notes\n"{value}",100,"{value}"\n"{value} two",lots,\n', "cells.csv")
    shows(tab, "data-summary")
    assert tab.page.evaluate("window.hit") is None
    tab.no_trouble()
