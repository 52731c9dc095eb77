"""`http-request`: one HTTP request to an address of the author's or of a variable (contract dsl.md §3.7; README §7)."""

import base64
import codecs
import email.message
import mimetypes
import urllib.parse
from typing import Any

import pydantic

from app.providers.documents.text_encoding import read_text
from app.providers.fetch.response_names import announced_name
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.contracts.node_services import HttpAnswer, HttpRequest
from app.workflow.failures import NodeFailed
from app.workflow.rules.http_bodies import RequestBody, fill, pairs
from app.workflow.rules.http_heads import check_headers, url_of, with_content_type
from app.workflow.values.files import File

LARGEST_BINARY = 10 * 1024 * 1024
LARGEST_TEXT = 1024 * 1024
MOST_SECONDS = {"connect": 10.0, "read": 600.0, "write": 600.0}
USUAL_SECONDS = {"connect": 10.0, "read": 60.0, "write": 20.0}
SHOWN_BODY = 10_000
MASK = "********"
_TEXTS = ("json", "xml", "javascript", "x-www-form-urlencoded", "yaml", "csv", "html", "graphql", "sql", "x-ndjson")


class AuthorizationConfig(ConfigPart):
    """The credentials of a request. `type`: basic, bearer or custom."""

    type: str = "bearer"
    api_key: str = ""
    header: str = ""


class Authorization(ConfigPart):
    """How a request is authorized. `type`: no-auth or api-key."""

    type: str = "no-auth"
    config: AuthorizationConfig | None = None


class Timeout(ConfigPart):
    """Timeouts in seconds. Older files name them `max_connect_timeout` and so on."""

    connect: float | None = pydantic.Field(
        None, validation_alias=pydantic.AliasChoices("connect", "max_connect_timeout")
    )
    read: float | None = pydantic.Field(None, validation_alias=pydantic.AliasChoices("read", "max_read_timeout"))
    write: float | None = pydantic.Field(None, validation_alias=pydantic.AliasChoices("write", "max_write_timeout"))

    def seconds(self, name: str) -> float:
        """Return the timeout `connect`, `read` or `write`, within its limits."""
        wanted = getattr(self, name) or USUAL_SECONDS[name]
        return float(min(max(wanted, 0.1), MOST_SECONDS[name]))


class HttpConfig(NodeConfig):
    """The configuration of an HTTP node. `headers` and `params`: lines of `key:value`; texts may hold references."""

    method: str
    url: str
    headers: str = ""
    params: str = ""
    authorization: Authorization = Authorization()
    body: RequestBody = RequestBody()
    timeout: Timeout = Timeout()
    ssl_verify: bool = True


class HttpRequestNode(Node):
    """Sends a request: outputs `status_code`, `body` (text), `headers` and `files` (an answer that is no text)."""

    kind = "http-request"
    Config = HttpConfig
    has_side_effects = True

    def run(self, context: NodeContext) -> Result:
        if context.services.http is None:
            raise NodeFailed("HTTP requests are not available in this run.", "HttpRequestNodeError")
        request, record = self._request(context)
        process_data = {"request": record}
        seconds = context.seconds_left(sum(request.timeouts))
        try:
            answer = context.services.http.send(request, LARGEST_BINARY, seconds, context.cancellation)
            if self._is_failure(answer):
                raise NodeFailed(f"Request failed with status code {answer.status}", "HTTPResponseCodeError")
            body, files = _content(context, answer)
        except NodeFailed as failure:
            raise NodeFailed(failure.message, failure.error_type, process_data=process_data) from None
        outputs = {"status_code": answer.status, "body": body, "headers": dict(answer.headers), "files": files}
        return Result(outputs=outputs, process_data=process_data)

    def _request(self, context: NodeContext) -> tuple[HttpRequest, str]:
        """Return the request, and its text for the records, in which credentials are masked."""
        config = self.config
        url = url_of(fill(context, config.url))
        params = [(fill(context, key), fill(context, value)) for key, value in pairs(config.params)]
        headers = {fill(context, key).strip(): fill(context, value).strip() for key, value in pairs(config.headers)}
        body, content_type = config.body.encoded(context)
        if content_type is not None:
            headers = with_content_type(headers, content_type)
        secret = self._authorization(context)
        check_headers(headers | secret)
        timeouts = (config.timeout.seconds("connect"), config.timeout.seconds("read"), config.timeout.seconds("write"))
        sent = HttpRequest(
            config.method.upper(),
            url,
            tuple((headers | secret).items()),
            tuple(params),
            body,
            timeouts,
            config.ssl_verify,
        )
        return sent, _record_of(sent, headers | dict.fromkeys(secret, MASK))

    def _authorization(self, context: NodeContext) -> dict[str, str]:
        config = self.config.authorization.config
        if self.config.authorization.type != "api-key" or config is None:
            return {}
        key = fill(context, config.api_key)
        header = fill(context, config.header) or "Authorization"
        match config.type:
            case "basic":
                return {header: f"Basic {base64.b64encode(key.encode()).decode()}"}
            case "custom":
                return {header: key}
        return {header: f"Bearer {key}"}

    def _is_failure(self, answer: HttpAnswer) -> bool:
        """Return whether a status fails the node: one other than 2xx, in a node with an error strategy or retries."""
        retry = self.config.retry_config
        handles_failures = self.config.error_strategy in ("fail-branch", "default-value") or (
            retry is not None and retry.retry_enabled
        )
        return handles_failures and not 200 <= answer.status < 300


def _content(context: NodeContext, answer: HttpAnswer) -> tuple[str, list[File]]:
    """Return an answer's text, or "" and the file that was stored of it. Raises NodeFailed."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    disposition = headers.get("content-disposition", "")
    header = email.message.Message()
    if "content-type" in headers:
        header["content-type"] = headers["content-type"]
    if not answer.content:
        return "", []
    if not disposition.strip().lower().startswith("attachment") and _is_text(header, answer.content):
        if len(answer.content) > LARGEST_TEXT:
            raise NodeFailed(
                f"The text of the answer is too large: {len(answer.content)} bytes, at most {LARGEST_TEXT}.",
                "ResponseSizeError",
            )
        kind = header.get_content_type()
        markup = "html" in kind or "xml" in kind or "content-type" not in header
        return read_text(answer.content, headers.get("content-type", ""), markup), []
    if context.services.files is None:
        raise NodeFailed("Files are not available in this run.", "HttpRequestNodeError")
    kind = header.get_content_type() if "content-type" in header else "application/octet-stream"
    path = urllib.parse.unquote(urllib.parse.urlsplit(answer.url).path)
    name = announced_name(disposition) or path.replace("\\", "/").rpartition("/")[2] or "file"
    if "." not in name:
        # What a file is, later nodes tell by its extension.
        name += mimetypes.guess_extension(kind) or ""
    return "", [context.services.files.store(name, answer.content, kind)]


def _is_text(header: email.message.Message, content: bytes) -> bool:
    if "content-type" not in header:
        return content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" not in content[:1024]
    kind = header.get_content_type()
    return kind.startswith("text/") or any(word in kind for word in _TEXTS)


def _record_of(request: HttpRequest, headers: dict[str, Any]) -> str:
    """Return the request as text: request line, headers, the first part of the body."""
    query = f"?{urllib.parse.urlencode(request.params)}" if request.params else ""
    lines = [f"{request.method} {request.url}{query}", *(f"{name}: {value}" for name, value in headers.items())]
    body = (request.body or b"")[:SHOWN_BODY].decode("utf-8", "replace")
    return "\n".join([*lines, "", body])
