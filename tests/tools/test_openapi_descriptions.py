"""How OpenAPI descriptions are read, and the messages for invalid ones."""

import copy
import json
import pathlib
from typing import Any

import pytest

from app.tools.openapi_tools import OpenApiTools
from app.tools.tool_file import OpenApiEntry
from app.tools.tool_types import ToolFailed
from tests.support.openapi_tools import call, described, failure
from tests.support.web_service import DESCRIPTION, WebService

SWAGGER = {
    "swagger": "2.0",
    "host": "pets.example",
    "basePath": "/v2",
    "schemes": ["https"],
    "definitions": {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
    "paths": {
        "/pets/{id}": {
            "get": {
                "operationId": "get",
                "parameters": [
                    {"name": "id", "in": "path", "type": "integer", "required": True},
                    {
                        "name": "tags",
                        "in": "query",
                        "type": "array",
                        "items": {"type": "string"},
                        "collectionFormat": "pipes",
                    },
                ],
            }
        },
        "/pets": {
            "post": {
                "operationId": "add",
                "parameters": [
                    {"name": "pet", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}}
                ],
            }
        },
        "/form": {
            "post": {
                "operationId": "form",
                "parameters": [{"name": "a", "in": "formData", "type": "string", "required": True}],
            }
        },
    },
}


def refused(tools: OpenApiTools) -> str:
    """What the operator reads of tools that cannot be used; visitors read no more than that."""
    with pytest.raises(ToolFailed) as failed:
        tools.tools()
    assert str(failed.value) == "The tools of 'api' cannot be used at the moment."
    return failed.value.cause


class TestADescription:
    def test_of_swagger_is_understood(self, tmp_path: pathlib.Path, service: WebService) -> None:
        tools = described(tmp_path, SWAGGER, base_url=service.url)
        call(tools, "get", id=5, tags=["a", "b"])
        call(tools, "add", name="Tom")
        call(tools, "form", a="x")
        assert [(asked["path"], asked["body"]) for asked in service.asked] == [
            ("/pets/5?tags=a%7Cb", ""),
            ("/pets", '{"name":"Tom"}'),
            ("/form", "a=x"),
        ]

    def test_names_the_server_where_the_operator_does_not(self, tmp_path: pathlib.Path, service: WebService) -> None:
        tools = described(
            tmp_path, DESCRIPTION | {"servers": [{"url": service.url + "/{v}", "variables": {"v": {"default": "v9"}}}]}
        )
        call(tools, "get_plain")
        assert service.asked[0]["path"] == "/v9/plain"

    def test_without_a_server_is_told_when_it_is_called(self, tmp_path: pathlib.Path) -> None:
        assert (
            failure(described(tmp_path, DESCRIPTION), "get_plain")
            == "The description names no server; set base_url in the tools file."
        )

    def test_may_come_from_the_service_itself(self, service: WebService) -> None:
        service.says = [(200, {}, json.dumps(DESCRIPTION | {"servers": [{"url": "/api"}]}).encode())]
        tools = OpenApiTools("pets", OpenApiEntry(description=f"{service.url}/openapi.json"), {}, pathlib.Path(), None)
        call(tools, "get_plain")
        assert service.asked[-1]["path"] == "/api/plain"

    def test_from_elsewhere_does_not_lead_inside(self, service: WebService) -> None:
        with WebService() as inside:
            service.says = [(200, {}, json.dumps(DESCRIPTION | {"servers": [{"url": inside.url}]}).encode())]
            tools = OpenApiTools(
                "pets", OpenApiEntry(description=f"{service.url}/openapi.json"), {}, pathlib.Path(), None
            )
            assert failure(tools, "get_plain") == "Requests to this address are not allowed."
            assert inside.asked == []

    @pytest.mark.parametrize(
        ("document", "problem"),
        [
            ("a: [", "not valid YAML"),
            ("[1]", "is not a mapping"),
            ("openapi: 4.0.0", "not 3.0, 3.1 or 2.0"),
            ("openapi: 3.0.0", "paths: is missing"),
            (
                {"openapi": "3.0.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "other.yaml#/x"}]}}}},
                "refers to another document",
            ),
            ({"openapi": "3.0.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "#/x"}]}}}}, "refers to nothing"),
        ],
    )
    def test_that_is_broken_is_told_by_its_place(self, tmp_path: pathlib.Path, document: Any, problem: str) -> None:
        cause = refused(described(tmp_path, document))
        assert problem in cause and cause.startswith("api: api.yaml: ") and "\n" not in cause

    def test_that_is_not_there_is_told(self, tmp_path: pathlib.Path) -> None:
        missing = OpenApiTools("api", OpenApiEntry(description="missing.yaml"), {}, tmp_path, None)
        assert refused(missing).startswith("api: missing.yaml: cannot be read: No such file")

    def test_whose_key_is_not_set_is_told(self, tmp_path: pathlib.Path) -> None:
        unset = described(tmp_path, DESCRIPTION, headers={"X-Key": "$PETS_KEY"})
        assert refused(unset) == "api: the variable PETS_KEY is not set"

    @pytest.mark.parametrize(
        "change", [{"paths": {"/a": None, "/b": [], "/c": {"get": None, "post": {"parameters": 5, "requestBody": []}}}}]
    )
    def test_with_nonsense_in_it_gives_what_it_can(self, tmp_path: pathlib.Path, change: dict[str, Any]) -> None:
        assert [tool.description.name for tool in described(tmp_path, copy.deepcopy(DESCRIPTION) | change).tools()] == [
            "post_c"
        ]
