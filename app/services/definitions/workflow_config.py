"""The workflow of a workflow app or a chatflow: its graph, features and variables (contract dsl.md §3)."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

import pydantic

from app.services.definitions.agent_mode import ToolEntry
from app.services.definitions.features import FeatureSet
from app.services.definitions.file_parts import Fallback, FilePart, ListOf, UncheckedPart
from app.services.definitions.file_rules import FileRules
from app.services.definitions.input_fields import InputField
from app.services.definitions.model_config import ModelChoice
from app.tools.tool_types import ToolChoice
from app.workflow.contracts.knowledge import NODE_KIND as KNOWLEDGE

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class NodeData(UncheckedPart):
    """What a node of any type may have. The engine reads the rest (`app.workflow.nodes`)."""

    model: ModelChoice = ModelChoice.read({})


class StartData(NodeData):
    """A start node declares the input form."""

    variables: ListOf[InputField] = ()


class ToolData(NodeData, ToolEntry):
    """A tool node names one tool."""

    tool_configurations: dict[str, Any] = {}

    @property
    def choices(self) -> list[ToolChoice]:
        """The tool. What the node's own parameters say is filled in when it runs."""
        choice = self.choice_with(self.tool_configurations)
        return [] if choice is None else [choice]


class AgentTools(UncheckedPart):
    """The list of an agent node's tools."""

    value: ListOf[ToolEntry] = ()


class AgentModel(UncheckedPart):
    """The model of an agent node. Editors write its name as `model`."""

    value: ModelChoice = ModelChoice.read({})


class AgentParameters(UncheckedPart):
    """What an agent node gives to its strategy."""

    model: AgentModel = AgentModel.read({})
    tools: AgentTools = AgentTools.read({})


class AgentData(NodeData):
    """An agent node names the tools that its model may call."""

    agent_parameters: AgentParameters = AgentParameters.read({})

    @property
    def choices(self) -> list[ToolChoice]:
        """The tools that are switched on."""
        return [choice for entry in self.agent_parameters.tools.value if (choice := entry.choice) is not None]


class KnowledgeData(NodeData):
    """A knowledge-retrieval node names datasets."""

    dataset_ids: ListOf[str] = ()


_KINDS = ("start", "tool", "agent", KNOWLEDGE)


def _kind(data: Any) -> str:
    kind = data.get("type") if isinstance(data, dict) else None
    return kind if isinstance(kind, str) and kind in _KINDS else ""


_AnyData = Annotated[
    Annotated[StartData, pydantic.Tag("start")]
    | Annotated[ToolData, pydantic.Tag("tool")]
    | Annotated[AgentData, pydantic.Tag("agent")]
    | Annotated[KnowledgeData, pydantic.Tag(KNOWLEDGE)]
    | Annotated[NodeData, pydantic.Tag("")],
    pydantic.Discriminator(_kind),
]


class GraphNode(UncheckedPart):
    """One node of a graph."""

    data: _AnyData = NodeData.read({})


class WorkflowGraph(FilePart):
    """Nodes and edges. `app.workflow.engine.graph.build` makes a graph that runs of what is `stored`."""

    nodes: Annotated[ListOf[GraphNode], Fallback(())]
    edges: ListOf[dict[str, Any]] = ()


class DeclaredVariable(UncheckedPart):
    """An environment or conversation variable (contract dsl.md §3.2)."""

    id: str = ""
    name: str = ""
    value_type: str = ""
    value: Any = None

    @property
    def key(self) -> str:
        """What the variable is known by when it is renamed."""
        return self.id or self.name

    @property
    def type(self) -> str:
        """The type that its values have."""
        return self.value_type or "string"

    @property
    def first_value(self) -> Any:
        """The value in the file; an empty one of the variable's type where there is none."""
        kind, value = self.type, self.value
        if kind == "number" and isinstance(value, str):
            number = float(value) if _NUMBER.fullmatch(value) else 0.0
            return int(number) if number.is_integer() else number
        if value is None or (value == "" and kind not in ("string", "secret")):
            return [] if kind.startswith("array") else {"number": 0, "boolean": False, "object": {}}.get(kind, "")
        return value


def _named(variables: Iterable[DeclaredVariable]) -> tuple[DeclaredVariable, ...]:
    return tuple(variable for variable in variables if variable.name)


_Declared = Annotated[ListOf[DeclaredVariable], pydantic.AfterValidator(_named)]


class WorkflowConfig(FilePart):
    """Everything that a workflow app or a chatflow says beside its name and looks."""

    graph: Annotated[WorkflowGraph, Fallback(WorkflowGraph.read({}))]
    features: FeatureSet = FeatureSet.read({})
    environment_variables: _Declared = ()
    conversation_variables: _Declared = ()

    @property
    def start_variables(self) -> tuple[InputField, ...]:
        """The variables of the start node, those without a name too."""
        started = (node.data.variables for node in self.graph.nodes if isinstance(node.data, StartData))
        return next(started, ())

    @property
    def user_input_form(self) -> tuple[InputField, ...]:
        """The fields that an end user fills in."""
        return tuple(field for field in self.start_variables if field.variable)

    @property
    def file_rules(self) -> FileRules | None:
        """The rules for the files of messages and runs; None where they carry none."""
        return self.features.file_rules

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that no record may show."""
        secret = (variable.value for variable in self.environment_variables if variable.type == "secret")
        return tuple(str(value) for value in secret if value)
