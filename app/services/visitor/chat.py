"""Begin answers to messages of chat apps, agents and chatflows."""

import uuid

from app.errors import ConversationNotFound, InvalidParam
from app.models.conversations import find_version_id
from app.models.identifiers import new_id
from app.models.owners import Owner
from app.models.tasks import ClaimedTask
from app.services.auth.answer_limits import admitted
from app.services.definitions.published_apps import PublishedApp, version
from app.services.visitor.generations import Question, QuestionContext, begin


def start(app: PublishedApp, end_user_id: uuid.UUID, question: Question) -> ClaimedTask:
    """Begin an answer: check all that can be refused, write the rows, return the task, which no worker has yet.

    Raises InvalidParam, ConversationNotFound, AppUnavailable, TooManyRequests, RateLimitError.
    """
    if not question.query.replace("\0", ""):
        raise InvalidParam("query is required")
    task_id = str(new_id())
    with admitted(app.id, end_user_id, task_id):
        if app.mode == "advanced-chat":
            # The next message of a chatflow's conversation runs the version that is published now.
            return begin(
                QuestionContext(app, end_user_id, app.version_id, task_id),
                app.definition.usable_workflow(),
                question,
            )
        version_id = app.version_id
        if question.conversation_id is not None:
            version_id = _version_of(app, end_user_id, question.conversation_id)
        return begin(
            QuestionContext(app, end_user_id, version_id, task_id), version(version_id).usable_model_config(), question
        )


def _version_of(app: PublishedApp, end_user_id: uuid.UUID, conversation_id: str) -> uuid.UUID:
    """Return the app version that a visible conversation began with. Raises ConversationNotFound."""
    found = find_version_id(Owner(app.id, end_user_id), conversation_id)
    if found is None:
        raise ConversationNotFound
    return found
