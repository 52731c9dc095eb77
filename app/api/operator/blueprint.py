"""Put the routes of the operators' API together: each call has a token, each refusal the shape of an error."""

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import NotFound as UnknownUrl

from app.api import errors
from app.api.client_address import client_address
from app.api.operator import apps, conversations, runs, search, usage
from app.errors import InvalidParam, NotFound
from app.services.auth import operator_access
from app.services.operator.apps import AppRefused
from app.services.reports.report_filters import ReportNotFound, ReportRefused

_ROUTES = (apps, conversations, runs, search, usage)


def mount(app: Flask) -> None:
    """Add the routes to an app."""
    blueprint = Blueprint("operator_api", __name__, url_prefix="/operator/api")
    for routes in _ROUTES:
        routes.add_routes(blueprint)
    blueprint.add_url_rule("", "version", _version)
    blueprint.add_url_rule("/<path:rest>", "unknown", _unknown)
    blueprint.before_request(_check_token)
    blueprint.after_request(_add_headers)
    blueprint.register_error_handler(ReportRefused, _refused)
    blueprint.register_error_handler(AppRefused, _no_app)
    app.register_blueprint(blueprint)


def _check_token() -> None:
    """Raises Unauthorized, TooManyRequests."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    operator_access.check_token(token.strip() if kind.lower() == "bearer" else "", client_address())


def _add_headers(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _version() -> dict[str, str]:
    return {"version": current_app.config["VERSION"]}


def _unknown(rest: str) -> Response:
    raise UnknownUrl


def _refused(refusal: Exception) -> Response:
    kind = NotFound if isinstance(refusal, ReportNotFound) else InvalidParam
    return errors.render_error(kind(str(refusal)))


def _no_app(refusal: Exception) -> Response:
    return errors.render_error(NotFound(str(refusal)))
