"""What a worker does for each mode of app."""

import functools
import importlib
from collections.abc import Mapping

from app.services.generation.task_execution import Generate

# Named, not imported: the web process enqueues tasks and never runs one, and the engine with its libraries takes 10 MiB.
_PLACES: Mapping[str, tuple[str, str]] = {
    "chat": ("app.services.generation.message_generation", "generate_message"),
    "agent-chat": ("app.services.generation.message_generation", "generate_message"),
    "completion": ("app.services.generation.message_generation", "generate_message"),
    "advanced-chat": ("app.services.generation.workflow_generation", "generate_run"),
    "workflow": ("app.services.generation.workflow_generation", "generate_run"),
}


@functools.cache
def generator_of(mode: str) -> Generate:
    """What answers the tasks of a mode."""
    module, name = _PLACES[mode]
    generate: Generate = getattr(importlib.import_module(module), name)
    return generate


def load_all() -> None:
    """Load every mode's now: a worker's first visitor should not wait for it."""
    for mode in _PLACES:
        generator_of(mode)
