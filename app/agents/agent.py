"""A model that calls tools until it can answer. Pure: model, tools and who listens come as arguments.

A run that another worker has begun goes on from its stored steps: what came back from a tool is not asked for again.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import structlog

from app.agents.function_call import FunctionCall
from app.agents.message_fitting import fitted
from app.agents.react import React
from app.agents.steps import AgentStep, ToolCall
from app.agents.strategies import Strategy
from app.providers.cancellation import Cancellation, Cancelled
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import Chunk, ModelMessage, Options, Usage
from app.providers.models.json_answers import read_json
from app.tools.tool_types import Tool, ToolDescription, ToolFailed, ToolFile

log = structlog.get_logger(__name__)

LONGEST_CALL = 300.0
LONGEST_OBSERVATION = 40_000
MOST_CALLS = 20
MOST_ROUNDS = 99
MOST_STOPS = 4


class AgentObserver(Protocol):
    """Who follows an agent. Each is called before the next thing happens, so that what is kept is kept before it counts."""

    def round_started(self, step: AgentStep) -> None:
        """The model is asked."""

    def text_added(self, step: AgentStep, text: str, chunk: Chunk | None) -> None:
        """The visitor may read more; also called for a chunk without text."""

    def tools_requested(self, step: AgentStep) -> None:
        """The model wants tools: they are about to be called."""

    def tool_returned(self, step: AgentStep, call: ToolCall) -> None:
        """A tool has come back."""

    def answer_finished(self, step: AgentStep) -> None:
        """The step's thought is the answer."""

    def store_file(self, file: ToolFile) -> Any:
        """Store a file that a tool made; gives its file object. Raises ToolFailed."""


@dataclass(frozen=True)
class AgentTask:
    """What an agent works with. `prompt`: system message, earlier turns and the question; `past`: steps that were stored.

    `deadline` in monotonic seconds; `most_rounds`: rounds in which tools may be called; `new_id`: the id of the step at a position.
    """

    model: ChatModel
    options: Options
    prompt: Sequence[ModelMessage]
    tools: Mapping[str, Tool]
    strategy: str
    cancellation: Cancellation
    deadline: float
    new_id: Callable[[int], str]
    most_rounds: int = 10
    past: Sequence[AgentStep] = ()
    template: str = ""


