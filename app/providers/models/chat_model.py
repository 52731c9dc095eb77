"""Call text models by OpenAI's protocol: `/chat/completions`, or `/completions` for completion models."""

import contextlib
import dataclasses
import logging
import re
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from typing import Any, Literal

import orjson

from app.errors import ProviderBadRequest, ProviderError, ProviderProtocolError, ProviderTimeout
from app.errors.answers import AnswerFiltered
from app.metrics.names import MODEL_FALLBACKS
from app.providers.cancellation import Cancellation, CancelScope
from app.providers.model_tally import note_model
from app.providers.models.call_records import recorded
from app.providers.models.chat_types import Chunk, ModelMessage, ModelPrices, ModelSource, Options, Usage
from app.providers.models.endpoint import Endpoint, Response
from app.providers.models.model_failures import CallDescription, failure_of_response
from app.providers.models.model_spans import AnswerSpan
from app.providers.models.request_parameters import request_parameters
from app.providers.models.server_sent_events import AnswerEvents
from app.providers.models.streamed_answers import StreamedAnswer

logger = logging.getLogger(__name__)

Mode = Literal["chat", "completion"]
PATHS: dict[Mode, str] = {"chat": "/chat/completions", "completion": "/completions"}
# At most 25 chunks a second and answer: each costs an event to every reader, and more of them are no better to read.
PACE_SECONDS = 0.04
# After the finish reason only the usage may follow: it is waited for this long, and its absence is no failure.
TAIL_SECONDS = 2.0
_REFUSING = rb"support|require|enable|recogni[sz]ed|unknown|unavailable|not permitted"


def _refused(names: bytes) -> re.Pattern[bytes]:
    """Return a pattern for a name and a word of refusal near each other, in either order."""
    return re.compile(
        rb"(?:%b).{0,80}(?:%b)|(?:%b).{0,80}(?:%b)" % (names, _REFUSING, _REFUSING, names), re.IGNORECASE | re.DOTALL
    )


# How servers refuse members that they do not know. A complaint about what a member holds must not match: it is an error
# of the app, and hiding it would be no help.
REFUSED_MEMBERS = {
    "tool_choice": _refused(rb"tool.choice"),
    "tools": _refused(rb"\btools?\b(?!.choice)"),
    "response_format": _refused(rb"response.format|json.schema|structured.output"),
}
REFUSING_STATUSES = (400, 404, 422, 500, 501)


