"""Send spans to a collector by OpenTelemetry's packages (app/requirements/traces.txt). Imported only where it is on.

The SDK reads the variables OTEL_… that it knows by itself. Spans wait in a queue of bounded length, which one thread
sends; where the collector is away, spans are dropped, and nothing else waits for it.
"""

import ipaddress
import logging
import threading
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from contextvars import Token

import requests
import structlog
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.tracing import Attributes, Kind, Tracer, TraceSpan

log = structlog.get_logger(__name__)

DEFAULT_SERVICE = "frontdesk"
# For what has not been sent when the process ends.
FLUSH_SECONDS = 3.0
# Between two lines about a collector that is away.
QUIET_SECONDS = 60.0
# How work ends that has not failed: it was stopped, waits for people, or is another worker's now.
INTERRUPTIONS = frozenset({"Cancelled", "RunPaused", "NodePaused", "HandedOver", "Superseded", "GeneratorExit"})
KINDS: Mapping[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
}
_PROPAGATOR = TraceContextTextMapPropagator()


class OpenTelemetryTracer(Tracer):
    """Keeps the spans of one process and sends them. `close` sends the rest."""

    def __init__(self, endpoint: str, version: str, has_content: bool) -> None:
        """`endpoint`: the address that takes spans; `has_content`: they have what people wrote and read."""
        resource = Resource.create({SERVICE_VERSION: version})
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: DEFAULT_SERVICE}))
        self._processor = BatchSpanProcessor(QuietExporter(_exporter(endpoint)))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("frontdesk", version)
        self._has_content = has_content

    def start(self, name: str, kind: Kind, attributes: Attributes, parent: str | None) -> TraceSpan:
        belongs_to = None if parent is None else _PROPAGATOR.extract({"traceparent": parent}, context=Context())
        span = self._tracer.start_span(name, belongs_to, KINDS[kind], _known(attributes))
        return OpenTelemetrySpan(span, self._has_content)

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent")

    def flush(self) -> None:
        """Send what waits, now."""
        self._processor.force_flush()

    def close(self) -> None:
        """Send what waits, for at most FLUSH_SECONDS."""
        # In a thread, because a collector that hangs would hold the process until its requests time out.
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)


class OpenTelemetrySpan(TraceSpan):
    """A span of OpenTelemetry. Activated and deactivated in one thread or greenlet."""

    def __init__(self, span: trace.Span, has_content: bool) -> None:
        self._span, self._failed = span, False
        self._tokens: list[Token[Context]] = []
        # A span that is not sampled is passed on to its children and otherwise dropped.
        self.is_kept = span.is_recording()
        self.has_content = has_content and self.is_kept

    def set(self, attributes: Attributes) -> None:
        if self.is_kept:
            self._span.set_attributes(_known(attributes))

    def fail(self, kind: str) -> None:
        # What is told first is nearest to the cause.
        if self._failed:
            return
        self._failed = True
        if kind in INTERRUPTIONS:
            self._span.set_attribute("frontdesk.interrupted", kind)
            return
        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)

    def activate(self) -> None:
        self._tokens.append(context.attach(trace.set_span_in_context(self._span)))

    def deactivate(self) -> None:
        if self._tokens:
            context.detach(self._tokens.pop())

    def end(self) -> None:
        self._span.end()


class QuietExporter(SpanExporter):
    """Exports by another exporter, and logs what it could not send, one line a minute."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost, self._quiet_until = 0, 0.0
        self._reasons = _LastMessage()
        logger = logging.getLogger("opentelemetry.exporter")
        logger.addHandler(self._reasons)
        logger.propagate = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        outcome = self._exporter.export(spans)
        if outcome is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            if time.monotonic() >= self._quiet_until:
                log.warning("traces.not_sent", spans=self._lost, reason=self._reasons.text)
                self._lost, self._quiet_until = 0, time.monotonic() + QUIET_SECONDS
        return outcome

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _LastMessage(logging.Handler):
    """Keeps what the exporter said last."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage().partition("\n")[0]


def _exporter(endpoint: str) -> OTLPSpanExporter:
    if not _is_here(urllib.parse.urlsplit(endpoint).hostname or ""):
        return OTLPSpanExporter(endpoint)
    # Nothing on this machine is reached by a proxy.
    session = requests.Session()
    session.trust_env = False
    return OTLPSpanExporter(endpoint, session=session)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _known(attributes: Attributes) -> dict[str, str | bool | int | float | list[str]]:
    return {name: value for name, value in attributes.items() if value is not None}
