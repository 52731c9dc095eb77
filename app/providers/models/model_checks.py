"""Try out a model route, for `flask models check`: what is claimed of it has happened."""

import io
import struct
import time
import wave
from dataclasses import dataclass

from app.errors import (
    ProviderError,
    ProviderNotInitialize,
    ProviderServerError,
    SpeechToTextNotSupported,
)
from app.errors.answers import AnswerCutShort
from app.providers.cancellation import Cancellation, CancelScope
from app.providers.models.audio import SpeechModel, TranscriptionModel
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage
from app.providers.models.embeddings import EmbeddingModel, RerankModel
from app.providers.models.model_failures import failure_of_response
from app.providers.models.route_file import Kind
from app.providers.models.routes import ModelRoutes, Route

CHECK_SECONDS = 60.0
NOT_TRIED = "not tried: the route names no model; the server"
NO_SUCH_PATH = (404, 405, 501)
# What a server without the path of a kind cannot do.
MADE: dict[Kind, str] = {
    "chat": "chat completions",
    "completion": "completions",
    "embedding": "embeddings",
    "rerank": "rankings",
    "speech": "speech",
    "transcription": "transcriptions",
}
CLOCK = {"name": "current_time", "description": "Tells the time.", "parameters": {"type": "object", "properties": {}}}
SILENCE_RATE = 16_000


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of trying a route. `seconds`: until it answered, None where it did not; `said`: what to tell of it."""

    seconds: float | None
    said: str

    @property
    def failed(self) -> bool:
        return self.seconds is None


def check(routes: ModelRoutes, route: Route, seconds: float = CHECK_SECONDS) -> CheckResult:
    """Try a route and say what came of it.

    A text model is asked for one token with a tool on offer, an embedding model for a vector, a rerank model for a
    ranking, a speech model for a word, a transcription model for the text of a second of silence. Where the route names
    no model, the server is asked for its list of models.
    """
    started = time.monotonic()
    try:
        if route.problem:
            raise ProviderNotInitialize(f"{route.endpoint}: {route.problem}.")
        said = _try(routes, route, started + seconds) if route.remote_name else _ask_for_models(routes, route, seconds)
    except ProviderError as error:
        return CheckResult(None, _explain(route.kind, error))
    return CheckResult(time.monotonic() - started, said)


def _try(routes: ModelRoutes, route: Route, deadline: float) -> str:
    """Use the model of a route; return what it did. Raises ProviderError."""
    endpoint, name, stop = routes.endpoint(route.endpoint), route.remote_name or "", Cancellation()
    if route.kind == "embedding":
        (vector,) = EmbeddingModel(endpoint, name).embed(["yes"], stop, deadline)
        return f"makes vectors of {len(vector)} dimensions"
    if route.kind == "rerank":
        RerankModel(endpoint, name).rerank("yes", ["yes"], 1, stop, deadline)
        return "ranks"
    if route.kind == "speech":
        model = SpeechModel(endpoint, name, route.voices)
        sound = sum(map(len, model.stream("Yes.", model.voice(), stop, deadline)))
        if not sound:
            raise ProviderServerError("The speech server answered without any sound.")
        return "speaks"
    if route.kind == "transcription":
        silence = _silence()
        TranscriptionModel(endpoint, name).transcribe(io.BytesIO(silence), len(silence), "wav", "audio/wav", deadline)
        return "transcribes"
    return _ask_for_a_token(ChatModel(endpoint, name, "completion" if route.kind == "completion" else "chat"), deadline)


def _ask_for_a_token(model: ChatModel, deadline: float) -> str:
    tools = [{"type": "function", "function": CLOCK}] if model.mode == "chat" else []
    options = {"max_tokens": 1, "tools": tools}
    try:
        for _ in model.stream([ModelMessage("user", "Say yes.")], options, deadline=deadline):
            pass
    except AnswerCutShort:
        # A model that thinks first has no word ready by then: that it began is what was asked.
        pass
    if model.mode == "completion":
        return "answers"
    return "answers, and takes tools" if model.takes("tools") else "answers; refuses tools, so agents use ReAct"


def _ask_for_models(routes: ModelRoutes, route: Route, seconds: float) -> str:
    scope = CancelScope(Cancellation(), time.monotonic() + seconds)
    response = routes.endpoint(route.endpoint).get("/models", scope)
    try:
        content = response.read_document()
    finally:
        response.close()
    if response.status in NO_SUCH_PATH:
        return f"{NOT_TRIED} answers, but has no list of models"
    if response.status != 200:
        raise failure_of_response(response.status, content, routes.endpoint(route.endpoint).describe("", ""))
    return f"{NOT_TRIED} lists its models"


def _explain(kind: Kind, error: ProviderError) -> str:
    """Return what went wrong, for the operator."""
    if isinstance(error, SpeechToTextNotSupported) or error.server_status in (405, 501):
        return f"This server makes no {MADE[kind]}."
    if error.server_status == 404:
        return f"The model server does not know this model, or makes no {MADE[kind]}."
    return error.message


def _silence() -> bytes:
    """Return a second of silence as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SILENCE_RATE)
        writer.writeframes(struct.pack("<h", 0) * SILENCE_RATE)
    return file.getvalue()
