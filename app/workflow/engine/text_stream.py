"""The text that a visitor reads while a run goes on, in the order of the templates (contract streaming.md §4.5).

Answer and end nodes name texts and variables. A node's text begins once no open branch can avoid the node,
one node after the other; a variable is said piece by piece while its node streams it, else at once when it is known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.workflow.values.values import markdown_of
from app.workflow.values.variables import ALIASES, MISSING, Selector, Variables

CONSTANT = ("sys", "env")
Say = Callable[[str, Selector], None]


@dataclass(frozen=True)
class TextProducer:
    """A node whose text is streamed; a container that has such nodes inside speaks with `parts` None."""

    node_id: str
    parts: tuple[str | Selector, ...] | None


@dataclass(frozen=True)
class Outline:
    """Who speaks in a graph. `speakers` in topological order; `assured`: which of them follow for sure once a node is reached."""

    speakers: Mapping[str, TextProducer]
    assured: Mapping[str, tuple[str, ...]]
    node_ids: frozenset[str]


@dataclass
class _Session:
    speaker: TextProducer
    position: int = 0
    inner: list[tuple[str, Selector]] = field(default_factory=list)


class TextStream:
    """Called under one lock. `say` receives each piece with where it comes from."""

    def __init__(self, outline: Outline, variables: Variables, say: Say) -> None:
        self._outline, self._variables, self._say = outline, variables, say
        self._open: list[_Session] = []
        self._opened: set[str] = set()
        self._decided: set[str] = set()
        self._waiting: dict[Selector, list[str]] = {}
        self._streamed: set[Selector] = set()

    def reach(self, node_id: str) -> None:
        """The node will run."""
        for speaker_id in self._outline.assured.get(node_id, ()):
            if speaker_id not in self._opened:
                self._opened.add(speaker_id)
                self._open.append(_Session(self._outline.speakers[speaker_id]))
        self._advance()

    def add(self, selector: Selector, piece: str) -> None:
        """A variable grows."""
        self._streamed.add(selector)
        self._waiting.setdefault(selector, []).append(piece)
        self._advance()

    def add_inner(self, container_id: str, pieces: list[tuple[str, Selector]]) -> None:
        """An answer node inside a container has spoken."""
        for session in self._open:
            if session.speaker.node_id == container_id:
                session.inner += pieces
        self._advance()

    def decide(self, node_id: str, restream: bool = False) -> None:
        """The node has ended or is skipped. `restream`: what it streamed is not what it gives (a default value)."""
        self._decided.add(node_id)
        if restream:
            self._streamed = {selector for selector in self._streamed if selector[0] != node_id}
        self._advance()

    def close(self) -> None:
        """Say what is left; what has no value by now has none."""
        self._decided |= self._outline.node_ids
        self._advance()

    def _advance(self) -> None:
        while self._open and self._finish(self._open[0]):
            self._open.pop(0)

    def _finish(self, session: _Session) -> bool:
        """Say as much of a session as is known; whether it is over."""
        parts = session.speaker.parts
        if parts is None:
            for piece, selector in session.inner:
                self._say(piece, selector)
            session.inner.clear()
            return session.speaker.node_id in self._decided
        while session.position < len(parts):
            part = parts[session.position]
            if isinstance(part, str):
                self._say(part, (session.speaker.node_id, "answer"))
            elif not self._tell(part, session.speaker.node_id):
                return False
            session.position += 1
        return True

    def _tell(self, selector: Selector, speaker_id: str) -> bool:
        """Say what is known of a variable; whether that was all."""
        waiting = self._waiting.pop(selector, None)
        if waiting:
            self._say("".join(waiting), selector)
        if not self._is_settled(selector, speaker_id):
            return False
        if selector not in self._streamed:
            value = self._variables.get(selector)
            text = "" if value is MISSING else markdown_of(value)
            if text:
                self._say(text, selector)
        return True

    def _is_settled(self, selector: Selector, speaker_id: str) -> bool:
        source = ALIASES.get(selector[0], selector[0])
        if source in CONSTANT:
            return True
        if source in self._outline.node_ids:
            return source in self._decided
        # Conversation variables change until the node itself is there.
        return speaker_id in self._decided
