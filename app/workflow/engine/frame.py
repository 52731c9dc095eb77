"""One pass over one level of a graph: the whole graph, or one round of a container (contract dsl.md §3.6).

How a frame decides which nodes run: each node counts its incoming edges that are *undecided*. An edge is decided when
its source has ended (taken or not, by the handle) or is skipped (not taken). When a node's last edge is decided, the
node is ready if at least one of them was taken; else it is skipped, and its own edges with it. So every node is run or
skipped exactly once, and a join waits for all branches that are still open.

Who runs them: the thread that calls `run_nodes`, and helpers from a pool where several nodes are ready.
"""

import functools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.providers.cancellation import Cancellation
from app.workflow.contracts.events import Execution, Result, RoundsEnded, RoundsStarted, RoundStarted
from app.workflow.contracts.node import Node
from app.workflow.contracts.node_services import RecordedEnd, WaitingNode
from app.workflow.engine import work_sharing
from app.workflow.engine.node_runner import NodeOutcome, NodeRunner
from app.workflow.engine.run_state import RunState, Scope
from app.workflow.failures import Pause, RunPaused, StepsExceeded
from app.workflow.values.variables import Variables


@dataclass(frozen=True)
class NodeEnding:
    """How a node execution ended. `handle` None: it waits. `outputs_replaced`: its error strategy gave the outputs."""

    node: Node
    result: Result
    handle: str | None
    outputs_replaced: bool = False


