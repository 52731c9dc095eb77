"""Read MODELS_FILE, which says what server answers for which model of the app files.

    endpoints:
      local:  {base_url: http://127.0.0.1:8080/v1}
      openai: {base_url: https://api.openai.com/v1, api_key: $OPENAI_API_KEY, proxy: $COMPANY_PROXY, retries: 4}
      house:  {base_url: https://models.intern/v1, ca_file: intern.pem, max_concurrency: 8, fallbacks: [openai/gpt-4o]}
    models:                                   # the first entry that fits is used
      - {provider: openai, name: "gpt-4o*", endpoint: openai, context: 128000,
         prices: {input: 2.5, output: 10, unit: 1M, currency: USD}}
      - {provider: "*", name: tiny, endpoint: local, remote_name: smollm, pass_through: [top_k]}
      - {provider: openai, name: text-embedding-3-small, kind: embedding, endpoint: openai}
      - {provider: "*", name: "*rerank*", kind: rerank, endpoint: local}
    default:                                  # for everything else
      chat: {endpoint: local, remote_name: smollm, context: 4096}
      speech: {endpoint: openai, remote_name: gpt-4o-mini-tts, voices: [alloy, nova]}
      transcription: {endpoint: openai, remote_name: whisper-1}

Keys do not belong in the file: `api_key` names a variable of the environment, as `base_url` may.
Without a file, settings make the same table.
"""

import decimal
import fnmatch
import pathlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import pydantic

from app.providers.http.outgoing import parse_proxy, tls_context
from app.providers.models.chat_types import ModelPrices
from app.providers.operator_files import InvalidOperatorFile, Location, Strict, read_operator_file, variable_name

# As `proxy` of an endpoint: no proxy, whatever the environment says.
DIRECT = "direct"
# The names of the endpoints that settings make.
FROM_SETTINGS = "OPENAI_BASE_URL"
AUDIO_FROM_SETTINGS = "AUDIO_BASE_URL"
EMBEDDING_FROM_SETTINGS = "EMBEDDING_BASE_URL"
Kind = Literal["chat", "completion", "embedding", "rerank", "speech", "transcription"]


def _is_variable(value: str) -> str:
    if variable_name(value) is None:
        raise ValueError(
            "must name a variable of the environment, such as $OPENAI_API_KEY; keys do not belong in this file"
        )
    return value


def _is_base_url(value: str) -> str:
    if variable_name(value) is not None:
        return value
    try:
        check_base_url(value)
    except ValueError as error:
        raise ValueError(f"{error}, or a variable such as $OPENAI_BASE_URL") from None
    return value


def _is_proxy(value: str) -> str:
    if variable_name(value) is None and value != DIRECT:
        try:
            parse_proxy(value)
        except ValueError as error:
            raise ValueError(f"{error}, a variable such as $COMPANY_PROXY, or {DIRECT}") from None
    return value


Name = Annotated[str, pydantic.Field(min_length=1)]


class EndpointEntry(Strict):
    """A model server: its URL, or a variable that holds it; and the variable that holds its key, if it needs one.

    `proxy`: an HTTP proxy's URL, a variable that holds it, or `direct`; without it the environment decides. `ca_file`:
    certificates of further authorities, relative to this file. `max_concurrency`: calls at once in one process.
    `retries`: how often a call is repeated that the server did not begin to answer. `fallbacks`: who else answers for
    its text models, `endpoint/model` or `endpoint` alone for a model of the same name, in the order of trying.
    """

    base_url: Annotated[str, pydantic.AfterValidator(_is_base_url)]
    api_key: Annotated[str, pydantic.AfterValidator(_is_variable)] | None = None
    proxy: Annotated[str, pydantic.AfterValidator(_is_proxy)] | None = None
    ca_file: Name | None = None
    max_concurrency: int | None = pydantic.Field(default=None, ge=1, le=10_000)
    retries: int | None = pydantic.Field(default=None, ge=0, le=10)
    fallbacks: list[Name] = []


def _is_amount(value: object) -> object:
    # YAML's numbers, but not true and false; as a text 2.5 stays 2.5.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number such as 2.5")
    return decimal.Decimal(str(value)) if not isinstance(value, str) else value


Amount = Annotated[
    decimal.Decimal,
    pydantic.Field(ge=0, le=1_000_000, max_digits=16, decimal_places=9, strict=False),
    pydantic.BeforeValidator(_is_amount),
]
UNITS: dict[str, int] = {"1K": 1_000, "1M": 1_000_000}


