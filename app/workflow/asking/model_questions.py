"""What a node asks a model about a text of the run: to sort it, or to read something out of it."""

from collections.abc import Mapping
from typing import Any

from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage
from app.providers.models.context_window import message_tokens, prompt_room
from app.workflow.asking.model_calls import ModelCall, NodeModel
from app.workflow.asking.prompt_history import MemoryConfig, VisionConfig
from app.workflow.contracts.node import ConfigPart, NodeContext
from app.workflow.values.templates import parse
from app.workflow.values.values import text_of
from app.workflow.values.variables import Selector


class QuestionFields(ConfigPart):
    """The fields that such nodes share."""

    model: NodeModel
    instruction: str = ""
    memory: MemoryConfig | None = None
    vision: VisionConfig = VisionConfig()

    def question(
        self, context: NodeContext, model: ChatModel, task: str, selector: Selector, extra: Mapping[str, Any]
    ) -> ModelCall:
        """Task, author's instruction and conversation as system message, the text as the user's. Raises NodeFailed.

        `extra`: options for the model; the author's own go first.
        """
        options = {**extra, **self.model.completion_params}
        images = self.vision.images(context) if model.mode == "chat" else []
        text = text_of(context.variables.require(selector))
        instruction = parse(self.instruction).render(context.variables)
        told = f"{task}\n\nInstruction of the author:\n{instruction}" if instruction.strip() else task
        asked = self.vision.shown([ModelMessage("system", told), ModelMessage("user", text)], images, context)
        room = prompt_room(options, model.context) - sum(map(message_tokens, asked))
        dialogue = self.memory.dialogue(self.memory.history(context, room)) if self.memory is not None else ""
        if dialogue:
            asked[0] = ModelMessage("system", f"{told}\n\nThe conversation before this text:\n{dialogue}")
        return ModelCall(self.model, asked, options, {"query": text, **({"files": images} if images else {})}, images)
