"""Run a workflow app as a tool of another app: inside the caller's run, for the caller's end user."""

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import current_app

from app.errors import AppError
from app.models.identifiers import new_id, now
from app.models.owners import Owner
from app.providers.cancellation import Cancellation, Cancelled
from app.providers.models.usage import UsageSum
from app.services.definitions.input_fields import TEXT_TYPES, InputField
from app.services.definitions.input_forms import clean_inputs
from app.services.definitions.published_apps import PublishedApp
from app.services.definitions.workflow_config import WorkflowConfig
from app.services.files.file_contents import FileContents
from app.services.files.file_mappings import FileResolver
from app.services.files.file_values import opened
from app.services.generation.node_http import NodeHttp
from app.services.generation.run_graphs import graph_of, spawn_in_app_context
from app.services.knowledge.retrieval import AppKnowledge
from app.services.process.providers import guarded_http, model_routes, sandbox
from app.tools.tool_types import ToolAnswer, ToolDescription, ToolFailed, Tools, fitted_name
from app.workflow.contracts.events import Execution
from app.workflow.contracts.node_services import NodeEnd, NodeServices, RecordedEnd, WaitingNode
from app.workflow.engine.graph_run import PARTIAL, STOPPED, SUCCEEDED, GraphRun, RunEnd
from app.workflow.engine.run_state import RunContext
from app.workflow.values.files import File
from app.workflow.values.values import plain
from app.workflow.values.variables import Selector, Variables

_JSON_TYPES = {"number": "number", "checkbox": "boolean", "json_object": "object"}


class WorkflowTool:
    """An app of mode workflow as a tool: its input form are the arguments, its outputs are the answer.

    The run has no rows of its own: files that it makes belong to the caller's end user, a stop of the caller stops it,
    and where the caller's node runs again, it runs again. Human input is not available in it.
    """

    def __init__(self, app: PublishedApp, name: str, owner: Owner, tools: Tools) -> None:
        self._app, self._owner, self._tools = app, owner, tools
        self._config: WorkflowConfig = app.definition.usable_workflow()
        form = [field for field in self._config.user_input_form if not field.hide]
        schema = {
            "type": "object",
            "properties": {field.variable: _schema(field) for field in form},
            "required": [field.variable for field in form if field.required and field.default_value is None],
        }
        about = app.definition.app.description or f"Runs {app.name}."
        self.description = ToolDescription(fitted_name(name), about, schema, {"en_US": app.name}, "")

    def call(self, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        cancellation.raise_if_cancelled()
        journal = _UsageJournal()
        try:
            inputs = self._inputs(arguments)
            end = self._run(inputs, seconds, cancellation, journal)
        except AppError as error:
            raise ToolFailed(
                f"The app {self._app.name!r} cannot be called: {error.message}", usage=journal.stored()
            ) from None
        if end.status == STOPPED:
            cancellation.raise_if_cancelled()
            raise ToolFailed(
                f"The app {self._app.name!r} took longer than {seconds:g} seconds.", usage=journal.stored()
            )
        if end.status not in (SUCCEEDED, PARTIAL):
            raise ToolFailed(f"The app {self._app.name!r} failed: {end.error or end.status}", usage=journal.stored())
        shown = plain(end.outputs)
        return ToolAnswer(
            text=json.dumps(shown, ensure_ascii=False),
            json=[shown],
            variables={name: value for name, value in end.outputs.items() if name not in ("text", "json", "files")},
            stored_files=list(_files(list(end.outputs.values()))),
            usage=journal.stored(),
        )

    def _inputs(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of the app's input form. Raises InvalidParam."""
        given = dict(arguments)
        for field in self._config.user_input_form:
            value = given.get(field.variable)
            if field.type in TEXT_TYPES and value is not None and not isinstance(value, str):
                given[field.variable] = json.dumps(plain(value), ensure_ascii=False)
        return clean_inputs(self._config.user_input_form, given, FileResolver(self._owner).choose)

    def _run(
        self, inputs: dict[str, Any], seconds: float, cancellation: Cancellation, journal: "_UsageJournal"
    ) -> RunEnd:
        graph = graph_of(str(self._app.version_id), is_chatflow=False)
        variables = Variables()
        variables.set_node(graph.top.start_id, opened(self._owner, inputs))
        run_id = new_id()
        variables.set_node("sys", self._system(run_id))
        declared = self._config.environment_variables
        variables.set_node("env", {variable.name: variable.first_value for variable in declared})
        variables.set_writable("conversation", {}, {})
        context = RunContext(
            run_id,
            self._services(),
            journal,
            cancellation,
            time.monotonic() + seconds,
            current_app.config["WORKFLOW_STEPS"],
            seconds,
            spawn=spawn_in_app_context(),
        )
        try:
            return GraphRun(graph, variables, context, lambda event: None).run()
        except Cancelled:
            return RunEnd(STOPPED, {}, None, 0, 0, 0)

    def _system(self, run_id: uuid.UUID) -> dict[str, Any]:
        return {
            "files": [],
            "user_id": str(self._owner.end_user_id),
            "app_id": str(self._app.id),
            "workflow_id": str(self._app.version_id),
            "workflow_run_id": str(run_id),
            "timestamp": int(now().timestamp()),
        }

    def _services(self) -> NodeServices:
        return NodeServices(
            models=model_routes(),
            sandbox=sandbox(),
            http=NodeHttp(guarded_http()),
            files=FileContents(self._owner),
            tools=self._tools,
            knowledge=AppKnowledge(str(self._app.id)),
        )


class _UsageJournal:
    """The journal of a run that is not stored (implements `ExecutionJournal`): keeps what models were asked for."""

    last_index = 0

    def __init__(self) -> None:
        self._changing, self._adding = threading.Lock(), threading.Lock()
        self._usage = UsageSum()

    def stored(self) -> list[dict[str, Any]]:
        """Return what models were asked for, for the caller's records."""
        with self._adding:
            return self._usage.stored()

    def recorded(self, frame: str) -> Sequence[RecordedEnd]:
        return ()

    def recorded_inside(self, place: str) -> Sequence[RecordedEnd]:
        return ()

    def waiting(self, execution_id: str) -> WaitingNode | None:
        return None

    def was_begun_inside(self, place: str) -> bool:
        return False

    def progress(self, execution_id: str) -> Mapping[str, Any] | None:
        return None

    def started(self, execution: Execution, frame: str) -> None:
        """Record nothing."""

    def progressed(self, execution: Execution, progress: Mapping[str, Any]) -> None:
        """Record nothing."""

    def ended(self, ended: NodeEnd) -> None:
        with self._adding:
            self._usage.add_stored(ended.usage.get("models", ()))

    @contextlib.contextmanager
    def changing(self, targets: Sequence[Selector]) -> Iterator[Mapping[Selector, Any]]:
        with self._changing:
            yield {}

    def save(self) -> None:
        """Record nothing."""


def _schema(field: InputField) -> dict[str, Any]:
    """Return the JSON schema of one field of a form, for models."""
    schema: dict[str, Any] = {"description": field.label}
    if field.type in (*TEXT_TYPES, "select"):
        schema |= {"type": "string"} if field.type == "select" else {}
    elif field.type in _JSON_TYPES:
        schema["type"] = _JSON_TYPES[field.type]
    return schema | ({"enum": list(field.options)} if field.type == "select" and field.options else {})


def _files(value: Any) -> list[File]:
    if isinstance(value, File):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [file for item in value for file in _files(item)] if isinstance(value, list) else []
