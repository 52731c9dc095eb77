"""Try out a model route, for `flask models check`."""

import time

from app.errors import ProviderError, ProviderNotInitialize
from app.providers.cancellation import Cancellation, CancelScope
from app.providers.models.chat_model import ChatModel, Mode
from app.providers.models.chat_types import ModelMessage
from app.providers.models.embeddings import EmbeddingModel, RerankModel
from app.providers.models.model_failures import failure_of_response
from app.providers.models.routes import ModelRoutes, Route

CHECK_SECONDS = 60.0


def check(routes: ModelRoutes, route: Route, seconds: float = CHECK_SECONDS) -> float | ProviderError:
    """Return the seconds until the model answered, or the error.

    A text model is asked for one token, an embedding model for one vector, a rerank model for one ranking. For other
    kinds, and where the route names no model, the server is asked for its list of models.
    """
    started = time.monotonic()
    try:
        if route.problem:
            raise ProviderNotInitialize(f"{route.endpoint}: {route.problem}.")
        if route.remote_name and route.kind in ("chat", "completion"):
            _ask_for_a_token(routes, route, started + seconds)
        elif route.remote_name and route.kind == "embedding":
            EmbeddingModel(routes.endpoint(route.endpoint), route.remote_name).embed(
                ["yes"], Cancellation(), started + seconds
            )
        elif route.remote_name and route.kind == "rerank":
            RerankModel(routes.endpoint(route.endpoint), route.remote_name).rerank(
                "yes", ["yes"], 1, Cancellation(), started + seconds
            )
        else:
            _ask_for_models(routes, route, started + seconds)
    except ProviderError as error:
        return error
    return time.monotonic() - started


def _ask_for_a_token(routes: ModelRoutes, route: Route, deadline: float) -> None:
    mode: Mode = "completion" if route.kind == "completion" else "chat"
    model = ChatModel(routes.endpoint(route.endpoint), route.remote_name or "", mode)
    model.complete([ModelMessage("user", "Say yes.")], {"max_tokens": 1}, deadline=deadline)


def _ask_for_models(routes: ModelRoutes, route: Route, deadline: float) -> None:
    response = routes.endpoint(route.endpoint).get("/models", CancelScope(Cancellation(), deadline))
    try:
        content = response.read_document()
    finally:
        response.close()
    if response.status != 200:
        raise failure_of_response(response.status, content)
