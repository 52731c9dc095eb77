"""Runs an agent: rounds in which a model either calls tools or answers. Model, tools and observer come as arguments.

Each round is a step, which the observer stores. An agent that an earlier worker began continues from its stored steps:
tools that have returned are not called again; those of the last step that have not are called now.
"""

import contextlib
import time
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
from app.providers.models.chat_types import Chunk, ModelMessage, Options
from app.providers.models.json_answers import read_json
from app.providers.models.lenient_json import CutJson
from app.providers.models.thoughts import TextChange
from app.providers.models.usage import UsageSum
from app.tools.tool_calls import call_tool
from app.tools.tool_types import Tool, ToolDescription, ToolFailed, ToolFile

log = structlog.get_logger(__name__)

LONGEST_CALL = 300.0
LONGEST_OBSERVATION = 40_000
MOST_CALLS = 20
MOST_ROUNDS = 99
MOST_STOPS = 4
# The observation of a call in which the model's answer ended.
CUT_OFF = (
    "The call was cut off before its input was complete, so the tool has not run. "
    "Make the call again, with a shorter input if it was long."
)


class AgentObserver(Protocol):
    """Follows an agent: stores its steps and publishes its text.

    The agent waits for each call before it continues, so that a step is stored before anything is done on its strength.
    """

    def round_started(self, step: AgentStep) -> None:
        """The model is about to be asked."""

    def text_changed(self, step: AgentStep, change: TextChange) -> None:
        """The text that the step shows to the end user changed."""

    def tools_requested(self, step: AgentStep) -> None:
        """The round has ended with calls of tools, which are about to be made."""

    def tool_returned(self, step: AgentStep, call: ToolCall) -> None:
        """A tool has returned or failed; `call.observation` is what the model will read."""

    def answer_finished(self, step: AgentStep) -> None:
        """The round has ended with the answer: no tools were called."""

    def store_file(self, file: ToolFile) -> Any:
        """Store a file that a tool made; return its file object. Raises ToolFailed."""


