"""An HTTP service for engine tests, and the HTTP nodes that call it."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from app.providers.cancellation import Cancellation
from app.workflow.contracts.node_services import HttpAnswer, HttpRequest, NodeServices
from app.workflow.failures import NodeFailed
from tests.support.workflow.graphs import node


class FakeHttp:
    """Answers the requests of `http(name)` nodes with their names, or with what `behave(name, time)` returns.

    `calls` counts the requests by name; `order` lists their names.
    """

    def __init__(self, behave: Callable[[str, int], str] | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self.order: list[str] = []
        self._behave = behave or (lambda name, time: name)
        self._lock = threading.Lock()

    def send(self, request: HttpRequest, most_bytes: int, seconds: float, cancellation: Cancellation) -> HttpAnswer:
        name = request.url.removeprefix("http://fake/")
        with self._lock:
            self.calls[name] += 1
            self.order.append(name)
            time = self.calls[name]
        return HttpAnswer(200, {"content-type": "text/plain"}, self._behave(name, time).encode(), request.url)

    @property
    def services(self) -> NodeServices:
        return NodeServices(http=self)


def http(node_id: str, parent: str | None = None, about: str = "", **data: Any) -> dict[str, Any]:
    """Return an HTTP node that sends its own id as the name, or the text `about`, which may hold references."""
    return node(node_id, "http-request", parent, method="get", url=f"http://fake/{about or node_id}", **data)


def failing(*names: str, times: int = 10**9) -> Callable[[str, int], str]:
    """Return a behaviour by which requests of these names fail, the first `times` times."""

    def behave(name: str, time: int) -> str:
        if name in names and time <= times:
            raise NodeFailed(f"{name} failed", "FakeError")
        return name

    return behave
