"""The variables of an input form, as a model config or a start node has them (contract dsl.md §2.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.services.definitions.file_rules import FileRules


@dataclass(frozen=True)
class InputField:
    """One variable of an input form. `max_length` None: no limit."""

    variable: str
    type: str = "text-input"
    label: str = ""
    required: bool = False
    max_length: int | None = None
    options: tuple[str, ...] = ()
    default: Any = None
    hide: bool = False
    file_rules: FileRules = FileRules()


def form_fields(form: Any) -> tuple[InputField, ...]:
    """The fields of a model config's `user_input_form`, each a mapping of one key: its type."""
    entries = (
        [entry for entry in form if isinstance(entry, Mapping) and len(entry) == 1] if isinstance(form, list) else []
    )
    return tuple(
        field
        for entry in entries
        for kind, values in entry.items()
        if (field := _field(str(kind), _mapping(values))).variable
    )


def start_fields(workflow: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The variables of a workflow's start node, as they are in the file."""
    nodes = _mapping(workflow.get("graph")).get("nodes")
    for node in nodes if isinstance(nodes, list) else []:
        data = _mapping(_mapping(node).get("data"))
        if data.get("type") == "start":
            variables = data.get("variables")
            return (
                [variable for variable in variables if isinstance(variable, dict)]
                if isinstance(variables, list)
                else []
            )
    return []


def _field(kind: str, values: Mapping[str, Any]) -> InputField:
    max_length, default = values.get("max_length"), values.get("default")
    return InputField(
        variable=_text(values.get("variable")),
        type=kind,
        label=_text(values.get("label")),
        required=values.get("required") is True,
        max_length=max_length if isinstance(max_length, int) and max_length > 0 else None,
        options=tuple(_texts(values.get("options"))),
        # Editors write an empty text where a number, a choice or a box has no default.
        default=None if default == "" and kind not in ("text-input", "paragraph") else default,
        hide=values.get("hide") is True,
        file_rules=FileRules.of_field(values),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
