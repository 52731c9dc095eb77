"""Count the calls of model servers: how they ended, how long they took, the tokens that they used."""

import contextlib
import time
from collections.abc import Iterator

from app.metrics.names import MODEL_CALLS, MODEL_FAILURES, MODEL_SECONDS, TOKENS
from app.providers.cancellation import Cancelled
from app.providers.models.chat_types import Usage


class CallRecord:
    """What is known of one call while it runs. `usage`: the latest counts of its server, None where it counts none."""

    usage: Usage | None = None


@contextlib.contextmanager
def recorded(endpoint: str, kind: str, model: str) -> Iterator[CallRecord]:
    """Count the call that is made inside. `endpoint`: the name of its server; `kind`: of the model, as route files say.

    A call that its caller gives up, since the answer was stopped or has enough, is stopped, not failed.
    """
    record, began, outcome = CallRecord(), time.monotonic(), "failed"
    try:
        yield record
        outcome = "succeeded"
    except (Cancelled, GeneratorExit):
        outcome = "stopped"
        raise
    except Exception as failure:
        MODEL_FAILURES.add(endpoint, kind, type(failure).__name__)
        raise
    finally:
        MODEL_CALLS.add(endpoint, kind, outcome)
        MODEL_SECONDS.observe(time.monotonic() - began, endpoint, kind)
        if record.usage is not None:
            TOKENS.add(endpoint, model, "prompt", amount=record.usage.prompt_tokens)
            TOKENS.add(endpoint, model, "completion", amount=record.usage.completion_tokens)
