"""Documents to text (contract dsl.md §3.7, document-extractor)."""

import pytest

from app.providers.cancellation import Cancellation
from app.providers.documents import parser_library, parser_places
from app.providers.work_owner import FRONTDESK, WorkOwner
from app.workflow.contracts.node_services import NodeServices
from app.workflow.values.files import File
from tests.support.documents import docx, pdf, xlsx
from tests.support.workflow.graphs import end, graph, node, run, start


class Contents:
    """Files in memory, by name."""

    def __init__(self, contents):
        self._contents = contents

    def read(self, file, most_bytes, seconds, cancellation):
        return self._contents[file.name]

    def store(self, name, content, mime_type):
        raise NotImplementedError

    def image_part(self, file, detail, seconds, cancellation):
        raise NotImplementedError


def file(name):
    return File("i", "document", "local_file", name, "." + name.rpartition(".")[2], "application/octet-stream", 1, "r")


def extract(value, contents, owner=FRONTDESK, seconds=30.0):
    part = node("doc", "document-extractor", variable_selector=["start", "file"])
    return run(
        graph(start(), part, end(), "start > doc > end"),
        {"file": value},
        services=NodeServices(files=Contents(contents), owner=owner),
        seconds=seconds,
    )


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.txt", "Grüße".encode(), "Grüße"),
        ("a.txt", "Grüße".encode("cp1252"), "Grüße"),
        ("a.txt", "你好，世界。今天天气很好。".encode("gbk"), "你好，世界。今天天气很好。"),
        ("a.xml", '<?xml version="1.0" encoding="windows-1251"?><a>Да</a>'.encode("cp1251"), "<a>Да</a>"),
        ("a.html", '<meta charset="gbk"><p>你好</p>'.encode("gbk"), "你好"),
        ("a.csv", "Größe;Menge\nä;1\n".encode("cp1252"), "Größe"),
        ("a.md", b"# Title", "# Title"),
        ("a.json", b'{"a": 1}', '{"a": 1}'),
        ("a.yaml", b"a: 1", "a: 1"),
        ("a.html", b"<h1>Title</h1><script>x()</script>", "Title"),
        ("a.csv", b"name,size\ncat,4\n", "cat"),
        ("a.docx", docx(), "Hello from Word"),
        ("a.xlsx", xlsx(("name", "size"), ("cat", "4")), "cat"),
        ("a.pdf", pdf("Hello from a page"), "Hello from a page"),
        ("a.eml", b"From: a@b.c\r\nTo: d@e.f\r\nSubject: Hi\r\n\r\nThe letter\r\n", "The letter"),
    ],
)
def test_a_document_becomes_text(name, content, word):
    assert word in extract(file(name), {name: content}).outputs("doc")["text"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.html"])
def test_the_mark_of_an_encoding_is_no_text(name, encoding):
    text = extract(file(name), {name: "name,größe\n1,2\n".encode(encoding)}).outputs("doc")["text"]
    assert "größe" in text and "\ufeff" not in text


def test_a_list_becomes_a_list():
    record = extract([file("a.txt"), file("b.txt")], {"a.txt": b"A", "b.txt": b"B"})
    assert record.outputs("doc") == {"text": ["A", "B"]}


@pytest.mark.parametrize(("name", "content"), [("a.exe", b"MZ"), ("a.pdf", b"no pdf"), ("a.docx", b"no docx")])
def test_what_cannot_be_read_fails_the_node(name, content):
    assert extract(file(name), {name: content}).end.status == "failed"


def test_what_is_no_file_fails_the_node():
    assert extract("text", {}).end.status == "failed"


def test_slow_documents_of_one_end_user_keep_no_other_waiting(monkeypatch):
    monkeypatch.setattr(parser_places, "most_parsers", lambda: 2)
    contents, owner = {"a.csv": b"name,size\ncat,4\n"}, WorkOwner("app", "slow")
    with parser_places.place(parser_library.folder(), 10.0, Cancellation(), owner):
        assert extract(file("a.csv"), contents, owner, seconds=0.3).end.status == "failed"
        assert extract(file("a.csv"), contents, WorkOwner("app", "other")).end.status == "succeeded"
