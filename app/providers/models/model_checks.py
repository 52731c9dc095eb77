"""Trying a route out, for the command line."""

import time

from app.errors import ProviderError, ProviderNotInitialize
from app.providers.cancellation import Cancellation, Patience
from app.providers.models.chat_model import ChatModel, Mode
from app.providers.models.chat_types import ModelMessage
from app.providers.models.embeddings import EmbeddingModel, RerankModel
from app.providers.models.model_failures import failure_of_answer
from app.providers.models.routes import ModelRoutes, Route

CHECK_SECONDS = 60.0


def check(routes: ModelRoutes, route: Route, seconds: float = CHECK_SECONDS) -> float | ProviderError:
    """Seconds to the first answer, or what went wrong.

    A text model is asked for one token, an embedder for one vector; where the route leaves the name open, or is for another kind, the server for its list of models.
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
    response = routes.endpoint(route.endpoint).get("/models", Patience(Cancellation(), deadline))
    try:
        content = response.read_document()
    finally:
        response.close()
    if response.status != 200:
        raise failure_of_answer(response.status, content)
