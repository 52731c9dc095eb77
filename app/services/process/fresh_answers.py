"""Ask a server what may take long, for callers who wait a bounded time: probes and scrapes."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from flask import Flask

Answer = TypeVar("Answer")


class _Question(Generic[Answer]):
    def __init__(self) -> None:
        self.began = time.monotonic()
        self.answered = threading.Event()
        self.answer: Answer | None = None


class FreshAnswer(Generic[Answer]):
    """The answer to one question, kept for some seconds. Used by many threads.

    It is asked in a thread of its own, one at a time: a server that hangs costs one thread and one connection, however
    many callers there are.
    """

    def __init__(self, app: Flask, ask: Callable[[], Answer], seconds: float) -> None:
        """`ask` is called inside the app's context, and reports failures by its answer."""
        self._app, self._ask, self._seconds = app, ask, seconds
        self._lock = threading.Lock()
        self._kept: tuple[float, Answer] | None = None
        self._question: _Question[Answer] | None = None

    def get(self, wait: float) -> Answer | None:
        """Return the answer; None where it was asked for `wait` seconds ago and has not come."""
        question = self.begin()
        if question is None:
            assert self._kept is not None
            return self._kept[1]
        question.answered.wait(max(0.0, question.began + wait - time.monotonic()))
        return question.answer

    def begin(self) -> "_Question[Answer] | None":
        """Ask where nobody has; None where a fresh answer is kept."""
        with self._lock:
            if self._kept is not None and time.monotonic() - self._kept[0] < self._seconds:
                return None
            if self._question is None:
                self._question = _Question()
                threading.Thread(target=self._run, args=(self._question,), name="question", daemon=True).start()
            return self._question

    def _run(self, question: _Question[Answer]) -> None:
        try:
            with self._app.app_context():
                question.answer = self._ask()
            with self._lock:
                self._kept = (time.monotonic(), question.answer)
        finally:
            with self._lock:
                self._question = None
            question.answered.set()
