"""The operations of OpenAPI services as tools."""

import mimetypes
import pathlib
import threading
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.providers.cancellation import Cancellation
from app.providers.documents.text_encoding import read_text
from app.providers.fetch.guarded_http import GuardedHttp, GuardedResponse, Limits
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.fetch.request_gate import FetchFailed, FetchRefused, FetchTimeout, FetchTooLarge
from app.providers.fetch.response_names import announced_name
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing
from app.tools.openapi_description import InvalidDescription, Operation, operations, read_description
from app.tools.openapi_requests import PreparedRequest, prepare_request
from app.tools.tool_file import OpenApiEntry, all_filled
from app.tools.tool_types import Tool, ToolAnswer, ToolDescription, ToolFailed, ToolFile, fitted_name, tools_not_usable

LARGEST_DESCRIPTION = 16 * 1024 * 1024
DESCRIPTION_SECONDS = 30.0
# How long a description that could not be read is not asked for again: answers must not wait for a server that is down.
FAILURE_SECONDS = 5.0
LONGEST_REFUSAL = 500
MEGABYTE = 1024 * 1024
MASK = "***"
SHORTEST_SECRET = 4
_PORTS = {"http": 80, "https": 443}


class OpenApiTools:
    """Provides the tools of one service. `environment`: the variables that `$NAME` in its settings refers to.

    `folder`: that of the tools file, to which the description's path is relative. `outgoing`: the ways to the service.
    """

    def __init__(
        self,
        name: str,
        settings: OpenApiEntry,
        environment: Mapping[str, str],
        folder: pathlib.Path,
        icon: str | Mapping[str, str] | None,
        outgoing: Outgoing = WITHOUT_PROXY,
    ) -> None:
        self.icon = icon
        self._name, self._settings, self._environment, self._folder = name, settings, environment, folder
        self._outgoing = outgoing
        self._lock = threading.Lock()
        self._known: Sequence[Tool] | None = None
        self._failed: tuple[float, ToolFailed] | None = None

    def tools(self) -> Sequence[Tool]:
        """Return the tools; the description is read once. Raises ToolFailed with one line: the place and the fault."""
        with self._lock:
            if self._known is None:
                if self._failed is not None and time.monotonic() - self._failed[0] < FAILURE_SECONDS:
                    raise self._failed[1]
                try:
                    self._known = self._read()
                except ToolFailed as failure:
                    self._failed = time.monotonic(), failure
                    raise
            return self._known

    def close(self) -> None:
        """Do nothing: each call has a connection of its own."""

    def _read(self) -> Sequence[Tool]:
        place = self._settings.description
        try:
            headers, query = (
                all_filled(self._settings.headers, self._environment),
                all_filled(self._settings.query, self._environment),
            )
            found = list(operations(read_description(self._content(place))))
        except InvalidDescription as fault:
            raise tools_not_usable(self._name, f"{self._name}: {place}: {fault}") from None
        except ValueError as problem:
            raise tools_not_usable(self._name, f"{self._name}: {problem}") from None
        service = Service(
            headers,
            query,
            self._settings.seconds,
            self._settings.megabytes * MEGABYTE,
            _trusted(self._settings),
            self._outgoing,
        )
        tools: dict[str, Tool] = {}
        for operation in found:
            tools.setdefault(fitted_name(operation.name), OpenApiTool(service, operation, self._address(operation)))
        return list(tools.values())

    def _content(self, place: str) -> bytes:
        if urllib.parse.urlsplit(place).scheme in ("http", "https"):
            try:
                with _http_for(place, self._outgoing).request(
                    "GET", place, limits=Limits(total=DESCRIPTION_SECONDS, size=LARGEST_DESCRIPTION)
                ) as answer:
                    if answer.status != 200:
                        raise InvalidDescription(f"the server answered {answer.status}")
                    return answer.read()
            except FetchFailed as failure:
                raise InvalidDescription(_explain(failure)) from None
        path = self._folder / place
        try:
            if path.stat().st_size > LARGEST_DESCRIPTION:
                raise InvalidDescription("is too large")
            return path.read_bytes()
        except OSError as error:
            raise InvalidDescription(f"cannot be read: {error.strerror}") from None

    def _address(self, operation: Operation) -> str | None:
        """Return the address of an operation's server; None if neither operator nor description names one."""
        if self._settings.base_url is not None:
            return self._settings.base_url
        for server in operation.servers:
            whole = urllib.parse.urljoin(self._settings.description, server)
            if urllib.parse.urlsplit(whole).scheme in ("http", "https"):
                return whole
        return None


@dataclass(frozen=True)
class Service:
    """The operator's settings of a service. `headers` and `query` override those of a call; `seconds` bounds its time.

    `trusted`: the origins (host:port) that may lie in a private network; None for any.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    seconds: float
    most_bytes: int
    trusted: Sequence[str] | None
    outgoing: Outgoing

    def http_for(self, address: str) -> GuardedHttp:
        """Return a client that may reach an address; untrusted ones only if they are public."""
        if self.trusted is None or _origin(address) in self.trusted:
            return _http_for(address, self.outgoing)
        return GuardedHttp(outgoing=self.outgoing)

    def masked(self, text: str) -> str:
        """Return the text with the operator's secrets masked: services repeat what they refuse."""
        for secret in (*self.headers.values(), *self.query.values()):
            if len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, MASK).replace(secret.partition(" ")[2] or secret, MASK)
        return text


