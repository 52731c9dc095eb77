"""What axe finds on every page, on a phone and a desktop, light and dark: nothing."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.browser import DESKTOP, PHONE, Visits
from tests.support.visitor import Visitor

TEXT = (
    "# Title\n\nA *text* with `code`, a [link](https://example.com/) and $x^2$.\n\n- [x] one\n- two\n\n> quote\n\n"
    "```python\ndef f(x): return 'a' + 1  # c\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<think>\nHm.\n</think>\n"
)
# The colours just chosen are those that are seen.
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def findings(page: Page) -> list[str]:
    """What axe finds in both sizes and both colours, a line each."""
    axe = Axe()
    found = []
    for size in (PHONE, DESKTOP):
        for colours in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=colours, reduced_motion="reduce")
            page.evaluate(PAINTED)
            for violation in axe.run(page).response["violations"]:
                places = [f"{node['target']} {node['any'][:1]}" for node in violation["nodes"]]
                found.append(f"{colours} {size['width']}: {violation['id']}: {places[:4]}")
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/chat/chat",
        "/chat/nothing-of-this-name",
        "/chatbot/chat",
        "/completion/completion",
        "/workflow/workflow",
        "/webapp-signin?redirect_url=/chat/chat",
        "/webapp-reset-password?redirect_url=/chat/chat",
    ],
)
def test_a_page(visits: Visits, path: str):
    page = visits.open(path)
    expect(page.locator("#page[aria-busy]")).to_have_count(0)
    assert findings(page) == []


def test_an_answer(visits: Visits):
    page = visits.open("/chat/chat")
    page.locator(".composer-field").fill(f"Tell me [[say:{TEXT}]]")
    page.locator(".composer-send").click()
    expect(page.locator(".message .answer").last).to_have_attribute("data-state", "done")
    assert findings(page) == []
    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert findings(page) == []


def test_a_form_of_every_input(visits: Visits, email):
    page = visits.open("/workflow/every-input")
    page.get_by_label("Name").wait_for()
    assert findings(page) == []


def test_a_form_that_waits(visits: Visits, desk, email):
    answer = Visitor(desk.base_url, "every-question").run(topic="Cats").wait_for_end()
    asked = next(frame for frame in answer.frames if frame.event == "human_input_required")
    page = visits.open(f"/form/{asked.data['data']['form_token']}")
    expect(page.locator("#page[aria-busy]")).to_have_count(0)
    assert findings(page) == []
