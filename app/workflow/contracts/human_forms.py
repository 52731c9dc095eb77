"""Forms that a run puts to people, as the engine sees them (contract human-input.md §2 to §4)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.workflow.values.values import text_of

TIMEOUT = "__timeout"
WAITING, SUBMITTED, TIMED_OUT, EXPIRED = "waiting", "submitted", "timeout", "expired"
LINK = "{{#url#}}"
_PLACEHOLDER = re.compile(r"\{\{#\$output\.([A-Za-z_][A-Za-z0-9_]{0,29})#\}\}")


@dataclass(frozen=True)
class FormMail:
    """A form's mail, all filled in but `LINK`. `members`: references to accounts; `everybody`: all who may use the app."""

    subject: str
    body: str
    addresses: Sequence[str] = ()
    members: Sequence[str] = ()
    everybody: bool = False


@dataclass(frozen=True)
class FormDraft:
    """A form that is to be put to people. `content`: Markdown with placeholders; `inputs` and `actions` as the Web API shows them.

    `defaults`: the values of defaults that come from variables; `seconds`: how long it may be answered.
    """

    content: str
    inputs: Sequence[Mapping[str, Any]]
    actions: Sequence[Mapping[str, Any]]
    defaults: Mapping[str, Any]
    display_in_ui: bool
    seconds: int
    mails: Sequence[FormMail] = ()


@dataclass(frozen=True)
class HumanForm:
    """A form as it stands. `status`: waiting, submitted or timeout; `expires_at` in Unix seconds; `values` by input name."""

    status: str
    content: str
    expires_at: int
    action_id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


class FormStore(Protocol):
    """The forms of a run, by the node runs that made them."""

    def find(self, execution_id: str) -> HumanForm | None: ...


def rendered(content: str, inputs: Sequence[str | Mapping[str, Any]], values: Mapping[str, Any]) -> str:
    """The content with what was submitted in place of its placeholders (contract human-input.md §2). `inputs`: their shapes or names."""
    files = {shape["output_variable_name"]: shape["type"] for shape in inputs if isinstance(shape, Mapping)}

    def text(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None:
            return ""
        if files.get(match[1]) == "file":
            return "[file]"
        if files.get(match[1]) == "file-list":
            return f"[{len(value)} files]"
        return text_of(value)

    return _PLACEHOLDER.sub(text, content)
