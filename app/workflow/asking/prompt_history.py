"""The conversation's turns and the images that model nodes put into their prompts."""

from collections.abc import Sequence
from typing import Any

from app.providers.models.chat_types import ModelMessage
from app.providers.models.context_window import message_tokens, newest_that_fit
from app.workflow.contracts.node import ConfigPart, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File
from app.workflow.values.variables import Selector

IMAGE_SECONDS = 30.0


class RolePrefix(ConfigPart):
    """The names of the speakers in a conversation that is written as one text."""

    user: str = ""
    assistant: str = ""


class Window(ConfigPart):
    """The limit on a conversation's turns in a prompt. `size` in turns."""

    enabled: bool = False
    size: int | None = None


class MemoryConfig(ConfigPart):
    """How a node puts the conversation into its prompt."""

    role_prefix: RolePrefix = RolePrefix()
    window: Window = Window()
    query_prompt_template: str = ""

    def history(self, context: NodeContext, room: int) -> list[ModelMessage]:
        """Return the messages of the newest turns that fit into `room` tokens; none in a run without a conversation."""
        if context.services.memory is None:
            return []
        size = self.window.size
        most = max(size, 0) if self.window.enabled and size is not None else None
        # Whole turns are kept or dropped: no answer stands without its question.
        turns: list[list[ModelMessage]] = []
        for message in context.services.memory.messages(most):
            if message.role == "user" or not turns:
                turns.append([])
            turns[-1].append(message)
        taken = newest_that_fit([sum(map(message_tokens, turn)) for turn in turns], room)
        return [message for turn in turns[len(turns) - taken :] for message in turn]

    def dialogue(self, messages: Sequence[ModelMessage]) -> str:
        """Return the messages as one text, a line for each."""
        names = {"user": self.role_prefix.user or "Human", "assistant": self.role_prefix.assistant or "Assistant"}
        return "\n".join(f"{names.get(message.role, message.role)}: {message.text()}" for message in messages)


class VisionConfigs(ConfigPart):
    """Which variable holds the images, and in which detail a model reads them: `low` or `high`."""

    variable_selector: Selector = ("sys", "files")
    detail: str = "high"


class VisionConfig(ConfigPart):
    """Whether a node's model reads images."""

    enabled: bool = False
    configs: VisionConfigs = VisionConfigs()

    def images(self, context: NodeContext) -> list[File]:
        """Return the images of the configured variable; other files and values are ignored."""
        if not self.enabled:
            return []
        value = context.variables.get(self.configs.variable_selector or ("sys", "files"))
        values = value if isinstance(value, list) else [value]
        return [item for item in values if isinstance(item, File) and item.type == "image"]

    def with_images(
        self, messages: Sequence[ModelMessage], images: Sequence[File], context: NodeContext
    ) -> list[ModelMessage]:
        """Return the messages with the images added to the last user message, or as a new one if there is none.

        Raises NodeFailed where an image cannot be read.
        """
        if not images:
            return list(messages)
        if context.services.files is None:
            raise NodeFailed("Files are not available in this run.", "FileNotFoundError")
        files = context.services.files
        parts = [
            files.image_part(image, self.configs.detail, context.seconds_left(IMAGE_SECONDS), context.cancellation)
            for image in images
        ]
        place = max((number for number, message in enumerate(messages) if message.role == "user"), default=None)
        if place is None:
            return [*messages, ModelMessage("user", parts)]
        text: list[dict[str, Any]] = [{"type": "text", "text": messages[place].text()}]
        return [*messages[:place], ModelMessage("user", [*text, *parts]), *messages[place + 1 :]]
