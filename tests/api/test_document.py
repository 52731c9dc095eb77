"""The generated document against the user's specification (a copy is beside this file; the app never reads it)."""

import copy
import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator

from app.api import init_app, swagger_document
from app.factory import create_app
from config import Config
from tests.support.paths import PROJECT

SPECIFICATION_FILE = re.compile(r"(?<!/api/)\b(spec|openapi)\.(json|ya?ml|md)[\"']")
SPECIFICATION = json.loads((pathlib.Path(__file__).parent / "spec.json").read_text())


@pytest.fixture(scope="module")
def generated() -> dict[str, Any]:
    """The document as `make openapi` writes it: without database and Redis."""
    document: dict[str, Any] = json.loads(json.dumps(swagger_document(create_app(Config({}), init_app))))
    return document


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        | {"parameters": operation.get("parameters", []) + item.get("parameters", [])}
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def bare(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without the wrapper that nullable references have."""
    return schema["allOf"][0] | schema if "allOf" in schema else schema


def differences(document: dict[str, Any]) -> Iterator[str]:
    found = operations(document)
    for name, wanted in SPECIFICATION["operations"].items():
        if name in found:
            yield from (f"{name}: {problem}" for problem in of_operation(found[name], wanted))
    for name, wanted in SPECIFICATION["schemas"].items():
        schema = document["definitions"].get(name)
        if schema is None:
            continue
        yield from of_schema(
            name, schema, wanted.get("alias", {"type": "object"} if not wanted.get("properties") else {})
        )
        properties = schema.get("properties", {})
        for field, kind in wanted.get("properties", {}).items():
            yield from (
                of_schema(f"{name}.{field}", properties[field], kind)
                if field in properties
                else [f"{name}.{field} is missing"]
            )
        if sorted(schema.get("required", [])) != sorted(wanted.get("required", [])):
            yield f"{name} requires {schema.get('required')}"


def of_operation(operation: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    if wanted["namespace"] not in operation["tags"]:
        yield f"namespace is {operation['tags']}"
    parameters = {(parameter["name"], parameter["in"]): parameter for parameter in operation["parameters"]}
    for parameter in wanted["parameters"]:
        actual = parameters.get((parameter["name"], parameter["in"]))
        if actual is None:
            yield f"{parameter['name']} is missing"
        else:
            yield from of_schema(parameter["name"], actual, parameter["schema"])
            if bool(actual.get("required")) != parameter["required"]:
                yield f"{parameter['name']}: required is {actual.get('required')}"
    body = next((parameter for parameter in operation["parameters"] if parameter["in"] == "body"), None)
    expected = wanted["body"] and (f"#/definitions/{wanted['body']['schema']}", wanted["body"]["required"])
    if (body and (body["schema"]["$ref"], body["required"])) != expected:
        yield f"body is {body}"
    for code, schema in wanted["responses"].items():
        actual = operation["responses"].get(code, {"schema": {"$ref": "no such answer"}})
        if (
            schema
            and actual.get("schema", {}).get("$ref") != f"#/definitions/{schema}"
            or "no such answer" in str(actual)
        ):
            yield f"{code} is {actual}"


def of_schema(where: str, actual: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    actual = bare(actual)
    if "ref" in wanted:
        if actual.get("$ref") != f"#/definitions/{wanted['ref']}":
            yield f"{where} should refer to {wanted['ref']}"
    elif "anyOf" in wanted:
        options = [
            option.get("type") or option["$ref"].rsplit("/", 1)[-1] for option in actual.get("anyOf", [])
        ] or actual.get("type", [])
        if not {option.get("type") or option["ref"] for option in wanted["anyOf"]} <= set(options):
            yield f"{where} allows {options}"
    elif wanted.get("type") and "$ref" not in actual and actual.get("type") != wanted["type"]:
        yield f"{where} is {actual.get('type')}, should be {wanted['type']}"
    else:
        for word in ("default", "format"):
            if word in wanted and actual.get(word) != wanted[word]:
                yield f"{where}: {word} is {actual.get(word)}"
        if sorted(map(str, wanted.get("enum", []))) != sorted(map(str, actual.get("enum", []))) and "enum" in wanted:
            yield f"{where}: values are {actual.get('enum')}"
        if "items" in wanted:
            yield from of_schema(where + "[]", actual.get("items", {}), wanted["items"])


def test_the_document_says_what_the_specification_says(generated):
    assert list(differences(generated)) == []


def test_nothing_is_served_that_the_specification_does_not_know(generated):
    assert set(operations(generated)) <= set(SPECIFICATION["operations"])
    assert len(operations(generated)) == len(SPECIFICATION["operations"]) == 43


@pytest.mark.parametrize(
    ("path", "broken"),
    [
        (("definitions", "SimpleConversation", "properties", "name"), None),
        (("definitions", "SimpleConversation", "required"), ["id"]),
        (("definitions", "WebMessageListItem", "properties", "answer", "type"), "integer"),
        (("paths", "/site", "get", "responses", "403"), None),
        (("paths", "/chat-messages", "post", "parameters"), []),
    ],
)
def test_a_departure_is_noticed(generated, path, broken):
    document = copy.deepcopy(generated)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = broken
    if broken is None:
        del place[path[-1]]
    assert list(differences(document))


def test_a_renamed_property_is_noticed(generated):
    document = copy.deepcopy(generated)
    properties = document["definitions"]["AccessTokenData"]["properties"]
    properties["token"] = properties.pop("access_token")
    assert list(differences(document)) == ["AccessTokenData.access_token is missing"]


def test_every_property_of_every_schema_is_looked_at(generated):
    for name in SPECIFICATION["schemas"].keys() & generated["definitions"].keys():
        for field in SPECIFICATION["schemas"][name].get("properties", {}):
            document = copy.deepcopy(generated)
            del document["definitions"][name]["properties"][field]
            assert list(differences(document)) == [f"{name}.{field} is missing"]


def test_every_parameter_and_answer_is_looked_at(generated):
    for name, operation in operations(generated).items():
        method, path = name.lower().split(" ")[0], name.split(" ")[1]
        for part in ("parameters", "responses"):
            document = copy.deepcopy(generated)
            document["paths"][path].pop("parameters", None)
            document["paths"][path][method][part] = type(operation[part])()
            wanted = SPECIFICATION["operations"][name]
            said = wanted[part] or (part == "parameters" and wanted["body"])
            assert any(problem.startswith(name) for problem in differences(document)) == bool(said)


def test_the_app_reads_no_specification():
    for path in (PROJECT / "app").rglob("*.*"):
        assert path.suffix == ".pyc" or not SPECIFICATION_FILE.search(path.read_text(errors="replace")), path


def test_every_reference_leads_somewhere(generated):
    named = {part.split('"')[0] for part in json.dumps(generated).split("#/definitions/")[1:]}
    assert named <= set(generated["definitions"])


def test_it_is_valid_swagger_but_for_the_union_that_the_specification_has(generated):
    problems = {
        (tuple(error.absolute_path), error.validator) for error in OpenAPIV2SpecValidator(generated).iter_errors()
    }
    assert problems == {(("definitions", "FormInputConfig"), "additionalProperties")}


def test_title_version_and_authorizations(generated):
    assert {name: generated["info"][name] for name in ("title", "version")} == {
        name: SPECIFICATION[name] for name in ("title", "version")
    }
    bearer = generated["securityDefinitions"]["Bearer"]
    assert bearer.items() >= SPECIFICATION["authorizations"]["Bearer"].items()
    assert generated["basePath"] == SPECIFICATION["basePath"]


def test_page_and_document_are_served(client):
    assert "swagger-ui" in client.get("/api/docs").get_data(as_text=True)
    assert client.get("/api/swagger.json").get_json()["basePath"] == "/api"


def test_a_first_session_comes_first(generated):
    assert list(generated["paths"])[:4] == ["/passport", "/site", "/parameters", "/chat-messages"]
    assert next(iter(generated["securityDefinitions"])) == "Passport"
    assert "GET /passport" in generated["info"]["description"]


@pytest.mark.parametrize(
    ("environment", "open_to_others", "named"),
    [("DEVELOPMENT", False, True), ("DEVELOPMENT", True, False), ("PRODUCTION", False, False)],
)
def test_the_apps_that_are_there_are_named_on_a_developers_machine_alone(
    alice, app, monkeypatch, environment, open_to_others, named
):
    monkeypatch.setitem(app.config, "DEPLOY_ENV", environment)
    monkeypatch.setitem(app.config, "OPEN_TO_OTHERS", open_to_others)
    monkeypatch.setattr("app.api.reading_order.MOST_CODES", 10_000)
    about = alice.client.get("/api/swagger.json").get_json()["info"]["description"]
    assert (f"`{alice.app.code}`" in about) is named
