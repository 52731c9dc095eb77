"""Read and check app files, and name what this release does not serve of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pydantic

from app.services.definitions import yaml_documents
from app.services.definitions.agent_packages import BadPackage, with_agents
from app.services.definitions.app_file import MODEL_CONFIG_MODES, MODES, AppDefinition, AppSection
from app.services.definitions.file_parts import FilePart
from app.services.definitions.input_fields import FIELD_TYPES
from app.services.definitions.input_forms import unknown_type
from app.services.definitions.model_config import ModelConfig
from app.services.definitions.workflow_config import WorkflowConfig, WorkflowGraph
from app.services.operator.file_warnings import file_warnings
from app.services.operator.unknown_keys import nearest
from app.workflow.engine.graph import NOTE, build
from app.workflow.failures import GraphInvalid
from app.workflow.nodes import node_of

CURRENT_VERSION = (0, 7, 0)
ASSUMED_VERSION = "0.1.0"
_VERSION = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?")

_Part = TypeVar("_Part", bound=FilePart)


class InvalidAppFile(Exception):
    """The file cannot be published. The text is one line that names the place; `problems` has one for each place."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        problems = (problems,) if isinstance(problems, str) else tuple(problems)
        more = f" (and {len(problems) - 1} more: `apps check` shows all)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}")
        self.problems = problems


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
    warnings = _check_version(definition.get("version", ASSUMED_VERSION))
    try:
        definition, of_agents = with_agents(definition)
    except BadPackage as bad:
        raise InvalidAppFile(str(bad)) from None
    if definition.get("kind") == "rag_pipeline":
        raise InvalidAppFile("kind: knowledge pipelines are not served: add documents to a dataset by `datasets add`")
    head = _check_head(definition.get("app"))
    _check_content(head.mode, definition)
    return AppFile(
        head.mode, head.name, definition, warnings + of_agents + file_warnings(AppDefinition.read(definition))
    )


def _check_version(version: Any) -> list[str]:
    if not isinstance(version, str):
        raise InvalidAppFile(f"version: must be a text, not {version!r}: write it in quotes")
    current = ".".join(map(str, CURRENT_VERSION))
    match = _VERSION.match(version.strip())
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
        meant = nearest(mode, MODES) if isinstance(mode, str) else ""
        raise InvalidAppFile(f"app.mode: Invalid app mode {mode!r}{meant}; known are {', '.join(MODES)}")
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
    problems = [
        f"start node: {unknown_type(field)}" for field in workflow.start_variables if field.type not in FIELD_TYPES
    ]
    problems += _graph_problems(workflow.graph)
    if problems:
        raise InvalidAppFile([f"workflow.graph: {problem}" for problem in problems])


def _graph_problems(graph: WorkflowGraph) -> list[str]:
    """Return why a graph cannot be built: what is wrong with each node, else the first thing that is with the whole."""
    try:
        build(graph.stored)
        return []
    except GraphInvalid as error:
        whole = str(error)
    problems = []
    for node in graph.nodes:
        if node.stored.get("type") != NOTE and node.data.stored.get("type"):
            try:
                node_of(str(node.stored.get("id")), str(node.data.stored["type"]), node.data.stored)
            except GraphInvalid as error:
                problems.append(str(error))
    return problems or [whole]


def _checked(part: type[_Part], values: Any, place: str) -> _Part:
    """Check one part of the file. Raises InvalidAppFile for all that is wrong, each with its place."""
    try:
        return part.model_validate(values)
    except pydantic.ValidationError as error:
        raise InvalidAppFile([_sentence(place, found) for found in _distinct(error)]) from None


def _distinct(error: pydantic.ValidationError) -> list[Any]:
    found = error.errors(include_url=False, include_context=False)
    return list({found_at["loc"]: found_at for found_at in reversed(found)}.values())[::-1]


def _sentence(place: str, found: Any) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in found["loc"])
    return f"{place}{steps}: {str(found['msg']).removeprefix('Value error, ')}"
