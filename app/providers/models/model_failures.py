"""Map the errors of model servers to ProviderErrors, and log what the servers say.

The sentences of a server go to the log alone, masked: end users get ours.
"""

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
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
from app.errors.answers import AnswerFiltered
from app.providers.models.masking import masked

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
    "content_filter": AnswerFiltered,
    "content_policy_violation": AnswerFiltered,
    "responsibleaipolicyviolation": AnswerFiltered,
    "data_inspection_failed": AnswerFiltered,
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
DECISIVE = (ProviderQuotaExceeded, ContextTooLong, ModelNotFound, AnswerFiltered)
TOO_LONG = re.compile(r"context (length|size|window)|prompt is too long|maximum number of tokens", re.IGNORECASE)
# Where servers put their sentence, and what they call the rest.
SENTENCES = ("message", "msg", "detail", "error_msg", "error_message", "error_description", "title")
CODES = ("code", "error_code", "status", "status_code")


@dataclass(frozen=True)
class CallDescription:
    """One call for the log. `server`: the endpoint's name; `secrets`: its keys; `said`: the words that were sent.

    Neither keys nor words are written: where a server repeats them, they are masked.
    """

    server: str = "unknown"
    model: str = ""
    secrets: Collection[str] = ()
    said: str = ""

    def log_failure(self, status: int | None, fields: dict[str, Any], kind: type[ProviderError]) -> None:
        """Log a refusal or an error that a server reports."""
        named = "".join(
            f", {name} {self._masked(value)}"
            for name, value in (
                ("code", _first(fields, CODES)),
                ("type", fields.get("type")),
                ("param", fields.get("param")),
            )
            if value not in (None, "")
        )
        sentence = self._masked(_first(fields, SENTENCES) or "nothing")
        logger.warning(
            "model call failed: status %s from %s%s; it says: %s (taken as %s)",
            status or "200",
            self._place(),
            named,
            sentence,
            kind.__name__,
        )

    def log_unreadable(self, beginning: bytes) -> None:
        """Log that a response with status 200 holds no answer."""
        came = self._masked(beginning.decode("utf-8", "replace")) if beginning.strip() else "nothing"
        logger.warning("model call failed: no answer from %s; what came begins: %s", self._place(), came)

    def log_ending(self, reason: str | None, failure: ProviderError) -> None:
        """Log that an answer ended in a way that makes it unusable."""
        logger.warning(
            "model call failed: the answer from %s ended with %s (taken as %s)",
            self._place(),
            self._masked(reason or "no reason"),
            type(failure).__name__,
        )

    def _place(self) -> str:
        return f"{self.server}, model {masked(self.model, self.secrets)}" if self.model else self.server

    def _masked(self, value: Any) -> str:
        text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
        return masked(text, self.secrets, self.said)


UNKNOWN_CALL = CallDescription()


def failure_of_response(status: int, content: bytes, call: CallDescription = UNKNOWN_CALL) -> ProviderError:
    """Return the error for a response of another status than 200, and log it."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, list) and document:
        document = document[0]
    error = error_in(document) or hint_of_error(document)
    return _failure(error if error is not None else content.decode("utf-8", "replace"), status, call)


def failure_of_event(error: Any, call: CallDescription = UNKNOWN_CALL) -> ProviderError:
    """Return the error for what `error_in` found in an event, or in a response with status 200, and log it."""
    code = _first(error, CODES) if isinstance(error, dict) else None
    status = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else None
    return _failure(error, status if status is not None and 400 <= status < 600 else None, call)


def error_in(document: Any) -> Any:
    """Return the part of a JSON document that describes an error; None if it describes none."""
    if not isinstance(document, dict):
        return None
    if document.get("error"):
        return document["error"]
    return document if "error" in (document.get("object"), document.get("type")) else None


def hint_of_error(document: Any) -> Any:
    """Return a document that is no part of an answer and holds a sentence: the forms that servers invent for errors."""
    if not isinstance(document, dict) or document.get("choices"):
        return None
    errors = document.get("errors")
    if isinstance(errors, list) and errors:
        return errors[0]
    return document if _first(document, SENTENCES) else None


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _failure(error: Any, status: int | None, call: CallDescription) -> ProviderError:
    fields = error if isinstance(error, dict) else {"message": error}
    inner = fields.get("innererror")
    names = [
        name
        for name in (fields.get("code"), fields.get("type"), inner.get("code") if isinstance(inner, dict) else None)
        if isinstance(name, str)
    ]
    kind = _kind(names, str(_first(fields, SENTENCES)), status)
    call.log_failure(status, fields, kind)
    failure = kind()
    failure.server_status = status
    return failure


def _kind(names: list[str], message: str, status: int | None) -> type[ProviderError]:
    named = [NAMED[name.lower()] for name in names if name.lower() in NAMED]
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
