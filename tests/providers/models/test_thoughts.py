"""How thoughts are told from the answer, however the text is cut into pieces."""

import pytest

from app.providers.models.thoughts import ThoughtReader, without_thoughts

# What the model writes; the answer without thoughts; the thoughts.
CASES = [
    ("Hello", "Hello", ""),
    ("<think>I ponder.</think>Hello", "Hello", "I ponder."),
    ("<think>\nI ponder.\n</think>\n\nHello\n", "Hello\n", "I ponder."),
    ("\n<think>I ponder.</think>\n\nHello", "Hello", "I ponder."),
    ("So: <THINK>a</Think> b", "So:  b", "a"),
    ("<think >a</think >b", "b", "a"),
    ('<think type="deep">a</think>b', "b", "a"),
    ("<think>one</think>1<think>two</think>\n2", "12", "one\ntwo"),
    ("<think></think>\n\nHello", "Hello", ""),
    ("<think>\n\n</think>\n\nHello", "Hello", ""),
    ("1 < 2 <thin> <<think>x</think>3", "1 < 2 <thin> <3", "x"),
    ("a <think", "a <think", ""),
    ("<think>never ends </thin", "", "never ends </thin"),
    ("<think>a <think> b</think>c", "c", "a <think> b"),
    ("<think>a <think>b</think> c</think>d", "d", "a <think>b\nc"),
    ("", "", ""),
    (" \n", " \n", ""),
    # A closing tag that no opening tag belongs to.
    ("a</think>b", "b", "a"),
    ("Let me think.\n</think>\n\nFour.", "Four.", "Let me think."),
    ("\n</think>\n\nFour.", "Four.", ""),
    ("a</think>b</think>c", "b</think>c", "a"),
    # Words about tags.
    ("Write `<think>` and `</think>`.", "Write `<think>` and `</think>`.", ""),
    ("Write `<think>…</think>`.", "Write `<think>…</think>`.", ""),
    ('{"tag": "</think>"}', '{"tag": "</think>"}', ""),
    ("Like:\n```xml\n<think>a</think>\n```\nSo.", "Like:\n```xml\n<think>a</think>\n```\nSo.", ""),
    ("```py\nx\n```\n<think>a</think>b", "```py\nx\n```\nb", "a"),
    ("<think>Shall I say `</think>`? No.</think>b", "b", "Shall I say `</think>`? No."),
    ("<thinking>a</thinking>b", "<thinking>a</thinking>b", ""),
]


def read(text, size, *, tagged):
    """Return the text that the changes make, and the reader."""
    reader, shown = ThoughtReader(tagged=tagged), ""
    for start in range(0, len(text), size):
        change = reader.feed(text[start : start + size])
        shown = shown[: len(shown) - change.removed] + change.text
    change = reader.finish()
    shown = shown[: len(shown) - change.removed] + change.text
    assert shown == reader.text
    return shown, reader


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 1_000])
@pytest.mark.parametrize(("text", "said", "thought"), CASES)
def test_thoughts_are_told_apart_wherever_the_text_is_cut(text, said, thought, size):
    shown, reader = read(text, size, tagged=False)
    assert (shown, reader.reasoning, reader.answer) == (said, thought, said)
    _, reader = read(text, size, tagged=True)
    assert (reader.reasoning, reader.answer) == (thought, said)


@pytest.mark.parametrize("size", [1, 3, 1_000])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<think>Hm.</think>\n\nHello", "<think>Hm.</think>\n\nHello"),
        ("<THINK>Hm.</THINK>Hello", "<think>Hm.</think>Hello"),
        ("<think>\n \n</think>\n\nHello", "Hello"),
        ("Let me think.\n</think>\n\nFour.", "<think>\nLet me think.\n</think>\n\nFour."),
        ("<think>never ends", "<think>never ends"),
        ("`<think>` is a tag.", "`<think>` is a tag."),
    ],
)
def test_a_tagged_text_keeps_its_thoughts_in_tags(text, shown, size):
    assert read(text, size, tagged=True)[0] == shown


@pytest.mark.parametrize(
    ("pieces", "shown", "answer"),
    [
        ([("", "Hm, "), ("", "so."), ("Hello", "")], "<think>\nHm, so.\n</think>\n\nHello", "Hello"),
        ([("", "\n\nHm."), ("\n\nHello", "")], "<think>\nHm.\n</think>\n\nHello", "Hello"),
        ([("", "\n"), ("", " \n"), ("Hello", "")], "Hello", "Hello"),
        ([("", "Hm, "), ("\n", "so."), ("Hello", "")], "<think>\nHm, so.\n</think>\n\nHello", "Hello"),
        ([("", "Hm."), ("</think>\n\nHello", "")], "<think>\nHm.\n</think>\n\nHello", "Hello"),
        ([("Hello", "Hm.")], "<think>\nHm.\n</think>\n\nHello", "Hello"),
        (
            [("", "One."), ("1", ""), ("", "Two."), ("2", "")],
            "<think>\nOne.\n</think>\n\n1\n<think>\nTwo.\n</think>\n\n2",
            "12",
        ),
        ([("<think>a", ""), ("", "b"), ("</think>c", "")], "<think>ab</think>c", "c"),
        ([("", "Hm.")], "<think>\nHm.\n</think>\n\n", ""),
    ],
)
def test_thoughts_that_come_beside_the_text_are_put_into_tags(pieces, shown, answer):
    reader, text = ThoughtReader(tagged=True), ""
    changes = [*(reader.feed(*piece) for piece in pieces), reader.finish()]
    for change in changes:
        text = text[: len(text) - change.removed] + change.text
    assert (text, reader.answer) == (shown, answer)


def test_only_what_may_be_a_tag_is_held_back():
    reader = ThoughtReader(tagged=False)
    pieces = [reader.feed(piece).text for piece in ("Hello <", "th", "e> ", "you", "</thinks")]
    assert pieces == ["Hello ", "", "<the> ", "you", "</thinks"]


def test_a_late_closing_tag_takes_back_what_was_shown():
    reader = ThoughtReader(tagged=True)
    changes = [reader.feed(piece) for piece in ("Let me", " think.</think>", "Four.")]
    assert [(change.text, change.removed) for change in changes] == [
        ("Let me", 0),
        (" think.", 0),
        ("<think>\nLet me think.</think>Four.", len("Let me think.")),
    ]


@pytest.mark.parametrize("text", ["<think>" * 50_000, "</think>" * 50_000, "a</think>" * 50_000, "<" * 400_000])
def test_a_text_of_tags_takes_no_long_time(text):
    without_thoughts(text)
    read(text[:8_000], 1, tagged=True)


def test_a_whole_text_is_read_at_once():
    assert without_thoughts("<think>a</think>\nb") == "b"
    assert without_thoughts("\n b ") == "\n b "


def test_thoughts_are_told_as_they_grow():
    reader = ThoughtReader(tagged=False)
    told = []
    for text, reasoning in (("", "Hm, "), ("", "so."), ("Hello <thi", ""), ("nk>Wait. </think>", ""), ("you", "")):
        reader.feed(text, reasoning)
        told.append(reader.take_thoughts())
    reader.finish()
    assert told == ["Hm, ", "so.", "", "\nWait. ", ""]
    assert reader.take_thoughts() == ""


def test_thoughts_without_an_opening_tag_are_told_late():
    reader = ThoughtReader(tagged=False)
    reader.feed("Let me think.")
    assert reader.take_thoughts() == ""
    reader.feed("</think>Four.")
    reader.finish()
    assert reader.take_thoughts() == "Let me think."
