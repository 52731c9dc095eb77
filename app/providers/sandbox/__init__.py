"""Run the code and templates of app authors without access to files, network, processes and our own objects."""

from collections.abc import Collection, Mapping
from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.sandbox.code_check import MONTY, python_interpreter
from app.providers.sandbox.code_requests import CodeHttp, CodeRequest, CodeRequestFailed, CodeResponse
from app.providers.sandbox.cpython_code import CPythonPool
from app.providers.sandbox.messages import SandboxFailed
from app.providers.sandbox.plain_templates import plain_template
from app.providers.sandbox.processes import SandboxPool
from app.providers.sandbox.python_code import PythonPool

__all__ = ["CodeHttp", "CodeRequest", "CodeRequestFailed", "CodeResponse", "Sandbox", "SandboxFailed"]


class Sandbox:
    """Runs code and templates for this process; starts its child processes on first use. Shared by all threads.

    Every method takes its limit in seconds and raises Cancelled, or SandboxFailed with a sentence for the app's author.
    """

    def __init__(self, packages: Collection[str] = ()) -> None:
        """`packages`: names of installed packages that Python code may import beside the standard library."""
        self._processes = SandboxPool()
        self._monty = PythonPool()
        self._cpython = CPythonPool(packages)

    def run_code(
        self,
        language: str,
        code: str,
        inputs: Mapping[str, Any],
        seconds: float,
        cancellation: Cancellation,
        http: CodeHttp | None = None,
    ) -> Any:
        """Return what `main` returns: in `python3` the inputs are named arguments, in `javascript` one object.

        `http` makes the requests of Python code; without it they fail.
        """
        if language == "python3":
            if python_interpreter(code) == MONTY:
                return self._monty.run(code, inputs, seconds, cancellation)
            return self._cpython.run(code, inputs, seconds, cancellation, http)
        if language == "javascript":
            return self._processes.ask(
                {"kind": "javascript", "code": code, "inputs": dict(inputs)}, seconds, cancellation
            )
        raise SandboxFailed(f"Code in {language!r} is not supported: use python3 or javascript.")

    def calculate(
        self, program: str, inputs: Mapping[str, Any], seconds: float, memory: int, cancellation: Cancellation
    ) -> Any:
        """Return what `main` of a program of ours returns, which the fast interpreter runs in so many bytes."""
        return self._monty.run(program, inputs, seconds, cancellation, memory)

    def render(self, template: str, values: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
        """Return the text of a Jinja2 template. A template that only inserts values needs no child process."""
        plain = plain_template(template)
        if plain is not None:
            return plain.render(values)
        return str(
            self._processes.ask(
                {"kind": "template", "template": template, "values": dict(values)}, seconds, cancellation
            )
        )

    def fences(self) -> frozenset[str]:
        """Return the names of the fences that this host offers for CPython, as `confinement` names them."""
        return self._cpython.fences()

    def close(self) -> None:
        """End the processes that wait for work; one that is at work ends with its answer."""
        self._processes.close()
        self._monty.close()
        self._cpython.close()
