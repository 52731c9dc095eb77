"""The sandbox: one doorway to all interpreters, which calls of apps and end users pass in turn."""

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.sandbox.code_check import MONTY, python_interpreter
from app.providers.sandbox.code_requests import CodeHttp
from app.providers.sandbox.cpython_code import CPythonPool
from app.providers.sandbox.messages import SandboxFailed
from app.providers.sandbox.places import FairPlaces
from app.providers.sandbox.plain_templates import plain_template
from app.providers.sandbox.processes import SandboxPool
from app.providers.sandbox.python_code import PythonPool
from app.providers.work_owner import FRONTDESK, WorkOwner

NEVER = float("inf")
# What a call may take at least whose turn comes when its run is about to end.
LEAST_SECONDS = 0.05


class Sandbox:
    """Runs code and templates for this process; starts its child processes on first use. Shared by all threads.

    Every call waits for its turn first, which is no time of the code. `seconds`: the longest time of the code; `until`:
    the end of its run in monotonic seconds. Raises Cancelled, or SandboxFailed with a sentence for the app's author.
    """

    def __init__(self, packages: Collection[str] = ()) -> None:
        """`packages`: names of installed packages that Python code may import beside the standard library."""
        self._places = FairPlaces()
        self._processes = SandboxPool()
        self._monty = PythonPool()
        self._cpython = CPythonPool(packages)

    def owned_by(self, owner: WorkOwner) -> "OwnedSandbox":
        """Return this sandbox for the code of one app and end user."""
        return OwnedSandbox(self, owner)

    def run_code(
        self,
        language: str,
        code: str,
        inputs: Mapping[str, Any],
        seconds: float,
        cancellation: Cancellation,
        http: CodeHttp | None = None,
        until: float = NEVER,
        owner: WorkOwner = FRONTDESK,
    ) -> Any:
        """Return what `main` returns: in `python3` the inputs are named arguments, in `javascript` one object.

        `http` makes the requests of Python code; without it they fail.
        """
        if language not in ("python3", "javascript"):
            raise SandboxFailed(f"Code in {language!r} is not supported: use python3 or javascript.")
        with self._turn(owner, cancellation, seconds, until) as left:
            if language == "javascript":
                request = {"kind": "javascript", "code": code, "inputs": dict(inputs)}
                return self._processes.ask(request, left, cancellation)
            if python_interpreter(code) == MONTY:
                return self._monty.run(code, inputs, left, cancellation)
            return self._cpython.run(code, inputs, left, cancellation, http)

    def calculate(
        self, program: str, inputs: Mapping[str, Any], seconds: float, memory: int, cancellation: Cancellation
    ) -> Any:
        """Return what `main` of a program of ours returns, which the fast interpreter runs in so many bytes."""
        with self._turn(FRONTDESK, cancellation, seconds) as left:
            return self._monty.run(program, inputs, left, cancellation, memory)

    def render(
        self,
        template: str,
        values: Mapping[str, Any],
        seconds: float,
        cancellation: Cancellation,
        until: float = NEVER,
        owner: WorkOwner = FRONTDESK,
    ) -> str:
        """Return the text of a Jinja2 template. A template that only inserts values needs no child process."""
        plain = plain_template(template)
        if plain is not None:
            return plain.render(values)
        request = {"kind": "template", "template": template, "values": dict(values)}
        with self._turn(owner, cancellation, seconds, until) as left:
            return str(self._processes.ask(request, left, cancellation))

    def fences(self) -> frozenset[str]:
        """Return the names of the fences that this host offers for CPython, as `confinement` names them."""
        return self._cpython.fences()

    def close(self) -> None:
        """End the processes that wait for work; one that is at work ends with its answer."""
        self._processes.close()
        self._monty.close()
        self._cpython.close()

    @contextlib.contextmanager
    def _turn(
        self, owner: WorkOwner, cancellation: Cancellation, seconds: float, until: float = NEVER
    ) -> Iterator[float]:
        """Wait for the owner's turn; yield the seconds that the code may take."""
        with self._places.taken(owner, cancellation, until):
            yield max(LEAST_SECONDS, min(seconds, until - time.monotonic()))


class OwnedSandbox:
    """The sandbox for the code of one app and end user (contract: workflow/contracts/node_services.py)."""

    def __init__(self, sandbox: Sandbox, owner: WorkOwner) -> None:
        self._sandbox = sandbox
        self._owner = owner

    def run_code(
        self,
        language: str,
        code: str,
        inputs: Mapping[str, Any],
        seconds: float,
        cancellation: Cancellation,
        http: CodeHttp | None = None,
        until: float = NEVER,
    ) -> Any:
        """As `Sandbox.run_code`."""
        return self._sandbox.run_code(language, code, inputs, seconds, cancellation, http, until, self._owner)

    def render(
        self,
        template: str,
        values: Mapping[str, Any],
        seconds: float,
        cancellation: Cancellation,
        until: float = NEVER,
    ) -> str:
        """As `Sandbox.render`."""
        return self._sandbox.render(template, values, seconds, cancellation, until, self._owner)
