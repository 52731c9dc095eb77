"""Reads OpenAPI descriptions (3.0, 3.1, Swagger 2.0) as operations that can be called.

The three versions differ in where schemas, bodies and servers are written; an `Operation` is the same for all.
Descriptions come from others: they may be huge, refer to themselves, or be wrong in parts. What can be understood is
used.
"""

import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
# The specification ignores parameters of these names: the protocol sets them.
PROTOCOL_HEADERS = ("accept", "content-type", "authorization")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# Limits of one operation's schemas: nested levels, and parts in all. Behind them a schema is `{}`, which accepts any
# value. Without them a schema that refers to itself would have no end, and a huge one would fill the model's context.
DEEPEST, MOST_PARTS = 12, 4_000
_SUPPORTED_VERSION = re.compile(r"3\.[01](\..*)?|2\.0")
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_.-]")
# Keywords of OpenAPI that JSON Schema does not have, or that say nothing about a value.
_DROPPED = (
    "nullable",
    "example",
    "discriminator",
    "xml",
    "externalDocs",
    "readOnly",
    "writeOnly",
    "deprecated",
    "collectionFormat",
    "allowEmptyValue",
)


class InvalidDescription(Exception):
    """A description that cannot be used. The text is one line that says where and why."""


@dataclass(frozen=True)
class OperationParameter:
    """One parameter of an operation. `argument`: its name for models; `name`: its name in the request.

    `place`: path, query, header, cookie or body. In a body, `name` is a member of it, or "" for the whole body.
    """

    argument: str
    place: str
    name: str
    schema: Mapping[str, Any]
    required: bool
    style: str = ""
    explode: bool = True


@dataclass(frozen=True)
class Operation:
    """One operation. `body_type`: the content type of its body, "" without one.

    `servers`: the addresses that the description names, with variables filled in; they may be relative to its own.
    """

    name: str
    method: str
    path: str
    description: str
    label: str
    parameters: Sequence[OperationParameter]
    body_type: str = ""
    servers: Sequence[str] = ()


