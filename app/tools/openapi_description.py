"""OpenAPI descriptions (3.0, 3.1, Swagger 2.0) as operations that can be called."""

import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
# Said by the protocol itself, whatever a description says of them.
PROTOCOL_HEADERS = ("accept", "content-type", "authorization")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
DEEPEST, MOST_PARTS = 12, 4_000
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_.-]")
# What JSON Schema means otherwise, or not at all.
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
    """Nothing can be made of it; the text is one line that says where and why."""


@dataclass(frozen=True)
class OperationParameter:
    """`argument`: what a model calls it. `place`: path, query, header, cookie or body (then a member of it; `name` "" is all of it)."""

    argument: str
    place: str
    name: str
    schema: Mapping[str, Any]
    required: bool
    style: str = ""
    explode: bool = True


@dataclass(frozen=True)
class Operation:
    """`body_type`: the content type of its body, "" without one. `servers`: where it says it is, variables filled in."""

    name: str
    method: str
    path: str
    description: str
    label: str
    parameters: Sequence[OperationParameter]
    body_type: str = ""
    servers: Sequence[str] = ()


def read_description(content: bytes) -> dict[str, Any]:
    """JSON or YAML. Raises InvalidDescription."""
    try:
        document = yaml.load(content.decode("utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InvalidDescription(
            f"line {mark.line + 1} is no valid YAML" if mark is not None else "is neither JSON nor YAML"
        ) from None
    if not isinstance(document, dict):
        raise InvalidDescription("is no mapping")
    version = str(document.get("openapi") or document.get("swagger") or "")
    if not re.fullmatch(r"(3\.[01](\..*)?|2\.0)", version):
        raise InvalidDescription(f"openapi: {version or 'nothing'!s} is not 3.0, 3.1 or 2.0")
    if not isinstance(document.get("paths"), dict):
        raise InvalidDescription("paths: is missing")
    return document


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """All of them, in the order of the description. Raises InvalidDescription."""
    reader = _Reader(document)
    for path, item in document["paths"].items():
        item = reader.resolved(item)
        for method in METHODS:
            operation = item.get(method) if isinstance(item, dict) else None
            if isinstance(operation, dict):
                yield reader.operation(str(path), method, item, operation)


@dataclass
class _Reader:
    """References are followed in the document alone; what is too deep, or without an end, is left open."""

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
        """What a reference stands for."""
        seen = 0
        while isinstance(value, dict) and isinstance(value.get("$ref"), str):
            seen += 1
            if seen > DEEPEST:
                return {}
            value = self._at(value["$ref"])
        return value

    def schema(self, value: Any, depth: int = 0) -> dict[str, Any]:
        """A schema without references, as JSON Schema means it."""
        value = self.resolved(value)
        self._left -= 1
        if not isinstance(value, dict) or depth > DEEPEST or self._left < 0:
            return {}
        made = {
            name: self._part(name, part, depth)
            for name, part in value.items()
            if name not in _DROPPED and not name.startswith("x-")
        }
        for bound in ("exclusiveMinimum", "exclusiveMaximum"):
            if isinstance(made.get(bound), bool):
                del made[bound]
        if made.get("type") == "file":
            made["type"] = "string"
        if value.get("nullable") is True and isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
            if isinstance(made.get("enum"), list) and None not in made["enum"]:
                made["enum"] = [*made["enum"], None]
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
            raise InvalidDescription(f"$ref: {reference[:100]!r} leads out of the description")
        value: Any = self.document
        for step in reference[2:].split("/"):
            key = urllib.parse.unquote(step).replace("~1", "/").replace("~0", "~")
            if not isinstance(value, dict) or key not in value:
                raise InvalidDescription(f"$ref: {reference[:100]!r} leads nowhere")
            value = value[key]
        return value

    def _declared(self, item: Mapping[str, Any], operation: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The parameters of the path and of the operation; the latter's count."""
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
        # Swagger 2.0 has the schema's words beside the name.
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
        """Each member of an object as an argument; anything else as one, `body`."""
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
