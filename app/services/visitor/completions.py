"""Begin answers of completion apps, and further answers to the same message."""

import uuid
from typing import Any

from app.errors import MessageNotFound, MoreLikeThisDisabled
from app.models.identifiers import new_id
from app.models.messages import find_question
from app.models.owners import Owner
from app.models.tasks import ClaimedTask
from app.services.auth.answer_limits import admitted
from app.services.definitions.published_apps import PublishedApp
from app.services.visitor.generations import Question, QuestionContext, begin

MORE_LIKE_THIS = {"temperature": 0.9}


def start(
    app: PublishedApp, end_user_id: uuid.UUID, question: Question, options: dict[str, Any] | None = None
) -> ClaimedTask:
    """Begin an answer: check all that can be refused, write the rows, return the task, which no worker has yet.

    `options`: model parameters of this answer alone.
    Raises InvalidParam, AppUnavailable, TooManyRequests, RateLimitError.
    """
    task_id = str(new_id())
    with admitted(app.id, end_user_id, task_id):
        return begin(
            QuestionContext(app, end_user_id, app.version_id, task_id),
            app.definition.usable_model_config(),
            question,
            options,
        )


def start_more_like(app: PublishedApp, end_user_id: uuid.UUID, message_id: uuid.UUID) -> ClaimedTask:
    """Begin another answer to what a message asked, with a higher temperature.

    Raises MessageNotFound, MoreLikeThisDisabled and what `start` raises.
    """
    asked = find_question(Owner(app.id, end_user_id), message_id)
    if asked is None:
        raise MessageNotFound
    if not app.definition.usable_model_config().more_like_this.enabled:
        raise MoreLikeThisDisabled
    return start(app, end_user_id, Question(asked.query, asked.inputs, files=tuple(asked.files or ())), MORE_LIKE_THIS)
