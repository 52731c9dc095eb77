"""Make the usage object of a message's metadata and of node outputs. Its prices are always 0: we know none."""

from typing import Any

from app.providers.models.chat_types import Usage

_EMPTY = {
    "prompt_tokens": 0,
    "prompt_unit_price": "0.0",
    "prompt_price_unit": "0.0",
    "prompt_price": "0.0",
    "completion_tokens": 0,
    "completion_unit_price": "0.0",
    "completion_price_unit": "0.0",
    "completion_price": "0.0",
    "total_tokens": 0,
    "total_price": "0.0",
    "currency": "USD",
    "latency": 0.0,
}


def usage_object(usage: Usage | None, began: float, first: float | None, ended: float) -> dict[str, Any]:
    """Return the usage object of one call; `usage` None means that the server did not count.

    `began`, `first` (when the first chunk came, if any came) and `ended` are monotonic seconds.
    """
    first = ended if first is None else first
    counted = (
        {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.total_tokens,
        }
        if usage is not None
        else {}
    )
    times = {
        "latency": round(ended - began, 3),
        "time_to_first_token": round(first - began, 3),
        "time_to_generate": round(ended - first, 3),
    }
    return {**_EMPTY, **counted, **times}
