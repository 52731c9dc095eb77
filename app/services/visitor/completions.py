"""Texts of completion apps, and more of their like."""

import uuid
from typing import Any

from sqlalchemy import text

from app.errors import MessageNotFound, MoreLikeThisDisabled
from app.extensions import autocommit_engine
from app.models.generations import ClaimedTask
from app.models.identifiers import new_id
from app.services.auth.answer_limits import admitted
from app.services.definitions.app_configs import ModelConfig, is_enabled
from app.services.definitions.published_apps import PublishedApp
from app.services.visitor.generations import Question, QuestionContext, begin

MORE_LIKE_THIS = {"temperature": 0.9}

_ASKED = text(
    "SELECT query, messages.inputs, messages.files FROM messages JOIN conversations ON conversations.id = conversation_id"
    " WHERE messages.id = :id AND messages.app_id = :app_id AND messages.end_user_id = :end_user_id AND deleted_at IS NULL"
)


def start(
    app: PublishedApp, end_user_id: uuid.UUID, question: Question, options: dict[str, Any] | None = None
) -> ClaimedTask:
    """Check everything that can be refused, write the rows, give the task.

    Raises InvalidParam, AppUnavailable, TooManyRequests, RateLimitError.
    """
    task_id = str(new_id())
    with admitted(app.id, end_user_id, task_id):
        return begin(
            QuestionContext(app, end_user_id, app.version_id, task_id),
            ModelConfig.from_definition(app.definition),
            question,
            options,
        )


def start_more_like(app: PublishedApp, end_user_id: uuid.UUID, message_id: uuid.UUID) -> ClaimedTask:
    """Ask again what a message asked, for another answer. Raises MessageNotFound, MoreLikeThisDisabled and what `start` raises."""
    with autocommit_engine().connect() as connection:
        asked = connection.execute(
            _ASKED, {"id": message_id, "app_id": app.id, "end_user_id": end_user_id}
        ).one_or_none()
    if asked is None:
        raise MessageNotFound
    if not is_enabled(ModelConfig.from_definition(app.definition).features["more_like_this"]):
        raise MoreLikeThisDisabled
    return start(app, end_user_id, Question(asked.query, asked.inputs, files=tuple(asked.files or ())), MORE_LIKE_THIS)
