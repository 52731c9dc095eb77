"""Make the rows of `usage_records` of what models were asked for."""

import uuid
from typing import Any

from app.models.identifiers import new_id
from app.providers.models.chat_types import ModelSource
from app.providers.models.usage import ModelUsage, UsageSum
from app.services.process.stored_values import cleaned

ANSWER, NAME, QUESTIONS = "answer", "name", "questions"


def task_usage(task_id: str, usage: UsageSum) -> list[dict[str, Any]]:
    """Return the rows of a task, one for each model, and one for a task that asked none: it counts as an answer.

    Their ids are the same whenever they are made, for a run stores its rows at each pause.
    """
    models = usage.models or [ModelUsage(ModelSource())]
    space = uuid.UUID(task_id)
    return [_row(uuid.uuid5(space, f"usage {number}"), ANSWER, model) for number, model in enumerate(models)]


def other_usage(purpose: str, usage: UsageSum) -> list[dict[str, Any]]:
    """Return the rows of a call that belongs to no task."""
    return [_row(new_id(), purpose, model) for model in usage.models]


def _row(row_id: uuid.UUID, purpose: str, model: ModelUsage) -> dict[str, Any]:
    row = {
        "id": str(row_id),
        "purpose": purpose,
        "endpoint": model.source.endpoint,
        "model": model.source.model,
        "calls": model.calls,
        "prompt_tokens": model.prompt_tokens,
        "completion_tokens": model.completion_tokens,
        "total_tokens": model.total_tokens,
        "prompt_price": None if model.prompt_price is None else str(model.prompt_price),
        "completion_price": None if model.completion_price is None else str(model.completion_price),
        "currency": model.currency,
    }
    # An app file names models, by whatever signs.
    return dict(cleaned(row))
