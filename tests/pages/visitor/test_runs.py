"""The pages of completion and workflow apps: results, reloads, stops, saved answers, batches."""

import csv
import io
import pathlib

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE
from tests.support.visitor import wait_until

LONG = "[[chunks:80]][[delay:40]]"
ANSWER = " ".join(f"tok{number}" for number in range(80))


def ask(page: Page, topic: str) -> None:
    page.get_by_label("Topic").fill(topic)
    page.get_by_role("button", name="Run", exact=True).click()


def test_a_result_goes_on_after_a_reload(visits):
    context = visits.context(viewport=PHONE)
    page = visits.open("/completion/completion", context)
    ask(page, LONG)
    expect(page.locator(".run-result")).to_contain_text("tok3")
    page.reload()
    second = visits.open("/completion/completion", context)
    for tab in (page, second):
        expect(tab.locator(".run[data-status=succeeded] .run-result")).to_have_text(ANSWER)
    expect(page.get_by_label("Topic")).to_have_value(LONG)


@pytest.mark.parametrize(("page_of", "field"), [("/completion/completion", "Topic"), ("/workflow/workflow", "Text")])
def test_a_result_goes_on_after_the_network_was_away(cut_visits, cut, page_of, field):
    page = cut_visits.open(page_of)
    page.get_by_label(field, exact=True).fill(LONG)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".run-result")).to_contain_text("tok3")
    cut.cut()
    expect(page.get_by_text("Connection lost.")).to_be_visible()
    cut.heal()
    expect(page.locator(".run[data-status=succeeded] .run-result")).to_contain_text(ANSWER)


def test_a_run_stops_at_once(visits):
    page = visits.open("/completion/completion")
    ask(page, "[[chunks:500]][[delay:40]]")
    expect(page.locator(".run-result")).to_contain_text("tok1")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".run[data-status=stopped]")).to_be_visible()
    expect(page.get_by_role("button", name="Run again")).to_be_enabled()


def test_an_answer_is_judged_saved_and_written_again(visits):
    page = visits.open("/completion/completion")
    ask(page, "[[say:Saved words]]")
    page.get_by_role("button", name="Bad answer").click()
    page.get_by_label("What was wrong?").fill("Too short")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Thank you")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="More like this").click()
    expect(page.locator(".run[data-status=succeeded]")).to_have_count(2)
    page.get_by_role("tab", name="Saved").click()
    expect(page.locator(".saved-answer")).to_contain_text("Saved words")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No answers are saved yet.")).to_be_visible()


def test_a_failed_run_says_why(visits):
    page = visits.open("/completion/completion")
    page.get_by_label("Topic").fill("[[fail:400]]")
    page.get_by_label("Topic").press("Enter")
    expect(page.locator(".run[data-status=failed]").get_by_role("alert")).not_to_be_empty()


def test_the_steps_of_a_workflow_can_be_unfolded(visits):
    page = visits.open("/workflow/workflow", viewport=PHONE)
    page.locator(".run-form").get_by_role("textbox").first.fill("Cats")
    page.get_by_role("button", name="Run", exact=True).click()
    result = page.locator(".run[data-status=succeeded]")
    result.get_by_text("Details").click()
    expect(result.locator(".step[data-status=succeeded]").first).to_be_visible()
    expect(result.get_by_role("heading", name="Inputs")).to_be_visible()


def test_a_batch_goes_on_after_a_reload_and_repeats_what_failed(visits, desk):
    page = visits.open("/completion/completion")
    page.get_by_role("tab", name="Batch").click()
    rows = [LONG, "[[say:=1+1]]", "[[fail:400]]", "[[say:last]]", ""]
    file = io.StringIO()
    csv.writer(file).writerows([["Wishes", "topic"], *[["-", row] for row in rows]])
    page.locator(".batch input[type=file]").set_input_files(
        {"name": "cats.csv", "mimeType": "text/csv", "buffer": file.getvalue().encode()}
    )
    expect(page.get_by_text("Row 6: Topic: Please fill this in.")).to_be_visible()
    page.get_by_role("button", name="Run 4 rows").click()
    for words, state in (("[[say:=1+1]]", "done"), ("[[fail:400]]", "failed"), ("[[say:last]]", "done")):
        expect(page.locator(".batch-row", has_text=f"Topic: {words}").first).to_have_attribute("data-state", state)
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_text("3 of 5 done, 2 failed")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download results").click()
    results = list(csv.reader(io.StringIO(pathlib.Path(download.value.path()).read_text("utf-8-sig"))))
    assert [row[3] for row in results[1:]] == [ANSWER, "'=1+1", "", "last", ""]
    asked = len(desk.model_requests())
    page.get_by_role("button", name="Retry 1 failed row").click()
    wait_until(lambda: len(desk.model_requests()) > asked, 20, "the failed row's next request")
    expect(page.get_by_text("3 of 5 done, 2 failed")).to_be_visible()
