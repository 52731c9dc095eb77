"""Small plots of bars, as numbers that a template draws."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 480.0, 96.0
GAP = 0.2


@dataclass(frozen=True)
class Bar:
    """One bar: what it stands for, and its parts from the bottom, by what they are called."""

    label: str
    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


@dataclass(frozen=True)
class PlottedPart:
    """A part of a bar as a rectangle."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class PlottedBar:
    """A bar's rectangles, and the whole strip that it stands in."""

    bar: Bar
    x: float
    width: float
    parts: tuple[PlottedPart, ...]


@dataclass(frozen=True)
class Plot:
    """A plot of bars. `top`: the value at its upper edge; `title`: what is plotted."""

    title: str
    bars: tuple[PlottedBar, ...]
    top: float
    width: float = WIDTH
    height: float = HEIGHT


def plot(bars: Sequence[Bar], title: str) -> Plot:
    """Return the plot of bars that stand side by side."""
    top = _round_top(max((bar.total for bar in bars), default=0.0))
    strip = WIDTH / max(len(bars), 1)
    return Plot(title, tuple(_plotted(bar, number * strip, strip, top) for number, bar in enumerate(bars)), top)


def _plotted(bar: Bar, x: float, strip: float, top: float) -> PlottedBar:
    parts, bottom = [], HEIGHT
    for name, value in bar.parts.items():
        height = value / top * HEIGHT
        bottom -= height
        if value:
            parts.append(PlottedPart(name, x + strip * GAP / 2, bottom, strip * (1 - GAP), height))
    return PlottedBar(bar, x, strip, tuple(parts))


def _round_top(most: float) -> float:
    """Return the least of 1, 2, 5, 10, 20, 50, … that is not below `most`."""
    if most <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= most)
