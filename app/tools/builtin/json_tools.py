"""The tools of the provider `json_process`: find, insert, replace and delete values of a JSON text by their paths."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.providers.cancellation import Cancellation
from app.tools.builtin.builtin_tool import BuiltinProvider, flag, provider, text, tool
from app.tools.builtin.json_paths import BadPath, Place, find, name_of, steps
from app.tools.tool_types import ToolAnswer, ToolFailed

LONGEST_CONTENT = 4_000_000
_QUERY = ("string", "The path of the value, such as $.store.book[0].title")
_COMMON = {
    "content": ("", "The JSON"),
    "ensure_ascii": ("", "Write other characters than ASCII as \\u…; yes by default"),
}
_DECODE = ("", "Read the new value as JSON; no by default")


def json_provider() -> BuiltinProvider:
    """Return the provider `json_process`."""
    return provider(
        "🧩",
        tool(
            "parse",
            "Finds values in JSON by their path.",
            {"en_US": "JSON parse", "zh_Hans": "JSON 解析"},
            _parse,
            ("content", "json_filter"),
            json_filter=_QUERY,
            **_COMMON,
        ),
        tool(
            "json_insert",
            "Inserts a value into JSON.",
            {"en_US": "JSON insert", "zh_Hans": "JSON 插入"},
            _insert,
            ("content", "query", "new_value"),
            query=_QUERY,
            new_value=("", "The value"),
            value_decode=_DECODE,
            create_path=("", "Create the place where there is none; no by default"),
            index=("", "Where in a list; its end by default"),
            **_COMMON,
        ),
        tool(
            "json_replace",
            "Replaces values, keys or parts of texts in JSON.",
            {"en_US": "JSON replace", "zh_Hans": "JSON 替换"},
            _replace,
            ("content", "query", "replace_value"),
            query=_QUERY,
            replace_value=("", "The new value or key, or what replaces the part of a text"),
            replace_pattern=("string", "With the model `pattern`: the part of a text to replace"),
            replace_model=("string", "`value`, `key` or `pattern`"),
            value_decode=_DECODE,
            **_COMMON,
        ),
        tool(
            "json_delete",
            "Deletes values from JSON.",
            {"en_US": "JSON delete", "zh_Hans": "JSON 删除"},
            _delete,
            ("content", "query"),
            query=_QUERY,
            **_COMMON,
        ),
    )


def _parse(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
    values = [place.value for place in _find(_content(arguments), text(arguments, "json_filter"))]
    if not values:
        return ToolAnswer("")
    value = values[0] if len(values) == 1 else values
    items = value if isinstance(value, list) else [value]
    objects = [item for item in items if isinstance(item, dict)]
    return ToolAnswer(value if isinstance(value, str) else _dump(value, arguments), json=objects)


def _insert(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    root, query, value = _content(arguments), text(arguments, "query"), _new(arguments, "new_value")
    places = _find(root, query)
    if not places and flag(arguments, "create_path", False):
        _create(root, query, value)
    _check_copies(value, len(places))
    for place in places:
        _insert_at(place, value, arguments.get("index"))
    return _dump(root, arguments)


def _insert_at(place: Place, value: Any, index: Any) -> None:
    holder = place.value
    if isinstance(holder, dict) and isinstance(value, dict):
        holder.update(value)
    elif isinstance(holder, list):
        try:
            holder.insert(len(holder) if index in (None, "") else int(index), value)
        except (TypeError, ValueError, OverflowError):
            raise ToolFailed("index must be a whole number.") from None
    else:
        wanted = "an object can only take an object" if isinstance(holder, dict) else "it is no object and no list"
        raise ToolFailed(f"Nothing can be inserted there: {wanted}.")


def _create(root: Any, query: str, value: Any) -> None:
    """Put a value where a path of plain names leads, and make the objects on the way. Raises ToolFailed."""
    names = [name_of(step) for step in steps(query)]
    if not names or any(name is None for name in names):
        raise ToolFailed("Only a path of names, such as $.a.b, can be created.")
    for name in names[:-1]:
        root = root.setdefault(name, {}) if isinstance(root, dict) else None
    if not isinstance(root, dict):
        raise ToolFailed("The path leads through a value that is no object.")
    root[names[-1]] = value


def _replace(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    root, model = _content(arguments), text(arguments, "replace_model", default="value")
    box, found = [root], _find(root, text(arguments, "query"))
    places = [Place(box, 0) if place.value is root else place for place in found]
    if model == "key":
        _replace_keys(places, text(arguments, "replace_value"))
    elif model == "pattern":
        _replace_parts(places, text(arguments, "replace_pattern"), text(arguments, "replace_value"))
    else:
        value = _new(arguments, "replace_value")
        _check_copies(value, len(places))
        for holder, key in places:
            holder[key] = value
    return _dump(box[0], arguments)


def _replace_keys(places: Sequence[Place], name: str) -> None:
    """Rename the keys of these places. Each object is written once, however many of its keys change."""
    renamed: dict[int, tuple[dict[str, Any], set[str]]] = {}
    for holder, key in places:
        if not isinstance(holder, dict):
            raise ToolFailed("Only the key of an object can be replaced.")
        renamed.setdefault(id(holder), (holder, set()))[1].add(key)
    for holder, keys in renamed.values():
        items = [(name if key in keys else key, item) for key, item in holder.items()]
        holder.clear()
        holder.update(items)


def _replace_parts(places: Sequence[Place], part: str, new: str) -> None:
    grown = 0
    for place in places:
        holder, key = place
        if part and isinstance(place.value, str):
            grown += max(0, place.value.count(part) * (len(new) - len(part)))
            _check_size(grown)
            holder[key] = place.value.replace(part, new)


def _delete(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    root = _content(arguments)
    # From the end, so that the indexes of a list stay right.
    for holder, key in reversed(_find(root, text(arguments, "query"))):
        if isinstance(holder, dict):
            holder.pop(key, None)
        elif holder and isinstance(key, int) and -len(holder) <= key < len(holder):
            del holder[key]
    return _dump(root, arguments)


def _find(root: Any, path: str) -> list[Place]:
    try:
        return find(root, path)
    except BadPath as bad:
        raise ToolFailed(f"Bad path: {bad}.") from None


def _content(arguments: Mapping[str, Any]) -> Any:
    """Return a copy of the JSON, which app files give as a text or as a value. Raises ToolFailed."""
    given = arguments.get("content")
    whole = given if isinstance(given, str) else json.dumps(given)
    _check_size(len(whole))
    try:
        return json.loads(whole)
    except (ValueError, RecursionError):
        raise ToolFailed("content is no JSON.") from None


def _check_size(characters: int) -> None:
    if characters > LONGEST_CONTENT:
        raise ToolFailed(f"The JSON is longer than {LONGEST_CONTENT} characters.")


def _check_copies(value: Any, copies: int) -> None:
    """Refuse a value that makes the JSON too long by the number of its places."""
    if copies > 1:
        _check_size(copies * len(json.dumps(value)))


def _new(arguments: Mapping[str, Any], name: str) -> Any:
    value = arguments.get(name)
    if not (isinstance(value, str) and flag(arguments, "value_decode", False)):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ToolFailed(f"{name} is no JSON.") from None


def _dump(value: Any, arguments: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=flag(arguments, "ensure_ascii", True))
