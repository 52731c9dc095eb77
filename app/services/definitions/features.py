"""The features that both model configs and workflows have (contract dsl.md §2, §3.1)."""

from typing import Annotated, Any

import pydantic

from app.services.definitions.file_parts import ListOf, Switch, Text, UncheckedPart
from app.services.definitions.file_rules import FileRules, FileUpload

# The keys of features; `GET /parameters` shows them as the file has them (contract endpoints.md).
FEATURES = (
    "suggested_questions_after_answer",
    "speech_to_text",
    "text_to_speech",
    "retriever_resource",
    "annotation_reply",
    "more_like_this",
    "sensitive_word_avoidance",
    "file_upload",
)
OFF = {"enabled": False}
FILE_UPLOAD_DEFAULT = {
    "image": {"enabled": False, "number_limits": 3, "detail": "high", "transfer_methods": ["remote_url", "local_file"]}
}


class Feature(UncheckedPart):
    """Something that an app file switches on or off."""

    enabled: bool = False


class QuestionModel(UncheckedPart):
    """The model that suggests questions, where the author chose one. None: as the app's own."""

    provider: Annotated[str, pydantic.BeforeValidator(str)] | None = None
    name: Text = ""
    mode: Annotated[str, pydantic.BeforeValidator(str)] | None = None
    completion_params: dict[str, Any] | None = None


class SuggestedQuestions(Feature):
    """Questions that are suggested after an answer. `prompt`: the author's own instructions for the model."""

    prompt: Text = ""
    model: QuestionModel = QuestionModel.read({})


class TextToSpeech(Feature):
    """Answers as speech. `autoPlay`: `enabled` where answers are spoken without being asked for."""

    voice: Text = ""
    autoPlay: str = ""


class ModerationRules(Feature):
    """What happens to inputs or to outputs that are not allowed."""

    preset_response: Text = ""


class ModerationConfig(UncheckedPart):
    """How texts are judged: by `keywords`, one a line, or by an operator's extension."""

    keywords: Text = ""
    api_based_extension_id: Text = ""
    inputs_config: ModerationRules = ModerationRules.read({})
    outputs_config: ModerationRules = ModerationRules.read({})


class Moderation(Feature):
    """`sensitive_word_avoidance`; its `type` is `keywords`, `api`, or one that is not served."""

    type: Text = ""
    config: ModerationConfig = ModerationConfig.read({})


class ExtensionConfig(UncheckedPart):
    """Which of the operator's extensions is asked."""

    api_based_extension_id: str = ""


class ExternalDataTool(UncheckedPart):
    """A variable that an operator's endpoint fills."""

    enabled: Switch = True
    variable: str = ""
    type: str = ""
    config: ExtensionConfig = ExtensionConfig.read({})


class OldFormEntry(UncheckedPart):
    """An entry of an input form as older files have it: it may declare an external data tool."""

    external_data_tool: ExternalDataTool | None = None


class OldForm(UncheckedPart):
    """The input form of a model config, read for its external data tools."""

    user_input_form: ListOf[OldFormEntry] = ()


class FeatureSet(UncheckedPart):
    """A workflow's `features`; model configs have the same keys.

    What is absent has the default that `GET /parameters` shows (contract endpoints.md).
    """

    opening_statement: str | None = None
    suggested_questions: ListOf[str] = ()
    suggested_questions_after_answer: SuggestedQuestions = SuggestedQuestions.read(OFF)
    speech_to_text: Feature = Feature.read(OFF)
    text_to_speech: TextToSpeech = TextToSpeech.read(OFF)
    retriever_resource: Feature = Feature.read(OFF)
    annotation_reply: Feature = Feature.read(OFF)
    more_like_this: Feature = Feature.read(OFF)
    sensitive_word_avoidance: Moderation = Moderation.read(OFF | {"type": "", "configs": []})
    file_upload: FileUpload = FileUpload.read(FILE_UPLOAD_DEFAULT)
    external_data_tools: ListOf[ExternalDataTool] = ()

    @property
    def file_rules(self) -> FileRules | None:
        """The rules for the files of messages and runs; None where they carry none."""
        return self.file_upload.rules

    @property
    def data_tools(self) -> list[ExternalDataTool]:
        """The external data tools that are switched on and fill a variable."""
        older = [entry.external_data_tool for entry in OldForm.read(self.stored).user_input_form]
        return [tool for tool in (*self.external_data_tools, *older) if tool and tool.enabled and tool.variable]
