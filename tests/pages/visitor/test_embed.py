"""A page of another site with the button that opens an app's chat."""

import json
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect
from werkzeug import Request, Response
from werkzeug.serving import make_server

from tests.support.browser import PHONE

BUTTON = "#dify-chatbot-bubble-button"
WINDOW = "#dify-chatbot-bubble-window"
FRAME = f"{WINDOW} iframe"
HOST = """<!doctype html><title>Shop</title><style>{styles}</style><h1>Shop</h1><a href="#x">Link</a>
<script>window.before = Object.keys(window); window.difyChatbotConfig = {config};</script>
<script src="{server}/embed.min.js" id="chat" defer></script>"""


@pytest.fixture
def site() -> Iterator[tuple[str, dict[str, str]]]:
    """The address of another site, and the place of its one page's HTML."""
    page = {"html": ""}

    @Request.application
    def respond(request: Request) -> Response:
        return Response(page["html"], content_type="text/html")

    server = make_server("127.0.0.1", 0, respond, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.port}/", page
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def host(desk, visits, site):
    """Open a page of another site that embeds the app `chat`."""

    def open_host(config: dict[str, object] | None = None, styles: str = "", **options: object) -> Page:
        words = json.dumps({"token": "chat", "baseUrl": desk.base_url} | (config or {}))
        address, page = site
        page["html"] = HOST.format(styles=styles, config=words, server=desk.base_url)
        opened = visits.open(address, **options)
        opened.wait_for_selector(BUTTON)
        return opened

    return open_host


def test_it_is_small_and_any_page_may_load_it(client):
    response = client.get("/embed.min.js")
    assert response.status_code == 200 and len(response.data) <= 8000
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_the_button_opens_the_apps_chat(host):
    page = host()
    page.click(BUTTON)
    page.frame_locator(FRAME).locator("#page:not([aria-busy])").wait_for()
    assert page.get_attribute(BUTTON, "aria-expanded") == "true"
    page.click(BUTTON)
    expect(page.locator(WINDOW)).to_be_hidden()


def test_inputs_and_the_user_reach_the_page(host):
    page = host(
        {"inputs": {"name": "Änn & Co"}, "systemVariables": {"user_id": "ann-1"}, "userVariables": {"name": "A"}}
    )
    with page.expect_request("**/api/passport*") as asked:
        page.click(BUTTON)
    assert parse_qs(urlsplit(asked.value.url).query)["user_id"] == ["ann-1"]
    frame = next(frame for frame in page.frames if "/chatbot/chat?" in frame.url)
    packed = parse_qs(urlsplit(frame.url).query)
    assert set(packed) == {"name", "sys.user_id", "user.name"}
    version = urlsplit(frame.evaluate("document.querySelector('script[type=module]').src")).path.split("/")[2]
    handed = frame.evaluate(f"import('/pages/{version}/core/address.js').then((address) => address.handedOver())")
    assert handed == {"inputs": {"name": "Änn & Co"}, "system": {"user_id": "ann-1"}, "user": {"name": "A"}}


def test_the_whole_use_by_keyboard(host):
    page = host()
    page.focus(BUTTON)
    page.keyboard.press("Enter")
    page.frame_locator(FRAME).locator("#page:not([aria-busy])").wait_for()
    page.wait_for_function("() => document.activeElement.localName === 'iframe'")
    page.focus(BUTTON)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.localName") == "iframe"
    page.keyboard.press("Escape")
    expect(page.locator(WINDOW)).to_be_hidden()
    assert page.evaluate("'#' + document.activeElement.id") == BUTTON


def test_one_name_is_global(host):
    page = host()
    page.click(BUTTON)
    added = set(page.evaluate("Object.keys(window).filter((name) => !before.includes(name) && name !== '0')"))
    assert added == {"before", "difyChatbotConfig", "frontdeskChat"}


def test_the_pages_own_styles_win(host):
    look = f":root {{ --dify-chatbot-bubble-button-bg-color: rgb(1, 2, 3) }} {WINDOW} {{ width: 20rem !important }}"
    page = host({"containerProps": {"className": "mine", "style": {"right": "50px"}, "title": "Ask"}}, look)
    page.click(BUTTON)
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.mine[title=Ask]')).backgroundColor") == "rgb(1, 2, 3)"
    )
    assert page.evaluate("getComputedStyle(document.querySelector('.mine')).right") == "50px"
    assert page.locator(WINDOW).bounding_box()["width"] == 320


def test_the_button_can_be_moved_along_its_axis(host):
    page = host({"draggable": True, "dragAxis": "y"})
    at = f"(({{ offsetLeft, offsetTop }}) => [offsetLeft, offsetTop])(document.querySelector('{BUTTON}'))"
    left, top = page.evaluate(at)
    page.mouse.move(left + 20, top + 20)
    page.mouse.down()
    page.mouse.move(left - 200, top - 280, steps=4)
    page.mouse.up()
    assert page.evaluate(at) == pytest.approx([left, top - 300], abs=4)
    assert page.locator(WINDOW).count() == 0


def test_the_window_fits_a_phone(host):
    page = host(viewport=PHONE)
    page.click(BUTTON)
    box = page.locator(WINDOW).bounding_box()
    assert box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844
