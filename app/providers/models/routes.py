"""Find the model server that answers for a model of an app file, and keep the connections to it."""

import contextlib
import dataclasses
import pathlib
import threading
from collections.abc import Mapping, Sequence

from app.errors import ProviderNotInitialize
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing, parse_proxy
from app.providers.models.audio import SpeechModel, TranscriptionModel
from app.providers.models.chat_model import ChatModel, Mode
from app.providers.models.embeddings import EmbeddingModel, RerankModel
from app.providers.models.endpoint import Endpoint
from app.providers.models.route_file import (
    DIRECT,
    AudioSettings,
    EmbeddingSettings,
    EndpointEntry,
    Kind,
    ModelEntry,
    RouteFile,
    Target,
    check_base_url,
    read_route_file,
    routes_of_settings,
    split_fallback,
)
from app.providers.operator_files import UnsetVariable, value_of, variable_name

CONTEXT = 32_768
KINDS: tuple[Kind, ...] = ("chat", "completion", "embedding", "rerank", "speech", "transcription")


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """One route as operators see it. `problem` says why it cannot be used; "" where it can.

    `prices`: like `2.5 / 10 USD per 1M`, "" where there are none.
    """

    provider: str
    name: str
    kind: Kind
    endpoint: str
    base_url: str
    remote_name: str | None
    context: int
    problem: str
    voices: tuple[str, ...] | None = None
    prices: str = ""


