"""The OpenAPI document: pydantic's shapes as Swagger 2.0, and what each route says of itself."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from app.api.namespaces import web_ns

REFUSALS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "App Not Found",
    500: "Internal Server Error",
}
_UNKNOWN_TO_SWAGGER = ("$defs", "const", "examples", "propertyNames", "title")


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
    streams: bool = False,
    produces: tuple[str, ...] = (),
) -> Callable[[Any], Any]:
    """Describe a route's method: its shapes, its answers, its parameters.

    `query_names`: a body whose keys are taken from the query string as well; `required_names` are those that
    the specification calls required there (a body may hold them all the same). `file` describes the part `file` of a form and
    `fields` what stands beside or instead of it, `produces` what is answered beside JSON.
    """
    responses: dict[int, Any] = {status: ok_text if ok is None else (ok_text, _register(ok))}
    parameters: dict[str, Any] = {name: {"description": text} for name, text in (path or {}).items()}
    parameters |= {
        name: {"in": "header", "type": "string", "description": text} for name, text in (headers or {}).items()
    }
    if query is not None:
        parameters |= _query_parameters(query)
    if query_names is not None:
        parameters |= {
            name: parameter | {"required": name in required_names}
            for name, parameter in _query_parameters(query_names).items()
        }
    if fields is not None:
        parameters |= {name: parameter | {"in": "formData"} for name, parameter in _query_parameters(fields).items()}
    if file:
        parameters["file"] = {"in": "formData", "type": "file", "required": fields is None, "description": file}
    about: dict[str, Any] = {"params": parameters, "responses": responses | dict(refusals)}
    about["description"] = description
    if passport:
        about["security"] = ["Passport"]
    if streams or produces:
        about["produces"] = ["application/json", *(("text/event-stream",) if streams else ()), *produces]
    if file:
        about["consumes"] = ["multipart/form-data"]

    def describe(method: Any) -> Any:
        # RESTX takes the summary from here.
        method.__doc__ = summary
        if body is not None:
            method = web_ns.expect(_register(body))(method)
        return web_ns.doc(**about)(method)

    return describe


def swagger_schemas(shape: Any, mode: str = "serialization") -> dict[str, Any]:
    """A shape and everything that it refers to, as Swagger 2.0 definitions by name."""
    adapter = TypeAdapter(shape)
    raw = adapter.json_schema(ref_template="#/definitions/{model}", mode=mode, by_alias=True)  # type: ignore[arg-type]
    definitions = raw.pop("$defs", {})
    if "$ref" not in raw:
        definitions[_name_of(shape)] = raw
    return {name: _convert(schema) for name, schema in definitions.items()}


def _name_of(shape: Any) -> str:
    name: str = shape.__name__
    return name


def _register(shape: Any, mode: str = "") -> Any:
    """Put a shape's definitions into the document and give the one that stands for it."""
    is_request = isinstance(shape, type) and shape.__name__.endswith(("Payload", "Query"))
    for name, schema in swagger_schemas(shape, "validation" if is_request else "serialization").items():
        if name not in web_ns.models:
            web_ns.schema_model(name, schema)
    return web_ns.models[_name_of(shape)]


def _query_parameters(shape: type[BaseModel]) -> dict[str, Any]:
    """The fields of a query as parameters."""
    schema = _register(shape).__schema__
    required = schema.get("required", [])
    return {
        name: {"in": "query", "required": name in required, "description": field.get("description", "")}
        | {key: value for key, value in field.items() if key not in ("description", "x-nullable")}
        for name, field in schema["properties"].items()
    }


def _convert(schema: Any) -> Any:
    """JSON Schema as pydantic writes it → Swagger 2.0, which knows no null, no const, no union."""
    if isinstance(schema, list):
        return [_convert(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = dict(schema)
    options = schema.pop("anyOf", None)
    if options is not None:
        schema |= _convert_union(options)
    converted = {
        key: _convert(value) for key, value in schema.items() if key not in _UNKNOWN_TO_SWAGGER and key != "properties"
    }
    if "const" in schema:
        converted["enum"] = [schema["const"]]
    if "properties" in schema:
        converted["properties"] = {name: _convert(field) for name, field in schema["properties"].items()}
    if converted.get("default", "") is None:
        del converted["default"]
    if "$ref" in converted and len(converted) > 1:
        converted["allOf"] = [{"$ref": converted.pop("$ref")}]
    return converted


def _convert_union(options: list[dict[str, Any]]) -> dict[str, Any]:
    """'X or null' is X with `x-nullable`; plain types become a list of types; shapes stay a union (the specification has one)."""
    rest = [option for option in options if option.get("type") != "null"]
    nullable = {"x-nullable": True} if len(rest) < len(options) else {}
    if not rest:
        return nullable
    if len(rest) == 1:
        return rest[0] | nullable
    if all("type" in option for option in rest):
        return {"type": [option["type"] for option in rest], "items": {"type": "object"}} | nullable
    return {"anyOf": rest} | nullable
