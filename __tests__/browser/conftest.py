"""Headless Chromium, driven by Playwright."""

import functools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tcp_proxy import free_port
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
SINGLE_PAGE = Path(__file__).with_name("single_page")
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


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def serve_single_page() -> Any:
    """Serves the application on a port, as a server does that knows nothing of GopherTalk."""

    @contextmanager
    def serve_single_page() -> Iterator[int]:
        handler = functools.partial(QuietHandler, directory=str(SINGLE_PAGE))
        with ThreadingHTTPServer(("127.0.0.1", free_port()), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server.server_port
            server.shutdown()

    return serve_single_page


@pytest.fixture(scope="module")
def page_port(serve_single_page: Any) -> Iterator[int]:
    """Where the application is served that may call the API."""
    with serve_single_page() as port:
        yield port
