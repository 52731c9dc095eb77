"""Links in texts get fresh signatures, if they were ours (contract README §8)."""

import time
import uuid

import pytest

from app.services.files import file_links


@pytest.fixture
def file_id(app) -> str:
    return str(uuid.uuid4())


def test_an_old_link_is_renewed_in_its_place(file_id, monkeypatch):
    clock = time.time()
    monkeypatch.setattr(file_links.time, "time", lambda: clock - 100_000)
    old = file_links.link(file_id)
    monkeypatch.undo()
    before, link, after = file_links.renew(f"See ![it]({old}) and").replace(")", "(").split("(")
    assert (before, after) == ("See ![it]", " and")
    query = dict(part.split("=", 1) for part in link.partition("?")[2].split("&"))
    assert link != old
    assert file_links.seconds_left(file_id, query["timestamp"], query["nonce"], query["sign"].replace("%3D", "=")) > 290


def test_a_link_that_nobody_signed_stays_as_it_is(file_id):
    other = str(uuid.uuid4())
    for made_up in (file_links.link(file_id).replace(file_id, other), file_links.link(file_id)[:-6] + "AAA%3D"):
        assert file_links.renew(f"{made_up} ") == f"{made_up} "


def test_every_link_of_a_text_is_renewed(file_id, monkeypatch):
    old = file_links.link(file_id)
    clock = time.time() + 1000
    monkeypatch.setattr(file_links.time, "time", lambda: clock)
    assert old not in file_links.renew(f"{old}\n{old}")


def test_a_link_keeps_the_address_that_it_began_with(file_id, monkeypatch):
    old = "https://old.example" + file_links.link(file_id).removeprefix("http://127.0.0.1:5001")
    assert file_links.renew(old).startswith(f"https://old.example/files/{file_id}/file-preview?")


def test_a_text_without_links_is_the_same(app):
    assert file_links.renew("no link") == "no link"


def test_a_link_of_an_old_key_is_ours(file_id, app, monkeypatch):
    old = file_links.link(file_id)
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [app.config["SECRET_KEY"]])
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key that is long enough too")
    renewed = file_links.renew(f"{old} ").strip()
    assert renewed != old
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [])
    assert file_links.renew(f"{renewed} ").strip() != renewed and file_links.renew(f"{old} ").strip() == old
