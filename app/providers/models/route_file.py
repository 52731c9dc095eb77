"""The file that says which server answers for which model of the app files (`MODELS_FILE`).

    endpoints:
      local:  {base_url: http://127.0.0.1:8080/v1}
      openai: {base_url: https://api.openai.com/v1, api_key: $OPENAI_API_KEY}
    models:                                   # the first line that fits is used
      - {provider: openai, name: "gpt-4o*", endpoint: openai, context: 128000}
      - {provider: "*", name: tiny, endpoint: local, remote_name: smollm, pass_through: [top_k]}
      - {provider: openai, name: text-embedding-3-small, kind: embedding, endpoint: openai}
      - {provider: "*", name: "*rerank*", kind: rerank, endpoint: local}
    default:                                  # for everything else
      chat: {endpoint: local, remote_name: smollm, context: 4096}
      speech: {endpoint: openai, remote_name: gpt-4o-mini-tts, voices: [alloy, nova]}
      transcription: {endpoint: openai, remote_name: whisper-1}

Keys are never in the file: `api_key` names a variable of the environment, as may `base_url`.
"""

import fnmatch
import pathlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import pydantic
import yaml

Kind = Literal["chat", "completion", "embedding", "rerank", "speech", "transcription"]
VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)\}")


class InvalidModelsFile(Exception):
    """The file cannot be used; the text is one line that names the file and the place in it."""


def _is_variable(value: str) -> str:
    if not VARIABLE.fullmatch(value):
        raise ValueError(
            "must name a variable of the environment, such as $OPENAI_API_KEY; keys do not belong in this file"
        )
    return value


def _is_base_url(value: str) -> str:
    if VARIABLE.fullmatch(value):
        return value
    try:
        check_base_url(value)
    except ValueError as error:
        raise ValueError(f"{error}, or a variable such as $OPENAI_BASE_URL") from None
    return value


Name = Annotated[str, pydantic.Field(min_length=1)]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


class EndpointEntry(_Strict):
    base_url: Annotated[str, pydantic.AfterValidator(_is_base_url)]
    api_key: Annotated[str, pydantic.AfterValidator(_is_variable)] | None = None


class Target(_Strict):
    """Where a model is answered. Without `remote_name` the app file's name is sent.

    `voices`: what a speech model speaks with, the usual one first; where they are not listed, any voice is sent as it is named.
    """

    endpoint: Name
    remote_name: Name | None = None
    context: int | None = pydantic.Field(default=None, ge=1)
    pass_through: list[Name] = []
    voices: list[Name] | None = None


class ModelEntry(Target):
    """Without `kind` a text model, asked as the app's mode says; `chat` or `completion` insists on one of the two."""

    provider: Name
    name: Name
    kind: Kind | None = None

    def fits(self, provider: str, name: str, kind: Kind) -> bool:
        """Whether this line is for a model of an app file. Names may hold `*`; providers may be short (`openai`)."""
        if self.kind is None and kind not in ("chat", "completion"):
            return False
        if self.kind is not None and self.kind != kind and not {self.kind, kind} <= {"chat", "completion"}:
            return False
        return _same_provider(self.provider, provider) and fnmatch.fnmatchcase(name, self.name)


class Defaults(_Strict):
    chat: Target | None = None
    completion: Target | None = None
    embedding: Target | None = None
    rerank: Target | None = None
    speech: Target | None = None
    transcription: Target | None = None


class RouteFile(_Strict):
    endpoints: dict[Name, EndpointEntry]
    models: list[ModelEntry] = []
    default: Defaults = Defaults()


def _same_provider(wanted: str, given: str) -> bool:
    """`openai` stands for `langgenius/openai/openai` and the other way round."""
    if wanted == "*" or wanted == given:
        return True
    return ("/" not in wanted or "/" not in given) and wanted.rpartition("/")[2] == given.rpartition("/")[2]


def check_base_url(value: str) -> str:
    """The same URL. Raises ValueError."""
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


def variable_name(reference: str) -> str | None:
    """NAME of `$NAME` or `${NAME}`; None for any other text."""
    match = VARIABLE.fullmatch(reference)
    return match and (match[1] or match[2])


def read_route_file(path: pathlib.Path) -> RouteFile:
    """Read and check a file. Raises InvalidModelsFile."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidModelsFile(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidModelsFile(f"{path}: is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}:" if error.problem_mark else ""
        raise InvalidModelsFile(f"{path}:{line} is not valid YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise InvalidModelsFile(f"{path}: is not valid YAML") from None
    try:
        routes = RouteFile.model_validate(document)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidModelsFile(f"{path}: {_place(first['loc'])}: {_explain(first)}") from None
    for place, target in _targets(routes).items():
        if target.endpoint not in routes.endpoints:
            raise InvalidModelsFile(f"{path}: {place}.endpoint: there is no endpoint {target.endpoint!r} in this file")
    return routes


def _targets(routes: RouteFile) -> Mapping[str, Target]:
    named: dict[str, Target] = {f"models[{number}]": entry for number, entry in enumerate(routes.models)}
    defaults = {f"default.{kind}": getattr(routes.default, kind) for kind in Defaults.model_fields}
    return named | {place: target for place, target in defaults.items() if target is not None}


def _place(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.lstrip(".") or "the document"


def _explain(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "is not known here"
    return str(error["msg"]).removeprefix("Value error, ")
