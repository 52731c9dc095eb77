"""The OpenAPI 3.1 document, for generators of clients."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import TypeAdapter

from app.api import init_app, swagger_document
from app.api.openapi_document import openapi_document
from app.api.schemas.stream_events import ChatStreamEvent, CompletionStreamEvent, RunStreamEvent
from app.factory import create_app
from config import Config

# A default or what a round of a loop left may be anything; so may what a person writes into a form.
ANYTHING = {("InputFormField", "default"), ("RoundData", "pre_loop_output")}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return openapi_document(create_app(Config({}), init_app))


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def media_types(document: dict[str, Any], name: str, status: str = "200") -> set[str]:
    return set(operations(document)[name]["responses"][status]["content"])


def test_a_validator_finds_nothing(made):
    assert list(OpenAPIV31SpecValidator(made).iter_errors()) == []


def test_it_has_the_operations_of_the_other_document(made):
    other = operations(swagger_document(create_app(Config({}), init_app)))
    names = {name: operation["operationId"] for name, operation in operations(made).items()}
    assert names == {name: operation["operationId"] for name, operation in other.items()}


def test_it_leaves_nothing_open(made):
    found = {
        (name, member)
        for name, schema in made["components"]["schemas"].items()
        for member, field in schema.get("properties", {}).items()
        if field.keys() <= {"title", "description", "default"}
    }
    assert found == ANYTHING


def test_streams_and_sound_are_told_as_what_they_are(made):
    assert media_types(made, "post /chat-messages") == {"application/json", "text/event-stream"}
    assert media_types(made, "post /workflows/run") == {"text/event-stream"}
    assert media_types(made, "get /workflow/{task_id}/events") == {"text/event-stream"}
    assert media_types(made, "post /text-to-audio") == {"application/json", "audio/mpeg"}


def test_a_passport_is_asked_for_where_one_is_needed(made):
    free = {name for name, operation in operations(made).items() if not operation["security"]}
    assert {"get /passport", "get /system-features", "post /login"} <= free
    assert operations(made)["post /chat-messages"]["security"] == [{"Passport": []}]
    assert operations(made)["post /human-input-forms/files"]["security"] == [{"UploadToken": []}]


@pytest.mark.parametrize("union", [ChatStreamEvent, CompletionStreamEvent, RunStreamEvent])
def test_each_event_has_an_example_of_its_own_shape(made, union):
    schemas = made["components"]["schemas"]
    kinds = schemas[union.__name__]["discriminator"]["mapping"]
    for reference in kinds.values():
        example = schemas[reference.rpartition("/")[2]]["example"]
        assert TypeAdapter(union).validate_python(example).event in kinds


def test_every_site_serves_it_to_pages_of_any_origin(client):
    answer = client.get("/api/openapi.json", headers={"Origin": "http://pages.example"})
    assert answer.get_json()["openapi"] == "3.1.0"
    assert answer.headers["Access-Control-Allow-Origin"] == "http://pages.example"
