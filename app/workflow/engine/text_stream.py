"""The text of a run as the end user reads it while the run goes on (contract streaming.md §4.5).

Answer nodes in chatflows and end nodes in workflows are the *producers* of text: their templates are lists of literal
texts and variables. The stream emits one producer's text after the other, and of each as much as is known:

- A producer joins the queue once it is certain to run, whatever the branching nodes between choose. Its first literals
  can be read long before it runs; text of a branch that may yet be skipped must never be read.
- Only the first producer in the queue emits. It ends when all its parts are emitted, and the next one's turn comes.
- A literal is emitted at once. A variable is emitted piece by piece while its node streams it, or as a whole when its
  node has ended; the producer waits for it meanwhile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.providers.models.thoughts import TextChange
from app.workflow.values.values import markdown_of
from app.workflow.values.variables import ALIASES, MISSING, Selector, Variables

# Variables of these do not change during a run.
CONSTANT = ("sys", "env")
Emit = Callable[[str, Selector, int], None]


@dataclass(frozen=True)
class TextProducer:
    """A node whose text is streamed. `parts` None: a container, which passes on the texts of answer nodes inside it."""

    node_id: str
    parts: tuple[str | Selector, ...] | None


@dataclass(frozen=True)
class Outline:
    """The producers of a graph's top level, by node id in topological order.

    `certain`: by node id, the producers that are certain to run once that node is reached. `node_ids`: all nodes.
    """

    producers: Mapping[str, TextProducer]
    certain: Mapping[str, tuple[str, ...]]
    node_ids: frozenset[str]


@dataclass
class _QueuedProducer:
    """A producer in the queue. `position`: its next part; `inner`: texts from inside a container, not emitted yet."""

    producer: TextProducer
    position: int = 0
    inner: list[tuple[str, Selector]] = field(default_factory=list)


class TextStream:
    """Orders the pieces of a run's text. All methods are called under the run's lock.

    `emit` receives each piece, its source, and how many of the last characters of the text are taken back before it.
    """

    def __init__(self, outline: Outline, variables: Variables, emit: Emit) -> None:
        self._outline, self._variables, self._emit = outline, variables, emit
        self._queue: list[_QueuedProducer] = []
        self._queued_ids: set[str] = set()
        # Nodes that have ended or are skipped: their variables will not change any more.
        self._decided: set[str] = set()
        # Streamed pieces whose producer's turn has not come, by variable.
        self._held_back: dict[Selector, list[str]] = {}
        # Variables of which pieces were streamed: their whole value must not be emitted as well.
        self._streamed: set[Selector] = set()

    def reach(self, node_id: str) -> None:
        """Take note that a node will run: an edge to it is taken."""
        for producer_id in self._outline.certain.get(node_id, ()):
            if producer_id not in self._queued_ids:
                self._queued_ids.add(producer_id)
                self._queue.append(_QueuedProducer(self._outline.producers[producer_id]))
        self._advance()

    def add(self, selector: Selector, change: TextChange) -> None:
        """Change the text of a variable that its node streams."""
        self._streamed.add(selector)
        removed = change.removed
        if removed and selector in self._held_back:
            held_back = "".join(self._held_back[selector])
            self._held_back[selector] = [held_back[: max(0, len(held_back) - removed)]]
            removed = max(0, removed - len(held_back))
        if removed:
            # Emitted already, so it ends the text: its producer's turn lasts until the node has ended.
            self._emit(change.text, selector, removed)
        else:
            self._held_back.setdefault(selector, []).append(change.text)
            self._advance()

    def add_inner(self, container_id: str, pieces: list[tuple[str, Selector]]) -> None:
        """Add texts of answer nodes inside a container; `container_id`: the outermost one."""
        for queued in self._queue:
            if queued.producer.node_id == container_id:
                queued.inner += pieces
        self._advance()

    def decide(self, node_id: str, outputs_replaced: bool = False) -> None:
        """Take note that a node has ended or is skipped.

        `outputs_replaced`: it failed, and its outputs are those of its error strategy. They are emitted as a whole,
        behind the pieces that it streamed before it failed, which stay (contract dsl.md §3.6, rule 7).
        """
        self._decided.add(node_id)
        if outputs_replaced:
            self._streamed = {selector for selector in self._streamed if selector[0] != node_id}
        self._advance()

    def close(self) -> None:
        """Emit the rest: the run has ended, so variables without a value get none any more and count as empty."""
        self._decided |= self._outline.node_ids
        self._advance()

    def _advance(self) -> None:
        while self._queue and self._emit_known(self._queue[0]):
            self._queue.pop(0)

    def _emit_known(self, queued: _QueuedProducer) -> bool:
        """Emit as much of a producer's text as is known. Return whether that is all of it."""
        producer_id, parts = queued.producer.node_id, queued.producer.parts
        if parts is None:
            for piece, selector in queued.inner:
                self._emit(piece, selector, 0)
            queued.inner.clear()
            return producer_id in self._decided
        while queued.position < len(parts):
            part = parts[queued.position]
            if isinstance(part, str):
                self._emit(part, (producer_id, "answer"), 0)
            elif not self._emit_variable(part, producer_id):
                return False
            queued.position += 1
        return True

    def _emit_variable(self, selector: Selector, producer_id: str) -> bool:
        """Emit what is known of a variable. Return whether that is all of it."""
        held_back = self._held_back.pop(selector, None)
        if held_back:
            self._emit("".join(held_back), selector, 0)
        if not self._is_final(selector, producer_id):
            return False
        if selector in self._streamed:
            # Its pieces are out. Where the variable is named again, all of it is emitted at once.
            self._streamed.discard(selector)
        else:
            value = self._variables.get(selector)
            text = "" if value is MISSING else markdown_of(value)
            if text:
                self._emit(text, selector, 0)
        return True

    def _is_final(self, selector: Selector, producer_id: str) -> bool:
        """Return whether a variable has the value that the producer shows."""
        source = ALIASES.get(selector[0], selector[0])
        if source in CONSTANT:
            return True
        if source in self._outline.node_ids:
            return source in self._decided
        # Conversation variables may be assigned until the producer itself has run.
        return producer_id in self._decided
