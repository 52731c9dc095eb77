"""Documents cut into segments."""

import pytest

from app.providers.documents.document_texts import Passage
from app.services.knowledge.segmenting import segments, token_count

SENTENCES = " ".join(f"Sentence number {number} says something of its own." for number in range(200))


def cut(text, **sizes):
    return segments([Passage(None, text)], **sizes)


def test_a_short_text_is_one_segment():
    [piece] = cut("One paragraph.\n\nAnother.")
    assert (piece.content, piece.page, piece.title) == ("One paragraph.\n\nAnother.", None, None)


@pytest.mark.parametrize("text", ["", " \n\n ", "\n"])
def test_nothing_gives_none(text):
    assert cut(text) == []


def test_sections_are_segments_with_their_heading():
    pieces = cut("# Handbook\n\n## Vacation\n\n25 days.\n\n## Sick leave\n\nCall us.\n\n# Other\n\nText.")
    assert [(piece.title, piece.content) for piece in pieces] == [
        ("Handbook › Vacation", "# Handbook\n\n## Vacation\n\n25 days."),
        ("Handbook › Sick leave", "## Sick leave\n\nCall us."),
        ("Other", "# Other\n\nText."),
    ]


def test_a_long_text_is_cut_between_sentences_and_overlaps():
    pieces = cut(SENTENCES, most=100, overlap=20)
    assert len(pieces) > 10
    for piece, following in zip(pieces, pieces[1:], strict=False):
        assert piece.content.endswith(".") and token_count(piece.content) <= 100
        assert following.content.startswith("Sentence number")
        assert piece.content.rpartition("Sentence")[2] in following.content
    assert all(f"number {number} " in " ".join(piece.content for piece in pieces) for number in range(200))


@pytest.mark.parametrize("text", ["员工每年有二十五天年假。" * 300, "x" * 20_000, "word " * 5_000, "。" * 5_000])
def test_no_segment_is_larger_than_said(text):
    pieces = cut(text, most=100, overlap=0)
    assert len(pieces) > 3 and all(token_count(piece.content) <= 100 for piece in pieces)
    assert "".join(piece.content for piece in pieces).replace(" ", "") == text.replace(" ", "")


def test_each_part_of_a_table_has_its_head():
    rows = "\n".join(f"| Room {number} | {number} seats |" for number in range(100))
    pieces = cut(f"## Rooms\n\n| Room | Seats |\n| --- | --- |\n{rows}", most=100)
    assert len(pieces) > 5
    assert all(
        "| Room | Seats |\n| --- | --- |\n| Room" in piece.content and piece.title == "Rooms" for piece in pieces
    )
    assert sum(piece.content.count("seats |") for piece in pieces) == 100


def test_pages_are_kept_apart():
    pieces = segments([Passage(1, "First page."), Passage(2, "Second page.")])
    assert [(piece.page, piece.content.endswith("page.")) for piece in pieces] == [(1, True), (2, True)]
    assert "Second" not in pieces[0].content
