"""What nodes need from the world, as they are given it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.providers.cancellation import Cancellation
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage
from app.tools.tool_types import Tools
from app.workflow.contracts.events import Execution
from app.workflow.contracts.human_forms import FormStore
from app.workflow.contracts.knowledge import Knowledge
from app.workflow.values.files import File
from app.workflow.values.variables import Selector


class Models(Protocol):
    """Models by what app files call them. Raises ProviderNotInitialized and the other errors of a model."""

    def chat_model(self, provider: str, name: str, mode: str) -> ChatModel: ...


class CodeSandbox(Protocol):
    """Runs an author's code and templates. Raises SandboxFailed, Cancelled; nothing in it outlives `seconds`."""

    def run_code(
        self, language: str, code: str, inputs: Mapping[str, Any], seconds: float, cancellation: Cancellation
    ) -> Any: ...

    def render(self, template: str, values: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str: ...


@dataclass(frozen=True)
class HttpRequest:
    """One request of a node. `timeouts`: connect, read, write in seconds."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    params: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    timeouts: tuple[float, float, float] = (10.0, 60.0, 60.0)
    verify: bool = True


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str


class HttpClient(Protocol):
    """Requests to addresses that others name. Raises NodeFailed for what is refused or does not answer."""

    def send(self, request: HttpRequest, most_bytes: int, seconds: float, cancellation: Cancellation) -> HttpAnswer: ...


class FileAccess(Protocol):
    """The contents of files. Raises NodeFailed where one cannot be read."""

    def read(self, file: File, most_bytes: int, seconds: float, cancellation: Cancellation) -> bytes: ...

    def store(self, name: str, content: bytes, mime_type: str) -> File: ...

    def image_part(self, file: File, detail: str, seconds: float, cancellation: Cancellation) -> Mapping[str, Any]: ...


class ConversationTurns(Protocol):
    """The conversation so far: messages of `user` and `assistant` in turn, oldest first.

    Empty in mode `workflow`; a run without this part counts as one without a conversation.
    """

    def messages(self, most_turns: int | None) -> Sequence[ModelMessage]: ...


@dataclass(frozen=True)
class NodeServices:
    """All of it. A part that is None is not there, and a node that needs it fails."""

    models: Models | None = None
    sandbox: CodeSandbox | None = None
    http: HttpClient | None = None
    files: FileAccess | None = None
    memory: ConversationTurns | None = None
    forms: FormStore | None = None
    tools: Tools | None = None
    knowledge: Knowledge | None = None


class ExecutionJournal(Protocol):
    """Keeps what must not be done twice, so that another worker can go on. Called by several threads, one after another."""

    def recorded(self, frame: str) -> Sequence["RecordedEnd"]:
        """What ended in a frame before this worker took the run, in the order in which it ended."""

    def recorded_inside(self, place: str) -> Sequence["RecordedEnd"]:
        """The same for all frames whose keys begin with `place`."""

    def waiting(self, execution_id: str) -> "WaitingNode | None":
        """What is known of a node that waited when the run came to rest; None for all others."""

    def was_begun_inside(self, place: str) -> bool:
        """Whether anything waited, or had ended, in frames whose keys begin with `place`."""

    @property
    def last_index(self) -> int:
        """The highest index that a node of this run had, 0 before the first."""

    def started(self, execution: Execution, frame: str) -> None: ...

    def ended(self, ended: "NodeEnd") -> None: ...

    def save(self) -> None:
        """Make everything so far durable before this returns."""


@dataclass(frozen=True)
class RecordedEnd:
    """A node's end as the journal remembers it. `status`: succeeded or exception."""

    node_id: str
    execution_id: str
    index: int
    status: str
    outputs: Mapping[str, Any]
    handle: str
    writes: Sequence[tuple[Selector, Any]]
    total_tokens: int = 0
    exceptions: int = 0


@dataclass(frozen=True)
class WaitingNode:
    """A node that goes on where it waited. `started_at` in Unix seconds."""

    index: int
    predecessor_node_id: str | None
    started_at: float


@dataclass(frozen=True)
class NodeEnd:
    """A node's end as the journal has to keep it. `status`: succeeded, exception or failed."""

    execution: Execution
    frame: str
    status: str
    inputs: Mapping[str, Any]
    process_data: Mapping[str, Any]
    outputs: Mapping[str, Any]
    handle: str
    writes: Sequence[tuple[Selector, Any]]
    usage: Mapping[str, Any]
    elapsed: float
    error: str | None
    exceptions: int
