"""A workflow's graph, checked once and then only read (contract dsl.md §3.4, §3.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.workflow.contracts.node import Node, handle_name
from app.workflow.engine.text_stream import Outline, TextProducer
from app.workflow.failures import GraphInvalid
from app.workflow.nodes import node_of

NOTE = "custom-note"
STARTERS = ("iteration-start", "loop-start")


@dataclass(frozen=True)
class Edge:
    source: str
    target: str
    handle: str


@dataclass(frozen=True)
class GraphLevel:
    """One level of a graph: the whole, or the inside of a container. `incoming` counts edges by target."""

    start_id: str
    nodes: Mapping[str, Node]
    outgoing: Mapping[str, tuple[Edge, ...]]
    incoming: Mapping[str, int]
    roots: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """`plans` by container id, the whole graph's under `""`."""

    plans: Mapping[str, GraphLevel]
    outline: Outline

    @property
    def top(self) -> GraphLevel:
        return self.plans[""]

    def nodes(self) -> list[Node]:
        """All of them, those inside containers too."""
        return [node for plan in self.plans.values() for node in plan.nodes.values()]


@dataclass(frozen=True)
class _Placed:
    node: Node
    container: str
    data: Mapping[str, Any]


def build(graph: Mapping[str, Any]) -> Graph:
    """The graph of an app file's `workflow.graph`. Raises GraphInvalid."""
    placed = _placed_nodes(graph.get("nodes"))
    edges = _edges(graph.get("edges"), placed)
    plans = {"": _plan("", placed, edges, _start_of_all(placed))}
    for node_id, entry in placed.items():
        if entry.node.container:
            plans[node_id] = _plan(node_id, placed, edges, _start_inside(node_id, placed, edges))
    _refuse_nesting_circles(placed)
    return Graph(plans, _outline(plans))


def _placed_nodes(nodes: Any) -> dict[str, _Placed]:
    placed: dict[str, _Placed] = {}
    for entry in nodes if isinstance(nodes, list) else []:
        data = entry.get("data") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and entry.get("type") == NOTE:
            continue
        if not isinstance(data, dict):
            raise GraphInvalid("a node has no data")
        node_id = str(entry.get("id") or "")
        kind = data.get("type")
        if not node_id or not isinstance(kind, str) or not kind:
            raise GraphInvalid(f"node {data.get('title') or node_id!r} has no {'type' if node_id else 'id'}")
        node = node_of(node_id, kind, data)
        if node_id in placed:
            raise GraphInvalid(f"{node.name}: another node has the same id")
        container = (
            data.get("container_id") or entry.get("parentId") or data.get("iteration_id") or data.get("loop_id") or ""
        )
        placed[node_id] = _Placed(node, str(container), data)
    for item in placed.values():
        if item.container and not (item.container in placed and placed[item.container].node.container):
            raise GraphInvalid(f"{item.node.name}: it lies inside {item.container!r}, which is no iteration or loop")
    return placed


def _edges(edges: Any, placed: Mapping[str, _Placed]) -> list[Edge]:
    found: list[Edge] = []
    seen: set[str] = set()
    for entry in edges if isinstance(edges, list) else []:
        edge_id = str(entry.get("id") or "") if isinstance(entry, dict) else ""
        if not isinstance(entry, dict) or (edge_id and edge_id in seen):
            raise GraphInvalid(f"two edges have the same id {edge_id!r}" if edge_id else "an edge is not a mapping")
        seen.add(edge_id)
        edge = Edge(
            str(entry.get("source") or ""),
            str(entry.get("target") or ""),
            handle_name(entry.get("sourceHandle")) or "source",
        )
        for known, unknown in ((edge.source, edge.target), (edge.target, edge.source)):
            if unknown not in placed:
                end = placed[known].node.name if known in placed else repr(known)
                raise GraphInvalid(f"{end}: an edge leads to or from node {unknown!r}, which is not there")
        if placed[edge.source].container != placed[edge.target].container:
            raise GraphInvalid(
                f"{placed[edge.source].node.name}: its edge to {placed[edge.target].node.name} crosses a container's border"
            )
        found.append(edge)
    return found


