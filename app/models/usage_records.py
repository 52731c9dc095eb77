"""Usage: the tokens that models were asked for, and what they cost by the prices of that time.

A record outlasts the message or the run that it was made for, so that sums stay what they were; it holds no word of
anybody. `app/models/reports/usage_reports.py` adds records up.
"""

import datetime
import decimal
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, Numeric, String, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import execute, json_text
from app.models.identifiers import new_id, now


class UsageRecord(Base):
    """What one model was asked for by one task, or by a call beside tasks. `created_at`: when that began.

    `purpose`: answer, or what the call was for. `endpoint` and `model` are empty where no model was asked, or none is
    known. `calls` counts those that the server reported tokens of. `prompt_price` and `completion_price` are None where
    the model's route has no prices. `end_user_id` is None where the end user was forgotten.
    """

    __tablename__ = "usage_records"
    __table_args__ = (
        Index("usage_records_by_creation", "created_at"),
        Index("usage_records_by_app", "app_id", "created_at"),
        Index("usage_records_by_end_user", "end_user_id"),
        Index("usage_records_by_task", "task_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    task_id: Mapped[uuid.UUID | None]
    purpose: Mapped[str] = mapped_column(String(16))
    app_id: Mapped[uuid.UUID]
    end_user_id: Mapped[uuid.UUID | None]
    endpoint: Mapped[str] = mapped_column(String(255))
    model: Mapped[str] = mapped_column(String(255))
    calls: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    prompt_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    completion_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    total_tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    prompt_price: Mapped[decimal.Decimal | None] = mapped_column(Numeric)
    completion_price: Mapped[decimal.Decimal | None] = mapped_column(Numeric)
    currency: Mapped[str] = mapped_column(String(8), server_default="")
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


# Part of the statements that end or rest a task. Stands on rows `{owner}` with app_id, end_user_id and created_at, and
# `{task}`. A run that goes on behind a pause has the same records with more in them.
SAVE_USAGE = """
    INSERT INTO usage_records (
        id, task_id, purpose, app_id, end_user_id, endpoint, model, calls, prompt_tokens, completion_tokens,
        total_tokens, prompt_price, completion_price, currency, created_at)
    SELECT row.id, {task}, row.purpose, {owner}.app_id, {owner}.end_user_id, left(row.endpoint, 255),
        left(row.model, 255), row.calls, row.prompt_tokens, row.completion_tokens, row.total_tokens, row.prompt_price,
        row.completion_price, row.currency, {moment}
    FROM {owner}, jsonb_to_recordset(CAST(:usage AS jsonb)) AS row(
        id uuid, purpose text, endpoint text, model text, calls integer, prompt_tokens bigint, completion_tokens bigint,
        total_tokens bigint, prompt_price numeric, completion_price numeric, currency text)
    ON CONFLICT (id) DO UPDATE SET calls = excluded.calls, prompt_tokens = excluded.prompt_tokens,
        completion_tokens = excluded.completion_tokens, total_tokens = excluded.total_tokens,
        prompt_price = excluded.prompt_price, completion_price = excluded.completion_price
"""
SAVE_TASK_USAGE = SAVE_USAGE.format(task="task.id", owner="task", moment="task.created_at")

_STORE = json_text(
    SAVE_USAGE.format(task="CAST(NULL AS uuid)", owner="conversations", moment="now()").replace(
        "    ON CONFLICT", "    WHERE conversations.id = :conversation_id ON CONFLICT"
    ),
    "usage",
)


def store_usage_of_conversation(conversation_id: str, usage: Sequence[dict[str, Any]]) -> None:
    """Store what models were asked for a conversation beside its answers. `usage`: rows as tasks store them."""
    execute(_STORE, {"conversation_id": conversation_id, "usage": usage})
