"""How much of a conversation a model can take in."""

from collections.abc import Sequence

from app.providers.models.chat_types import ModelMessage, Options

_ANSWER_ROOM = 0.25
_BYTES_PER_TOKEN = 3
_MESSAGE_TOKENS = 4
_IMAGE_TOKENS = 1_000


def estimate_tokens(text: str) -> int:
    """A safe guess at the tokens of a text and its message's frame: English has about four bytes a token, most else fewer."""
    return len(text.encode(errors="surrogatepass")) // _BYTES_PER_TOKEN + _MESSAGE_TOKENS


def message_tokens(message: ModelMessage) -> int:
    """The same for a message, images too."""
    images = 0 if isinstance(message.content, str) else sum(part.get("type") == "image_url" for part in message.content)
    return estimate_tokens(message.text()) + images * _IMAGE_TOKENS


def prompt_room(options: Options, context_tokens: int) -> int:
    """The tokens that are left for the prompt once the answer has its room."""
    wanted = options.get("max_tokens")
    most = int(context_tokens * _ANSWER_ROOM)
    return context_tokens - (min(wanted, most) if isinstance(wanted, int) and wanted > 0 else most)


def newest_that_fit(sizes: Sequence[int], room: int) -> int:
    """How many of the last turns fit, from their tokens, oldest first."""
    for taken, size in enumerate(reversed(sizes)):
        room -= size
        if room < 0:
            return taken
    return len(sizes)
