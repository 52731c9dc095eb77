"""The tools of one run: those of the installation, reading the end user's files, and other apps."""

from collections.abc import Mapping
from typing import Any

from app.models.owners import Owner
from app.providers.cancellation import Cancellation
from app.services.files.file_contents import FileContents
from app.services.files.file_values import opened
from app.services.generation.called_workflows import WorkflowTool
from app.services.process.called_apps import WORKFLOW, find_called_app
from app.services.process.tool_registry import tool_registry
from app.tools.bound_tools import BoundTool
from app.tools.tool_types import Tool, ToolChoice, ToolFailed, ToolFile
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File

DEEPEST_CALL = 5


class RunTools:
    """Finds tools for one end user (implements `Tools`). `depth`: how many apps have called one another to get here.

    Make it inside an app's context; any thread with one may use it.
    """

    def __init__(self, owner: Owner, depth: int = 0) -> None:
        self._owner, self._depth = owner, depth
        self._files = FileContents(owner)

    def find(self, choice: ToolChoice) -> Tool:
        """Return the chosen tool. Raises ToolFailed if there is none of that name."""
        registry = tool_registry()
        code = registry.app_code(choice)
        if choice.provider_type == WORKFLOW or code is not None:
            app = find_called_app(choice, code)
            if app is not None:
                if self._depth >= DEEPEST_CALL:
                    raise ToolFailed(f"Apps call one another more than {DEEPEST_CALL} times deep.")
                return BoundTool(
                    WorkflowTool(app, choice.name, self._owner, RunTools(self._owner, self._depth + 1)), choice.settings
                )
        return registry.find(choice, self._read)

    def _read(self, named: Mapping[str, Any], most_bytes: int, seconds: float, cancellation: Cancellation) -> ToolFile:
        """Return a file of the end user that a file object names. Raises ToolFailed, Cancelled."""
        file = opened(self._owner, dict(named))
        if not isinstance(file, File):
            raise ToolFailed("The argument names no file.")
        try:
            return ToolFile(file.name, self._files.read(file, most_bytes, seconds, cancellation), file.mime_type)
        except NodeFailed as failure:
            raise ToolFailed(failure.message) from None
