"""Runs of graphs that pause for forms, and human-input nodes."""

import time
from dataclasses import dataclass, field
from typing import Any

from app.workflow.contracts.human_forms import SUBMITTED, TIMED_OUT, WAITING, FormDraft, HumanForm
from app.workflow.contracts.node_services import NodeServices
from app.workflow.engine.graph_run import PAUSED
from app.workflow.failures import Pause
from tests.support.workflow.graphs import RunRecord, end, graph, node, run, start

OUTPUTS = {name: ["ask", name] for name in ("comment", "__action_id", "__action_value", "__rendered_content")}


@dataclass
class FormRun:
    """One run of a graph with its forms, which a test submits or lets expire where the run pauses.

    `runs`: the run's parts, from its start or a pause to the next pause or the end. Implements `FormStore`.
    """

    forms: dict[str, HumanForm] = field(default_factory=dict)
    drafts: dict[str, FormDraft] = field(default_factory=dict)
    runs: list[RunRecord] = field(default_factory=list)

    def find(self, execution_id: str) -> HumanForm | None:
        return self.forms.get(execution_id)

    @property
    def services(self) -> NodeServices:
        return NodeServices(forms=self)

    def run(
        self, definition: dict[str, Any], inputs: dict[str, Any] | None = None, services: NodeServices | None = None
    ) -> RunRecord:
        """Run a graph from its start, or from its last pause."""
        past = [end for record in self.runs for end in record.journal.ends]
        waiting = self.runs[-1].journal.open if self.runs else None
        record = run(definition, inputs, services=services or self.services, past=past, waiting=waiting)
        self.runs.append(record)
        if record.end.status == PAUSED:
            for pause in record.end.pauses:
                self._store_form(pause)
        return record

    def _store_form(self, pause: Pause) -> None:
        draft = pause.details.get("draft")
        if draft is not None:
            self.drafts[pause.execution_id] = draft
            self.forms[pause.execution_id] = HumanForm(WAITING, draft.content, int(time.time()) + draft.seconds)

    def waiting(self, node_id: str) -> str:
        """Return the id of the node execution that waits (the first of several)."""
        return next(
            pause.execution_id
            for pause in self.runs[-1].end.pauses
            if pause.node_id == node_id and self.forms[pause.execution_id].status == WAITING
        )

    def draft(self, node_id: str) -> FormDraft:
        return self.drafts[self.waiting(node_id)]

    def submit(self, node_id: str, action: str, **values: Any) -> None:
        execution_id = self.waiting(node_id)
        form = self.forms[execution_id]
        self.forms[execution_id] = HumanForm(SUBMITTED, form.content, form.expires_at, action, values)

    def let_expire(self, node_id: str) -> None:
        execution_id = self.waiting(node_id)
        form = self.forms[execution_id]
        self.forms[execution_id] = HumanForm(TIMED_OUT, form.content, form.expires_at)


def human(node_id: str, *actions: str, parent: str | None = None, content: str = "", **data: Any) -> dict[str, Any]:
    """Return a human-input node; each action's title is its id in capitals."""
    listed = [{"id": action, "title": action.upper(), "button_style": "default"} for action in actions or ("go",)]
    delivery = [{"id": "1", "type": "webapp", "enabled": True, "config": {}}]
    plain: dict[str, Any] = {"form_content": content, "user_actions": listed, "delivery_methods": delivery}
    return node(node_id, "human-input", parent, **(plain | data))


def paragraph(name: str, default: Any = None) -> dict[str, Any]:
    return {"type": "paragraph", "output_variable_name": name, "default": default}


def variable(*selector: str) -> dict[str, Any]:
    return {"type": "variable", "selector": list(selector), "value": ""}


def asking(*actions: str, **data: Any) -> dict[str, Any]:
    """start > ask > end, by every action."""
    paths = [f"start > ask:{action} > end" for action in (*actions, "__timeout")]
    return graph(start(topic="text-input"), human("ask", *actions, **data), end(**OUTPUTS), *paths)
