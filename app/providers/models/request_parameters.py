"""Turn an app file's completion_params into members of an OpenAI request.

Sent as they are: the names in SENT. `response_format` is a word in app files, its schema a text beside it. Everything
else (`top_k`, `repeat_penalty`, `enable_thinking` …) is dropped, for OpenAI refuses a request with a name that it does
not know; a route whose server takes such names lists them under `pass_through`.
"""

from collections.abc import Collection
from typing import Any

import orjson

from app.errors import ProviderBadRequest
from app.providers.models.chat_types import Options

SENT = frozenset(
    {
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "presence_penalty",
        "frequency_penalty",
        "stop",
        "seed",
        "logit_bias",
        "reasoning_effort",
        "verbosity",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
    }
)
CHAT_ONLY = frozenset(
    {"reasoning_effort", "verbosity", "tools", "tool_choice", "parallel_tool_calls", "max_completion_tokens"}
)


def request_parameters(options: Options, pass_through: Collection[str] = (), *, chat: bool = True) -> dict[str, Any]:
    """Return the members to send. Raises ProviderBadRequest for an invalid JSON schema."""
    names = SENT if chat else SENT - CHAT_ONLY
    parameters = {
        name: value
        for name, value in options.items()
        if (name in names or name in pass_through) and value is not None and value != [] and value != ""
    }
    wanted = response_format(options) if chat else None
    return parameters if wanted is None else parameters | {"response_format": wanted}


def response_format(options: Options) -> dict[str, Any] | None:
    """Return OpenAI's response_format, None for plain text.

    App files give it as an object, or as a word with the schema in `json_schema`.
    """
    wanted = options.get("response_format")
    if isinstance(wanted, dict):
        return wanted
    if wanted == "json_object":
        return {"type": "json_object"}
    if wanted == "json_schema":
        return {"type": "json_schema", "json_schema": _json_schema(options.get("json_schema"))}
    return None


def _json_schema(schema: Any) -> dict[str, Any]:
    if isinstance(schema, str):
        try:
            schema = orjson.loads(schema)
        except orjson.JSONDecodeError:
            raise ProviderBadRequest("The model's JSON schema is not valid JSON.") from None
    if not isinstance(schema, dict):
        raise ProviderBadRequest("The model's response format needs a JSON schema.")
    return schema if "schema" in schema else {"name": "answer", "schema": schema}
