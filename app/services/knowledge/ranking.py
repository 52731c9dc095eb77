"""Merge the results of several searches into one order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# The usual constant of reciprocal rank fusion. The larger it is, the less a first rank counts above a tenth one.
_SMOOTHING = 60


@dataclass(frozen=True)
class Hit:
    """A segment that was found. `score`: how well it fits, from 0 to 1."""

    segment_id: str
    score: float


def by_rank(lists: Iterable[Sequence[Hit]]) -> list[Hit]:
    """Merge by reciprocal rank fusion: a segment that ranks high in several lists comes first.

    Ranks are compared because scores of different searches have different scales. A hit keeps its best score.
    """
    points: dict[str, float] = {}
    scores: dict[str, float] = {}
    for hits in lists:
        for rank, hit in enumerate(hits, 1):
            points[hit.segment_id] = points.get(hit.segment_id, 0.0) + 1 / (_SMOOTHING + rank)
            scores[hit.segment_id] = max(scores.get(hit.segment_id, 0.0), hit.score)
    order = sorted(points, key=lambda key: (-points[key], -scores[key]))
    return [Hit(key, scores[key]) for key in order]


def by_weight(lists: Sequence[tuple[float, Sequence[Hit]]]) -> list[Hit]:
    """Merge by the weighted sum of scores; weights are scaled to a sum of 1."""
    total = sum(weight for weight, _ in lists) or 1.0
    scores: dict[str, float] = {}
    for weight, hits in lists:
        for hit in hits:
            scores[hit.segment_id] = scores.get(hit.segment_id, 0.0) + hit.score * weight / total
    return ordered(scores)


def ordered(scores: Mapping[str, float]) -> list[Hit]:
    """Return hits by segment id and score, the best first."""
    return [Hit(key, score) for key, score in sorted(scores.items(), key=lambda item: -item[1])]
