"""The YAML files that operators write: models, tools, API extensions. Each mistake is told with its line and its place.

A file is read into pydantic models with strict keys. Secrets stay in the environment; values name its variables
(`$NAME` or `${NAME}`), which are looked up in a mapping that the caller passes.
"""

import pathlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import pydantic
import yaml

VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")
Location = tuple[int | str, ...]


class InvalidOperatorFile(Exception):
    """A file, or a setting in its place, cannot be used; the text is one line that says where and why."""


class UnsetVariable(ValueError):
    """A value names a variable of the environment that is not set; `name` is the variable's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the variable {name} is not set")
        self.name = name


class Strict(pydantic.BaseModel):
    """A part of an operator's file: no unknown keys, no values of a similar type."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


Content = TypeVar("Content", bound=Strict)
# Mistakes that the types cannot tell: where each is, and what is wrong there.
Check = Callable[[Content], Iterable[tuple[Location, str]]]


def read_operator_file(path: pathlib.Path, model: type[Content], check: Check[Content] = lambda content: ()) -> Content:
    """Read a file into a model; an empty file is an empty mapping. Raises InvalidOperatorFile for the first mistake."""
    try:
        loader = yaml.SafeLoader(path.read_text("utf-8"))
        root = loader.get_single_node()
        document = {} if root is None else loader.construct_document(root)
    except OSError as error:
        raise InvalidOperatorFile(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidOperatorFile(f"{path}: is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}:" if error.problem_mark else ""
        raise InvalidOperatorFile(f"{path}:{line} is not valid YAML: {error.problem}") from None
    # Beside YAML's own errors: a date that no calendar has, a tag whose content does not fit it.
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise InvalidOperatorFile(f"{path}: is not valid YAML") from None
    try:
        content = model.model_validate(document)
    except pydantic.ValidationError as error:
        # Without the input: a mistake may stand beside a secret.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise InvalidOperatorFile(
            f"{path}: {_place(root, first['loc'], first['type'] == 'missing')}: {_explain(first)}"
        ) from None
    for location, problem in check(content):
        raise InvalidOperatorFile(f"{path}: {_place(root, location)}: {problem}")
    return content


def variable_name(text: str) -> str | None:
    """Return NAME where the text is `$NAME` or `${NAME}` and nothing else, None for any other text."""
    match = VARIABLE.fullmatch(text)
    return match and (match[1] or match[2])


def value_of(name: str, environment: Mapping[str, str]) -> str:
    """Return a variable's value. Raises UnsetVariable, also for a blank one."""
    value = environment.get(name, "")
    if not value.strip():
        raise UnsetVariable(name)
    return value


def filled(text: str, environment: Mapping[str, str]) -> str:
    """Return the text with values in the place of its variables. Raises UnsetVariable."""
    return VARIABLE.sub(lambda match: value_of(match[1] or match[2], environment), text)


def _place(root: yaml.Node | None, location: Location, is_missing: bool = False) -> str:
    """Return `line 7: models[2].endpoint` for a location in a document; `is_missing`: its last step is not there."""
    node, nearest, path = root, root, ""
    for number, step in enumerate(location, 1):
        found = _step(node, step)
        if found is not None:
            path += f"[{step}]" if isinstance(node, yaml.SequenceNode) else f".{step}"
            nearest, node = found
        elif is_missing and number == len(location):
            path += f".{step}"
        # Any other step that is not in the document was added by pydantic: it names the member of a union.
    line = f"line {nearest.start_mark.line + 1}: " if nearest is not None else ""
    return f"{line}{path.removeprefix('.') or 'the document'}"


def _step(node: yaml.Node | None, step: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the node that shows where an entry begins (its key, or itself in a list) and the entry's value."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _explain(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "is not known here"
    return str(error["msg"]).removeprefix("Value error, ")