@dataclass
class Agent:
    """One run of an agent."""

    task: AgentTask
    observer: AgentObserver
    usage: Counter[str] = field(default_factory=Counter)
    counted: bool = False

    def __post_init__(self) -> None:
        self.steps = list(self.task.past)
        knows_tools = self.task.strategy != "react" and self.task.model.takes("tools")
        self._strategy: Strategy = FunctionCall() if knows_tools else React(self.task.template)
        self._said = "".join(step.shown for step in self.steps)

    def run(self) -> str:
        """To the answer. Raises ProviderError, Cancelled, and what the listener raises."""
        if self.steps and self.steps[-1].open_calls:
            self._perform(self.steps[-1])
        while True:
            position = len(self.steps) + 1
            step = AgentStep(self.task.new_id(position), position)
            self.observer.round_started(step)
            self._ask(step)
            if not step.calls:
                self.observer.answer_finished(step)
                return self._said
            self.steps.append(step)
            self.observer.tools_requested(step)
            self._perform(step)

    @property
    def _offered(self) -> Sequence[Tool]:
        """None in the last round: it has to be the answer."""
        rounds = max(1, min(self.task.most_rounds, MOST_ROUNDS))
        return list(self.task.tools.values()) if len(self.steps) < rounds else []

    def _ask(self, step: AgentStep) -> None:
        offered = [tool.description for tool in self._offered]
        reader = self._strategy.reader(step.position)
        with contextlib.closing(self._stream(offered)) as stream:
            for chunk in stream:
                if self._is_refused(offered):
                    # The server knows no tools, and answers without: it is told of them in words.
                    self._strategy = React(self.task.template)
                    break
                self._count(chunk.usage)
                self._say(step, reader.feed(chunk), chunk)
            else:
                reading, more = reader.finish()
                self._say(step, more, None)
                step.thought, step.written = reading.thought, reading.written
                step.calls = reading.calls[:MOST_CALLS] if offered else []
                for call in step.calls:
                    call.name = self._known_name(call.name)
                return
        self._ask(step)

    def _known_name(self, written: str) -> str:
        """The tool that a model means: small ones write `Current time` for `current_time`."""
        plain = {_plain(name): name for name in self.task.tools}
        return written if written in self.task.tools else plain.get(_plain(written), written)

    def _stream(self, offered: Sequence[ToolDescription]) -> Generator[Chunk, None, None]:
        task, strategy = self.task, self._strategy
        own = strategy.options(offered)
        options = {**task.options, **own}
        if "stop" in own:
            options["stop"] = [*own["stop"], *(task.options.get("stop") or [])][:MOST_STOPS]
        messages = fitted(strategy.messages(task.prompt, self.steps, offered), task.options, task.model.context)
        return task.model.stream(messages, options, task.cancellation, task.deadline)

    def _is_refused(self, offered: Sequence[ToolDescription]) -> bool:
        return bool(offered) and isinstance(self._strategy, FunctionCall) and not self.task.model.takes("tools")

    def _say(self, step: AgentStep, text: str, chunk: Chunk | None) -> None:
        if text and not step.shown and self._said and not self._said.endswith("\n"):
            text = f"\n{text}"
        step.shown += text
        self._said += text
        self.observer.text_added(step, text, chunk)

    def _perform(self, step: AgentStep) -> None:
        for call in step.open_calls:
            # Half characters too would be refused by every row and every frame.
            observation = self._observe(call).encode("utf-8", "replace").decode()
            call.observation = (
                observation
                if len(observation) <= LONGEST_OBSERVATION
                else f"{observation[:LONGEST_OBSERVATION]}\n(cut)"
            )
            self.observer.tool_returned(step, call)

    def _observe(self, call: ToolCall) -> str:
        """What a call came to: its answer, or in words why there is none. Raises Cancelled."""
        self.task.cancellation.raise_if_cancelled()
        tool = self.task.tools.get(call.name)
        if tool is None:
            return f"There is no tool {call.name!r}. The tools are: {', '.join(self.task.tools) or 'none'}."
        call.label = dict(tool.description.label)
        arguments = _arguments(call.arguments)
        if arguments is None:
            return f"The input of {call.name} must be a JSON object, not: {call.arguments[:200]}"
        try:
            answer = tool.call(
                arguments, max(0.1, min(LONGEST_CALL, self.task.deadline - time.monotonic())), self.task.cancellation
            )
            call.sources = list(answer.sources)
            call.files = [self.observer.store_file(file) for file in answer.files]
        except ToolFailed as failure:
            return f"{call.name} failed: {failure}"
        except Cancelled:
            raise
        except Exception:
            # A fault of a tool's must not be the answer's end; the operator sees it.
            log.exception("tool.failed", tool=call.name)
            return f"{call.name} failed."
        texts = [answer.text.replace("\0", "")] if answer.text else []
        if answer.json and not answer.text:
            texts.append(orjson.dumps(list(answer.json), default=str).decode())
        texts += [f"(made the file {file.name}, which the user can see)" for file in answer.files]
        return "\n".join(texts) or "(no output)"

    def _count(self, usage: Usage | None) -> None:
        if usage is not None:
            self.counted = True
            self.usage.update(
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                total_tokens=usage.total_tokens,
            )


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _arguments(written: str) -> dict[str, Any] | None:
    """Return the JSON object of a call, repaired where it is nearly one; None where it is none."""
    text = written.strip() or "{}"
    try:
        value = read_json(text, repair=text.startswith("{"))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
