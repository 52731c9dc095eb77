"""Describe routes for the OpenAPI document: namespaces, shapes by pydantic as Swagger 2.0, parameters and responses.

Flask-RESTX writes Swagger 2.0, pydantic JSON Schema; `_convert` turns the one into the other. The document must equal
the specification: tests/api/test_document.py compares them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_restx import Namespace
from pydantic import BaseModel, TypeAdapter

web_ns = Namespace("web", description="Web application API operations", path="/")
default_ns = Namespace("default", description="Default namespace", path="/")
REFUSALS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "App Not Found",
    500: "Internal Server Error",
}
_UNKNOWN_TO_SWAGGER = ("$defs", "const", "examples", "propertyNames", "title")


@dataclass(frozen=True)
class DescribedOperation:
    """What `document` was told of a route's method, which has it as `operation`.

    The OpenAPI 3.1 document is made from it. `answer`: the shape of the JSON response; `events`: that of server-sent
    events; `binary`: other media types.
    """

    summary: str
    description: str
    body: type[BaseModel] | None
    query: tuple[type[BaseModel], ...]
    answer: Any
    answer_text: str
    status: int
    events: Any
    binary: tuple[str, ...]
    refusals: Mapping[int, str]
    path: Mapping[str, str]
    headers: Mapping[str, str]
    passport: bool
    file: str
    fields: type[BaseModel] | None


def document(
    summary: str,
    *,
    description: str = "",
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    query_names: type[BaseModel] | None = None,
    required_names: tuple[str, ...] = (),
    ok: Any = None,
    ok_text: str = "Success",
    status: int = 200,
    refusals: Mapping[int, str] = REFUSALS,
    path: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    passport: bool = True,
    file: str = "",
    fields: type[BaseModel] | None = None,
    events: Any = None,
    produces: tuple[str, ...] = (),
    answer: Any = None,
) -> Callable[[Any], Any]:
    """Return a decorator that describes a route's method: its body, its parameters, its responses.

    `query_names`: a body whose keys are taken from the query string as well; `required_names`: those of them that the
    specification calls required there (a body may hold them all the same). `path` and `headers`: descriptions of such
    parameters by name. `file`: the description of a form's part `file`; `fields`: the form's other fields.
    `ok`: the shape of the response with `status`; `refusals`: a text for each status of an error; `produces`: media
    types of responses beside JSON; `events`: the shape of the server-sent events that are one of them; `answer`: the
    shape of the JSON response where the specification leaves it open.
    """
    responses: dict[int, Any] = {status: ok_text if ok is None else (ok_text, _register(ok))}
    parameters = _named_parameters(path or {}, headers or {})
    if query is not None:
        parameters |= _query_parameters(query)
    if query_names is not None:
        parameters |= {
            name: parameter | {"required": name in required_names}
            for name, parameter in _query_parameters(query_names).items()
        }
    parameters |= _form_parameters(fields, file)
    about: dict[str, Any] = {"params": parameters, "responses": responses | dict(refusals)}
    about["description"] = description
    if passport:
        about["security"] = ["Passport"]
    if events is not None or produces:
        about["produces"] = ["application/json", *(("text/event-stream",) if events is not None else ()), *produces]
    if file:
        about["consumes"] = ["multipart/form-data"]

    operation = DescribedOperation(
        summary=summary,
        description=description,
        body=body,
        query=tuple(shape for shape in (query, query_names) if shape is not None),
        answer=ok if answer is None else answer,
        answer_text=ok_text,
        status=status,
        events=events,
        binary=produces,
        refusals=refusals,
        path=path or {},
        headers=headers or {},
        passport=passport,
        file=file,
        fields=fields,
    )

    def describe(method: Any) -> Any:
        # RESTX takes the summary from here.
        method.__doc__ = summary
        method.operation = operation
        if body is not None:
            method = web_ns.expect(_register(body))(method)
        return web_ns.doc(**about)(method)

    return describe


def _named_parameters(path: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters that stand in the path or in headers, by name."""
    parameters: dict[str, Any] = {name: {"description": text} for name, text in path.items()}
    return parameters | {
        name: {"in": "header", "type": "string", "description": text} for name, text in headers.items()
    }


