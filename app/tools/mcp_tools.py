"""The tools of MCP servers."""

import base64
import binascii
import importlib.util
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.providers.cancellation import Cancellation
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing
from app.tools.tool_file import McpEntry, all_filled
from app.tools.tool_types import Tool, ToolAnswer, ToolDescription, ToolFailed, ToolFile, fitted_name, tools_not_usable

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

    from app.tools.mcp_sessions import McpSession

LIST_SECONDS = 15.0
# How long a list of tools is used before the server is asked again, and how long after a failure it is left alone: each
# agent's answer needs the list, and must not wait for a server that is down.
REMEMBERED_SECONDS = 300.0
FAILURE_SECONDS = 15.0
MOST_PAGES = 50
MEGABYTE = 1024 * 1024
NOT_INSTALLED = "The tools of {!r} need MCP, which is not installed on this server: install app/requirements/mcp.txt."
_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "audio/wav": ".wav",
    "audio/mpeg": ".mp3",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "application/json": ".json",
}


class McpTools:
    """Provides the tools of one server. `environment`: the variables that `$NAME` in its settings refers to."""

    def __init__(
        self,
        name: str,
        settings: McpEntry,
        environment: Mapping[str, str],
        icon: str | Mapping[str, str] | None,
        outgoing: Outgoing = WITHOUT_PROXY,
    ) -> None:
        self.icon = icon
        self._name, self._settings, self._environment = name, settings, environment
        self._outgoing = outgoing
        self._lock = threading.Lock()
        self._session: McpSession | None = None
        self._known: Sequence[Tool] = ()
        self._asked_at: float | None = None
        self._problem: ToolFailed | None = None

    def tools(self) -> Sequence[Tool]:
        """Return the server's tools, asked for again every few minutes.

        If the server fails, the last list is returned. Raises ToolFailed if there is none.
        """
        with self._lock:
            kept = REMEMBERED_SECONDS if self._problem is None else FAILURE_SECONDS
            if self._asked_at is None or time.monotonic() - self._asked_at >= kept:
                try:
                    self._known, self._problem = self._listed(), None
                except ToolFailed as failure:
                    self._problem = failure
                self._asked_at = time.monotonic()
            if self._problem is not None and not self._known:
                raise self._problem
            return self._known

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def call(self, name: str, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        """Call a tool by the server's own name for it. Raises ToolFailed, Cancelled."""
        wait = min(seconds, self._settings.seconds)

        async def request(client: "Client") -> "CallToolResult":
            return await client.call_tool(name, dict(arguments))

        result = self._open_session().ask(request, wait, cancellation)
        return _answer(result, name, self._settings.megabytes * MEGABYTE)

    def _listed(self) -> Sequence[Tool]:
        async def request(client: "Client") -> list[Any]:
            tools, cursor = [], None
            for _ in range(MOST_PAGES):
                page = await client.list_tools(cursor=cursor)
                tools += page.tools
                cursor = page.next_cursor
                if cursor is None:
                    break
            return tools

        found: dict[str, Tool] = {}
        for tool in self._open_session().ask(request, LIST_SECONDS, Cancellation()):
            name = fitted_name(tool.name)
            schema = {**(tool.input_schema or {}), "type": "object"}
            schema.setdefault("properties", {})
            description = ToolDescription(
                name, tool.description or tool.title or "", schema, {"en_US": tool.title or tool.name}, ""
            )
            found.setdefault(name, McpTool(self, tool.name, description))
        return list(found.values())

    def _open_session(self) -> "McpSession":
        if self._session is None:
            if importlib.util.find_spec("mcp") is None:
                raise tools_not_usable(self._name, NOT_INSTALLED.format(self._name))
            # Imported where a server is asked: the protocol's package takes some 40 MiB.
            from app.tools import mcp_sessions

            settings = self._settings
            try:
                if settings.url is not None:
                    headers = all_filled(settings.headers, self._environment)
                    transport = mcp_sessions.over_http(
                        settings.url, headers, settings.seconds, settings.megabytes * MEGABYTE, self._outgoing
                    )
                else:
                    transport = mcp_sessions.over_stdio(
                        list(settings.command or ()), all_filled(settings.environment, self._environment)
                    )
            except (ValueError, OSError) as problem:
                raise tools_not_usable(self._name, f"{self._name}: {problem}") from None
            self._session = mcp_sessions.McpSession(transport)
        return self._session


@dataclass(frozen=True)
class McpTool:
    """One tool of a server. `remote_name`: the server's own name for it, which models may not be able to write."""

    server: McpTools
    remote_name: str
    description: ToolDescription

    def call(self, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        return self.server.call(self.remote_name, arguments, seconds, cancellation)


def _answer(result: "CallToolResult", name: str, most_bytes: int) -> ToolAnswer:
    texts: list[str] = []
    files: list[ToolFile] = []
    for part in result.content:
        resource = getattr(part, "resource", None)
        if part.type in ("image", "audio"):
            files.append(_file(part.data, part.mime_type, f"{name}-{len(files) + 1}"))
        elif resource is not None and hasattr(resource, "blob"):
            files.append(_file(resource.blob, resource.mime_type, str(resource.uri).rpartition("/")[2] or name))
        elif part.type == "resource_link":
            texts.append(f"{part.name}: {part.uri}")
        else:
            texts.append(str(resource.text if resource is not None else getattr(part, "text", "")))
    text = _with_details("\n".join(texts), result.structured_content, bool(result.is_error))
    if len(text.encode("utf-8", "replace")) + sum(len(file.content) for file in files) > most_bytes:
        raise ToolFailed("The tool server's answer is too large.")
    if result.is_error:
        raise ToolFailed(text or "The tool failed and gave no message.")
    return ToolAnswer(text, files, _objects(result.structured_content))


def _with_details(text: str, structured: Any, is_error: bool) -> str:
    """Return the text of a result, with its structured part where the text is empty or tells an error without it.

    Servers should repeat the structured part as text, and not all do.
    """
    if not structured:
        return text
    details = orjson.dumps(structured, option=orjson.OPT_NON_STR_KEYS).decode()
    if not text.strip():
        return details
    return f"{text}\n{details}" if is_error and not _repeats(text, structured) else text


def _repeats(text: str, structured: Any) -> bool:
    try:
        return bool(orjson.loads(text) == structured)
    except orjson.JSONDecodeError:
        return False


def _file(data: str, mime_type: str | None, name: str) -> ToolFile:
    try:
        content = base64.b64decode(data)
    except (binascii.Error, ValueError):
        raise ToolFailed("The tool server's answer cannot be read.") from None
    kind = mime_type or "application/octet-stream"
    suffix = "" if "." in name else _SUFFIXES.get(kind, "")
    return ToolFile(f"{name}{suffix}", content, kind)


def _objects(structured: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a structured result. Servers wrap other values as `{"result": …}`."""
    if isinstance(structured, dict) and set(structured) == {"result"}:
        structured = structured["result"]
    entries = structured if isinstance(structured, list) else [structured]
    return [entry for entry in entries if isinstance(entry, dict)]
