"""Make the public events of a workflow run, as JSON (contract streaming.md §2, §3.3, §9.1)."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from app.models.forms import FormRow
from app.models.tasks import ClaimedTask, TaskState
from app.models.workflow_runs import PAUSED
from app.services.events import form_views
from app.services.events.message_events import MessageEvents
from app.services.process.stored_values import dump
from app.workflow.contracts import events
from app.workflow.contracts.events import Execution
from app.workflow.values.values import plain

CHATFLOW = "advanced-chat"
AGENT_LOG = "agent_log"
# Of clients newer than the contract: a piece of the thoughts of an LLM node that keeps them out of its text.
REASONING = "reasoning_chunk"
PUBLIC_REPORTS = {"form_filled": "human_input_form_filled", "form_timeout": "human_input_form_timeout"}


class WorkflowRunEvents:
    """The events of one run. In mode `advanced-chat` they carry the message's ids as well."""

    def __init__(self, task: ClaimedTask | TaskState, workflow_id: str) -> None:
        self._run_id, self._workflow_id = task.workflow_run_id or "", workflow_id
        self.message = MessageEvents(task) if task.mode == CHATFLOW else None
        common: dict[str, Any] = {"workflow_run_id": self._run_id, "task_id": task.task_id}
        if self.message is not None:
            ids = {"conversation_id": task.conversation_id, "message_id": task.message_id}
            common = ids | {"created_at": int(task.message_created_at.timestamp())} | common
        self._common = common

    def of(self, event: events.Event) -> bytes | None:
        """Return the public event of what the engine tells about nodes; None for what end users are not told."""
        match event:
            case events.NodeStarted(execution):
                return self._event("node_started", self._started(execution))
            case events.NodeSucceeded(execution, _, elapsed):
                return self._event("node_finished", self._finished(execution, "succeeded", elapsed))
            case events.NodeExcepted(execution, _, elapsed):
                return self._event("node_finished", self._finished(execution, "exception", elapsed))
            case events.NodeFailedForGood(execution, _, elapsed):
                return self._event("node_finished", self._finished(execution, "failed", elapsed))
            case events.NodeReported(execution, name, details):
                return self._of_report(execution, name, details)
            case events.NodeRetried(execution, _, elapsed, _, attempt):
                more = {
                    "retry_index": attempt,
                    "inputs_truncated": False,
                    "process_data_truncated": False,
                    "outputs_truncated": False,
                }
                return self._event("node_retry", self._finished(execution, "retry", elapsed) | more)
        return self._of_rounds(event)

    def started(self, inputs: Mapping[str, Any], created_at: int, reason: str = "initial") -> bytes:
        data = {
            "id": self._run_id,
            "workflow_id": self._workflow_id,
            "inputs": inputs,
            "created_at": created_at,
            "reason": reason,
        }
        return self._event("workflow_started", data)

    def text(self, delta: str, selector: Sequence[str] | None = None) -> bytes:
        """`message` in chatflows, else `text_chunk`. `selector`: the variable that the piece comes from."""
        if self.message is not None:
            return self.message.text(delta, selector)
        return self._event("text_chunk", {"text": delta, "from_variable_selector": selector})

    def text_replace(self, text: str, reason: str = "") -> bytes:
        """`message_replace` in chatflows, else `text_replace`, which tells no reason."""
        if self.message is not None:
            return self.message.text_replace(text, reason)
        return self._event("text_replace", {"text": text})

    def finished(self, data: Mapping[str, Any]) -> bytes:
        """`data`: the fields of `workflow_finished` (§3.3) but for the ids and files."""
        return self._event(
            "workflow_finished", {"id": self._run_id, "workflow_id": self._workflow_id, "files": [], **data}
        )

    def human_input_required(self, form: FormRow) -> bytes:
        return self._event("human_input_required", form_views.required_data(form))

    def paused(self, forms: Sequence[FormRow], totals: Mapping[str, Any]) -> bytes:
        """`forms`: those that wait. `totals`: outputs, created_at, elapsed_time, total_tokens, total_steps."""
        data = {
            "workflow_run_id": self._run_id,
            "paused_nodes": list(dict.fromkeys(form.node_id for form in forms)),
            "reasons": [form_views.pause_reason(form) for form in forms],
            "status": PAUSED,
            **totals,
        }
        return self._event("workflow_paused", data)

    def node_of_record(self, record: Mapping[str, Any]) -> list[bytes]:
        """Return the events of a stored node execution: started, and finished unless it runs."""
        execution = Execution(
            record["id"],
            record["node_id"],
            record["kind"],
            record["title"],
            record["index"],
            None,
            record["iteration_id"],
            record["loop_id"],
            record["started_at"],
        )
        frames = [self._event("node_started", self._started(execution))]
        if record["finished_at"] is not None:
            status = record["status"] if record["status"] in ("succeeded", "exception") else "failed"
            finished = self._finished(execution, status, record["elapsed"] or 0.0) | {
                "finished_at": int(record["finished_at"])
            }
            frames.append(self._event("node_finished", finished))
        return frames

    def _of_report(self, execution: Execution, name: str, details: Mapping[str, Any]) -> bytes | None:
        """Return the event of what a node reported by a name of its own; None for names that are not public."""
        if name == AGENT_LOG:
            return self._event(name, {"node_execution_id": execution.id, "node_id": execution.node_id, **details})
        if name == events.THOUGHTS:
            ids = {"message_id": self._common["message_id"]} if self.message is not None else {}
            return self._event(REASONING, {**ids, "node_id": execution.node_id, **details})
        public = PUBLIC_REPORTS.get(name)
        if public is None:
            return None
        return self._event(public, {"node_id": execution.node_id, "node_title": execution.title, **details})

    def _of_rounds(self, event: events.Event) -> bytes | None:
        match event:
            case events.RoundsStarted(execution, inputs, length):
                data = self._head(execution) | {
                    "extras": {},
                    "metadata": {f"{execution.kind}_length": length},
                    "inputs": plain(inputs),
                    "inputs_truncated": False,
                }
                return self._event(f"{execution.kind}_started", data)
            case events.RoundStarted(execution, index, previous):
                more = {"index": index, "extras": {}}
                if execution.kind == "loop":
                    more["pre_loop_output"] = plain(previous)
                return self._event(
                    f"{execution.kind}_next", self._head(execution) | {"created_at": int(time.time())} | more
                )
            case events.RoundsEnded(execution, result, elapsed, error, steps):
                data = self._head(execution) | {
                    "outputs": plain(result.outputs),
                    "outputs_truncated": False,
                    "extras": {},
                    "inputs": plain(result.inputs),
                    "inputs_truncated": False,
                    "status": "failed" if error else "succeeded",
                    "error": error,
                    "elapsed_time": elapsed,
                    "total_tokens": result.total_tokens,
                    "execution_metadata": {},
                    "finished_at": int(time.time()),
                    "steps": steps,
                }
                return self._event(f"{execution.kind}_completed", data)
        return None

    @staticmethod
    def _head(execution: Execution) -> dict[str, Any]:
        return {
            "id": execution.id,
            "node_id": execution.node_id,
            "node_type": execution.kind,
            "title": execution.title,
            "created_at": int(execution.started_at),
        }

    @staticmethod
    def _started(execution: Execution) -> dict[str, Any]:
        return {
            "id": execution.id,
            "node_id": execution.node_id,
            "node_type": execution.kind,
            "title": execution.title,
            "index": execution.index,
            "predecessor_node_id": execution.predecessor_node_id,
            "inputs": None,
            "created_at": int(execution.started_at),
            "extras": {},
            "iteration_id": execution.iteration_id,
            "loop_id": execution.loop_id,
        }

    @staticmethod
    def _finished(execution: Execution, status: str, elapsed: float) -> dict[str, Any]:
        """Inputs, outputs and errors are left empty: they would show end users the prompts (§3.3)."""
        return {
            "id": execution.id,
            "node_id": execution.node_id,
            "node_type": execution.kind,
            "title": execution.title,
            "index": execution.index,
            "predecessor_node_id": execution.predecessor_node_id,
            "inputs": None,
            "process_data": None,
            "outputs": None,
            "status": status,
            "error": None,
            "elapsed_time": elapsed,
            "execution_metadata": None,
            "created_at": int(execution.started_at),
            "finished_at": int(time.time()),
            "files": [],
            "iteration_id": execution.iteration_id,
            "loop_id": execution.loop_id,
        }

    def _event(self, name: str, data: Mapping[str, Any]) -> bytes:
        return dump({"event": name, **self._common, "data": data}).encode()
