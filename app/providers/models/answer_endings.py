"""Decide from its finish reason whether an answer that has ended can be used, or what went wrong with it."""

from app.errors import ProviderError, ProviderProtocolError, ProviderServerError
from app.errors.answers import AnswerCutShort, AnswerFiltered, AnswerRefused, ToolNotOffered

# OpenAI's reasons first, then those of other servers that speak its protocol; compared in lower case.
FILTERED = (
    "content_filter",
    "content_filtered",
    "sensitive",
    "safety",
    "recitation",
    "blocklist",
    "prohibited_content",
    "spii",
    "guardrail_intervened",
)
OUT_OF_TOKENS = ("length", "max_tokens", "model_length", "max_output_tokens", "model_context_window_exceeded")
REFUSED = ("refusal",)
CALLS = ("tool_calls", "function_call", "tool_use", "tool_call")
BROKEN: dict[str, type[ProviderError]] = {
    "error": ProviderServerError,
    "network_error": ProviderServerError,
    "insufficient_system_resource": ProviderServerError,
    "abort": ProviderProtocolError,
    "malformed_function_call": ProviderProtocolError,
}


def is_out_of_tokens(reason: str | None) -> bool:
    """Return whether a finish reason says that the answer was cut at a limit of tokens."""
    return (reason or "").lower() in OUT_OF_TOKENS


def ending_failure(
    reason: str | None, has_text: bool, calls: int, offers_tools: bool, began: bool
) -> ProviderError | None:
    """Return the error for an answer that ended; None if it can be used.

    An empty answer is one where the model said that it had finished (`stop`): it had nothing to say. `calls`: how many
    tools it asked for; `began`: anything came, be it blanks or thoughts.
    """
    name = (reason or "").lower()
    if name.partition(":")[0].strip() in FILTERED:
        return AnswerFiltered()
    if name in BROKEN:
        return BROKEN[name]()
    if has_text or (calls and offers_tools):
        return None
    if calls or (name in CALLS and not offers_tools):
        return ToolNotOffered()
    if is_out_of_tokens(name):
        return AnswerCutShort()
    if name in REFUSED:
        return AnswerRefused()
    # A reason of its own, such as `stop`, makes an empty answer a whole one.
    return ProviderProtocolError() if name in CALLS or not (name or began) else None
