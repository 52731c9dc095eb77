"""What operators are given beside the metrics: the page, the dashboard and the alerts name what there is."""

import json
import re

import pytest
import yaml

from app.metrics.names import METRICS
from app.metrics.process_values import CAPPED
from app.metrics.recording import CounterMetric, HistogramMetric, LevelMetric
from tests.support.paths import PROJECT

DOCS = PROJECT / "app" / "docs"
PAGE = (DOCS / "metrics.md").read_text()
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text())
RULES = [rule for group in yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
SERIES = {
    name + ending: metric
    for name, metric in METRICS.items()
    for ending in (("_bucket", "_count", "_sum") if isinstance(metric, HistogramMetric) else ("",))
}
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
QUERIES += [variable["definition"] for variable in DASHBOARD["templating"]["list"] if variable["type"] == "query"]
# What Prometheus adds to a scrape by itself.
OF_PROMETHEUS = {"up"}


def labels_of(name: str) -> set[str]:
    metric = SERIES[name]
    added = {"process"} if isinstance(metric, LevelMetric) else {"le"} if name.endswith("_bucket") else set()
    return {*metric.labels, *added}


@pytest.mark.parametrize("query", QUERIES + [rule["expr"] for rule in RULES])
def test_queries_use_series_and_labels_that_there_are(query):
    names = set(re.findall(r"\bfrontdesk_\w+", query)) or OF_PROMETHEUS & set(re.findall(r"\w+", query))
    assert names and names - set(SERIES) - OF_PROMETHEUS == set()
    ours = [labels_of(name) for name in names - OF_PROMETHEUS]
    grouped = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(",")}
    chosen = {label for part in re.findall(r"\{([^}]*)\}", query) for label in re.findall(r"(\w+)\s*[=!]", part)}
    assert grouped | chosen <= (set.union(*ours) if ours else {"job"})


@pytest.mark.parametrize("query", QUERIES + [rule["expr"] for rule in RULES])
def test_queries_rate_counters_alone(query):
    rated = set(re.findall(r"\b(?:rate|increase)\((frontdesk_\w+)", query))
    counters = {name for name, metric in SERIES.items() if isinstance(metric, CounterMetric | HistogramMetric)}
    assert (
        rated == {name for name in re.findall(r"\bfrontdesk_\w+", query) if name in counters} or "label_values" in query
    )


def test_the_dashboard_shows_every_metric():
    shown = {name for query in QUERIES for name in re.findall(r"\bfrontdesk_\w+", query)}
    assert {SERIES[name].name for name in shown} == set(METRICS)


def test_the_dashboard_is_one_that_grafana_takes():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [tuple(panel["gridPos"].values()) for panel in panels]
    cells = [(column, line) for x, y, w, h in places for column in range(x, x + w) for line in range(y, y + h)]
    assert len(set(cells)) == len(cells) and all(x + w <= 24 for x, _, w, _ in places)


def test_legends_use_labels_that_the_query_leaves():
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            used = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            left = {
                label.strip() for group in re.findall(r"\bby \(([^)]*)\)", target["expr"]) for label in group.split(",")
            }
            assert used <= left, target


def test_there_are_eight_alerts_and_the_page_explains_each():
    rows = re.findall(r"^\| `(Frontdesk\w+)` \|", PAGE, re.MULTILINE)
    assert [rule["alert"] for rule in RULES] == rows and len(rows) == 8
    assert all({"summary", "description"} == set(rule["annotations"]) and rule["labels"]["severity"] for rule in RULES)


def test_the_page_explains_every_metric_with_its_labels():
    rows = re.findall(r"^\| (`frontdesk_[^|]*) \|([^|]*)\|", PAGE, re.MULTILINE)
    told = {
        name: set(re.findall(r"`(\w+)`", labels)) for names, labels in rows for name in re.findall(r"`(\w+)`", names)
    }
    assert {name: labels for name, labels in told.items() if not name.endswith("_limit")} == {
        name: set(metric.labels) for name, metric in METRICS.items() if not name.endswith("_limit")
    }
    assert set(told) == set(METRICS)


def test_labels_that_come_from_outside_are_bounded():
    ours = {"mode", "outcome", "kind", "part", "side", "status", "pool", "state", "queue", "version", "python"}
    assert {label for metric in METRICS.values() for label in metric.labels} == ours | set(CAPPED)
