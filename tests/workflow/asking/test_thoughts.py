"""How reasoning is separated from the answer, however the text is cut into pieces."""

import pytest

from app.workflow.asking.thoughts import ThoughtSplitter

CASES = [
    ("Hello", "Hello", ""),
    ("<think>I ponder.</think>Hello", "Hello", "I ponder."),
    ("<think>\nI ponder.\n</think>\n\nHello\n", "Hello\n", "I ponder."),
    ("So: <THINK>a</Think> b", "So:  b", "a"),
    ("<think>one</think>1<think>two</think>\n2", "12", "one\ntwo"),
    ("<think></think>\n\nHello", "Hello", ""),
    ("1 < 2 <thin> <<think>x</think>3", "1 < 2 <thin> <3", "x"),
    ("a <think", "a <think", ""),
    ("<think>never ends </thin", "", "never ends </thin"),
    ("a</think>b", "a</think>b", ""),
    ("<think>a <think> b</think>c", "c", "a <think> b"),
    ("", "", ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 1_000])
@pytest.mark.parametrize(("text", "said", "thought"), CASES)
def test_thoughts_are_told_apart_wherever_the_text_is_cut(text, said, thought, size):
    tags = ThoughtSplitter()
    pieces = [tags.feed(text[start : start + size]) for start in range(0, len(text), size)]
    assert "".join([*pieces, tags.finish()]) == said
    assert tags.reasoning == thought


def test_only_what_may_be_a_tag_is_held_back():
    tags = ThoughtSplitter()
    assert [tags.feed(piece) for piece in ("Hello <", "th", "e> ", "you")] == ["Hello ", "", "<the> ", "you"]
