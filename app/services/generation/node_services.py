"""The services of a run's nodes (contract: app/workflow/contracts/node_services.py)."""

from collections.abc import Sequence

from app.models.messages import read_thread
from app.providers.models.chat_types import ModelMessage
from app.providers.work_owner import WorkOwner
from app.services.definitions.prompts import turns_for_models
from app.services.files.file_contents import FileContents
from app.services.generation.node_http import NodeHttp
from app.services.generation.run_tools import RunTools
from app.services.generation.task_execution import TaskExecution
from app.services.knowledge.retrieval import AppKnowledge
from app.services.process.providers import guarded_http, model_routes, sandbox
from app.workflow.contracts.human_forms import FormStore
from app.workflow.contracts.node_services import NodeServices

MOST_TURNS = 100


class ConversationMemory:
    """The turns of the thread before the run's message. Read once, when a node asks for them."""

    def __init__(self, execution: TaskExecution) -> None:
        self._conversation_id, self._message_id = execution.task.conversation_id, execution.task.previous_message_id
        self._turns: list[tuple[str, str]] | None = None

    def messages(self, most_turns: int | None) -> Sequence[ModelMessage]:
        if self._turns is None:
            self._turns = self._read()
        turns = self._turns if most_turns is None else self._turns[max(0, len(self._turns) - most_turns) :]
        return [
            message
            for query, answer in turns
            for message in (ModelMessage("user", query), ModelMessage("assistant", answer))
        ]

    def _read(self) -> list[tuple[str, str]]:
        if self._message_id is None:
            return []
        return turns_for_models(read_thread(self._conversation_id, self._message_id, MOST_TURNS))


def node_services_of(execution: TaskExecution, forms: FormStore) -> NodeServices:
    """Return the services for one run."""
    memory = ConversationMemory(execution) if execution.task.mode == "advanced-chat" else None
    files = FileContents(execution.task.owner)
    owner = WorkOwner(execution.task.app_id, execution.task.end_user_id)
    return NodeServices(
        models=model_routes(),
        sandbox=sandbox().owned_by(owner),
        http=NodeHttp(guarded_http()),
        files=files,
        memory=memory,
        forms=forms,
        tools=RunTools(execution.task.owner),
        knowledge=AppKnowledge(execution.task.app_id),
        owner=owner,
    )
