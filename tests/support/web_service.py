"""A web service on a socket that repeats its requests, and its OpenAPI description."""

import http.server
import json
import threading
from types import TracebackType
from typing import Any, Self

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "components": {
        "schemas": {
            "Pet": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "age": {"type": "integer", "nullable": True},
                    "friends": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
                },
            },
        },
        "parameters": {
            "Id": {
                "name": "pet_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": "Whose",
            }
        },
    },
    "paths": {
        "/pets/{pet_id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {
                "operationId": "getPet",
                "summary": "Get a pet",
                "description": "By its id.",
                "parameters": [
                    {"name": "fields", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {
                        "name": "tags",
                        "in": "query",
                        "explode": False,
                        "schema": {"type": "array", "items": {"type": "string"}},
                    },
                    {"name": "kind", "in": "query", "schema": {"type": "string", "enum": ["cat", "dog"]}},
                    {"name": "filter", "in": "query", "style": "deepObject", "schema": {"type": "object"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                    {"name": "X-Key", "in": "header", "required": True, "schema": {"type": "string"}},
                    {"name": "session", "in": "cookie", "schema": {"type": "string"}},
                ],
            },
            "put": {
                "operationId": "pets.put",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/xml": {},
                        "application/json": {"schema": {"allOf": [], "$ref": "#/components/schemas/Pet"}},
                    },
                },
            },
        },
        "/pets": {
            "post": {
                "operationId": "addPet",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                },
            },
        },
        "/form": {
            "post": {
                "operationId": "form",
                "requestBody": {
                    "content": {
                        "application/x-www-form-urlencoded": {
                            "schema": {
                                "type": "object",
                                "properties": {
                                    "a": {"type": "string"},
                                    "b": {"type": "array", "items": {"type": "integer"}},
                                },
                            }
                        }
                    }
                },
            },
        },
        "/parts": {
            "post": {
                "operationId": "parts",
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "properties": {"a": {"type": "string"}},
                            }
                        }
                    }
                },
            },
        },
        "/note": {
            "post": {"operationId": "note", "requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}}}
        },
        "/list": {
            "post": {
                "operationId": "list",
                "requestBody": {
                    "content": {"application/json": {"schema": {"type": "array", "items": {"type": "integer"}}}}
                },
            }
        },
        "/plain": {"get": {}},
    },
}


class WebService:
    """Repeats each request as JSON, or answers as `says`: (status, headers, body), once."""

    def __init__(self) -> None:
        service = self
        self.asked: list[dict[str, Any]] = []
        self.says: list[tuple[int, dict[str, str], bytes]] = []
        self.hangs = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
                asked = {
                    "method": self.command,
                    "path": self.path,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": body,
                }
                service.asked.append(asked)
                status, headers, content = (
                    service.says.pop(0)
                    if service.says
                    else (200, {"Content-Type": "application/json"}, json.dumps(asked).encode())
                )
                if status == 0:
                    service.hangs.wait(20)
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hangs.set()
        self._server.shutdown()
        self._server.server_close()