class Frame:
    """Runs the nodes of one level once. `loop_ended`: a loop-end node ended the loop that the frame is a round of."""

    def __init__(self, run: RunState, scope: Scope, cancellation: Cancellation) -> None:
        self.run, self.scope = run, scope
        # Its own, so that a failed node stops the nodes beside it without stopping the rest of the run.
        self.cancellation = Cancellation()
        self.loop_ended = False
        self.steps = 0
        self._outer_cancellation = cancellation
        self._undecided_edges = dict(scope.level.incoming_counts)
        # By node, the source of the last taken edge: nodes that run, or will once their other edges are decided.
        self._taken_from: dict[str, str | None] = {}
        self._ready: deque[str] = deque()
        # Threads that run a node, and those that are about to look for one: spawned helpers, and the caller.
        self._running, self._looking = 0, 1
        # Guards all the fields here and is notified when a node has ended.
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._pauses: list[Pause] = []
        with self._changed:
            self._reach(scope.level.start_id, None)
            # Undecided for ever, they would keep a join behind them from running (contract dsl.md §3.6, rule 3).
            for node_id in scope.level.unreachable:
                self._skip(node_id)

    def replay(self) -> None:
        """Apply the ends that the journal holds for this frame, so that `run_nodes` continues behind them.

        Ends come in the order in which they happened, so each finds its node ready, as it was then. Outputs, writes,
        texts and counts are as after the first run; no node runs and nothing is recorded again.
        """
        for end in self.run.context.journal.recorded(self.scope.key):
            if end.node_id not in self._ready:
                # A node beside a loop-end node, which ended after it: the round was over already.
                continue
            self._ready.remove(end.node_id)
            self.steps += 1
            self.run.count(end.exceptions, end.total_tokens, steps=1)
            node = self.scope.level.nodes[end.node_id]
            self._replay_inside(node)
            self._replay_writes(end)
            ending = NodeEnding(node, Result(end.outputs, end.handle), end.handle)
            with self._changed:
                self._take_outputs(ending)
                self._decide_edges(ending)

    def run_nodes(self) -> None:
        """Run nodes until none is ready or running. Raises GraphRunFailed, RunPaused, Cancelled, unexpected errors."""
        self._outer_cancellation.add(self.cancellation.cancel)
        try:
            # A cancellation before `add` called nobody.
            if self._outer_cancellation.is_cancelled:
                self.cancellation.cancel()
            self._work()
            # Not before helpers have ended their nodes: a thread of this frame must not outlive it.
            with self._changed:
                self._changed.wait_for(lambda: not self._running)
        finally:
            self._outer_cancellation.remove(self.cancellation.cancel)
        if self._failure is not None:
            raise self._failure
        self._outer_cancellation.raise_if_cancelled()
        # A loop-end node ends the round even where a node beside it waits for people.
        if self._pauses and not self.loop_ended:
            raise RunPaused(tuple(self._pauses))

    def _work(self, helping: bool = False) -> None:
        """Run ready nodes, one after the other, until there are none.

        While other threads still run nodes, more may become ready. The caller waits for that; a helper returns, so that
        its thread is free for other frames. So the caller alone can finish the frame, with or without helpers.
        """
        while True:
            with self._changed:
                while not self._ready:
                    if helping or not self._running:
                        self._looking -= 1
                        return
                    self._changed.wait()
                node_id = self._ready.popleft()
                self._looking -= 1
                self._running += 1
                # One helper for each node left over that nobody is about to take: the threads that run nodes are busy.
                wanted = max(0, len(self._ready) - self._looking)
                self._looking += wanted
            for _ in range(wanted):
                self.run.context.spawn(self._help)
            self._run_one(node_id)

    def _help(self) -> None:
        self._work(helping=True)

    def _run_one(self, node_id: str) -> None:
        ending = None
        try:
            ending = self._execute(self.scope.level.nodes[node_id])
        except BaseException as failure:
            # This may be a helper's thread, where an exception is lost: `run_nodes` raises it in the caller's.
            self._fail(failure)
        with self._changed:
            # After a failure nothing more may become ready.
            if ending is not None and self._failure is None:
                self._decide_edges(ending)
            self._running -= 1
            self._looking += 1
            self._changed.notify_all()

    def _fail(self, failure: BaseException) -> None:
        with self._changed:
            # The first failure counts: the others are those of the nodes that it cancels.
            self._failure = self._failure or failure
            self._ready.clear()
        self.cancellation.cancel()

    def _execute(self, node: Node) -> NodeEnding:
        self._count_step()
        try:
            execution = self._execution_of(node)
            rounds = FrameRounds(self, node, execution)
            settle = functools.partial(self._settle, node)
            outcome = NodeRunner(self.run, self.scope, self.cancellation, node, execution, rounds, settle).run_node()
        except RunPaused as pause:
            # Its edges stay undecided and hold back what lies behind it; other branches run on.
            with self._changed:
                self._pauses += pause.pauses
            return NodeEnding(node, Result(), None)
        return NodeEnding(node, outcome.result, outcome.handle, outcome.outputs_replaced)

    def _settle(self, node: Node, outcome: NodeOutcome) -> None:
        with self._changed:
            # After a failure nothing more may be read.
            if self._failure is None:
                self._take_outputs(NodeEnding(node, outcome.result, outcome.handle, outcome.outputs_replaced))

    def _execution_of(self, node: Node) -> Execution:
        """Return the execution of a node: a new one, or the one that waited when the run paused."""
        execution_id = self.run.execution_id(f"{self.scope.key}{node.id}")
        waiting = self.run.context.journal.waiting(execution_id) or WaitingNode(
            next(self.run.indexes), self._taken_from.get(node.id), 0.0
        )
        return Execution(
            execution_id,
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
            raise self.run.timed_out()
        with self.run.lock:
            self.run.steps += 1
            self.steps += 1
            if self.steps > self.run.context.most_steps:
                raise StepsExceeded(f"Maximum execution steps exceeded: {self.run.context.most_steps}")

    # The methods below run under `_changed`. The run's lock is taken inside it, never the other way round: two threads
    # could wait for each other.

    def _take_outputs(self, ending: NodeEnding) -> None:
        """Take over an execution's outputs, and pass on the text that they complete."""
        self.scope.variables.set_node(ending.node.id, ending.result.outputs)
        # Behind the variables, whose values the text stream reads.
        self._pass_on_text(ending.node, ending)

    def _decide_edges(self, ending: NodeEnding) -> None:
        """Decide the edges of a node that has ended; those of one that waits stay undecided."""
        node = ending.node
        if ending.handle is None:
            return
        if node.kind == "loop-end":
            self.loop_ended = True
            self._ready.clear()
            return
        for edge in self.scope.level.outgoing[node.id]:
            self._decide_edge(edge.target, node.id if node.takes(edge.handle, ending.handle) else None)

    def _decide_edge(self, target: str, taken_from: str | None) -> None:
        """Decide one edge: taken from a source, or None if it is not taken."""
        self._undecided_edges[target] -= 1
        if taken_from is not None:
            self._reach(target, taken_from)
        if self._undecided_edges[target] == 0:
            if target not in self._taken_from:
                self._skip(target)
            elif not self.loop_ended:
                self._ready.append(target)

    def _reach(self, node_id: str, taken_from: str | None) -> None:
        """Take note that a node will run; the start (`taken_from` None) is ready at once."""
        first = node_id not in self._taken_from
        self._taken_from[node_id] = taken_from
        if taken_from is None:
            self._ready.append(node_id)
        if first and not self.scope.key:
            with self.run.lock:
                self.run.text.reach(node_id)

    def _skip(self, node_id: str) -> None:
        if not self.scope.key:
            with self.run.lock:
                self.run.text.decide(node_id)
        for edge in self.scope.level.outgoing[node_id]:
            self._decide_edge(edge.target, None)

    def _pass_on_text(self, node: Node, ending: NodeEnding) -> None:
        """Add an answer or end node's outputs to those of the run, and let the text stream know that the node ended."""
        outputs = ending.result.outputs
        with self.run.lock:
            if node.kind == "answer" and ending.handle == "source":
                self._add_answer(node.id, outputs, self.scope.outermost_container_id)
            elif node.kind == "end":
                self.run.add_outputs(outputs)
            if not self.scope.key:
                self.run.text.decide(node.id, ending.outputs_replaced)

    def _replay_inside(self, node: Node) -> None:
        """Apply what the rounds of a container that has ended left outside it: counts, writes, answers.

        Its frames are not replayed themselves, as the container does not run again.
        """
        if not node.container:
            return
        for end in self.run.context.journal.recorded_inside(f"{self.scope.key}{node.id}["):
            self.run.count(end.exceptions, end.total_tokens, steps=1)
            # Variables of the rounds, such as a loop's, are out of reach from here, and over.
            self._replay_writes(end)
            if self.run.is_answer(end):
                self._add_answer(end.node_id, end.outputs, self.scope.outermost_container_id or node.id)

    def replay_writes_inside(self, node: Node) -> None:
        """Apply what the rounds of a container that has not ended wrote outside them.

        The rounds run again in any order, and the first one may go on from what another has written.
        """
        for end in self.run.context.journal.recorded_inside(f"{self.scope.key}{node.id}["):
            self._replay_writes(end)

    def _replay_writes(self, end: RecordedEnd) -> None:
        for selector, value in end.writes:
            self.scope.variables.write(selector, value, end.position)

    def _add_answer(self, node_id: str, outputs: Mapping[str, Any], container_id: str | None) -> None:
        """Add an answer node's outputs to the run's; inside a container, its text to that of the container."""
        with self.run.lock:
            self.run.add_answer(outputs["answer"], outputs["files"])
            if container_id is not None:
                self.run.text.add_inner(container_id, [(outputs["answer"], (node_id, "answer"))])


class FrameRounds:
    """The rounds of one execution of a container, each a frame of its own (implements `Rounds`)."""

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
        key = f"{outer.key}{self._node.id}[{index}]/"
        # A round in which nodes ended or waited before the pause was announced then.
        if emit_start and not (self._execution.resumed and run.context.journal.was_begun_inside(key)):
            run.emit(RoundStarted(self._execution, index, previous))
        is_loop = self._node.kind == "loop"
        iteration_id, loop_id = (outer.iteration_id, self._node.id) if is_loop else (self._node.id, outer.loop_id)
        outermost_id = outer.outermost_container_id or self._node.id
        scope = Scope(run.graph.levels[self._node.id], key, variables, iteration_id, loop_id, outermost_id)
        frame = Frame(run, scope, self._cancellation)
        if run.context.begun:
            frame.replay()
        frame.run_nodes()
        return frame.loop_ended

    def run_jobs(self, jobs: Sequence[Callable[[], None]], limit: int) -> None:
        if self._frame.run.context.begun:
            self._frame.replay_writes_inside(self._node)
        # A cancellation of the rounds alone: `cancel_rounds` must not stop the nodes beside the container.
        outer, rounds = self._frame.cancellation, Cancellation()
        self._cancellation = rounds
        outer.add(rounds.cancel)
        try:
            if outer.is_cancelled:
                rounds.cancel()
            work_sharing.run_all(jobs, limit, self._frame.run.context.spawn)
        finally:
            outer.remove(rounds.cancel)

    def cancel_rounds(self) -> None:
        self._cancellation.cancel()

    def finish(self, result: Result, error: str | None) -> None:
        elapsed = time.perf_counter() - self._began
        self._frame.run.emit(RoundsEnded(self._execution, result, elapsed, error, self._rounds))
