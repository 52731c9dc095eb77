"""The journal of a workflow run in PostgreSQL: the ends of node executions, so that no worker repeats them."""

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from app.extensions import db
from app.models.checkpoints import lock_variables, save_checkpoint
from app.models.tasks import RUNNING, ClaimedTask
from app.models.workflow_runs import PAUSED, list_past_node_executions
from app.providers.models.chat_types import Usage
from app.providers.models.usage import UsageSum
from app.services.definitions.workflow_config import DeclaredVariable, WorkflowConfig
from app.services.files.file_values import opened
from app.services.process.stored_values import dump, masked
from app.streams.publisher import Superseded
from app.workflow.contracts.events import Execution
from app.workflow.contracts.knowledge import NODE_KIND, source_of
from app.workflow.contracts.node_services import NodeEnd, RecordedEnd, WaitingNode
from app.workflow.engine.graph_run import STOPPED, RunEnd
from app.workflow.values.values import plain
from app.workflow.values.variables import Selector

CONVERSATION = "conversation"
TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")


class NodeJournal:
    """Implements the engine's ExecutionJournal; counts tokens and collects sources for the run's end.

    Used by several threads. Ends stay in memory until `save`, which the engine calls around nodes with side effects: a
    statement for every node would cost more than most nodes. A lost worker takes with it what can be done again.
    """

    def __init__(self, task: ClaimedTask, config: WorkflowConfig) -> None:
        self._task, self._secrets = task, config.secrets
        self._variables: Mapping[str, DeclaredVariable] = {
            variable.name: variable for variable in config.conversation_variables
        }
        self._lock = threading.RLock()
        self._rows: dict[str, dict[str, Any]] = {}
        self._open: dict[str, dict[str, Any]] = {}
        self._contents: dict[str, Any] = {}
        self._position = 0
        # Inside a block of `changing`: in its transaction.
        self._store: Callable[[Mapping[str, Any]], bool] = save_checkpoint
        self._recorded: list[tuple[str, RecordedEnd]] = []
        self._waiting: dict[str, tuple[str, WaitingNode]] = {}
        # By execution, what an earlier worker kept of those that it did not end.
        self._progress: dict[str, Any] = {}
        self.usage = UsageSum()
        self.sources: list[dict[str, Any]] = []

    @property
    def ended_before(self) -> int:
        """How many nodes had ended when this worker took the run."""
        return len(self._recorded)

    def stopped_end(self, error: str | None, cause: str | None = None) -> RunEnd:
        """Return the end of a run that is stopped before this worker has run a node."""
        counts = [past for _, past in self._recorded]
        return RunEnd(
            STOPPED,
            {},
            error,
            sum(past.exceptions for past in counts),
            sum(past.total_tokens for past in counts),
            len(counts),
            cause=cause,
        )

    def load(self) -> None:
        """Read what was recorded by earlier workers, or before the run waited for people."""
        rows = list_past_node_executions(self._task.workflow_run_id)
        self._recorded, self._waiting, self._progress = [], {}, {}
        self.usage = UsageSum()
        self.sources.clear()
        for row in rows:
            if row.status == RUNNING:
                self._progress[row.id] = opened(self._task.owner, row.outputs)
                continue
            if row.status == PAUSED:
                self._waiting[row.id] = row.frame, WaitingNode(row.run_index, row.predecessor_node_id, row.started_at)
                continue
            writes = [(tuple(selector), opened(self._task.owner, value)) for selector, value in row.writes or ()]
            past = RecordedEnd(
                len(self._recorded),
                row.node_id,
                row.id,
                row.run_index,
                row.status,
                opened(self._task.owner, row.outputs or {}),
                row.handle or "source",
                writes,
                (row.usage or {}).get("total_tokens", 0),
                row.exceptions,
            )
            self._recorded.append((row.frame, past))
            self._count(row.usage or {})
            self._cite(row.kind, row.outputs or {})
        self._position = len(self._recorded)

    def recorded(self, frame: str) -> Sequence[RecordedEnd]:
        return [past for key, past in self._recorded if key == frame]

    def recorded_inside(self, place: str) -> Sequence[RecordedEnd]:
        return [past for key, past in self._recorded if key.startswith(place)]

    def waiting(self, execution_id: str) -> WaitingNode | None:
        known = self._waiting.get(execution_id)
        return None if known is None else known[1]

    def was_begun_inside(self, place: str) -> bool:
        return bool(self.recorded_inside(place)) or any(frame.startswith(place) for frame, _ in self._waiting.values())

    @property
    def last_index(self) -> int:
        return max(
            [past.index for _, past in self._recorded] + [waiting.index for _, waiting in self._waiting.values()],
            default=0,
        )

    def progress(self, execution_id: str) -> Mapping[str, Any] | None:
        kept: Mapping[str, Any] | None = self._progress.get(execution_id)
        return kept

    def progressed(self, execution: Execution, progress: Mapping[str, Any]) -> None:
        with self._lock:
            # Where the outputs will stand: nothing else of an execution is kept as it is, whatever secrets it has.
            row = self._open[execution.id] = self._open[execution.id] | {"outputs": plain(progress)}
            self._rows[execution.id] = row
            self.save()

    def started(self, execution: Execution, frame: str) -> None:
        # Stored again with what is known of it: this worker may be lost before it has more.
        row = _row(execution, frame) | {"outputs": plain(self._progress.get(execution.id))}
        with self._lock:
            self._open[execution.id] = self._rows[execution.id] = row

    def ended(self, ended: NodeEnd) -> None:
        execution = ended.execution
        row = _row(execution, ended.frame) | {
            "status": ended.status,
            "inputs": masked(plain(ended.inputs), self._secrets),
            "process_data": masked(plain(ended.process_data), self._secrets),
            "outputs": plain(ended.outputs),
            "handle": ended.handle,
            "writes": [[selector, plain(value)] for selector, value in ended.writes],
            "usage": dict(ended.usage),
            "exceptions": ended.exceptions,
            "error": masked(ended.error, self._secrets),
            "elapsed": ended.elapsed,
            "finished_at": time.time(),
        }
        with self._lock:
            self._position += 1
            row["position"] = self._position
            self._rows[execution.id] = row
            self._open.pop(execution.id, None)
            self._count(ended.usage)
            self._cite(execution.kind, ended.outputs)
            for selector, value in ended.writes:
                if selector[0] == CONVERSATION and selector[1] in self._variables:
                    self._contents[self._variables[selector[1]].key] = plain(value)

    @contextlib.contextmanager
    def changing(self, targets: Sequence[Selector]) -> Iterator[Mapping[Selector, Any]]:
        names = [selector[1] for selector in targets if selector[0] == CONVERSATION and selector[1] in self._variables]
        # Taken before the connection: threads that wait for the lock must not hold one.
        with self._lock:
            if not names or not self._task.conversation_id:
                yield {}
                return
            with db.engine.begin() as connection:
                stored = lock_variables(connection, self._task.task_id, self._task.epoch)
                if stored is None:
                    raise Superseded(self._task.task_id)
                keys = {name: self._variables[name].key for name in names}
                known = {(CONVERSATION, name): stored[key] for name, key in keys.items() if key in stored}
                self._store = functools.partial(save_checkpoint, connection=connection)
                try:
                    yield opened(self._task.owner, known)
                finally:
                    self._store = save_checkpoint

    def save(self) -> None:
        """Store what is not stored yet, in one statement. Raises Superseded where another worker has the task."""
        with self._lock:
            if not self._rows:
                return
            if not self._store(self.unsaved()):
                raise Superseded(self._task.task_id)
            self.mark_saved()

    def close_open(self) -> None:
        """Mark the executions that the run's end cut off as stopped."""
        self._mark_open({"status": "stopped", "finished_at": time.time()})

    def pause_open(self) -> None:
        """Mark the executions that have not ended as waiting for people."""
        self._mark_open({"status": PAUSED})

    def _mark_open(self, marks: dict[str, Any]) -> None:
        with self._lock:
            for row in self._open.values():
                self._rows[row["id"]] = row | marks
            self._open.clear()

    def unsaved(self) -> dict[str, Any]:
        """Return what is not stored yet, as the statements of app/models/checkpoints.py take it."""
        task = self._task
        return {
            "task_id": task.task_id,
            "epoch": task.epoch,
            "run_id": task.workflow_run_id,
            "rows": dump(list(self._rows.values())),
            "conversation_id": task.conversation_id or None,
            "contents": dump(self._contents) if self._contents else None,
        }

    def mark_saved(self) -> None:
        """Forget what `unsaved` returned: it is stored."""
        self._rows.clear()
        self._contents.clear()

    def _cite(self, kind: str, outputs: Mapping[str, Any]) -> None:
        if kind == NODE_KIND:
            self.sources += map(source_of, plain(outputs).get("result") or ())

    def _count(self, usage: Mapping[str, Any]) -> None:
        if "models" in usage:
            self.usage.add_stored(usage["models"])
        elif usage:
            # Recorded before there were prices.
            prompt, completion, total = (int(usage.get(name) or 0) for name in TOKENS)
            self.usage.add(Usage(prompt, completion, total))


def _row(execution: Execution, frame: str) -> dict[str, Any]:
    return {
        "id": execution.id,
        "frame": frame,
        "position": None,
        "node_id": execution.node_id,
        "kind": execution.kind,
        "title": execution.title,
        "index": execution.index,
        "predecessor_node_id": execution.predecessor_node_id,
        "iteration_id": execution.iteration_id,
        "loop_id": execution.loop_id,
        "status": "running",
        "exceptions": 0,
        "started_at": execution.started_at,
    }
