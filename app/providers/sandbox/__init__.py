"""Run the code and templates of app authors without access to files, network, processes and our own objects."""

from collections.abc import Mapping
from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.sandbox.plain_templates import plain_template
from app.providers.sandbox.processes import SandboxFailed, SandboxPool
from app.providers.sandbox.python_code import PythonPool

__all__ = ["Sandbox", "SandboxFailed"]


class Sandbox:
    """Runs code and templates for this process; starts its child processes on first use. Shared by all threads.

    Every method takes its limit in seconds and raises Cancelled, or SandboxFailed with a sentence for the app's author.
    """

    def __init__(self) -> None:
        self._processes = SandboxPool()
        self._python = PythonPool()

    def run_code(
        self, language: str, code: str, inputs: Mapping[str, Any], seconds: float, cancellation: Cancellation
    ) -> Any:
        """Return what `main` returns: in `python3` the inputs are named arguments, in `javascript` one object."""
        if language == "python3":
            return self._python.run(code, inputs, seconds, cancellation)
        if language == "javascript":
            return self._processes.ask(
                {"kind": "javascript", "code": code, "inputs": dict(inputs)}, seconds, cancellation
            )
        raise SandboxFailed(f"Code in {language!r} is not supported: use python3 or javascript.")

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

    def close(self) -> None:
        """End the processes that wait for work; one that is at work ends with its answer."""
        self._processes.close()
        self._python.close()