def read_description(content: bytes) -> dict[str, Any]:
    """Read a description as JSON or YAML and check that it is one. Raises InvalidDescription."""
    try:
        document = yaml.load(content.decode("utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InvalidDescription(
            f"line {mark.line + 1} is not valid YAML" if mark is not None else "is neither JSON nor YAML"
        ) from None
    if not isinstance(document, dict):
        raise InvalidDescription("is not a mapping")
    version = str(document.get("openapi") or document.get("swagger") or "")
    if not _SUPPORTED_VERSION.fullmatch(version):
        raise InvalidDescription(f"openapi: {version or 'nothing'!s} is not 3.0, 3.1 or 2.0")
    if not isinstance(document.get("paths"), dict):
        raise InvalidDescription("paths: is missing")
    return document


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Read the operations, in the order of the description. Raises InvalidDescription."""
    reader = _Reader(document)
    for path, item in document["paths"].items():
        item = reader.resolved(item)
        for method in METHODS:
            operation = item.get(method) if isinstance(item, dict) else None
            if isinstance(operation, dict):
                yield reader.operation(str(path), method, item, operation)


@dataclass
class _Reader:
    """Reads the operations of one document. `_left`: how many parts of schemas the current operation may still have."""

    document: Mapping[str, Any]
    _left: int = field(default=0)

    def operation(self, path: str, method: str, item: Mapping[str, Any], operation: Mapping[str, Any]) -> Operation:
        self._left = MOST_PARTS
        declared = self._declared(item, operation)
        body_type, body = self._body(operation, declared)
        parameters: list[OperationParameter] = []
        for parameter in [
            *(self._parameter(entry) for entry in declared if entry.get("in") in ("path", "query", "header", "cookie")),
            *body,
        ]:
            if parameter.place == "header" and parameter.name.lower() in PROTOCOL_HEADERS:
                continue
            # A path and a body may use one name for two things; to a model they are two arguments.
            taken = {other.argument for other in parameters}
            parameters.append(parameter if parameter.argument not in taken else _renamed(parameter, taken))
        texts = [str(text).strip() for text in (operation.get("summary"), operation.get("description")) if text]
        return Operation(
            name=str(operation.get("operationId") or f"{method}_{path.strip('/') or 'root'}"),
            method=method.upper(),
            path=path,
            description="\n".join(dict.fromkeys(texts)),
            label=str(operation.get("summary") or operation.get("operationId") or f"{method.upper()} {path}"),
            parameters=parameters,
            body_type=body_type,
            servers=self._servers(operation, item),
        )

    def resolved(self, value: Any, depth: int = 0) -> Any:
        """Return what a reference stands for, or the value itself. A chain of references that has no end gives {}."""
        seen = 0
        while isinstance(value, dict) and isinstance(value.get("$ref"), str):
            seen += 1
            if seen > DEEPEST:
                return {}
            value = self._at(value["$ref"])
        return value

    def schema(self, value: Any, depth: int = 0) -> dict[str, Any]:
        """Return a schema with its references resolved and OpenAPI's dialect turned into JSON Schema.

        Referenced parts are copied in, as models read one schema and no document. Shared parts are repeated by that,
        hence the limits.
        """
        value = self.resolved(value)
        self._left -= 1
        if not isinstance(value, dict) or depth > DEEPEST or self._left < 0:
            return {}
        made = {
            name: self._part(name, part, depth)
            for name, part in value.items()
            if name not in _DROPPED and not name.startswith("x-")
        }
        # Older versions have booleans here, which modify `minimum` and `maximum`; JSON Schema has numbers.
        for bound in ("exclusiveMinimum", "exclusiveMaximum"):
            if isinstance(made.get(bound), bool):
                del made[bound]
        if made.get("type") == "file":
            made["type"] = "string"
        # `nullable` adds null to the types, and to an enum, which would refuse it otherwise.
        if value.get("nullable") is True and isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
            if isinstance(made.get("enum"), list) and None not in made["enum"]:
                made["enum"] = [*made["enum"], None]
        # Some descriptions have a boolean here, which is about the property itself.
        if not isinstance(made.get("required", []), list):
            del made["required"]
        return made

    def _part(self, name: str, part: Any, depth: int) -> Any:
        if name in ("properties", "patternProperties", "$defs", "definitions") and isinstance(part, dict):
            return {key: self.schema(entry, depth + 1) for key, entry in part.items()}
        if name in ("items", "additionalProperties", "not", "contains", "propertyNames") and isinstance(part, dict):
            return self.schema(part, depth + 1)
        if name in ("allOf", "anyOf", "oneOf", "prefixItems") and isinstance(part, list):
            return [self.schema(entry, depth + 1) for entry in part]
        return part

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise InvalidDescription(f"$ref: {reference[:100]!r} refers to another document")
        value: Any = self.document
        for step in reference[2:].split("/"):
            key = urllib.parse.unquote(step).replace("~1", "/").replace("~0", "~")
            if not isinstance(value, dict) or key not in value:
                raise InvalidDescription(f"$ref: {reference[:100]!r} refers to nothing in the description")
            value = value[key]
        return value

    def _declared(self, item: Mapping[str, Any], operation: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the parameters of the path and of the operation; the operation's override the path's."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for part in (item.get("parameters"), operation.get("parameters")):
            for entry in map(self.resolved, part if isinstance(part, list) else []):
                if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                    found[str(entry.get("in")), entry["name"]] = entry
        return list(found.values())

    def _parameter(self, entry: Mapping[str, Any]) -> OperationParameter:
        place, name = str(entry["in"]), str(entry["name"])
        content = entry.get("content")
        first: Mapping[str, Any] = next(iter(content.values()), {}) if isinstance(content, dict) and content else {}
        own = entry.get("schema") or first.get("schema")
        # Swagger 2.0 writes the schema's keywords beside the parameter's name.
        beside = {
            key: value
            for key, value in entry.items()
            if key not in ("name", "in", "required", "description", "style", "explode", "content")
        }
        schema = self.schema(own if own is not None else beside)
        if entry.get("description"):
            schema = {"description": str(entry["description"]), **schema}
        style, explode = _style(entry, place)
        return OperationParameter(
            _argument(name), place, name, schema, place == "path" or entry.get("required") is True, style, explode
        )

    def _body(
        self, operation: Mapping[str, Any], declared: Sequence[Mapping[str, Any]]
    ) -> tuple[str, list[OperationParameter]]:
        form = [entry for entry in declared if entry.get("in") == "formData"]
        whole = next((entry for entry in declared if entry.get("in") == "body"), None)
        consumes = operation.get("consumes") or self.document.get("consumes") or []
        if form:
            kind = FORMS[1] if FORMS[1] in consumes or any(entry.get("type") == "file" for entry in form) else FORMS[0]
            members = [dict(entry) | {"in": "body"} for entry in form]
            return kind, [self._parameter(entry) for entry in members]
        if whole is not None:
            return "application/json", self._members(
                self.schema(whole.get("schema")), whole.get("required") is True, whole.get("description")
            )
        body = self.resolved(operation.get("requestBody"))
        content = body.get("content") if isinstance(body, dict) else None
        if not isinstance(content, dict) or not content:
            return "", []
        kind = _preferred([str(name) for name in content])
        media = content[kind]
        schema = self.schema(media.get("schema") if isinstance(media, dict) else None)
        required = body.get("required") is True
        if _is_json(kind) or kind in FORMS:
            return kind, self._members(schema, required, body.get("description"))
        return kind, [OperationParameter("body", "body", "", {"type": "string"}, required)]

    def _members(self, schema: Mapping[str, Any], required: bool, text: Any) -> list[OperationParameter]:
        """Return each member of an object as a parameter, and any other body as the one parameter `body`.

        Models fill in flat arguments more reliably than an object inside the arguments.
        """
        properties = schema.get("properties")
        if schema.get("type") in ("object", None) and isinstance(properties, dict) and properties:
            needed = schema.get("required", [])
            return [
                OperationParameter(_argument(name), "body", name, part, required and name in needed)
                for name, part in properties.items()
            ]
        return [
            OperationParameter("body", "body", "", {**({"description": str(text)} if text else {}), **schema}, required)
        ]

    def _servers(self, operation: Mapping[str, Any], item: Mapping[str, Any]) -> list[str]:
        if "swagger" in self.document:
            host = self.document.get("host")
            schemes = self.document.get("schemes") or ["https"]
            base = str(self.document.get("basePath") or "/")
            return [f"{schemes[0]}://{host}{base}" if host else base]
        for part in (operation, item, self.document):
            servers = part.get("servers")
            if isinstance(servers, list) and servers:
                return [_filled(server) for server in servers if isinstance(server, dict) and server.get("url")]
        return ["/"]


def _style(entry: Mapping[str, Any], place: str) -> tuple[str, bool]:
    old = entry.get("collectionFormat")
    if old is not None or "type" in entry:
        return {"ssv": "spaceDelimited", "pipes": "pipeDelimited"}.get(str(old), ""), old == "multi"
    style = str(entry.get("style") or "")
    explode = entry.get("explode")
    return style, explode if isinstance(explode, bool) else style in ("", "form") and place in ("query", "cookie")


def _preferred(kinds: Sequence[str]) -> str:
    ranked = [*(kind for kind in kinds if _is_json(kind)), *(kind for kind in FORMS if kind in kinds), *kinds]
    return ranked[0]


def _is_json(kind: str) -> bool:
    name = kind.partition(";")[0].strip().lower()
    return name == "application/json" or name.endswith("+json") or name == "*/*"


def _filled(server: Mapping[str, Any]) -> str:
    url, variables = str(server["url"]), server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")) if isinstance(variable, dict) else "")
    return url


def _argument(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name)[:64] or "_"


def _renamed(parameter: OperationParameter, taken: set[str]) -> OperationParameter:
    name = f"{parameter.argument[:50]}_{parameter.place}"
    while name in taken:
        name = f"{name}_"
    return OperationParameter(
        name, parameter.place, parameter.name, parameter.schema, parameter.required, parameter.style, parameter.explode
    )
