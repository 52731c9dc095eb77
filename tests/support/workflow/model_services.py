"""Services for the tests of model nodes: a scripted model server, a conversation, images, the sandbox."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.models.chat_types import ModelMessage
from app.providers.models.routes import ModelRoutes
from app.providers.sandbox import Sandbox
from app.workflow.contracts.node_services import NodeServices
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File
from tests.support.scripted_model import ScriptedModel

SANDBOX = Sandbox()
MODEL = {
    "provider": "langgenius/openai/openai",
    "name": "tiny",
    "mode": "chat",
    "completion_params": {"temperature": 0.5},
}


class Conversation:
    """The earlier turns of a conversation: (query, answer) pairs, oldest first. `asked`: the limits it was given."""

    def __init__(self, *turns: tuple[str, str]) -> None:
        self._turns = turns
        self.asked: list[int | None] = []

    def messages(self, most_turns: int | None) -> Sequence[ModelMessage]:
        self.asked.append(most_turns)
        turns = (
            self._turns if most_turns is None else self._turns[len(self._turns) - min(most_turns, len(self._turns)) :]
        )
        return [
            message
            for query, answer in turns
            for message in (ModelMessage("user", query), ModelMessage("assistant", answer))
        ]


class RemoteImages:
    """Files with addresses, from which the model server would load them itself."""

    def read(self, file: File, most_bytes: int, seconds: float, cancellation: Cancellation) -> bytes:
        raise NodeFailed("Not here.")

    def store(self, name: str, content: bytes, mime_type: str) -> File:
        raise NodeFailed("Not here.")

    def image_part(self, file: File, detail: str, seconds: float, cancellation: Cancellation) -> Mapping[str, Any]:
        if file.remote_url is None:
            raise NodeFailed(f"{file.name} cannot be read.", "FileError")
        return {"type": "image_url", "image_url": {"url": file.remote_url, "detail": detail}}


def services_with(server: ScriptedModel, *, context: int = 32_768, memory: Conversation | None = None) -> NodeServices:
    routes = ModelRoutes.from_settings("", server.base_url, "key", "", {}, context=context, read_timeout=5)
    return NodeServices(models=routes, sandbox=SANDBOX, files=RemoteImages(), memory=memory)


def picture(name: str = "cat.png", kind: str = "image") -> File:
    return File(
        name,
        kind,
        "remote_url",
        name,
        ".png",
        "image/png",
        10,
        None,
        f"https://files.example/{name}",
        f"https://files.example/{name}",
    )


def sent(server: ScriptedModel) -> list[tuple[str, Any]]:
    """Return (role, content) of each message in the model's last request."""
    return [(message["role"], message["content"]) for message in server.requests[-1].body["messages"]]
