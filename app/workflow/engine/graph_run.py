"""Runs a graph, or continues a run from its journal (contract dsl.md §3.6).

The journal records how each node execution ended. A run that an earlier worker began, or that paused, is replayed: the
recorded ends are applied without running their nodes, then the nodes behind them run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.providers.cancellation import Cancelled
from app.workflow.contracts.events import Event
from app.workflow.engine.frame import Frame
from app.workflow.engine.graph import Graph
from app.workflow.engine.run_state import RunContext, RunState, Scope
from app.workflow.failures import GraphRunFailed, Pause, RunPaused
from app.workflow.values.variables import Variables

SUCCEEDED, PARTIAL, FAILED, STOPPED, PAUSED = "succeeded", "partial-succeeded", "failed", "stopped", "paused"


@dataclass(frozen=True)
class RunEnd:
    """How a run ended or paused. `outputs`: those of its end nodes, and `answer` and `files` of its answer nodes.

    `exceptions`: failed attempts of nodes; `steps`: node executions; `pauses`: what a paused run waits for.
    `cause`: for logs, the kinds of the node that failed and of its error, or the class of the exception.
    """

    status: str
    outputs: Mapping[str, Any]
    error: str | None
    exceptions: int
    total_tokens: int
    steps: int
    pauses: tuple[Pause, ...] = ()
    cause: str | None = None


class GraphRun:
    """One run of a graph. `emit` is called with the events one after another, from several threads."""

    def __init__(self, graph: Graph, variables: Variables, context: RunContext, emit: Callable[[Event], None]) -> None:
        variables.set_start(graph.top.start_id)
        self._state = RunState(graph, variables, context, emit)
        self._variables = variables

    def run(self) -> RunEnd:
        """Run to the end or to a pause. Raises only unexpected errors, and what the journal raises."""
        state = self._state
        frame = Frame(state, Scope(state.graph.top, "", self._variables), state.context.cancellation)
        try:
            if state.replaying:
                frame.replay()
                state.end_replay()
            frame.run_nodes()
        except Cancelled:
            return self._end(STOPPED, None)
        except RunPaused as pause:
            return self._end(PAUSED, None, pause.pauses)
        except GraphRunFailed as failure:
            return self._end(FAILED, str(failure) or str(state.timed_out()), cause=failure.cause)
        with state.lock:
            state.text.close()
        return self._end(PARTIAL if state.exceptions else SUCCEEDED, None)

    def _end(self, status: str, error: str | None, pauses: tuple[Pause, ...] = (), cause: str | None = None) -> RunEnd:
        state = self._state
        state.context.journal.save()
        return RunEnd(status, state.outputs, error, state.exceptions, state.total_tokens, state.steps, pauses, cause)
