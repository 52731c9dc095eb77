"""Graphs as plain dicts, and a function that runs one and records what happens."""

import contextlib
import copy
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.providers.cancellation import Cancellation
from app.workflow.contracts import events
from app.workflow.contracts.node_services import NodeEnd, NodeServices, RecordedEnd, WaitingNode
from app.workflow.engine import work_sharing
from app.workflow.engine.graph import build
from app.workflow.engine.graph_run import GraphRun, RunEnd
from app.workflow.engine.run_state import RunContext
from app.workflow.values.variables import Selector, Variables

AnyEvent = TypeVar("AnyEvent", bound=events.Event)
RUN_ID = uuid.UUID("0198f0a0-0000-7000-8000-000000000001")


def node(node_id: str, kind: str, parent: str | None = None, **data: Any) -> dict[str, Any]:
    """A node of an app file; `parent` is the container it lies in."""
    return {"id": node_id, "type": "custom", "data": {"type": kind, "title": node_id, **data}} | (
        {"parentId": parent} if parent else {}
    )


def start(**variables: str) -> dict[str, Any]:
    """The start node; each argument is a variable and its type."""
    return node(
        "start",
        "start",
        variables=[{"variable": name, "label": name, "type": kind} for name, kind in variables.items()],
    )


def end(**outputs: list[str]) -> dict[str, Any]:
    return node(
        "end", "end", outputs=[{"variable": name, "value_selector": selector} for name, selector in outputs.items()]
    )


def answer(text: str, node_id: str = "answer", parent: str | None = None) -> dict[str, Any]:
    return node(node_id, "answer", parent, answer=text)


def edges(*paths: str) -> list[dict[str, Any]]:
    """`"a > b:true > c"`: edges from a to b, and from b by the handle `true` to c."""
    found = []
    for path in paths:
        steps = [step.strip() for step in path.split(">")]
        for source, target in zip(steps, steps[1:], strict=False):
            name, _, handle = source.partition(":")
            found.append({"source": name, "target": target.partition(":")[0], "sourceHandle": handle or "source"})
    return found


def graph(*parts: dict[str, Any] | str) -> dict[str, Any]:
    """A graph of nodes and of paths as `edges` reads them."""
    nodes = [part for part in parts if isinstance(part, dict)]
    return {"nodes": nodes, "edges": edges(*(part for part in parts if isinstance(part, str)))}


def app_file(definition: dict[str, Any], mode: str, name: str) -> str:
    """An app file that has this graph."""
    workflow = {"graph": definition, "features": {}, "environment_variables": [], "conversation_variables": []}
    return json.dumps({"version": "0.6.0", "kind": "app", "app": {"name": name, "mode": mode}, "workflow": workflow})


