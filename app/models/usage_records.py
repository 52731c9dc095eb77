"""Usage: the tokens that models were asked for, and what they cost by the prices of that time.

A record outlasts the message or the run that it was made for, so that sums stay what they were; it holds no word of
anybody. `app/models/reports/usage_reports.py` adds records up.
"""

import datetime
import decimal
import uuid

from sqlalchemy import BigInteger, Index, Integer, Numeric, String, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
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
