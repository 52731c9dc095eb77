"""Questions that a visitor might ask next, found by the model."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

import structlog
from flask import current_app

from app.errors import GenerationError, MessageNotFound, SuggestedQuestionsDisabled
from app.models.messages import find_origin, read_thread
from app.models.owners import Owner
from app.providers.models.chat_types import ModelMessage
from app.providers.models.context_window import estimate_tokens
from app.providers.models.json_answers import find_lists
from app.services.definitions.app_configs import ModelChoice, ModelConfig, WorkflowConfig, is_enabled, model_of
from app.services.definitions.prompts import Thread
from app.services.definitions.published_apps import version
from app.services.process.providers import model_routes

log = structlog.get_logger(__name__)

MESSAGES = 3
HISTORY_TOKENS = 3_000
MOST_QUESTIONS = 5
TEMPERATURE = 0.3
PROMPT = (
    "Read the conversation and write the three questions that the user is most likely to ask next, short, in the user's language. "
    'Answer with a JSON list of strings and nothing else, like ["…", "…", "…"].'
)
_FORM = "\nAnswer with a JSON list of strings and nothing else."


def suggest(owner: Owner, message_id: uuid.UUID) -> list[str]:
    """Up to five questions; none where the model fails. Raises MessageNotFound, SuggestedQuestionsDisabled, AppUnavailable."""
    origin = find_origin(owner, message_id)
    if origin is None:
        raise MessageNotFound("Message not found")
    thread = read_thread(origin.conversation_id, str(message_id), MESSAGES)
    definition = version(origin.app_version_id)
    is_chatflow = "workflow" in definition
    config = WorkflowConfig.from_definition(definition) if is_chatflow else ModelConfig.from_definition(definition)
    feature = config.features["suggested_questions_after_answer"]
    if not is_enabled(feature):
        raise SuggestedQuestionsDisabled
    try:
        return parse_questions(_ask(model_of(definition), feature, thread))
    except GenerationError as error:
        log.warning("questions.not_suggested", message_id=str(message_id), error=error.message)
        return []


def parse_questions(answer: str) -> list[str]:
    """Return the non-empty texts of the first JSON list that holds any; an empty list where none does."""
    for found in find_lists(answer):
        questions = [item.strip() for item in found if isinstance(item, str) and item.strip()]
        if questions:
            return questions[:MOST_QUESTIONS]
    return []


def _ask(usual: ModelChoice, feature: Mapping[str, Any], thread: Thread) -> str:
    own = feature.get("model")
    chosen: Mapping[str, Any] = own if isinstance(own, dict) and own.get("name") else {}
    model = model_routes().chat_model(
        str(chosen.get("provider", usual.provider)),
        str(chosen.get("name", usual.name)),
        str(chosen.get("mode", usual.mode)),
    )
    parameters = chosen.get("completion_params")
    options = parameters if isinstance(parameters, dict) else {"temperature": TEMPERATURE, "max_tokens": 256}
    prompt = str(feature.get("prompt") or "").strip()
    instructions = prompt + _FORM if prompt else PROMPT
    question = f"{instructions}\n\n{_dialogue(thread, min(HISTORY_TOKENS, model.context // 2))}"
    deadline = time.monotonic() + current_app.config["NAMING_SECONDS"]
    answer, _ = model.complete([ModelMessage("user", question)], options, deadline=deadline)
    return answer


def _dialogue(thread: Thread, room: int) -> str:
    lines: list[str] = []
    for query, answer in reversed(thread):
        turn = f"User: {query}\nAssistant: {answer}"
        room -= estimate_tokens(turn)
        if room < 0 and lines:
            break
        lines.insert(0, turn)
    return "\n".join(lines)