class MemoryJournal:
    """A journal in memory. `ends` and `open` of one run are the `past` and `waiting` of the run that continues it."""

    def __init__(
        self,
        past: Sequence[NodeEnd] = (),
        waiting: Mapping[str, tuple[str, WaitingNode]] | None = None,
        kept: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.ends: list[NodeEnd] = []
        self.starts: list[str] = []
        self.open: dict[str, tuple[str, WaitingNode]] = {}
        self._past = [(end.frame, _past(position, end)) for position, end in enumerate(past)]
        self._waiting = waiting or {}
        self._changes = threading.Lock()
        # What executions kept of themselves, of this run and of the one that it continues.
        self.kept: dict[str, Mapping[str, Any]] = dict(kept or {})

    def recorded(self, frame: str) -> list[RecordedEnd]:
        return [past for key, past in self._past if key == frame]

    def recorded_inside(self, place: str) -> list[RecordedEnd]:
        return [past for key, past in self._past if key.startswith(place)]

    def waiting(self, execution_id: str) -> WaitingNode | None:
        known = self._waiting.get(execution_id)
        return None if known is None else known[1]

    def was_begun_inside(self, place: str) -> bool:
        frames = [frame for frame, _ in self._past] + [frame for frame, _ in self._waiting.values()]
        return any(frame.startswith(place) for frame in frames)

    @property
    def last_index(self) -> int:
        return max(
            [past.index for _, past in self._past] + [waiting.index for _, waiting in self._waiting.values()], default=0
        )

    def progress(self, execution_id: str) -> Mapping[str, Any] | None:
        return self.kept.get(execution_id)

    def progressed(self, execution: events.Execution, progress: Mapping[str, Any]) -> None:
        self.kept[execution.id] = copy.deepcopy(progress)

    def started(self, execution: events.Execution, frame: str) -> None:
        self.starts.append(execution.node_id)
        self.open[execution.id] = (
            frame,
            WaitingNode(execution.index, execution.predecessor_node_id, execution.started_at),
        )

    def ended(self, ended: NodeEnd) -> None:
        self.ends.append(ended)
        self.open.pop(ended.execution.id, None)

    @contextlib.contextmanager
    def changing(self, targets: Sequence[Selector]) -> Iterator[Mapping[Selector, Any]]:
        with self._changes:
            yield {}

    def save(self) -> None:
        pass


def _past(position: int, end: NodeEnd) -> RecordedEnd:
    return RecordedEnd(
        position,
        end.execution.node_id,
        end.execution.id,
        end.execution.index,
        end.status,
        end.outputs,
        end.handle,
        end.writes,
        end.usage.get("total_tokens", 0),
        end.exceptions,
    )


@dataclass
class RunRecord:
    """A run that ended or paused: its end, its events, its journal, and the threads that emitted."""

    end: RunEnd
    events: list[events.Event]
    journal: MemoryJournal
    threads: set[int] = field(default_factory=set)

    @property
    def text(self) -> str:
        """The run's text as the end user reads it."""
        text = ""
        for event in self.events:
            if isinstance(event, events.TextReplaced):
                text = event.text
            elif isinstance(event, events.TextStreamed):
                text = text[: len(text) - event.removed] + event.text
        return text

    @property
    def pieces(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, events.TextStreamed)]

    @property
    def ran(self) -> list[str]:
        """The ids of the nodes that ended, in order."""
        return [ended.execution.node_id for ended in self.journal.ends]

    def of(self, node_id: str) -> NodeEnd:
        """Return how a node ended, the last time."""
        return [ended for ended in self.journal.ends if ended.execution.node_id == node_id][-1]

    def outputs(self, node_id: str) -> dict[str, Any]:
        return dict(self.of(node_id).outputs)

    def named(self) -> list[str]:
        """Return the events in short: `NodeStarted start`, `TextStreamed Hello` …"""
        short = []
        for event in self.events:
            about = getattr(event, "execution", None)
            short.append(f"{type(event).__name__} {about.node_id if about else getattr(event, 'text', '')}")
        return short


def events_of(record: RunRecord, kind: type[AnyEvent]) -> list[AnyEvent]:
    """The events of one kind, in order."""
    return [event for event in record.events if isinstance(event, kind)]


def run(
    definition: dict[str, Any],
    inputs: dict[str, Any] | None = None,
    *,
    services: NodeServices | None = None,
    past: Sequence[NodeEnd] = (),
    waiting: Mapping[str, tuple[str, WaitingNode]] | None = None,
    kept: Mapping[str, Mapping[str, Any]] | None = None,
    conversation: dict[str, Any] | None = None,
    types: dict[str, str] | None = None,
    system: dict[str, Any] | None = None,
    environment: dict[str, Any] | None = None,
    cancellation: Cancellation | None = None,
    seconds: float = 30.0,
    most_steps: int = 500,
    spawn: work_sharing.Spawn = work_sharing.spawn,
    is_chatflow: bool | None = None,
) -> RunRecord:
    """Build a graph and run it, or continue it from `past`, `waiting` and `kept`. The start node's id must be `start`.

    `types`: the types of the conversation's variables, which `conversation` has by name. `is_chatflow`: as in `build`,
    where it is None as the graph looks.
    """
    variables = Variables()
    variables.set_node("start", inputs or {})
    variables.set_node("sys", {"query": "", "files": [], **(system or {})})
    variables.set_node("env", environment or {})
    variables.set_writable("conversation", conversation or {}, types or {})
    journal = MemoryJournal(past, waiting, kept)
    record: list[events.Event] = []
    threads: set[int] = set()

    def emit(event: events.Event) -> None:
        threads.add(threading.get_ident())
        record.append(event)

    setting = RunContext(
        RUN_ID,
        services or NodeServices(),
        journal,
        cancellation or Cancellation(),
        time.monotonic() + seconds,
        most_steps,
        seconds,
        bool(past or waiting or kept),
        spawn,
    )
    if is_chatflow is None:
        is_chatflow = any(entry["data"]["type"] == "answer" for entry in definition["nodes"])
    plan = build(definition, is_chatflow)
    return RunRecord(GraphRun(plan, variables, setting, emit).run(), record, journal, threads)
