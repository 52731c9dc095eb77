"""Runs what the authors of apps wrote: code and templates, out of reach of files, network, processes and our own objects."""

from collections.abc import Mapping
from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.sandbox.failures import SandboxFailed
from app.providers.sandbox.plain_templates import plain_template
from app.providers.sandbox.processes import Processes
from app.providers.sandbox.python_code import PythonPool

__all__ = ["Sandbox", "SandboxFailed"]


class Sandbox:
    """The sandbox of this process. Nothing is started before it is used; shared by all threads.

    Every method raises SandboxFailed with a text for the author, and Cancelled.
    """

    def __init__(self) -> None:
        self._processes = Processes()
        self._python = PythonPool()

    def run_code(
        self, language: str, code: str, inputs: Mapping[str, Any], seconds: float, cancellation: Cancellation
    ) -> Any:
        """What `main` returns: `python3` gets the inputs as named arguments, `javascript` as one object."""
        if language == "python3":
            return self._python.run(code, inputs, seconds, cancellation)
        if language == "javascript":
            return self._processes.ask(
                {"kind": "javascript", "code": code, "inputs": dict(inputs)}, seconds, cancellation
            )
        raise SandboxFailed(f"Code in {language!r} is not run here: python3 and javascript are.")

    def render(self, template: str, values: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
        """A Jinja2 template's text."""
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
