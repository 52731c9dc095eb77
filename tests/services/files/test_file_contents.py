"""Files that runs make and read."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.models.owners import Owner
from app.providers.cancellation import Cancellation
from app.services.files.file_contents import FileContents
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File
from tests.support.uploads import owner_of, path_of


@pytest.fixture
def contents(alice) -> FileContents:
    return FileContents(owner_of(alice))


def read(contents, file, most_bytes=1000):
    return contents.read(file, most_bytes, 5, Cancellation())


def test_a_made_file_is_read_again_and_has_a_link(alice, contents):
    made = contents.store("chart.png", b"picture", "image/png")
    assert (made.type, made.transfer_method, made.extension, made.size) == ("image", "tool_file", ".png", 7)
    assert read(contents, made) == b"picture"
    assert alice.client.get(path_of(made.url)).data == b"picture"


def test_a_thread_without_context_may_keep_a_file(contents):
    with ThreadPoolExecutor() as pool:
        assert pool.submit(contents.store, "a.txt", b"x", "text/plain").result().size == 1


def test_more_than_is_wanted_is_not_read(contents):
    with pytest.raises(NodeFailed, match="a.txt is too large"):
        read(contents, contents.store("a.txt", b"x" * 1001, "text/plain"))


def test_a_file_that_is_gone(contents):
    with pytest.raises(NodeFailed, match="a.txt cannot be read"):
        read(contents, File("1", "document", "local_file", "a.txt", related_id=str(uuid.uuid4())))


def test_a_file_of_another_app(contents):
    made = contents.store("a.txt", b"x", "text/plain")
    with pytest.raises(NodeFailed, match="cannot be read"):
        read(FileContents(Owner(uuid.uuid4(), uuid.uuid4())), made)


def test_a_made_file_that_may_not_be_kept(contents):
    with pytest.raises(NodeFailed, match="cannot be kept"):
        contents.store("../a.txt", b"x", "text/plain")


def test_an_address_inside_is_not_read(contents):
    with pytest.raises(NodeFailed, match="cannot be read"):
        read(contents, File("1", "image", "remote_url", "a.png", remote_url="http://169.254.169.254/a.png"))
