"""Read Markdown as a flat list of blocks: what a document shows, from top to bottom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Called again and again by long work; raises what ends the work.
Check = Callable[[], None]


@dataclass(frozen=True)
class Span:
    """A piece of a line. `link`: where it leads, empty for nowhere."""

    text: str
    bold: bool = False
    italic: bool = False
    struck: bool = False
    code: bool = False
    link: str = ""


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Block:
    """One block. `kind`: heading, paragraph, item, code, rule or table.

    `level`: 1 to 6 of a heading; how deep an item lies, from 1. `mark`: an item's, such as `•` or `2.`. `quoted`: how
    many quotes are around it. `rows`: a table's, the first one its headings. `language`: a code block's.
    """

    kind: str
    spans: Spans = ()
    level: int = 0
    mark: str = ""
    quoted: int = 0
    language: str = ""
    rows: tuple[tuple[Spans, ...], ...] = ()

    @property
    def text(self) -> str:
        """The block's words alone."""
        return plain(self.spans)


@dataclass
class _Reading:
    blocks: list[Block] = field(default_factory=list)
    # Of each list around: its next number, None for bullets.
    lists: list[int | None] = field(default_factory=list)
    quoted: int = 0
    mark: str = ""
    heading: int = 0
    rows: list[list[Spans]] | None = None


def read_markdown(text: str, check: Check = lambda: None) -> list[Block]:
    """Return the blocks of a Markdown text. A text that is one code fence of Markdown is read without the fence."""
    state = _Reading()
    for token in parser(check).parse(unfenced(text)):
        check()
        _take(token, state)
    return state.blocks


def parser(check: Check = lambda: None) -> MarkdownIt:
    """Return the parser: CommonMark with tables and strike-through, HTML as plain text."""

    def ask(*_: object) -> bool:
        check()
        return False

    markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
    # Rules that fit nowhere: the parser asks them first, at each block and at each piece of a line.
    markdown.block.ruler.before("table", "check", ask)
    markdown.inline.ruler.before("text", "check", ask)
    return markdown


def unfenced(text: str) -> str:
    """Return a text without a fence of ``` around all of it, which models put around Markdown."""
    lines = text.strip().split("\n")
    fenced = (
        len(lines) > 2 and lines[0].strip().lower() in ("```markdown", "```md", "```") and lines[-1].strip() == "```"
    )
    return "\n".join(lines[1:-1]) if fenced and not any("```" in line for line in lines[1:-1]) else text


def plain(spans: Sequence[Span]) -> str:
    """Return the words of spans."""
    return "".join(span.text for span in spans)


def tables(blocks: Sequence[Block]) -> list[list[list[str]]]:
    """Return the tables of a text as rows of plain cells."""
    return [[[plain(cell).strip() for cell in row] for row in block.rows] for block in blocks if block.kind == "table"]


def _take(token: Token, state: _Reading) -> None:
    kind = token.type
    if kind in ("blockquote_open", "blockquote_close"):
        state.quoted += 1 if kind.endswith("open") else -1
    elif kind == "heading_open":
        state.heading = int(token.tag[1:])
    elif kind == "heading_close":
        state.heading = 0
    elif kind == "inline":
        _take_line(_spans(token.children or []), state)
    elif kind in ("fence", "code_block"):
        spans = (Span(token.content.rstrip("\n"), code=True),)
        state.blocks.append(Block("code", spans, quoted=state.quoted, language=token.info.strip()))
    elif kind == "hr":
        state.blocks.append(Block("rule"))
    elif "list" in kind:
        _take_list(token, state)
    else:
        _take_table(kind, state)


def _take_list(token: Token, state: _Reading) -> None:
    kind = token.type
    if kind in ("bullet_list_open", "ordered_list_open"):
        first = token.attrGet("start")
        state.lists.append(None if kind[0] == "b" else int(first) if first is not None else 1)
    elif kind in ("bullet_list_close", "ordered_list_close"):
        state.lists.pop()
    elif kind == "list_item_open":
        number = state.lists[-1]
        state.mark = "•" if number is None else f"{number}."
        state.lists[-1] = None if number is None else number + 1


def _take_table(kind: str, state: _Reading) -> None:
    if kind == "table_open":
        state.rows = []
    elif kind == "tr_open" and state.rows is not None:
        state.rows.append([])
    elif kind == "table_close" and state.rows:
        width = len(state.rows[0])
        rows = tuple(tuple([*row, *[()] * width][:width]) for row in state.rows)
        state.blocks.append(Block("table", rows=rows, quoted=state.quoted))
        state.rows = None


def _take_line(spans: Spans, state: _Reading) -> None:
    if state.rows is not None:
        state.rows[-1].append(spans)
    elif state.heading:
        state.blocks.append(Block("heading", spans, state.heading, quoted=state.quoted))
    elif state.lists:
        # A further paragraph of an item has no mark.
        state.blocks.append(Block("item", spans, len(state.lists), state.mark, state.quoted))
        state.mark = ""
    else:
        state.blocks.append(Block("paragraph", spans, quoted=state.quoted))


def _spans(tokens: Sequence[Token]) -> Spans:
    spans: list[Span] = []
    bold = italic = struck = 0
    links: list[str] = []
    for token in tokens:
        kind, step = token.type, 1 if token.type.endswith("_open") else -1
        if kind.startswith("strong_"):
            bold += step
        elif kind.startswith("em_"):
            italic += step
        elif kind.startswith("s_"):
            struck += step
        elif kind == "link_open":
            links.append(str(token.attrGet("href") or ""))
        elif kind == "link_close":
            links.pop()
        else:
            text = "\n" if kind == "hardbreak" else " " if kind == "softbreak" else token.content
            link = links[-1] if links else ""
            if kind == "image":
                link = link or str(token.attrGet("src") or "")
                text = text or link
            if text:
                spans.append(Span(text, bold > 0, italic > 0, struck > 0, kind == "code_inline", link))
    return tuple(spans)
