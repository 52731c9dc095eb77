"""`agent`: a model that calls tools until it can answer (contract dsl.md §3.7)."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pydantic

from app import errors
from app.agents.agent import Agent, AgentTask
from app.agents.steps import AgentStep, ToolCall
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage, Usage
from app.providers.models.context_window import message_tokens, prompt_room
from app.providers.models.thoughts import TextChange
from app.providers.models.usage import UsageSum, recorded_usage, usage_object
from app.tools.tool_types import Tool, ToolChoice, ToolFailed, ToolFile
from app.workflow.asking import declared_outputs
from app.workflow.asking.declared_outputs import DeclaredOutput
from app.workflow.asking.model_calls import NodeModel, provider_failure
from app.workflow.asking.prompt_history import MemoryConfig
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.failures import GraphInvalid, NodeFailed
from app.workflow.values.files import File
from app.workflow.values.templates import empty, filled
from app.workflow.values.values import plain, text_of
from app.workflow.values.variables import MISSING, Variables

ROUNDS = 10
LOG_EVENT = "agent_log"


class AgentParameter(ConfigPart):
    """One setting of the agent. `type` `variable`: `value` is a selector; otherwise its texts may hold references."""

    type: str = "constant"
    value: Any = None

    def resolved(self, variables: Variables) -> Any:
        """Return the setting's value; None where a selector finds none."""
        if self.type != "variable":
            return filled(self.value, variables, missing=empty)
        value = variables.get(tuple(map(str, self.value))) if isinstance(self.value, list) else MISSING
        return None if value is MISSING else value


class AgentTool(ConfigPart):
    """A tool in the node's list. Versions of editors name its parts differently."""

    enabled: bool = True
    type: str = "builtin"
    provider_id: str = ""
    provider_name: str = ""
    tool_name: str = ""
    settings: dict[str, Any] = {}
    parameters: dict[str, Any] = {}

    @property
    def choice(self) -> ToolChoice:
        """The tool as the registry finds it."""
        return ToolChoice(
            self.type,
            self.provider_id or self.provider_name,
            self.tool_name,
            self.provider_name,
            {**self.settings, **self.parameters},
        )


class AgentConfig(NodeConfig):
    """The configuration of an agent node."""

    agent_strategy_name: str = ""
    agent_parameters: dict[str, AgentParameter] = {}
    memory: MemoryConfig | None = None
    declared_outputs: list[DeclaredOutput] = []


class AgentNode(Node):
    """Runs an agent on a query: outputs `text`, `files`, `json` (its tool calls), `usage`, and those it declares."""

    kind = "agent"
    Config = AgentConfig
    has_side_effects = True

    def check(self) -> None:
        self._model = self._read_model()
        self._tools = self._read_tools()

    def run(self, context: NodeContext) -> Result:
        model = self._model.find(context)
        query, instruction = self._text("query", context), self._text("instruction", context)
        inputs = {"query": query, "instruction": instruction}
        if not query:
            raise NodeFailed("The agent has no query.", "AgentNodeError", inputs)
        kept = context.progress or {"steps": (), "usage": ()}
        observer = _NodeObserver(context, self._model.name, [_step(fields) for fields in kept["steps"]])
        task = self._task(context, model, self._prompt(context, model, query, instruction), observer.steps)
        agent = Agent(task, observer, observer.usage)
        # A worker of an earlier release kept the tokens alone.
        if isinstance(kept["usage"], Mapping):
            agent.usage.add(Usage(**kept["usage"]) if kept["usage"] else None)
        else:
            agent.usage.add_stored(kept["usage"])
        observer.tell_kept()
        began = time.monotonic()
        try:
            text = agent.run()
        except errors.ProviderError as error:
            failure = provider_failure(error)
            told = usage_object(agent.usage, began, observer.first, time.monotonic())
            spent = recorded_usage(told, agent.usage) if agent.usage else None
            raise NodeFailed(failure.message, failure.error_type, inputs, usage=spent) from error
        usage = usage_object(agent.usage, began, observer.first, time.monotonic())
        outputs = {"text": text, "files": observer.files, "json": observer.calls, "usage": usage}
        outputs |= declared_outputs.read(text, self.config.declared_outputs, agent.finish_reason)
        process_data = {"steps": observer.calls}
        return Result(
            outputs=outputs, inputs=inputs, process_data=process_data, usage=recorded_usage(usage, agent.usage)
        )

    def _task(
        self, context: NodeContext, model: ChatModel, prompt: Sequence[ModelMessage], steps: Sequence[AgentStep]
    ) -> AgentTask:
        return AgentTask(
            model=model,
            options=self._model.completion_params,
            prompt=prompt,
            tools=self._find_tools(context),
            strategy="react"
            if model.mode == "completion" or "react" in self.config.agent_strategy_name.lower()
            else "function_call",
            cancellation=context.cancellation,
            deadline=context.deadline,
            new_id=lambda position: str(uuid.uuid5(uuid.UUID(context.execution.id), str(position))),
            most_rounds=self._rounds(context),
            stored_steps=tuple(steps),
        )

    def _prompt(self, context: NodeContext, model: ChatModel, query: str, instruction: str) -> list[ModelMessage]:
        system = [ModelMessage("system", instruction)] if instruction.strip() else []
        question, memory = ModelMessage("user", query), self.config.memory
        room = prompt_room(self._model.completion_params, model.context) - sum(map(message_tokens, [*system, question]))
        system = declared_outputs.asked(system, self.config.declared_outputs)
        return [*system, *(memory.history(context, room) if memory is not None else []), question]

    def _text(self, name: str, context: NodeContext) -> str:
        parameter = self.config.agent_parameters.get(name)
        value = parameter.resolved(context.variables) if parameter is not None else None
        return "" if value is None else text_of(value)

    def _rounds(self, context: NodeContext) -> int:
        for name in ("maximum_iterations", "max_iterations"):
            parameter = self.config.agent_parameters.get(name)
            value = parameter.resolved(context.variables) if parameter is not None else None
            if isinstance(value, str) and value.isdecimal() or isinstance(value, int):
                return max(1, int(value))
        return ROUNDS

    def _find_tools(self, context: NodeContext) -> dict[str, Tool]:
        """Return the tools by name, without those that are not set up: the import of the app has warned of them."""
        tools: dict[str, Tool] = {}
        for choice in self._tools if context.services.tools is not None else ():
            try:
                tool = context.services.tools.find(choice) if context.services.tools is not None else None
            except ToolFailed:
                continue
            if tool is not None:
                tools.setdefault(tool.description.name, tool)
        return tools

    def _read_model(self) -> NodeModel:
        parameter = self.config.agent_parameters.get("model")
        value = parameter.value if parameter is not None else None
        if not isinstance(value, Mapping):
            raise GraphInvalid(f"{self.name}: agent_parameters.model: Field required")
        try:
            return NodeModel.model_validate({**value, "name": value.get("name") or value.get("model")})
        except pydantic.ValidationError as error:
            raise GraphInvalid(f"{self.name}: agent_parameters.model: {error.errors()[0]['msg']}") from None

    def _read_tools(self) -> list[ToolChoice]:
        parameter = self.config.agent_parameters.get("tools")
        entries = parameter.value if parameter is not None and isinstance(parameter.value, list) else []
        tools = [AgentTool.model_validate(entry) for entry in entries if isinstance(entry, Mapping)]
        return [tool.choice for tool in tools if tool.enabled and tool.tool_name]


