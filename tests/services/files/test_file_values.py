"""Stored values as a run has them: files of their owner, with links that work."""

import uuid

import pytest

from app.models.owners import Owner
from app.services.files import file_values, uploads
from app.workflow.values.files import File
from tests.support.uploads import owner_of


@pytest.fixture
def owner(alice) -> Owner:
    return owner_of(alice)


@pytest.fixture
def stored(owner):
    """The object of a file of the owner."""
    return file_object(uploads.store(owner, "a.txt", "text/plain", [b"a"]).id)


def file_object(related_id, remote_url=None):
    return File("i", "document", "tool_file", "a.txt", related_id=related_id, remote_url=remote_url).as_object()


def test_file_objects_become_files_with_links(owner, stored):
    (file,) = file_values.opened(owner, {"list": [stored]})["list"]
    assert isinstance(file, File) and f"/files/{file.related_id}/file-preview?" in file.url


def test_remote_files_keep_their_addresses(owner):
    assert file_values.opened(owner, file_object(None, "https://files.example/a")).url == "https://files.example/a"


def test_the_object_of_another_s_file_is_no_file(owner, stored):
    stranger = Owner(owner.app_id, uuid.uuid4())
    assert file_values.opened(stranger, [stored, 1]) == [stored, 1]


@pytest.mark.parametrize("change", [{"related_id": "no id"}, {"size": "large"}, {"related_id": 5}])
def test_a_made_up_object_is_no_file(owner, stored, change):
    made_up = stored | change
    assert file_values.opened(owner, made_up) == made_up
