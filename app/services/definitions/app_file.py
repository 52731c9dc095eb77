"""An app file as the services read it, whole (contract dsl.md §1)."""

from typing import Annotated

import pydantic

from app.errors import AppUnavailable
from app.services.definitions.features import FeatureSet
from app.services.definitions.file_parts import Fallback, FilePart, UncheckedPart
from app.services.definitions.input_fields import InputField
from app.services.definitions.model_config import ModelChoice, ModelConfig
from app.services.definitions.workflow_config import AgentData, KnowledgeData, ToolData, WorkflowConfig
from app.tools.tool_types import ToolChoice

MODEL_CONFIG_MODES = ("chat", "completion", "agent-chat")
WORKFLOW_MODES = ("workflow", "advanced-chat")
TELLS_THOUGHTS_FROM = [0, 7]
MODES = (*MODEL_CONFIG_MODES, *WORKFLOW_MODES)
# Of an app that names no model; the default of the operator's route table answers.
UNNAMED_MODEL = ModelChoice.read({"name": "default"})


class AppSection(FilePart):
    """Name and looks of an app."""

    name: Annotated[str, pydantic.Field(min_length=1, max_length=255), Fallback("")]
    mode: Annotated[str, Fallback("")]
    icon: str | None = None
    icon_type: str | None = None
    icon_background: str | None = None
    description: str | None = None
    use_icon_as_answer_icon: bool = False


class AppDefinition(UncheckedPart):
    """A published definition: that of an app version. It has a model config or a workflow, as its mode says."""

    app: AppSection = AppSection.read({})
    # pydantic keeps the name without the underscore for itself.
    model_config_: ModelConfig | None = pydantic.Field(None, validation_alias="model_config")
    workflow: WorkflowConfig | None = None

    @property
    def has_workflow(self) -> bool:
        """Whether the file has a workflow, if only an empty one."""
        return "workflow" in self.stored

    @property
    def tells_thoughts(self) -> bool:
        """Whether clients of the file's format know `reasoning_chunk` events: those of 0.7.0 and newer do."""
        numbers = [int(part) for part in str(self.stored.get("version", "")).split(".")[:2] if part.isdecimal()]
        return len(numbers) == 2 and numbers >= TELLS_THOUGHTS_FROM

    def usable_model_config(self) -> ModelConfig:
        """Return the model config. Raises AppUnavailable where it names no model."""
        if self.model_config_ is None or "name" not in self.model_config_.model.stored:
            raise AppUnavailable
        return self.model_config_

    def usable_workflow(self) -> WorkflowConfig:
        """Return the workflow. Raises AppUnavailable where its graph has no nodes."""
        if self.workflow is None or not self.workflow.graph.nodes:
            raise AppUnavailable
        return self.workflow

    def features(self, mode: str) -> FeatureSet:
        """Return the model config, with a model or without, or a workflow's features, as the app's mode says.

        Raises AppUnavailable.
        """
        if mode in MODEL_CONFIG_MODES:
            if self.model_config_ is None:
                raise AppUnavailable
            return self.model_config_
        if self.workflow is None or not self.workflow.graph.stored:
            raise AppUnavailable
        return self.workflow.features

    def input_form(self, mode: str) -> tuple[InputField, ...]:
        """Return the fields of the input form; of a start node those without a name, too."""
        if mode in MODEL_CONFIG_MODES:
            return self.model_config_.user_input_form if self.model_config_ is not None else ()
        return self.workflow.start_variables if self.workflow is not None else ()

    def model(self) -> ModelChoice:
        """Return the app's own model, or that of its graph's first node that names one. Raises AppUnavailable."""
        if not self.has_workflow:
            return self.usable_model_config().model
        named = (node.data.model for node in self.usable_workflow().graph.nodes if node.data.model.name)
        return next(named, UNNAMED_MODEL)

    def tools(self) -> list[ToolChoice]:
        """Return the tools that the app names, each once, in the order of the file."""
        chosen = self.model_config_.agent_mode.choices if self.model_config_ is not None else []
        for node in self.workflow.graph.nodes if self.workflow is not None else ():
            if isinstance(node.data, ToolData | AgentData):
                chosen += node.data.choices
        return list({(choice.provider, choice.name): choice for choice in chosen}.values())

    def datasets(self) -> list[str]:
        """Return the ids of the datasets that the app names, each once."""
        found = self.model_config_.dataset_ids if self.model_config_ is not None else []
        for node in self.workflow.graph.nodes if self.workflow is not None else ():
            if isinstance(node.data, KnowledgeData):
                found += [dataset_id for dataset_id in node.data.dataset_ids if dataset_id]
        return list(dict.fromkeys(found))
