"""A node's run with its retries and its error strategy (contract dsl.md §3.6, rule 6)."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.workflow.contracts.events import (
    Event,
    Execution,
    NodeExcepted,
    NodeFailedForGood,
    NodeReported,
    NodeRetried,
    NodeStarted,
    NodeSucceeded,
    Result,
)
from app.workflow.contracts.node import FAIL_BRANCH, LONGEST_RETRY_PAUSE, Node, NodeContext
from app.workflow.contracts.node_services import NodeEnd
from app.workflow.failures import GraphRunFailed, NodeFailed, NodePaused, Pause, RunPaused

if TYPE_CHECKING:
    from app.workflow.engine.frame import Frame
    from app.workflow.engine.graph_run import GraphRun


@dataclass(frozen=True)
class NodeOutcome:
    """`restream`: what the node streamed is not what it gives."""

    result: Result
    handle: str
    restream: bool = False


class NodeRunner:
    """All attempts of one run of a node."""

    def __init__(self, run: "GraphRun", frame: "Frame", node: Node, execution: Execution) -> None:
        self._run, self._frame, self._node, self._execution = run, frame, node, execution
        self._began = time.perf_counter()
        self._failures = 0

    def make(self) -> NodeOutcome:
        """Raises RunFailed, RunPaused, Cancelled."""
        node, journal = self._node, self._run.context.journal
        journal.started(self._execution, self._frame.scope.key)
        if node.has_side_effects:
            journal.save()
        if not (node.container or self._execution.resumed):
            self._tell(NodeStarted(self._execution))
        while True:
            try:
                result = node.run(self._context())
            except NodePaused as pause:
                raise RunPaused((Pause(self._execution.id, node.id, node.title, pause.details),)) from None
            except NodeFailed as failure:
                if time.monotonic() >= self._run.context.deadline:
                    raise self._run.time_is_up() from None
                self._failures += 1
                if not self._tries_again(failure):
                    return self._give_up(failure)
            else:
                self._keep("succeeded", result, result.handle, None)
                self._tell(NodeSucceeded(self._execution, result, self._elapsed))
                return NodeOutcome(result, result.handle)

    @property
    def _elapsed(self) -> float:
        return time.perf_counter() - self._began

    def _context(self) -> NodeContext:
        frame, run = self._frame, self._run
        rounds = frame.rounds(self._node, self._execution)
        return NodeContext(
            frame.scope.variables,
            run.context.services,
            self._execution,
            frame.cancellation,
            run.context.deadline,
            self._stream,
            self._report,
            rounds,
        )

    def _stream(self, name: str, piece: str) -> None:
        if not self._frame.scope.key:
            with self._run.lock:
                self._run.text.add((self._node.id, name), piece)

    def _report(self, name: str, details: Any) -> None:
        self._run.emit(NodeReported(self._execution, name, details))

    def _tries_again(self, failure: NodeFailed) -> bool:
        retry = self._node.config.retry_config
        if retry is None or not retry.retry_enabled or self._failures > retry.max_retries:
            return False
        self._tell(NodeRetried(self._execution, _result_of(failure), self._elapsed, failure.message, self._failures))
        self._frame.cancellation.wait(min(retry.retry_interval / 1000, LONGEST_RETRY_PAUSE))
        return True

    def _give_up(self, failure: NodeFailed) -> NodeOutcome:
        config = self._node.config
        told = {"error_message": failure.message, "error_type": failure.error_type}
        if config.error_strategy == FAIL_BRANCH:
            result, handle = _result_of(failure, told), FAIL_BRANCH
        elif config.error_strategy == "default-value":
            defaults = {default.key: default.typed() for default in config.default_value or ()}
            result, handle = _result_of(failure, defaults | told), "source"
        else:
            result = _result_of(failure)
            self._keep("failed", result, "", failure.message)
            self._tell(NodeFailedForGood(self._execution, result, self._elapsed, failure.message))
            raise GraphRunFailed(failure.message)
        self._keep("exception", result, handle, failure.message)
        self._tell(NodeExcepted(self._execution, result, self._elapsed, failure.message))
        return NodeOutcome(result, handle, restream=True)

    def _keep(self, status: str, result: Result, handle: str, error: str | None) -> None:
        self._run.count(self._failures, result.total_tokens)
        journal = self._run.context.journal
        journal.ended(
            NodeEnd(
                self._execution,
                self._frame.scope.key,
                status,
                result.inputs,
                result.process_data,
                result.outputs,
                handle,
                result.writes,
                result.usage,
                self._elapsed,
                error,
                self._failures,
            )
        )
        if self._node.has_side_effects or result.writes:
            journal.save()

    def _tell(self, event: Event) -> None:
        if not (self._node.container or self._node.silent) or isinstance(event, NodeRetried):
            self._run.emit(event)


def _result_of(failure: NodeFailed, outputs: dict[str, Any] | None = None) -> Result:
    return Result(
        outputs if outputs is not None else failure.outputs, inputs=failure.inputs, process_data=failure.process_data
    )