class Prices(Strict):
    """What a text model's tokens cost: those of its prompts (`input`) and of its answers (`output`), for `unit`."""

    input: Amount
    output: Amount
    unit: Literal["1K", "1M"] = "1M"
    currency: Annotated[str, pydantic.Field(pattern=r"^[A-Z]{3}$")] = "USD"

    def model_prices(self) -> ModelPrices:
        """Return them as calls take them."""
        return ModelPrices(self.input, self.output, UNITS[self.unit], self.currency)

    def __str__(self) -> str:
        return f"{self.input} / {self.output} {self.currency} per {self.unit}"


class Target(Strict):
    """The endpoint that answers for a model. Without `remote_name` the app file's name is sent.

    `context`: the model's context window in tokens. `pass_through`: parameters of app files that are sent as they are,
    beside those of OpenAI's protocol. `voices`: those of a speech model, the default first; without them any voice that
    is asked for is sent. `fallbacks`: as an endpoint's, in their place. `prices`: what a text model's tokens cost.
    """

    endpoint: Name
    remote_name: Name | None = None
    context: int | None = pydantic.Field(default=None, ge=1)
    pass_through: list[Name] = []
    voices: list[Name] | None = None
    fallbacks: list[Name] | None = None
    prices: Prices | None = None


class ModelEntry(Target):
    """An entry for models of app files by provider and name.

    Without `kind` it is for text models, which are asked as the app file's mode says; `chat` or `completion` decides
    for one of the two.
    """

    provider: Name
    name: Name
    kind: Kind | None = None

    def fits(self, provider: str, name: str, kind: Kind) -> bool:
        """Return whether this entry is for a model of an app file; its name may hold `*`, its provider may be short."""
        if self.kind is None and kind not in ("chat", "completion"):
            return False
        if self.kind is not None and self.kind != kind and not {self.kind, kind} <= {"chat", "completion"}:
            return False
        return _same_provider(self.provider, provider) and fnmatch.fnmatchcase(name, self.name)


class Defaults(Strict):
    """The targets for models that no entry is for, by kind."""

    chat: Target | None = None
    completion: Target | None = None
    embedding: Target | None = None
    rerank: Target | None = None
    speech: Target | None = None
    transcription: Target | None = None


class RouteFile(Strict):
    """The whole file: endpoints by name, entries in the order of search, defaults."""

    endpoints: dict[Name, EndpointEntry]
    models: list[ModelEntry] = []
    default: Defaults = Defaults()

    def prices_of(self, endpoint: str, remote_name: str) -> ModelPrices | None:
        """Return the prices of the first route that has any to a model of an endpoint.

        For fallbacks, which have none of their own.
        """
        for target in (*self.models, self.default.chat, self.default.completion):
            if target is None or target.endpoint != endpoint or target.prices is None:
                continue
            known = target.remote_name or (target.name if isinstance(target, ModelEntry) else "*")
            if known == remote_name or (target.remote_name is None and fnmatch.fnmatchcase(remote_name, known)):
                return target.prices.model_prices()
        return None


def _same_provider(wanted: str, given: str) -> bool:
    # `openai` stands for `langgenius/openai/openai` and the other way round.
    if wanted == "*" or wanted == given:
        return True
    return ("/" not in wanted or "/" not in given) and wanted.rpartition("/")[2] == given.rpartition("/")[2]


def check_base_url(value: str) -> str:
    """Return the URL if requests can be sent to it. Raises ValueError."""
    problem = "must be a URL such as http://127.0.0.1:8080/v1, without user and password"
    try:
        parts = urlsplit(value)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(problem) from None
    if (
        not sound
        or "@" in parts.netloc
        or parts.fragment
        or not value.isascii()
        or not value.isprintable()
        or " " in value
    ):
        raise ValueError(problem)
    return value


def read_route_file(path: pathlib.Path) -> RouteFile:
    """Read the file; each target must name one of its endpoints. Raises InvalidOperatorFile."""
    return read_operator_file(path, RouteFile, lambda routes: _mistakes(routes, path.parent))


