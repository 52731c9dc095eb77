"""Running a workflow."""

from typing import Any

from pydantic import ConfigDict

from app.api.schemas.common import Body


class WorkflowRunPayload(Body):
    model_config = ConfigDict(json_schema_extra={"example": {"inputs": {"text": "Hello"}}})

    inputs: dict[str, Any]
    files: list[dict[str, Any]] | None = None
