"""OpenAPI services as tools, against a real service on a socket."""

import json
import pathlib
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.http.outgoing import Outgoing
from app.tools.openapi_tools import OpenApiTools
from app.tools.tool_file import OpenApiEntry
from app.tools.tool_types import ToolFailed
from tests.support.openapi_tools import call, described, failure
from tests.support.proxy_server import ProxyServer
from tests.support.web_service import DESCRIPTION, WebService

KEY = {"PETS_KEY": "sesame-open"}


@pytest.fixture
def pets(service: WebService, tmp_path: pathlib.Path) -> OpenApiTools:
    (tmp_path / "pets.json").write_text(json.dumps(DESCRIPTION))
    settings = OpenApiEntry(
        description="pets.json",
        base_url=f"{service.url}/v1",
        headers={"X-Key": "$PETS_KEY"},
        query={"lang": "en"},
        megabytes=1,
    )
    return OpenApiTools("pets", settings, KEY, tmp_path, None)


def schema_of(tools: OpenApiTools, name: str) -> Mapping[str, Any]:
    return next(tool.description.parameters for tool in tools.tools() if tool.description.name == name)


class TestWhatIsOffered:
    def test_each_operation_is_a_tool(self, pets: OpenApiTools) -> None:
        assert [tool.description.name for tool in pets.tools()] == [
            "getPet",
            "pets_put",
            "addPet",
            "form",
            "parts",
            "note",
            "list",
            "get_plain",
        ]
        assert pets.tools()[0].description.description == "Get a pet\nBy its id."

    def test_parameters_and_the_body_s_members_are_arguments(self, pets: OpenApiTools) -> None:
        schema = schema_of(pets, "pets_put")
        assert set(schema["properties"]) == {"pet_id", "name", "age", "friends"}
        assert schema["required"] == ["pet_id", "name"]
        assert schema["properties"]["age"]["type"] == ["integer", "null"]
        assert schema["properties"]["pet_id"]["description"] == "Whose"

    def test_what_the_operator_fixes_is_not_offered(self, pets: OpenApiTools) -> None:
        assert "X-Key" not in schema_of(pets, "getPet")["properties"]
        assert "X-Key" not in schema_of(pets, "getPet")["required"]

    def test_a_schema_without_an_end_has_one(self, pets: OpenApiTools) -> None:
        assert len(json.dumps(schema_of(pets, "addPet"))) < 20_000

    def test_names_that_collide_say_where_they_belong(self, tmp_path: pathlib.Path) -> None:
        operation = {
            "operationId": "x",
            "parameters": [{"name": "id", "in": "query", "schema": {"type": "string"}}],
            "requestBody": {
                "content": {
                    "application/json": {"schema": {"type": "object", "properties": {"id": {"type": "integer"}}}}
                }
            },
        }
        tools = described(tmp_path, {"openapi": "3.1.0", "paths": {"/a": {"post": operation}}})
        assert set(schema_of(tools, "x")["properties"]) == {"id", "id_body"}


class TestARequest:
    def asked(self, service: WebService) -> dict[str, Any]:
        return service.asked[-1]

    def test_has_its_parameters_in_their_places(self, pets: OpenApiTools, service: WebService) -> None:
        call(
            pets,
            "getPet",
            pet_id="a/b c",
            fields=["x", "y"],
            tags=["s", "t"],
            kind="cat",
            filter={"age": 3},
            session="s;1",
            **{"X-Trace": "tr"},
        )
        asked = self.asked(service)
        assert asked["path"] == "/v1/pets/a%2Fb%20c?fields=x&fields=y&tags=s%2Ct&kind=cat&filter%5Bage%5D=3&lang=en"
        assert (asked["headers"]["x-trace"], asked["headers"]["cookie"], asked["headers"]["x-key"]) == (
            "tr",
            "session=s%3B1",
            "sesame-open",
        )

    def test_has_a_json_body(self, pets: OpenApiTools, service: WebService) -> None:
        call(pets, "addPet", name="Tom", age=3)
        assert json.loads(self.asked(service)["body"]) == {"name": "Tom", "age": 3}
        assert self.asked(service)["headers"]["content-type"] == "application/json"

    def test_has_a_form(self, pets: OpenApiTools, service: WebService) -> None:
        call(pets, "form", a="x y", b=[1, 2])
        assert self.asked(service)["body"] == "a=x+y&b=1&b=2"

    def test_has_parts(self, pets: OpenApiTools, service: WebService) -> None:
        call(pets, "parts", a="x")
        assert 'name="a"' in self.asked(service)["body"] and self.asked(service)["headers"]["content-type"].startswith(
            "multipart/form-data"
        )

    def test_has_a_text(self, pets: OpenApiTools, service: WebService) -> None:
        call(pets, "note", body="hello")
        assert (self.asked(service)["body"], self.asked(service)["headers"]["content-type"]) == ("hello", "text/plain")

    def test_has_a_list(self, pets: OpenApiTools, service: WebService) -> None:
        call(pets, "list", body=[1, 2])
        assert json.loads(self.asked(service)["body"]) == [1, 2]

    def test_has_no_more_than_the_model_gave(self, pets: OpenApiTools, service: WebService) -> None:
        call(pets, "get_plain")
        assert (self.asked(service)["path"], self.asked(service)["body"]) == ("/v1/plain?lang=en", "")

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ({}, "'pet_id' is a required property"),
            ({"pet_id": "1", "kind": "cow"}, "'cow' is not one of"),
            ({"pet_id": ".."}, "is not allowed in a path"),
            ({"pet_id": "."}, "is not allowed in a path"),
            ({"pet_id": ""}, "is not allowed in a path"),
            ({"pet_id": "1", "X-Trace": "a\r\nX-Key: b"}, "a single line"),
            ({"pet_id": "1", "fields": 5}, "fields"),
        ],
    )
    def test_with_bad_arguments_is_not_sent(
        self, pets: OpenApiTools, service: WebService, arguments: dict[str, Any], problem: str
    ) -> None:
        assert problem in failure(pets, "getPet", **arguments)
        assert service.asked == []


