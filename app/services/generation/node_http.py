"""The HTTP client of a run's nodes (contract: app/workflow/contracts/node_services.py)."""

import dataclasses

from app.providers.cancellation import Cancellation
from app.providers.fetch.guarded_http import GuardedHttp, Limits
from app.providers.fetch.request_gate import FetchFailed
from app.workflow.contracts.node_services import HttpAnswer, HttpRequest
from app.workflow.failures import NodeFailed


class NodeHttp:
    """Sends the requests of http-request nodes. Raises NodeFailed for one that is refused, fails or gets too much."""

    def __init__(self, client: GuardedHttp) -> None:
        self._client = client

    def send(self, request: HttpRequest, most_bytes: int, seconds: float, cancellation: Cancellation) -> HttpAnswer:
        connect, read, _ = request.timeouts
        limits = Limits(connect=connect, read=read, total=seconds, size=most_bytes)
        if not request.follow:
            limits = dataclasses.replace(limits, redirects=0)
        try:
            with self._client.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                params=request.params,
                data=request.body,
                verify=request.verify,
                limits=limits,
                cancellation=cancellation,
            ) as answer:
                return HttpAnswer(answer.status, dict(answer.headers), answer.read(), answer.url)
        except FetchFailed as failure:
            raise NodeFailed(str(failure), "RequestError") from None
