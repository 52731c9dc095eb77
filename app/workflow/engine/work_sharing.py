"""Work that several threads share. Whoever waits works too: nested waits never need a free thread."""

import functools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

BRANCH_THREADS = 64
Job = Callable[[], None]
# Has a function called by another thread some time, or never soon: nobody waits for it.
Spawn = Callable[[Job], None]


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(BRANCH_THREADS, thread_name_prefix="branch")


def spawn(job: Job) -> None:
    """In a thread of the process's own pool."""
    _threads().submit(job)


def do_all(jobs: Sequence[Job], limit: int, helpers: Spawn) -> None:
    """Do every job, in order of their begin, at most `limit` at once. A job must not raise."""
    waiting = deque(jobs)
    changed = threading.Condition()
    running = 0

    def work() -> None:
        nonlocal running
        while True:
            with changed:
                if not waiting:
                    return
                job = waiting.popleft()
                running += 1
            try:
                job()
            finally:
                with changed:
                    running -= 1
                    changed.notify_all()

    for _ in range(min(limit, len(jobs)) - 1):
        helpers(work)
    work()
    with changed:
        changed.wait_for(lambda: not running)
