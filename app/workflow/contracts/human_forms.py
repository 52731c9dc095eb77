"""Forms by which a run asks people, as nodes make and read them (contract human-input.md §2 to §4)."""

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
    """One mail that delivers a form. Subject and body are filled in, except for `LINK`.

    `members`: references to accounts; `everybody`: it goes to all accounts that may use the app.
    """

    subject: str
    body: str
    addresses: Sequence[str] = ()
    members: Sequence[str] = ()
    everybody: bool = False


@dataclass(frozen=True)
class FormDraft:
    """A form that a paused run is to store and deliver. `content`: Markdown with placeholders for its inputs.

    `inputs` and `actions` as the Web API shows them. `defaults`: default values that come from variables, by input
    name. `seconds`: how long the form can be submitted.
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
    """A stored form. `status`: waiting, submitted or timeout; `expires_at` in Unix seconds; `values` by input name."""

    status: str
    content: str
    expires_at: int
    action_id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


class FormStore(Protocol):
    """The forms of one run."""

    def find(self, execution_id: str) -> HumanForm | None:
        """Return the form of a node execution; None before its run has paused for it."""


def rendered(content: str, inputs: Sequence[str | Mapping[str, Any]], values: Mapping[str, Any]) -> str:
    """Return the content with submitted values in place of its placeholders (contract human-input.md §2).

    `inputs`: the form's inputs as the Web API shows them. Names alone will do where all inputs are texts.
    """
    types = {shape["output_variable_name"]: shape["type"] for shape in inputs if isinstance(shape, Mapping)}

    def text(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None:
            return ""
        if types.get(match[1]) == "file":
            return "[file]"
        if types.get(match[1]) == "file-list":
            return f"[{len(value)} files]"
        return text_of(value)

    return _PLACEHOLDER.sub(text, content)
