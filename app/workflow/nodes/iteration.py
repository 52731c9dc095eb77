"""`iteration`: runs its children once for each item of a list (contract dsl.md §3.7)."""

import threading
from typing import Any, Literal

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.failures import GraphRunFailed, NodeFailed, Pause, RunPaused, RunTimedOut
from app.workflow.values.variables import MISSING, Variables


class IterationConfig(NodeConfig):
    """The configuration of an iteration. `parallel_nums`: rounds at once; `output_selector`: a round's result."""

    iterator_selector: tuple[str, ...]
    output_selector: tuple[str, ...]
    is_parallel: bool = False
    parallel_nums: int = 10
    error_handle_mode: Literal["terminated", "continue-on-error", "remove-abnormal-output"] = "terminated"
    flatten_output: bool = True


class Iteration(Node):
    """Outputs `output`: the rounds' results in the order of the items, whatever the order in which rounds end."""

    kind = "iteration"
    Config = IterationConfig
    container = True

    def run(self, context: NodeContext) -> Result:
        items = context.variables.require(self.config.iterator_selector)
        if items is not None and not isinstance(items, list):
            raise NodeFailed("The iterator must be a list.", "IteratorNotArray")
        items = items or []
        inputs = {"iterator_selector": items}
        context.rounds.begin(inputs, len(items))
        rounds = _IterationRounds(self, context, items)
        try:
            rounds.run_all()
        except (GraphRunFailed, NodeFailed) as failure:
            context.rounds.finish(Result(inputs=inputs), str(failure))
            # A failed child becomes this node's own failure, which its error strategy may answer. The run's time limit
            # must end the run, whatever the strategy.
            if isinstance(failure, RunTimedOut | NodeFailed):
                raise
            raise NodeFailed(str(failure), "IterationError", inputs) from None
        result = Result(outputs={"output": rounds.output()}, inputs=inputs)
        context.rounds.finish(result, None)
        return result


class _IterationRounds:
    """The rounds of one execution of an iteration, and their results. Rounds run in several threads."""

    def __init__(self, node: Iteration, context: NodeContext, items: list[Any]) -> None:
        self._node, self._context, self._items = node, context, items
        # By item, so that results keep the order of the items. MISSING: the round failed and is left out.
        self._values: list[Any] = [MISSING] * len(items)
        self._failure: BaseException | None = None
        self._pauses: list[Pause] = []
        self._lock = threading.Lock()

    def run_all(self) -> None:
        """Run all rounds. Raises the first failure that ends the iteration; RunPaused where rounds wait for people."""
        jobs = [lambda index=index: self._run_round(index) for index in range(len(self._items))]
        limit = max(1, self._node.config.parallel_nums) if self._node.config.is_parallel else 1
        self._context.rounds.run_jobs(jobs, limit)
        if self._failure is not None:
            raise self._failure
        if self._pauses:
            raise RunPaused(tuple(self._pauses))

    def output(self) -> list[Any]:
        """Return the results; lists are joined into one if every result that is not null is a list."""
        values = [value for value in self._values if value is not MISSING]
        lists = [value for value in values if value is not None]
        if self._node.config.flatten_output and lists and all(isinstance(value, list) for value in lists):
            return [item for value in lists for item in value]
        return values

    def _run_round(self, index: int) -> None:
        # No round begins after one that ended the iteration. One by one, none begins while an earlier round waits: it
        # may need what that round writes. In parallel the others run on, and the waiting one follows later.
        if self._failure is not None or (self._pauses and not self._node.config.is_parallel):
            return
        variables = Variables(self._context.variables)
        variables.set_node(self._node.id, {"item": self._items[index], "index": index})
        try:
            self._context.rounds.run_round(index, variables)
            self._values[index] = self._value(variables)
        except RunPaused as pause:
            with self._lock:
                self._pauses += pause.pauses
        except RunTimedOut as failure:
            self._fail(failure)
        except (GraphRunFailed, NodeFailed) as failure:
            self._handle_failure(index, failure)
        except BaseException as failure:
            # This may be a pool's thread, where an exception is lost: `run_all` raises it in the node's own thread.
            self._fail(failure)

    def _value(self, variables: Variables) -> Any:
        value = variables.get(self._node.config.output_selector)
        return None if value is MISSING else value

    def _handle_failure(self, index: int, failure: Exception) -> None:
        match self._node.config.error_handle_mode:
            case "continue-on-error":
                self._values[index] = None
            case "remove-abnormal-output":
                self._values[index] = MISSING
            case _:
                self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        with self._lock:
            # The first failure counts: those of the cancelled rounds only follow from it.
            self._failure = self._failure or failure
        self._context.rounds.cancel_rounds()
