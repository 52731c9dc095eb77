"""Make the OpenAPI 3.1 document at /api/openapi.json, for generators of clients.

The Swagger 2.0 document equals the specification, which leaves members and answers open and knows no streams. This one
is made from the same operations and shapes, in pydantic's own JSON Schema, and says what stands there.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask, Response, current_app, jsonify
from flask_restx import Api
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from typing_extensions import TypeAliasType

from app.api.document import DescribedOperation
from app.api.schemas.open_members import OPEN_MEMBERS, ErrorBody

REFERENCE = "#/components/schemas/{model}"
AUTHORIZATION = "Authorization"
REQUIRED_HEADERS = ("X-App-Code",)
_CONVERTERS = {"uuid": {"type": "string", "format": "uuid"}}
_PATH_PART = re.compile(r"<(?:([a-z]+):)?([a-z_]+)>")
_INTRODUCTION = """The API that the pages of a published app speak.

1. `GET /passport` with the header `X-App-Code`, the app's code, gives an `access_token`: the passport.
2. Send it as `X-App-Passport` with every call marked with a lock.
3. Answers are streamed as server-sent events: a line `id: n`, and a line `data:` with one JSON object of the shape that
   the response names. A line `event: ping` is no event. After a lost connection `GET /workflow/{task_id}/events` with
   the header `Last-Event-ID: n` goes on behind the event n.
"""


class OpenApiDocument:
    """One document in the making: its operations, and the shapes that they refer to."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}

    def operation(self, operation: DescribedOperation, name: str, path: str) -> dict[str, Any]:
        """Return the description of an operation. `name`: its operation id."""
        body = self._request_body(operation)
        return {
            "operationId": name,
            "summary": operation.summary,
            **({"description": operation.description} if operation.description else {}),
            "parameters": [*self._path_parameters(operation, path), *self._other_parameters(operation)],
            **({"requestBody": body} if body else {}),
            "responses": self._responses(operation),
            "security": _security(operation),
        }

    def schema(self, shape: Any, mode: JsonSchemaMode = "serialization") -> dict[str, Any]:
        """Return a reference to a shape with a name, or the schema of another type; keep what it refers to."""
        made = TypeAdapter(shape).json_schema(ref_template=REFERENCE, mode=mode, by_alias=True)
        for name, schema in made.pop("$defs", {}).items():
            self._keep(name, schema)
        if "$ref" not in made and (isinstance(shape, TypeAliasType) or _is_model(shape)):
            self._keep(shape.__name__, made)
            return {"$ref": REFERENCE.format(model=shape.__name__)}
        return dict(made)

    def _keep(self, name: str, schema: dict[str, Any]) -> None:
        """Put a shape among the schemas, with what the specification leaves open filled in."""
        if name in self.schemas:
            return
        self.schemas[name] = schema
        for member, field in schema.get("properties", {}).items():
            # Generators take a member with a default for one that has to be there.
            if field.get("default", "") is None:
                del field["default"]
            if (name, member) in OPEN_MEMBERS:
                told = {word: value for word, value in schema["properties"][member].items() if word == "description"}
                schema["properties"][member] = self.schema(OPEN_MEMBERS[name, member]) | told

    @staticmethod
    def _path_parameters(operation: DescribedOperation, path: str) -> Iterator[dict[str, Any]]:
        for kind, name in _PATH_PART.findall(path):
            yield {
                "name": name,
                "in": "path",
                "required": True,
                "description": operation.path.get(name, ""),
                "schema": _CONVERTERS.get(kind, {"type": "string"}),
            }

    def _other_parameters(self, operation: DescribedOperation) -> Iterator[dict[str, Any]]:
        for name, text in operation.headers.items():
            # OpenAPI ignores a parameter of this name; security says it.
            if name != AUTHORIZATION:
                yield {
                    "name": name,
                    "in": "header",
                    "required": name in REQUIRED_HEADERS,
                    "description": text,
                    "schema": {"type": "string"},
                }
        for shape in operation.query:
            schema = TypeAdapter(shape).json_schema(ref_template=REFERENCE, mode="validation", by_alias=True)
            # A body may hold what the query string holds as well, so that none of these is required there.
            required = schema.get("required", ()) if shape is not operation.body else ()
            for name, field in schema["properties"].items():
                text = field.pop("description", "")
                yield {
                    "name": name,
                    "in": "query",
                    "required": name in required,
                    "description": text,
                    "schema": {word: value for word, value in field.items() if word != "title"},
                }

    def _request_body(self, operation: DescribedOperation) -> dict[str, Any]:
        if operation.file:
            schema: dict[str, Any] = {"type": "object", "properties": {}}
            if operation.fields is not None:
                schema = TypeAdapter(operation.fields).json_schema(ref_template=REFERENCE, mode="validation")
            else:
                schema["required"] = ["file"]
            schema["properties"]["file"] = {
                "type": "string",
                "format": "binary",
                "contentMediaType": "application/octet-stream",
                "description": operation.file,
            }
            return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
        if operation.body is None:
            return {}
        # The query string may stand in for the body.
        required = operation.body not in operation.query
        schema = self.schema(operation.body, "validation")
        return {"required": required, "content": {"application/json": {"schema": schema}}}

    def _responses(self, operation: DescribedOperation) -> dict[str, Any]:
        content: dict[str, Any] = {}
        if operation.answer is not None and not operation.binary and not _is_open(operation.answer):
            content["application/json"] = {"schema": self.schema(operation.answer)}
        if operation.events is not None:
            content["text/event-stream"] = {"schema": self.schema(operation.events)}
        for media_type in operation.binary:
            content["application/json"] = {"schema": {"type": "null"}}
            content[media_type] = {"schema": {"type": "string", "format": "binary", "contentMediaType": media_type}}
        answer = {"description": operation.answer_text} | ({"content": content} if content else {})
        error = {"application/json": {"schema": self.schema(ErrorBody)}}
        refusals = {str(status): {"description": text, "content": error} for status, text in operation.refusals.items()}
        rest = {"default": {"description": "An error, with its code", "content": error}}
        return {str(operation.status): answer} | refusals | rest


