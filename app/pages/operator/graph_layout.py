"""Lay a graph out in layers, from left to right: every edge leads to a layer further right.

The steps are those of the layered method (Sugiyama, Tagawa, Toda): layers by the longest path, points for edges that
pass a layer, few crossings by medians, and heights that draw edges straight.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

ROW_GAP = 20.0
# How flat the line of an edge is where it passes a layer.
PASSING_HEIGHT = 12.0
ORDER_SWEEPS = 8
HEIGHT_SWEEPS = 6
# Layers that all edges pass together: some tenths of a second of work, once for a version of an app.
MOST_PASSINGS = 3_000
REMEMBERED_LAYOUTS = 64

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A node to be placed. Width and height in pixels."""

    id: str
    width: float
    height: float


@dataclass(frozen=True)
class PlacedEdge:
    """An edge with the points that its line passes; each pair of points after the first is a crossing of one layer."""

    source: str
    target: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class LayeredLayout:
    """Where the boxes' top left corners are, the lines of the edges, and the size of the whole."""

    corners: Mapping[str, Point]
    edges: tuple[PlacedEdge, ...]
    width: float
    height: float


@dataclass
class _Item:
    """A box, or the place where an edge passes a layer."""

    width: float
    height: float
    layer: int
    before: list["_Item"] = field(default_factory=list)
    behind: list["_Item"] = field(default_factory=list)
    place: int = 0
    middle: float = 0.0


class TooLargeToDraw(Exception):
    """A graph whose edges pass so many layers that laying it out would hold up other requests."""


@functools.lru_cache(maxsize=REMEMBERED_LAYOUTS)
def lay_out(boxes: tuple[Box, ...], edges: tuple[tuple[str, str], ...], gap: float) -> LayeredLayout:
    """Return the layout of boxes that stand in topological order, and of edges between them.

    `gap`: the pixels between two layers. Raises TooLargeToDraw.
    """
    if not boxes:
        return LayeredLayout({}, (), 0.0, 0.0)
    items = _items(boxes, edges)
    if sum(items[target].layer - items[source].layer for source, target in edges) > MOST_PASSINGS:
        raise TooLargeToDraw
    chains = [(source, target, _chain(items[source], items[target])) for source, target in edges]
    layers = _layers(items.values(), chains)
    _order(layers)
    _set_heights(layers)
    lefts, widths = _columns(layers, gap)
    top = min(item.middle - item.height / 2 for layer in layers for item in layer)
    bottom = max(item.middle + item.height / 2 for layer in layers for item in layer)
    corners = {
        name: (lefts[item.layer] + (widths[item.layer] - item.width) / 2, item.middle - item.height / 2 - top)
        for name, item in items.items()
    }
    placed = [
        PlacedEdge(source, target, tuple(_points(chain, items[source], items[target], lefts, widths, top)))
        for source, target, chain in chains
    ]
    return LayeredLayout(corners, tuple(placed), lefts[-1] + widths[-1], bottom - top)


def _items(boxes: Sequence[Box], edges: Sequence[tuple[str, str]]) -> dict[str, _Item]:
    """Return the boxes' items, each in the layer behind the last one that leads to it."""
    items = {box.id: _Item(box.width, box.height, 0) for box in boxes}
    leading: dict[str, list[str]] = {box.id: [] for box in boxes}
    for source, target in edges:
        leading[target].append(source)
    for box in boxes:
        items[box.id].layer = max((items[source].layer + 1 for source in leading[box.id]), default=0)
    return items


def _chain(source: _Item, target: _Item) -> list[_Item]:
    """Return the items at which an edge passes the layers between its ends, joined to them and to each other."""
    chain = [_Item(0.0, PASSING_HEIGHT, layer) for layer in range(source.layer + 1, target.layer)]
    for one, other in itertools.pairwise([source, *chain, target]):
        one.behind.append(other)
        other.before.append(one)
    return chain


def _layers(items: Iterable[_Item], chains: Sequence[tuple[str, str, list[_Item]]]) -> list[list[_Item]]:
    everything = [*items, *(item for _, _, chain in chains for item in chain)]
    layers: list[list[_Item]] = [[] for _ in range(max(item.layer for item in everything) + 1)]
    for item in everything:
        item.place = len(layers[item.layer])
        layers[item.layer].append(item)
    return layers


