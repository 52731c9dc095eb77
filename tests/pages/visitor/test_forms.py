"""The forms: an app's inputs, and what a paused run asks of people."""

import psycopg2
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import DESKTOP, PHONE, Visits
from tests.support.visitor import Visitor

pytestmark = pytest.mark.usefixtures("emails")
EXPIRE = """
UPDATE human_input_forms SET expires_at = now()
WHERE id = (SELECT form_id FROM human_input_recipients WHERE token = %(token)s)
"""
TEXT_FILE = {"name": "proof.txt", "mimeType": "text/plain", "buffer": b"hello"}


def run(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()


def attach(page: Page, field: str) -> None:
    page.get_by_role("group", name=field).locator("input[type=file]").set_input_files(TEXT_FILE)


def asked_form(desk) -> str:
    """The token of a form that waits."""
    answer = Visitor(desk.base_url, "every-question").run(topic="Cats").wait_for_end()
    return next(
        str(frame.data["data"]["form_token"]) for frame in answer.frames if frame.event == "human_input_required"
    )


def test_what_is_wrong_stands_at_its_field(visits):
    page = visits.open("/workflow/every-input", viewport=PHONE)
    page.get_by_label("Name").fill("Somebody with a long name")
    page.get_by_label("Data").fill("no JSON")
    run(page)
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_accessible_description(
        "As on the letter 25 / 12 At most 12 characters are allowed."
    )
    expect(page.get_by_label("Tone")).to_have_accessible_description("Please fill this in.")
    expect(page.get_by_label("Data")).to_have_attribute("aria-invalid", "true")


def test_a_run_gets_every_kind_of_input(visits):
    page = visits.open("/workflow/every-input?name=Ann&source=link&count=7")
    page.get_by_label("Tone").select_option("casual")
    page.get_by_label("Urgent").check()
    page.get_by_label("Data").fill('{"a": [1]}')
    attach(page, "Letter")
    expect(page.get_by_text("5 bytes")).to_be_visible()
    run(page)
    result = page.locator(".run[data-status=succeeded]")
    expect(result.get_by_role("link", name="proof.txt")).to_be_visible()
    for name, value in {"name": "Ann", "tone": "casual", "count": "7", "urgent": "true", "source": "link"}.items():
        expect(result.locator(".value", has=page.locator("dt", has_text=name)).first).to_contain_text(value)


def test_a_file_of_another_kind_is_refused_at_once(visits):
    page = visits.open("/workflow/every-input")
    attach(page, "Pictures")
    expect(page.get_by_text("proof.txt is of a kind that is not allowed here.")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_form_is_answered_on_its_own_page(visits, desk, viewport):
    page = visits.open(f"/form/{asked_form(desk)}", viewport=viewport)
    expect(page.get_by_label("words")).to_have_value("Cats")
    expect(page.get_by_label("further remarks")).to_have_value("None so far")
    expect(page.get_by_role("timer")).to_contain_text("left")
    page.get_by_label("kind").select_option("bad")
    attach(page, "proof")
    expect(page.get_by_text("5 bytes")).to_be_visible()
    page.get_by_role("button", name="Ask somebody else").click()
    expect(page.get_by_text("Sent: Ask somebody else")).to_be_focused()
    page.reload()
    expect(page.get_by_role("heading", name="This form is answered already")).to_be_focused()


def test_a_form_keeps_what_was_typed(visits, desk):
    page = visits.open(f"/form/{asked_form(desk)}")
    page.get_by_label("words").fill("Not lost")
    page.reload()
    expect(page.get_by_label("words")).to_have_value("Not lost")


def test_a_form_that_expired_meanwhile_says_so(visits, desk):
    token = asked_form(desk)
    page = visits.open(f"/form/{token}")
    page.get_by_label("kind").select_option("bad")
    attach(page, "proof")
    expect(page.get_by_text("5 bytes")).to_be_visible()
    with psycopg2.connect(desk.postgres.url) as connection, connection.cursor() as cursor:
        cursor.execute(EXPIRE, {"token": token})
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("status").filter(has_text="This form has expired")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="This form has expired")).to_be_visible()


def test_an_unknown_form_is_said_to_be_none(visits: Visits):
    page = visits.open("/form/nothing")
    expect(page.get_by_role("heading", name="There is no such form")).to_be_visible()


def test_a_run_goes_on_in_its_page_after_the_form(visits):
    page = visits.open("/workflow/every-question", viewport=PHONE)
    page.get_by_label("Topic").fill("Dogs")
    run(page)
    expect(page.get_by_label("words")).to_be_visible()
    page.reload()
    page.get_by_label("kind").select_option("good")
    attach(page, "proof")
    expect(page.get_by_text("5 bytes")).to_be_visible()
    page.get_by_role("button", name="Agree").click()
    result = page.locator(".run[data-status=succeeded]")
    expect(result.locator(".value").first).to_contain_text("Agree")
    expect(result.locator(".human-form")).to_contain_text("Sent: Agree")
