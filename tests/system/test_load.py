"""More answers at once than there are slots: all are complete, and no task is left unfinished."""

from tests.bench.stream_load import Load, run_load
from tests.support.stack import Stack
from tests.support.visitor import wait_until

STREAMS = 300


def test_three_hundred_streams_at_once_complete_and_leave_nothing(stack: Stack) -> None:
    broker = stack.redis_client()
    # A killed worker's deliveries stay there until the visibility timeout.
    before = broker.hlen("unacked")

    numbers = run_load(Load(stack.base_url, "chat", STREAMS, chunks=50), stack.trees)

    assert (numbers.completed, dict(numbers.failed)) == (STREAMS, {})
    wait_until(lambda: broker.hlen("unacked") <= before, 5, "acknowledgements")
    wait_until(lambda: not stack.unfinished(), 10, "rest")
