"""The services that nodes use, and the journal in which the engine records node executions, as interfaces."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from app.providers.cancellation import Cancellation
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage
from app.providers.work_owner import FRONTDESK, WorkOwner
from app.tools.tool_types import Tools
from app.workflow.contracts.events import Execution
from app.workflow.contracts.human_forms import FormStore
from app.workflow.contracts.knowledge import Knowledge
from app.workflow.values.files import File
from app.workflow.values.variables import Selector

if TYPE_CHECKING:
    # Web processes, which read these interfaces too, load no sandbox.
    from app.providers.sandbox.code_requests import CodeHttp


class Models(Protocol):
    """Finds models by the names that app files give them."""

    def chat_model(self, provider: str, name: str, mode: str) -> ChatModel:
        """Return a model of the mode `chat` or `completion`. Raises ProviderError."""


class CodeSandbox(Protocol):
    """Runs an author's code and templates in processes with limits; what runs longer than `seconds` is killed.

    Waiting for a turn is no time of the code; it ends with the run.
    """

    def run_code(
        self,
        language: str,
        code: str,
        inputs: Mapping[str, Any],
        seconds: float,
        cancellation: Cancellation,
        http: "CodeHttp | None" = None,
        until: float = ...,
    ) -> Any:
        """Call the function `main` of the code with `inputs`; return its value. Raises SandboxFailed, Cancelled.

        `http` makes the requests of the code; `until`: the end of its run in monotonic seconds.
        """

    def render(
        self,
        template: str,
        values: Mapping[str, Any],
        seconds: float,
        cancellation: Cancellation,
        until: float = ...,
    ) -> str:
        """Render a Jinja2 template; `until` as in `run_code`. Raises SandboxFailed, Cancelled."""


@dataclass(frozen=True)
class HttpRequest:
    """One request of an HTTP node or of code. `timeouts`: connect, read and write, in seconds.

    `verify`: check certificates; `follow`: follow redirects.
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    params: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    timeouts: tuple[float, float, float] = (10.0, 60.0, 60.0)
    verify: bool = True
    follow: bool = True


@dataclass(frozen=True)
class HttpAnswer:
    """The answer to a request. `url`: the address that answered, after redirects."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str


class HttpClient(Protocol):
    """Sends requests to addresses that app authors and end users name."""

    def send(self, request: HttpRequest, most_bytes: int, seconds: float, cancellation: Cancellation) -> HttpAnswer:
        """Return the answer, whatever its status. Raises NodeFailed if none comes or it is not allowed; Cancelled."""


class FileAccess(Protocol):
    """Reads and stores the contents of files."""

    def read(self, file: File, most_bytes: int, seconds: float, cancellation: Cancellation) -> bytes:
        """Return a file's content. Raises NodeFailed where it cannot be read or is too large, Cancelled."""

    def store(self, name: str, content: bytes, mime_type: str) -> File:
        """Store a file that the run made, for its end user. Raises NodeFailed."""

    def image_part(self, file: File, detail: str, seconds: float, cancellation: Cancellation) -> Mapping[str, Any]:
        """Return an image as a content part of a chat message (OpenAI's `image_url`). Raises NodeFailed, Cancelled."""


class ConversationTurns(Protocol):
    """The earlier turns of a run's conversation. Runs of the mode `workflow` have no such service."""

    def messages(self, most_turns: int | None) -> Sequence[ModelMessage]:
        """Return the newest turns, oldest first: messages of `user` and `assistant` in turn. None: all of them."""


@dataclass(frozen=True)
class NodeServices:
    """The services of one run, and for whom it works. A node that needs one which is None fails."""

    models: Models | None = None
    sandbox: CodeSandbox | None = None
    http: HttpClient | None = None
    files: FileAccess | None = None
    memory: ConversationTurns | None = None
    forms: FormStore | None = None
    tools: Tools | None = None
    knowledge: Knowledge | None = None
    owner: WorkOwner = FRONTDESK


class ExecutionJournal(Protocol):
    """Records the ends of node executions, so that a run continues in another worker without repeating them.

    Called from several threads. "Recorded" is what the journal held when this worker began; what is recorded
    later is returned to the next worker only. `frame` is a frame's key (engine/frame.py, `Scope`).
    """

    def recorded(self, frame: str) -> Sequence["RecordedEnd"]:
        """Return the recorded ends of one frame, in the order in which the executions ended."""

    def recorded_inside(self, place: str) -> Sequence["RecordedEnd"]:
        """Return the recorded ends of all frames whose keys begin with `place`, in the same order."""

    def waiting(self, execution_id: str) -> "WaitingNode | None":
        """Return the record of a node execution that waited when the run paused; None for all others."""

    def was_begun_inside(self, place: str) -> bool:
        """Return whether a node execution is recorded as ended or waiting in frames whose keys begin with `place`."""

    @property
    def last_index(self) -> int:
        """The highest recorded `index` of a node execution, 0 if there is none."""

    def progress(self, execution_id: str) -> Mapping[str, Any] | None:
        """Return what an earlier worker recorded of a node execution that it did not end; None where it did not."""

    def started(self, execution: Execution, frame: str) -> None:
        """Record that a node execution started."""

    def progressed(self, execution: Execution, progress: Mapping[str, Any]) -> None:
        """Record what a node execution has done by now, in the place of earlier progress, and make it durable."""

    def ended(self, ended: "NodeEnd") -> None:
        """Record how a node execution ended; it may stay in memory until `save`."""

    def changing(self, targets: Sequence[Selector]) -> AbstractContextManager[Mapping[Selector, Any]]:
        """Return a block in which one execution at a time changes variables, of this run and of others that share them.

        It gives the values of those targets that other runs may have changed. What is saved inside it counts from the
        block's end on.
        """

    def save(self) -> None:
        """Make everything so far durable before this returns. Raises where another worker has taken the run over."""


@dataclass(frozen=True)
class RecordedEnd:
    """The end of a node execution as an earlier worker recorded it. `status`: succeeded or exception.

    `position`: its place among the recorded ends of the run, which stand in the order in which they happened.
    """

    position: int
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
    """A node execution that waited when the run paused. `started_at` in Unix seconds."""

    index: int
    predecessor_node_id: str | None
    started_at: float


@dataclass(frozen=True)
class NodeEnd:
    """The end of a node execution, to be recorded. `status`: succeeded, exception or failed; `elapsed` in seconds.

    `exceptions`: how many of its attempts failed.
    """

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