def _plan(container: str, placed: Mapping[str, _Placed], edges: Sequence[Edge], start_id: str) -> GraphLevel:
    nodes = {node_id: entry.node for node_id, entry in placed.items() if entry.container == container}
    inside = [edge for edge in edges if edge.source in nodes]
    outgoing = {node_id: tuple(edge for edge in inside if edge.source == node_id) for node_id in nodes}
    incoming = dict.fromkeys(nodes, 0)
    for edge in inside:
        incoming[edge.target] += 1
    ordered = _in_order(nodes, outgoing, incoming)
    roots = tuple(node_id for node_id in ordered if incoming[node_id] == 0 and node_id != start_id)
    return GraphLevel(start_id, {node_id: nodes[node_id] for node_id in ordered}, outgoing, incoming, roots)


def _in_order(
    nodes: Mapping[str, Node], outgoing: Mapping[str, tuple[Edge, ...]], incoming: Mapping[str, int]
) -> list[str]:
    """Topological. Raises GraphInvalid where there is a circle."""
    left = dict(incoming)
    ready = [node_id for node_id in nodes if left[node_id] == 0]
    ordered = []
    while ready:
        node_id = ready.pop(0)
        ordered.append(node_id)
        for edge in outgoing[node_id]:
            left[edge.target] -= 1
            if left[edge.target] == 0:
                ready.append(edge.target)
    if len(ordered) < len(nodes):
        around = next(node for node_id, node in nodes.items() if left[node_id] > 0)
        raise GraphInvalid(f"{around.name}: its edges lead in a circle")
    return ordered


def _start_of_all(placed: Mapping[str, _Placed]) -> str:
    for node_id, entry in placed.items():
        if entry.node.kind == "start" and not entry.container:
            return node_id
    raise GraphInvalid("the graph has no start node")


def _start_inside(container: str, placed: Mapping[str, _Placed], edges: Sequence[Edge]) -> str:
    """The node that opens a round; files of 0.1.0 name the first child itself."""
    children = [node_id for node_id, entry in placed.items() if entry.container == container]
    named = placed[container].data.get("start_node_id")
    if named in children:
        return str(named)
    targets = {edge.target for edge in edges}
    for node_id in children:
        if placed[node_id].node.kind in STARTERS or placed[node_id].data.get("isIterationStart"):
            return node_id
    for node_id in children:
        if node_id not in targets:
            return node_id
    raise GraphInvalid(f"{placed[container].node.name}: there is nothing inside")


def _refuse_nesting_circles(placed: Mapping[str, _Placed]) -> None:
    for node_id, entry in placed.items():
        seen, container = {node_id}, entry.container
        while container:
            if container in seen:
                raise GraphInvalid(f"{entry.node.name}: it lies inside itself")
            seen.add(container)
            container = placed[container].container


def _outline(plans: Mapping[str, GraphLevel]) -> Outline:
    top = plans[""]
    speakers = {}
    for node_id, node in top.nodes.items():
        if node.text_parts is not None:
            speakers[node_id] = TextProducer(node_id, node.text_parts)
        elif node.container and _speaks_inside(node_id, plans):
            speakers[node_id] = TextProducer(node_id, None)
    assured: dict[str, list[str]] = {}
    for speaker_id in speakers:
        for node_id in _leading_surely_to(speaker_id, top):
            assured.setdefault(node_id, []).append(speaker_id)
    return Outline(speakers, {node_id: tuple(found) for node_id, found in assured.items()}, frozenset(top.nodes))


def _speaks_inside(container: str, plans: Mapping[str, GraphLevel]) -> bool:
    nodes = plans[container].nodes
    return any(
        node.kind == "answer" or (node.container and _speaks_inside(node_id, plans)) for node_id, node in nodes.items()
    )


def _leading_surely_to(target: str, plan: GraphLevel) -> list[str]:
    """The nodes after which `target` runs whatever the branching nodes behind them choose."""
    sure = {target}
    for node_id in reversed(list(plan.nodes)):
        handles = plan.nodes[node_id].handles
        edges = plan.outgoing[node_id]
        node = plan.nodes[node_id]
        if all(any(node.takes(edge.handle, handle) and edge.target in sure for edge in edges) for handle in handles):
            sure.add(node_id)
    return list(sure)
