"""Reads the answers of the strategy `react`. Models keep to its form loosely: what can be understood is accepted.

An action is JSON in a code fence, bare JSON, or a line `Action:` with a line `Action Input:` below; an answer stands
behind `Final Answer:`, or has no marks. Thoughts in think tags are neither. Each character is looked at a fixed number
of times, while the text grows and again at its end.
"""

import re
from typing import Any

import orjson

from app.agents.function_call import UNNAMED
from app.agents.steps import ToolCall
from app.agents.strategies import RoundReply
from app.providers.models.answer_endings import is_out_of_tokens
from app.providers.models.chat_types import Chunk
from app.providers.models.json_answers import FoundJson, found_values
from app.providers.models.thoughts import TextChange, ThoughtReader

FINAL = "final answer"
# Behind a brace or an action's input, the words of the final answer may be part of the action; the end decides.
_MARK = re.compile(r"final answer|action input|\{", re.IGNORECASE | re.ASCII)
_FINAL = re.compile(FINAL, re.IGNORECASE | re.ASCII)
_LONGEST_MARK = len(FINAL)
_INPUT = re.compile(r"action input[ \t]{0,9}:", re.IGNORECASE | re.ASCII)
# The action before its input: looked for in so many characters alone.
_ACTION_REACH = 300
_ACTION = re.compile(r"action[ \t]{0,9}:\s{0,9}([^\n]{1,100})\n\s{0,50}\Z", re.IGNORECASE | re.ASCII)
_BEGUN = re.compile(
    r"action[ \t]{0,9}:[ \t]{0,9}([^\n]{0,100})(?:\n\s{0,50}+(?:act[a-z \t]{0,20}+|`{1,3}+[a-z]{0,10}+))?+\s{0,50}\Z",
    re.IGNORECASE | re.ASCII,
)
_OBSERVATION = re.compile(r"\nobservation:", re.IGNORECASE | re.ASCII)
_AROUND_NAMES = " \t\r`\"'*[]"


class ReactReader:
    """Reads one answer. Only the text behind "Final Answer:" is shown, as it arrives (implements `ReplyReader`).

    Text without that mark is held back until the end, when it is known whether it calls a tool.
    """

    def __init__(self, position: int) -> None:
        self._position = position
        self._thoughts = ThoughtReader(tagged=False)
        self._finish_reason = ""
        self._start_over()

    def _start_over(self) -> None:
        self._pieces: list[str] = []
        self._mark = _FinalMark()
        self._shown = 0

    def feed(self, chunk: Chunk) -> TextChange:
        self._finish_reason = chunk.finish_reason or self._finish_reason
        return self._take(self._thoughts.feed(chunk.text.replace("\0", ""), chunk.reasoning.replace("\0", "")))

    def finish(self) -> tuple[RoundReply, TextChange]:
        last = self._take(self._thoughts.finish())
        text = "".join(self._pieces)
        if self._mark.is_found:
            return RoundReply(text[len(text) - self._shown :], []), last
        reply = _Reply(text, is_out_of_tokens(self._finish_reason)).read(self._position)
        # Nothing is shown of a call.
        return reply, last if reply.calls else TextChange(reply.thought, last.removed)

    def _take(self, change: TextChange) -> TextChange:
        """Read what the thoughts left; return what can be shown now."""
        removed, text = 0, change.text
        if change.removed:
            # What came so far were thoughts, so any mark in it was none.
            kept = "".join(self._pieces)
            text, removed = kept[: len(kept) - change.removed] + text, self._shown
            self._start_over()
        self._pieces.append(text)
        fresh = self._mark.feed(text)
        self._shown += len(fresh)
        return TextChange(fresh, removed)


class _FinalMark:
    """Looks for the words of the final answer in a growing text, unless a brace or an action's input comes first."""

    def __init__(self) -> None:
        self.is_found = self._is_held = False
        self._rest = ""
        # Once the words were read: what has to follow them.
        self._awaits = ""

    def feed(self, text: str) -> str:
        """Add to the text; return what is known to belong to the answer."""
        if self.is_found:
            return text
        text, self._rest, at = self._rest + text, "", 0
        while not self._is_held:
            if self._awaits:
                at = _behind_blanks(text, at)
                if at == len(text):
                    return ""
                if self._awaits == "answer":
                    self.is_found = True
                    return text[at:]
                self._awaits = "answer" if text[at] == ":" else ""
                at += text[at] == ":"
                continue
            mark = _MARK.search(text, at)
            if mark is None:
                self._rest = text[max(at, len(text) - _LONGEST_MARK + 1) :]
                return ""
            self._is_held, self._awaits, at = mark[0].lower() != FINAL, ":", mark.end()
        return ""


