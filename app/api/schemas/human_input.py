"""Bodies of human input: forms of workflow runs, their definitions and submissions (contract human-input.md)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field, JsonValue
from typing_extensions import TypeAliasType

from app.api.schemas.common import Body


class ExecutionContentType(StrEnum):
    HUMAN_INPUT = "human_input"


class ButtonStyle(StrEnum):
    """Button styles for user actions."""

    PRIMARY = "primary"
    DEFAULT = "default"
    ACCENT = "accent"
    GHOST = "ghost"


class ValueSourceType(StrEnum):
    """Whether a value stands in the form's definition or comes from a variable of the run."""

    CONSTANT = "constant"
    VARIABLE = "variable"


class FileType(StrEnum):
    IMAGE = "image"
    DOCUMENT = "document"
    AUDIO = "audio"
    VIDEO = "video"
    CUSTOM = "custom"


class FileTransferMethod(StrEnum):
    REMOTE_URL = "remote_url"
    LOCAL_FILE = "local_file"
    TOOL_FILE = "tool_file"


class StringSource(Body):
    """Where the default of a paragraph comes from."""

    type: ValueSourceType
    selector: list[str] = Field(default_factory=list)
    value: str = ""


class StringListSource(Body):
    type: ValueSourceType
    selector: list[str] = Field(default_factory=list)
    value: list[str] = Field(default_factory=list)


class ParagraphInputConfig(Body):
    type: str = "paragraph"
    output_variable_name: str
    default: StringSource | None = None


class SelectInputConfig(Body):
    type: str = "select"
    output_variable_name: str
    option_source: StringListSource


class FileInputConfig(Body):
    type: str = "file"
    output_variable_name: str
    allowed_file_types: list[FileType] = Field(default_factory=list)
    allowed_file_extensions: list[str] = Field(default_factory=list)
    allowed_file_upload_methods: list[FileTransferMethod] = Field(default_factory=list)


class FileListInputConfig(FileInputConfig):
    type: str = "file-list"
    number_limits: int = 0


FormInputConfig = TypeAliasType(
    "FormInputConfig", ParagraphInputConfig | SelectInputConfig | FileInputConfig | FileListInputConfig
)


_INPUTS: Mapping[str, type[ParagraphInputConfig | SelectInputConfig | FileInputConfig]] = {
    "paragraph": ParagraphInputConfig,
    "select": SelectInputConfig,
    "file": FileInputConfig,
    "file-list": FileListInputConfig,
}


def form_input(shape: Mapping[str, Any]) -> ParagraphInputConfig | SelectInputConfig | FileInputConfig:
    """Return a stored input in the shape of its type, for several shapes would fit it."""
    return _INPUTS[shape["type"]].model_validate(shape)


class UserActionConfig(Body):
    """One way to answer a form."""

    id: str
    title: str
    button_style: ButtonStyle = ButtonStyle.DEFAULT


class HumanInputFormDefinition(Body):
    form_id: str
    node_id: str
    node_title: str
    form_content: str
    inputs: list[FormInputConfig] = Field(default_factory=list)
    actions: list[UserActionConfig] = Field(default_factory=list)
    display_in_ui: bool = False
    form_token: str | None = None
    resolved_default_values: dict[str, Any] = Field(default_factory=dict)
    expiration_time: int


class HumanInputFormSubmissionData(Body):
    node_id: str
    node_title: str
    rendered_content: str
    action_id: str
    action_text: str
    submitted_data: dict[str, Any] | None = None


class HumanInputContent(Body):
    workflow_run_id: str
    submitted: bool
    form_definition: HumanInputFormDefinition | None = None
    form_submission_data: HumanInputFormSubmissionData | None = None
    type: ExecutionContentType = ExecutionContentType.HUMAN_INPUT


class HumanInputFormDefinitionResponse(Body):
    form_content: Any
    inputs: Any
    resolved_default_values: dict[str, str]
    user_actions: Any
    expiration_time: int
    site: dict[str, Any] | None = None


class HumanInputFormSubmitPayload(Body):
    model_config = ConfigDict(
        json_schema_extra={"example": {"inputs": {"comment": "Looks good."}, "action": "approve"}}
    )

    inputs: dict[str, JsonValue] = Field(
        description="Submitted human input values keyed by output variable name. Use a string for paragraph or select "
        "input values, a file mapping for file inputs, and a list of file mappings for file-list inputs. Local file "
        "mappings use `transfer_method=local_file` with `upload_file_id`; remote file mappings use "
        "`transfer_method=remote_url` with `url` or `remote_url`."
    )
    action: str


class HumanInputFormSubmitResponse(Body):
    """Nothing: the answer counts."""


class HumanInputUploadTokenResponse(Body):
    upload_token: str
    expires_at: int


class HumanInputFileUploadFormPayload(Body):
    """Parsed multipart form fields for HITL uploads."""

    url: str | None = Field(None, description="Remote file URL")
