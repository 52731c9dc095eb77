"""The graphs of published versions, built once per process."""

import functools

from app.errors import RunFailed
from app.services.definitions.app_configs import WorkflowConfig
from app.services.definitions.published_apps import version
from app.workflow.engine.graph import Graph, build
from app.workflow.failures import GraphInvalid

REMEMBERED_GRAPHS = 128


@functools.lru_cache(maxsize=REMEMBERED_GRAPHS)
def graph_of(version_id: str) -> Graph:
    """The graph of an app version. Raises AppUnavailable, RunFailed for one that an older release published and this one refuses."""
    try:
        return build(WorkflowConfig.from_definition(version(version_id)).graph)
    except GraphInvalid as invalid:
        raise RunFailed(f"Run failed: {invalid}") from None
