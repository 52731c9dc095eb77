"""Put the operators' pages together: their routes, their headers, and what a page says when something is wrong."""

from flask import Blueprint, Flask, Response
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as AnyResponse

from app.errors import AppError
from app.pages.operator import apps, conversations, feedback, guard, runs, search, sign_in, today, usage
from app.pages.operator.rendering import HEADERS, page, stylesheet
from app.services.operator.apps import AppRefused
from app.services.reports.report_filters import ReportNotFound, ReportRefused

_VIEWS = (apps, conversations, feedback, runs, search, sign_in, today, usage)


def mount(app: Flask) -> None:
    """Add the pages to an app."""
    blueprint = Blueprint("operator", __name__, url_prefix="/operator")
    for view in _VIEWS:
        view.add_routes(blueprint)
    blueprint.add_url_rule("/static/<string:name>", "stylesheet", stylesheet)
    blueprint.add_url_rule("/<path:rest>", "unknown", guard.operators_only(_unknown))
    blueprint.before_request(guard.read_session)
    blueprint.after_request(_add_headers)
    for refusal in (ReportRefused, AppRefused):
        blueprint.register_error_handler(refusal, _refused)
    blueprint.register_error_handler(AppError, _failed)
    blueprint.register_error_handler(HTTPException, _http_error)
    app.register_blueprint(blueprint)


def _unknown(rest: str) -> AnyResponse:
    raise NotFound


def _add_headers(response: Response) -> Response:
    if response.status_code >= 500 and response.is_json:
        # What the app's own renderer says of a fault or of a server that is away, in its words.
        said = response.get_json()["message"]
        response = page("problem.html", response.status_code, title="This did not work", problem=said)
    response.headers.update(HEADERS)
    return guard.add_headers(response)


def _refused(error: Exception) -> Response:
    status = 400 if isinstance(error, ReportRefused) and not isinstance(error, ReportNotFound) else 404
    return page("problem.html", status, title="This cannot be shown", problem=str(error))


def _failed(error: AppError) -> Response:
    return page("problem.html", error.status, title="This did not work", problem=error.message)


def _http_error(error: HTTPException) -> AnyResponse:
    if error.code is None or error.code < 400:
        return error.get_response()
    problem = "There is no such page." if error.code == 404 else error.description or error.name
    return page("problem.html", error.code, title=error.name, problem=problem)
