"""The chat page as a visitor uses it, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE


def ask(page: Page, query: str) -> None:
    page.locator(".composer-field").fill(query)
    page.locator(".composer-send").click()


def answers(page: Page):
    return page.locator(".message .answer")


@pytest.fixture
def chat(visits) -> Page:
    return visits.open("/chat/chat")


def test_a_conversation_begins_with_inputs_statement_and_questions(visits):
    page = visits.open("/chat/chat", viewport=PHONE)
    expect(page.get_by_label("Topic")).to_be_visible()
    expect(page.locator(".opening")).to_contain_text("What would you like to talk about?")
    page.get_by_role("button", name="Tell me a fun fact.").click()
    expect(answers(page)).to_have_attribute("data-state", "done")
    expect(page.locator(".question-text")).to_have_text("Tell me a fun fact.")


def test_inputs_go_with_every_question(visits, desk):
    page = visits.open("/chat/chat")
    page.get_by_label("Topic").fill("about llamas")
    for question in ("First", "Second"):
        ask(page, f"{question} [[say:Yes.]]")
        expect(answers(page).last).to_have_attribute("data-state", "done")
    asked = [str(request["body"]) for request in desk.model_requests() if "Second [[say" in str(request["body"])]
    assert asked and "about llamas" in asked[0]


def test_what_is_typed_meanwhile_is_asked_next(chat):
    ask(chat, "First [[chunks:60]] [[delay:20]]")
    ask(chat, "Second [[say:TWO]]")
    expect(chat.locator(".queue-item")).to_have_text("Second [[say:TWO]]")
    expect(answers(chat).nth(1)).to_contain_text("TWO")
    expect(answers(chat).nth(0)).to_contain_text("tok59")
    expect(chat.locator(".queue-item")).to_have_count(0)


def test_stop_keeps_what_was_said_and_what_waits(chat):
    ask(chat, "Long [[chunks:600]] [[delay:20]]")
    expect(answers(chat)).to_contain_text("tok5")
    ask(chat, "Later [[say:Now.]]")
    chat.get_by_role("button", name="Stop").click()
    expect(answers(chat)).to_have_attribute("data-state", "stopped")
    assert "tok599" not in (answers(chat).text_content() or "")
    chat.get_by_role("button", name="Send the next one").click()
    expect(answers(chat).nth(1)).to_contain_text("Now.")


def test_an_error_says_why_and_can_be_tried_again(chat):
    ask(chat, "Bad [[fail:invalid_key]]")
    expect(answers(chat)).to_have_attribute("data-state", "failed")
    expect(chat.get_by_role("alert").filter(has_text=re.compile("model"))).to_be_visible()
    chat.get_by_role("button", name="Try again").click()
    expect(answers(chat)).to_have_attribute("data-state", "failed")
    expect(chat.locator(".message")).to_have_count(1)


def test_an_answer_asked_again_is_a_version_beside_the_first(chat):
    ask(chat, "Hello [[say:Hi.]]")
    expect(answers(chat)).to_have_attribute("data-state", "done")
    chat.get_by_role("button", name="Answer again").click()
    expect(chat.locator(".branches")).to_contain_text("2 / 2")
    chat.get_by_role("button", name="The version before").click()
    expect(chat.locator(".branches")).to_contain_text("1 / 2")
    chat.reload()
    expect(chat.locator(".branches")).to_contain_text("2 / 2")
    expect(chat.locator(".message")).to_have_count(1)


def test_a_bad_answer_is_said_to_be_one_with_words(chat):
    ask(chat, "Hello [[say:Hi.]]")
    chat.get_by_role("button", name="Bad answer").click()
    chat.get_by_label("What was wrong with it?").fill("Too short")
    chat.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(chat.get_by_role("dialog")).to_have_count(0)
    chat.reload()
    expect(chat.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")


def test_conversations_are_named_pinned_found_and_deleted(chat):
    for topic in ("Apples", "Pears"):
        chat.get_by_role("navigation").get_by_role("button", name="New conversation").click()
        ask(chat, f"{topic} [[say:{topic}]]")
        expect(answers(chat)).to_have_attribute("data-state", "done")
    side = chat.get_by_role("navigation", name="Conversations")
    expect(side.locator(".side-item")).to_have_count(2)
    side.locator(".side-item").first.get_by_role("button").nth(1).click()
    chat.get_by_role("menuitem", name="Rename").click()
    chat.get_by_role("textbox", name="Name", exact=True).fill("Fruit salad")
    chat.get_by_role("button", name="Save").click()
    expect(side.locator(".side-open").first).to_have_text("Fruit salad")
    side.get_by_role("button", name="More for “Fruit salad”").click()
    chat.get_by_role("menuitem", name="Pin").click()
    expect(side.get_by_role("region", name="Pinned")).to_contain_text("Fruit salad")
    side.get_by_role("searchbox").fill("salad")
    expect(side.locator(".side-item")).to_have_count(1)
    side.get_by_role("button", name="More for “Fruit salad”").click()
    chat.get_by_role("menuitem", name="Delete").click()
    chat.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(side.locator(".side-item")).to_have_count(0)
    side.get_by_role("searchbox").fill("")
    expect(side.locator(".side-item")).to_have_count(1)


def test_the_bare_page_has_no_list(visits):
    page = visits.open("/chatbot/chat?topic=cats", viewport=PHONE)
    expect(page.get_by_label("Topic")).to_have_value("cats")
    expect(page.get_by_role("navigation")).to_have_count(0)


def test_a_named_conversation_is_opened(visits, chat):
    ask(chat, "Remember me [[say:Yes.]]")
    expect(answers(chat)).to_have_attribute("data-state", "done")
    known = chat.evaluate("Object.entries(localStorage).find(([key]) => key.endsWith('-last'))[1]").strip('"')
    other = visits.open(f"/chat/chat?sys.conversation_id={known}", chat.context)
    expect(other.locator(".question-text")).to_have_text("Remember me [[say:Yes.]]")


def test_keys_alone_are_enough(chat):
    expect(chat.locator(".composer-field")).to_be_focused()
    chat.keyboard.type("Hello [[say:Hi.]]")
    chat.keyboard.press("Enter")
    expect(answers(chat)).to_contain_text("Hi.")
    chat.keyboard.press("Tab")
    expect(chat.locator(":focus")).to_have_count(1)