class TestAnAnswer:
    def test_of_json_is_text_and_objects(self, pets: OpenApiTools, service: WebService) -> None:
        service.says = [(200, {"Content-Type": "application/json"}, b'[{"a": 1}, {"b": "\xc3\xa9"}]')]
        answer = call(pets, "get_plain")
        assert (answer.text, list(answer.json)) == ('[{"a":1},{"b":"é"}]', [{"a": 1}, {"b": "é"}])

    def test_of_text_is_text(self, pets: OpenApiTools, service: WebService) -> None:
        service.says = [(200, {"Content-Type": "text/plain; charset=latin-1"}, "Grüße".encode("latin-1"))]
        assert call(pets, "get_plain").text == "Grüße"

    def test_of_anything_else_is_a_file(self, pets: OpenApiTools, service: WebService) -> None:
        service.says = [
            (200, {"Content-Type": "image/png"}, b"png"),
            (200, {"Content-Type": "a/b", "Content-Disposition": 'x; filename="../a.bin"'}, b"b"),
        ]
        (file,) = call(pets, "get_plain").files
        assert (file.name, file.content, file.mime_type) == ("get_plain.png", b"png", "image/png")
        assert call(pets, "get_plain").files[0].name == "a.bin"

    def test_without_content_says_so(self, pets: OpenApiTools, service: WebService) -> None:
        service.says = [(204, {}, b"")]
        assert "204" in call(pets, "get_plain").text

    @pytest.mark.parametrize("status", [400, 404, 500])
    def test_that_refuses_is_told_with_its_reason_and_without_the_key(
        self, pets: OpenApiTools, service: WebService, status: int
    ) -> None:
        service.says = [(status, {"Content-Type": "text/plain"}, b"no\nsuch pet for sesame-open" + b"x" * 1000)]
        said = failure(pets, "get_plain")
        assert said.startswith(f"The service answered {status}: no such pet for ***")
        assert len(said) < 600 and "\n" not in said and "sesame" not in said


class TestABadService:
    def test_that_hangs_is_given_up(self, pets: OpenApiTools, service: WebService) -> None:
        service.says = [(0, {}, b"")]
        began = time.monotonic()
        with pytest.raises(ToolFailed, match="did not answer in time"):
            call(pets, "get_plain", seconds=0.3)
        assert time.monotonic() - began < 5

    def test_that_hangs_is_left_at_once_when_stopped(self, pets: OpenApiTools, service: WebService) -> None:
        service.says = [(0, {}, b"")]
        cancellation = Cancellation()
        threading.Timer(0.2, cancellation.cancel).start()
        with pytest.raises(Cancelled):
            call(pets, "get_plain", cancellation=cancellation)

    def test_that_floods_is_cut_off(self, pets: OpenApiTools, service: WebService) -> None:
        service.says = [(200, {}, b"x" * 2_000_000)]
        assert failure(pets, "get_plain") == "The service's answer is too large."

    def test_that_redirects_inside_leads_nowhere(self, pets: OpenApiTools, service: WebService) -> None:
        with WebService() as inside:
            service.says = [(302, {"Location": f"{inside.url}/secret"}, b"")]
            assert failure(pets, "get_plain") == "Requests to this address are not allowed."
            assert inside.asked == []

    def test_that_is_away_is_told(self, tmp_path: pathlib.Path) -> None:
        assert (
            failure(described(tmp_path, DESCRIPTION, base_url="http://127.0.0.1:1"), "get_plain")
            == "The service cannot be reached."
        )

    def test_that_is_behind_a_proxy_is_reached_through_it(self, service: WebService, tmp_path: pathlib.Path) -> None:
        (tmp_path / "pets.json").write_text(json.dumps(DESCRIPTION))
        address = service.url.replace("127.0.0.1", "pets.test")
        service.says = [(200, {"Content-Type": "text/plain"}, b"Rex")]
        with ProxyServer() as proxy:
            settings = OpenApiEntry(description="pets.json", base_url=address)
            tools = OpenApiTools("pets", settings, {}, tmp_path, None, Outgoing(http=proxy.url))
            assert call(tools, "get_plain").text == "Rex"
            assert proxy.requests[0].startswith(f"GET {address}/")
