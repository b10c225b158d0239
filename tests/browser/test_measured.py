"""The page of measurements: its views, a record file taken in or refused, and a run that an administrator starts and cancels."""

from __future__ import annotations

import importlib.util
import json

import pytest

from tests.browser.conftest import DAY, WATCHDOG_MS, Tab
from tests.charts.measured.conftest import gpu_records
from tools.serving import running


@pytest.fixture
def open_server():
    """A server of its own, opened to administrators, that a test may write to."""
    with running(today=DAY, admin="true") as started:
        yield started


@pytest.fixture
def admin(open_server, browser):
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(WATCHDOG_MS)
    yield Tab(page, open_server.url)
    context.close()


def test_every_view_opens_and_stands_in_the_address(tab):
    tab.open("/measured")
    tab.expect_address("family=all")
    for view, part in (
        ("Decode bandwidth", "measured.decode"),
        ("Measured and expected", "measured.predicted"),
        ("Side by side", "side_by_side"),
    ):
        tab.page.get_by_role("radio", name=view, exact=True).click()
        tab.expect_address(part)
        tab.settle()
        tab.no_trouble()
    tab.sees("RIDGEPOINT_ADMIN=true opens it")


def test_the_page_on_a_phone(phone):
    phone.open("/measured")
    phone.no_trouble()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_record_file_is_shown_and_taken_in_and_a_bad_one_refused(admin, tmp_path):
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    rows = gpu_records()
    good.write_text("\n".join(json.dumps(row) for row in rows))
    bad.write_text("\n".join(json.dumps(row) for row in [rows[0], {**rows[1], "median_us": "<b>fast</b>"}]))
    admin.open("/measured")
    admin.page.set_input_files("input[type=file]", str(bad))
    admin.page.wait_for_selector("[data-refused]")
    refusal = admin.page.inner_text("[data-refused]")
    assert "bad.jsonl, line 2, field 'median_us'" in refusal and "<b>fast</b>" in refusal
    admin.open("/measured")
    admin.page.set_input_files("input[type=file]", str(good))
    admin.page.wait_for_selector("[data-preview]")
    assert f"{len(rows)} rows of NVIDIA H200" in admin.page.inner_text("[data-preview]")
    admin.press("Take them into the store")
    admin.page.wait_for_selector("[data-answer]")
    assert f"Revision 2: {len(rows)} rows added" in admin.page.inner_text("[data-answer]")
    admin.sees("NVIDIA H200:")
    admin.no_trouble()


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="a run needs torch (requirements-bench.txt)")
def test_an_administrator_starts_watches_and_cancels_a_run(admin):
    admin.open("/measured")
    admin.press("Run here")
    admin.sees("cases ·")
    admin.press("Cancel the run")
    admin.page.wait_for_selector("[data-last-run]")
    assert "was cancelled" in admin.page.inner_text("[data-last-run]")
    admin.no_trouble()
