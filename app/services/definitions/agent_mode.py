"""How an agent works, and the tools that app files name (contract dsl.md §2, `agent_mode`; §3.7, agent node)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic

from app.services.definitions.dataset_configs import DatasetReference
from app.services.definitions.file_parts import ListOf, Switch, Text, UncheckedPart
from app.tools.tool_types import ToolChoice

MOST_ROUNDS = 10
DATASET_PROVIDERS = ("dataset", "dataset-retrieval")
REACT_STRATEGIES = ("react", "react_router", "cot")


class ToolEntry(UncheckedPart):
    """One entry of a list of tools, in an agent app's spelling or a node's. Older files list datasets there, too."""

    enabled: Switch = True
    provider_type: Text = ""
    type: Text = ""
    provider_id: Text = ""
    provider_name: Text = ""
    tool_name: str = ""
    settings: dict[str, Any] = {}
    tool_parameters: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    dataset: DatasetReference = DatasetReference.read({})

    @property
    def choice(self) -> ToolChoice | None:
        """The tool that the entry names; None where it is switched off, names none, or is a dataset."""
        return self.choice_with(self.tool_parameters) if self.enabled else None

    def choice_with(self, tool_parameters: Mapping[str, Any]) -> ToolChoice | None:
        """The tool that the entry names, on or off, with these parameters fixed."""
        kind = self.provider_type or self.type or "builtin"
        if kind in DATASET_PROVIDERS or not self.tool_name:
            return None
        settings = {**self.settings, **(tool_parameters or self.parameters)}
        return ToolChoice(kind, self.provider_id or self.provider_name, self.tool_name, self.provider_name, settings)


class AgentPrompt(UncheckedPart):
    """The author's own instructions for the strategy `react`."""

    first_prompt: str = ""


class AgentMode(UncheckedPart):
    """How an agent works. `max_iteration`: after so many rounds it has to answer."""

    enabled: Switch = True
    strategy: Annotated[
        Literal["function_call", "react"],
        pydantic.BeforeValidator(lambda name: "react" if name in REACT_STRATEGIES else "function_call"),
    ] = "function_call"
    max_iteration: Annotated[int, pydantic.Field(gt=0)] = MOST_ROUNDS
    prompt: AgentPrompt = AgentPrompt.read({})
    tools: ListOf[ToolEntry] = ()

    @property
    def choices(self) -> list[ToolChoice]:
        """The tools that are switched on."""
        return [choice for entry in self.tools if (choice := entry.choice) is not None] if self.enabled else []
