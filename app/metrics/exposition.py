"""The text of metrics that Prometheus reads, made by its own client library."""

import itertools
from collections.abc import Iterable, Sequence

from app.metrics.host_values import HostValues
from app.metrics.names import LEVELS_PROCESS, METRICS, PROCESSES
from app.metrics.recording import CounterMetric, FactMetric, HistogramMetric, LevelMetric, Metric

# A fact: the metric, the values of its labels, its value.
Fact = tuple[FactMetric, Sequence[str], float]
# The values of the labels, and the numbers.
Series = tuple[Sequence[str], list[float]]
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(host: HostValues, facts: Iterable[Fact]) -> bytes:
    """Return the text of all metrics. A metric without labels that nothing has counted yet is 0."""
    # Imported here: half a megabyte, for the processes that are scraped.
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
    from prometheus_client.registry import Collector

    by_name: dict[str, list[Series]] = {name: [] for name in METRICS}
    for (name, *labels), numbers in host.counts.items():
        by_name[name].append((labels, numbers))
    for (name, *labels), level in host.levels.items():
        by_name[name].append((labels, [level]))
    for metric, values, value in facts:
        by_name[metric.name].append((values, [value]))
    by_name[PROCESSES.name] = [([process], [number]) for process, number in host.processes.items()]

    class Families(Collector):
        def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
            for metric in METRICS.values():
                series = by_name[metric.name] + _zeros(metric, by_name[metric.name])
                if isinstance(metric, HistogramMetric):
                    histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
                    for labels, (*counts, total) in series:
                        ends = [*map(_bound, metric.buckets), "+Inf"]
                        buckets = list(zip(ends, itertools.accumulate(counts), strict=True))
                        histogram.add_metric(labels, buckets, total)
                    yield histogram
                    continue
                own = (LEVELS_PROCESS, *metric.labels) if isinstance(metric, LevelMetric) else metric.labels
                kind = CounterMetricFamily if isinstance(metric, CounterMetric) else GaugeMetricFamily
                family = kind(metric.name, metric.help, labels=own)
                for labels, numbers in series:
                    family.add_metric(labels, numbers[0])
                yield family

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Families())
    return generate_latest(registry)


def _zeros(metric: Metric, series: list[Series]) -> list[Series]:
    """Return the series of a counter that nothing has counted yet and that are told all the same."""
    if not isinstance(metric, CounterMetric):
        return []
    known = {tuple(labels) for labels, _ in series}
    if not metric.labels:
        return [] if known else [((), [0.0])]
    beside = dict.fromkeys(labels[:-1] for labels in known) if len(metric.labels) > 1 else [()]
    wanted = [(*labels, value) for labels in beside for value in metric.last]
    return [(labels, [0.0]) for labels in wanted if labels not in known]


def _bound(seconds: float) -> str:
    return repr(float(seconds))
