"""A collector of traces: takes spans by OTLP, protobuf over HTTP, and can be slow, refuse or hang."""

import gzip
import http.server
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

FAILED = 2
WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class CollectedSpan:
    """A span as it came. `parent_id` is empty for the first one of a trace; `resource`: of the process that sent it."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    seconds: float
    failed: bool
    attributes: dict[str, Any] = field(repr=False)
    resource: dict[str, Any] = field(repr=False)


class OtlpCollector:
    """Serves on a port of its own. `status`: what it answers; `hangs`: it does not answer before it is closed."""

    def __init__(self) -> None:
        self.status, self.hangs = 200, False
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self._spans: list[CollectedSpan] = []
        self._closing = threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.paths.append(self.path)
                collector.headers.append(dict(self.headers))
                if collector.hangs:
                    collector._closing.wait()
                if collector.status == 200:
                    collector._take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is to be."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        self._spans.clear()

    @property
    def spans(self) -> Sequence[CollectedSpan]:
        return tuple(self._spans)

    def of_trace(self, trace_id: str) -> list[CollectedSpan]:
        return [span for span in self._spans if span.trace_id == trace_id]

    def named(self, beginning: str) -> list[CollectedSpan]:
        return [span for span in self._spans if span.name.startswith(beginning)]

    def only(self, beginning: str) -> CollectedSpan:
        """The one span whose name begins so."""
        (span,) = self.named(beginning)
        return span

    def path_to(self, span: CollectedSpan) -> list[str]:
        """The names of the spans from the first of the trace to this one."""
        parents = {each.span_id: each for each in self._spans}
        path = [span.name]
        while span.parent_id in parents:
            span = parents[span.parent_id]
            path.insert(0, span.name)
        return path

    def wait_for(self, beginning: str, count: int = 1) -> list[CollectedSpan]:
        """Wait until so many spans of such a name have come. Raises TimeoutError."""
        deadline = time.monotonic() + WAIT_SECONDS
        while len(found := self.named(beginning)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} spans {beginning!r} of {[span.name for span in self._spans]}")
            time.sleep(0.02)
        return found

    def _take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for group in request.resource_spans:
            resource = {item.key: _value(item.value) for item in group.resource.attributes}
            for scope in group.scope_spans:
                for span in scope.spans:
                    self._spans.append(
                        CollectedSpan(
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            span.name,
                            span.kind,
                            (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                            span.status.code == FAILED,
                            {item.key: _value(item.value) for item in span.attributes},
                            resource,
                        )
                    )


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return None if kind is None else getattr(value, kind)
