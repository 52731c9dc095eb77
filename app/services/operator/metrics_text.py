"""The text of /metrics: what the processes of this host have counted, and what the database and Redis know."""

from flask import current_app

from app.metrics.exposition import render
from app.metrics.host_values import read_host
from app.services.operator.metric_facts import metric_facts


def metrics_text() -> bytes:
    """Return the metrics for Prometheus. Raises OSError where the folder of the metrics cannot be read."""
    # Facts first, for they may have to be waited for.
    facts = metric_facts().all()
    return render(read_host(current_app.config["METRICS_DIR"]), facts)
