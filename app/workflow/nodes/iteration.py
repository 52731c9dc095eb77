"""`iteration`: the children once for every item of a list (contract dsl.md §3.7)."""

import threading
from typing import Any, Literal

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.failures import GraphRunFailed, NodeFailed, Pause, RunPaused, RunTimedOut
from app.workflow.values.variables import MISSING, Variables


class IterationConfig(NodeConfig):
    iterator_selector: tuple[str, ...]
    output_selector: tuple[str, ...]
    is_parallel: bool = False
    parallel_nums: int = 10
    error_handle_mode: Literal["terminated", "continue-on-error", "remove-abnormal-output"] = "terminated"
    flatten_output: bool = True


class Iteration(Node):
    kind = "iteration"
    Config = IterationConfig
    container = True

    def run(self, context: NodeContext) -> Result:
        items = context.variables.require(self.config.iterator_selector)
        if items is not None and not isinstance(items, list):
            raise NodeFailed("The iterator is not a list.", "IteratorNotArray")
        items = items or []
        inputs = {"iterator_selector": items}
        context.rounds.begin(inputs, len(items))
        rounds = _Rounds(self, context, items)
        try:
            rounds.play()
        except (GraphRunFailed, NodeFailed) as failure:
            context.rounds.finish(Result(inputs=inputs), str(failure))
            if isinstance(failure, RunTimedOut | NodeFailed):
                raise
            raise NodeFailed(str(failure), "IterationError", inputs) from None
        result = Result(outputs={"output": rounds.output()}, inputs=inputs)
        context.rounds.finish(result, None)
        return result


class _Rounds:
    """The rounds of one run of an iteration and what came of them."""

    def __init__(self, node: Iteration, context: NodeContext, items: list[Any]) -> None:
        self._node, self._context, self._items = node, context, items
        self._values: list[Any] = [MISSING] * len(items)
        self._failure: BaseException | None = None
        self._pauses: list[Pause] = []
        self._lock = threading.Lock()

    def play(self) -> None:
        """All of them. Raises the first failure that ends the iteration, RunPaused where rounds wait."""
        jobs = [lambda index=index: self._play_one(index) for index in range(len(self._items))]
        limit = max(1, self._node.config.parallel_nums) if self._node.config.is_parallel else 1
        self._context.rounds.run_jobs(jobs, limit)
        if self._failure is not None:
            raise self._failure
        if self._pauses:
            raise RunPaused(tuple(self._pauses))

    def output(self) -> list[Any]:
        values = [value for value in self._values if value is not MISSING]
        lists = [value for value in values if value is not None]
        if self._node.config.flatten_output and lists and all(isinstance(value, list) for value in lists):
            return [item for value in lists for item in value]
        return values

    def _play_one(self, index: int) -> None:
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
            self._swallow(index, failure)
        except BaseException as failure:
            # Whatever it is belongs to the thread that waits for all rounds.
            self._fail(failure)

    def _value(self, variables: Variables) -> Any:
        value = variables.get(self._node.config.output_selector)
        return None if value is MISSING else value

    def _swallow(self, index: int, failure: Exception) -> None:
        match self._node.config.error_handle_mode:
            case "continue-on-error":
                self._values[index] = None
            case "remove-abnormal-output":
                self._values[index] = MISSING
            case _:
                self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        with self._lock:
            self._failure = self._failure or failure
        self._context.rounds.cancel_rounds()
