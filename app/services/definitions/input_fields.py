"""The variables of an input form, as a model config or a start node declares them (contract dsl.md §2.1)."""

import re
from typing import Annotated, Any

import pydantic

from app.services.definitions.file_parts import UNCHECKED, Fallback, ListOf, at_import
from app.services.definitions.file_rules import FileLimits

FIELD_TYPES = (
    "text-input",
    "paragraph",
    "number",
    "select",
    "checkbox",
    "file",
    "file-list",
    "json_object",
    "external_data_tool",
)
TEXT_TYPES = ("text-input", "paragraph")
# ASCII letters, digits and underscores, CJK ideographs, common emoji.
_LETTERS = "A-Za-z_\u4e00-\u9fff\u2600-\u27bf\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff"
_VARIABLE = re.compile(f"[{_LETTERS}][{_LETTERS}0-9]{{0,99}}")


def _check_variable(name: str) -> None:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{name!r} must be 1 to 100 letters, digits and underscores, and must not begin with a digit")


class InputField(FileLimits):
    """One variable of an input form. `type`: one of FIELD_TYPES; in a model config it is the key of the entry.

    `max_length`: characters of a text or files of a list. None: no limit, which app files may write as 0 or as "".
    """

    variable: Annotated[str, at_import(_check_variable), Fallback("")]
    type: Annotated[str, pydantic.BeforeValidator(lambda kind: str(kind or "text-input")), UNCHECKED] = "text-input"
    label: Annotated[str, pydantic.Field(min_length=1), Fallback("")]
    required: bool = False
    max_length: Annotated[
        Annotated[int, pydantic.Field(ge=0)] | None,
        pydantic.BeforeValidator(lambda length: None if length == "" else length),
        pydantic.AfterValidator(lambda length: length or None),
    ] = None
    options: ListOf[str] = ()
    default: Any = None
    hide: bool = False

    @property
    def default_value(self) -> Any:
        """The value of a field that nobody filled in; None where there is none."""
        # Editors write an empty text where a number, a choice or a box has no default.
        return None if self.default == "" and self.type not in TEXT_TYPES else self.default
