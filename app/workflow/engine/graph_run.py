"""Runs a graph, or continues a run from its journal (contract dsl.md §3.6).

The journal records how each node execution ended. A run that an earlier worker began, or that paused, is replayed: the
recorded ends are applied without running their nodes, then the nodes behind them run.
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
    """How a run ended or paused. `outputs`: those of its end nodes, or `answer` and `files` of its answer nodes.

    `exceptions`: failed attempts of nodes; `steps`: node executions; `pauses`: what a paused run waits for.
    """

    status: str
    outputs: Mapping[str, Any]
    error: str | None
    exceptions: int
    total_tokens: int
    steps: int
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True)
class RunContext:
    """The services and limits of a run. `deadline` in monotonic seconds; `spawn` runs helpers in other threads.

    `begun`: there may be a journal to replay, of an earlier worker or from before a pause. `most_steps`: node
    executions in one frame; `most_seconds`: the time limit from which `deadline` was made, for messages.
    """

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
    """One run of a graph. `emit` is called with the events one after another, from several threads."""

    def __init__(self, graph: Graph, variables: Variables, context: RunContext, emit: Callable[[Event], None]) -> None:
        self.graph, self.context = graph, context
        self.indexes = itertools.count(context.journal.last_index + 1)
        self.exceptions = self.total_tokens = self.steps = 0
        self._variables, self._emit = variables, emit
        # Guards counts, results and the text stream, and is held while an event is emitted: so events come in the order
        # of the changes that they report. Reentrant, as the text stream emits inside it.
        self.lock = threading.RLock()
        self._replaying = context.begun
        self._replayed_texts: list[str] = []
        self._outputs: dict[str, Any] = {}
        self._answers: list[str] = []
        self._files: list[Any] = []
        self.text = TextStream(graph.outline, variables, self._emit_text)

    def run(self) -> RunEnd:
        """Run to the end or to a pause. Raises only unexpected errors, and what the journal raises."""
        frame = Frame(self, Scope(self.graph.top, "", self._variables), self.context.cancellation)
        try:
            if self._replaying:
                frame.replay()
                self._end_replay()
            frame.run_nodes()
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
        """Emit an event."""
        with self.lock:
            self._emit(event)

    def execution_id(self, place: str) -> str:
        """Return the id of the execution at a place (frame key and node id); in every replay it is the same."""
        return str(uuid.uuid5(self.context.run_id, place))

    def timed_out(self) -> RunTimedOut:
        """Return the failure of a run that passed its time limit."""
        return RunTimedOut(f"Run failed: it took longer than {self.context.most_seconds:g} seconds.")

    def is_answer(self, end: RecordedEnd) -> bool:
        """Return whether a recorded end is that of an answer node."""
        return any(
            end.node_id in level.nodes and level.nodes[end.node_id].kind == "answer"
            for level in self.graph.levels.values()
        )

    def count(self, exceptions: int, tokens: int, steps: int = 0) -> None:
        """Add to the run's counts."""
        with self.lock:
            self.exceptions += exceptions
            self.total_tokens += tokens
            self.steps += steps

    def add_answer(self, text: str, files: Sequence[Any]) -> None:
        """Add the outputs of an answer node to the run's."""
        with self.lock:
            self._answers.append(text)
            self._files += files

    def add_outputs(self, outputs: Mapping[str, Any]) -> None:
        """Add the outputs of an end node to the run's; of two with one name, that of the later node counts."""
        with self.lock:
            self._outputs |= outputs

    def _emit_text(self, text: str, selector: Selector) -> None:
        # The client has the text of a replay already, or half of it: it is emitted as one replacement.
        if self._replaying:
            self._replayed_texts.append(text)
        elif text:
            self._emit(TextStreamed(text, selector))

    def _end_replay(self) -> None:
        with self.lock:
            self._replaying = False
            self._emit(TextReplaced("".join(self._replayed_texts)))

    def _end(self, status: str, error: str | None, pauses: tuple[Pause, ...] = ()) -> RunEnd:
        self.context.journal.save()
        has_answers = any(node.kind == "answer" for node in self.graph.nodes())
        outputs = {"answer": "".join(self._answers), "files": self._files} if has_answers else self._outputs
        return RunEnd(status, outputs, error, self.exceptions, self.total_tokens, self.steps, pauses)
