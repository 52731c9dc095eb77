"""A workflow run as a graph: the nodes and edges of its app version, and how far the run went through each."""

import uuid
from dataclasses import dataclass

from flask import current_app

from app.errors import AppUnavailable, RunFailed
from app.models.reports.node_reports import (
    STATUSES,
    NodeCounts,
    NodeExecutionReport,
    RunOrigin,
    count_node_executions,
    find_run_origin,
    list_node_execution_reports,
)
from app.services.definitions.published_apps import version
from app.services.generation.run_graphs import graph_of
from app.services.process.stored_values import masked
from app.services.reports.report_filters import ReportNotFound, ReportPage, ReportRefused, id_or_none
from app.workflow.contracts.node import FAIL_BRANCH, Node
from app.workflow.engine.graph import GraphLevel
from app.workflow.nodes.human_input import HumanInputConfig
from app.workflow.nodes.question_classifier import QuestionClassifierConfig

MOST_NODES = 2_000
# What says most about a node whose executions ended differently comes first.
_TELLING = ("failed", "exception", "running", "paused", "stopped", "succeeded")
NOT_RUN = "not run"
_NO_ID = uuid.UUID(int=0)


@dataclass(frozen=True)
class RunNode:
    """A node of a graph and its executions in a run. `container`: the node that it lies in, empty at the top.

    `state`: one of the statuses of node executions, or NOT_RUN. `statuses`: how many ended how. `elapsed`: seconds of
    all together. `opens_round`: it does nothing but begin a container's round.
    """

    id: str
    title: str
    kind: str
    container: str
    is_container: bool
    opens_round: bool
    state: str
    executions: int
    statuses: dict[str, int]
    elapsed: float
    error: str | None


@dataclass(frozen=True)
class RunEdge:
    """An edge. `label`: what its handle is called, empty for a node's only one; `taken`: the run went along it."""

    source: str
    target: str
    label: str
    taken: bool


@dataclass(frozen=True)
class RunGraph:
    """The graph of a run; nodes stand in topological order. `refusal`: why it cannot be shown, None where it can."""

    nodes: list[RunNode]
    edges: list[RunEdge]
    refusal: str | None = None


def graph_of_run(run_id: str) -> RunGraph:
    """Return the graph of a run. Raises ReportNotFound.

    Where this release cannot read the app version's graph, the nodes are those that were executed, without edges.
    """
    wanted, origin = _origin(run_id)
    counts = {row.node_id: row for row in count_node_executions(wanted, MOST_NODES)}
    try:
        graph = graph_of(origin.app_version_id, origin.mode == "advanced-chat")
    except (AppUnavailable, RunFailed) as refused:
        return RunGraph([_unplaced(row) for row in counts.values()], [], str(refused))
    nodes, edges = [], []
    for container, level in graph.levels.items():
        nodes += [_node(node, container, counts.get(node.id)) for node in level.nodes.values()]
        edges += _edges(level, counts)
    return RunGraph(nodes, edges)


def list_executions(
    run_id: str, node_id: str | None = None, following: str | None = None, limit: int = 20
) -> ReportPage[NodeExecutionReport]:
    """Return node executions of a run with their values, as they began; secrets are masked.

    `node_id`: those of one node. A page ends early where its values have more than HISTORY_PAGE_BYTES together.
    Raises ReportRefused, ReportNotFound.
    """
    wanted, origin = _origin(run_id)
    most_bytes = current_app.config["HISTORY_PAGE_BYTES"]
    rows = list_node_execution_reports(wanted, node_id, _place_of(following), limit + 1, most_bytes)
    shown = rows[:limit]
    more = len(rows) > limit
    if shown and not more:
        # A page may have ended for its bytes: only a look behind its last row says whether there are more.
        more = bool(list_node_execution_reports(wanted, node_id, _place(shown[-1]), 1, 1))
    secrets = _secrets(origin)
    masked_rows = [
        NodeExecutionReport(**{name: masked(value, secrets) for name, value in vars(row).items()}) for row in shown
    ]
    return ReportPage(masked_rows, f"{shown[-1].number}_{shown[-1].id}" if more else None)


def _origin(run_id: str) -> tuple[uuid.UUID, RunOrigin]:
    wanted = id_or_none(run_id)
    origin = None if wanted is None else find_run_origin(wanted)
    if wanted is None or origin is None:
        raise ReportNotFound(f"There is no run {run_id}.")
    return wanted, origin


def _secrets(origin: RunOrigin) -> tuple[str, ...]:
    return version(origin.app_version_id).usable_workflow().secrets


def _place(row: NodeExecutionReport) -> tuple[int, uuid.UUID]:
    return row.number, uuid.UUID(row.id)


def _place_of(following: str | None) -> tuple[int, uuid.UUID]:
    """Return where the page begins that `following` asks for. Raises ReportRefused for a text that no page gave."""
    if following is None:
        return -1, _NO_ID
    number, _, row_id = following.partition("_")
    wanted = id_or_none(row_id)
    if wanted is None or not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise ReportRefused("No page of this report begins there.")
    return int(number), wanted


def _node(node: Node, container: str, counts: NodeCounts | None) -> RunNode:
    return RunNode(
        id=node.id,
        title=node.title,
        kind=node.kind,
        container=container,
        is_container=node.container,
        opens_round=node.silent,
        state=_state(counts),
        executions=counts.executions if counts else 0,
        statuses=_statuses(counts),
        elapsed=counts.elapsed if counts else 0.0,
        error=counts.error if counts else None,
    )


def _unplaced(counts: NodeCounts) -> RunNode:
    return RunNode(
        id=counts.node_id,
        title=counts.title,
        kind=counts.kind,
        container=counts.container or "",
        is_container=False,
        opens_round=False,
        state=_state(counts),
        executions=counts.executions,
        statuses=_statuses(counts),
        elapsed=counts.elapsed,
        error=counts.error,
    )


def _state(counts: NodeCounts | None) -> str:
    return next((status for status in _TELLING if counts and counts.statuses.get(status)), NOT_RUN)


def _statuses(counts: NodeCounts | None) -> dict[str, int]:
    return {status: counts.statuses[status] for status in STATUSES if counts.statuses.get(status)} if counts else {}


def _edges(level: GraphLevel, counts: dict[str, NodeCounts]) -> list[RunEdge]:
    found = []
    for node_id, edges in level.outgoing.items():
        node, ran = level.nodes[node_id], counts.get(node_id)
        # Silent nodes have no executions: the run went through them where it came behind them.
        handles = ["source"] if node.silent else ran.handles if ran is not None else []
        for edge in edges:
            reached = edge.target in counts or level.nodes[edge.target].silent
            taken = reached and any(node.takes(edge.handle, handle) for handle in handles)
            found.append(RunEdge(edge.source, edge.target, _label(node, edge.handle), taken))
    return found


def _label(node: Node, handle: str) -> str:
    """Return what a handle is called: authors know branches by their names or their order, not by their ids."""
    own = node.own_handles
    if handle == FAIL_BRANCH:
        return "on failure"
    if not node.branches or handle not in own:
        return ""
    named = _names_of_handles(node)
    if handle in named:
        return named[handle]
    if node.kind == "if-else":
        return "else" if handle == "false" else "if" if own.index(handle) == 0 else f"else if {own.index(handle)}"
    return handle


def _names_of_handles(node: Node) -> dict[str, str]:
    config = node.config
    if isinstance(config, QuestionClassifierConfig):
        return {known.id: known.name for known in config.classes}
    if isinstance(config, HumanInputConfig):
        return {action.id: action.title for action in config.user_actions}
    return {}
