"""Ask an app's model for a few words, such as a conversation's name, while a visitor waits for them."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import current_app

from app.errors import ProviderTimeout
from app.models.usage_records import store_usage_of_conversation
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage
from app.providers.models.thoughts import ThoughtReader
from app.providers.models.usage import UsageSum
from app.services.process.usage_rows import other_usage

# Thoughts count too: with less, models that think would not come to their answer.
MOST_TOKENS = 1_024
MOST_CHARACTERS = 4_000


def short_answer(
    model: ChatModel,
    question: str,
    options: Mapping[str, Any],
    is_enough: Callable[[str], bool],
    conversation_id: str,
    purpose: str,
) -> str:
    """Return what the model says, without its thoughts, NUL and lone surrogates. Raises ProviderError.

    The tokens are stored as usage of the conversation for this purpose, if the server has told them by then.

    After thoughts the call ends early where what came behind them `is_enough`. Without any it is read to its end: a
    closing tag may yet come. Where time runs out, what came is the answer.
    """
    reader = ThoughtReader(tagged=False)
    deadline = time.monotonic() + current_app.config["NAMING_SECONDS"]
    asked = {"max_tokens": MOST_TOKENS} | dict(options)
    usage = UsageSum()
    stream = model.stream([ModelMessage("user", question)], asked, deadline=deadline)
    try:
        with contextlib.closing(stream):
            for chunk in stream:
                reader.feed(chunk.text, chunk.reasoning)
                usage.add(chunk.usage)
                answer = reader.answer
                if len(answer) > MOST_CHARACTERS or (chunk.text and reader.has_thoughts and is_enough(answer)):
                    break
    except ProviderTimeout:
        if not reader.answer:
            raise
    if usage:
        store_usage_of_conversation(conversation_id, other_usage(purpose, usage))
    reader.finish()
    return reader.answer.replace("\0", "").encode("utf-8", "replace").decode()
