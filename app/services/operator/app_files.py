"""Read and check app files, and name what this release does not serve of them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pydantic

from app.services.definitions import yaml_documents
from app.services.definitions.app_file import MODEL_CONFIG_MODES, MODES, AppDefinition, AppSection
from app.services.definitions.file_parts import FilePart
from app.services.definitions.model_config import ModelConfig
from app.services.definitions.workflow_config import WorkflowConfig
from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid

CURRENT_VERSION = (0, 6, 0)
ASSUMED_VERSION = "0.1.0"
SERVED_MODERATION = ("keywords", "api")

_Part = TypeVar("_Part", bound=FilePart)


class InvalidAppFile(Exception):
    """The file cannot be published; the text is one line that names the place."""


@dataclass(frozen=True)
class AppFile:
    """A checked file. `definition` is all of it with its secrets, so that nothing has to be imported again later."""

    mode: str
    name: str
    definition: dict[str, Any]
    warnings: list[str]


def parse(content: bytes | str) -> AppFile:
    """Read and check a file's content. Raises InvalidAppFile."""
    try:
        document = yaml_documents.read(content.encode() if isinstance(content, str) else content)
    except yaml_documents.InvalidDocument as error:
        raise InvalidAppFile(f"Invalid YAML format: {error}") from None
    except UnicodeEncodeError:
        raise InvalidAppFile(
            "Invalid YAML format: the text is not valid Unicode, as it holds half of a surrogate pair"
        ) from None
    if not isinstance(document, dict):
        raise InvalidAppFile(
            "Invalid YAML format: the file must be a mapping with the keys 'app' and 'model_config' or 'workflow'"
        )
    return check(document)


def check(definition: dict[str, Any]) -> AppFile:
    """Check a definition of plain JSON values. Raises InvalidAppFile."""
    version_warnings = _check_version(definition.get("version", ASSUMED_VERSION))
    head = _check_head(definition.get("app"))
    _check_content(head.mode, definition)
    return AppFile(head.mode, head.name, definition, version_warnings + not_served(AppDefinition.read(definition)))


def not_served(definition: AppDefinition) -> list[str]:
    """Return a sentence for everything that the app has switched on and this release does not serve."""
    used = [(entry, entry.names(definition)) for entry in NOT_SERVED]
    return [
        f"{entry.sentence} ({', '.join(names)})" if any(names) else entry.sentence for entry, names in used if names
    ]


def _check_version(version: Any) -> list[str]:
    if not isinstance(version, str):
        raise InvalidAppFile(f"version: must be a text, not {version!r}: write it in quotes")
    current = ".".join(map(str, CURRENT_VERSION))
    match = re.fullmatch(r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?.*", version.strip())
    if match is None:
        return [f"version: {version!r} is not a version; the file is read as one of version {current}."]
    if tuple(int(part or 0) for part in match.groups()) > CURRENT_VERSION:
        return [f"version: the file is of version {version}, newer than {current}: what is new in it is not served."]
    return []


def _check_head(section: Any) -> AppSection:
    if not isinstance(section, dict) or not section:
        raise InvalidAppFile("Missing app data in YAML content: there is no mapping 'app'")
    mode = section.get("mode")
    if not mode:
        raise InvalidAppFile("app.mode: missing app mode")
    if mode not in MODES:
        raise InvalidAppFile(f"app.mode: Invalid app mode {mode!r}; known are {', '.join(MODES)}")
    return _checked(AppSection, section, "app")


def _check_content(mode: str, definition: Mapping[str, Any]) -> None:
    if mode in MODEL_CONFIG_MODES:
        if not isinstance(definition.get("model_config"), dict):
            raise InvalidAppFile("Missing model_config for chat/agent-chat/completion app")
        _checked(ModelConfig, definition["model_config"], "model_config")
        return
    if not isinstance(definition.get("workflow"), dict):
        raise InvalidAppFile("Missing workflow data for workflow/advanced chat app")
    workflow = _checked(WorkflowConfig, definition["workflow"], "workflow")
    try:
        build(workflow.graph.stored)
    except GraphInvalid as error:
        raise InvalidAppFile(f"workflow.graph: {error}") from None


def _checked(part: type[_Part], values: Any, place: str) -> _Part:
    """Check one part of the file. Raises InvalidAppFile for the first thing that is wrong, with its place."""
    try:
        return part.model_validate(values)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
        raise InvalidAppFile(f"{place}{steps}: {str(first['msg']).removeprefix('Value error, ')}") from None


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
