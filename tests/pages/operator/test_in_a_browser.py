"""The operators' pages in a real browser: wide and narrow, light and dark, by keyboard."""

import shutil
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from tests.support.factories import make_graph_app
from tests.support.operators import OPERATOR_TOKEN
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, graph, node, start

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MARKUP = "<img src=x onerror=alert(1)>"
SIZES = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser: install chromium")

# The contrast (WCAG 2) of each text with what is painted behind it, in HTML and in the drawing.
FAINT_TEXTS = """() => {
  const parts = (color) => [...color.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const drawn = at.tagName === "svg" && at.querySelector(":scope > rect");
      const color = parts(drawn ? getComputedStyle(drawn).fill : getComputedStyle(at).backgroundColor);
      if (color[3] === 1) return color;
    }
    return [255, 255, 255, 1];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    const box = element.getBoundingClientRect();
    if (!text || element.tagName === "title" || element.tagName === "OPTION" || !box.width || box.right < 0) continue;
    const style = getComputedStyle(element);
    const ink = light(parts(element instanceof SVGElement ? style.fill : style.color));
    const ground = light(behind(element));
    const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    if (contrast < 4.5) faint.push(`${text.slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return faint;
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the pages are."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/operator"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def visitor(client) -> WebVisitor:
    """An end user of a chatflow with a branch, who has asked something."""
    case = {"id": "1", "varType": "string", "variable_selector": ["sys", "query"], "comparison_operator": "is"}
    flow = graph(
        start(),
        node("which", "if-else", title="Which?", cases=[{"case_id": "c", "conditions": [case | {"value": "no"}]}]),
        answer("Never.", "never"),
        answer(f"Yes. {MARKUP}", "always"),
        "start > which:c > never",
        "which:false > always",
    )
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat"), MARKUP)
    started = visitor.ask(f"Shall we? {MARKUP}")
    message_id = next(frame.data["message_id"] for frame in started if "message_id" in frame.data)
    visitor.post(f"/messages/{message_id}/feedbacks", {"rating": "dislike", "content": MARKUP})
    return visitor


def opened(chromium: Browser, address: str, size: str, colours: str) -> tuple[BrowserContext, Page, list[str]]:
    """A browser in which somebody has signed in, and what its console complains about."""
    context = chromium.new_context(viewport=SIZES[size], color_scheme=colours)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    page.get_by_label("Operator's token").fill(OPERATOR_TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Today").wait_for()
    return context, page, complaints


@pytest.mark.parametrize(("size", "colours"), [("wide", "light"), ("phone", "dark")])
def test_every_page_fits_is_legible_and_runs_nothing(chromium, address, visitor, size, colours):
    context, page, complaints = opened(chromium, address, size, colours)
    page.goto(f"{address}/runs?app={visitor.app.code}")
    run = page.locator("tbody th a").get_attribute("href")
    page.goto(f"{address}/conversations?app={visitor.app.code}")
    conversation = page.locator("tbody th a").get_attribute("href")
    base = address.removesuffix("/operator")
    paths = ["", "/conversations", "/runs", "/feedback", "/usage", "/apps", "/search?q=Shall", "/nowhere"]
    for url in [f"{address}{path}" for path in paths] + [
        f"{base}{run}",
        f"{base}{run}/executions",
        f"{base}{conversation}",
    ]:
        page.goto(url)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, url
        assert page.evaluate(FAINT_TEXTS) == [], url
        assert page.locator("main img, script").count() == 0
    # The page that is not there is a complaint of the browser's own.
    assert [text for text in complaints if "404" not in text] == []
    context.close()


def test_an_operator_reads_a_run_by_keyboard_switches_an_app_and_leaves(chromium, address, visitor):
    context, page, _ = opened(chromium, address, "wide", "light")
    page.goto(f"{address}/runs?app={visitor.app.code}")
    page.locator("tbody th a").focus()
    page.keyboard.press("Enter")
    page.locator("svg.graph").wait_for()
    assert page.locator("path.edge.taken").count() == 2
    page.locator("svg.graph a").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Which?").first.wait_for()
    page.goto(f"{address}/apps/{visitor.app.code}")
    page.get_by_role("button", name="Disable the app").click()
    page.get_by_text("The app is disabled").wait_for()
    assert visitor.get("/parameters").status_code == 400
    page.get_by_role("button", name="Enable the app").click()
    page.get_by_role("button", name="Disable the app").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{address}/conversations")
    assert page.get_by_label("Operator's token").is_visible()
    context.close()