def _order(layers: list[list[_Item]]) -> None:
    """Sort each layer by the medians of its neighbours, from left and from right in turn; keep the best order seen."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(ORDER_SWEEPS):
        if not fewest:
            break
        forward = sweep % 2 == 0
        for layer in layers if forward else reversed(layers):
            layer.sort(key=_median_of(lambda item: item.before) if forward else _median_of(lambda item: item.behind))
            for place, item in enumerate(layer):
                item.place = place
        found = _crossings(layers)
        if found < fewest:
            best, fewest = [list(layer) for layer in layers], found
    for layer, kept in zip(layers, best, strict=True):
        layer[:] = kept
        for place, item in enumerate(layer):
            item.place = place


def _median_of(neighbours: Callable[[_Item], list[_Item]]) -> Callable[[_Item], float]:
    def median(item: _Item) -> float:
        places = sorted(neighbour.place for neighbour in neighbours(item))
        if not places:
            return float(item.place)
        return (places[(len(places) - 1) // 2] + places[len(places) // 2]) / 2

    return median


def _crossings(layers: list[list[_Item]]) -> int:
    """Count the pairs of edges that cross between neighbouring layers, as inversions of their right ends."""
    crossings = 0
    for layer in layers[:-1]:
        ends = [place for item in layer for place in sorted(neighbour.place for neighbour in item.behind)]
        sums = [0] * (max(ends, default=0) + 2)
        # A Fenwick tree: how many of the ends so far lie at or above a place.
        for number, end in enumerate(ends):
            place, not_below = end + 1, 0
            while place:
                not_below += sums[place]
                place &= place - 1
            crossings += number - not_below
            place = end + 1
            while place < len(sums):
                sums[place] += 1
                place += place & -place
    return crossings


def _set_heights(layers: list[list[_Item]]) -> None:
    """Give each item the height of its neighbours, as far as the items above and below it leave room."""
    for layer in layers:
        offsets = _offsets(layer)
        for item, offset in zip(layer, offsets, strict=True):
            item.middle = offset - offsets[-1] / 2
    for sweep in range(HEIGHT_SWEEPS):
        forward = sweep % 2 == 0
        for layer in layers if forward else reversed(layers):
            wanted = []
            for item in layer:
                neighbours = item.before if forward else item.behind
                middles = [neighbour.middle for neighbour in neighbours]
                wanted.append(sum(middles) / len(middles) if middles else item.middle)
            for item, middle in zip(layer, _spread(wanted, _offsets(layer)), strict=True):
                item.middle = middle


def _offsets(layer: list[_Item]) -> list[float]:
    """Return how far each item's middle is below the first one's where all stand as close as they may."""
    offsets = [0.0]
    for one, other in itertools.pairwise(layer):
        offsets.append(offsets[-1] + (one.height + other.height) / 2 + ROW_GAP)
    return offsets


def _spread(wanted: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """Return the heights nearest to those wanted (least squares) that keep the order and the distances.

    Without the offsets it is an isotonic regression: neighbours that are too close are pooled at their mean.
    """
    pools: list[tuple[float, int]] = []
    for height, offset in zip(wanted, offsets, strict=True):
        mean, count = height - offset, 1
        while pools and pools[-1][0] > mean:
            earlier, number = pools.pop()
            mean, count = (earlier * number + mean * count) / (number + count), number + count
        pools.append((mean, count))
    bases = [mean for mean, count in pools for _ in range(count)]
    return [base + offset for base, offset in zip(bases, offsets, strict=True)]


def _columns(layers: list[list[_Item]], gap: float) -> tuple[list[float], list[float]]:
    """Return where each layer begins, and how wide it is."""
    widths = [max(item.width for item in layer) for layer in layers]
    lefts = [0.0]
    for width in widths[:-1]:
        lefts.append(lefts[-1] + width + gap)
    return lefts, widths


def _points(
    chain: Sequence[_Item],
    source: _Item,
    target: _Item,
    lefts: Sequence[float],
    widths: Sequence[float],
    top: float,
) -> Iterable[Point]:
    """Yield the points of an edge: out of its source, through each layer that it passes, into its target."""
    yield lefts[source.layer] + (widths[source.layer] + source.width) / 2, source.middle - top
    for item in chain:
        yield lefts[item.layer], item.middle - top
        yield lefts[item.layer] + widths[item.layer], item.middle - top
    yield lefts[target.layer] + (widths[target.layer] - target.width) / 2, target.middle - top