def openapi_document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an app's API."""
    api: Api = app.extensions["web_api"]
    document, paths = OpenApiDocument(), dict[str, dict[str, Any]]()
    for namespace in api.namespaces:
        for resource, urls, _, _ in namespace.resources:
            for path in urls:
                item = paths.setdefault(_PATH_PART.sub(r"{\2}", path), {})
                for method in sorted(resource.methods or ()):
                    name = api.default_id(resource.__name__, method.lower())
                    described: DescribedOperation = getattr(resource, method.lower()).operation
                    item[method.lower()] = document.operation(described, name, path) | {"tags": [namespace.name]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Web API", "version": "1.0", "description": _INTRODUCTION},
        "servers": [{"url": "/api"}],
        "tags": [
            {"name": namespace.name, "description": namespace.description}
            for namespace in api.namespaces
            if namespace.resources
        ],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": _reachable(paths, document.schemas),
            "securitySchemes": {
                "Passport": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-App-Passport",
                    "description": "The access_token of GET /passport",
                },
                "UploadToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The upload_token of POST /form/human_input/{form_token}/upload-token",
                },
            },
        },
    }


def _security(operation: DescribedOperation) -> list[dict[str, list[str]]]:
    if AUTHORIZATION in operation.headers:
        return [{"UploadToken": []}]
    return [{"Passport": []}] if operation.passport else []


def init_app(app: Flask) -> None:
    """Add the route. The document is made at its first request, and kept."""
    app.add_url_rule("/api/openapi.json", "openapi_document", _serve)


def _serve() -> Response:
    kept = current_app.extensions
    if "openapi_document" not in kept:
        kept["openapi_document"] = openapi_document(current_app)
    return jsonify(kept["openapi_document"])


def _reachable(paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas that paths refer to, by themselves or through others, by name."""
    found: dict[str, Any] = {}
    open_parts: list[Any] = [paths]
    while open_parts:
        part = open_parts.pop()
        if isinstance(part, list):
            open_parts += part
        elif isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name in schemas and name not in found:
                found[name] = schemas[name]
                open_parts.append(schemas[name])
            open_parts += part.values()
    return dict(sorted(found.items()))


def _is_model(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def _is_open(shape: Any) -> bool:
    """Return whether a shape allows anything, or is the name of a response that is no JSON."""
    return TypeAdapter(shape).json_schema() in ({}, {"type": "string"})
