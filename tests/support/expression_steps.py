"""Counts the steps that a backtracking matcher takes, so that a test can see how its work grows with the text.

The matcher interprets what Python's own parser makes of an expression; it is slower than Python's matcher and skips
nothing, so its count is an upper bound of the work.
"""

import re
import sys
from collections.abc import Callable, Iterator
from re import _constants as ops  # type: ignore[attr-defined]  # the parser has no public name
from re import _parser as parser  # type: ignore[attr-defined]  # see above
from typing import Any

Node = tuple[Any, Any]
Then = Callable[[int], bool]
_FRAMES = 10_000
_LONGEST_SAMPLE, _BOUNDED = 16, 3


class TooManySteps(Exception):
    """The matcher gave up."""


class StepCounter:
    """Counts the steps of one expression. `most`: raises TooManySteps beyond them."""

    def __init__(self, pattern: re.Pattern[Any], most: int = 30_000) -> None:
        self._nodes = _parsed(pattern)
        self._flags = pattern.flags
        self._most = most

    def steps(self, text: str, *, whole: bool = False, everywhere: bool = True) -> int:
        """Return the steps of a search from every character, or of a match from the first; `whole`: up to the end."""
        self._text, self._steps = text, 0
        limit, start = sys.getrecursionlimit(), 0
        sys.setrecursionlimit(_FRAMES)
        try:
            while start <= len(text):
                end = self._match(start, whole)
                start = end if end is not None and end > start else start + 1
                if not everywhere:
                    break
        finally:
            sys.setrecursionlimit(limit)
        return self._steps

    def _match(self, start: int, whole: bool) -> int | None:
        """Return the end of the match at a place, None without one."""
        ends: list[int] = []

        def stop(end: int) -> bool:
            ends.append(end)
            return not whole or end == len(self._text)

        return ends[-1] if self._run(self._nodes, 0, start, stop) else None

    def _run(self, nodes: list[Node], number: int, at: int, then: Then) -> bool:
        self._steps += 1
        if self._steps > self._most:
            raise TooManySteps
        if number == len(nodes):
            return then(at)
        op, value = nodes[number]

        def rest(position: int) -> bool:
            return self._run(nodes, number + 1, position, then)

        if op is ops.BRANCH:
            return any(self._run(list(branch), 0, at, rest) for branch in value[1])
        if op is ops.SUBPATTERN:
            return self._run(list(value[3]), 0, at, rest)
        if op is ops.ATOMIC_GROUP:
            return self._atomic(list(value), at, rest)
        if op in (ops.ASSERT, ops.ASSERT_NOT):
            direction, body = value
            start = at if direction > 0 else at - body.getwidth()[0]
            found = start >= 0 and self._run(list(body), 0, start, lambda end: direction > 0 or end == at)
            return found == (op is ops.ASSERT) and rest(at)
        if op is ops.AT:
            return self._is_at(value, at) and rest(at)
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            return self._repeat(op, value, at, rest)
        return at < len(self._text) and self._fits(op, value, self._text[at]) and rest(at + 1)

    def _repeat(self, op: Any, value: Any, at: int, rest: Then) -> bool:
        least, most, body = value[0], value[1], list(value[2])
        if most is not ops.MAXREPEAT:
            # A bounded repetition costs a fixed number of steps: fewer of them show the growth in shorter texts.
            most = min(most, max(least, _BOUNDED))
        if op is ops.POSSESSIVE_REPEAT:
            count = 0
            while count < most and (end := self._end(body, at)) is not None and end > at:
                at, count = end, count + 1
            return count >= least and rest(at)

        def more(count: int, position: int) -> bool:
            def again(end: int) -> bool:
                return end > position and more(count + 1, end)

            if count < least:
                return self._run(body, 0, position, lambda end: more(count + 1, end))
            if op is ops.MIN_REPEAT:
                return rest(position) or (count < most and self._run(body, 0, position, again))
            return (count < most and self._run(body, 0, position, again)) or rest(position)

        return more(0, at)

    def _end(self, body: list[Node], at: int) -> int | None:
        ends: list[int] = []

        def stop(end: int) -> bool:
            ends.append(end)
            return True

        return ends[0] if self._run(body, 0, at, stop) else None

    def _atomic(self, body: list[Node], at: int, rest: Then) -> bool:
        end = self._end(body, at)
        return end is not None and rest(end)

    def _is_at(self, where: Any, at: int) -> bool:
        text = self._text
        if where in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING):
            return at == 0 or (bool(self._flags & re.MULTILINE) and text[at - 1] == "\n")
        if where in (ops.AT_END, ops.AT_END_STRING):
            return at == len(text) or (where is ops.AT_END and text[at:] == "\n")
        word = [bool(0 <= side < len(text) and (text[side].isalnum() or text[side] == "_")) for side in (at - 1, at)]
        return (word[0] != word[1]) == (where is ops.AT_BOUNDARY)

    def _fits(self, op: Any, value: Any, sign: str) -> bool:
        if op is ops.ANY:
            return sign != "\n" or bool(self._flags & re.DOTALL)
        signs = {sign, sign.lower(), sign.upper()} if self._flags & re.IGNORECASE else {sign}
        if op is ops.LITERAL:
            return chr(value) in signs
        if op is ops.NOT_LITERAL:
            return chr(value) not in signs
        negated = value[0][0] is ops.NEGATE
        return negated != any(_member(item, one) for item in value[negated:] for one in signs)


