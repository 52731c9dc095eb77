"""A world for engine tests: every node that asks it is counted, and does what the test says."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from app.providers.cancellation import Cancellation
from app.workflow.contracts.node_services import HttpAnswer, HttpRequest, NodeServices
from app.workflow.failures import NodeFailed
from tests.support.workflow.graphs import node


class World:
    """Answers `asks(name)` nodes with `name: <so manieth time>`, or as `behave` says."""

    def __init__(self, behave: Callable[[str, int], str] | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self.order: list[str] = []
        self._behave = behave or (lambda name, time: name)
        self._lock = threading.Lock()

    def send(self, request: HttpRequest, most_bytes: int, seconds: float, cancellation: Cancellation) -> HttpAnswer:
        name = request.url.removeprefix("http://world/")
        with self._lock:
            self.calls[name] += 1
            self.order.append(name)
            time = self.calls[name]
        return HttpAnswer(200, {"content-type": "text/plain"}, self._behave(name, time).encode(), request.url)

    @property
    def services(self) -> NodeServices:
        return NodeServices(http=self)


def asks(node_id: str, parent: str | None = None, about: str = "", **data: Any) -> dict[str, Any]:
    """A node that asks the world about itself, or about what a text with references says."""
    return node(node_id, "http-request", parent, method="get", url=f"http://world/{about or node_id}", **data)


def failing(*names: str, times: int = 10**9) -> Callable[[str, int], str]:
    """A behaviour: these fail, the first `times` times."""

    def behave(name: str, time: int) -> str:
        if name in names and time <= times:
            raise NodeFailed(f"{name} failed", "WorldError")
        return name

    return behave
