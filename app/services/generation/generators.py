"""The function that generates the answers of each mode of app."""

import functools
import importlib
from collections.abc import Mapping

from app.services.generation.task_execution import Generate

# Named, not imported: a web process enqueues tasks and never runs one, and the engine with its libraries takes 10 MiB.
_GENERATORS: Mapping[str, tuple[str, str]] = {
    "chat": ("app.services.generation.message_generation", "generate_message"),
    "agent-chat": ("app.services.generation.message_generation", "generate_message"),
    "completion": ("app.services.generation.message_generation", "generate_message"),
    "advanced-chat": ("app.services.generation.workflow_generation", "generate_run"),
    "workflow": ("app.services.generation.workflow_generation", "generate_run"),
}


@functools.cache
def generator_of(mode: str) -> Generate:
    """Return the function that generates the tasks of a mode."""
    module, name = _GENERATORS[mode]
    generate: Generate = getattr(importlib.import_module(module), name)
    return generate


def load_all() -> None:
    """Import the functions of all modes now, so that a worker's first task does not wait for it."""
    for mode in _GENERATORS:
        generator_of(mode)
