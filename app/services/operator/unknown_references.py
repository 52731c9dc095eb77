"""Find references and selectors of a graph that lead to nodes or variables which do not exist."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.services.definitions.app_file import AppDefinition
from app.services.definitions.workflow_config import GraphNode, StartData, WorkflowConfig
from app.services.operator.unknown_keys import nearest
from app.workflow.values.templates import parse
from app.workflow.values.variables import ALIASES, Selector

# Texts of a node that hold no references, whatever they look like.
_NO_TEMPLATES = {"code": ("code",), "template-transform": ("template",), "": ("title", "desc", "type")}
# Selectors under other keys than `…selector`, by kind of node.
_SELECTORS = {"list-operator": "variable", "parameter-extractor": "query"}
_SYSTEM = frozenset(
    {
        "query",
        "files",
        "conversation_id",
        "dialogue_count",
        "user_id",
        "app_id",
        "workflow_id",
        "workflow_run_id",
        "timestamp",
    }
)


def unknown_references(definition: AppDefinition) -> list[str]:
    """Return a sentence for each reference of a node that finds nothing in any run."""
    workflow = definition.workflow
    if workflow is None:
        return []
    known = _Known(workflow)
    return [
        f"node {_title(node)!r}: {problem}"
        for node in workflow.graph.nodes
        if node.stored.get("type") != "custom-note"
        for problem in dict.fromkeys(map(known.problem, _selectors(node)))
        if problem
    ]


class _Known:
    """What selectors may begin with: node ids, and the names of the variables that are declared."""

    def __init__(self, workflow: WorkflowConfig) -> None:
        self._nodes = frozenset(str(node.stored.get("id")) for node in workflow.graph.nodes)
        self._declared = {
            "env": frozenset(variable.name for variable in workflow.environment_variables),
            "conversation": frozenset(variable.name for variable in workflow.conversation_variables),
            "sys": _SYSTEM,
        }
        self._start_ids = frozenset(
            str(node.stored.get("id")) for node in workflow.graph.nodes if isinstance(node.data, StartData)
        )
        self._start = frozenset(field.variable for field in workflow.start_variables)

    def problem(self, selector: Selector) -> str:
        """Return what is wrong with a selector, empty where it may find something."""
        first, name = ALIASES.get(selector[0], selector[0]), selector[1]
        whole = ".".join(selector)
        if first in self._declared:
            if name in self._declared[first]:
                return ""
            return f"{whole!r}: there is no variable {name!r} in {first!r}{nearest(name, self._declared[first]) or '.'}"
        if first not in self._nodes:
            return f"{whole!r} refers to the node {first!r}, which does not exist."
        if first in self._start_ids and name not in self._start and name.partition(".")[0] != "sys":
            return f"{whole!r}: the start node has no variable {name!r}{nearest(name, self._start) or '.'}"
        return ""


def _title(node: GraphNode) -> str:
    return str(node.data.stored.get("title") or node.stored.get("id"))


def _selectors(node: GraphNode) -> Iterator[Selector]:
    """Yield every selector of a node's data, and those of the references in its texts."""
    data = node.data.stored
    kind = str(data.get("type") or "")
    skipped = {*_NO_TEMPLATES[""], *_NO_TEMPLATES.get(kind, ())}
    rest = {name: value for name, value in data.items() if name not in skipped}
    yield from _in(rest)
    yield from _selector(data.get(_SELECTORS.get(kind, "")))
    if kind in ("variable-aggregator", "variable-assigner"):
        settings = data.get("advanced_settings")
        groups = settings.get("groups") if isinstance(settings, dict) and settings.get("group_enabled") else None
        for part in groups if isinstance(groups, list) else [data]:
            listed = part.get("variables") if isinstance(part, dict) else None
            for entry in listed if isinstance(listed, list) else []:
                yield from _selector(entry)


def _in(value: Any) -> Iterator[Selector]:
    if isinstance(value, str):
        yield from parse(value).selectors
    elif isinstance(value, list):
        for item in value:
            yield from _in(item)
    elif isinstance(value, Mapping) and value.get("enabled") is not False:
        for name, item in value.items():
            yield from _in(item)
            if name.endswith("selector"):
                yield from _selector(item)
        if value.get("type") == "variable" or value.get("input_type") == "variable":
            yield from _selector(value.get("value"))


def _selector(value: Any) -> Iterator[Selector]:
    if isinstance(value, list) and len(value) > 1 and all(isinstance(part, str) and part for part in value):
        yield tuple(value)
