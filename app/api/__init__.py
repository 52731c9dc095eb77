"""Mount the Web API: Flask-RESTX on a blueprint at /api. No queries, commits or model calls in this package."""

from typing import Any

from flask import Blueprint, Flask, Response, redirect
from flask_restx import Api
from flask_restx.utils import default_id
from werkzeug.wrappers import Response as AnyResponse

from app.api import (
    client_address,
    console,
    cors,
    default,
    errors,
    file_previews,
    open_requests,
    openapi_document,
    operations,
    operator,
    request_lines,
)
from app.api.document import default_ns, web_ns
from app.api.process_hub import hub
from app.api.reading_order import in_reading_order
from app.api.web import (
    app_info,
    audio,
    chat_messages,
    completion_messages,
    conversations,
    files,
    human_input,
    login,
    messages,
    passport,
    remote_files,
    saved_messages,
    workflows,
)

ROUTES = (
    app_info,
    audio,
    chat_messages,
    completion_messages,
    conversations,
    default,
    files,
    human_input,
    login,
    messages,
    passport,
    remote_files,
    saved_messages,
    workflows,
)

AUTHORIZATIONS = {
    "Passport": {
        "type": "apiKey",
        "name": "X-App-Passport",
        "in": "header",
        "description": "The access_token of GET /passport.",
    },
    "Bearer": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "Type: Bearer {your-api-key}. The Web API itself goes by passports.",
    },
}


def operation_id(resource: str, method: str) -> str:
    """Return the document's name for an operation: `post_chat_messages` for `ChatMessagesResource.post`."""
    return str(default_id(resource.removesuffix("Resource"), method))


class WebApi(Api):
    """Flask-RESTX with our one renderer of errors.

    RESTX's own tries its handlers in the order of their registration, so that a base class hides its children, and adds
    hints to messages.
    """

    def handle_error(self, error: Exception) -> Response:
        """Return the response to an error in a route."""
        return errors.render_error(error)

    @property
    def __schema__(self) -> dict[str, Any]:
        """The Swagger document."""
        return in_reading_order(super().__schema__)


def init_app(app: Flask) -> None:
    """Mount the API, its document, its documentation page and the routes outside /api."""
    request_lines.init_app(app)
    app.config["RESTX_INCLUDE_ALL_MODELS"] = True
    app.config["RESTX_ERROR_404_HELP"] = False
    app.config["SWAGGER_UI_DOC_EXPANSION"] = "list"
    app.config["SWAGGER_UI_REQUEST_DURATION"] = True
    blueprint = Blueprint("api", __name__, url_prefix="/api")
    api = WebApi(
        blueprint,
        version="1.0",
        title="Web API",
        description="Public APIs for web applications including file uploads, chat interactions, and app management",
        doc="/docs",
        authorizations=AUTHORIZATIONS,
        default_id=operation_id,
        validate=False,
    )
    api.add_namespace(web_ns)
    api.add_namespace(default_ns)
    app.register_blueprint(blueprint)
    app.extensions["web_api"] = api
    errors.init_app(app)
    client_address.init_app(app)
    open_requests.init_app(app)
    cors.init_app(app)
    operations.init_app(app)
    console.init_app(app)
    openapi_document.init_app(app)
    file_previews.init_app(app)
    operator.init_app(app)
    app.before_request(_start_hub)
    if app.config["PAGES"] == "off":
        app.add_url_rule("/", "home", _home)


def swagger_document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document that /api/swagger.json serves."""
    with app.test_request_context("/api/swagger.json"):
        document: dict[str, Any] = app.extensions["web_api"].__schema__
    return document


def _start_hub() -> None:
    """Start the hub by the first request: apps and end users are cached from then on, and it learns of changes."""
    hub()


def _home() -> AnyResponse:
    return redirect("/api/docs")
