"""The parts of a human-input node's configuration: inputs, actions, delivery (contract human-input.md §1, §3)."""

from typing import Annotated, Any, Literal

import pydantic

from app.workflow.contracts.node import ConfigPart

_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,29}$"
_ACTION = r"^[A-Za-z_][A-Za-z0-9_]{0,19}$"
UNIT_SECONDS = {"hour": 3600, "day": 86_400}


class Source(ConfigPart):
    """The source of a value: the constant `value`, or the variable of `selector`. Files keep both; `type` decides."""

    type: Literal["constant", "variable"] = "constant"
    selector: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _selects(self) -> "Source":
        if self.type == "variable" and len(self.selector) < 2:
            raise ValueError("a variable needs a selector of at least two parts")
        return self


class TextSource(Source):
    """The source of a text: a paragraph's default."""

    value: str = ""


class ListSource(Source):
    """The source of a list of texts: a select's options."""

    value: tuple[str, ...] = ()


class Paragraph(ConfigPart):
    """An input for text."""

    type: Literal["paragraph"]
    output_variable_name: str = pydantic.Field(pattern=_NAME)
    default: TextSource | None = None


class Select(ConfigPart):
    """An input that offers options."""

    type: Literal["select"]
    output_variable_name: str = pydantic.Field(pattern=_NAME)
    option_source: ListSource


class OneFile(ConfigPart):
    """An input for one file of the allowed types."""

    type: Literal["file"]
    output_variable_name: str = pydantic.Field(pattern=_NAME)
    allowed_file_types: tuple[Literal["image", "document", "audio", "video", "custom"], ...] = ()
    allowed_file_extensions: tuple[str, ...] = ()
    allowed_file_upload_methods: tuple[Literal["local_file", "remote_url"], ...] = ()


class FileList(OneFile):
    """An input for several files. `number_limits`: how many at most, 0 for any number."""

    type: Literal["file-list"]  # type: ignore[assignment]
    number_limits: int = pydantic.Field(0, ge=0)


Input = Annotated[Paragraph | Select | OneFile | FileList, pydantic.Field(discriminator="type")]


class Action(ConfigPart):
    """One button of a form. Its id is the handle that is taken."""

    id: str = pydantic.Field(pattern=_ACTION)
    title: str = pydantic.Field(max_length=100)
    button_style: Literal["primary", "default", "accent", "ghost"] = "default"


class Recipient(ConfigPart):
    """One recipient of a mail. `type` `member`: an account by `reference_id` or `user_id`; `external`: an `email`."""

    type: str
    email: str = ""
    user_id: str = ""
    reference_id: str = ""


class Recipients(ConfigPart):
    """The recipients of a mail; either flag adds all accounts that may use the app."""

    whole_workspace: bool = False
    include_bound_group: bool = False
    items: tuple[Recipient, ...] = ()


class EmailConfig(ConfigPart):
    """The configuration of a delivery by mail. Subject and body may hold references."""

    recipients: Recipients = Recipients()
    subject: str = ""
    body: str = ""


class Delivery(ConfigPart):
    """One way by which people get the form: `webapp` or `email`. Other types are ignored."""

    type: str = ""
    enabled: bool = True
    config: dict[str, Any] = {}
