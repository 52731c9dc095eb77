"""What the author of a human-input node writes (contract human-input.md §1, §3)."""

from typing import Annotated, Any, Literal

import pydantic

from app.workflow.contracts.node import ConfigPart

_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,29}$"
_ACTION = r"^[A-Za-z_][A-Za-z0-9_]{0,19}$"
UNIT_SECONDS = {"hour": 3600, "day": 86_400}


class Source(ConfigPart):
    """Where a value comes from. Both of its forms are kept: only the active one counts."""

    type: Literal["constant", "variable"] = "constant"
    selector: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _selects(self) -> "Source":
        if self.type == "variable" and len(self.selector) < 2:
            raise ValueError("a variable needs a selector of at least two parts")
        return self


class TextSource(Source):
    value: str = ""


class ListSource(Source):
    value: tuple[str, ...] = ()


class Paragraph(ConfigPart):
    type: Literal["paragraph"]
    output_variable_name: str = pydantic.Field(pattern=_NAME)
    default: TextSource | None = None


class Select(ConfigPart):
    type: Literal["select"]
    output_variable_name: str = pydantic.Field(pattern=_NAME)
    option_source: ListSource


class OneFile(ConfigPart):
    type: Literal["file"]
    output_variable_name: str = pydantic.Field(pattern=_NAME)
    allowed_file_types: tuple[Literal["image", "document", "audio", "video", "custom"], ...] = ()
    allowed_file_extensions: tuple[str, ...] = ()
    allowed_file_upload_methods: tuple[Literal["local_file", "remote_url"], ...] = ()


class FileList(OneFile):
    """`number_limits` 0: as many as one likes."""

    type: Literal["file-list"]  # type: ignore[assignment]
    number_limits: int = pydantic.Field(0, ge=0)


Input = Annotated[Paragraph | Select | OneFile | FileList, pydantic.Field(discriminator="type")]


class Action(ConfigPart):
    """One way to answer; its id is the branch that is taken."""

    id: str = pydantic.Field(pattern=_ACTION)
    title: str = pydantic.Field(max_length=100)
    button_style: Literal["primary", "default", "accent", "ghost"] = "default"


class Recipient(ConfigPart):
    """`member`: an account, by `user_id` or `reference_id`; `external`: an address."""

    type: str
    email: str = ""
    user_id: str = ""
    reference_id: str = ""


class Recipients(ConfigPart):
    whole_workspace: bool = False
    include_bound_group: bool = False
    items: tuple[Recipient, ...] = ()


class EmailConfig(ConfigPart):
    recipients: Recipients = Recipients()
    subject: str = ""
    body: str = ""


class Delivery(ConfigPart):
    """How people get the form. Unknown types are left out."""

    type: str = ""
    enabled: bool = True
    config: dict[str, Any] = {}
