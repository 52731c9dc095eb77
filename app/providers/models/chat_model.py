"""A text model behind OpenAI's protocol: `/chat/completions`, or `/completions` for a completion model."""

import re
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from typing import Any, Literal

import orjson

from app.errors import ProviderBadRequest, ProviderProtocolError, ProviderTimeout
from app.providers.cancellation import Cancellation, Patience
from app.providers.models.chat_types import Chunk, ModelMessage, Options, Usage
from app.providers.models.endpoint import Endpoint, Response
from app.providers.models.model_failures import failure_of_answer
from app.providers.models.request_parameters import request_parameters
from app.providers.models.server_sent_events import EventStream, WholeDocument
from app.providers.models.streamed_answers import StreamedAnswer

Mode = Literal["chat", "completion"]
PATHS: dict[Mode, str] = {"chat": "/chat/completions", "completion": "/completions"}
PACE_SECONDS = 0.04
# Once the model has said why it stopped, only the usage is missing: not worth a failure, nor a long wait.
TAIL_SECONDS = 2.0
_REFUSING = rb"support|require|enable|recogni[sz]ed|unknown|unavailable|not permitted"


def _refused(names: bytes) -> re.Pattern[bytes]:
    return re.compile(
        rb"(?:%b).{0,80}(?:%b)|(?:%b).{0,80}(?:%b)" % (names, _REFUSING, _REFUSING, names), re.IGNORECASE | re.DOTALL
    )


# What a server says that knows no tools or no such format, as against one that finds fault with what they hold.
REFUSED_MEMBERS = {
    "tool_choice": _refused(rb"tool.choice"),
    "tools": _refused(rb"\btools?\b(?!.choice)"),
    "response_format": _refused(rb"response.format|json.schema|structured.output"),
}
REFUSING_STATUSES = (400, 404, 422, 500, 501)


class ChatModel:
    """One configured model. Raises only ProviderError and its children, and Cancelled."""

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        mode: Mode = "chat",
        *,
        context: int = 32_768,
        pass_through: Collection[str] = (),
    ) -> None:
        self.name = name
        self.mode = mode
        self.context = context
        self._endpoint = endpoint
        self._pass_through = pass_through

    def stream(
        self,
        messages: Sequence[ModelMessage],
        options: Options,
        cancellation: Cancellation | None = None,
        deadline: float | None = None,
    ) -> Generator[Chunk, None, None]:
        """Yield text as it comes; the last chunks carry the finish reason and the usage, if the server counts.

        The deadline is in monotonic seconds. Closing the iterator closes the connection to the model.
        """
        patience = Patience(cancellation or Cancellation(), deadline)
        response = self._ask(self._request(messages, options), patience)
        try:
            yield from self._chunks(response)
        finally:
            response.close()

    def takes(self, member: str) -> bool:
        """Whether the server has not refused `tools`, `tool_choice` or `response_format` so far."""
        return f"{member} {self.name}" not in self._endpoint.refused

    def complete(
        self,
        messages: Sequence[ModelMessage],
        options: Options,
        cancellation: Cancellation | None = None,
        deadline: float | None = None,
    ) -> tuple[str, Usage | None]:
        """The whole text, and the usage if the server counts."""
        texts = []
        usage = None
        for chunk in self.stream(messages, options, cancellation, deadline):
            texts.append(chunk.text)
            usage = chunk.usage or usage
        return "".join(texts), usage

    def _request(self, messages: Sequence[ModelMessage], options: Options) -> dict[str, Any]:
        chat = self.mode == "chat"
        prompt: dict[str, Any] = (
            {"messages": [message.wire() for message in messages]}
            if chat
            else {"prompt": "\n\n".join(message.text() for message in messages)}
        )
        parameters = request_parameters(options, self._pass_through, chat=chat)
        return {"model": self.name} | prompt | parameters | {"stream": True, "stream_options": {"include_usage": True}}

    def _ask(self, request: dict[str, Any], patience: Patience) -> Response:
        """Send a request; where the server refuses a member that we can do without, once more without it."""
        while True:
            self._leave_out_refused(request)
            try:
                content = orjson.dumps(request)
            except TypeError:  # above all a lone surrogate in a text
                raise ProviderBadRequest from None
            response = self._endpoint.post(PATHS[self.mode], content, patience)
            if response.status == 200:
                return response
            try:
                refusal = response.read_document()
            finally:
                response.close()
            if response.status not in REFUSING_STATUSES or not self._learn(request, refusal):
                raise failure_of_answer(response.status, refusal)

    def _learn(self, request: dict[str, Any], refusal: bytes) -> bool:
        """Remember a member that was refused; False if it was nothing that we know how to do without."""
        if b"stream_options" in refusal and "stream_options" in request:
            self._endpoint.refused.add("stream_options")
            return True
        # OpenAI's reasoning models insist on the new name, most other servers know only the old one.
        if b"max_completion_tokens" in refusal and "max_tokens" in request:
            self._endpoint.refused.add(f"max_tokens {self.name}")
            return True
        # An answer without them is better than none: whoever asks for either says in the prompt too what is wanted.
        for member, refused in REFUSED_MEMBERS.items():
            if member in request and refused.search(refusal):
                self._endpoint.refused.add(f"{member} {self.name}")
                return True
        return False

    def _leave_out_refused(self, request: dict[str, Any]) -> None:
        if "stream_options" in self._endpoint.refused:
            request.pop("stream_options", None)
        for member in REFUSED_MEMBERS:
            if f"{member} {self.name}" in self._endpoint.refused:
                request.pop(member, None)
        if "tools" not in request:
            request.pop("tool_choice", None)
        if f"max_tokens {self.name}" in self._endpoint.refused and "max_tokens" in request:
            request["max_completion_tokens"] = request.pop("max_tokens")

    def _chunks(self, response: Response) -> Iterator[Chunk]:
        """Read, join, hand over, pause, read again: what has arrived is out before we wait, so nothing waits behind a stalled model."""
        answer = StreamedAnswer()
        source = WholeDocument() if response.media_type == "application/json" else EventStream()
        while not answer.done:
            content, intact = self._read(response, answer)
            arrived = time.monotonic()
            events = source.finish() if content is None else source.feed(content)
            answer.add(events)
            chunk = answer.take()
            if chunk is not None:
                yield chunk
            if answer.failure is not None:
                raise answer.failure
            if content is None:
                break
            wait = arrived + PACE_SECONDS - time.monotonic()
            if events and answer.began and not answer.finished and wait > 0:
                response.pause(wait)
        if not answer.finished:
            raise ProviderProtocolError
        if intact:
            response.finish()

    def _read(self, response: Response, answer: StreamedAnswer) -> tuple[bytes | None, bool]:
        """The next content, and whether the connection is still in order."""
        try:
            return response.read(TAIL_SECONDS if answer.finished else None), True
        except (ProviderTimeout, ProviderProtocolError):
            if not answer.finished:
                raise
            return None, False
