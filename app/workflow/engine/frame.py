"""One pass over one level of a graph: the whole of it, or one round inside a container."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.providers.cancellation import Cancellation
from app.workflow.contracts.events import Execution, Result, RoundsEnded, RoundsStarted, RoundStarted
from app.workflow.contracts.node import Node
from app.workflow.contracts.node_services import WaitingNode
from app.workflow.engine import work_sharing
from app.workflow.engine.graph import GraphLevel
from app.workflow.engine.node_runner import NodeRunner
from app.workflow.failures import GraphRunFailed, Pause, RunPaused
from app.workflow.values.variables import Variables

if TYPE_CHECKING:
    from app.workflow.engine.graph_run import GraphRun


@dataclass(frozen=True)
class Scope:
    """Where a frame plays. `key` is "" for the whole graph, else it names container and round, those outside it first."""

    plan: GraphLevel
    key: str
    variables: Variables
    iteration_id: str | None = None
    loop_id: str | None = None
    speaks_for: str | None = None


@dataclass(frozen=True)
class NodeEnding:
    """What became of a node. `handle` None: it waits."""

    node: Node
    result: Result
    handle: str | None
    restream: bool = False


class Frame:
    """Decides which nodes run, and runs them: in the caller's thread, and in others where several are ready."""

    def __init__(self, run: "GraphRun", scope: Scope, cancellation: Cancellation) -> None:
        self.run, self.scope = run, scope
        self.cancellation = Cancellation()
        self.broken = False
        self.steps = 0
        self._outer = cancellation
        self._left = dict(scope.plan.incoming)
        self._taken: dict[str, str | None] = {}
        self._ready: deque[str] = deque()
        self._running = self._helpers = 0
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._pauses: list[Pause] = []
        with self._changed:
            self._reach(scope.plan.start_id, None)
            for node_id in scope.plan.roots:
                self._skip(node_id)

    def replay(self) -> None:
        """Go through what ended before this worker took the run."""
        for past in self.run.context.journal.recorded(self.scope.key):
            if past.node_id not in self._ready:
                continue
            self._ready.remove(past.node_id)
            self.steps += 1
            self.run.count(past.exceptions, past.total_tokens, steps=1)
            node = self.scope.plan.nodes[past.node_id]
            result = Result(past.outputs, past.handle, writes=tuple(past.writes))
            self._told_inside(node)
            with self._changed:
                self._apply(NodeEnding(node, result, past.handle, restream=past.status == "exception"))

    def play(self) -> None:
        """Until nothing can run any more. Raises RunFailed, RunPaused, Cancelled and what nobody expects."""
        self._outer.add(self.cancellation.cancel)
        try:
            if self._outer.is_cancelled:
                self.cancellation.cancel()
            self._work()
            with self._changed:
                self._changed.wait_for(lambda: not self._running)
        finally:
            self._outer.remove(self.cancellation.cancel)
        if self._failure is not None:
            raise self._failure
        self._outer.raise_if_cancelled()
        if self._pauses and not self.broken:
            raise RunPaused(tuple(self._pauses))

    def _work(self, helping: bool = False) -> None:
        """Run nodes as long as there are any; the caller waits for what helpers still run."""
        while True:
            with self._changed:
                while not self._ready:
                    if helping or not self._running:
                        return
                    self._changed.wait()
                node_id = self._ready.popleft()
                self._running += 1
                wanted = max(0, len(self._ready) - self._helpers)
                self._helpers += wanted
            for _ in range(wanted):
                self.run.context.spawn(self._help)
            self._run_one(node_id)

    def _help(self) -> None:
        try:
            self._work(helping=True)
        finally:
            with self._changed:
                self._helpers -= 1

    def _run_one(self, node_id: str) -> None:
        ending = None
        try:
            ending = self._execute(self.scope.plan.nodes[node_id])
        except BaseException as failure:
            # Whatever it is belongs to the thread that waits for the frame.
            self._fail(failure)
        with self._changed:
            if ending is not None and self._failure is None:
                self._apply(ending)
            self._running -= 1
            self._changed.notify_all()

    def _fail(self, failure: BaseException) -> None:
        with self._changed:
            self._failure = self._failure or failure
            self._ready.clear()
        self.cancellation.cancel()

    def _execute(self, node: Node) -> NodeEnding:
        self._count_step()
        try:
            ended = NodeRunner(self.run, self, node, self._execution_of(node)).make()
        except RunPaused as pause:
            with self._changed:
                self._pauses += pause.pauses
            return NodeEnding(node, Result(), None)
        return NodeEnding(node, ended.result, ended.handle, ended.restream)

    def _execution_of(self, node: Node) -> Execution:
        identity = self.run.identify(f"{self.scope.key}{node.id}")
        waiting = self.run.context.journal.waiting(identity) or WaitingNode(
            next(self.run.indexes), self._taken.get(node.id), 0.0
        )
        return Execution(
            identity,
            node.id,
            node.kind,
            node.title,
            waiting.index,
            waiting.predecessor_node_id,
            self.scope.iteration_id,
            self.scope.loop_id,
            waiting.started_at or time.time(),
            resumed=waiting.started_at > 0,
        )

    def _count_step(self) -> None:
        self.cancellation.raise_if_cancelled()
        if time.monotonic() >= self.run.context.deadline:
            raise self.run.time_is_up()
        most = self.run.context.most_steps
        with self.run.lock:
            self.run.steps += 1
            self.steps += 1
            if self.steps > most:
                raise GraphRunFailed(f"Maximum execution steps exceeded: {most}")

    def rounds(self, node: Node, execution: Execution) -> "FrameRounds":
        """What a container is given."""
        return FrameRounds(self, node, execution)

    # What follows runs under the frame's condition; the text stream has the run's lock, taken inside it, never the other way round.

    def _apply(self, ending: NodeEnding) -> None:
        node, variables = ending.node, self.scope.variables
        if ending.handle is None:
            return
        for selector, value in ending.result.writes:
            variables.write(selector, value)
        variables.set_node(node.id, ending.result.outputs)
        self._speak(node, ending)
        if node.kind == "loop-end":
            self.broken = True
            self._ready.clear()
            return
        for edge in self.scope.plan.outgoing[node.id]:
            self._decide(edge.target, node.id if node.takes(edge.handle, ending.handle) else None)

    def _decide(self, target: str, taken_from: str | None) -> None:
        self._left[target] -= 1
        if taken_from is not None:
            self._reach(target, taken_from)
        if self._left[target] == 0:
            if target not in self._taken:
                self._skip(target)
            elif not self.broken:
                self._ready.append(target)

    def _reach(self, node_id: str, taken_from: str | None) -> None:
        first = node_id not in self._taken
        self._taken[node_id] = taken_from
        if taken_from is None:
            self._ready.append(node_id)
        if first and not self.scope.key:
            with self.run.lock:
                self.run.text.reach(node_id)

    def _skip(self, node_id: str) -> None:
        if not self.scope.key:
            with self.run.lock:
                self.run.text.decide(node_id)
        for edge in self.scope.plan.outgoing[node_id]:
            self._decide(edge.target, None)

    def _speak(self, node: Node, ending: NodeEnding) -> None:
        outputs = ending.result.outputs
        with self.run.lock:
            if node.kind == "answer" and ending.handle == "source":
                self.run.answered(outputs["answer"], outputs["files"])
                if self.scope.speaks_for is not None:
                    self.run.text.add_inner(self.scope.speaks_for, [(outputs["answer"], (node.id, "answer"))])
            elif node.kind == "end":
                self.run.reached_end(outputs)
            if not self.scope.key:
                self.run.text.decide(node.id, ending.restream)

    def _told_inside(self, node: Node) -> None:
        """What a container's rounds answered and wrote outside it before this worker took the run."""
        if not node.container:
            return
        for past in self.run.context.journal.recorded_inside(f"{self.scope.key}{node.id}["):
            self.run.count(past.exceptions, past.total_tokens, steps=1)
            for selector, value in past.writes:
                self.scope.variables.write(selector, value)
            if self.run.is_answer(past):
                with self.run.lock:
                    self.run.answered(past.outputs["answer"], past.outputs["files"])
                    self.run.text.add_inner(
                        self.scope.speaks_for or node.id, [(past.outputs["answer"], (past.node_id, "answer"))]
                    )


