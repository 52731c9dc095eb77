"""A page opens its app, or says why it cannot."""

import pytest

from tests.support.browser import PHONE


@pytest.mark.parametrize("path", ["/chat/chat", "/chatbot/chat", "/completion/completion", "/workflow/echo"])
def test_a_page_shows_the_name_of_its_app(visits, path):
    page = visits.open(path, viewport=PHONE)
    page.wait_for_selector(".bar-title")
    assert page.title() and page.locator("#page").get_attribute("aria-busy") is None


def test_a_page_shows_something_before_the_api_answers(visits):
    context = visits.context()
    context.route("**/api/**", lambda route: None)
    page = visits.open("/chat/chat", context)
    assert page.locator("header.bar").is_visible()


def test_an_unknown_app_is_said_to_be_none(visits):
    page = visits.open("/chat/nothing-of-this-name")
    assert page.locator("h1").text_content() == "There is no app here"


@pytest.mark.parametrize(("locale", "words"), [("de-AT", "Hier gibt es keine App"), ("sv-SE", "There is no app here")])
def test_the_words_are_those_of_the_browser(visits, locale, words):
    page = visits.open("/chat/nothing-of-this-name", locale=locale)
    assert page.locator("h1").text_content() == words


def test_a_chosen_colour_is_kept(visits):
    context = visits.context(color_scheme="light")
    page = visits.open("/chat/chat", context)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    later = visits.open("/chat/chat", context)
    assert later.locator("html").get_attribute("data-colours") == "dark"