@dataclass(frozen=True)
class AgentTask:
    """The task and the limits of an agent.

    `prompt`: system message, earlier turns and the question. `strategy`: `function_call` or `react`; `template`: the
    author's own instructions for the latter. `deadline` in monotonic seconds. `most_rounds`: rounds in which tools may
    be called. `new_id`: returns the id of the step at a position, the same in every worker.
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
    stored_steps: Sequence[AgentStep] = ()
    template: str = ""


@dataclass
class Agent:
    """One run of an agent. `usage`: the tokens of its rounds. `finish_reason`: of the latest round, "" without one."""

    task: AgentTask
    observer: AgentObserver
    usage: UsageSum = field(default_factory=UsageSum)
    finish_reason: str = ""

    def __post_init__(self) -> None:
        self.steps = list(self.task.stored_steps)
        knows_tools = self.task.strategy != "react" and self.task.model.takes("tools")
        self._strategy: Strategy = FunctionCall() if knows_tools else React(self.task.template)

    @property
    def answer(self) -> str:
        """What the steps show, joined."""
        return "".join(step.shown for step in self.steps)

    def run(self) -> str:
        """Run rounds until the model answers; return the answer. Raises ProviderError, Cancelled, the observer's."""
        # An earlier worker was lost between the calls of a step.
        if self.steps and self.steps[-1].open_calls:
            self._perform(self.steps[-1])
        while True:
            position = len(self.steps) + 1
            step = AgentStep(self.task.new_id(position), position)
            self.observer.round_started(step)
            self._ask(step)
            self.steps.append(step)
            if not step.calls:
                self.observer.answer_finished(step)
                return self.answer
            self.observer.tools_requested(step)
            self._perform(step)

    @property
    def _offered(self) -> Sequence[Tool]:
        """The tools of this round; none in the last one, so that it has to be the answer."""
        rounds = max(1, min(self.task.most_rounds, MOST_ROUNDS))
        return list(self.task.tools.values()) if len(self.steps) < rounds else []

    def _ask(self, step: AgentStep) -> None:
        """Ask the model and complete the step. Asks once more, by ReAct, if the server turns out to accept no tools."""
        offered = [tool.description for tool in self._offered]
        self.finish_reason = ""
        reader, shown = self._strategy.reader(step.position), _ShownText(step, self.answer, self.observer)
        with contextlib.closing(self._stream(offered)) as stream, shown:
            for chunk in stream:
                if self._is_refused(offered):
                    # The server refused the tools and now answers without them. That answer is dropped before any of it
                    # is shown: the model must know of its tools, so they are described in the prompt.
                    self._strategy = React(self.task.template)
                    break
                self.usage.add(chunk.usage)
                self.finish_reason = chunk.finish_reason or self.finish_reason
                shown.change(reader.feed(chunk))
            else:
                reply, rest = reader.finish()
                shown.change(rest)
                step.thought, step.written = reply.thought, reply.written
                step.calls = reply.calls[:MOST_CALLS] if offered else []
                for call in step.calls:
                    call.name = self._known_name(call.name)
                    tool = self.task.tools.get(call.name)
                    call.label = {} if tool is None else dict(tool.description.label)
                if reply.calls and not offered and shown.is_empty:
                    # A call that is not made any more: what the model said before it is all that there is.
                    shown.change(TextChange(reply.thought))
                return
        self._ask(step)

    def _known_name(self, written: str) -> str:
        """Return the name of the tool that a model means: small ones write `Current time` for `current_time`."""
        plain = {_plain(name): name for name in self.task.tools}
        return written if written in self.task.tools else plain.get(_plain(written), written)

    def _stream(self, offered: Sequence[ToolDescription]) -> Generator[Chunk, None, None]:
        task, strategy = self.task, self._strategy
        own = strategy.options(offered)
        options = {**task.options, **own}
        if "stop" in own:
            # The strategy's first: servers accept few, and without it a model invents the tool's answer.
            options["stop"] = [*own["stop"], *(task.options.get("stop") or [])][:MOST_STOPS]
        messages = fitted(strategy.messages(task.prompt, self.steps, offered), task.options, task.model.context)
        return task.model.stream(messages, options, task.cancellation, task.deadline)

    def _is_refused(self, offered: Sequence[ToolDescription]) -> bool:
        """Return whether the server refused the tools: the model's client learns that from its first call with them."""
        return bool(offered) and isinstance(self._strategy, FunctionCall) and not self.task.model.takes("tools")

    def _perform(self, step: AgentStep) -> None:
        """Make the step's calls that have not returned, one after the other."""
        for call in step.open_calls:
            # Lone surrogates are replaced: neither PostgreSQL nor UTF-8 has a place for them.
            observation = self._observe(call).encode("utf-8", "replace").decode()
            call.observation = (
                observation
                if len(observation) <= LONGEST_OBSERVATION
                else f"{observation[:LONGEST_OBSERVATION]}\n(cut)"
            )
            self.observer.tool_returned(step, call)

    def _observe(self, call: ToolCall) -> str:
        """Make a call; return the observation: the tool's answer, or a sentence that says why there is none.

        A failed call is no failure of the agent: the model reads why, and can correct it. Raises Cancelled.
        """
        self.task.cancellation.raise_if_cancelled()
        tool = self.task.tools.get(call.name)
        if call.is_cut:
            return CUT_OFF
        if tool is None:
            return f"There is no tool {call.name!r}. The tools are: {', '.join(self.task.tools) or 'none'}."
        try:
            arguments = _arguments(call.arguments)
        except CutJson:
            return CUT_OFF
        except ValueError:
            return f"The input of {call.name} must be a JSON object, not: {call.arguments[:200]}"
        try:
            seconds = max(0.1, min(LONGEST_CALL, self.task.deadline - time.monotonic()))
            answer = call_tool(tool, arguments, seconds, self.task.cancellation, call.id)
            self.usage.add_stored(answer.usage)
            call.sources = list(answer.sources)
            call.files = [self.observer.store_file(file) for file in answer.files]
        except ToolFailed as failure:
            self.usage.add_stored(failure.usage)
            return f"{call.name} failed: {failure}"
        except Cancelled:
            raise
        except Exception:
            # A defect of one tool must not end the answer; the operator finds it in the log.
            log.exception("tool.failed", tool=call.name)
            return f"{call.name} failed."
        texts = [answer.text.replace("\0", "")] if answer.text else []
        if answer.json and not answer.text:
            try:
                texts.append(orjson.dumps(list(answer.json), default=str).decode())
            except orjson.JSONEncodeError:
                # Nested too deeply, or numbers of more than 64 bits.
                return f"{call.name} failed: its answer cannot be written as JSON."
        texts += [f"(made the file {file.name}, which the user can see)" for file in answer.files]
        return "\n".join(texts) or "(no output)"


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _arguments(written: str) -> dict[str, Any]:
    """Return the JSON object of a call. Repaired is only what has one meaning: a call may pay, send or delete.

    Raises CutJson where its end is missing, ValueError where it is none.
    """
    value = read_json(written.strip() or "{}", repair=True)
    if isinstance(value, str):
        # Some servers encode what is JSON already.
        value = read_json(value, repair=True)
    if not isinstance(value, dict):
        raise ValueError(written)
    return value


class _ShownText:
    """The text that one round shows to the end user. Set in the step where the round ends, however it does.

    What the rounds show becomes one answer: the text of a new round begins on a new line. `before`: the answer so far.
    """

    def __init__(self, step: AgentStep, before: str, observer: AgentObserver) -> None:
        self._step, self._observer = step, observer
        self._line = "\n" if before and not before.endswith("\n") else ""
        self._pieces: list[str] = []

    @property
    def is_empty(self) -> bool:
        return not any(map(str.strip, self._pieces))

    def change(self, change: TextChange) -> None:
        """Change the text, and tell the observer."""
        text = change.text
        if text and self._line:
            text, self._line = f"{self._line}{text}", ""
        if change.removed:
            shown = "".join(self._pieces)
            self._pieces = [shown[: len(shown) - change.removed]]
        self._pieces.append(text)
        if text or change.removed:
            self._observer.text_changed(self._step, TextChange(text, change.removed))

    def __enter__(self) -> "_ShownText":
        return self

    def __exit__(self, *_: object) -> None:
        self._step.shown = "".join(self._pieces)
