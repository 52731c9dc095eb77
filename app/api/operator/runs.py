"""Workflow runs, one with the states of its nodes, and its node executions."""

import uuid

from flask import Blueprint, Response
from pydantic import Field

from app.api.bodies import parse_query
from app.api.operator.answers import Named, OperatorQuery, PageQuery, RunQuery, answer, answer_page
from app.services.reports import run_graphs, run_records

MOST_EXECUTIONS = 100


class ExecutionsQuery(PageQuery):
    """A page of a run's node executions, of one node or of all."""

    node: Named | None = None
    limit: int = Field(20, ge=1, le=MOST_EXECUTIONS)


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/runs", "runs", _list)
    blueprint.add_url_rule("/runs/<uuid:run_id>", "run", _show)
    blueprint.add_url_rule("/runs/<uuid:run_id>/executions", "executions", _list_executions)
    blueprint.add_url_rule("/runs/<uuid:run_id>/stop", "stop_run", _stop, methods=["POST"])


def _list() -> Response:
    query = parse_query(RunQuery)
    return answer_page(run_records.list_runs(query.filter, query.following, query.limit), query.limit)


def _show(run_id: uuid.UUID) -> Response:
    parse_query(OperatorQuery)
    run, graph = run_records.show(str(run_id), with_nodes=False), run_graphs.graph_of_run(str(run_id))
    return answer(
        {"run": run.summary, "inputs": run.inputs, "outputs": run.outputs, "forms": run.forms, "graph": graph}
    )


def _list_executions(run_id: uuid.UUID) -> Response:
    query = parse_query(ExecutionsQuery)
    found = run_graphs.list_executions(str(run_id), query.node, query.following, query.limit)
    return answer_page(found, query.limit)


def _stop(run_id: uuid.UUID) -> Response:
    return answer({"stopped": run_records.stop(str(run_id))})
