"""Links in texts get fresh signatures, if they were ours (contract README §8)."""

import dataclasses
import time
import uuid

import pytest

from app.models.owners import Owner
from app.services.files import file_links, uploads
from tests.support.uploads import owner_of


@pytest.fixture
def owner(alice) -> Owner:
    return owner_of(alice)


@pytest.fixture
def file_id(owner) -> str:
    return uploads.store(owner, "a.txt", "text/plain", [b"a"]).id


@pytest.fixture
def renew(owner):
    """Renew the links of one text of the owner."""
    return lambda text: file_links.renewed(owner, [text])[0]


def test_an_old_link_is_renewed_in_its_place(file_id, renew, monkeypatch):
    clock = time.time()
    monkeypatch.setattr(file_links.time, "time", lambda: clock - 100_000)
    old = file_links.link(file_id)
    monkeypatch.undo()
    before, link, after = renew(f"See ![it]({old}) and").replace(")", "(").split("(")
    assert (before, after) == ("See ![it]", " and")
    query = dict(part.split("=", 1) for part in link.partition("?")[2].split("&"))
    assert link != old
    assert file_links.seconds_left(file_id, query["timestamp"], query["nonce"], query["sign"].replace("%3D", "=")) > 290


def test_a_link_that_nobody_signed_stays_as_it_is(file_id, renew):
    other = str(uuid.uuid4())
    for made_up in (file_links.link(file_id).replace(file_id, other), file_links.link(file_id)[:-6] + "AAA%3D"):
        assert renew(f"{made_up} ") == f"{made_up} "


def test_every_link_of_a_text_is_renewed(file_id, renew, monkeypatch):
    old = file_links.link(file_id)
    clock = time.time() + 1000
    monkeypatch.setattr(file_links.time, "time", lambda: clock)
    assert old not in renew(f"{old}\n{old}")


def test_a_link_keeps_the_address_that_it_began_with(file_id, renew, monkeypatch):
    old = "https://old.example" + file_links.link(file_id).removeprefix("http://127.0.0.1:5001")
    assert renew(old).startswith(f"https://old.example/files/{file_id}/file-preview?")


def test_a_text_without_links_is_the_same(renew):
    assert renew("no link") == "no link"


def test_a_link_of_an_old_key_is_ours(file_id, renew, app, monkeypatch):
    old = file_links.link(file_id)
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [app.config["SECRET_KEY"]])
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key that is long enough too")
    renewed = renew(f"{old} ").strip()
    assert renewed != old
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [])
    assert renew(f"{renewed} ").strip() != renewed and renew(f"{old} ").strip() == old


@pytest.mark.parametrize("part", ["app_id", "end_user_id"])
def test_a_link_to_another_s_file_stays_as_it_is(owner, file_id, part):
    other = dataclasses.replace(owner, **{part: uuid.uuid4()})
    link = file_links.link(file_id)
    assert file_links.renewed(other, [f"{link} "]) == [f"{link} "]


def test_texts_keep_their_order(owner, file_id):
    link = file_links.link(file_id)
    first, second, third = file_links.renewed(owner, ["a", f"{link} ", "c"])
    assert (first, third) == ("a", "c") and second != f"{link} "
