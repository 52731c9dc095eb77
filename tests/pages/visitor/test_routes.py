"""The addresses of the visitors' pages: headers, caching, sizes (app/docs/pages.md)."""

import gzip
import re

import pytest
from flask import Flask

from app import api
from app.factory import create_app
from app.pages import visitor
from app.services.operator import apps
from app.services.process.process_parts import parts_of
from config import Config
from tests.support.factories import make_app

PAGES = [
    "/chat/any",
    "/chatbot/any",
    "/agent/any",
    "/completion/any",
    "/workflow/any",
    "/form/any",
    "/webapp-signin",
    "/webapp-reset-password",
]
FIRST_LOAD_BYTES = 100_000
# What a response has above its body, at most.
HEAD_BYTES = 1_000


@pytest.fixture
def app_with(settings):
    """Makes an app with other settings."""
    made: list[Flask] = []

    def make(**others: str) -> Flask:
        made.append(create_app(Config(settings | others), api.init_app, visitor.init_app))
        return made[-1]

    yield make
    for app in made:
        parts_of(app).close()


def policy(response) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in response.headers["Content-Security-Policy"].split(";")]
    return {name: sources for name, _, sources in parts}


def loaded(html: str) -> list[str]:
    """What a page loads at once."""
    return re.findall(r'(?:src|href)="(/pages/[^"]+)"', html)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_this_servers_files_alone(client, path):
    response = client.get(path)
    assert response.status_code == 200 and response.mimetype == "text/html"
    rules = policy(response)
    assert rules["default-src"] == "'none'" and rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["require-trusted-types-for"] == "'script'" and rules["base-uri"] == "'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", response.text)


@pytest.mark.parametrize("path", PAGES)
def test_the_first_load_is_small(client, path):
    page = client.get(path, headers={"Accept-Encoding": "gzip"})
    addresses = loaded(gzip.decompress(page.data).decode())
    version = addresses[0].split("/")[2]
    # The words of one language are asked for as soon as it is known.
    addresses.append(f"/pages/{version}/texts/ar.js")
    files = [client.get(address, headers={"Accept-Encoding": "gzip"}) for address in addresses]
    assert {response.status_code for response in files} == {200}
    assert sum(len(response.data) + HEAD_BYTES for response in (page, *files)) <= FIRST_LOAD_BYTES


def test_only_the_bare_chat_page_may_be_framed(client):
    framers = {path: policy(client.get(path))["frame-ancestors"] for path in PAGES}
    assert framers.pop("/chatbot/any") == "*"
    assert set(framers.values()) == {"'self'"}


def test_a_setting_names_who_may_frame_every_page(app_with):
    client = app_with(PAGES_FRAMED_BY="https://example.com, https://*.example.org").test_client()
    allowed = {policy(client.get(path))["frame-ancestors"] for path in PAGES}
    assert allowed == {"'self' https://example.com https://*.example.org"}


def test_assets_are_kept_for_ever_and_compressed(client):
    page = client.get("/chat/any").text
    for address in loaded(page):
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert packed.headers["X-Content-Type-Options"] == "nosniff" and packed.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(packed.data) == client.get(address).data


def test_a_page_asks_for_few_files(client):
    """One module, one style, the script that runs before anything is painted, and an icon."""
    assert {path: len(loaded(client.get(path).text)) for path in PAGES} == dict.fromkeys(PAGES, 4)


def test_an_asset_of_another_version_is_not_kept(client):
    address = loaded(client.get("/chat/any").text)[0]
    other = re.sub(r"^/pages/\w+/", "/pages/0123456789abcdef/", address)
    assert client.get(other).headers["Cache-Control"] == "no-store"
    assert client.get("/pages/0123456789abcdef/core/nothing.js").status_code == 404


def test_a_page_that_the_browser_has_costs_a_question(client):
    first = client.get("/chat/any")
    again = client.get("/chat/any", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_client_module_has_an_address_that_stays(client):
    module = client.get("/frontdesk.js", headers={"Origin": "https://example.com"})
    assert module.headers["Access-Control-Allow-Origin"] == "https://example.com"
    assert module.headers["Cache-Control"] == "no-cache"
    imported = re.search(r'from "\.([^"]+)"', module.text)
    assert imported and b"export class Frontdesk" in client.get(imported[1]).data


def test_without_pages_nothing_of_them_is_there(app_with):
    client = app_with(PAGES="off").test_client()
    assert {client.get(path).status_code for path in (*PAGES, "/frontdesk.js")} == {404}
    assert client.get("/").location == "/api/docs"


def test_links_lead_to_these_pages_unless_there_are_others(settings):
    assert Config(settings | {"PUBLIC_URL": "https://desk.example.com"}).WEB_APP_URL == "https://desk.example.com"
    assert Config(settings | {"WEB_APP_URL": "https://pages.example.com"}).WEB_APP_URL == "https://pages.example.com"
    assert Config(settings | {"PAGES": "off"}).WEB_APP_URL == ""


def test_the_index_shows_nothing_unless_it_is_switched_on(app, client):
    published = make_app()
    response = client.get("/")
    assert response.status_code == 404 and published.code not in response.text


def test_the_index_shows_the_apps_that_anybody_may_open(app, client, monkeypatch):
    open_app, closed_app = make_app(), make_app()
    apps.set_enabled(closed_app.code, False)
    monkeypatch.setitem(app.config, "PAGES_INDEX", "on")
    page = client.get("/")
    assert page.status_code == 200 and f'href="/chat/{open_app.code}"' in page.text
    assert closed_app.code not in page.text
