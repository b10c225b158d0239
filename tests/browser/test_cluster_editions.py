"""A new edition of a source, imported on the data page, is shown as an edition: what it revised, and whose voice it takes over."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DAY, WATCHDOG_MS, Tab
from tools.serving import running

TITLE = "Epoch AI, AI Data Centers (export Oct 2026, CC BY 4.0)"
# The edition of August 2026 has 425 MW at Colossus 1 and 284 MW at Omaha running on the day it was read to.
EDITION = f"""cluster_id,name,owner,country,phase,status,as_of,online_date,chip_id,power_mw,site_power_mw,source,confidence,edition
xai-colossus1,xAI Colossus 1,xAI,United States,3,operational,2026-10-15,2026-02-11,mixed,306,382.5,"{TITLE}",likely,export of October 2026
google-omaha,Google Omaha,Google,United States,3,operational,2026-10-15,2026-06-30,mixed,285,340.8,"{TITLE}",likely,export of October 2026
"""


@pytest.fixture
def own_tab(browser):
    """A tab on a server of its own: a newer edition becomes the source that pages open on."""
    with running(today=DAY) as server:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        page = context.new_page()
        page.set_default_timeout(WATCHDOG_MS)
        yield Tab(page, server.url)
        context.close()


def test_a_new_edition_is_imported_and_shown_as_an_edition(own_tab):
    tab = own_tab
    tab.open("/clusters?chart=clusters.editions")
    tab.sees("(Aug 2026) against Dec 2025: 8 sites revised")
    tab.open("/data")
    files = [{"name": "october.csv", "mimeType": "text/csv", "buffer": EDITION.encode()}]
    tab.page.locator('input[type="file"]').last.set_input_files(files=files)
    tab.sees("2 added, 0 changed")
    tab.press("Commit 2 rows")
    expect(tab.page.locator("[data-told]").first).to_be_visible(timeout=WATCHDOG_MS)

    tab.open("/clusters?chart=clusters.editions")
    tab.sees("Epoch AI, AI Data Centers (Oct 2026) against Aug 2026: 2 sites revised, −10 % to +20 %")
    tab.choose("Compare", "Epoch AI, AI Data Centers (Aug 2026) against Dec 2025")
    tab.sees("(Aug 2026) against Dec 2025: 8 sites revised, −86 % to +17 %")
    tab.open("/clusters?chart=clusters.file&cluster=xai-colossus1&quantity=site_power_mw")
    tab.sees("Epoch AI, AI Data Centers (Oct 2026)")
    tab.no_trouble()
