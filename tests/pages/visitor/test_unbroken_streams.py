"""Answers that go on: after a reload, over a lost network, in a second tab (app/docs/pages.md)."""

import re
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect

from app.embedded.preparation import SAMPLES
from tests.support.workflow.forms import human, paragraph
from tests.support.workflow.graphs import answer, graph, node, start

SLOW = "[[chunks:100]] [[delay:25]]"
MODEL = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}}


def waiting_chatflow() -> dict[str, Any]:
    """A chatflow that answers, waits for a person, and goes on."""
    prompt = [{"role": "user", "text": "{{#sys.query#}}"}]
    llm = node("llm", "llm", model=MODEL, prompt_template=prompt, context={"enabled": False})
    form = human("ask", "go", content="OK?\n\n{{#$output.comment#}}", inputs=[paragraph("comment")])
    last = answer("You said {{#ask.comment#}}.", "last")
    flow = graph(start(), llm, answer("{{#llm.text#}} ", "first"), form, last, "start > llm > first > ask:go > last")
    app = {"name": "Asking", "mode": "advanced-chat"}
    return {"version": "0.6.0", "kind": "app", "app": app, "workflow": {"graph": flow, "features": {}}}


def calling_agent() -> str:
    """The sample agent for a model that knows function calls: its words come as they are made."""
    return (SAMPLES / "agent.yml").read_text().replace("strategy: react", "strategy: function_call")


@pytest.fixture(scope="module")
def paths(desk, tmp_path_factory) -> dict[str, str]:
    """The pages of an app of each mode that talks, and of a chatflow that waits for people."""
    folder = tmp_path_factory.mktemp("apps")
    codes = {}
    for name, definition in (("asking", yaml.safe_dump(waiting_chatflow())), ("agent-chat", calling_agent())):
        file = folder / f"{name}.yml"
        file.write_text(definition)
        codes[name] = desk.import_app(file, name)[0]["code"]
    return {name: f"/chat/{code}" for name, code in codes.items()} | {
        "chat": "/chat/chat",
        "advanced-chat": "/chat/chatflow",
    }


def ask(page: Page, query: str) -> None:
    page.locator(".composer-field").fill(query)
    page.locator(".composer-send").click()


def last_answer(page: Page):
    return page.locator(".message .answer").last


def words(page: Page) -> list[str]:
    return re.findall(r"tok\d+", page.locator(".answer-text").last.text_content() or "")


def is_whole(page: Page) -> None:
    expect(last_answer(page)).to_have_attribute("data-state", "done")
    assert words(page)[:100] == [f"tok{number}" for number in range(100)]


@pytest.mark.parametrize("mode", ["chat", "agent-chat", "advanced-chat"])
def test_an_answer_goes_on_after_a_reload_and_a_lost_network(cut_visits, cut, paths, mode):
    page = cut_visits.open(paths[mode])
    ask(page, f"Slowly {SLOW}")
    expect(last_answer(page)).to_contain_text("tok9")
    before = len(words(page))
    page.reload()
    expect(page.locator(".answer-text")).to_be_visible()
    assert len(words(page)) >= before
    cut.cut()
    expect(page.locator(".answer-state")).to_contain_text("Reconnecting")
    cut.heal()
    is_whole(page)
    expect(page.locator(".answer-state")).to_be_hidden()


def test_an_answer_is_found_though_the_page_was_left_before_its_first_word(visits):
    page = visits.open("/chat/chat")
    expect(page.locator(".opening")).to_be_visible()
    ask(page, f"Gone at once {SLOW}")
    page.reload()
    expect(page.locator(".question-text")).to_have_text(f"Gone at once {SLOW}")
    is_whole(page)


@pytest.mark.parametrize("path", ["/completion/completion", "/workflow/workflow"])
def test_a_run_goes_on_after_a_reload_and_a_lost_network(cut_visits, cut, path):
    page = cut_visits.open(path)
    page.locator(".field").first.fill(f"Slowly {SLOW}")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".run")).to_contain_text("tok9")
    page.reload()
    expect(page.locator(".run")).to_contain_text("tok9")
    cut.cut()
    expect(page.locator(".run-connection")).to_contain_text("Reconnecting")
    cut.heal()
    expect(page.locator(".run")).to_have_attribute("data-status", "succeeded")
    shown = re.findall(r"tok\d+", page.locator(".run-result").text_content() or "")
    assert shown == [f"tok{number}" for number in range(100)]


def test_a_question_whose_request_broke_off_is_asked_once(cut_visits, cut):
    page = cut_visits.open("/chat/chat")
    expect(page.locator(".opening")).to_be_visible()
    cut.cut()
    ask(page, "Never sent [[say:Yes.]]")
    expect(page.locator(".answer-state")).to_contain_text("Reconnecting")
    cut.heal()
    expect(last_answer(page)).to_have_attribute("data-state", "failed")
    last_answer(page).get_by_role("button", name="Try again").click()
    expect(last_answer(page)).to_contain_text("Yes.")
    expect(page.locator(".message")).to_have_count(1)


def test_a_second_tab_shows_the_same_answer_as_it_grows(visits):
    page = visits.open("/chat/chat")
    ask(page, f"Slowly {SLOW}")
    expect(last_answer(page)).to_contain_text("tok9")
    other = visits.open("/chat/chat", page.context)
    expect(last_answer(other)).to_have_attribute("data-state", "live")
    is_whole(other)
    ask(page, "More [[say:MORE]]")
    expect(last_answer(other)).to_contain_text("MORE")


def test_a_run_that_waits_goes_on_where_its_form_is_answered(visits, paths):
    page = visits.open(paths["asking"])
    ask(page, "Start [[say:Draft.]]")
    expect(page.locator(".human-form")).to_be_visible()
    page.reload()
    page.locator(".human-form textarea").fill("fine")
    page.locator(".human-form").get_by_role("button").first.click()
    expect(page.locator(".answer-text")).to_contain_text("You said fine.")
    expect(last_answer(page)).to_have_attribute("data-state", "done")
