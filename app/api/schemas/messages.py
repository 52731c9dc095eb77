"""Bodies that start an answer or a workflow run, and those of the history of messages."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.common import Body, JSONValue, JSONValueType, OptionalUuid, UuidText
from app.api.schemas.human_input import HumanInputContent
from app.api.schemas.stream_parts import SourceBase


class ChatMessagePayload(Body):
    model_config = ConfigDict(
        json_schema_extra={"example": {"inputs": {}, "query": "What can you do?", "response_mode": "streaming"}}
    )

    inputs: dict[str, Any] = Field(description="Input variables for the chat")
    query: str = Field(description="User query/message")
    files: list[dict[str, Any]] | None = Field(None, description="Files to be processed")
    response_mode: Literal["blocking", "streaming"] | None = Field(
        None, description="Response mode: blocking or streaming"
    )
    conversation_id: OptionalUuid = Field(None, description="Conversation ID")
    parent_message_id: OptionalUuid = Field(None, description="Parent message ID")
    retriever_from: str = Field("web_app", description="Source of retriever")


class CompletionMessagePayload(Body):
    model_config = ConfigDict(
        json_schema_extra={"example": {"inputs": {"topic": "cats"}, "response_mode": "streaming"}}
    )

    inputs: dict[str, Any] = Field(description="Input variables for the completion")
    query: str = Field("", description="Query text for completion")
    files: list[dict[str, Any]] | None = Field(None, description="Files to be processed")
    response_mode: Literal["blocking", "streaming"] | None = Field(
        None, description="Response mode: blocking or streaming"
    )
    retriever_from: str = Field("web_app", description="Source of retriever")


class WorkflowRunPayload(Body):
    model_config = ConfigDict(json_schema_extra={"example": {"inputs": {"text": "Hello"}}})

    inputs: dict[str, Any]
    files: list[dict[str, Any]] | None = None


class MessageMoreLikeThisQuery(Body):
    response_mode: Literal["blocking", "streaming"] = Field(description="Response mode")


class MessageFeedbackPayload(Body):
    model_config = ConfigDict(json_schema_extra={"example": {"rating": "like", "content": None}})

    rating: Literal["like", "dislike"] | None = Field(None, description="Feedback rating")
    content: str | None = Field(None, description="Feedback content")


class SuggestedQuestionsResponse(Body):
    data: list[str]


class SavedMessageListQuery(Body):
    last_id: OptionalUuid = None
    limit: int = Field(20, ge=1, le=100)


class SavedMessageCreatePayload(Body):
    message_id: UuidText = Field(description="Message UUID to save")


class MessageListQuery(Body):
    conversation_id: OptionalUuid = Field(description="Conversation UUID")
    first_id: OptionalUuid = Field(None, description="First message ID for pagination")
    limit: int = Field(20, ge=1, le=100, description="Number of messages to return (1-100)")


class SimpleFeedback(Body):
    rating: str | None = None


class MessageFile(Body):
    id: str
    filename: str
    type: str
    url: str | None = None
    mime_type: str | None = None
    size: int | None = None
    transfer_method: str
    belongs_to: str | None = None
    upload_file_id: str | None = None


class RetrieverResource(SourceBase):
    id: str | None = None
    message_id: str | None = None
    created_at: int | None = None


class AgentThought(Body):
    id: str
    chain_id: str | None = None
    message_id: str
    position: int
    thought: str | None = None
    tool: str | None = None
    tool_labels: JSONValue
    tool_input: str | None = None
    created_at: int | None = None
    observation: str | None = None
    files: list[str]


class WebMessageListItem(Body):
    id: str
    conversation_id: str
    parent_message_id: str | None = None
    inputs: dict[str, Any]
    query: str
    answer: str
    message_files: list[MessageFile]
    feedback: SimpleFeedback | None = None
    retriever_resources: list[RetrieverResource]
    created_at: int | None = None
    agent_thoughts: list[AgentThought]
    status: str
    error: str | None = None
    extra_contents: list[HumanInputContent]
    metadata: JSONValueType | None = None


class WebMessageInfiniteScrollPagination(Body):
    limit: int
    has_more: bool
    data: list[WebMessageListItem]


class SavedMessageItem(Body):
    id: str
    inputs: dict[str, Any]
    query: str
    answer: str
    message_files: list[MessageFile]
    feedback: SimpleFeedback | None = None
    created_at: int | None = None


class SavedMessageInfiniteScrollPagination(Body):
    limit: int
    has_more: bool
    data: list[SavedMessageItem]
