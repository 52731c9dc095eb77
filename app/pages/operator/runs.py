"""/operator/runs: runs of workflows and chatflows, on a drawing of their graph, and each node's executions."""

import uuid

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.pages.operator import filters, guard
from app.pages.operator.graph_drawing import draw
from app.pages.operator.guard import operators_only
from app.pages.operator.rendering import page
from app.services.operator import apps
from app.services.reports import run_graphs, run_records

EXECUTIONS = 20
STATUSES = ("running", "succeeded", "partial-succeeded", "failed", "stopped", "paused")


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/runs", "runs", operators_only(_list))
    blueprint.add_url_rule("/runs/<uuid:run_id>", "run", operators_only(_show))
    blueprint.add_url_rule("/runs/<uuid:run_id>/stop", "stop_run", operators_only(_stop), methods=["POST"])
    blueprint.add_url_rule("/runs/<uuid:run_id>/executions", "executions", operators_only(_executions))


def _list() -> AnyResponse:
    asked = filters.asked("app", "end_user", "account", "status", "words")
    found = run_records.list_runs(asked, filters.following(), filters.PAGE_ROWS)
    return page("runs.html", found=found, apps=apps.list_apps(), statuses=STATUSES)


def _show(run_id: uuid.UUID) -> AnyResponse:
    run = run_records.show(str(run_id), with_nodes=False)
    graph = run_graphs.graph_of_run(str(run_id))
    return page("run.html", run=run, graph=graph, drawing=draw(graph.nodes, graph.edges))


def _stop(run_id: uuid.UUID) -> AnyResponse:
    guard.check_form()
    run_records.stop(str(run_id))
    return redirect(url_for("operator.run", run_id=run_id), 303)


def _executions(run_id: uuid.UUID) -> AnyResponse:
    node_id = filters.text_of("node")
    found = run_graphs.list_executions(str(run_id), node_id, filters.following(), EXECUTIONS)
    return page("executions.html", run_id=str(run_id), node_id=node_id, found=found)
