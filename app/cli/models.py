"""`flask models …`: show and test the model servers of the route table."""

import dataclasses

import click

from app.cli.groups import OperatorGroup
from app.cli.output import as_json_option, print_json, print_table
from app.providers.models import model_checks
from app.providers.models.routes import Route
from app.services.process.providers import model_routes

NO_SERVER = "No model server is set: set OPENAI_BASE_URL or MODELS_FILE, or start the local model with `make run`."

models_group = OperatorGroup("models", help="Show and test the model servers of the apps.")


@models_group.command("list")
@as_json_option
def list_models(as_json: bool) -> None:
    """List which server answers for each model of the app files; the first matching line counts."""
    routes = model_routes().describe()
    if as_json:
        print_json([dataclasses.asdict(route) for route in routes])
        return
    if not routes:
        click.echo(NO_SERVER)
        return
    headings = ["PROVIDER", "NAME", "KIND", "SENT AS", "ENDPOINT", "ADDRESS", "STATE"]
    rows = [
        [*_route_name(route), route.endpoint, route.base_url or "-", route.problem or "not tried"] for route in routes
    ]
    if any(route.prices for route in routes):
        headings.append("PRICES")
        for row, route in zip(rows, routes, strict=True):
            row.append(route.prices or "-")
    print_table(headings, rows)
    click.echo("`.venv/bin/flask --app wsgi models check` tries each line.")


@models_group.command("check")
@as_json_option
def check_models(as_json: bool) -> None:
    """Try every line of the list: a token, a vector, a word. The exit code is 1 if one fails."""
    routes = model_routes()
    results = []
    for route in routes.describe():
        outcome = model_checks.check(routes, route)
        seconds = None if outcome.seconds is None else round(outcome.seconds, 3)
        problem, said = (outcome.said, "") if outcome.seconds is None else ("", outcome.said)
        results.append(dataclasses.asdict(route) | {"problem": problem, "result": said, "seconds": seconds})
        if not as_json:
            click.echo(f"{' '.join(_route_name(route))} at {route.endpoint}: {problem or f'{said} ({seconds} s)'}")
    if as_json:
        print_json(results)
    elif not results:
        click.echo(NO_SERVER)
    if not results or any(result["problem"] for result in results):
        raise click.exceptions.Exit(1)


def _route_name(route: Route) -> tuple[str, str, str, str]:
    return route.provider, route.name, route.kind, route.remote_name or "as named"
