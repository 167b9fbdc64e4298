"""Headless Chromium, driven by Playwright."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tools import needed_module, needed_program

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No other host can be found. (Playwright's own way to block requests answers the preflights
    # of other origins itself, which are what the tests want to see.)
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
OURS = re.compile(r"(http://(localhost|127\.0\.0\.1):\d+/|data:|blob:|about:)")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = needed_module("playwright.sync_api")
    program = needed_program("chromium", "chromium-browser", "google-chrome")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """An empty window. The test fails if a page asks another host for anything, or breaks."""
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(20_000)
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    page.close()
    assert [url for url in asked if not OURS.match(url)] == []
    assert faults == []
