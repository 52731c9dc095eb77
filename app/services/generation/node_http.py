"""The requests of http-request nodes, by the guarded client (`workflow.outside.Http`)."""

from app.providers.cancellation import Cancellation
from app.providers.guarded_http import GuardedHttp, Limits
from app.providers.request_gate import FetchFailed
from app.workflow.failures import NodeFailed
from app.workflow.outside import HttpAnswer, HttpRequest


class NodeHttp:
    """Raises NodeFailed for what is refused, too large or does not answer."""

    def __init__(self, client: GuardedHttp) -> None:
        self._client = client

    def send(self, request: HttpRequest, most_bytes: int, seconds: float, cancellation: Cancellation) -> HttpAnswer:
        connect, read, _ = request.timeouts
        limits = Limits(connect=connect, read=read, total=seconds, size=most_bytes)
        try:
            with self._client.request(
                request.method, request.url, headers=dict(request.headers), params=request.params, data=request.body,
                verify=request.verify, limits=limits, cancellation=cancellation,
            ) as answer:  # fmt: skip
                return HttpAnswer(answer.status, dict(answer.headers), answer.read(), answer.url)
        except FetchFailed as failure:
            raise NodeFailed(str(failure), "RequestError") from None