class FrameRounds:
    """The rounds of one execution of a container (implements `Rounds`)."""

    def __init__(self, frame: Frame, node: Node, execution: Execution) -> None:
        self._frame, self._node, self._execution = frame, node, execution
        self._began = time.perf_counter()
        self._rounds = 0
        self._cancellation = frame.cancellation

    def begin(self, inputs: Mapping[str, Any], length: int) -> None:
        if not self._execution.resumed:
            self._frame.run.emit(RoundsStarted(self._execution, inputs, length))

    def run_round(
        self, index: int, variables: Variables, previous: Mapping[str, Any] | None = None, emit_start: bool = True
    ) -> bool:
        run, outer = self._frame.run, self._frame.scope
        with run.lock:
            self._rounds += 1
        place = f"{outer.key}{self._node.id}[{index}]/"
        if emit_start and not (self._execution.resumed and run.context.journal.was_begun_inside(place)):
            run.emit(RoundStarted(self._execution, index, previous))
        is_loop = self._node.kind == "loop"
        scope = Scope(
            run.graph.plans[self._node.id],
            place,
            variables,
            outer.iteration_id if is_loop else self._node.id,
            self._node.id if is_loop else outer.loop_id,
            outer.speaks_for or self._node.id,
        )
        frame = Frame(run, scope, self._cancellation)
        if run.context.begun:
            frame.replay()
        frame.play()
        return frame.broken

    def run_jobs(self, jobs: Sequence[Callable[[], None]], limit: int) -> None:
        outer = self._frame.cancellation
        mine = self._cancellation = Cancellation()
        outer.add(mine.cancel)
        try:
            if outer.is_cancelled:
                mine.cancel()
            work_sharing.do_all(jobs, limit, self._frame.run.context.spawn)
        finally:
            outer.remove(mine.cancel)

    def cancel_rounds(self) -> None:
        self._cancellation.cancel()

    def finish(self, result: Result, error: str | None) -> None:
        elapsed = time.perf_counter() - self._began
        self._frame.run.emit(RoundsEnded(self._execution, result, elapsed, error, self._rounds))
