"""Parts that events, blocking answers and the history have in common, and the ids of their examples."""

from typing import Any

from pydantic import Field

from app.api.schemas.common import Body

CONVERSATION = "018f7a2e-0000-7000-8000-000000000001"
MESSAGE = "018f7a2e-0000-7000-8000-000000000002"
TASK = "018f7a2e-0000-7000-8000-000000000003"
RUN = "018f7a2e-0000-7000-8000-000000000004"
NODE = "018f7a2e-0000-7000-8000-000000000005"
MOMENT = 1767268800


class StreamedFile(Body):
    """A file that the assistant made, with a link that works for some minutes."""

    dify_model_identity: str | None = None
    id: str | None = None
    type: str | None = None
    url: str | None = None
    remote_url: str | None = None
    reference: str | None = None
    filename: str | None = None
    mime_type: str | None = None
    size: int | None = None
    extension: str | None = None
    transfer_method: str | None = None
    related_id: str | None = None
    upload_file_id: str | None = None
    belongs_to: str | None = None


class SourceBase(Body):
    """What events and the history alike say of a passage that an answer stands on."""

    position: int
    dataset_id: str | None = None
    dataset_name: str | None = None
    document_id: str | None = None
    document_name: str | None = None
    data_source_type: str | None = None
    segment_id: str | None = None
    score: float | None = None
    hit_count: int | None = None
    word_count: int | None = None
    segment_position: int | None = None
    index_node_hash: str | None = None
    content: str | None = None
    summary: str | None = None


class StreamedSource(SourceBase):
    """A passage that the answer stands on."""

    page: int | None = None
    title: str | None = None
    files: list[StreamedFile] | None = None


class AnswerUsage(Body):
    """Tokens, prices and times of an answer."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_price: str | None = None
    completion_price: str | None = None
    total_price: str | None = None
    currency: str | None = None
    latency: float | None = Field(None, description="Seconds")


class AnswerMetadata(Body):
    """What is stored beside an answer."""

    retriever_resources: list[StreamedSource] | None = None
    usage: AnswerUsage | None = None
    annotation_reply: dict[str, Any] | None = None


def in_message(event: str, **fields: Any) -> dict[str, Any]:
    """Return an example of a message's event."""
    ids = {"conversation_id": CONVERSATION, "message_id": MESSAGE, "created_at": MOMENT, "task_id": TASK}
    return {"event": event, **ids, "id": MESSAGE, **fields}


def in_run(event: str, **data: Any) -> dict[str, Any]:
    """Return an example of a run's event."""
    return {"event": event, "workflow_run_id": RUN, "task_id": TASK, "data": data}
