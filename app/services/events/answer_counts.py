"""Count an answer or workflow run that came to rest, for the metrics."""

from app.metrics.known_names import OTHER
from app.metrics.names import ANSWER_FAILURES, ANSWER_SECONDS, ANSWERS, FIRST_TOKEN
from app.models.tasks import FAILED, PAUSED, ClaimedTask


def count_rest(
    task: ClaimedTask, app_code: str | None, outcome: str, cause: str | None, first_token: float | None, seconds: float
) -> None:
    """Count how a task came to rest. `app_code`: None where the app is gone; `cause`: of a failure, as the log has it.

    Both times are in seconds since the question; `first_token`: until the first piece of text, None where none came.
    """
    app = app_code or OTHER
    ANSWERS.add(app, task.mode, outcome)
    if outcome == FAILED:
        ANSWER_FAILURES.add(app, task.mode, cause or OTHER)
    # Behind a take-over or a pause, readers have had a first piece before.
    if first_token is not None and task.epoch == 1:
        FIRST_TOKEN.observe(first_token, app, task.mode)
    if outcome != PAUSED:
        ANSWER_SECONDS.observe(seconds, app, task.mode)
