"""Parse requests and serialise responses, both by pydantic. Errors never repeat what was sent."""

from typing import Any, TypeVar

import orjson
from flask import Response, request
from pydantic import BaseModel, ValidationError

from app.errors import BadRequest, InvalidParam, UnsupportedMediaType

LARGEST_JSON = 15_000_000

Shape = TypeVar("Shape", bound=BaseModel)


def parse_body(shape: type[Shape], *, query: bool = False) -> Shape:
    """Return the request's JSON body.

    `query`: the query string supplies keys that the body lacks; if it supplies one, the body may be absent.
    Raises UnsupportedMediaType, BadRequest, InvalidParam, and Werkzeug's 413 for a body that is too large.
    """
    supplied: dict[str, Any] = {}
    if query:
        supplied = {name: value for name, value in request.args.items() if name in shape.model_fields}
        if supplied and not request.content_length and not request.is_json:
            return _validate(shape, supplied)
    if not request.is_json:
        raise UnsupportedMediaType
    request.max_content_length = LARGEST_JSON
    content = request.get_data(cache=False)
    if supplied and not content:
        return _validate(shape, supplied)
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise BadRequest from None
    return _validate(shape, supplied | body if isinstance(body, dict) else body)


def parse_query(shape: type[Shape]) -> Shape:
    """Return the request's query string; unknown names are ignored. Raises InvalidParam."""
    return _validate(shape, request.args.to_dict())


def reply(body: BaseModel, status: int = 200) -> Response:
    """Return a response with a JSON body."""
    return Response(body.model_dump_json(by_alias=True), status=status, mimetype="application/json")


def no_content() -> Response:
    """Return a response without a body, and so without a content type."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def _validate(shape: type[Shape], value: Any) -> Shape:
    try:
        return shape.model_validate(value)
    except ValidationError as problem:
        raise InvalidParam(_describe(problem)) from None


def _describe(problem: ValidationError) -> str:
    """Return a line for each error, with its place and without the value that was sent: it may be a password."""
    lines = []
    for error in problem.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in error["loc"])
        sentence = "badly formed" if error["type"] == "value_error" and "UUID" in error["msg"] else error["msg"]
        lines.append(f"{place}: {sentence}" if place else sentence)
    return "\n".join(lines)
