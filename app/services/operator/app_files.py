"""App files: from YAML text to a checked definition, with what this release does not serve of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.services.definitions import yaml_documents
from app.services.definitions.app_configs import WORKFLOW_MODES, external_data_tools, is_enabled
from app.services.operator import app_file_shapes
from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid

CURRENT_VERSION = (0, 6, 0)
ASSUMED_VERSION = "0.1.0"
SERVED_MODERATION = ("keywords", "api")


class InvalidAppFile(Exception):
    """The file cannot be published; the text is one line that names the place."""


@dataclass(frozen=True)
class AppFile:
    """A checked file. `definition` is the whole of it, secrets included, so that nothing has to be imported again later."""

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
        raise InvalidAppFile("Invalid YAML format: the text holds half a character") from None
    if not isinstance(document, dict):
        raise InvalidAppFile(
            "Invalid YAML format: the file must be a mapping with the keys 'app' and 'model_config' or 'workflow'"
        )
    return check(document)


def check(definition: dict[str, Any]) -> AppFile:
    """Check a definition of plain JSON values. Raises InvalidAppFile."""
    version_warnings = _check_version(definition.get("version", ASSUMED_VERSION))
    try:
        head = app_file_shapes.check(definition)
    except app_file_shapes.InvalidShape as error:
        raise InvalidAppFile(str(error)) from None
    if head.mode in WORKFLOW_MODES:
        try:
            build(definition["workflow"]["graph"])
        except GraphInvalid as error:
            raise InvalidAppFile(f"workflow.graph: {error}") from None
    return AppFile(head.mode, head.name, definition, version_warnings + not_served(definition))


def not_served(definition: Mapping[str, Any]) -> list[str]:
    """A sentence for everything that the app has switched on and this release does not serve."""
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


@dataclass(frozen=True)
class NotServed:
    """Something that app files have and this release does not serve.

    `names` tells what of a definition it is about; `[""]` where there is nothing to name, `[]` where it is not used.
    """

    sentence: str
    names: Callable[[Mapping[str, Any]], list[str]]


def _config(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where the features are."""
    if definition["app"]["mode"] in WORKFLOW_MODES:
        return definition["workflow"].get("features") or {}
    config: Mapping[str, Any] = definition["model_config"]
    return config


def _feature(name: str) -> Callable[[Mapping[str, Any]], list[str]]:
    return lambda definition: [""] if is_enabled(_config(definition).get(name)) else []


def _moderation(definition: Mapping[str, Any]) -> list[str]:
    feature = _config(definition).get("sensitive_word_avoidance")
    kind = str(_inside(feature, "type") or "no type")
    return [kind] if is_enabled(feature) and kind not in SERVED_MODERATION else []


def _external_data(definition: Mapping[str, Any]) -> list[str]:
    tools = external_data_tools(_config(definition))
    return [f"{tool.variable}: {tool.type or 'no type'}" for tool in tools if tool.type != "api"]


def _image_icon(definition: Mapping[str, Any]) -> list[str]:
    return [""] if definition["app"].get("icon_type") == "image" else []


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


# A release that serves one of these removes its line.
NOT_SERVED = (
    NotServed("Moderation of this type is not served: neither inputs nor answers are checked", _moderation),
    NotServed(
        "External data tools of these types are not served: their variables stay as they are typed in the prompt",
        _external_data,
    ),
    NotServed(
        "Annotation replies are not served: an app file names them without carrying them", _feature("annotation_reply")
    ),
    NotServed("The icon is an image that is not in the file: the page shows 🤖", _image_icon),
)
