"""Kinds of metrics, and the recording of their values in this process. Before `start` nothing is recorded."""

import bisect
import os
import pathlib
from dataclasses import dataclass

from app.metrics.process_values import ProcessValues

# The process's file; None where metrics are off.
_values: ProcessValues | None = None


@dataclass(frozen=True)
class Metric:
    """A metric: its name, a sentence for its readers, the names of its labels.

    Labels are given by position, as texts. Those of `app`, `model`, `endpoint` and `cause` come from apps and settings:
    so many of each have series of their own, the rest is counted as `other` (known_names.py).
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class CounterMetric(Metric):
    """Counts what happens, over all processes that ever counted in METRICS_DIR.

    `last`: values of the last label that are told as 0 before they are counted, beside each series that there is (with
    one label: always). A counter that begins with 1 has no growth, and an alert would miss its first count.
    """

    last: tuple[str, ...] = ()

    def add(self, *labels: str, amount: float = 1) -> None:
        if _values is not None and amount > 0:
            _values.add(self.name, labels, self.labels, amount)


@dataclass(frozen=True)
class HistogramMetric(Metric):
    """Counts durations by their size. `buckets`: upper ends in seconds, growing."""

    buckets: tuple[float, ...] = ()

    def observe(self, seconds: float, *labels: str) -> None:
        if _values is not None:
            bucket = bisect.bisect_left(self.buckets, seconds)
            _values.observe(self.name, labels, self.labels, bucket, len(self.buckets) + 1, max(0.0, seconds))


@dataclass(frozen=True)
class LevelMetric(Metric):
    """Says how much there is of something in the living processes: summed over those of a kind.

    The kind of process is a label of its own, `process`, which stands before the others and is not given.
    """

    def set(self, value: float, *labels: str) -> None:
        if _values is not None:
            _values.put(self.name, labels, value)

    def change(self, by: float, *labels: str) -> None:
        if _values is not None:
            _values.add(self.name, labels, self.labels, by)


@dataclass(frozen=True)
class FactMetric(Metric):
    """Says what the database, Redis or the code says when it is asked: no process records it."""


def start(folder: pathlib.Path, process: str) -> ProcessValues:
    """Record from now on, in a file in the folder. `process`: `web`, `worker` …. Raises OSError."""
    global _values
    stop()
    _values = ProcessValues(folder, process)
    return _values


def stop() -> None:
    """Record no more. What was counted stays in the file."""
    global _values
    values, _values = _values, None
    if values is not None:
        values.close()


def is_on() -> bool:
    """Whether this process records."""
    return _values is not None


def _stop_in_child() -> None:
    """Record nothing in a forked child: it is another process, and nobody has started its recording."""
    global _values
    values, _values = _values, None
    if values is not None:
        values.close_in_child()


os.register_at_fork(after_in_child=_stop_in_child)