class OpenApiTool:
    """One operation as a tool. What the operator's settings fix is not among its arguments."""

    def __init__(self, service: Service, operation: Operation, address: str | None) -> None:
        self._service, self._operation, self._address = service, operation, address
        fixed = {("query", name) for name in service.query} | {("header", name.lower()) for name in service.headers}
        self._parameters = [
            parameter
            for parameter in operation.parameters
            if (parameter.place, parameter.name.lower() if parameter.place == "header" else parameter.name) not in fixed
        ]
        schema = {
            "type": "object",
            "properties": {parameter.argument: dict(parameter.schema) for parameter in self._parameters},
            "required": [parameter.argument for parameter in self._parameters if parameter.required],
        }
        text = operation.description or f"{operation.method} {operation.path}"
        self.description = ToolDescription(fitted_name(operation.name), text, schema, {"en_US": operation.label}, "")

    def call(self, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        if self._address is None:
            raise ToolFailed("The description names no server; set base_url in the tools file.")
        request = prepare_request(self._operation, self._parameters, arguments)
        wait = min(seconds, self._service.seconds)
        limits = Limits(read=wait, total=wait, size=self._service.most_bytes)
        try:
            with self._ask(request, limits, cancellation) as answer:
                return self._answer(answer)
        except FetchFailed as failure:
            raise ToolFailed(_explain(failure)) from None

    def _ask(self, request: PreparedRequest, limits: Limits, cancellation: Cancellation) -> GuardedResponse:
        service, address = self._service, str(self._address)
        parts = urllib.parse.urlsplit(address)
        url = urllib.parse.urlunsplit(
            (parts.scheme, parts.netloc, parts.path.rstrip("/") + request.path, parts.query, "")
        )
        return service.http_for(address).request(
            self._operation.method,
            url,
            headers={"Accept": "application/json, text/*;q=0.9, */*;q=0.8", **request.headers, **service.headers},
            params=[*(pair for pair in request.query if pair[0] not in service.query), *service.query.items()],
            data=request.data,
            files=request.files,
            limits=limits,
            cancellation=cancellation,
        )

    def _answer(self, answer: GuardedResponse) -> ToolAnswer:
        content, declared = answer.read(), answer.headers.get("Content-Type", "")
        kind = declared.partition(";")[0].strip().lower()
        if answer.status >= 300:
            said = self._service.masked(read_text(content, declared))[:LONGEST_REFUSAL]
            raise ToolFailed(
                f"The service answered {answer.status}{': ' + ' '.join(said.split()) if said.strip() else '.'}"
            )
        if not content:
            return ToolAnswer(f"Done (the service answered {answer.status}, without content).")
        if kind == "application/json" or kind.endswith("+json"):
            return self._json(content, declared)
        if (
            not kind
            or kind.startswith("text/")
            or kind.endswith("+xml")
            or kind in ("application/xml", "application/yaml")
        ):
            return ToolAnswer(self._service.masked(read_text(content, declared)))
        name = announced_name(answer.headers.get("Content-Disposition", ""))
        made_up = f"{self.description.name}{mimetypes.guess_extension(kind) or ''}"
        return ToolAnswer("", [ToolFile(name or made_up, content, kind)])

    def _json(self, content: bytes, declared: str) -> ToolAnswer:
        text = self._service.masked(read_text(content, declared))
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return ToolAnswer(text)
        entries = value if isinstance(value, list) else [value]
        return ToolAnswer(orjson.dumps(value).decode(), json=[entry for entry in entries if isinstance(entry, dict)])


def _trusted(settings: OpenApiEntry) -> Sequence[str] | None:
    """Return the origins that calls of a service may reach in a private network, None for any.

    A description that was loaded from elsewhere must not direct calls into our network: only to where it came from.
    """
    if settings.base_url is None and urllib.parse.urlsplit(settings.description).scheme in ("http", "https"):
        return [_origin(settings.description)]
    return None


def _origin(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def _http_for(url: str, outgoing: Outgoing) -> GuardedHttp:
    """Return a client for a server that the operator named, even in a private network. Redirects are checked."""
    try:
        return GuardedHttp(AllowedAddresses([_origin(url)]), outgoing)
    except ValueError:
        raise ToolFailed("The service's address is not valid.") from None


def _explain(failure: FetchFailed) -> str:
    """Return a sentence without the address, which may be internal and contain a key."""
    if isinstance(failure, FetchTimeout):
        return "The service did not answer in time."
    if isinstance(failure, FetchTooLarge):
        return "The service's answer is too large."
    if isinstance(failure, FetchRefused):
        return "Requests to this address are not allowed."
    return "The service cannot be reached."
