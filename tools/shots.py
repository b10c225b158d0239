"""python -m tools.shots FOLDER [PAGE ...]: a picture of every page, light and dark, 1440 and 390 pixels wide."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools.serving import ROOT, chromium, running

WIDTHS = {"desk": (1440, 1000, 1), "phone": (390, 844, 2)}


def pages() -> list[str]:
    """Addresses of the pages there are, the overview first."""
    names = sorted(p.stem for p in (ROOT / "pages").glob("*.py") if p.stem not in ("__init__", "overview"))
    return ["/", *(f"/{name}" for name in names)]


def shoot(folder: Path, addresses: list[str]) -> list[Path]:
    """Take the pictures; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with running() as server, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        for theme in ("light", "dark"):
            for width, (w, h, scale) in WIDTHS.items():
                context = browser.new_context(
                    viewport={"width": w, "height": h}, device_scale_factor=scale, color_scheme=theme, is_mobile=width == "phone"
                )
                page = context.new_page()
                for address in addresses:
                    page.goto(server.url + address)
                    page.wait_for_selector("[data-rev]", state="attached", timeout=60_000)
                    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
                    page.wait_for_load_state("networkidle")
                    page.wait_for_timeout(800)  # fonts and the last relayout
                    height = page.evaluate("Math.max(...[...document.querySelectorAll('[data-testid=stMain]')].map(e => e.scrollHeight))")
                    page.set_viewport_size({"width": w, "height": int(min(max(height, h), 12_000))})
                    page.wait_for_timeout(400)
                    name = address.strip("/").split("?")[0].replace("/", "-") or "overview"
                    path = folder / f"{name}-{width}-{theme}.png"
                    page.screenshot(path=str(path))
                    page.set_viewport_size({"width": w, "height": h})
                    taken.append(path)
                context.close()
        browser.close()
    return taken


def main() -> int:
    """Take pictures of the pages asked for, or of all."""
    asked = argparse.ArgumentParser(prog="python -m tools.shots", description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("pages", nargs="*", help="addresses such as /clusters?by=user (default all pages)")
    options = asked.parse_args()
    for path in shoot(options.folder, options.pages or pages()):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
