"""Runs a graph (contract dsl.md §3.6): what is ready runs, in threads where several are; every end is kept in the journal.

A run that another worker has begun is gone through again from the journal, without doing anything twice.
"""

import itertools
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.providers.cancellation import Cancellation, Cancelled
from app.workflow.contracts.events import Event, TextReplaced, TextStreamed
from app.workflow.contracts.node_services import ExecutionJournal, NodeServices, RecordedEnd
from app.workflow.engine import work_sharing
from app.workflow.engine.frame import Frame, Scope
from app.workflow.engine.graph import Graph
from app.workflow.engine.text_stream import TextStream
from app.workflow.failures import GraphRunFailed, Pause, RunPaused, RunTimedOut
from app.workflow.values.variables import Selector, Variables

SUCCEEDED, PARTIAL, FAILED, STOPPED, PAUSED = "succeeded", "partial-succeeded", "failed", "stopped", "paused"


@dataclass(frozen=True)
class RunEnd:
    """How a run came to rest. `outputs` of the end nodes, or `answer` and `files` of the answer nodes."""

    status: str
    outputs: Mapping[str, Any]
    error: str | None
    exceptions: int
    total_tokens: int
    steps: int
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True)
class RunContext:
    """What a run is given. `deadline` in monotonic seconds; `begun`: another worker or an earlier pause left a journal."""

    run_id: uuid.UUID
    services: NodeServices
    journal: ExecutionJournal
    cancellation: Cancellation
    deadline: float
    most_steps: int = 500
    most_seconds: float = 1200.0
    begun: bool = False
    spawn: work_sharing.Spawn = work_sharing.spawn


class GraphRun:
    """One run of a graph. `emit` receives the events one after another, from several threads."""

    def __init__(self, graph: Graph, variables: Variables, context: RunContext, emit: Callable[[Event], None]) -> None:
        self.graph, self.context = graph, context
        self.indexes = itertools.count(context.journal.last_index + 1)
        self.exceptions = self.total_tokens = self.steps = 0
        self._variables, self._emit = variables, emit
        # Of events, of the text stream and of the counts: what a visitor sees has one order.
        self.lock = threading.RLock()
        self._replaying = context.begun
        self._replayed: list[str] = []
        self._outputs: dict[str, Any] = {}
        self._answers: list[str] = []
        self._files: list[Any] = []
        self.text = TextStream(graph.outline, variables, self._say)

    def run(self) -> RunEnd:
        """To its end, or to where it has to wait. Raises what is no failure of the graph: our own faults, the journal's."""
        frame = Frame(self, Scope(self.graph.top, "", self._variables), self.context.cancellation)
        try:
            if self._replaying:
                frame.replay()
                self._go_on()
            frame.play()
        except Cancelled:
            return self._end(STOPPED, None)
        except RunPaused as pause:
            return self._end(PAUSED, None, pause.pauses)
        except GraphRunFailed as failure:
            return self._end(FAILED, str(failure))
        with self.lock:
            self.text.close()
        return self._end(PARTIAL if self.exceptions else SUCCEEDED, None)

    def emit(self, event: Event) -> None:
        with self.lock:
            self._emit(event)

    def identify(self, place: str) -> str:
        """The id of a node's run: the same whenever the run is gone through again."""
        return str(uuid.uuid5(self.context.run_id, place))

    def time_is_up(self) -> RunTimedOut:
        return RunTimedOut(f"Run failed: it took longer than {self.context.most_seconds:g} seconds.")

    def is_answer(self, past: RecordedEnd) -> bool:
        return any(
            past.node_id in plan.nodes and plan.nodes[past.node_id].kind == "answer"
            for plan in self.graph.plans.values()
        )

    def count(self, exceptions: int, tokens: int, steps: int = 0) -> None:
        with self.lock:
            self.exceptions += exceptions
            self.total_tokens += tokens
            self.steps += steps

    def answered(self, text: str, files: Sequence[Any]) -> None:
        with self.lock:
            self._answers.append(text)
            self._files += files

    def reached_end(self, outputs: Mapping[str, Any]) -> None:
        with self.lock:
            self._outputs |= outputs

    def _say(self, text: str, selector: Selector) -> None:
        if self._replaying:
            self._replayed.append(text)
        elif text:
            self._emit(TextStreamed(text, selector))

    def _go_on(self) -> None:
        with self.lock:
            self._replaying = False
            self._emit(TextReplaced("".join(self._replayed)))

    def _end(self, status: str, error: str | None, pauses: tuple[Pause, ...] = ()) -> RunEnd:
        self.context.journal.save()
        speaks = any(node.kind == "answer" for node in self.graph.nodes())
        outputs = {"answer": "".join(self._answers), "files": self._files} if speaks else self._outputs
        return RunEnd(status, outputs, error, self.exceptions, self.total_tokens, self.steps, pauses)