class ChatModel:
    """One configured text model. Raises only ProviderError and its children, and Cancelled.

    `context`: its context window in tokens; `pass_through`: more names of parameters that its server takes;
    `prices`: what its tokens cost, None where nobody said; `fallbacks`: the models that are asked, one after the other,
    where this one fails before its first chunk.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        mode: Mode = "chat",
        *,
        context: int = 32_768,
        pass_through: Collection[str] = (),
        prices: ModelPrices | None = None,
    ) -> None:
        self.name = name
        self.mode = mode
        self.context = context
        self.fallbacks: Sequence[ChatModel] = ()
        self._endpoint = endpoint
        self._pass_through = pass_through
        self._source = ModelSource(endpoint.name, name, prices)

    def stream(
        self,
        messages: Sequence[ModelMessage],
        options: Options,
        cancellation: Cancellation | None = None,
        deadline: float | None = None,
    ) -> Generator[Chunk, None, None]:
        """Yield the answer as it comes; the last chunk has the finish reason and, if the server counts, the usage.

        The deadline is in monotonic seconds. Closing the iterator closes the connection to the model.
        """
        scope = CancelScope(cancellation or Cancellation(), deadline)
        for model, following in zip((self, *self.fallbacks), self.fallbacks, strict=False):
            began = False
            try:
                with contextlib.closing(model._stream(messages, options, scope)) as chunks:
                    for chunk in chunks:
                        began = True
                        yield chunk
                return
            except AnswerFiltered:
                # What one provider will not say is not asked of another.
                raise
            except ProviderError as failure:
                if began or not scope.has_time():
                    raise
                logger.warning(
                    "model call handed to a fallback: %s failed (%s), %s is asked",
                    model,
                    type(failure).__name__,
                    following,
                )
                MODEL_FALLBACKS.add(model._endpoint.name)
        yield from (self, *self.fallbacks)[-1]._stream(messages, options, scope)

    def __str__(self) -> str:
        return f"model {self.name} of model server {self._endpoint.name}"

    def _stream(
        self, messages: Sequence[ModelMessage], options: Options, scope: CancelScope
    ) -> Generator[Chunk, None, None]:
        """Yield the answer of this model alone."""
        note_model(self.name)
        span = AnswerSpan(self.name, self.mode, self._endpoint)
        try:
            request = self._request(messages, options)
            span.asked(request, messages)
            call = self._endpoint.describe(self.name, "\n".join(message.text() for message in messages))
            with recorded(self._endpoint.name, self.mode, self.name) as record:
                response = self._ask(request, scope, call)
                try:
                    for chunk in self._chunks(response, StreamedAnswer(_offered(request), call)):
                        span.answered(chunk)
                        record.usage = chunk.usage or record.usage
                        yield chunk if chunk.usage is None else self._with_source(chunk, chunk.usage)
                finally:
                    response.close()
        except BaseException as error:
            span.fail(error)
            raise
        finally:
            span.end()

    def _with_source(self, chunk: Chunk, usage: Usage) -> Chunk:
        return dataclasses.replace(chunk, usage=dataclasses.replace(usage, source=self._source))

    def takes(self, member: str) -> bool:
        """Whether the server may take `tools`, `tool_choice` or `response_format`: it has not refused it so far."""
        return f"{member} {self.name}" not in self._endpoint.refused

    def complete(
        self,
        messages: Sequence[ModelMessage],
        options: Options,
        cancellation: Cancellation | None = None,
        deadline: float | None = None,
    ) -> tuple[str, Usage | None]:
        """Return the whole text, and the usage if the server counts. Arguments and errors as of `stream`."""
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

    def _ask(self, request: dict[str, Any], scope: CancelScope, call: CallDescription) -> Response:
        """Send a request, and again without each optional member that the server refuses.

        Every repetition leaves out, or renames, one more member: the loop ends.
        """
        while True:
            self._leave_out_refused(request)
            try:
                content = orjson.dumps(request)
            except TypeError:  # mostly for a lone surrogate in a text
                raise ProviderBadRequest from None
            response = self._endpoint.post(PATHS[self.mode], content, scope)
            if response.status == 200:
                return response
            try:
                refusal = response.read_document()
            finally:
                response.close()
            if response.status not in REFUSING_STATUSES or not self._note_refused(request, refusal):
                raise failure_of_response(response.status, refusal, call)

    def _note_refused(self, request: dict[str, Any], refusal: bytes) -> bool:
        """Remember the member that was refused; False if the refusal names none that can be left out."""
        # Kept for the endpoint and not for one call: each refusal costs a request.
        if b"stream_options" in refusal and "stream_options" in request:
            self._endpoint.refused.add("stream_options")
            return True
        # OpenAI's reasoning models take only the new name, most other servers only the old one.
        if b"max_completion_tokens" in refusal and "max_tokens" in request:
            self._endpoint.refused.add(f"max_tokens {self.name}")
            return True
        # An answer without them is better than none: callers describe tools and formats in the prompt, too.
        for member, refused in REFUSED_MEMBERS.items():
            if member in request and refused.search(refusal):
                self._endpoint.refused.add(f"{member} {self.name}")
                return True
        return False

    def _leave_out_refused(self, request: dict[str, Any]) -> None:
        """Remove from a request what the server has refused before."""
        if "stream_options" in self._endpoint.refused:
            request.pop("stream_options", None)
        for member in REFUSED_MEMBERS:
            if f"{member} {self.name}" in self._endpoint.refused:
                request.pop(member, None)
        if "tools" not in request:
            request.pop("tool_choice", None)
        if f"max_tokens {self.name}" in self._endpoint.refused and "max_tokens" in request:
            request["max_completion_tokens"] = request.pop("max_tokens")

    def _chunks(self, response: Response, answer: StreamedAnswer) -> Iterator[Chunk]:
        """Yield what one read brought as one chunk, pause, and read again: at most one chunk every PACE_SECONDS.

        Servers send each token by itself, and reading every one as it comes would wake this thread and publish an event
        up to a hundred times a second. So the thread sleeps between reads, and what piles up in the socket meanwhile
        comes as one chunk. What has arrived is always handed over before the sleep, so that nothing waits for a stalled
        model, and no pause comes before the first chunk.
        """
        source = AnswerEvents()
        over = False
        while not over:
            content, intact = self._read(response, answer)
            arrived = time.monotonic()
            events = source.finish() if content is None else source.feed(content)
            answer.add(events)
            over = content is None or answer.done
            if over:
                answer.end(source.beginning)
            chunk = answer.take()
            if chunk is not None:
                yield chunk
            if answer.failure is not None:
                raise answer.failure
            # The time that the caller took with the chunk counts as pause. No pause before the first text, after half
            # an event (its end is on its way) and after the finish reason.
            wait = arrived + PACE_SECONDS - time.monotonic()
            if events and answer.began and not (over or answer.finished) and wait > 0:
                response.pause(wait)
        if intact:
            response.finish()

    def _read(self, response: Response, answer: StreamedAnswer) -> tuple[bytes | None, bool]:
        """Read the next content, None at the end, and tell whether the connection is still fit for use."""
        try:
            return response.read(TAIL_SECONDS if answer.finished else None), True
        except (ProviderTimeout, ProviderProtocolError):
            if not answer.is_whole:
                raise
            return None, False


def _offered(request: dict[str, Any]) -> list[str]:
    """Return the names of the tools in a request. An author may have written them into the app file."""
    tools = request.get("tools")
    functions = [tool.get("function") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return [str(function.get("name")) for function in functions if isinstance(function, dict)]
