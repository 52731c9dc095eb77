import pytest

from app.errors import ProviderError, ProviderProtocolError, ProviderServerError
from app.errors.answers import AnswerCutShort, AnswerFiltered, AnswerRefused, ToolNotOffered
from app.providers.models.answer_endings import ending_failure


@pytest.mark.parametrize(
    "reason", ["content_filter", "CONTENT_FILTER", "content_filter: SAFETY", "sensitive", "SAFETY"]
)
@pytest.mark.parametrize("has_text", [True, False])
def test_a_filtered_answer_is_an_error_with_text_and_without(reason: str, has_text: bool) -> None:
    assert isinstance(ending_failure(reason, has_text, 0, False, has_text), AnswerFiltered)


@pytest.mark.parametrize(
    ("reason", "calls", "offers_tools", "failure"),
    [
        ("length", 0, False, AnswerCutShort),
        ("max_tokens", 0, True, AnswerCutShort),
        ("refusal", 0, False, AnswerRefused),
        ("function_call", 1, False, ToolNotOffered),
        ("function_call", 0, False, ToolNotOffered),
        ("stop", 1, False, ToolNotOffered),
        ("tool_calls", 0, True, ProviderProtocolError),
        ("network_error", 0, False, ProviderServerError),
        ("insufficient_system_resource", 0, False, ProviderServerError),
        ("abort", 0, False, ProviderProtocolError),
        (None, 0, False, ProviderProtocolError),
    ],
)
def test_an_answer_without_text_names_its_cause(
    reason: str | None, calls: int, offers_tools: bool, failure: type[ProviderError]
) -> None:
    assert type(ending_failure(reason, False, calls, offers_tools, bool(calls))) is failure


@pytest.mark.parametrize(
    ("reason", "has_text", "calls"),
    [
        ("stop", True, 0),
        ("length", True, 0),
        (None, True, 0),
        ("stop", False, 0),
        ("stop", False, 2),
        ("length", False, 1),
    ],
)
def test_other_answers_can_be_used(reason: str | None, has_text: bool, calls: int) -> None:
    assert ending_failure(reason, has_text, calls, True, has_text) is None
