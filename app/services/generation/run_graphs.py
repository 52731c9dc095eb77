"""The graphs of app versions, built once per process, and threads for their branches."""

import functools
from collections.abc import Callable

from flask import Flask, current_app

from app.errors import RunFailed
from app.services.definitions.published_apps import version
from app.workflow.engine import work_sharing
from app.workflow.engine.graph import Graph, build
from app.workflow.failures import GraphInvalid

REMEMBERED_GRAPHS = 128


@functools.lru_cache(maxsize=REMEMBERED_GRAPHS)
def graph_of(version_id: str, is_chatflow: bool) -> Graph:
    """Return the graph of an app version. Raises AppUnavailable, and RunFailed where this release refuses the graph.

    An earlier release may have published what this one refuses. `is_chatflow`: the app's mode.
    """
    try:
        return build(version(version_id).usable_workflow().graph.stored, is_chatflow)
    except GraphInvalid as invalid:
        raise RunFailed(f"Run failed: {invalid}") from None


def spawn_in_app_context() -> work_sharing.Spawn:
    """Return a `spawn` for branches: their threads need the app's context, which belongs to one thread."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def spawn(job: Callable[[], None]) -> None:
        def in_context() -> None:
            with app.app_context():
                job()

        work_sharing.spawn(in_context)

    return spawn
