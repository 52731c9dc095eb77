"""Turns the Markdown of an answer into what a voice can say: words, without signs, addresses, code and emoji."""

import html
import re

_FENCES = ("```", "~~~")
# What a line begins with: quotations, headings, list items, boxes to tick.
_LINE_START = re.compile(
    r"[ \t]{0,40}+(?:>[ \t]{0,4}+){0,8}+(?:#{1,6}+(?=\s|$)|[-*+•](?=\s)(?:\s{1,4}+\[[ xX]\])?+)?+\s{0,4}+"
)
_TABLE_RULE = re.compile(r"[ \t|:+=-]*+")
_TARGET = r"\([^()\n]{0,1000}+(?:\([^()\n]{0,200}+\)[^()\n]{0,1000}+)?+\)"
_LINK = re.compile(rf"!?\[([^\[\]\n]{{0,500}}+)\]{_TARGET}")
_REFERENCE = re.compile(r"!?\[(?!\^?[0-9]{1,3}\])([^\[\]\n]{1,500}+)\]\[[^\[\]\n]{0,100}+\]")
# The rest of a link whose words are cut between two sentences.
_LINK_END = re.compile(rf"\]{_TARGET}")
_NOTE = re.compile(r"\[\^?[0-9]{1,3}+\](?!\()")
_ADDRESS = re.compile(r"<?\bhttps?://(?:www\.)?([^\s<>()\[\]\"'`*|/]{1,200})[^\s<>()\[\]\"'`*|]{0,2000}+>?")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,300}+>")
_TIMES = re.compile(r"(?<=[0-9)])[ \t]{0,3}\\?\*[ \t]{0,3}(?=[0-9(])")
_CELL_END = re.compile(r"[ \t]{0,20}+\|[ \t|]{0,20}+")
_SIGNS = re.compile(r"\*+|`+|~~+|\$\$|\\(?=[^\w\s])|(?<!\w)_+|_+(?!\w)")
_INNER_LINE = re.compile(r"(?<=\w)_+(?=\w)")
_PICTURES = "\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_EMOJI = re.compile(f"[{_PICTURES}\ufe0f\u20e3\U000e0020-\U000e007f](?:\u200d(?=[{_PICTURES}]))?")
_BLANKS = re.compile(r"[ \t]{2,}+")


class SpokenText:
    """Takes an answer piece by piece, each cut behind a sentence or a line, and gives back what to say of it.

    `with_code`: what stands in fences is said, too.
    """

    def __init__(self, *, with_code: bool = False) -> None:
        self._with_code = with_code
        self._begins_line, self._in_code = True, False

    def plain(self, piece: str) -> str:
        """Return the words of the next piece."""
        said = []
        for line in piece.splitlines(keepends=True):
            begins, self._begins_line = self._begins_line, line.endswith("\n")
            if begins and line.lstrip().startswith(_FENCES):
                self._in_code = not self._in_code
            elif self._with_code or not self._in_code:
                said.append(_words(line.rstrip("\r\n"), begins))
        return "\n".join(filter(None, said)).strip()


def _words(line: str, begins: bool) -> str:
    """Return the words of a line, or of a part of one where it does not `begin` it."""
    if begins:
        if _TABLE_RULE.fullmatch(line):
            return ""
        start = _LINE_START.match(line)
        line = line[start.end() :] if start is not None else line
        line = line.strip().removeprefix("|").removesuffix("|").strip() if line.lstrip().startswith("|") else line
    # A picture may be the words of a link.
    line = _LINK_END.sub("]", _LINK.sub(r"\1", _LINK.sub(r"\1", line)))
    line = _NOTE.sub("", _REFERENCE.sub(r"\1", line))
    if line.count("[") != line.count("]"):
        line = line.replace("[", "").replace("]", "")
    line = _ADDRESS.sub(r"\1", line)
    line = html.unescape(_TAG.sub(" ", line))
    line = _SIGNS.sub("", _CELL_END.sub(", ", _TIMES.sub(" × ", line)))
    line = _EMOJI.sub("", _INNER_LINE.sub(" ", line))
    return _BLANKS.sub(" ", line).strip()
