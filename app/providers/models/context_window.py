"""Estimate how much of a conversation fits into a model's context window."""

from collections.abc import Sequence

from app.providers.models.chat_types import ModelMessage, Options

_ANSWER_ROOM = 0.25
_BYTES_PER_TOKEN = 3
_MESSAGE_TOKENS = 4
_IMAGE_TOKENS = 1_000


def estimate_tokens(text: str) -> int:
    """Return a safe guess at the tokens of a text and of the message around it.

    English has about four bytes a token, most other languages fewer. No tokenizer is asked, for each model has its own.
    """
    return len(text.encode(errors="surrogatepass")) // _BYTES_PER_TOKEN + _MESSAGE_TOKENS


def message_tokens(message: ModelMessage) -> int:
    """Return a safe guess at the tokens of a message, its images included."""
    images = 0 if isinstance(message.content, str) else sum(part.get("type") == "image_url" for part in message.content)
    return estimate_tokens(message.text()) + images * _IMAGE_TOKENS


def prompt_room(options: Options, context_tokens: int) -> int:
    """Return the tokens left for the prompt: the context less `max_tokens`, or less a quarter if that is smaller."""
    wanted = options.get("max_tokens")
    most = int(context_tokens * _ANSWER_ROOM)
    return context_tokens - (min(wanted, most) if isinstance(wanted, int) and wanted > 0 else most)


def newest_that_fit(sizes: Sequence[int], room: int) -> int:
    """Return how many of the last turns fit into `room` tokens; `sizes`: the tokens of each turn, oldest first."""
    for taken, size in enumerate(reversed(sizes)):
        room -= size
        if room < 0:
            return taken
    return len(sizes)
