"""Reads JSON that a model wrote carelessly, and tells JSON that is wrong from JSON that was cut off.

Accepted is what has one meaning only: single quotes, keys without quotes, a comma too many, Python's literals,
comments, line breaks in texts. The end of the text before the end of the value is told as a cut: an object whose end is
missing must not pass for a whole one. Each character is read once, by hand, and nesting is bounded.
"""

import math
import re
from typing import Any

# Values nested deeper than this are text: no app's data is, and libraries below fail at a few hundred levels.
MOST_LEVELS = 64
_BLANKS = re.compile(r"\s*+")
_PLAIN = {'"': re.compile(r'[^"\\]*+'), "'": re.compile(r"[^'\\]*+")}
_WORD = re.compile(r"[A-Za-z_$][\w$-]{0,200}+")
_NUMBER = re.compile(r"-?[0-9]{1,1000}+(?:\.[0-9]{1,1000}+)?(?:[eE][+-]?[0-9]{1,10}+)?")
# What may become the beginning or the rest of a number, at the end of a text.
_PART_OF_NUMBER = re.compile(r"(?:-|\.|[eE][+-]?)\Z")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"', "'": "'"}
_LITERALS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_LARGEST = 2**63


class BrokenJson(ValueError):
    """A text that is no JSON. `position`: of the first character that does not fit."""

    def __init__(self, position: int) -> None:
        super().__init__(f"no JSON at character {position}")
        self.position = position


class CutJson(BrokenJson):
    """A text that ends inside a value. `value`: what was read of it."""

    def __init__(self, position: int, value: Any = None) -> None:
        super().__init__(position)
        self.value = value


def read_value(text: str, start: int = 0) -> tuple[Any, int]:
    """Return the object or list that begins at `start`, and the position behind it. Raises BrokenJson, CutJson."""
    return _Reader(text).container(start, 1)


def finite_number(text: str) -> int | float:
    """Return a JSON number; a whole one of more than 64 bits as a float. Raises ValueError where it is infinite."""
    if text.lstrip("-").isdigit() and len(text) <= 20 and -_LARGEST <= (whole := int(text)) < _LARGEST:
        return whole
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


class _Reader:
    """Reads values of one text. Methods take a position and return a value and the position behind it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def container(self, at: int, level: int) -> tuple[Any, int]:
        if level > MOST_LEVELS:
            raise BrokenJson(at)
        if self._text.startswith("{", at):
            return self._object(at, level)
        if self._text.startswith("[", at):
            return self._list(at, level)
        raise BrokenJson(at)

    def _object(self, at: int, level: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        key = None
        try:
            at = self._skip(at + 1)
            while self._text[at] != "}":
                key, at = None, self._skip(at)
                name, at = self._key(at)
                at = self._skip(at)
                if self._text[at] != ":":
                    raise BrokenJson(at)
                key = name
                found[key], at = self._value(self._skip(at + 1), level)
                at = self._next(at, "}")
        except CutJson as cut:
            if key is not None and cut.value is not None:
                found[key] = cut.value
            raise CutJson(cut.position, found) from None
        return found, at + 1

    def _list(self, at: int, level: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        try:
            at = self._skip(at + 1)
            while self._text[at] != "]":
                value, at = self._value(at, level)
                found.append(value)
                at = self._next(at, "]")
        except CutJson as cut:
            raise CutJson(cut.position, found if cut.value is None else [*found, cut.value]) from None
        return found, at + 1

    def _next(self, at: int, end: str) -> int:
        """Return the position of the next member or of the container's end, behind the comma between them."""
        at = self._skip(at)
        if self._text[at] == ",":
            return self._skip(at + 1)
        if self._text[at] != end:
            raise BrokenJson(at)
        return at

    def _value(self, at: int, level: int) -> tuple[Any, int]:
        sign = self._text[at]
        if sign in "{[":
            return self.container(at, level + 1)
        if sign in _PLAIN:
            return self._string(at)
        number = _NUMBER.match(self._text, at)
        if _PART_OF_NUMBER.match(self._text, number.end() if number is not None else at):
            raise CutJson(len(self._text))
        if number is not None:
            return _number_of(number), self._within(number.end())
        word = _WORD.match(self._text, at)
        if word is not None and word[0] in _LITERALS:
            return _LITERALS[word[0]], self._within(word.end())
        if word is not None and word.end() == len(self._text):
            raise CutJson(word.end())
        raise BrokenJson(at)

    def _key(self, at: int) -> tuple[str, int]:
        if self._text[at] in _PLAIN:
            try:
                return self._string(at)
            except CutJson as cut:
                raise CutJson(cut.position) from None
        word = _WORD.match(self._text, at)
        if word is None:
            raise BrokenJson(at)
        return word[0], self._within(word.end())

    def _string(self, at: int) -> tuple[str, int]:
        quote, pieces = self._text[at], []
        at += 1
        while True:
            plain = _PLAIN[quote].match(self._text, at)
            at = plain.end() if plain is not None else at
            pieces.append(plain[0] if plain is not None else "")
            if at + 1 >= len(self._text) and not self._text.startswith(quote, at):
                raise CutJson(at, "".join(pieces))
            if self._text[at] == quote:
                return "".join(pieces), at + 1
            piece, at = self._escaped(at + 1)
            pieces.append(piece)

    def _escaped(self, at: int) -> tuple[str, int]:
        """Return what an escape stands for; one that JSON does not know is kept as it is written."""
        sign = self._text[at]
        if sign != "u":
            return _ESCAPES.get(sign, f"\\{sign}"), at + 1
        code = _HEX.match(self._text, at + 1)
        if code is None:
            return "\\u", at + 1
        first, at = int(code[0], 16), at + 5
        low = _HEX.match(self._text, at + 2) if self._text.startswith("\\u", at) else None
        if 0xD800 <= first < 0xDC00 and low is not None and 0xDC00 <= (second := int(low[0], 16)) < 0xE000:
            return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)), at + 6
        return chr(first), at

    def _skip(self, at: int) -> int:
        """Return the position behind blanks and comments. Raises CutJson where nothing follows."""
        while True:
            blanks = _BLANKS.match(self._text, at)
            at = blanks.end() if blanks is not None else at
            if self._text.startswith("//", at):
                at = self._within(self._text.find("\n", at))
            elif self._text.startswith("/*", at):
                end = self._text.find("*/", at + 2)
                at = self._within(end + 2 if end >= 0 else -1)
            else:
                return self._within(at)

    def _within(self, at: int) -> int:
        if 0 <= at < len(self._text):
            return at
        raise CutJson(len(self._text))


def _number_of(match: re.Match[str]) -> int | float:
    """Return the number that was matched. Raises BrokenJson where it is infinite."""
    try:
        return finite_number(match[0])
    except ValueError:
        raise BrokenJson(match.start()) from None
