"""A server and a Chromium for the browser tests; a fresh context for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tools.serving import Server, chromium, running

WATCHDOG_MS = 60_000
DAY = "2026-11-23"
expect.set_options(timeout=WATCHDOG_MS)  # a busy machine draws late, and late is not wrong


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder drives a browser."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One running server with shipped data and a fixed day."""
    with running(today=DAY) as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium; root needs it without its sandbox."""
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@dataclass
class Tab:
    """A browser tab on the server, with the waits tests need."""

    page: Page
    url: str

    def open(self, address: str) -> Tab:
        """Go to an address of the server and wait until its page is whole."""
        self.page.goto(self.url + address)
        return self.settle()

    def settle(self) -> Tab:
        """Wait until the script has ended and the page says what it shows."""
        self.page.wait_for_selector("[data-rev]", state="attached", timeout=WATCHDOG_MS)
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', state="attached", timeout=WATCHDOG_MS)
        return self

    def expect_address(self, *parts: str) -> None:
        """Wait until the address holds all of these."""
        self.page.wait_for_function("parts => parts.every(p => location.search.includes(p))", arg=list(parts), timeout=WATCHDOG_MS)

    def choose(self, label: str, words: str) -> None:
        """Choose an option of a select box by its words."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=words, exact=True).click()

    def press(self, name: str) -> None:
        """Press a button by its words."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def sees(self, text: str) -> None:
        """Wait until a text is on the page."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=WATCHDOG_MS)

    def no_trouble(self) -> None:
        """No exception box is on the page."""
        expect(self.page.get_by_test_id("stException")).to_have_count(0)


@pytest.fixture
def tab(server: Server, browser: Browser) -> Iterator[Tab]:
    """A tab in a clean context."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    page = context.new_page()
    page.set_default_timeout(WATCHDOG_MS)
    yield Tab(page, server.url)
    context.close()


@pytest.fixture
def phone(server: Server, browser: Browser) -> Iterator[Tab]:
    """A tab on a narrow dark screen."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(WATCHDOG_MS)
    yield Tab(page, server.url)
    context.close()
