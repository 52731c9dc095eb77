"""A real browser for the tests of pages: chromium, driven by Playwright. Tests are skipped where there is none."""

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_BROWSER = "no browser for the pages' tests: install chromium (Debian: apt install chromium)"
MILLISECONDS = 30_000
expect.set_options(timeout=MILLISECONDS)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """One chromium; skips the test where none is installed."""
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visits:
    """The pages that one test opens, each visitor in a browser of his own; notes what they complain about."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self._browser = browser
        self._base_url = base_url
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def context(self, **options: Any) -> BrowserContext:
        """A browser without a past. Options: those of Playwright's `new_context`, such as `viewport=PHONE`."""
        context = self._browser.new_context(**{"base_url": self._base_url, "viewport": DESKTOP} | options)
        context.set_default_timeout(MILLISECONDS)
        self._contexts.append(context)
        return context

    def open(self, path: str, context: BrowserContext | None = None, **options: Any) -> Page:
        """Open a page, by itself in a browser without a past, or as a further tab of a context."""
        page = (context or self.context(**options)).new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{path}: {error}"))
        page.on("console", self._note)
        page.goto(path)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _note(self, message: ConsoleMessage) -> None:
        """Broken policies and scripts are complaints; a request that the server refuses is none."""
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)
