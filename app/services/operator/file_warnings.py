"""Say what of an app file will not work, by the file alone: what is not served, unknown, or wrong in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.services.definitions.app_file import AppDefinition
from app.services.definitions.input_forms import field_problem
from app.services.operator.author_code import template_problems
from app.services.operator.unknown_keys import unknown_keys
from app.services.operator.unknown_references import unknown_references

SERVED_MODERATION = ("keywords", "api")


def file_warnings(definition: AppDefinition) -> list[str]:
    """Return a sentence for everything that an end user would meet: what is not served, unknown keys, bad code."""
    return [
        *not_served(definition),
        *unknown_keys(definition.stored),
        *_start_form(definition),
        *template_problems(definition),
        *unknown_references(definition),
    ]


def not_served(definition: AppDefinition) -> list[str]:
    """Return a sentence for everything that the app has switched on and this release does not serve."""
    used = [(entry, entry.names(definition)) for entry in NOT_SERVED]
    return [
        f"{entry.sentence} ({', '.join(names)})" if any(names) else entry.sentence for entry, names in used if names
    ]


def _start_form(definition: AppDefinition) -> Iterator[str]:
    """Yield what is wrong with the fields of a start node; those of a model config are checked at import."""
    fields = definition.workflow.start_variables if definition.workflow is not None else ()
    seen: set[str] = set()
    for field in fields:
        problem = field_problem(field)
        if problem:
            yield f"start node: {problem}."
        if field.variable and field.variable in seen:
            yield f"start node: the variable {field.variable!r} is declared twice."
        seen.add(field.variable)


@dataclass(frozen=True)
class NotServed:
    """Something that app files have and this release does not serve.

    `names` gives what of a definition is not served: `[""]` where it has no names, `[]` where it is not used.
    """

    sentence: str
    names: Callable[[AppDefinition], list[str]]


def _moderation(definition: AppDefinition) -> list[str]:
    feature = definition.features(definition.app.mode).sensitive_word_avoidance
    served = not feature.enabled or feature.type in SERVED_MODERATION
    return [] if served else [feature.type or "no type"]


def _external_data(definition: AppDefinition) -> list[str]:
    tools = definition.features(definition.app.mode).data_tools
    return [f"{tool.variable}: {tool.type or 'no type'}" for tool in tools if tool.type != "api"]


def _annotation_reply(definition: AppDefinition) -> list[str]:
    return [""] if definition.features(definition.app.mode).annotation_reply.enabled else []


def _image_icon(definition: AppDefinition) -> list[str]:
    return [""] if definition.app.icon_type == "image" else []


# A release that serves one of these removes its line.
NOT_SERVED = (
    NotServed("Moderation of this type is not served: neither inputs nor answers are checked", _moderation),
    NotServed(
        "External data tools of these types are not served: their variables stay as they are typed in the prompt",
        _external_data,
    ),
    NotServed("Annotation replies are not served: an app file names them without carrying them", _annotation_reply),
    NotServed("The icon is an image that is not in the file: the page shows 🤖", _image_icon),
)
