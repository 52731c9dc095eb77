"""Cut texts and queries into search terms, in the same way for the full-text index and for queries.

PostgreSQL's own parsers split at blanks and know one language at a time. Here a term is a run of letters and digits,
without accents and case, an English plural as its singular. In scripts that put no blanks between words (Chinese,
Japanese, Thai …), and in Korean, whose words take endings, terms are pairs of neighbouring characters.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

LONGEST_WORD = 64
MOST_QUERY_WORDS = 64
# PostgreSQL keeps at most so many positions of one term, and none beyond the last.
_MOST_POSITIONS = 255
_LAST_POSITION = 16_383

_UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3100-\u318f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel signs of Indic, Hebrew and Arabic writing are marks to Python, and part of the word.
_SPACED = "\u0483-\u0487\u0591-\u05bd\u05bf\u05c1-\u05c2\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
_RUN = re.compile(f"(?P<unspaced>[{_UNSPACED}]+)|(?P<spaced>(?:(?![{_UNSPACED}])[^\\W_]|[{_SPACED}])+)")
_ACCENTS = re.compile("[\u0300-\u036f]")


def words(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the terms of a text in order, each with whether it is only the beginning of terms.

    Only a single character of an unspaced script is a beginning.
    """
    for match in _RUN.finditer(_folded(text)):
        run = match[0]
        if match["spaced"] is not None:
            yield _singular(run[:LONGEST_WORD]), False
            continue
        for start in range(len(run) - 1):
            yield run[start : start + 2], False
        # The last character is a term too, so that a query of one character finds it.
        yield run[-1], True


def count(text: str) -> int:
    """Return how many words a text has; each character of an unspaced script counts as one."""
    return sum(1 for _ in words(text))


def index_text(text: str) -> str:
    """Return the terms of a text with their positions, in the syntax of a `tsvector`."""
    positions: dict[str, list[int]] = {}
    for position, (word, _) in enumerate(words(text), 1):
        known = positions.setdefault(word, [])
        if len(known) < _MOST_POSITIONS and position <= _LAST_POSITION:
            known.append(position)
    return " ".join(
        f"{_quoted(word)}:{','.join(map(str, known))}" if known else _quoted(word) for word, known in positions.items()
    )


def query_words(text: str) -> Sequence[str]:
    """Return the first MOST_QUERY_WORDS different terms of a query, each in the syntax of a `tsquery`."""
    found: dict[str, None] = {}
    for match in _RUN.finditer(_folded(text)):
        run = list(words(match[0]))
        # In a longer run the pairs hold every character, so its last single one is left out.
        for word, beginning in run[:-1] if len(run) > 1 else run:
            found[_quoted(word) + (":*" if beginning else "")] = None
            if len(found) == MOST_QUERY_WORDS:
                return list(found)
    return list(found)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold())))


def _singular(word: str) -> str:
    if len(word) < 4 or not word.isascii() or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def _quoted(word: str) -> str:
    return f"'{word}'"
