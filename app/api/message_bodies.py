"""Make the API's bodies of messages from what the services read of them (contract endpoints.md, GET /messages)."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.api.schemas.human_input import (
    HumanInputContent,
    HumanInputFormDefinition,
    HumanInputFormSubmissionData,
    form_input,
)
from app.api.schemas.messages import (
    AgentThought,
    MessageFile,
    RetrieverResource,
    SavedMessageItem,
    SimpleFeedback,
    WebMessageListItem,
)
from app.models.forms import FormRow
from app.services.events import form_views
from app.services.files.file_values import link_to
from app.services.visitor import feedback_and_saves, messages


def message_body(row: messages.MessageItem) -> WebMessageListItem:
    """Return a message of a conversation, its files with links that work now."""
    return WebMessageListItem.model_construct(
        id=row.id,
        conversation_id=row.conversation_id,
        parent_message_id=row.parent_message_id,
        inputs=row.inputs,
        query=row.query,
        answer=row.answer,
        message_files=_files(row.files),
        feedback=SimpleFeedback(rating=row.rating) if row.rating else None,
        retriever_resources=[_source(row, source) for source in (row.details or {}).get("retriever_resources", ())],
        created_at=row.created_at,
        agent_thoughts=[_thought(row.id, thought) for thought in row.thoughts],
        status=row.status,
        error=row.error,
        extra_contents=[_form(form) for form in row.forms],
        metadata=row.details,
    )


def saved_message_body(row: feedback_and_saves.SavedMessageRow) -> SavedMessageItem:
    """Return a saved message, its files with links that work now."""
    return SavedMessageItem.model_construct(
        id=row.id,
        inputs=row.inputs,
        query=row.query,
        answer=row.answer,
        message_files=_files(row.files),
        feedback=SimpleFeedback(rating=row.rating) if row.rating else None,
        created_at=row.created_at,
    )


def _files(files: Sequence[Mapping[str, Any]]) -> list[MessageFile]:
    return [
        MessageFile.model_construct(
            id=file["id"],
            filename=file["filename"],
            type=file["type"],
            url=link_to(file),
            mime_type=file["mime_type"],
            size=file["size"],
            transfer_method=file["transfer_method"],
            belongs_to=file["belongs_to"],
            upload_file_id=file["related_id"],
        )
        for file in files
    ]


def _source(row: messages.MessageItem, source: dict[str, Any]) -> RetrieverResource:
    known: dict[str, Any] = {name: source.get(name) for name in RetrieverResource.model_fields}
    return RetrieverResource.model_construct(**known | {"message_id": row.id, "created_at": row.created_at})


def _thought(message_id: str, thought: messages.ThoughtItem) -> AgentThought:
    step = thought.step
    return AgentThought.model_construct(
        id=step.id,
        message_id=message_id,
        position=step.position,
        thought=step.thought,
        tool=step.tool,
        tool_labels=step.tool_labels,
        tool_input=step.tool_input,
        created_at=thought.created_at,
        observation=step.observation,
        files=[file["id"] for file in step.files],
    )


def _form(form: FormRow) -> HumanInputContent:
    """Return a form of the message's run, and its submission (contract human-input.md §9)."""
    definition = form_views.required_data(form)
    inputs = [form_input(shape) for shape in definition.pop("inputs")]
    submitted = form_views.submission(form)
    return HumanInputContent(
        workflow_run_id=form.run_id,
        submitted=submitted is not None,
        form_definition=HumanInputFormDefinition(inputs=inputs, **definition),
        form_submission_data=None if submitted is None else HumanInputFormSubmissionData(**submitted),
    )
