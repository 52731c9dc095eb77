"""Where a text is cut for a voice."""

import pytest

from app.services.process.sentences import LONGEST, Sentences, pieces

STORY = "The cat sat down on the mat. It was a very fine mat, was it not? Yes! It certainly was a fine mat."


def fed(text: str, size: int) -> list[str]:
    sentences = Sentences()
    found = [piece for start in range(0, len(text), size) for piece in sentences.feed(text[start : start + size])]
    return found + sentences.finish()


@pytest.mark.parametrize("size", [1, 2, 7, 40, 1000])
def test_sentences_are_the_same_however_the_text_arrives(size):
    assert fed(STORY, size) == [
        "The cat sat down on the mat.",
        "It was a very fine mat, was it not?",
        "Yes! It certainly was a fine mat.",
    ]


def test_a_sentence_comes_as_soon_as_it_is_whole():
    sentences = Sentences()
    assert sentences.feed("The cat sat down on the mat.") == []
    assert sentences.feed(" It") == ["The cat sat down on the mat."]
    assert sentences.finish() == ["It"]
    assert sentences.finish() == []


@pytest.mark.parametrize("text", ["Dr. A. Miller paid 3.50 euros for it", "See e.g. www.example.com for more of it"])
def test_short_ends_are_no_ends(text):
    assert fed(text, 5) == [text]


def test_lines_and_full_width_ends_count():
    text = (
        "今日はとても良い天気ですね、散歩に行きましょう、犬も一緒に。そうしましょう。\n"
        "A line that nobody ended with a dot\nAnother"
    )
    assert fed(text, 3) == [
        "今日はとても良い天気ですね、散歩に行きましょう、犬も一緒に。",
        "そうしましょう。\nA line that nobody ended with a dot",
        "Another",
    ]


MARKDOWN = [
    ("## What it **costs**\n", "What it costs"),
    ("- [ ] task `code` here", "task code here"),
    ("* One *two* __three__ ~~four~~", "One two three four"),
    ("> 1. First\n> 2. Second", "1. First\n2. Second"),
    ('See [the docs](https://a.example/b(c)?d=1 "T") now.', "See the docs now."),
    ("See [the docs][1] and [^2] and [3].", "See the docs and and ."),
    (
        "See ![a cat](cat.png) at https://www.example.com/x?y=1 or <https://a.example>.",
        "See a cat at example.com or a.example.",
    ),
    ("| Room | Seats |\n|:--|--:|\n| A | 5 |\n", "Room, Seats\nA, 5"),
    ("Here:\n\n```python\nprint('x')\n```\n\nDone.", "Here:\nDone."),
    ("2 * 3 is 6, and user_id is _this_.", "2 × 3 is 6, and user id is this."),
    ("Hi 😀👨‍👩‍👧 there ❤️ 🇩🇪, 20 °C ©", "Hi there , 20 °C ©"),
    ("One<br>two &amp; <b>three</b>, 1 < 2", "One two & three , 1 < 2"),
    ("**It is all done here now.** And *more*.", "It is all done here now. And more."),
    ("\\*no emphasis\\*", "no emphasis"),
    ("<think>\nLet me think.\n</think>\n\nFour.", "Four."),
    ("C# and #1, $5 and 10%", "C# and #1, $5 and 10%"),
]  # What is written, and what is said of it.


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(("text", "said"), MARKDOWN)
def test_signs_and_thoughts_are_not_said(text, said, size):
    assert " ".join(fed(text, size)).split() == said.split()
    assert " ".join(pieces(text)).split() == said.split()


def test_code_is_said_where_there_is_nothing_else():
    assert list(pieces("```\nx = 1\n```")) == ["x = 1"]
    assert list(pieces("<think>x</think>")) == []


@pytest.mark.parametrize("sign", ["[", "*", "|", "](", "`", "😀", "~~", "[1]"])
def test_any_text_of_signs_is_taken(sign):
    said = "".join(fed(f"Word {sign * 3_000} word.", 50))
    assert said.startswith("Word") and said.endswith("word.")
    assert sign not in said


@pytest.mark.parametrize("text", ["", "   \n", "---\n***\n", "🙂 … !", "• – •"])
def test_what_has_no_word_is_not_said(text):
    assert fed(text, 2) == []


@pytest.mark.parametrize(
    "text", ["word " * 1000, "x" * 4321, "ü" * LONGEST + " " + "y" * 5, "The same again and again. " * 300]
)
def test_no_piece_is_too_long_and_nothing_is_lost(text):
    for found in (fed(text, 50), list(pieces(text))):
        assert max(map(len, found)) <= LONGEST
        assert "".join("".join(found).split()) == "".join(text.split())


def test_a_whole_text_is_cut_less_often():
    assert list(pieces(STORY)) == [STORY]
    assert len(list(pieces("The same again and again. " * 60))) == 3


def test_a_text_without_words_is_one_piece():
    assert list(pieces("🙂!")) == ["🙂!"]


def test_a_long_text_takes_no_long_time():
    assert sum(1 for _ in pieces("The same again and again. " * 20_000)) > 500
