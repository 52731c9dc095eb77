"""Cut documents into segments for search.

A segment holds whole paragraphs of one heading and page. What is too large is cut between sentences, a table between
rows, and each part of a table repeats its head: a search finds parts alone, and they must be understood alone. A
segment of text begins with the last sentences of the one before, so that what is said across a cut can be found.
"""

import bisect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.providers.documents.document_texts import Passage

# In tokens as models count them, roughly. The overlap is what a segment repeats of the one before.
MOST_TOKENS = 500
OVERLAP_TOKENS = 50

_HEADING = re.compile(r"(#{1,6})[ \t]++(\S.*)")
_TABLE_CELL = re.compile(r":?-{2,}:?")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？；])|\n+")
_TOKENS = re.compile(
    r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff]"
    r"|[^\W_]{1,4}|[^\w\s]|_+"
)


@dataclass(frozen=True)
class Piece:
    """The content of a segment. `title`: its heading with those above it. `page`: from 1, None where there are none."""

    content: str
    page: int | None
    title: str | None


@dataclass(frozen=True)
class _Block:
    """A paragraph or table, with its headings. `head`: the first lines of a table, which each of its parts repeats."""

    text: str
    page: int | None
    title: str | None
    head: str = ""


def token_count(text: str) -> int:
    """Estimate the tokens of a text: one for a character of an unspaced script, for four letters, for a sign."""
    return sum(1 for _ in _TOKENS.finditer(text))


def segments(passages: Sequence[Passage], most: int = MOST_TOKENS, overlap: int = OVERLAP_TOKENS) -> list[Piece]:
    """Return the segments of a document, in order. None is empty, and none has more than about `most` tokens."""
    pieces: list[Piece] = []
    together: list[_Block] = []
    size = 0
    for block in _small_blocks(_blocks(passages), most, most - overlap):
        tokens = token_count(block.text)
        if together and (size + tokens > most or (block.title, block.page) != (together[-1].title, together[-1].page)):
            pieces.append(_piece(together))
            repeated = (
                _tail(together[-1], min(overlap, most - tokens))
                if block.title == together[-1].title and not block.head
                else ""
            )
            together, size = [_Block(repeated, block.page, block.title)] if repeated else [], token_count(repeated)
        together.append(block)
        size += tokens
    if together:
        pieces.append(_piece(together))
    return pieces


def _piece(blocks: Sequence[_Block]) -> Piece:
    last = blocks[-1]
    return Piece("\n\n".join(block.text for block in blocks), last.page, last.title)


def _tail(block: _Block, most: int) -> str:
    """Return the last sentences of a block, at most `most` tokens; none of a table, which repeats its head instead."""
    kept: list[str] = []
    for sentence in reversed([] if block.head else _sentences(block.text)):
        most -= token_count(sentence)
        if most < 0:
            break
        kept.insert(0, sentence)
    return "".join(kept).strip()


def _blocks(passages: Sequence[Passage]) -> Iterator[_Block]:
    """Yield paragraphs and tables. A heading is part of the first block under it."""
    headings: list[tuple[int, str]] = []
    for passage in passages:
        pending = ""
        for paragraph in _PARAGRAPH_END.split(passage.text.replace("\r\n", "\n").replace("\x00", "")):
            lines = paragraph.strip("\n").split("\n")
            while lines and (heading := _heading(lines[0])):
                headings = [*(known for known in headings if known[0] < heading[0]), heading]
                pending = f"{pending}\n\n{lines[0]}".strip()
                lines = lines[1:]
            text = "\n".join(lines).strip()
            if text:
                title = " › ".join(name for _, name in headings) or None
                head = "\n".join(lines[:2]) if len(lines) > 1 and "|" in lines[0] and _is_table_rule(lines[1]) else ""
                yield _Block(f"{pending}\n\n{text}" if pending else text, passage.page, title, head)
                pending = ""
        if pending:
            yield _Block(pending, passage.page, " › ".join(name for _, name in headings) or None)


def _heading(line: str) -> tuple[int, str] | None:
    """Return the level and the text of a heading, None where a line is none."""
    match = _HEADING.fullmatch(line)
    return None if match is None else (len(match[1]), match[2].rstrip(" \t#") or match[2][:1])


def _is_table_rule(line: str) -> bool:
    """Return whether a line parts a table's head from its rows."""
    cells = line.strip(" \t").removeprefix("|").removesuffix("|").split("|")
    return all(_TABLE_CELL.fullmatch(cell.strip(" \t")) for cell in cells)


def _small_blocks(blocks: Iterator[_Block], most: int, most_of_cut: int) -> Iterator[_Block]:
    """Yield blocks of at most `most` tokens. Cut text gets `most_of_cut`, which leaves room for the overlap."""
    for block in blocks:
        if token_count(block.text) <= most:
            yield block
        elif block.head:
            yield from _parts_of_table(block, most)
        else:
            for text in _packed(_sentences(block.text), most_of_cut):
                yield _Block(text, block.page, block.title)


def _parts_of_table(block: _Block, most: int) -> Iterator[_Block]:
    before, _, rows = block.text.partition(block.head)
    room = most - token_count(block.head)
    if room < most // 4:
        # A head this large would fill each part, so the table is cut like text.
        for text in _packed(_sentences(block.text), most):
            yield _Block(text, block.page, block.title)
        return
    for number, text in enumerate(_packed([f"{row}\n" for row in rows.strip("\n").split("\n")], room)):
        yield _Block(f"{before if number == 0 else ''}{block.head}\n{text}", block.page, block.title, block.head)


def _sentences(text: str) -> list[str]:
    """Split a text into sentences and lines, which joined are the text again."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True) if start < end]


def _packed(parts: Sequence[str], most: int) -> Iterator[str]:
    """Join parts to texts of at most `most` tokens. A part that is larger alone is cut between tokens."""
    joined, size = "", 0
    for part in parts:
        for bit in _cut(part, most):
            tokens = token_count(bit)
            if joined and size + tokens > most:
                if joined.strip():
                    yield joined.strip()
                joined, size = "", 0
            joined += bit
            size += tokens
    if joined.strip():
        yield joined.strip()


def _cut(part: str, most: int) -> Iterator[str]:
    starts = [match.start() for match in _TOKENS.finditer(part)]
    if len(starts) <= most:
        yield part
        return
    start = 0
    while start < len(part):
        number = bisect.bisect_left(starts, start)
        limit = starts[number + most] if number + most < len(starts) else len(part)
        blank = part.rfind(" ", start, limit) + 1
        end = blank if blank > start and limit < len(part) else limit
        yield part[start:end]
        start = end