def attacks(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield beginnings, parts to repeat and ends of texts on which an expression may do much work."""
    nodes = _parsed(pattern)
    sample = "".join(_samples(nodes, 1))
    shortest = "".join(_samples(nodes, 0))
    # A sign again and again at each place of a text that fits, and the beginnings of that text again and again.
    for place in range(min(len(sample), _LONGEST_SAMPLE) + 1):
        for part in dict.fromkeys([*sample[max(0, place - 1) : place + 1], *" \na", *shortest[:1]]):
            yield sample[:place], part, "\x7f"
        if place > 1:
            yield "", sample[:place], "\x7f"


def _parsed(pattern: re.Pattern[Any]) -> list[Node]:
    text = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    return list(parser.parse(text, pattern.flags))


def _samples(nodes: list[Node], more: int) -> Iterator[str]:
    """Yield the signs of a text that the nodes match, with `more` rounds of each repetition than needed."""
    for op, value in nodes:
        if op is ops.LITERAL:
            yield chr(value)
        elif op is ops.NOT_LITERAL:
            yield "a" if value != ord("a") else "b"
        elif op is ops.ANY:
            yield "a"
        elif op is ops.IN:
            yield next(
                (sign for sign in "a0 .-#\"'|x" if StepCounter(re.compile(""))._fits(op, value, sign)), _first(value)
            )
        elif op is ops.BRANCH:
            yield from _samples(list(value[1][0]), more)
        elif op is ops.SUBPATTERN:
            yield from _samples(list(value[3]), more)
        elif op is ops.ATOMIC_GROUP:
            yield from _samples(list(value), more)
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            for _ in range(min(value[0] + more, value[1], 12)):
                yield from _samples(list(value[2]), more)


def _first(items: list[Node]) -> str:
    """Return the first sign of a class that names its members."""
    op, value = items[0]
    return chr(value if op is ops.LITERAL else value[0]) if op in (ops.LITERAL, ops.RANGE) else "_"


def _member(item: Node, sign: str) -> bool:
    op, value = item
    if op is ops.LITERAL:
        return ord(sign) == value
    if op is ops.RANGE:
        return bool(value[0] <= ord(sign) <= value[1])
    kind = str(value).rpartition("_")[2]
    found = {"DIGIT": sign.isdecimal(), "SPACE": sign.isspace(), "WORD": sign.isalnum() or sign == "_"}[kind]
    return found != ("NOT" in str(value))