class _Reply:
    """A whole answer without its thoughts. `is_cut`: the model reached its limit of tokens."""

    def __init__(self, text: str, is_cut: bool) -> None:
        self._text, self._is_cut = text, is_cut

    def read(self, position: int) -> RoundReply:
        """Return what the answer is. The action that comes first counts; none behind the final answer does."""
        answer_start = _final_answer(self._text)
        found = self._by_lines(answer_start) or self._by_json(answer_start) or self._begun()
        if found is None:
            answer = self._text[answer_start:].strip() if answer_start else _without_head(self._text.strip())
            return RoundReply(answer, [])
        call, start, end = found
        call.id = f"call_{position}_0"
        if call.name.lower() == FINAL:
            return RoundReply("" if call.arguments == "{}" else call.arguments, [])
        return RoundReply(_thought(self._text[:start]), [call], self._text[:end].strip())

    def _by_lines(self, answer_start: int) -> tuple[ToolCall, int, int] | None:
        """Return the call in lines of `Action:` and `Action Input:`, its start and its end."""
        for mark in _INPUT.finditer(self._text):
            if answer_start and mark.start() > answer_start:
                return None
            reach = max(0, mark.start() - _ACTION_REACH)
            action = _ACTION.search(self._text[reach : mark.start()])
            # A fence or a brace: the action is JSON, and these words stand in it.
            if action is None or action[1].lstrip().startswith(("{", "```")):
                continue
            name = action[1].strip(_AROUND_NAMES) or UNNAMED
            arguments, end, is_cut = self._input(mark.end())
            return ToolCall("", name, arguments, is_cut=is_cut), reach + action.start(), end
        return None

    def _input(self, start: int) -> tuple[str, int, bool]:
        """Return an action's input, its end, and whether it is cut: JSON, or the text before an observation."""
        observation = _OBSERVATION.search(self._text, start)
        end = len(self._text) if observation is None else observation.start()
        written = self._text[start:end]
        found = next(found_values(written), None)
        if found is not None and written[: found.start].strip(" \t\r\n`").lower() in ("", "json"):
            whole = isinstance(found.value, dict) and not found.is_cut
            return (orjson.dumps(found.value).decode() if whole else written.strip()), start + found.end, found.is_cut
        return written.strip().strip("`").strip(), end, self._is_cut and end == len(self._text)

    def _by_json(self, answer_start: int) -> tuple[ToolCall, int, int] | None:
        """Return the call in a JSON object with `action`, its start and its end."""
        for found in found_values(self._text):
            if answer_start and found.start > answer_start:
                return None
            action = _action(found)
            if action is not None and isinstance(action.get("action"), str):
                given = action.get("action_input", action.get("input", {}))
                written = given if isinstance(given, str) else orjson.dumps({} if given is None else given).decode()
                name = action["action"].strip() or UNNAMED
                return ToolCall("", name, written, is_cut=found.is_cut), found.start, self._behind(found)
            before = _before_fence(self._text[: found.start].strip())
            if found.is_cut and _before_action(before) != before:
                # Announced by `Action:`, and over before its name.
                return ToolCall("", UNNAMED, "", is_cut=True), found.start, found.end
        return None

    def _begun(self) -> tuple[ToolCall, int, int] | None:
        """Return the call of which an answer that reached its limit has only the announcement."""
        reach = max(0, len(self._text) - _ACTION_REACH)
        begun = _BEGUN.search(self._text[reach:]) if self._is_cut else None
        if begun is None:
            return None
        name = begun[1].strip(_AROUND_NAMES) or UNNAMED
        return ToolCall("", name, "", is_cut=True), reach + begun.start(), len(self._text)

    def _behind(self, found: FoundJson) -> int:
        """Return the end of an action: behind its fence, where it stands in one."""
        rest = self._text[found.end : found.end + 10]
        blanks = len(rest) - len(rest.lstrip())
        return found.end + blanks + 3 if found.fenced and rest.lstrip().startswith("```") else found.end


def _action(found: FoundJson) -> dict[str, Any] | None:
    value = found.value[0] if isinstance(found.value, list) and found.value else found.value
    return value if isinstance(value, dict) else None


def _final_answer(text: str) -> int:
    """Return where the text behind the first "Final Answer:" begins, 0 without one."""
    for mark in _FINAL.finditer(text):
        colon = _behind_blanks(text, mark.end())
        if text.startswith(":", colon):
            return colon + 1
    return 0


def _behind_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _thought(before: str) -> str:
    """Return the thought before an action, without the words that announce the action."""
    return _without_head(_before_action(_before_fence(before.strip())).rstrip())


def _before_fence(text: str) -> str:
    head, fence, language = text.rpartition("```")
    return head.rstrip() if fence and len(language) < 20 and "\n" not in language.strip() else text


def _before_action(text: str) -> str:
    head = text[:-1].rstrip() if text.endswith(":") else ""
    return head[: -len("action")] if head.lower().endswith("action") else text


def _without_head(text: str) -> str:
    """Return a text without the `Thought:` that it begins with."""
    if text[: len("thought")].lower() == "thought" and (rest := text[len("thought") :].lstrip()).startswith(":"):
        return rest[1:].lstrip()
    return text
