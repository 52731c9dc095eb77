"""Let a model suggest what the end user may ask next (contract endpoints.md, suggested questions)."""

import uuid

import structlog

from app.errors import GenerationError, MessageNotFound, SuggestedQuestionsDisabled
from app.models.messages import find_message_origin, read_thread
from app.models.owners import Owner
from app.providers.models.context_window import estimate_tokens
from app.providers.models.json_answers import find_lists
from app.services.definitions.features import QuestionModel, SuggestedQuestions
from app.services.definitions.model_config import ModelChoice
from app.services.definitions.prompts import Thread, turns_for_models
from app.services.definitions.published_apps import version
from app.services.process.providers import model_routes
from app.services.process.usage_rows import QUESTIONS
from app.services.visitor.short_answers import short_answer

log = structlog.get_logger(__name__)

MESSAGES = 3
HISTORY_TOKENS = 3_000
MOST_QUESTIONS = 5
TEMPERATURE = 0.3
PROMPT = (
    "Read the conversation and write the three questions that the user is most likely to ask next, short, in the "
    "user's language. "
    'Answer with a JSON list of strings and nothing else, like ["…", "…", "…"].'
)
_FORM = "\nAnswer with a JSON list of strings and nothing else."


def suggest(owner: Owner, message_id: uuid.UUID) -> list[str]:
    """Return up to five questions, none where the message failed or the model fails now.

    Raises MessageNotFound, SuggestedQuestionsDisabled, AppUnavailable.
    """
    origin = find_message_origin(owner, message_id)
    if origin is None:
        raise MessageNotFound("Message not found")
    definition = version(origin.app_version_id)
    features = definition.usable_workflow().features if definition.has_workflow else definition.usable_model_config()
    feature = features.suggested_questions_after_answer
    if not feature.enabled:
        raise SuggestedQuestionsDisabled
    if origin.failed:
        return []
    thread = turns_for_models(read_thread(origin.conversation_id, str(message_id), MESSAGES))
    try:
        return parse_questions(_ask(definition.model(), feature, thread, origin.conversation_id))
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


def _ask(usual: ModelChoice, feature: SuggestedQuestions, thread: Thread, conversation_id: str) -> str:
    own = feature.model if feature.model.name else QuestionModel.read({})
    provider = usual.provider if own.provider is None else own.provider
    mode = usual.mode if own.mode is None else own.mode
    model = model_routes().chat_model(provider, own.name or usual.name, mode)
    options = {"temperature": TEMPERATURE} if own.completion_params is None else own.completion_params
    prompt = feature.prompt.strip()
    instructions = prompt + _FORM if prompt else PROMPT
    question = f"{instructions}\n\n{_dialogue(thread, min(HISTORY_TOKENS, model.context // 2))}"
    return short_answer(
        model, question, options, lambda so_far: bool(parse_questions(so_far)), conversation_id, QUESTIONS
    )


def _dialogue(thread: Thread, room: int) -> str:
    lines: list[str] = []
    for query, answer in reversed(thread):
        turn = f"User: {query}\nAssistant: {answer}"
        room -= estimate_tokens(turn)
        if room < 0 and lines:
            break
        lines.insert(0, turn)
    return "\n".join(lines)
