"""What the frames and node runners of one run share: its services and limits, its counts, its results, its text."""

import itertools
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.providers.cancellation import Cancellation
from app.workflow.contracts.events import Event, TextReplaced, TextStreamed
from app.workflow.contracts.node_services import ExecutionJournal, NodeServices, RecordedEnd
from app.workflow.engine import work_sharing
from app.workflow.engine.graph import Graph, GraphLevel
from app.workflow.engine.text_stream import TextStream
from app.workflow.failures import RunTimedOut
from app.workflow.values.variables import Selector, Variables


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


@dataclass(frozen=True)
class Scope:
    """The place of a frame in its run.

    `key`: "" for the top level, else one part for each round around it, outermost first: `loop[2]/inner[0]/`.
    `outermost_container_id`: the container of the top level that the frame lies in, None at the top level itself.
    """

    level: GraphLevel
    key: str
    variables: Variables
    iteration_id: str | None = None
    loop_id: str | None = None
    outermost_container_id: str | None = None


class RunState:
    """The state of a run that its frames change. `emit` is called with the events in order, from several threads."""

    def __init__(self, graph: Graph, variables: Variables, context: RunContext, emit: Callable[[Event], None]) -> None:
        self.graph, self.context = graph, context
        self.indexes = itertools.count(context.journal.last_index + 1)
        self.exceptions = self.total_tokens = self.steps = 0
        self._emit = emit
        # Guards counts, results and the text stream, and is held while an event is emitted: so events come in the order
        # of the changes that they report. Reentrant, as the text stream emits inside it.
        self.lock = threading.RLock()
        self.replaying = context.begun
        self._replayed_texts: list[str] = []
        self._outputs: dict[str, Any] = {}
        self._answers: list[str] = []
        self._files: list[Any] = []
        self.text = TextStream(graph.outline, variables, self._emit_text)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The run's outputs: those of its end nodes, beside `answer` and `files` where its graph has answer nodes."""
        if any(node.kind == "answer" for node in self.graph.nodes()):
            return {"answer": "".join(self._answers), "files": self._files, **self._outputs}
        return self._outputs

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

    def end_replay(self) -> None:
        """Emit the replayed texts as one; from now on texts are emitted as they come."""
        with self.lock:
            self.replaying = False
            self._emit(TextReplaced("".join(self._replayed_texts)))

    def _emit_text(self, text: str, selector: Selector, removed: int = 0) -> None:
        # The client has the text of a replay already, or half of it: it is emitted as one replacement.
        if self.replaying:
            if removed:
                self._replayed_texts = ["".join(self._replayed_texts)[:-removed]]
            self._replayed_texts.append(text)
        elif text or removed:
            self._emit(TextStreamed(text, selector, removed))
