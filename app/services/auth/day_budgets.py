"""Budgets of answers and tokens a day: of an end user, an address, an account, an app (settings *_DAY_*)."""

import contextlib
import datetime
import hashlib
from collections.abc import Iterator

import structlog
from flask import current_app

from app.errors import TooManyRequests
from app.extensions import redis_client
from app.models.identifiers import now
from app.models.tasks import find_used_tokens
from app.services.auth.asker import Asker
from app.streams import day_budgets
from app.streams.channel import RedisAway
from app.streams.day_budgets import Budget

log = structlog.get_logger(__name__)


class Allowance:
    """An answer that was counted; `note` says which task it became."""

    def __init__(self, budgets: list[Budget], day: str) -> None:
        self._budgets, self._day = budgets, day

    def note(self, task_id: str) -> None:
        """Let the task's tokens count for the same subjects."""
        if self._budgets:
            day_budgets.note(redis_client.client, self._budgets, self._day, task_id)


@contextlib.contextmanager
def counted(asker: Asker) -> Iterator[Allowance]:
    """Count an answer for all of whom it is; an exception inside takes it back. Raises TooManyRequests."""
    moment = now()
    budgets, day = _budgets(asker), moment.strftime("%Y%m%d")
    if budgets and not day_budgets.take(redis_client.client, budgets, day):
        raise TooManyRequests(
            "The answers or tokens of today are used up. Please come back tomorrow.",
            retry_after=_seconds_to_midnight(moment),
        )
    with contextlib.ExitStack() as undo:
        if budgets:
            undo.callback(day_budgets.give_back, redis_client.client, budgets, day)
        yield Allowance(budgets, day)
        undo.pop_all()


def spend(task_id: str) -> None:
    """Count what a task has used, at its end and where it pauses. Called by workers, which may lack the settings."""
    try:
        if day_budgets.is_noted(redis_client.client, task_id):
            day_budgets.spend(redis_client.client, task_id, find_used_tokens(task_id))
    except RedisAway as away:
        log.warning("budget.not_counted", task_id=task_id, error=str(away))


def _budgets(asker: Asker) -> list[Budget]:
    """Return the budgets that are set and concern this asker."""
    subjects = {
        "VISITOR": str(asker.end_user_id),
        "ADDRESS": asker.address,
        "ACCOUNT": asker.account_id,
        "APP": str(asker.app_id),
    }
    budgets = []
    for kind, subject in subjects.items():
        answers, tokens = current_app.config[f"{kind}_DAY_ANSWERS"], current_app.config[f"{kind}_DAY_TOKENS"]
        if subject and (answers or tokens):
            # Hashed: addresses are not to be read in Redis.
            name = hashlib.sha256(f"{kind} {subject}".encode()).hexdigest()
            budgets.append(Budget(name, answers, tokens))
    return budgets


def _seconds_to_midnight(moment: datetime.datetime) -> int:
    tomorrow = (moment + datetime.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(1, int((tomorrow - moment).total_seconds()))