@dataclass
class _NodeObserver:
    """Streams the agent's answer as the output `text` and reports its rounds and their tool calls as `agent_log`.

    `steps`: those that called tools. They are kept, so that a worker that takes the run over calls no tool again whose
    result is known.
    """

    context: NodeContext
    model: str
    steps: list[AgentStep]
    usage: UsageSum = field(default_factory=UsageSum)
    files: list[File] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    first: float | None = None
    _began: float = field(default_factory=time.monotonic)

    def tell_kept(self) -> None:
        """Stream and collect what the steps of an earlier worker gave."""
        for step in self.steps:
            if step.shown:
                self.text_changed(step, TextChange(step.shown))
            self.files += step.files
            self.calls += [_record(call) for call in step.calls if call.observation is not None]

    def round_started(self, step: AgentStep) -> None:
        self._began = time.monotonic()
        self._log(step.id, f"ROUND {step.position}", None, "start", {})

    def text_changed(self, step: AgentStep, change: TextChange) -> None:
        self.first = self.first or time.monotonic()
        self.context.stream("text", change)

    def tools_requested(self, step: AgentStep) -> None:
        self.steps.append(step)
        self._keep()
        for call in step.calls:
            self._log(
                self._id_of(step, call),
                f"CALL {call.name}",
                step.id,
                "start",
                {"tool_name": call.name, "tool_input": call.input},
            )

    def tool_returned(self, step: AgentStep, call: ToolCall) -> None:
        self._keep()
        record = _record(call)
        self.calls.append(record)
        self._log(self._id_of(step, call), f"CALL {call.name}", step.id, "success", record)
        if not step.open_calls:
            self._end(step)

    def answer_finished(self, step: AgentStep) -> None:
        self._end(step)

    def store_file(self, file: ToolFile) -> File:
        if self.context.services.files is None:
            raise ToolFailed("Files are not available in this run.")
        try:
            kept = self.context.services.files.store(file.name, file.content, file.mime_type)
        except NodeFailed as failure:
            raise ToolFailed(failure.message) from None
        self.files.append(kept)
        return kept

    def _keep(self) -> None:
        steps = [vars(step) | {"calls": list(map(vars, step.calls))} for step in self.steps]
        self.context.keep_progress({"steps": steps, "usage": self.usage.stored()})

    def _end(self, step: AgentStep) -> None:
        metadata = {"elapsed_time": round(time.monotonic() - self._began, 3)}
        self._log(
            step.id, f"ROUND {step.position}", None, "success", {"thought": step.thought, "model": self.model}, metadata
        )

    def _id_of(self, step: AgentStep, call: ToolCall) -> str:
        return str(uuid.uuid5(uuid.UUID(step.id), call.id))

    def _log(
        self,
        log_id: str,
        label: str,
        parent_id: str | None,
        status: str,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        details = {
            "id": log_id,
            "label": label,
            "parent_id": parent_id,
            "error": None,
            "status": status,
            "data": plain(data),
            "metadata": dict(metadata or {}),
        }
        self.context.report(LOG_EVENT, details)


def _record(call: ToolCall) -> dict[str, Any]:
    return {"tool_name": call.name, "tool_input": call.input, "output": call.observation}


def _step(fields: Mapping[str, Any]) -> AgentStep:
    """Return a step that was kept."""
    return AgentStep(**{**fields, "calls": [ToolCall(**call) for call in fields["calls"]]})
