"""Builds and checks the graph of an app file (contract dsl.md §3.4, §3.5). A built graph is read-only."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.workflow.contracts.node import Node, handle_name
from app.workflow.engine.text_stream import Outline, TextProducer
from app.workflow.failures import GraphInvalid
from app.workflow.nodes import node_of

# The editor's notes: entries among the nodes that are none.
NOTE = "custom-note"
ROUND_STARTS = ("iteration-start", "loop-start")


@dataclass(frozen=True)
class Edge:
    """One edge between two nodes of a level. `handle`: the source's."""

    source: str
    target: str
    handle: str


@dataclass(frozen=True)
class GraphLevel:
    """One level of a graph: its top, or the inside of one container. Edges never leave their level.

    `nodes` by id, in topological order. `outgoing`: each node's edges. `incoming_counts`: how many edges lead to each
    node. `unreachable`: nodes without incoming edges, other than the start.
    """

    start_id: str
    nodes: Mapping[str, Node]
    outgoing: Mapping[str, tuple[Edge, ...]]
    incoming_counts: Mapping[str, int]
    unreachable: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """A checked graph. `levels` by the container's node id, the top under `""`; `outline`: its producers of text."""

    levels: Mapping[str, GraphLevel]
    outline: Outline

    @property
    def top(self) -> GraphLevel:
        """The level outside all containers."""
        return self.levels[""]

    @functools.cached_property
    def authored(self) -> frozenset[str]:
        """What selectors may begin with whose values come from the author's code and templates, or from the file."""
        authored = {"env"}
        # In the order of each level, for aggregators pass on what nodes before them made.
        for node in self.nodes():
            if node.is_authored(authored):
                authored.add(node.id)
        return frozenset(authored)

    def nodes(self) -> list[Node]:
        """Return the nodes of all levels."""
        return [node for level in self.levels.values() for node in level.nodes.values()]


@dataclass(frozen=True)
class _Placed:
    """A node with the id of the container that it lies in, "" at the top, and its `data`."""

    node: Node
    container: str
    data: Mapping[str, Any]


def build(graph: Mapping[str, Any], is_chatflow: bool = True) -> Graph:
    """Build the graph of an app file's `workflow.graph`. Raises GraphInvalid.

    `is_chatflow`: whether the text of its runs is that of answer nodes, not the outputs of end nodes.
    """
    placed = _placed_nodes(graph.get("nodes"))
    edges = _edges(graph.get("edges"), placed)
    levels = {"": _level("", placed, edges, _top_start(placed))}
    for node_id, entry in placed.items():
        if entry.node.container:
            levels[node_id] = _level(node_id, placed, edges, _start_inside(node_id, placed, edges))
    _check_nesting(placed)
    return Graph(levels, _outline(levels, is_chatflow))


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
            raise GraphInvalid(f"{item.node.name}: it lies in {item.container!r}, which is not an iteration or loop")
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
                raise GraphInvalid(f"{end}: an edge leads to or from node {unknown!r}, which does not exist")
        if placed[edge.source].container != placed[edge.target].container:
            source, target = placed[edge.source].node.name, placed[edge.target].node.name
            raise GraphInvalid(f"{source}: its edge to {target} leads into or out of an iteration or loop")
        found.append(edge)
    return found


def _level(container: str, placed: Mapping[str, _Placed], edges: Sequence[Edge], start_id: str) -> GraphLevel:
    nodes = {node_id: entry.node for node_id, entry in placed.items() if entry.container == container}
    inside = [edge for edge in edges if edge.source in nodes]
    outgoing = {node_id: tuple(edge for edge in inside if edge.source == node_id) for node_id in nodes}
    counts = dict.fromkeys(nodes, 0)
    for edge in inside:
        counts[edge.target] += 1
    ordered = _topological_order(nodes, outgoing, counts)
    unreachable = tuple(node_id for node_id in ordered if counts[node_id] == 0 and node_id != start_id)
    return GraphLevel(start_id, {node_id: nodes[node_id] for node_id in ordered}, outgoing, counts, unreachable)


