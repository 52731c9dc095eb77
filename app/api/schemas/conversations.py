"""Bodies and queries of conversations."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from app.api.schemas.common import Body, OptionalUuid


class ConversationListQuery(Body):
    last_id: OptionalUuid = None
    limit: int = Field(20, ge=1, le=100)
    pinned: bool | None = None
    sort_by: Literal["created_at", "-created_at", "updated_at", "-updated_at"] = "-updated_at"


class SimpleConversation(Body):
    id: str
    name: str
    inputs: dict[str, Any]
    status: str
    introduction: str | None = None
    created_at: int | None = None
    updated_at: int | None = None


class ConversationInfiniteScrollPagination(Body):
    limit: int
    has_more: bool
    data: list[SimpleConversation]


class ConversationRenamePayload(Body):
    model_config = ConfigDict(json_schema_extra={"example": {"name": "A better name"}})

    name: str | None = None
    auto_generate: bool = False

    @model_validator(mode="after")
    def _named_somehow(self) -> Self:
        if not self.auto_generate and not (self.name or "").replace("\0", "").strip():
            raise ValueError("name is required when auto_generate is false")
        return self
