"""Tells a model's thoughts from its answer, for all that read models.

Thoughts come in think tags inside the text, or beside it where a server tells the two apart. Some models leave out the
opening tag, because their prompt ends with it: a closing tag then turns the text before it into thoughts, which is said
as a change that takes back what was shown. Tags in quotation marks and in code fences are text, blank thoughts none.
Each character is looked at a fixed number of times.
"""

import re
from dataclasses import dataclass, field

OPENING, CLOSING = "<think>", "</think>"
_TAG = re.compile(r"<(/?)think(?:\s[^<>]{0,200})?>", re.IGNORECASE | re.ASCII)
_LONGEST_TAG = 220
_QUOTES = "`'\""
_FENCES = ("```", "~~~")
_LINE_START = 8
# Taking back costs as much as the text is long: of nested blocks that end one after the other, no more than these.
_MOST_TAKEN_BACK = 8


@dataclass(frozen=True)
class TextChange:
    """The growth of a text: its last `removed` characters are taken back, then `text` is added."""

    text: str = ""
    removed: int = 0


@dataclass
class _Passage:
    """A passage of an answer: thoughts or text. Blanks that begin it are held back until more than blanks has come."""

    is_thought: bool
    opening: str = ""
    closing: str = ""
    pieces: list[str] = field(default_factory=list)
    is_blank: bool = True

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class ThoughtReader:
    """Reads a growing answer. `tagged`: its text keeps the thoughts, in think tags; else they are left out."""

    def __init__(self, *, tagged: bool) -> None:
        self._tagged = tagged
        self._passages = [_Passage(False)]
        self._fence = _FenceTracker()
        self._pending, self._before = "", " "
        # In thoughts that the server tells apart.
        self._in_channel = False
        # What newlines behind thoughts belong to; None where they are dropped.
        self._is_behind_thought = False
        self._closed: _Passage | None = None
        self._nested = self._taken_back = 0
        self._length = 0
        self._added: list[str] = []
        self._removed = 0
        self._has_thoughts = False
        self._thoughts: list[str] = []

    @property
    def text(self) -> str:
        """The text so far: with the thoughts if it is `tagged`."""
        return "".join(self._shown(passage) for passage in self._passages)

    @property
    def answer(self) -> str:
        """The text so far without the thoughts."""
        return "".join(passage.text for passage in self._passages if not passage.is_thought and not passage.is_blank)

    @property
    def has_thoughts(self) -> bool:
        """Whether any thoughts came so far."""
        return any(passage.is_thought for passage in self._passages)

    @property
    def reasoning(self) -> str:
        """The thoughts so far, joined by newlines."""
        thoughts = (passage.text.strip() for passage in self._passages if passage.is_thought)
        return "\n".join(filter(None, thoughts))

    def take_thoughts(self) -> str:
        """Return how the thoughts have grown since the last call; a newline stands between two passages of them."""
        grown = "".join(self._thoughts)
        self._thoughts.clear()
        return grown

    def feed(self, text: str = "", reasoning: str = "") -> TextChange:
        """Add what came; return how the text changes. The end that may begin a tag waits for the next call."""
        if reasoning:
            self._add_reasoning(reasoning)
        if self._in_channel:
            # Some servers send blank text beside every thought.
            if not text.strip():
                return self._change()
            self._close_channel()
        self._read(text, is_end=False)
        return self._change()

    def finish(self) -> TextChange:
        """End the answer; return the last change."""
        self._read("", is_end=True)
        self._close_channel()
        # Without any thoughts a text of blanks is what the model wrote.
        if len(self._passages) == 1 and self._passages[0].is_blank:
            self._passages[0].is_blank = False
            self._show(self._passages[0].text)
        return self._change()

    def _change(self) -> TextChange:
        change = TextChange("".join(self._added), self._removed)
        self._length += len(change.text) - change.removed
        self._added, self._removed = [], 0
        return change

    def _add_reasoning(self, reasoning: str) -> None:
        if not self._in_channel:
            self._read("", is_end=True)
            # A server that tells thoughts apart may leave the opening tag in the text as well.
            if not self._is_thinking:
                last = self._passages[-1]
                line = "" if last.is_blank or last.text.endswith("\n") else "\n"
                self._passages.append(_Passage(True, f"{line}{OPENING}\n"))
                self._in_channel = True
        self._extend(reasoning.lstrip("\r\n") if self._passages[-1].is_blank else reasoning)

    def _close_channel(self) -> None:
        if self._in_channel:
            self._in_channel = False
            self._end_thought(f"\n{CLOSING}\n\n")

    def _read(self, text: str, *, is_end: bool) -> None:
        """Read the text behind what is pending, tag by tag. `is_end`: nothing of it may stay pending."""
        text, self._pending = self._pending + text, ""
        position = 0
        for tag in _TAG.finditer(text):
            self._take(text[position : tag.start()])
            position = tag.start()
            closing, behind = bool(tag[1]), text[tag.end() : tag.end() + 1]
            # Whether a closing tag is quoted is known with the next character.
            if closing and not behind and not is_end and (not self._is_thinking or self._before in _QUOTES):
                self._pending = text[position:]
                return
            if self._counts(closing, behind):
                self._cross(tag[0])
            else:
                self._take(tag[0])
            position = tag.end()
        certain = len(text) - (0 if is_end else _uncertain(text, position))
        self._take(text[position:certain])
        self._pending = text[certain:]

    def _counts(self, closing: bool, behind: str) -> bool:
        """Return whether a tag is one, by the characters around it: `behind` and the last one that was taken."""
        quoted = self._before in _QUOTES
        if self._is_thinking:
            # An opening tag inside thoughts is one of their words; it is counted, as its own closing tag may follow.
            self._nested += not closing and not quoted
            return closing and not (quoted and self._before == behind)
        if self._fence.is_open:
            return False
        return not (quoted and self._before == behind) and behind != "`" if closing else not quoted

    @property
    def _is_thinking(self) -> bool:
        last = self._passages[-1]
        return last.is_thought and not last.closing

    def _cross(self, tag: str) -> None:
        """Go from text to thoughts or back, over a tag."""
        if not tag.startswith("</"):
            self._passages.append(_Passage(True, OPENING))
        elif self._is_thinking:
            self._end_thought(CLOSING)
        else:
            self._close_unopened(tag)
        self._before = " "

    def _close_unopened(self, tag: str) -> None:
        """Make thoughts of the text before a closing tag that no opening tag belongs to."""
        passage = self._passages[-1]
        has_thoughts = self.has_thoughts
        if passage.is_blank:
            passage.pieces.clear()
            self._is_behind_thought = True
        elif (has_thoughts and not self._nested) or self._taken_back == _MOST_TAKEN_BACK:
            self._take(tag)
        else:
            self._nested -= has_thoughts
            self._taken_back += 1
            passage.is_thought = True
            self._tell_thought(passage.text, is_first=True)
            passage.opening = OPENING if passage.text.startswith("\n") else f"{OPENING}\n"
            self._fence = _FenceTracker()
            self._end_thought(CLOSING)
            self._removed, self._added = self._length, [self.text]

    def _end_thought(self, closing: str) -> None:
        passage = self._passages[-1]
        self._closed = None
        if passage.is_blank:
            self._passages.pop()
        else:
            passage.closing = closing
            self._closed = passage if closing == CLOSING else None
            self._show(closing if self._tagged else "")
        if self._passages[-1].is_thought:
            self._passages.append(_Passage(False))
        self._is_behind_thought = True

    def _take(self, text: str) -> None:
        """Add text to the last passage, without the newlines behind thoughts."""
        if not text:
            return
        self._before = text[-1]
        if self._is_behind_thought:
            rest = text.lstrip("\r\n")
            self._is_behind_thought = not rest
            if self._closed is not None:
                newlines = text[: len(text) - len(rest)]
                self._closed.closing += newlines
                self._show(newlines if self._tagged else "")
            text = rest
        if not self._is_thinking:
            self._fence.add(text)
        if text:
            self._extend(text)

    def _extend(self, text: str) -> None:
        passage = self._passages[-1]
        passage.pieces.append(text)
        if passage.is_blank and not text.strip():
            return
        if passage.is_thought:
            self._tell_thought(passage.text if passage.is_blank else text, is_first=passage.is_blank)
        if passage.is_blank:
            passage.is_blank = False
            text = (passage.opening if passage.is_thought else "") + passage.text
        self._show(text if self._tagged or not passage.is_thought else "")

    def _tell_thought(self, text: str, *, is_first: bool) -> None:
        """Add to what `take_thoughts` returns. `is_first`: the text begins a passage."""
        self._thoughts.append("\n" + text.lstrip() if is_first and self._has_thoughts else text)
        self._has_thoughts = True

    def _show(self, text: str) -> None:
        self._added.append(text)

    def _shown(self, passage: _Passage) -> str:
        if passage.is_blank or (passage.is_thought and not self._tagged):
            return ""
        return f"{passage.opening}{passage.text}{passage.closing}"


def without_thoughts(text: str) -> str:
    """Return a whole answer of a model without its thoughts."""
    if _TAG.search(text) is None:
        return text
    reader = ThoughtReader(tagged=False)
    reader.feed(text)
    reader.finish()
    return reader.text


def _uncertain(text: str, start: int) -> int:
    """Return how many of the last characters from `start` on may begin a tag."""
    begin = text.rfind("<", max(start, len(text) - _LONGEST_TAG))
    rest = text[begin:].lower() if begin >= 0 else ""
    for name in ("<think", "</think"):
        if name.startswith(rest) or (rest.startswith(name) and rest[len(name)].isspace() and ">" not in rest):
            return len(rest)
    return 0


class _FenceTracker:
    """Follows a text and tells whether a code fence is open in it."""

    def __init__(self) -> None:
        self._was_open, self._line = False, ""

    @property
    def is_open(self) -> bool:
        """Whether what follows stands in a fence, or in the line that opens one."""
        return self._was_open ^ self._line.lstrip().startswith(_FENCES)

    def add(self, text: str) -> None:
        first, *others = text.split("\n")
        self._line += first[: max(0, _LINE_START - len(self._line))]
        for line in others:
            self._was_open, self._line = self.is_open, line[:_LINE_START]
