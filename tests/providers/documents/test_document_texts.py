"""Documents to text: formats, limits, broken files."""

import pytest

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.documents import parser_library, parser_places
from app.providers.documents.document_texts import DocumentUnreadable, extract_text
from app.providers.documents.office_packages import LARGEST_PACKAGE
from tests.support.documents import announcing, docx, pdf


def text(content, extension, seconds=60.0, cancellation=None):
    return extract_text(content, extension, "", seconds, cancellation or Cancellation())


@pytest.mark.parametrize("size", [200 * 1024, 10 * 1024 * 1024])
def test_a_large_document_is_read(size):
    words = "Hello from Word " * (size // 16)
    assert text(docx(words), "docx").split() == words.split()


def test_a_package_that_unpacks_to_too_much_is_refused_before_it_is_unpacked():
    with pytest.raises(DocumentUnreadable, match="unpacked it is larger than 512 MB"):
        text(announcing(docx(), LARGEST_PACKAGE + 1), "docx")


def test_a_document_waits_for_a_place_as_long_as_its_caller_has_time(monkeypatch):
    monkeypatch.setattr(parser_places, "most_parsers", lambda: 1)
    with parser_places.place(parser_library.folder(), 10.0, Cancellation()):
        with pytest.raises(DocumentUnreadable, match="too many"):
            text(pdf("A page"), "pdf", seconds=0.1)
        with pytest.raises(Cancelled):
            stopped = Cancellation()
            stopped.cancel()
            text(pdf("A page"), "pdf", cancellation=stopped)
    assert text(pdf("A page"), "pdf").strip() == "A page"
