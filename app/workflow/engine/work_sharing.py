"""Shares work between the caller's thread and threads of a pool.

The caller always works itself and needs no helper to finish. So waits can be nested to any depth (an iteration in an
iteration in a branch) without the deadlock of a pool whose threads all wait for a free thread.
"""

import contextvars
import functools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

BRANCH_THREADS = 64
Job = Callable[[], None]
# Calls a function in another thread: soon, late or never. The caller must not depend on it.
Spawn = Callable[[Job], None]


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(BRANCH_THREADS, thread_name_prefix="branch")


def spawn(job: Job) -> None:
    """Call a function in the process's pool of threads, as soon as one is free, in the caller's context of the log."""
    _threads().submit(contextvars.copy_context().run, job)


def run_all(jobs: Sequence[Job], limit: int, spawn_helper: Spawn) -> None:
    """Run every job, begun in order, at most `limit` at once; return when all have ended. A job must not raise."""
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

    # As many helpers as the limit allows beside the caller. One that starts late finds no job and returns.
    for _ in range(min(limit, len(jobs)) - 1):
        spawn_helper(work)
    work()
    # The caller found no more jobs, but helpers may still run theirs.
    with changed:
        changed.wait_for(lambda: not running)
