"""Python of code nodes, run by an interpreter of its own in worker processes: it can compute and do nothing else."""

import os
import threading
from collections.abc import Mapping
from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.sandbox.failures import SandboxFailed

MEMORY = 128 * 1024 * 1024
DEPTH = 500
# The inputs' name inside; a call by keywords cannot collide with what the author named.
_INPUTS = "frontdesk_inputs"
_STEP = 0.05


class PythonPool:
    """The interpreter's processes, started on first use and shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._monty: Any = None

    def run(self, code: str, inputs: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> Any:
        """Return what `main(**inputs)` returns. Raises SandboxFailed, Cancelled."""
        cancellation.raise_if_cancelled()
        given: list[Any] = []
        over = threading.Event()

        def run() -> None:
            try:
                given.append(self._run(code, inputs, seconds))
            except SandboxFailed as failure:
                given.append(failure)
            finally:
                over.set()

        # The interpreter's call cannot be broken off: a stop leaves it to its own limits.
        threading.Thread(target=run, name="python-code", daemon=True).start()
        while not over.wait(_STEP):
            cancellation.raise_if_cancelled()
        if not given:
            raise SandboxFailed("The code could not be run.")
        if isinstance(given[0], SandboxFailed):
            raise given[0]
        return given[0]

    def close(self) -> None:
        """End the processes. One that is at work ends with its answer."""
        with self._lock:
            monty, self._monty = self._monty, None
        if monty is not None:
            monty.__exit__(None, None, None)

    def _run(self, code: str, inputs: Mapping[str, Any], seconds: float) -> Any:
        # Imported on first use: most installations never run a code node.
        import pydantic_monty as monty

        limits: monty.ResourceLimits = {
            "max_feed_duration_secs": seconds,
            "max_total_sleep_secs": seconds,
            "max_memory": MEMORY,
            "max_recursion_depth": DEPTH,
        }
        try:
            with self._started().checkout(script_name="code", limits=limits) as session:
                return session.feed_run(
                    f"{code}\nmain(**{_INPUTS})",
                    inputs={_INPUTS: dict(inputs)},
                    print_callback=lambda stream, text: None,
                )
        except monty.MontyCrashedError:
            raise SandboxFailed(f"The code took longer than {seconds:g} seconds or more memory than it may.") from None
        except monty.MontyError as error:
            raise SandboxFailed(_told(str(error), error)) from None
        except (TimeoutError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise SandboxFailed(f"The code could not be run: {error}") from None

    def _started(self) -> Any:
        import pydantic_monty as monty

        with self._lock:
            if self._monty is None:
                most = max(2, os.cpu_count() or 2)
                self._monty = monty.Monty(min_processes=0, max_processes=most, checkout_timeout=60).__enter__()
            return self._monty


def _told(message: str, error: Any) -> str:
    frames = error.traceback() if hasattr(error, "traceback") else []
    lines = [frame.line for frame in frames if hasattr(frame, "line")]
    return f"{message} (line {lines[-1]})" if lines else message