def split_fallback(fallback: str, endpoints: Collection[str]) -> tuple[str, str] | None:
    """Return endpoint and model of `endpoint/model`; the model is "" where only an endpoint is named.

    Both may hold slashes: the longest endpoint of that beginning is meant. None where there is none.
    """
    fitting = [name for name in endpoints if fallback == name or fallback.startswith(f"{name}/")]
    if not fitting:
        return None
    endpoint = max(fitting, key=len)
    return endpoint, fallback[len(endpoint) + 1 :]


def _mistakes(routes: RouteFile, folder: pathlib.Path) -> Iterator[tuple[Location, str]]:
    for name, entry in routes.endpoints.items():
        if entry.ca_file is not None:
            try:
                tls_context((str(folder / entry.ca_file),))
            except OSError as error:
                yield ("endpoints", name, "ca_file"), f"cannot be used: {error.strerror or error}"
        yield from _unknown_fallbacks(("endpoints", name), entry.fallbacks, routes)
    for place, target in _targets(routes):
        if target.endpoint not in routes.endpoints:
            yield (*place, "endpoint"), f"there is no endpoint {target.endpoint!r} in this file"
        yield from _unknown_fallbacks(place, target.fallbacks or [], routes)
        kind = target.kind if isinstance(target, ModelEntry) else place[-1]
        if target.prices is not None and kind not in (None, "chat", "completion"):
            yield (*place, "prices"), "tokens are counted of text models alone: of kind chat or completion"


def _unknown_fallbacks(place: Location, fallbacks: Sequence[str], routes: RouteFile) -> Iterator[tuple[Location, str]]:
    for number, fallback in enumerate(fallbacks):
        if split_fallback(fallback, routes.endpoints) is None:
            yield (
                (*place, "fallbacks", number),
                f"must be endpoint/model with an endpoint of this file, not {fallback!r}",
            )


def _targets(routes: RouteFile) -> Iterator[tuple[Location, Target]]:
    for number, entry in enumerate(routes.models):
        yield ("models", number), entry
    for kind in Defaults.model_fields:
        target: Target | None = getattr(routes.default, kind)
        if target is not None:
            yield ("default", kind), target


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """The settings for speech and transcription without a models file.

    Without `base_url` the server for text models is used; without `voices` any voice that is asked for is sent.
    """

    base_url: str = ""
    api_key: str = ""
    speech_model: str = "tts-1"
    transcription_model: str = "whisper-1"
    voices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """The settings for embeddings without a models file.

    Without `base_url` the server for text models is used; without `model` the name that the dataset has is sent.
    """

    base_url: str = ""
    api_key: str = ""
    model: str = ""


def routes_of_settings(
    base_url: str, api_key: str, model_name: str, audio: AudioSettings, embedding: EmbeddingSettings
) -> RouteFile:
    """Return the routes that the settings make, as if a file said so. Raises InvalidOperatorFile for a bad base URL."""
    servers = {
        FROM_SETTINGS: (base_url, api_key and "$OPENAI_API_KEY"),
        AUDIO_FROM_SETTINGS: (audio.base_url, audio.api_key and "$AUDIO_API_KEY"),
        EMBEDDING_FROM_SETTINGS: (embedding.base_url, embedding.api_key and "$EMBEDDING_API_KEY"),
    }
    endpoints = {}
    for name, (url, key) in servers.items():
        if url:
            try:
                check_base_url(url)
            except ValueError as error:
                raise InvalidOperatorFile(f"{name} {error}") from None
            endpoints[name] = EndpointEntry(base_url=url, api_key=key or None)
    text = {"endpoint": FROM_SETTINGS, "remote_name": model_name or None}
    sound = {"endpoint": AUDIO_FROM_SETTINGS if audio.base_url else FROM_SETTINGS}
    targets: dict[str, dict[str, Any]] = {kind: text for kind in ("chat", "completion")} | {
        # Without a remote name: MODEL_NAME is a text model, embeddings are asked for by the dataset's own name.
        "embedding": {
            "endpoint": EMBEDDING_FROM_SETTINGS if embedding.base_url else FROM_SETTINGS,
            "remote_name": embedding.model or None,
        },
        "speech": sound | {"remote_name": audio.speech_model, "voices": list(audio.voices) or None},
        "transcription": sound | {"remote_name": audio.transcription_model},
    }
    default = {kind: target for kind, target in targets.items() if target["endpoint"] in endpoints}
    return RouteFile.model_validate({"endpoints": endpoints, "default": default})
