"""Shortens an agent's messages to the model's context window."""

import dataclasses
from collections.abc import Sequence

from app.providers.models.chat_types import ModelMessage, Options
from app.providers.models.context_window import message_tokens, prompt_room

SHORT = 400
CUT = "\n(cut)"


def fitted(messages: Sequence[ModelMessage], options: Options, context_tokens: int) -> list[ModelMessage]:
    """Return the messages; if they are too many tokens, long observations are shortened, the oldest first.

    The newest observation is the one that the model asked for last, so it is the last to be shortened. Prompt and
    question are never shortened here; the prompt was built to fit.
    """
    room = prompt_room(options, context_tokens)
    kept = list(messages)
    over = sum(map(message_tokens, kept)) - room
    for index, message in enumerate(kept):
        if over <= 0:
            break
        observed = message.role == "tool" or (
            isinstance(message.content, str) and message.content.startswith("Observation: ")
        )
        if not observed or not isinstance(message.content, str) or len(message.content) <= SHORT:
            continue
        short = dataclasses.replace(message, content=message.content[:SHORT] + CUT)
        over -= message_tokens(message) - message_tokens(short)
        kept[index] = short
    return kept
