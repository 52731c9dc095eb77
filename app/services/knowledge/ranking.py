"""From what several searches found, one order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# The usual constant of reciprocal rank fusion: how much less the tenth of a list counts than the first.
_SMOOTHING = 60


@dataclass(frozen=True)
class Hit:
    """A segment that was found, and how well it fits (0 to 1)."""

    segment_id: str
    score: float


def by_rank(lists: Iterable[Sequence[Hit]]) -> list[Hit]:
    """Merged by reciprocal rank fusion: who stands high in many lists stands first. The score is the best one of the lists."""
    points: dict[str, float] = {}
    scores: dict[str, float] = {}
    for hits in lists:
        for rank, hit in enumerate(hits, 1):
            points[hit.segment_id] = points.get(hit.segment_id, 0.0) + 1 / (_SMOOTHING + rank)
            scores[hit.segment_id] = max(scores.get(hit.segment_id, 0.0), hit.score)
    order = sorted(points, key=lambda key: (-points[key], -scores[key]))
    return [Hit(key, scores[key]) for key in order]


def by_weight(lists: Sequence[tuple[float, Sequence[Hit]]]) -> list[Hit]:
    """Merged by the weighted sum of the scores; the weights count as parts of their sum."""
    total = sum(weight for weight, _ in lists) or 1.0
    scores: dict[str, float] = {}
    for weight, hits in lists:
        for hit in hits:
            scores[hit.segment_id] = scores.get(hit.segment_id, 0.0) + hit.score * weight / total
    return ordered(scores)


def ordered(scores: Mapping[str, float]) -> list[Hit]:
    """Best first."""
    return [Hit(key, score) for key, score in sorted(scores.items(), key=lambda item: -item[1])]
