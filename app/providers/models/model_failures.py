"""Map the errors of model servers to ProviderErrors. The servers' own sentences are dropped: they may hold keys."""

import logging
import re
from typing import Any

import orjson

from app.errors import (
    ContextTooLong,
    ModelNotFound,
    ProviderAuthFailed,
    ProviderBadRequest,
    ProviderError,
    ProviderProtocolError,
    ProviderQuotaExceeded,
    ProviderRateLimited,
    ProviderServerError,
    ProviderTimeout,
)

logger = logging.getLogger(__name__)

# OpenAI's codes and types first, then those of other servers that speak its protocol.
NAMED: dict[str, type[ProviderError]] = {
    "insufficient_quota": ProviderQuotaExceeded,
    "billing_hard_limit_reached": ProviderQuotaExceeded,
    "billing_not_active": ProviderQuotaExceeded,
    "insufficient_user_quota": ProviderQuotaExceeded,
    "insufficient_balance": ProviderQuotaExceeded,
    "context_length_exceeded": ContextTooLong,
    "exceed_context_size_error": ContextTooLong,
    "string_above_max_length": ContextTooLong,
    "model_not_found": ModelNotFound,
    "model_not_available": ModelNotFound,
    "invalid_api_key": ProviderAuthFailed,
    "authentication_error": ProviderAuthFailed,
    "permission_error": ProviderAuthFailed,
    "rate_limit_exceeded": ProviderRateLimited,
    "rate_limit_error": ProviderRateLimited,
    "timeout": ProviderTimeout,
    "timeout_error": ProviderTimeout,
    "invalid_request_error": ProviderBadRequest,
    "server_error": ProviderServerError,
    "overloaded_error": ProviderServerError,
}
STATUSES: dict[int, type[ProviderError]] = {
    401: ProviderAuthFailed,
    402: ProviderQuotaExceeded,
    403: ProviderAuthFailed,
    404: ModelNotFound,
    408: ProviderTimeout,
    429: ProviderRateLimited,
    504: ProviderTimeout,
    522: ProviderTimeout,
    524: ProviderTimeout,
}
# These decide before the status; the other names count only where there is no status.
DECISIVE = (ProviderQuotaExceeded, ContextTooLong, ModelNotFound)
TOO_LONG = re.compile(r"context (length|size|window)|prompt is too long|maximum number of tokens", re.IGNORECASE)
PRINTABLE = re.compile(r"[a-z_]{1,48}")


def failure_of_response(status: int, content: bytes) -> ProviderError:
    """Return the error for a response of another status than 200."""
    try:
        error = error_in(orjson.loads(content))
    except orjson.JSONDecodeError:
        error = None
    return _failure(error, status)


def failure_of_event(error: Any) -> ProviderError:
    """Return the error for an `error` member in an event of a stream, or in a response with status 200."""
    code = error.get("code") if isinstance(error, dict) else None
    status = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else None
    return _failure(error, status if status is not None and 400 <= status < 600 else None)


def error_in(document: Any) -> Any:
    """Return the part of a JSON document that describes an error; None if it describes none."""
    if not isinstance(document, dict):
        return None
    if document.get("error"):
        return document["error"]
    return document if document.get("object") == "error" else None


def _failure(error: Any, status: int | None) -> ProviderError:
    fields = error if isinstance(error, dict) else {"message": error}
    names = [name for name in (fields.get("code"), fields.get("type")) if isinstance(name, str)]
    kind = _kind(names, str(fields.get("message")), status)
    logger.warning(
        "model call failed: status %s, error %s, taken as %s",
        status or "200",
        "/".join(filter(PRINTABLE.fullmatch, names)) or "unnamed",
        kind.__name__,
    )
    return kind()


def _kind(names: list[str], message: str, status: int | None) -> type[ProviderError]:
    named = [NAMED[name] for name in names if name in NAMED]
    for kind in named:
        if kind in DECISIVE:
            return kind
    if status in (None, 400, 413, 422, 500) and TOO_LONG.search(message):
        return ContextTooLong
    if status is None:
        return named[0] if named else ProviderServerError
    return STATUSES.get(status) or _kind_of_class(status)


def _kind_of_class(status: int) -> type[ProviderError]:
    if 400 <= status < 500:
        return ProviderBadRequest
    if 500 <= status < 600:
        return ProviderServerError
    return ProviderProtocolError
