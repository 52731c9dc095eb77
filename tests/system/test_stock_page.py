"""A page that behaves as the stock front-end does at its sore points, in a real browser (contract client.md)."""

import json
import pathlib
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import yaml
from playwright.sync_api import Browser, Page

from tests.support.browser import running_browser
from tests.support.scripted_model.audio import spoken
from tests.support.stack import TALKING_APP, Stack
from tests.support.stock_page import served_page
from tests.support.workflow.graphs import answer, graph, node, start

MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def stack(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    logins = {"WEB_APP_AUTH": "on", "SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "desk@example.com"}
    with Stack(folder, web_workers=1, worker_processes=1, delay_ms=1, environment=logins) as stack:
        stack.import_app(TALKING_APP, "talking")
        stack.import_app(failing_chatflow(folder), "failing")
        yield stack


def failing_chatflow(folder: pathlib.Path) -> pathlib.Path:
    model = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}}
    prompt = [{"role": "user", "text": "{{#sys.query#}}"}]
    llm = node("llm", "llm", model=model, prompt_template=prompt, context={"enabled": False})
    flow = graph(start(), llm, answer("{{#llm.text#}}"), "start > llm > answer")
    features = {"suggested_questions_after_answer": {"enabled": True}}
    app = {"name": "Failing", "mode": "advanced-chat"}
    workflow = {"graph": flow, "features": features}
    file = folder / "failing.yml"
    file.write_text(yaml.safe_dump({"version": "0.6.0", "kind": "app", "app": app, "workflow": workflow}))
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def browser_page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def visit(stack, browser_page):
    """Open the page, ask it something, and return it when it is done."""

    def open_page(code: str, query: str) -> Page:
        with served_page() as address:
            browser_page.goto(f"{address}?{urlencode({'server': stack.base_url, 'code': code, 'query': query})}")
            browser_page.wait_for_selector("body[data-done]", timeout=MILLISECONDS)
        return browser_page

    return open_page


def test_the_page_opens_and_shows_the_answer(visit):
    page = visit("talking", "[[say:Yes.]]")
    assert page.locator("#spinner").count() == 0
    assert page.locator("#messages li").text_content() == "Yes."


def test_the_sign_in_page_offers_mailed_codes(visit):
    page = visit("talking", "[[say:Yes.]]")
    assert page.locator("#by-code").get_attribute("hidden") is None
    assert page.locator("#by-password").get_attribute("hidden") is None


def test_a_short_answer_is_heard_whole(visit):
    page = visit("talking", "[[say:Yes.]]")
    assert page.locator("#heard").text_content() == spoken("Yes.", "nova").decode()
    assert float(page.locator("body").get_attribute("data-silence")) > 0


def test_a_failed_chatflow_says_why(visit):
    page = visit("failing", "[[fail:invalid_key]]")
    assert page.locator("#messages li").count() == 1
    assert page.locator("#toast").text_content().startswith("Run failed: ")
    assert json.loads(page.locator("#questions").text_content()) == []
