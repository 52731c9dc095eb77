"""Find places in a JSON value by the common part of JSONPath.

Understood are `$.a.b`, `a[0]`, `a[-1]`, `a[0:2]`, `$['a']`, `a[*]`, `..name` and `[?(@.price > 10)]`.
A place is the object or list that holds a value, with its key or index there, so that the value can be changed.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

MOST_PLACES = 100_000
# How many values one search looks at: deep steps may meet a value once for each value around it.
MOST_VISITS = 500_000
LONGEST_PATH = 1_000
_STEP = re.compile(
    r"""(?P<deep>\.\.)? (?:
        \.?(?P<name>[^\s.\[\]'"*?()@]+) | \.?(?P<all>\*)
      | \[\s*(?P<index>-?\d+)\s*\] | \[\s*(?P<start>-?\d*)\s*:\s*(?P<stop>-?\d*)\s*\]
      | \[\s*\*\s*\] | \[\s*'(?P<single>[^']*)'\s*\] | \[\s*"(?P<double>[^"]*)"\s*\]
      | \[\s*\?\s*\(?\s*@\.?(?P<key>[\w.]+)\s*(?:(?P<sign>==|!=|<=|>=|<|>)\s*(?P<value>[^\])]+?))?\s*\)?\s*\]
    )""",
    re.VERBOSE,
)
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class BadPath(ValueError):
    """The text is no path that is understood."""


class Place(NamedTuple):
    """Where a value stands: `holder[key]`."""

    holder: Any
    key: Any

    @property
    def value(self) -> Any:
        """The value there."""
        return self.holder[self.key]


def find(root: Any, path: str) -> list[Place]:
    """Return the places that a path leads to, in the order of the document. Raises BadPath."""
    places, visits = [Place([root], 0)], 0
    for step in steps(path):
        found: list[Place] = []
        for place in places:
            for start in _descendants(place.value) if step["deep"] else (place.value,):
                visits += 1
                if visits > MOST_VISITS:
                    raise BadPath(f"the path looks at more than {MOST_VISITS} values")
                found.extend(_children(start, step))
                if len(found) > MOST_PLACES:
                    raise BadPath(f"the path leads to more than {MOST_PLACES} places")
        places = found
    return places


def steps(path: str) -> list[re.Match[str]]:
    """Return the steps of a path. Raises BadPath."""
    rest = path.strip()
    if len(rest) > LONGEST_PATH:
        raise BadPath(f"the path is longer than {LONGEST_PATH} characters")
    position = 1 if rest.startswith("$") else 0
    found = []
    while position < len(rest):
        match = _STEP.match(rest, position)
        if match is None or match.end() == position:
            raise BadPath(f"{rest[position : position + 40]!r} is not understood")
        found.append(match)
        position = match.end()
    return found


def name_of(step: re.Match[str]) -> str | None:
    """Return the key that a step names; None for a step of another kind."""
    return next((step[group] for group in ("name", "single", "double") if step[group] is not None), None)


def _children(value: Any, step: re.Match[str]) -> Iterator[Place]:
    name = name_of(step)
    if name is not None:
        if isinstance(value, dict) and name in value:
            yield Place(value, name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            yield Place(value, int(name))
    elif isinstance(value, list) and step["index"] is not None:
        index = int(step["index"][:18])
        if -len(value) <= index < len(value):
            yield Place(value, index)
    elif isinstance(value, list) and step["start"] is not None:
        bounds = [int(step[side][:18]) if step[side] else None for side in ("start", "stop")]
        for index in range(*slice(*bounds).indices(len(value))):
            yield Place(value, index)
    elif step["index"] is None and step["start"] is None and isinstance(value, list | dict):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            if step["key"] is None or _fits(value[key], step):
                yield Place(value, key)


def _fits(item: Any, step: re.Match[str]) -> bool:
    for name in step["key"].split("."):
        if not isinstance(item, dict) or name not in item:
            return False
        item = item[name]
    if step["sign"] is None:
        return True
    wanted = step["value"].strip()
    if wanted[:1] in "'\"":
        wanted, item = wanted.strip("'\""), str(item)
    else:
        constants = {"true": True, "false": False, "null": None}
        try:
            wanted = constants[wanted] if wanted in constants else float(wanted)
        except ValueError:
            return False
    try:
        return _SIGNS[step["sign"]](item, wanted)
    except TypeError:
        return False


def _descendants(value: Any) -> Iterator[Any]:
    """Yield a value and all that is inside it, in the order of the document."""
    left = [value]
    while left:
        current = left.pop()
        yield current
        inside = current.values() if isinstance(current, dict) else current if isinstance(current, list) else ()
        left.extend(reversed(list(inside)))
