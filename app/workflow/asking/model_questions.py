"""The questions of nodes that classify a text or extract parameters from it."""

from collections.abc import Mapping
from typing import Any

from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage
from app.providers.models.context_window import message_tokens, prompt_room
from app.workflow.asking.model_calls import ModelCall, NodeModel
from app.workflow.asking.prompt_history import MemoryConfig, VisionConfig
from app.workflow.contracts.node import ConfigPart, NodeContext
from app.workflow.values.templates import bare, parse
from app.workflow.values.values import text_of
from app.workflow.values.variables import MISSING, Selector


class QuestionFields(ConfigPart):
    """The configuration that question classifiers and parameter extractors share."""

    model: NodeModel
    instruction: str = ""
    memory: MemoryConfig | None = None
    vision: VisionConfig = VisionConfig()

    def question(
        self, context: NodeContext, model: ChatModel, task: str, selector: Selector, extra: Mapping[str, Any]
    ) -> ModelCall:
        """Return the call that asks a model about the text of `selector`. Raises NodeFailed.

        The system message holds the task, the author's instruction and the conversation; the user message holds the
        text. `extra`: options for the model, which the author's completion parameters override.
        """
        options = {**extra, **self.model.completion_params}
        images = self.vision.images(context) if model.mode == "chat" else []
        value = context.variables.get(selector)
        # Of a branch that was skipped: there is nothing to ask about.
        text = "" if value is MISSING else text_of(value)
        instruction = parse(self.instruction).render(context.variables, missing=bare)
        system = f"{task}\n\nInstruction of the author:\n{instruction}" if instruction.strip() else task
        messages = self.vision.with_images(
            [ModelMessage("system", system), ModelMessage("user", text)], images, context
        )
        room = prompt_room(options, model.context) - sum(map(message_tokens, messages))
        dialogue = self.memory.dialogue(self.memory.history(context, room)) if self.memory is not None else ""
        if dialogue:
            messages[0] = ModelMessage("system", f"{system}\n\nThe conversation before this text:\n{dialogue}")
        inputs = {"query": text, **({"files": images} if images else {})}
        return ModelCall(self.model, messages, options, inputs, images)