class ModelRoutes:
    """The routes of one process and the connections to its model servers. Shared by all threads."""

    def __init__(
        self,
        table: RouteFile,
        environ: Mapping[str, str],
        *,
        context: int = CONTEXT,
        connect_timeout: float = 10.0,
        read_timeout: float = 300.0,
        retries: int = 0,
        outgoing: Outgoing = WITHOUT_PROXY,
        folder: pathlib.Path = pathlib.Path(),
    ) -> None:
        self._table = table
        self._environ = environ
        self._context = context
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._retries, self._outgoing, self._folder = retries, outgoing, folder
        self._lock = threading.Lock()
        self._endpoints: dict[str, Endpoint] = {}

    @classmethod
    def from_settings(
        cls,
        models_file: str,
        base_url: str,
        api_key: str,
        model_name: str,
        environ: Mapping[str, str],
        *,
        audio: AudioSettings | None = None,
        embedding: EmbeddingSettings | None = None,
        context: int = CONTEXT,
        connect_timeout: float = 10.0,
        read_timeout: float = 300.0,
        retries: int = 0,
        outgoing: Outgoing = WITHOUT_PROXY,
    ) -> "ModelRoutes":
        """Return the routes of a file; without one, those to a single server, or to one each for text, vectors, audio.

        `environ` holds the variables that the file names. Without a file: an empty `api_key` sends none, an empty
        `model_name` sends the app file's own, and without `base_url` there is no route. `connect_timeout` and
        `read_timeout` in seconds, `context` in tokens; `retries` and `outgoing` for endpoints that say nothing else.
        Raises InvalidOperatorFile.
        """
        audio, embedding = audio or AudioSettings(), embedding or EmbeddingSettings()
        if models_file:
            table, known = read_route_file(pathlib.Path(models_file)), environ
        else:
            table = routes_of_settings(base_url, api_key, model_name, audio, embedding)
            known = {"OPENAI_API_KEY": api_key, "AUDIO_API_KEY": audio.api_key, "EMBEDDING_API_KEY": embedding.api_key}
        return cls(
            table,
            known,
            context=context,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries=retries,
            outgoing=outgoing,
            folder=pathlib.Path(models_file).parent,
        )

    def chat_model(self, provider: str, name: str, mode: str = "chat") -> ChatModel:
        """Return the model for an app file's provider, name and mode, `chat` or `completion`.

        An entry of kind `chat` or `completion` decides how the model is asked, whatever the app file says. Raises
        ProviderNotInitialize.
        """
        wanted: Mode = "completion" if mode == "completion" else "chat"
        target = self._target(provider, name, wanted)
        decided = target.kind if isinstance(target, ModelEntry) else None
        model = ChatModel(
            self.endpoint(target.endpoint),
            target.remote_name or name,
            decided if decided == "chat" or decided == "completion" else wanted,
            context=target.context or self._context,
            pass_through=frozenset(target.pass_through),
            prices=None if target.prices is None else target.prices.model_prices(),
        )
        model.fallbacks = self._fallbacks(target, model)
        return model

    def chat_problem(self, provider: str, name: str, mode: str = "chat") -> str:
        """Return why the model for an app file's provider, name and mode cannot be asked; "" where it can be."""
        try:
            target = self._target(provider, name, "completion" if mode == "completion" else "chat")
        except ProviderNotInitialize:
            return "no route leads to it"
        _, _, problem = self._resolve(self._table.endpoints[target.endpoint])
        if problem:
            return f"its endpoint {target.endpoint!r} cannot be used: {problem}"
        return "" if target.remote_name or name else "the default route names none either"

    def embedding_model(self, provider: str, name: str) -> EmbeddingModel:
        """Return the embedding model for a dataset's provider and model name. Raises ProviderNotInitialize."""
        target = self._target(provider, name, "embedding")
        return EmbeddingModel(self.endpoint(target.endpoint), target.remote_name or name)

    def rerank_model(self, provider: str, name: str) -> RerankModel:
        """Return the reranking model for an app file's provider and model name. Raises ProviderNotInitialize."""
        target = self._target(provider, name, "rerank")
        return RerankModel(self.endpoint(target.endpoint), target.remote_name or name)

    def speech_model(self) -> SpeechModel:
        """Return the speech model of all apps: app files name none. Raises ProviderNotInitialize."""
        target = self._audio_target("speech")
        return SpeechModel(self.endpoint(target.endpoint), _remote_name(target), target.voices)

    def transcription_model(self) -> TranscriptionModel:
        """Return the transcription model of all apps: app files name none. Raises ProviderNotInitialize."""
        target = self._audio_target("transcription")
        return TranscriptionModel(self.endpoint(target.endpoint), _remote_name(target))

    def endpoint(self, name: str) -> Endpoint:
        """Return an endpoint by its name; all its models share its connections. Raises ProviderNotInitialize."""
        known = self._endpoints.get(name)
        if known is not None:
            return known
        entry = self._table.endpoints[name]
        base_url, api_key, problem = self._resolve(entry)
        if problem:
            raise ProviderNotInitialize
        with self._lock:
            # Another thread may have made it meanwhile.
            return self._endpoints.setdefault(
                name,
                Endpoint(
                    base_url,
                    api_key,
                    name=name,
                    connect_timeout=self._connect_timeout,
                    read_timeout=self._read_timeout,
                    at_once=entry.max_concurrency,
                    retries=self._retries if entry.retries is None else entry.retries,
                    outgoing=self._outgoing_of(entry),
                ),
            )

    def close(self) -> None:
        """Close the idle connections to all servers."""
        with self._lock:
            for endpoint in self._endpoints.values():
                endpoint.pool.close()

    def describe(self) -> list[Route]:
        """Return the routes in the order in which they are searched, the defaults last. They hold no key."""
        routes = [
            self._describe(entry.provider, entry.name, entry.kind or "chat", entry) for entry in self._table.models
        ]
        for kind in KINDS:
            target = getattr(self._table.default, kind)
            if target is not None:
                routes.append(self._describe("*", "*", kind, target))
        return routes

    def _fallbacks(self, target: Target, model: ChatModel) -> list[ChatModel]:
        """Return the models that are asked where this one fails; those whose endpoint cannot be used are left out."""
        entry = self._table.endpoints[target.endpoint]
        fallbacks = []
        for fallback in entry.fallbacks if target.fallbacks is None else target.fallbacks:
            found = split_fallback(fallback, self._table.endpoints)
            with contextlib.suppress(ProviderNotInitialize):
                if found is not None:
                    fallbacks.append(
                        ChatModel(
                            self.endpoint(found[0]),
                            found[1] or model.name,
                            model.mode,
                            context=model.context,
                            pass_through=frozenset(target.pass_through),
                            prices=self._table.prices_of(found[0], found[1] or model.name),
                        )
                    )
        return fallbacks

    def _outgoing_of(self, entry: EndpointEntry) -> Outgoing:
        """Return the proxy and the certificate authorities of an endpoint."""
        outgoing = self._outgoing
        if entry.ca_file is not None:
            ca_files = (*outgoing.ca_files, str(self._folder / entry.ca_file))
            outgoing = dataclasses.replace(outgoing, ca_files=ca_files)
        if entry.proxy is None:
            return outgoing
        proxy = "" if entry.proxy == DIRECT else self._value(entry.proxy)
        return dataclasses.replace(outgoing, http=proxy, https=proxy, any_scheme="", direct="")

    def _value(self, text: str) -> str:
        """Return a text of the file, or the value of the variable that it names. Raises UnsetVariable."""
        variable = variable_name(text)
        return value_of(variable, self._environ).strip() if variable else text

    def _describe(self, provider: str, name: str, kind: Kind, target: Target) -> Route:
        base_url, _, problem = self._resolve(self._table.endpoints[target.endpoint])
        remote = target.remote_name or (None if any(sign in name for sign in "*?[") else name)
        voices = None if target.voices is None else tuple(target.voices)
        context = target.context or self._context
        prices = "" if target.prices is None else str(target.prices)
        return Route(provider, name, kind, target.endpoint, base_url, remote, context, problem, voices, prices)

    def _target(self, provider: str, name: str, kind: Kind) -> Target:
        fitting: Sequence[ModelEntry] = [entry for entry in self._table.models if entry.fits(provider, name, kind)]
        default: Target | None = getattr(self._table.default, kind) or (
            self._table.default.chat if kind == "completion" else None
        )
        target = fitting[0] if fitting else default
        if target is None:
            raise ProviderNotInitialize
        return target

    def _audio_target(self, kind: Kind) -> Target:
        """Return the default of a kind, else the first entry of it. Raises ProviderNotInitialize."""
        default: Target | None = getattr(self._table.default, kind)
        target = default or next((entry for entry in self._table.models if entry.kind == kind), None)
        if target is None:
            raise ProviderNotInitialize
        return target

    def _resolve(self, entry: EndpointEntry) -> tuple[str, str, str]:
        """Return an endpoint's base URL, its key, and what is wrong with either ("" where nothing is)."""
        url_variable, key_variable = variable_name(entry.base_url), variable_name(entry.api_key or "")
        try:
            base_url = self._value(entry.base_url)
            check_base_url(base_url)
        except UnsetVariable as unset:
            return "", "", f"{unset.name} is not set"
        except ValueError as error:
            return "", "", f"{url_variable} {error}"
        try:
            api_key = self._value(entry.api_key or "")
            proxy = self._value(entry.proxy or DIRECT)
            if proxy != DIRECT:
                parse_proxy(proxy)
        except UnsetVariable as unset:
            return base_url, "", f"{unset.name} is not set"
        except ValueError as error:
            return base_url, "", f"{entry.proxy} {error}"
        if not (api_key.isascii() and api_key.isprintable()):
            return base_url, "", f"{key_variable} holds characters that no key has"
        return base_url, api_key, ""


def _remote_name(target: Target) -> str:
    return target.remote_name or (target.name if isinstance(target, ModelEntry) else "")
