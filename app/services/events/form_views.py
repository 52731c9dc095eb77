"""The public shapes of a stored form: in events, in the history, on its page (contract human-input.md §4, §5, §9)."""

import json
from collections.abc import Mapping
from typing import Any

from app.models.forms import FormRow
from app.services.files.file_values import shown_inputs
from app.workflow.contracts.human_forms import SUBMITTED, WAITING, rendered


def required_data(row: FormRow) -> dict[str, Any]:
    """Return the data of a form's `human_input_required`."""
    return {
        "form_id": row.form_id,
        "node_id": row.node_id,
        "node_title": row.node_title,
        "form_content": row.definition["content"],
        "inputs": row.definition["inputs"],
        "actions": row.definition["actions"],
        "display_in_ui": row.definition["display_in_ui"],
        "form_token": row.token if row.status == WAITING else None,
        "resolved_default_values": row.definition["defaults"],
        "expiration_time": int(row.expires_at.timestamp()),
    }


def pause_reason(row: FormRow) -> dict[str, Any]:
    """Return the form as one of the reasons for which a run waits."""
    return {"TYPE": "human_input_required", **required_data(row)}


def submission(row: FormRow) -> dict[str, Any] | None:
    """Return the answer to the form; None where nobody has answered it."""
    if row.status != SUBMITTED:
        return None
    submitted, actions = row.submitted or {}, row.definition["actions"]
    return {
        "node_id": row.node_id,
        "node_title": row.node_title,
        "rendered_content": rendered(row.definition["content"], row.definition["inputs"], submitted),
        "action_id": row.action_id,
        "action_text": next((action["title"] for action in actions if action["id"] == row.action_id), ""),
        "submitted_data": shown_inputs(submitted),
    }


def default_texts(row: FormRow) -> dict[str, str]:
    """Return the default values as texts, which is how the page of a form takes them."""
    defaults: Mapping[str, Any] = row.definition["defaults"]
    return {name: _text(value) for name, value in defaults.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
