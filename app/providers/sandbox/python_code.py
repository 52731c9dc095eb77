"""Run the Python of code nodes in Monty, an interpreter that can only compute.

Monty knows no files, network, processes or our objects; it runs in worker processes of its own, with limits of time,
memory and recursion.
"""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait
from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.sandbox.messages import NO_START, SandboxFailed
from app.providers.sandbox.monty_launcher import launcher
from app.providers.sandbox.places import PLACES

MEMORY = 128 * 1024 * 1024
DEPTH = 500
# Names in the author's program; unlikely to be the author's own.
_INPUTS, _JSON = "frontdesk_inputs", "frontdesk_json"
# How late a stop is noticed.
_POLL_SECONDS = 0.05


class _Call:
    """One call: the process that runs it, as long as it does, and how it ended."""

    def __init__(self) -> None:
        self.ending: Future[Any] = Future()
        self._lock = threading.Lock()
        self._process: int | None = None

    @contextlib.contextmanager
    def run_by(self, process: int) -> Iterator[None]:
        """Let `kill` end this process inside the block; after it, the process may work for another call."""
        self._process = process
        try:
            yield
        finally:
            with self._lock:
                self._process = None

    def kill(self) -> None:
        """End the process of the call, if it has one."""
        with self._lock:
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._process, signal.SIGKILL)


class PythonPool:
    """A pool of Monty's worker processes, started on first use. Shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._monty: Any = None
        # The program that starts the processes.
        self._program = -1

    def run(
        self,
        code: str,
        inputs: Mapping[str, Any],
        seconds: float,
        cancellation: Cancellation,
        memory: int = MEMORY,
    ) -> Any:
        """Return what `main(**inputs)` returns, in `memory` bytes at most. Raises SandboxFailed, Cancelled."""
        cancellation.raise_if_cancelled()
        call = _Call()

        def run() -> None:
            try:
                call.ending.set_result(self._run(call, code, inputs, seconds, memory))
            except BaseException as failure:
                # A broad `except`: whatever it is, the thread that waits raises it.
                call.ending.set_exception(failure)

        # In a thread of its own: a call of the interpreter cannot be interrupted, but its process can be killed.
        threading.Thread(target=run, name="python-code", daemon=True).start()
        while not wait([call.ending], _POLL_SECONDS).done:
            if cancellation.is_cancelled:
                call.kill()
        cancellation.raise_if_cancelled()
        return call.ending.result()

    def close(self) -> None:
        """End the processes; one at work ends with its request. May be called twice."""
        with self._lock:
            monty, self._monty = self._monty, None
        if monty is not None:
            monty.__exit__(None, None, None)
            os.close(self._program)

    def _run(self, call: _Call, code: str, inputs: Mapping[str, Any], seconds: float, memory: int) -> Any:
        # Imported on first use: most installations never run a code node.
        import pydantic_monty as monty

        limits: monty.ResourceLimits = {
            "max_feed_duration_secs": seconds,
            "max_total_sleep_secs": seconds,
            "max_memory": memory,
            "max_recursion_depth": DEPTH,
        }
        try:
            with (
                self._started().checkout(script_name="code", limits=limits) as session,
                call.run_by(session.worker_pid),
            ):
                # As in the reference, `json` is there without an import.
                session.feed_run(f"import json\nimport json as {_JSON}")
                # As JSON, for objects that are none would come as texts or lists.
                text = session.feed_run(
                    f"{code}\n{_JSON}.dumps(main(**{_INPUTS}))",
                    inputs={_INPUTS: dict(inputs)},
                    print_callback=lambda stream, text: None,
                )
            return json.loads(text)
        except monty.MontyCrashedError:
            raise SandboxFailed(
                f"The code took longer than {seconds:g} seconds, or went over the limit of memory.", "TimeoutError"
            ) from None
        except monty.MontyError as error:
            raise SandboxFailed(_with_line(error), type(error.exception()).__name__) from None
        except (TimeoutError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise SandboxFailed(f"The code could not be run: {error}") from None
        except OSError:
            raise SandboxFailed(NO_START) from None

    def _started(self) -> Any:
        import pydantic_monty as monty

        with self._lock:
            if self._monty is None:
                self._program, path = launcher()
                pool = monty.Monty(binary_path=path, min_processes=0, max_processes=PLACES, checkout_timeout=60)
                self._monty = pool.__enter__()
            return self._monty


def _with_line(error: Any) -> str:
    """Return an error's message, with the line of the author's code where it is known."""
    frames = error.traceback() if hasattr(error, "traceback") else []
    lines = [frame.line for frame in frames if hasattr(frame, "line")]
    return f"{error} (line {lines[-1]})" if lines else str(error)
