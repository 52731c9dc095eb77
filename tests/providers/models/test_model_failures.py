"""The error for each status and code of model servers, known or new."""

import logging
from typing import Any

import orjson
import pytest

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
from app.providers.models.model_failures import CallDescription, failure_of_event, failure_of_response

SECRET = "sk-very-secret"
SPECIAL = {
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


def expected(status: int) -> type[ProviderError]:
    if status in SPECIAL:
        return SPECIAL[status]
    return {4: ProviderBadRequest, 5: ProviderServerError}.get(status // 100, ProviderProtocolError)


@pytest.mark.parametrize(
    "content", [b"", b"<html>nginx</html>", b"5", b'{"error": {}}', b'{"error": "no"}', b'{"detail": []}']
)
@pytest.mark.parametrize(
    "status", [201, 204, 301, 302, 307, *range(400, 432), 451, *range(500, 512), 522, 524, 529, 599, 600, 999]
)
def test_every_status_has_an_error(status: int, content: bytes) -> None:
    assert type(failure_of_response(status, content)) is expected(status)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (429, {"code": "insufficient_quota"}, ProviderQuotaExceeded),
        (429, {"type": "insufficient_quota", "code": None}, ProviderQuotaExceeded),
        (403, {"code": "insufficient_user_quota"}, ProviderQuotaExceeded),
        (400, {"code": "billing_hard_limit_reached"}, ProviderQuotaExceeded),
        (429, {"code": "rate_limit_exceeded", "type": "requests"}, ProviderRateLimited),
        (429, {"code": "something_new"}, ProviderRateLimited),
        (400, {"code": "context_length_exceeded", "type": "invalid_request_error"}, ContextTooLong),
        (400, {"code": 400, "type": "exceed_context_size_error"}, ContextTooLong),
        (400, {"code": 400, "message": "This model's maximum context length is 4096 tokens."}, ContextTooLong),
        (500, {"code": 500, "message": "the request exceeds the available context size"}, ContextTooLong),
        (400, {"code": "model_not_found"}, ModelNotFound),
        (403, {"code": "model_not_found"}, ModelNotFound),
        (404, {"code": 404, "type": "not_found_error"}, ModelNotFound),
        (401, {"code": "invalid_api_key", "message": f"Incorrect API key provided: {SECRET}"}, ProviderAuthFailed),
        (400, {"code": "invalid_value"}, ProviderBadRequest),
        (422, {"code": ["not", "a", "text"]}, ProviderBadRequest),
        (500, {"type": "server_error"}, ProviderServerError),
        (503, {"type": "service_unavailable"}, ProviderServerError),
    ],
)
def test_names_say_more_than_the_status(status: int, error: dict[str, Any], kind: type[ProviderError]) -> None:
    failure = failure_of_response(status, orjson.dumps({"error": error}))

    assert type(failure) is kind
    assert failure.code == ("provider_quota_exceeded" if kind is ProviderQuotaExceeded else "completion_request_error")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "rate_limit_exceeded"}, ProviderRateLimited),
        ({"code": "429"}, ProviderRateLimited),
        ({"code": 429, "type": "insufficient_quota"}, ProviderQuotaExceeded),
        ({"code": 401}, ProviderAuthFailed),
        ({"code": 504}, ProviderTimeout),
        ({"code": 7}, ProviderServerError),
        ({"code": 200}, ProviderServerError),
        ({"type": "invalid_request_error"}, ProviderBadRequest),
        ({"type": "timeout"}, ProviderTimeout),
        ({"type": "new_to_us"}, ProviderServerError),
        ("prompt is too long", ContextTooLong),
        ("overloaded", ProviderServerError),
        (["strange"], ProviderServerError),
    ],
)
def test_a_frame_is_mapped_by_its_names_or_its_status(error: Any, kind: type[ProviderError]) -> None:
    assert type(failure_of_event(error)) is kind


def test_the_log_says_what_the_server_said_without_keys_and_words(caplog: pytest.LogCaptureFixture) -> None:
    call = CallDescription("house", "gpt-5", ["hunter2hunter2"], "My doctor is Dr. Miller")
    error = {
        "message": f"Key {SECRET} of hunter2hunter2 may not ask 'My doctor is Dr. Miller'",
        "type": "invalid_request_error",
        "param": "messages[0].content",
        "code": "invalid_value",
    }

    with caplog.at_level(logging.DEBUG):
        failure = failure_of_response(400, orjson.dumps({"error": error}), call)

    assert caplog.messages == [
        "model call failed: status 400 from house, model gpt-5, code invalid_value, type invalid_request_error, param "
        "messages[0].content; it says: Key *** of *** may not ask '***' (taken as ProviderBadRequest)"
    ]
    assert failure.message == "The model server refused the request."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>nginx</html>", "<html>nginx</html>"),
        (b'{"detail": [{"loc": ["body", "tools"], "input": "My doctor is Dr. Miller"}]}', '"tools"],"input":"***"'),
        (b'[{"error": {"code": 400, "message": "Gemini says no"}}]', "Gemini says no"),
        (b"", "it says: nothing"),
    ],
)
def test_the_log_says_what_came_in_other_forms(caplog: pytest.LogCaptureFixture, content: bytes, said: str) -> None:
    failure_of_response(400, content, CallDescription("house", said="My doctor is Dr. Miller"))

    assert said in caplog.text


def test_a_content_filter_is_named() -> None:
    body = {"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}

    assert type(failure_of_response(400, orjson.dumps(body))) is AnswerFiltered
