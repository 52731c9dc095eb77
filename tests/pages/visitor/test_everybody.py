"""Pages for everybody: axe finds nothing, on a phone in the dark and on a wide screen in the light (WCAG 2.2 AA)."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.browser import DESKTOP, PHONE

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": PHONE, "color_scheme": "dark", "has_touch": True},
    "desktop": {"viewport": DESKTOP, "color_scheme": "light"},
}


def found(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds: the rule, and the elements that break it."""
    violations = Axe().run(page, options=RULES).response["violations"]
    return [(violation["id"], [str(node["target"]) for node in violation["nodes"]]) for violation in violations]


@pytest.mark.parametrize("screen", SCREENS)
def test_a_chat_keeps_nobody_out(visits, screen):
    page = visits.open("/chat/chat", **SCREENS[screen])
    expect(page.locator(".suggestion").first).to_be_visible()
    assert found(page) == []
    page.locator(".composer-field").fill("Say [[say:**Bold**, `code` and [a link](https://example.com).]]")
    page.locator(".composer-send").click()
    expect(page.locator(".answer-bar")).to_be_visible()
    assert found(page) == []
    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert found(page) == []


@pytest.mark.parametrize("path", ["/", "/webapp-signin", "/completion/completion", "/workflow/echo", "/chat/nothing"])
def test_other_pages_keep_nobody_out(visits, path):
    page = visits.open(path, **SCREENS["phone"])
    expect(page.locator("h1").first).to_be_visible()
    assert found(page) == []