def _topological_order(
    nodes: Mapping[str, Node], outgoing: Mapping[str, tuple[Edge, ...]], incoming_counts: Mapping[str, int]
) -> list[str]:
    """Return the node ids, each behind all nodes that lead to it. Raises GraphInvalid where edges form a circle."""
    left = dict(incoming_counts)
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
        in_circle = next(node for node_id, node in nodes.items() if left[node_id] > 0)
        raise GraphInvalid(f"{in_circle.name}: it lies on a circle of edges, or behind one")
    return ordered


def _top_start(placed: Mapping[str, _Placed]) -> str:
    for node_id, entry in placed.items():
        if entry.node.kind == "start" and not entry.container:
            return node_id
    raise GraphInvalid("the graph has no start node")


def _start_inside(container: str, placed: Mapping[str, _Placed], edges: Sequence[Edge]) -> str:
    """Return the id of the node that opens a round.

    Editors differ: `start_node_id` of the container, a start node or a mark on a child (files of version 0.1.0), or
    nothing; then it is the first child that no edge leads to.
    """
    children = [node_id for node_id, entry in placed.items() if entry.container == container]
    named = placed[container].data.get("start_node_id")
    if named in children:
        return str(named)
    targets = {edge.target for edge in edges}
    for node_id in children:
        if placed[node_id].node.kind in ROUND_STARTS or placed[node_id].data.get("isIterationStart"):
            return node_id
    for node_id in children:
        if node_id not in targets:
            return node_id
    raise GraphInvalid(f"{placed[container].node.name}: it contains no nodes")


def _check_nesting(placed: Mapping[str, _Placed]) -> None:
    """Check that no container lies inside itself: its rounds would have no end."""
    for node_id, entry in placed.items():
        seen, container = {node_id}, entry.container
        while container:
            if container in seen:
                raise GraphInvalid(f"{entry.node.name}: it lies inside itself")
            seen.add(container)
            container = placed[container].container


def _outline(levels: Mapping[str, GraphLevel], is_chatflow: bool) -> Outline:
    """Return the producers: answer nodes in chatflows, end nodes in workflows (contract streaming.md §4.5)."""
    top = levels[""]
    producers = {}
    for node_id, node in top.nodes.items():
        if node.text_parts is not None:
            if (node.kind == "answer") == is_chatflow:
                producers[node_id] = TextProducer(node_id, node.text_parts)
        elif is_chatflow and node.container and _has_answers(node_id, levels):
            producers[node_id] = TextProducer(node_id, None)
    certain: dict[str, list[str]] = {}
    for producer_id in producers:
        for node_id in _nodes_certain_to_reach(producer_id, top):
            certain.setdefault(node_id, []).append(producer_id)
    return Outline(producers, {node_id: tuple(found) for node_id, found in certain.items()}, frozenset(top.nodes))


def _has_answers(container: str, levels: Mapping[str, GraphLevel]) -> bool:
    """Return whether there are answer nodes inside a container, at any depth."""
    nodes = levels[container].nodes
    return any(
        node.kind == "answer" or (node.container and _has_answers(node_id, levels)) for node_id, node in nodes.items()
    )


def _nodes_certain_to_reach(target: str, level: GraphLevel) -> list[str]:
    """Return the nodes after which `target` runs, whatever handles they and the nodes behind them choose.

    Walked from the end, so that a node's successors are known before it: a node belongs to them if each of its handles
    takes an edge to one of them. A handle that leads elsewhere, such as a fail branch, makes the target uncertain.
    """
    certain = {target}
    for node_id in reversed(list(level.nodes)):
        node, edges = level.nodes[node_id], level.outgoing[node_id]
        if all(
            any(node.takes(edge.handle, handle) and edge.target in certain for edge in edges) for handle in node.handles
        ):
            certain.add(node_id)
    return list(certain)
