"""Find keys of an app file that nothing reads, such as `pre_promtp`, and name the key that was meant.

The file's upper levels are known whole: there every unknown key is told. Editors write keys of their own beside a
node's settings, so there only those are told that are close to a key which is missing.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pydantic

from app.services.definitions.app_file import AppSection
from app.services.definitions.features import ExternalDataTool, FeatureSet, Moderation
from app.services.definitions.input_fields import InputField
from app.services.definitions.model_config import ModelConfig
from app.services.definitions.workflow_config import DeclaredVariable, WorkflowConfig, WorkflowGraph
from app.workflow.nodes import config_of

MOST_SENTENCES = 20
CLOSE = 0.75
_TOP = frozenset({"version", "kind", "app", "model_config", "workflow", "dependencies", "agent", "agent_packages"})
# Models whose keys are known whole.
_WHOLE = (AppSection, ModelConfig, WorkflowConfig, WorkflowGraph, FeatureSet)
# What editors and older releases write beside what is read (contract dsl.md §2, §3).
_BESIDE: Mapping[type, frozenset[str]] = {
    AppSection: frozenset({"id", "icon_url", "max_active_requests", "enable_site", "enable_api", "tags", "tracing"}),
    ModelConfig: frozenset({"id", "app_id", "model_id", "provider", "configs", "created_at", "updated_at"}),
    WorkflowConfig: frozenset(
        {
            "id",
            "version",
            "hash",
            "rag_pipeline_variables",
            "created_at",
            "created_by",
            "updated_at",
            "updated_by",
            "tool_published",
            "marked_name",
            "marked_comment",
        }
    ),
    WorkflowGraph: frozenset({"viewport"}),
    InputField: frozenset({"description", "json_schema", "hint", "placeholder", "unit", "config", "icon", "enabled"}),
    Moderation: frozenset({"configs"}),
    DeclaredVariable: frozenset({"description", "selector"}),
}
_NODE = frozenset(
    {
        "id",
        "type",
        "data",
        "parentId",
        "extent",
        "position",
        "positionAbsolute",
        "sourcePosition",
        "targetPosition",
        "selected",
        "selectable",
        "draggable",
        "dragging",
        "connectable",
        "deletable",
        "resizing",
        "hidden",
        "style",
        "width",
        "height",
        "measured",
        "zIndex",
    }
)
_EDGE = frozenset(
    {"id", "source", "target", "sourceHandle", "targetHandle", "type", "data", "selected", "zIndex", "style", "hidden"}
)
_NODE_DATA = frozenset(
    {
        "type",
        "desc",
        "selected",
        "version",
        "isInIteration",
        "isInLoop",
        "isIterationStart",
        "isLoopStart",
        "iteration_id",
        "loop_id",
        "container_id",
        "parentId",
        "start_node_id",
        "width",
        "height",
        "variables",
        "variable",
        "outputs",
        "output_type",
        "memory",
        "model",
    }
)


def unknown_keys(definition: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each key of an app file that is not read and not an editor's own."""
    found = list(_unknown(definition))
    more = len(found) - MOST_SENTENCES
    return [*found[:MOST_SENTENCES], *([f"… and {more} more unknown keys."] if more > 0 else [])]


def nearest(name: str, known: Mapping[str, Any] | frozenset[str] | tuple[str, ...]) -> str:
    """Return `; did you mean 'x'?` for the known name that is nearest, empty where none is near."""
    close = difflib.get_close_matches(name, known, 1, CLOSE)
    return f"; did you mean {close[0]!r}?" if close else ""


def _unknown(definition: Mapping[str, Any]) -> Iterator[str]:
    yield from _compare(definition, _TOP, "", True)
    yield from _inside(definition.get("app"), AppSection, "app")
    config, workflow = definition.get("model_config"), definition.get("workflow")
    yield from _inside(config, ModelConfig, "model_config", skip=("user_input_form",))
    for number, entry in enumerate(_list(_mapping(config).get("user_input_form"))):
        for kind, field in _mapping(entry).items():
            of = ExternalDataTool if kind == "external_data_tool" else InputField
            yield from _inside(field, of, f"model_config.user_input_form[{number}].{kind}")
    yield from _inside(workflow, WorkflowConfig, "workflow", skip=("graph",))
    graph = _mapping(workflow).get("graph")
    yield from _inside(graph, WorkflowGraph, "workflow.graph", skip=("nodes", "edges"))
    for number, edge in enumerate(_list(_mapping(graph).get("edges"))):
        yield from _compare(_mapping(edge), _EDGE, f"workflow.graph.edges[{number}]", False)
    for node in _list(_mapping(graph).get("nodes")):
        yield from _in_node(_mapping(node))


def _in_node(node: Mapping[str, Any]) -> Iterator[str]:
    data = _mapping(node.get("data"))
    place = f"node {data.get('title') or node.get('id')!r}"
    yield from _compare(node, _NODE, place, False)
    config = config_of(str(data.get("type")))
    if config is None:
        return
    yield from _compare(data, _names(config) | _NODE_DATA, place, False)
    yield from _below(data, config, place)
    for number, field in enumerate(_list(data.get("variables")) if data.get("type") == "start" else []):
        yield from _inside(field, InputField, f"{place}: variables[{number}]")


def _inside(value: Any, model: type[pydantic.BaseModel], place: str, skip: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the unknown keys of a mapping that a model reads, and of the mappings in it."""
    if not isinstance(value, Mapping):
        return
    known = _names(model) | _BESIDE.get(model, frozenset())
    yield from _compare(value, known, place, model in _WHOLE)
    yield from _below(value, model, place, skip)


def _below(
    value: Mapping[str, Any], model: type[pydantic.BaseModel], place: str, skip: tuple[str, ...] = ()
) -> Iterator[str]:
    for name, field in model.model_fields.items():
        parts = list(_models_in(field.annotation)) if name not in skip else []
        # A field of several models is read by what it says: left alone.
        if len(parts) == 1:
            inner = value.get(name)
            if isinstance(inner, list):
                for number, item in enumerate(inner):
                    yield from _inside(item, parts[0], f"{place}.{name}[{number}]")
            elif not _is_table(field.annotation):
                yield from _inside(inner, parts[0], f"{place}.{name}")


def _compare(mapping: Mapping[str, Any], known: frozenset[str], place: str, whole: bool) -> Iterator[str]:
    missing = known - mapping.keys()
    for key in mapping:
        if key in known or key.startswith("_"):
            continue
        meant = nearest(key, missing)
        if meant or whole:
            yield f"{place}{': ' if place else ''}the key {key!r} is unknown and not read{meant or '.'}"


def _names(model: type[pydantic.BaseModel]) -> frozenset[str]:
    names = {name.rstrip("_") for name in model.model_fields}
    for field in model.model_fields.values():
        alias = field.validation_alias
        if isinstance(alias, str):
            names.add(alias)
        elif isinstance(alias, pydantic.AliasChoices):
            names.update(choice for choice in alias.choices if isinstance(choice, str))
    return frozenset(names)


def _models_in(annotation: Any) -> Iterator[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _is_table(annotation: Any) -> bool:
    """Whether a field is a mapping with names of the author's choice as keys."""
    return getattr(annotation, "__origin__", None) is dict


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
