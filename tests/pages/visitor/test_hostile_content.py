"""What apps, models and visitors write, wherever a page shows it: it is read, and never runs, loads or frames."""

import pathlib

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.support.browser import Visits
from tests.support.paths import PROJECT
from tests.support.stack import Stack
from tests.support.visitor import Visitor

EVIL = "https://evil.example/"
MARKUP = (
    "<img src=x onerror=window.ran=1><script>window.ran=1</script><svg onload=window.ran=1>"
    f"<iframe src={EVIL}></iframe><a href=javascript:window.ran=1>x</a>"
)
MARKDOWN = f"![x]({EVIL}pixel.png) [x](javascript:window.ran=1) <{EVIL}a>\n\n{MARKUP}\n\n```html\n{MARKUP}\n```\n"
ACTIVE = "script:not([src^='/pages/']), iframe, object, embed, form[action], base, meta[http-equiv], link[href*='evil']"


@pytest.fixture(scope="module")
def apps(desk: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Publishes the apps `hostile-chat` and `hostile-form`, whose authors wrote markup into every text."""
    folder = tmp_path_factory.mktemp("apps")
    chat = yaml.safe_load((PROJECT / "app" / "samples" / "chat.yml").read_text())
    chat["app"] |= {"name": MARKUP[:100], "description": MARKUP, "icon": "<b>x"}
    chat["model_config"] |= {"opening_statement": MARKDOWN, "suggested_questions": [MARKUP, "Next?"]}
    chat["model_config"]["user_input_form"][0]["text-input"] |= {"label": MARKUP, "default": "<b>"}
    publish(desk, folder, chat, "hostile-chat")
    form = yaml.safe_load((PROJECT / "tests" / "app_files" / "every_question.yml").read_text())
    ask = form["workflow"]["graph"]["nodes"][1]["data"]
    ask |= {"title": MARKUP, "form_content": MARKDOWN + ask["form_content"]}
    ask["user_actions"][0]["title"] = "<img src=x>"
    ask["inputs"][1]["option_source"]["value"] = ["<b>good", MARKUP]
    publish(desk, folder, form, "hostile-form")


def publish(desk: Stack, folder: pathlib.Path, app: dict[str, object], code: str) -> None:
    file = folder / f"{code}.yml"
    file.write_text(yaml.safe_dump(app))
    desk.import_app(file, code)


@pytest.fixture
def open_watched(visits: Visits):
    """Open a page; at the test's end nothing ran in it, nothing asked another host, nothing active stands in it."""
    opened: list[tuple[Page, list[str]]] = []

    def open_page(path: str) -> Page:
        context = visits.context()
        asked: list[str] = []
        context.route(f"{EVIL}**", lambda route: (asked.append(route.request.url), route.abort()))
        page = visits.open(path, context)
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        opened.append((page, asked))
        return page

    yield open_page
    for page, asked in opened:
        assert page.evaluate("window.ran") is None
        assert page.locator(ACTIVE).count() == 0
        assert page.locator("[onerror], [onload], a[href^='javascript:'], [src*='evil']").count() == 0
        assert asked == []


def test_an_app_its_answers_and_its_visitors(open_watched, apps):
    page = open_watched("/chat/hostile-chat")
    expect(page.locator(".opening")).to_contain_text("<script>window.ran=1</script>")
    page.locator(".composer-field").fill(f"{MARKUP} [[say:{MARKDOWN}]]")
    page.locator(".composer-send").click()
    expect(page.locator(".message .answer").last).to_have_attribute("data-state", "done")
    expect(page.locator(".message .answer").last).to_contain_text("<svg onload=window.ran=1>")


def test_the_list_of_apps(open_watched, apps):
    page = open_watched("/")
    expect(page.get_by_text("<script>window.ran=1</script>").first).to_be_visible()


def test_a_form(open_watched, apps, desk):
    answer = Visitor(desk.base_url, "hostile-form").run(topic=MARKUP[:40]).wait_for_end()
    asked = next(frame for frame in answer.frames if frame.event == "human_input_required")
    page = open_watched(f"/form/{asked.data['data']['form_token']}")
    expect(page.get_by_text("<script>window.ran=1</script>").first).to_be_visible()


def test_an_address(open_watched, apps):
    page = open_watched(
        f"/chat/hostile-chat?topic={MARKUP.replace('=', '%3D')}&sys.user_id=<script>&user.name=<img src=x>"
    )
    page.locator(".composer-field").wait_for()
