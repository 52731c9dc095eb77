"""Render every error as JSON (contract README §3)."""

import re
from typing import cast

import orjson
import redis
import structlog
from flask import Flask, Response
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import InterfaceError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestedRangeNotSatisfiable

from app.errors import AppError, ServiceUnavailable
from app.extensions import DATABASE_AWAY, lacks_tables

log = structlog.get_logger(__name__)

UNREACHABLE = (*DATABASE_AWAY, InterfaceError, redis.ConnectionError, redis.TimeoutError, BrokerError)
_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])")


def render_error(error: Exception) -> Response:
    """Return the response to any exception. Unexpected ones are logged with their traceback and hidden behind a 500."""
    if isinstance(error, UNREACHABLE):
        log.error("service.away", error=type(error).__name__, detail=str(error).partition("\n")[0])
        error = ServiceUnavailable()
    elif lacks_tables(error):
        log.error("service.without_tables", detail=str(error).partition("\n")[0])
        error = ServiceUnavailable()
    if isinstance(error, AppError):
        response = _response(error.code, error.message, error.status)
        if error.status == 429:
            response.headers["Retry-After"] = str(error.retry_after)
        return response
    if isinstance(error, HTTPException) and error.code is not None:
        if error.response is not None or error.code < 400:
            return cast(Response, error.get_response())
        # "Not Found" and "RequestEntityTooLarge" alike become snake case.
        code = _WORD_START.sub("_", error.name.replace(" ", "_")).lower()
        response = _response(code, error.description or error.name, error.code)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        if isinstance(error, RequestedRangeNotSatisfiable) and error.length is not None:
            response.headers["Content-Range"] = f"{error.units} */{error.length}"
        return response
    log.error("request.failed", exc_info=error)
    return _response("unknown", "Internal Server Error", 500)


def _response(code: str, message: str, status: int) -> Response:
    body = orjson.dumps({"code": code, "message": message, "status": status})
    response = Response(body, status=status, mimetype="application/json")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def init_app(app: Flask) -> None:
    """Render errors outside the API's own routes, too: unknown URLs, wrong methods."""
    app.register_error_handler(Exception, render_error)
