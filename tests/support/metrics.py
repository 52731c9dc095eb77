"""Metrics as Prometheus reads them, and a process that counts until it is killed."""

import pathlib
import subprocess
import sys
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from app.metrics.exposition import render
from app.metrics.host_values import read_host
from tests.support.paths import PROJECT

COUNTING = """
import itertools, pathlib, sys
from app.metrics import recording
from app.metrics.names import ANSWERS, FIRST_TOKEN, WEB_CONNECTIONS
recording.start(pathlib.Path(sys.argv[1]), sys.argv[2])
WEB_CONNECTIONS.set(7)
for number in itertools.count(1):
    ANSWERS.add("desk", "chat", "succeeded")
    FIRST_TOKEN.observe(0.3, "desk", "chat")
    if number in (1, 1000):
        print(number, flush=True)
"""

# A sample: its name and its labels, sorted.
Series = tuple[str, tuple[tuple[str, str], ...]]


def samples_of(text: str) -> dict[Series, float]:
    """The samples of a text, read by Prometheus's own parser; each series may stand there once."""
    found: dict[Series, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series = sample.name, tuple(sorted(sample.labels.items()))
            assert series not in found, series
            found[series] = sample.value
    return found


def scraped(folder: pathlib.Path) -> dict[Series, float]:
    """What all processes that counted in a folder have counted."""
    return samples_of(render(read_host(folder), []).decode())


def value(samples: Mapping[Series, float], name: str, **labels: str) -> float:
    """The sum of the series of a name that have these labels, 0 without any."""
    return sum(
        number for (known, pairs), number in samples.items() if known == name and labels.items() <= dict(pairs).items()
    )


def monotonic(samples: Mapping[Series, float]) -> dict[Series, float]:
    """Those samples that must never go back: counters, and the buckets, counts and sums of histograms."""
    return {
        series: number
        for series, number in samples.items()
        if series[0].endswith(("_total", "_bucket", "_count", "_sum"))
    }


def start_counting(folder: pathlib.Path, process: str = "worker") -> "subprocess.Popen[str]":
    """A process that counts answers as quickly as it can; returns once it has counted a thousand."""
    line = [sys.executable, "-c", COUNTING, str(folder), process]
    child = subprocess.Popen(line, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert [child.stdout.readline(), child.stdout.readline()] == ["1\n", "1000\n"]
    return child
