"""The layered layout of graphs."""

import itertools
import random

import pytest

from app.pages.operator.graph_layout import MOST_PASSINGS, Box, TooLargeToDraw, lay_out

GAP = 50.0


def boxes(*names: str) -> tuple[Box, ...]:
    return tuple(Box(name, 100, 40) for name in names)


def laid_out(boxes, edges):
    return lay_out(tuple(boxes), tuple(edges), GAP)


def random_graph(seed: int) -> tuple[list[Box], list[tuple[str, str]]]:
    """Boxes in topological order, and edges that lead forward."""
    chance = random.Random(seed)
    names = [f"n{number}" for number in range(chance.randint(2, 40))]
    pairs = list(itertools.combinations(names, 2))
    sizes = [Box(name, chance.choice([20.0, 100.0, 300.0]), chance.choice([20.0, 40.0, 200.0])) for name in names]
    return sizes, chance.sample(pairs, min(len(pairs), chance.randint(1, 80)))


def test_a_chain_is_a_straight_line():
    layout = laid_out(boxes("a", "b", "c"), [("a", "b"), ("b", "c")])
    assert layout.corners == {"a": (0, 0), "b": (150, 0), "c": (300, 0)}
    assert (layout.width, layout.height) == (400, 40)
    assert layout.edges[0].points == ((100, 20), (150, 20))


def test_branches_stand_below_each_other_and_their_source_between_them():
    layout = laid_out(boxes("a", "b", "c"), [("a", "b"), ("a", "c")])
    (_, above), (_, below) = sorted((layout.corners["b"], layout.corners["c"]), key=lambda corner: corner[1])
    assert below - above >= 40 and layout.corners["a"][1] == (above + below) / 2


def test_an_edge_passes_a_layer_beside_its_boxes():
    layout = laid_out(boxes("a", "b", "c"), [("a", "b"), ("b", "c"), ("a", "c")])
    passing = layout.edges[2].points[1][1]
    top = layout.corners["b"][1]
    assert len(layout.edges[2].points) == 4 and not top <= passing <= top + 40


def test_edges_that_need_not_cross_do_not():
    names = boxes("a", "b", "x", "y")
    layout = laid_out(names, [("a", "y"), ("b", "x")])
    assert (layout.corners["a"][1] < layout.corners["b"][1]) == (layout.corners["y"][1] < layout.corners["x"][1])


@pytest.mark.parametrize("seed", range(25))
def test_boxes_never_overlap_and_edges_lead_to_the_right(seed):
    sizes, edges = random_graph(seed)
    layout = laid_out(sizes, edges)
    for one, other in itertools.combinations(sizes, 2):
        (x, y), (other_x, other_y) = layout.corners[one.id], layout.corners[other.id]
        apart = x + one.width <= other_x or other_x + other.width <= x
        assert apart or y + one.height <= other_y + 1e-6 or other_y + other.height <= y + 1e-6
    for edge in layout.edges:
        xs = [x for x, _ in edge.points]
        assert xs == sorted(xs) and xs[0] < xs[-1]
    for box in sizes:
        x, y = layout.corners[box.id]
        assert -1e-6 <= x <= layout.width - box.width + 1e-6 and -1e-6 <= y <= layout.height - box.height + 1e-6


def test_a_graph_without_nodes_has_no_size():
    layout = laid_out([], [])
    assert (layout.corners, layout.width, layout.height) == ({}, 0, 0)


def test_a_graph_that_would_hold_others_up_is_not_laid_out():
    names = [f"n{number}" for number in range(MOST_PASSINGS // 2 + 2)]
    chain = [*itertools.pairwise(names), (names[0], names[-1])]
    with pytest.raises(TooLargeToDraw):
        laid_out(boxes(*names), chain)
