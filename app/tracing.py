"""Spans: the timed parts of work that traces are made of, as all layers tell them.

with tracing.span("retrieval", {"frontdesk.top_k": 3}) as span:
    ...
    span.set({"frontdesk.passages": len(found)})

Nothing is kept unless `install` has put a tracer in (app/open_telemetry.py does); then spans inside the block become
children of this one, also in threads that are given a copy of the context. Attributes that are None are left out.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

Attributes = Mapping[str, Any]
Kind = Literal["internal", "server", "client", "consumer"]
# What a span is, for tools that follow OpenInference's conventions and not OpenTelemetry's.
ROLE = "openinference.span.kind"
# Of each text that people wrote or read, where traces have texts at all.
CONTENT_CHARACTERS = 8_000


class TraceSpan:
    """A span that nobody keeps, and the base of those that somebody does."""

    # Whether it is worth gathering attributes for it, and whether these may have what people wrote and read.
    is_kept = False
    has_content = False

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""

    def fail(self, kind: str) -> None:
        """Note that the work failed. `kind`: the class of the error; no words of anybody."""

    def activate(self) -> None:
        """Make it the current span: what this thread or greenlet tells from now on becomes its children."""

    def deactivate(self) -> None:
        """Make the span before the current one again; in the thread or greenlet that has activated this one."""

    def end(self) -> None:
        """Note that the work has ended."""

    def __enter__(self) -> Self:
        self.activate()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the span; an exception that leaves the block is its failure."""
        self.deactivate()
        if kind is not None:
            self.fail(kind.__name__)
        self.end()


NO_SPAN = TraceSpan()


class Tracer:
    """Where spans go. This one keeps nothing."""

    def start(self, name: str, kind: Kind, attributes: Attributes, parent: str | None) -> TraceSpan:
        """Return a span that begins now. `parent`: a `traceparent`; None for the current span."""
        return NO_SPAN

    def traceparent(self) -> str | None:
        """Return the current span as the W3C's `traceparent`; None without one."""
        return None


_tracer = Tracer()


def install(tracer: Tracer) -> None:
    """Let the spans of this process go to a tracer."""
    # Of the process: what tells spans is spread over all layers, and knows no settings.
    global _tracer
    _tracer = tracer


def uninstall() -> None:
    """Keep no spans any more."""
    install(Tracer())


def span(
    name: str, attributes: Attributes | None = None, kind: Kind = "internal", parent: str | None = None
) -> TraceSpan:
    """Return a span that begins now; `with` makes it the current one and ends it, else `end` has to be called."""
    return _tracer.start(name, kind, attributes or {}, parent)


def current_traceparent() -> str | None:
    """Return the current span as the W3C's `traceparent`, to go on with it elsewhere; None without one."""
    return _tracer.traceparent()


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the trace that a `traceparent` names."""
    return None if traceparent is None else traceparent.split("-")[1]


def cut(text: str) -> str:
    """Return a text as spans have it: its beginning, where it is long."""
    return text if len(text) <= CONTENT_CHARACTERS else text[:CONTENT_CHARACTERS] + "…"
