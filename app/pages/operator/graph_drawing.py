"""Draw the graph of a workflow run: boxes with titles and states, lines, and containers around what they repeat."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from app.pages.operator.graph_layout import Box, Point, TooLargeToDraw, lay_out
from app.services.reports.run_graphs import RunEdge, RunNode

NODE_WIDTH, NODE_HEIGHT = 196.0, 62.0
# The node that opens a container's round.
DOT_SIZE = 18.0
# Between two layers, without labels and with them.
LAYER_GAP, LABEL_GAP = 56.0, 104.0
CONTAINER_PADDING, CONTAINER_HEAD = 16.0, 58.0
MARGIN = 12.0
LONGEST_TITLE = 23


@dataclass(frozen=True)
class DrawnNode:
    """A node's box. `inside`: how deep it lies in containers."""

    node: RunNode
    x: float
    y: float
    width: float
    height: float
    inside: int

    @property
    def title(self) -> str:
        """The title as far as the box shows it."""
        title = self.node.title
        return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


@dataclass(frozen=True)
class DrawnEdge:
    """An edge's line through points: curves between layers, straight through them."""

    edge: RunEdge
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """The line as a path of SVG."""
        x, y = self.points[0]
        parts = [f"M {x:.1f} {y:.1f}"]
        for number, ((x, y), (to_x, to_y)) in enumerate(itertools.pairwise(self.points)):
            if number % 2:
                parts.append(f"L {to_x:.1f} {to_y:.1f}")
            else:
                middle = (x + to_x) / 2
                parts.append(f"C {middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        return " ".join(parts)

    @property
    def label_place(self) -> Point:
        """Where the label of the edge's handle ends: short of the first layer that the edge comes to."""
        x, y = self.points[1]
        return x - 11, y - 5


@dataclass(frozen=True)
class GraphDrawing:
    """A graph as it is drawn. Containers come before what lies in them."""

    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]
    width: float
    height: float


@dataclass(frozen=True)
class _Level:
    nodes: list[DrawnNode]
    edges: list[DrawnEdge]
    width: float
    height: float


def draw(nodes: Sequence[RunNode], edges: Sequence[RunEdge]) -> GraphDrawing | None:
    """Return the drawing of a graph; None where it is too large to be drawn, or has no edges.

    Nodes stand in topological order; each edge lies in one level.
    """
    if not edges:
        return None
    try:
        level = _draw_level("", nodes, edges, 0)
    except TooLargeToDraw:
        return None
    moved = _moved(level, MARGIN, MARGIN)
    return GraphDrawing(tuple(moved.nodes), tuple(moved.edges), level.width + 2 * MARGIN, level.height + 2 * MARGIN)


def _draw_level(container: str, nodes: Sequence[RunNode], edges: Sequence[RunEdge], depth: int) -> _Level:
    """Draw the nodes that lie in a container, "" for the top, and all that lies in those."""
    here = [node for node in nodes if node.container == container]
    insides = {node.id: _draw_level(node.id, nodes, edges, depth + 1) for node in here if node.is_container}
    boxes = tuple(Box(node.id, *_size(node, insides.get(node.id))) for node in here)
    names = {node.id for node in here}
    lines = [edge for edge in edges if edge.source in names]
    gap = LABEL_GAP if any(edge.label for edge in lines) else LAYER_GAP
    layout = lay_out(boxes, tuple((edge.source, edge.target) for edge in lines), gap)
    drawn: list[DrawnNode] = []
    drawn_edges = [DrawnEdge(edge, placed.points) for edge, placed in zip(lines, layout.edges, strict=True)]
    for node, box in zip(here, boxes, strict=True):
        x, y = layout.corners[node.id]
        drawn.append(DrawnNode(node, x, y, box.width, box.height, depth))
        if node.id in insides:
            inside = _moved(insides[node.id], x + CONTAINER_PADDING, y + CONTAINER_HEAD)
            drawn += inside.nodes
            drawn_edges += inside.edges
    return _Level(drawn, drawn_edges, layout.width, layout.height)


def _size(node: RunNode, inside: _Level | None) -> tuple[float, float]:
    if node.opens_round:
        return DOT_SIZE, DOT_SIZE
    if inside is None:
        return NODE_WIDTH, NODE_HEIGHT
    width = max(inside.width + 2 * CONTAINER_PADDING, NODE_WIDTH)
    return width, inside.height + CONTAINER_HEAD + CONTAINER_PADDING


def _moved(level: _Level, right: float, down: float) -> _Level:
    nodes = [
        DrawnNode(item.node, item.x + right, item.y + down, item.width, item.height, item.inside)
        for item in level.nodes
    ]
    edges = [DrawnEdge(item.edge, tuple((x + right, y + down) for x, y in item.points)) for item in level.edges]
    return _Level(nodes, edges, level.width, level.height)