def _form_parameters(fields: type[BaseModel] | None, file: str) -> dict[str, Any]:
    """Return the parts of a form, by name: its fields, and `file` where that has a description."""
    parameters = {} if fields is None else _query_parameters(fields)
    parameters = {name: parameter | {"in": "formData"} for name, parameter in parameters.items()}
    if file:
        parameters["file"] = {"in": "formData", "type": "file", "required": fields is None, "description": file}
    return parameters


def swagger_schemas(shape: Any, mode: str = "serialization") -> dict[str, Any]:
    """Return a shape and all shapes that it refers to, as Swagger 2.0 definitions by name."""
    adapter = TypeAdapter(shape)
    # pydantic knows the two modes as literals; the callers pass either as a text.
    raw = adapter.json_schema(ref_template="#/definitions/{model}", mode=mode, by_alias=True)  # type: ignore[arg-type]
    definitions = raw.pop("$defs", {})
    if "$ref" not in raw:
        definitions[_name_of(shape)] = raw
    return {name: _convert(schema) for name, schema in definitions.items()}


def _name_of(shape: Any) -> str:
    name: str = shape.__name__
    return name


def _register(shape: Any, mode: str = "") -> Any:
    """Put a shape's definitions into the document, and return RESTX's model of the shape."""
    is_request = isinstance(shape, type) and shape.__name__.endswith(("Payload", "Query"))
    for name, schema in swagger_schemas(shape, "validation" if is_request else "serialization").items():
        if name not in web_ns.models:
            web_ns.schema_model(name, schema)
    return web_ns.models[_name_of(shape)]


def _query_parameters(shape: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of a query's shape as parameters of a route."""
    schema = _register(shape).__schema__
    required = schema.get("required", [])
    return {
        name: {"in": "query", "required": name in required, "description": field.get("description", "")}
        | {key: value for key, value in field.items() if key not in ("description", "x-nullable")}
        for name, field in schema["properties"].items()
    }


def _convert(schema: Any) -> Any:
    """Turn JSON Schema, as pydantic writes it, into Swagger 2.0, which has no null, no const and no unions.

    'X or null' becomes X with `x-nullable`, a constant becomes an enumeration of one; keywords unknown to Swagger are
    dropped.
    """
    if isinstance(schema, list):
        return [_convert(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = dict(schema)
    options = schema.pop("anyOf", None)
    if options is not None:
        schema |= _convert_union(options)
    # The names of properties are not keywords: a field may be called `title`.
    converted = {
        key: _convert(value) for key, value in schema.items() if key not in _UNKNOWN_TO_SWAGGER and key != "properties"
    }
    if "const" in schema:
        converted["enum"] = [schema["const"]]
    if "properties" in schema:
        converted["properties"] = {name: _convert(field) for name, field in schema["properties"].items()}
    # A default of null would not be a value of X.
    if converted.get("default", "") is None:
        del converted["default"]
    # Swagger ignores everything beside a `$ref`, unless the reference stands in `allOf`.
    if "$ref" in converted and len(converted) > 1:
        converted["allOf"] = [{"$ref": converted.pop("$ref")}]
    return converted


def _convert_union(options: list[dict[str, Any]]) -> dict[str, Any]:
    """Convert a union: 'X or null' to X with `x-nullable`, plain types to a list of types.

    A union of shapes stays one, for the specification has one, `FormInputConfig`.
    """
    rest = [option for option in options if option.get("type") != "null"]
    nullable = {"x-nullable": True} if len(rest) < len(options) else {}
    if not rest:
        return nullable
    if len(rest) == 1:
        return rest[0] | nullable
    if all("type" in option for option in rest):
        return {"type": [option["type"] for option in rest], "items": {"type": "object"}} | nullable
    return {"anyOf": rest} | nullable
