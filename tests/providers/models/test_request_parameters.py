from typing import Any

import pytest

from app.errors import ProviderBadRequest
from app.providers.models.request_parameters import request_parameters

SCHEMA = {"type": "object"}


def test_known_parameters_are_sent_as_they_are() -> None:
    options = {
        "temperature": 0,
        "top_p": 0.9,
        "max_tokens": 5,
        "stop": ["x"],
        "seed": 1,
        "presence_penalty": 0,
        "frequency_penalty": 1,
    }

    assert request_parameters(options) == options


def test_empty_and_unknown_parameters_are_dropped() -> None:
    assert (
        request_parameters({"stop": [], "seed": None, "top_k": 4, "enable_thinking": False, "n": 2, "stream": False})
        == {}
    )


def test_a_route_may_let_a_name_through() -> None:
    assert request_parameters({"top_k": 4, "min_p": 1}, {"top_k"}) == {"top_k": 4}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"response_format": "json_object"}, {"type": "json_object"}),
        ({"response_format": {"type": "json_object"}}, {"type": "json_object"}),
        (
            {"response_format": "json_schema", "json_schema": '{"name": "a", "schema": {}}'},
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
        ),
        (
            {"response_format": "json_schema", "json_schema": SCHEMA},
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}},
        ),
    ],
)
def test_a_response_format_becomes_openais(options: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert request_parameters(options) == {"response_format": wanted}


@pytest.mark.parametrize("word", ["text", "", None, "XML"])
def test_plain_text_is_no_response_format(word: str | None) -> None:
    assert request_parameters({"response_format": word}) == {}


@pytest.mark.parametrize("schema", ["{", "5", None, 5])
def test_an_invalid_schema_is_refused(schema: Any) -> None:
    with pytest.raises(ProviderBadRequest):
        request_parameters({"response_format": "json_schema", "json_schema": schema})


def test_a_completion_model_is_spared_what_only_chat_knows() -> None:
    assert request_parameters({"tools": [{}], "response_format": "json_object", "temperature": 1}, chat=False) == {
        "temperature": 1
    }
