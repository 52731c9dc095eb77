"""Executes a node with its retries and its error strategy (contract dsl.md §3.6, rule 6)."""

import dataclasses
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app import tracing
from app.providers.cancellation import Cancellation
from app.providers.models.thoughts import TextChange
from app.providers.models.usage import added_usage
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
from app.workflow.contracts.node import FAIL_BRANCH, LONGEST_RETRY_PAUSE, Node, NodeContext, Rounds
from app.workflow.contracts.node_services import NodeEnd
from app.workflow.engine.run_state import RunState, Scope
from app.workflow.failures import GraphRunFailed, NodeFailed, NodePaused, Pause, RunPaused


@dataclass(frozen=True)
class NodeOutcome:
    """The result of a node execution. `outputs_replaced`: the node failed, its error strategy gave the outputs."""

    result: Result
    handle: str
    outputs_replaced: bool = False


class NodeRunner:
    """One node execution with all its attempts. `rounds`: what a container runs its children with.

    `take_outputs`: called with an outcome before the node's end is told, so that the text that it completes is read
    before.
    """

    def __init__(
        self,
        run: RunState,
        scope: Scope,
        cancellation: Cancellation,
        node: Node,
        execution: Execution,
        rounds: Rounds,
        take_outputs: Callable[[NodeOutcome], None],
    ) -> None:
        self._take_outputs = take_outputs
        self._run, self._scope, self._cancellation = run, scope, cancellation
        self._node, self._execution, self._rounds = node, execution, rounds
        self._began = time.perf_counter()
        self._failures = 0
        self._span = tracing.NO_SPAN
        # Usage of attempts that were tried again.
        self._spent: list[Mapping[str, Any]] = []

    def run_node(self) -> NodeOutcome:
        """Run the node until an attempt succeeds or its error strategy applies.

        Raises GraphRunFailed where it fails without one, RunPaused, Cancelled.
        """
        node, execution = self._node, self._execution
        attributes = {
            tracing.ROLE: "CHAIN",
            "frontdesk.node.id": node.id,
            "frontdesk.node.kind": node.kind,
            "frontdesk.node.title": node.title,
            "frontdesk.node.execution_id": execution.id,
            "frontdesk.node.frame": self._scope.key,
        }
        with tracing.span(f"{node.kind} {node.title}", attributes) as self._span:
            return self._run_attempts()

    def _run_attempts(self) -> NodeOutcome:
        node, journal = self._node, self._run.context.journal
        journal.started(self._execution, self._scope.key)
        # Saved before it acts or takes long: a take-over continues behind all that ended before it, and a snapshot of
        # the run shows that it is running.
        if node.has_side_effects:
            journal.save()
        if not (node.container or self._execution.resumed):
            self._emit(NodeStarted(self._execution))
        while True:
            try:
                result = self._attempt()
            except NodePaused as pause:
                raise RunPaused((Pause(self._execution.id, node.id, node.title, pause.details),)) from None
            except NodeFailed as failure:
                # Past the deadline a node fails because of it; the run must end then, whatever the error strategy.
                if time.monotonic() >= self._run.context.deadline:
                    raise self._run.timed_out() from None
                self._failures += 1
                self._span.set({"frontdesk.node.failures": self._failures})
                if not self._retries(failure):
                    return self._apply_error_strategy(failure)
                self._spent += [failure.usage] if failure.usage else []
            else:
                self._run.count(self._failures, result.total_tokens)
                outcome = NodeOutcome(result, result.handle)
                self._take_outputs(outcome)
                self._emit(NodeSucceeded(self._execution, result, self._elapsed))
                return outcome

    def _attempt(self) -> Result:
        """Run the node once, and record its success.

        Reading a variable, changing it and recording the change are one step: of two nodes that add to a variable at
        the same time, each must see what the other made of it.
        """
        node, variables = self._node, self._scope.variables
        if not node.targets:
            result = self._with_spent(node.run(self._context()))
            self._record("succeeded", result, result.handle, None)
            return result
        with self._run.context.journal.changing(node.targets) as changed:
            for selector, value in changed.items():
                variables.write(selector, value)
            result = self._with_spent(node.run(self._context()))
            for selector, value in result.writes:
                variables.write(selector, value)
            self._record("succeeded", result, result.handle, None)
        return result

    def _with_spent(self, result: Result) -> Result:
        """Return a result with the usage of the attempts before it as well."""
        if not self._spent:
            return result
        return dataclasses.replace(result, usage=added_usage([*self._spent, result.usage]))

    @property
    def _elapsed(self) -> float:
        return time.perf_counter() - self._began

    def _context(self) -> NodeContext:
        run = self._run
        return NodeContext(
            self._scope.variables,
            run.context.services,
            self._execution,
            self._cancellation,
            run.context.deadline,
            self._stream,
            self._report,
            self._rounds,
            run.graph.authored,
            # An attempt behind a failure begins anew.
            None if self._failures else run.context.journal.progress(self._execution.id),
            functools.partial(run.context.journal.progressed, self._execution),
        )

    def _stream(self, name: str, change: TextChange) -> None:
        # Inside containers only whole answers are streamed, round by round (contract dsl.md §3.6, rule 11).
        if not self._scope.key:
            with self._run.lock:
                self._run.text.add((self._node.id, name), change)

    def _report(self, name: str, details: Any) -> None:
        self._run.emit(NodeReported(self._execution, name, details))

    def _retries(self, failure: NodeFailed) -> bool:
        """Return whether another attempt follows, after the pause before it."""
        retry = self._node.config.retry_config
        if retry is None or not retry.retry_enabled or self._failures > retry.max_retries:
            return False
        self._emit(NodeRetried(self._execution, _result_of(failure), self._elapsed, failure.message, self._failures))
        self._cancellation.wait(min(retry.retry_interval / 1000, LONGEST_RETRY_PAUSE))
        return True

    def _apply_error_strategy(self, failure: NodeFailed) -> NodeOutcome:
        self._span.fail(failure.error_type)
        config = self._node.config
        error = {"error_message": failure.message, "error_type": failure.error_type}
        if config.error_strategy == FAIL_BRANCH:
            result, handle = self._with_spent(_result_of(failure, error)), FAIL_BRANCH
        elif config.error_strategy == "default-value":
            defaults = {default.key: default.typed() for default in config.default_value or ()}
            result, handle = self._with_spent(_result_of(failure, defaults | error)), "source"
        else:
            result = self._with_spent(_result_of(failure))
            self._run.count(self._failures, result.total_tokens)
            self._record("failed", result, "", failure.message)
            self._emit(NodeFailedForGood(self._execution, result, self._elapsed, failure.message))
            raise GraphRunFailed(failure.message, f"{self._node.kind}: {failure.error_type}")
        self._run.count(self._failures, result.total_tokens)
        self._record("exception", result, handle, failure.message)
        outcome = NodeOutcome(result, handle, outputs_replaced=True)
        self._take_outputs(outcome)
        self._emit(NodeExcepted(self._execution, result, self._elapsed, failure.message))
        return outcome

    def _record(self, status: str, result: Result, handle: str, error: str | None) -> None:
        """Record the end in the journal."""
        journal = self._run.context.journal
        journal.ended(
            NodeEnd(
                self._execution,
                self._scope.key,
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
        # A side effect must not happen twice, and a write (`x += 1`) must not be applied twice. Other ends may stay in
        # memory: lost with the worker, they are computed again.
        if self._node.has_side_effects or result.writes:
            journal.save()

    def _emit(self, event: Event) -> None:
        # Containers have events of their own (`Rounds`).
        if not (self._node.container or self._node.silent) or isinstance(event, NodeRetried):
            self._run.emit(event)


def _result_of(failure: NodeFailed, outputs: dict[str, Any] | None = None) -> Result:
    return Result(
        outputs if outputs is not None else failure.outputs,
        inputs=failure.inputs,
        process_data=failure.process_data,
        usage=failure.usage,
    )
